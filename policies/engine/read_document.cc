#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/base/clock.h"
#include "core/base/text.h"
#include "policies/engine/document.h"
#include "policies/engine/reader.h"

namespace mlops::policy {
namespace {

constexpr std::array<std::string_view, 3> kUnknownColumnWords{"allow", "scan", "quarantine"};
constexpr std::string_view kApiVersion = "mlops/v1";
constexpr std::string_view kPolicyKind = "PrivacyPolicy";
constexpr std::string_view kPackKind = "PrivacyPack";
constexpr std::int64_t kMostFindings = 1'000'000;

bool is_octal_looking(const YamlNode& node) {
  const auto& text = node.scalar;
  return node.is_scalar() && !node.quoted && text.size() > 1 && text[0] == '0' &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= '0' && c <= '9'; });
}

// Another YAML reader takes a bare 036 for 30: a code must be quoted wherever it stands.
void check_octal(const YamlNode& node, Findings& findings) {
  if (is_octal_looking(node)) {
    findings.error(
        node.mark, "octal_number",
        fmt::format("{} is written without quotes: many YAML readers take it for an octal number", node.scalar),
        fmt::format("write '{}'", node.scalar));
  }
  for (const auto& item : node.items) check_octal(item, findings);
  for (const auto& [key, value] : node.entries) check_octal(value, findings);
}

// "1.2.3", with a pre-release or build behind it if need be.
bool is_semver(std::string_view text) {
  const auto core = text.substr(0, text.find_first_of("-+"));
  const auto parts = split(core, '.');
  return parts.size() == 3 && std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
           const auto value = parse_int(part);
           return value && *value >= 0;
         });
}

void read_metadata(const YamlNode& node, Document& document, Reader& reader) {
  if (!reader.map(node, "metadata",
                  {"name", "version", "extends", "authority", "effective_from", "description", "labels"})) {
    return;
  }
  if (const auto* name = node.find("name")) {
    document.name = reader.text(*name, "metadata.name").value_or("");
    const bool good = !document.name.empty() && document.name.size() <= 100 &&
                      document.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-._/") == std::string::npos;
    if (!good) reader.findings().error(name->mark, "bad_name", "metadata.name takes a-z, 0-9, '-', '.', '_' and '/'");
  } else {
    reader.findings().error(node.mark, "missing_key", "metadata.name is missing");
  }
  if (const auto* version = node.find("version")) {
    document.version = reader.text(*version, "metadata.version").value_or("");
    if (!is_semver(document.version)) {
      reader.findings().error(version->mark, "bad_version", "metadata.version must be of the form 1.2.3");
    }
  } else {
    reader.findings().error(node.mark, "missing_key", "metadata.version is missing", "version: 1.0.0");
  }
  if (const auto* extends = node.find("extends")) document.extends = reader.marked_texts(*extends, "metadata.extends");
  if (const auto* authority = node.find("authority"))
    document.authority = reader.texts(*authority, "metadata.authority");
  if (const auto* text = node.find("description")) reader.text(*text, "metadata.description");
  if (const auto* from = node.find("effective_from")) {
    const auto text = reader.text(*from, "metadata.effective_from");
    if (text && !parse_rfc3339(*text)) {
      reader.findings().error(from->mark, "bad_date", "metadata.effective_from must be a date, 2026-01-31");
    }
  }
}

void read_detector(const YamlNode& node, Document& document, Reader& reader) {
  if (!reader.map(node, "a detector", {"use", "min_score", "params"})) return;
  DetectorUse use;
  const auto* id = node.find("use");
  if (!id) {
    reader.findings().error(node.mark, "missing_key", "a detector needs `use`");
    return;
  }
  auto text = reader.text(*id, "use");
  if (!text) return;
  use.id = {std::move(*text), id->mark};
  if (const auto* score = node.find("min_score")) {
    if (const auto value = reader.number(*score, "min_score", 0.0, 1.0)) use.min_score = {*value, score->mark};
  }
  if (const auto* params = node.find("params"); params && reader.map(*params, "params", {"column", "value"})) {
    use.has_params = true;
    if (const auto* column = params->find("column")) use.column_pattern = reader.text(*column, "column").value_or("");
    if (const auto* value = params->find("value")) use.value_pattern = reader.text(*value, "value").value_or("");
    if (use.column_pattern.empty() && use.value_pattern.empty()) {
      reader.findings().error(params->mark, "bad_pattern", "params needs `column` or `value` or both");
      return;
    }
  }
  document.detectors.push_back(std::move(use));
}

void read_columns(const YamlNode& node, Document& document, Reader& reader) {
  if (!node.is_map()) {
    reader.findings().error(node.mark, "wrong_type", "classification.columns must be a map of column to {class: …}");
    return;
  }
  for (const auto& [key, value] : node.entries) {
    if (!reader.map(value, fmt::format("column '{}'", printable(key.scalar)), {"class", "description"})) continue;
    const auto* name = value.find("class");
    if (!name) {
      reader.findings().error(value.mark, "missing_key",
                              fmt::format("column '{}' has no class", printable(key.scalar)));
      continue;
    }
    auto text = reader.text(*name, "class");
    if (text) document.columns.push_back({{key.scalar, key.mark}, {std::move(*text), name->mark}});
  }
}

void read_classification(const YamlNode& node, Document& document, Reader& reader) {
  if (!reader.map(node, "classification", {"detectors", "columns", "unknown_column", "optional_columns"})) return;
  if (const auto* detectors = node.find("detectors")) {
    for (const auto& item : reader.sequence(*detectors, "classification.detectors")) {
      read_detector(item, document, reader);
    }
  }
  if (const auto* columns = node.find("columns")) read_columns(*columns, document, reader);
  if (const auto* unknown = node.find("unknown_column")) {
    static const std::vector<std::string> words(kUnknownColumnWords.begin(), kUnknownColumnWords.end());
    if (const auto index = reader.word(*unknown, "unknown_column", words)) {
      document.unknown_column = {static_cast<UnknownColumn>(*index), unknown->mark};
    }
  }
  if (const auto* optional = node.find("optional_columns")) {
    document.optional_columns = reader.marked_texts(*optional, "optional_columns");
  }
}

bool read_match(const YamlNode& node, Rule& rule, Reader& reader) {
  if (!reader.map(node, "match", {"class", "column"})) return false;
  const auto* by_class = node.find("class");
  const auto* by_column = node.find("column");
  if (!by_class == !by_column) {
    reader.findings().error(node.mark, "bad_match", "match takes exactly one of `class` and `column`");
    return false;
  }
  const auto& subject = by_class ? *by_class : *by_column;
  auto text = reader.text(subject, by_class ? "class" : "column");
  if (!text) return false;
  rule.match = by_class ? Rule::Match::kClass : Rule::Match::kColumn;
  rule.subject = {std::move(*text), subject.mark};
  return true;
}

// `apply: keep` or `apply: {redact: {with: "[NAME]"}}`.
bool read_apply(const YamlNode& node, Rule& rule, Reader& reader) {
  if (node.is_scalar()) {
    rule.transform = {node.scalar, node.mark};
    rule.options.mark = node.mark;
    return true;
  }
  if (!node.is_map() || node.entries.size() != 1) {
    reader.findings().error(node.mark, "bad_apply", "apply takes one transform", "apply: {redact: {with: \"[NAME]\"}}");
    return false;
  }
  const auto& [key, value] = node.entries.front();
  rule.transform = {key.scalar, key.mark};
  rule.options = value;
  return true;
}

void read_rule(const YamlNode& node, Document& document, Reader& reader) {
  if (!reader.map(node, "a rule", {"match", "apply", "description"})) return;
  Rule rule;
  rule.origin = document.origin;
  rule.mark = node.mark;
  const auto* match = node.find("match");
  const auto* apply = node.find("apply");
  if (!match || !apply) {
    reader.findings().error(node.mark, "missing_key", fmt::format("a rule needs `{}`", match ? "apply" : "match"));
    return;
  }
  const bool good_match = read_match(*match, rule, reader);
  if (read_apply(*apply, rule, reader) && good_match) document.rules.push_back(std::move(rule));
}

void read_transforms(const YamlNode& node, Document& document, Reader& reader) {
  if (!reader.map(node, "transforms", {"keys", "rules"})) return;
  if (const auto* keys = node.find("keys"); keys && keys->is_map()) {
    for (const auto& [key, value] : keys->entries) {
      KeyDecl decl{{key.scalar, key.mark}, {}};
      if (!value.is_null() && reader.map(value, fmt::format("key '{}'", printable(key.scalar)), {"purpose"})) {
        if (const auto* purpose = value.find("purpose")) decl.purpose = reader.text(*purpose, "purpose").value_or("");
      }
      document.keys.push_back(std::move(decl));
    }
  } else if (keys && !keys->is_null()) {
    reader.findings().error(keys->mark, "wrong_type", "transforms.keys must be a map of key name to {purpose: …}");
  }
  const auto* rules = node.find("rules");
  if (!rules) return;
  document.rules_mark = rules->mark;
  for (const auto& item : reader.sequence(*rules, "transforms.rules")) read_rule(item, document, reader);
}

void read_residual(const YamlNode& node, Document& document, Reader& reader) {
  if (!reader.map(node, "residual", {"min_score", "max_findings", "ignore_columns"})) return;
  if (const auto* score = node.find("min_score")) {
    if (const auto value = reader.number(*score, "residual.min_score", 0.0, 1.0)) {
      document.residual_min_score = {*value, score->mark};
    }
  }
  if (const auto* most = node.find("max_findings")) {
    if (const auto value = reader.integer(*most, "residual.max_findings", 0, kMostFindings)) {
      document.residual_max_findings = {*value, most->mark};
    }
  }
  if (const auto* ignore = node.find("ignore_columns")) {
    document.residual_ignore_columns = reader.marked_texts(*ignore, "residual.ignore_columns");
  }
}

void read_output(const YamlNode& node, Document& document, Reader& reader) {
  if (!reader.map(node, "output", {"name", "sensitivity"})) return;
  if (const auto* name = node.find("name")) {
    document.output_name = reader.text(*name, "output.name").value_or("");
    if (document.output_name.find("{name}") == std::string::npos || document.output_name == "{name}") {
      reader.findings().error(name->mark, "bad_output_name", "output.name must contain {name} and something beside it",
                              "name: \"{name}-deid\"");
    }
  }
  if (const auto* label = node.find("sensitivity")) {
    if (const auto value = reader.sensitivity(*label, "output.sensitivity")) {
      document.output_sensitivity = {*value, label->mark};
    }
  }
}

void read_identifiers(const YamlNode& node, Document& document, Reader& reader) {
  if (!node.is_map()) {
    reader.findings().error(node.mark, "wrong_type", "identifiers must be a map of letter to {title, classes}");
    return;
  }
  for (const auto& [key, value] : node.entries) {
    if (!reader.map(value, fmt::format("identifiers.{}", printable(key.scalar)), {"title", "classes", "allow"}))
      continue;
    IdentifierGroup group;
    group.letter = {key.scalar, key.mark};
    if (const auto* title = value.find("title")) group.title = reader.text(*title, "title").value_or("");
    if (const auto* list = value.find("classes")) group.classes = reader.texts(*list, "classes");
    if (const auto* allow = value.find("allow")) group.allow = reader.texts(*allow, "allow");
    document.identifiers.push_back(std::move(group));
  }
}

void read_restriction(const YamlNode& node, Document& document, Reader& reader) {
  if (!reader.map(node, "forbid", {"transform", "classes", "option", "unless", "above", "why"})) return;
  Restriction row;
  if (const auto* value = node.find("transform")) row.transform = reader.text(*value, "transform").value_or("");
  if (const auto* value = node.find("classes")) row.classes = reader.texts(*value, "classes");
  if (const auto* value = node.find("option")) row.option = reader.text(*value, "option").value_or("");
  if (const auto* value = node.find("unless")) row.unless = reader.texts(*value, "unless");
  if (const auto* value = node.find("above")) row.above = reader.number(*value, "above", -1e9, 1e9);
  if (const auto* value = node.find("why")) row.why = reader.text(*value, "why").value_or("");
  document.forbid.push_back(std::move(row));
}

void read_spec(const YamlNode& node, Document& document, Reader& reader) {
  const bool known =
      document.is_pack
          ? reader.map(
                node, "spec",
                {"select", "classification", "transforms", "residual", "output", "gates", "identifiers", "forbid"})
          : reader.map(node, "spec", {"select", "classification", "transforms", "residual", "output", "gates"});
  if (!known) return;
  if (const auto* select = node.find("select"); select && reader.map(*select, "select", {"kinds"})) {
    const auto* kinds = select->find("kinds");
    document.kinds = kinds ? reader.kinds(*kinds) : std::vector<model::ArtifactKind>{};
    const bool is_empty = !kinds || kinds->is_null() || (kinds->is_sequence() && kinds->items.empty());
    if (is_empty) {
      reader.findings().error(select->mark, "empty_select", "select names no kind: the policy would never apply",
                              "kinds: [dataset, model]");
    }
  } else if (select && select->is_null()) {
    document.kinds.emplace();
  }
  using Section = void (*)(const YamlNode&, Document&, Reader&);
  constexpr std::pair<std::string_view, Section> kSections[] = {
      {"classification", read_classification},
      {"transforms", read_transforms},
      {"residual", read_residual},
      {"output", read_output},
  };
  for (const auto& [key, read] : kSections) {
    if (const auto* section = node.find(key)) read(*section, document, reader);
  }
  if (const auto* gates = node.find("gates")) {
    for (const auto& item : reader.sequence(*gates, "gates")) {
      document.gates.push_back(read_gate(item, reader.findings()));
    }
  }
  if (!document.is_pack) return;
  if (const auto* identifiers = node.find("identifiers")) read_identifiers(*identifiers, document, reader);
  if (const auto* forbid = node.find("forbid")) {
    for (const auto& item : reader.sequence(*forbid, "forbid")) read_restriction(item, document, reader);
  }
}

bool read_head(const YamlNode& root, Document& document, Reader& reader) {
  if (!reader.map(root, "the policy", {"apiVersion", "kind", "metadata", "spec"})) return false;
  const auto* api = root.find("apiVersion");
  if (!api || api->scalar != kApiVersion) {
    reader.findings().error(api ? api->mark : root.mark, "wrong_api_version",
                            fmt::format("apiVersion must be {}", kApiVersion));
  }
  const auto* kind = root.find("kind");
  document.is_pack = kind && kind->scalar == kPackKind;
  if (!document.is_pack && (!kind || kind->scalar != kPolicyKind)) {
    reader.findings().error(kind ? kind->mark : root.mark, "wrong_kind", fmt::format("kind must be {}", kPolicyKind));
  }
  return true;
}

}  // namespace

std::string_view to_word(UnknownColumn word) {
  return kUnknownColumnWords[static_cast<std::size_t>(word)];
}

Document read_document(std::string_view yaml, Findings& findings) {
  Document document;
  document.origin = findings.origin();
  document.yaml = std::string(yaml);
  const auto root = parse_yaml(yaml, findings.origin());
  if (!root) {
    findings.add(root.error(), {1, 1});
    return document;
  }
  Reader reader(findings);
  document.root_mark = root->mark;
  if (!read_head(*root, document, reader)) return document;
  check_octal(*root, findings);
  constexpr std::string_view kParts[] = {"metadata", "spec"};
  for (const auto part : kParts) {
    const auto* node = root->find(part);
    if (!node) {
      findings.error(root->mark, "missing_key", fmt::format("{} is missing", part));
    } else if (part == kParts[0]) {
      read_metadata(*node, document, reader);
    } else {
      read_spec(*node, document, reader);
    }
  }
  return document;
}

}  // namespace mlops::policy
