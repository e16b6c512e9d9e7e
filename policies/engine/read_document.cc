#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/model/names.h"
#include "policies/engine/document.h"
#include "policies/engine/reader.h"
#include "policies/engine/section.h"

namespace mlops::policy {
namespace {

constexpr std::string_view kApiVersion = "mlops/v1";
constexpr std::string_view kPolicyKind = "PrivacyPolicy";
constexpr std::string_view kPackKind = "PrivacyPack";
constexpr std::int64_t kMostFindings = 1'000'000;

bool is_octal_looking(const YamlNode& node) {
  const auto& text = node.scalar;
  return node.is_scalar() && !node.quoted && text.size() > 1 && text[0] == '0' &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= '0' && c <= '9'; });
}

// A YAML 1.1 reader takes these for true or false: a column called `no`, a country code, a switch.
bool is_switch_word(const YamlNode& node) {
  constexpr std::array<std::string_view, 4> kWords{"yes", "no", "on", "off"};
  return node.is_scalar() && !node.quoted &&
         std::find(kWords.begin(), kWords.end(), to_lower_ascii(node.scalar)) != kWords.end();
}

void check_switch_word(const YamlNode& node, Findings& findings) {
  if (!is_switch_word(node)) return;
  findings.error(node.mark, "bool_word",
                 fmt::format("{} is written without quotes: many YAML readers take it for a truth value", node.scalar),
                 fmt::format("write \"{}\", or true or false", node.scalar));
}

// Another YAML reader takes a bare 036 for 30: a code must be quoted wherever it stands.
void check_scalars(const YamlNode& node, Findings& findings) {
  check_switch_word(node, findings);
  if (is_octal_looking(node)) {
    findings.error(
        node.mark, "octal_number",
        fmt::format("{} is written without quotes: many YAML readers take it for an octal number", node.scalar),
        fmt::format("write '{}'", node.scalar));
  }
  for (const auto& item : node.items) check_scalars(item, findings);
  for (const auto& [key, value] : node.entries) {
    check_switch_word(key, findings);
    check_scalars(value, findings);
  }
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

void read_labels(const YamlNode& node, Document& document, Reader& reader) {
  if (!node.is_map()) {
    reader.findings().error(node.mark, "wrong_type", "metadata.labels must be a map of name to text");
    return;
  }
  for (const auto& [key, value] : node.entries) {
    if (auto text = reader.text(value, "metadata.labels." + printable(key.scalar))) {
      document.labels.emplace_back(key.scalar, std::move(*text));
    }
  }
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
  if (const auto* text = node.find("description")) {
    document.description = reader.text(*text, "metadata.description").value_or("");
  }
  if (const auto* from = node.find("effective_from")) {
    if (const auto time = reader.date(*from, "metadata.effective_from")) document.effective_from = {*time, from->mark};
  }
  if (const auto* labels = node.find("labels")) read_labels(*labels, document, reader);
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

void read_rule_residual(const YamlNode& node, Rule& rule, Findings& findings) {
  Section section(node, "residual of a rule", findings, {"max_findings"});
  section.integer("max_findings", 0, kMostFindings, rule.max_findings);
  if (section && !section.find("max_findings"))
    findings.error(node.mark, "missing_key", "residual of a rule needs `max_findings`", "residual: {max_findings: 0}");
}

// `apply: keep` or `apply: {redact: {with: "[NAME]"}}`, with `residual: {max_findings: 0}` beside the transform.
bool read_apply(const YamlNode& node, Rule& rule, Reader& reader) {
  if (node.is_scalar()) {
    rule.transform = {node.scalar, node.mark};
    rule.options.mark = node.mark;
    return true;
  }
  const YamlNode* options = nullptr;
  std::size_t transforms = 0;
  for (const auto& [key, value] : node.entries) {
    if (key.scalar == "residual") {
      read_rule_residual(value, rule, reader.findings());
      continue;
    }
    ++transforms;
    rule.transform = {key.scalar, key.mark};
    options = &value;
  }
  if (!node.is_map() || transforms != 1) {
    reader.findings().error(node.mark, "bad_apply", "apply takes one transform", "apply: {redact: {with: \"[NAME]\"}}");
    return false;
  }
  rule.options = *options;
  return true;
}

void read_rule(const YamlNode& node, Document& document, Reader& reader) {
  if (!reader.map(node, "a rule", {"match", "apply", "description", "cite"})) return;
  Rule rule;
  rule.origin = document.origin;
  rule.mark = node.mark;
  const auto* match = node.find("match");
  const auto* apply = node.find("apply");
  if (!match || !apply) {
    reader.findings().error(node.mark, "missing_key", fmt::format("a rule needs `{}`", match ? "apply" : "match"));
    return;
  }
  if (const auto* cite = node.find("cite")) rule.cite = reader.text(*cite, "cite").value_or("");
  const bool good_match = read_match(*match, rule, reader);
  if (read_apply(*apply, rule, reader) && good_match) document.rules.push_back(std::move(rule));
}

void read_key(const YamlNode& name, const YamlNode& value, Document& document, Findings& findings) {
  KeyDecl key{{name.scalar, name.mark}, {}, {}, {}};
  if (!value.is_null()) {
    constexpr std::int64_t kMostDays = 3650;
    Section section(value, fmt::format("key '{}'", printable(name.scalar)), findings,
                    {"purpose", "ref", "rotate_days"});
    section.text("purpose", key.purpose);
    section.text("ref", key.ref);
    section.integer("rotate_days", 1, kMostDays, key.rotate_days);
  }
  document.keys.push_back(std::move(key));
}

void read_transforms(const YamlNode& node, Document& document, Reader& reader) {
  Section section(node, "transforms", reader.findings(), {"keys", "rules", "order", "overlap"});
  if (!section) return;
  // The only ways there are: rules apply as declared, and the union of overlapping findings is masked.
  std::string ignored;
  section.word_text("order", {"declared"}, ignored);
  section.word_text("overlap", {"union"}, ignored);
  const auto* keys = node.find("keys");
  if (keys && keys->is_map()) {
    for (const auto& [name, value] : keys->entries) read_key(name, value, document, reader.findings());
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

void read_select_labels(const YamlNode& node, Document& document, Reader& reader) {
  if (!node.is_map() || node.entries.empty()) {
    reader.findings().error(node.mark, "bad_select_labels", "select.labels must be a map of label to value",
                            "labels: {domain: clinical}");
    return;
  }
  for (const auto& [key, value] : node.entries) {
    if (const auto bad = model::check_key(key.scalar, "a label"); !bad) {
      reader.findings().error(key.mark, "bad_select_labels", bad.error().message);
    }
    if (auto text = reader.text(value, "select.labels." + printable(key.scalar))) {
      document.select_labels[key.scalar] = std::move(*text);
    }
  }
}

void read_select(const YamlNode& select, Document& document, Reader& reader) {
  if (select.is_null()) {
    document.kinds.emplace();
    reader.findings().error(select.mark, "empty_select", "select is empty: the policy would never apply",
                            "kinds: [dataset, model]");
    return;
  }
  if (!reader.map(select, "select", {"kinds", "labels"})) return;
  const auto* kinds = select.find("kinds");
  const auto* labels = select.find("labels");
  if (labels) read_select_labels(*labels, document, reader);
  if (labels && !kinds) return;  // every kind
  document.kinds = kinds ? reader.kinds(*kinds) : std::vector<model::ArtifactKind>{};
  const bool is_empty = !kinds || kinds->is_null() || (kinds->is_sequence() && kinds->items.empty());
  if (is_empty) {
    reader.findings().error(select.mark, "empty_select", "select names no kind: the policy would never apply",
                            "kinds: [dataset, model]");
  }
}

template <void (*Read)(const YamlNode&, Document&, Reader&)>
void with_reader(const YamlNode& node, Document& document, Findings& findings) {
  Reader reader(findings);
  Read(node, document, reader);
}

void read_gates(const YamlNode& node, Document& document, Reader& reader) {
  for (const auto& item : reader.sequence(node, "gates")) {
    document.gates.push_back(read_gate(item, reader.findings()));
  }
}

struct SpecRow {
  std::string_view key;
  void (*read)(const YamlNode&, Document&, Findings&);  // nullptr: read with the pack's sections
};
constexpr SpecRow kSpec[] = {
    {"enforcement", read_enforcement},
    {"select", with_reader<read_select>},
    {"classification", read_classification},
    {"transforms", with_reader<read_transforms>},
    {"residual", with_reader<read_residual>},
    {"output", with_reader<read_output>},
    {"risk", read_risk},
    {"gates", with_reader<read_gates>},
    {"retention", read_retention},
    {"residency", read_residency},
    {"purpose", read_purpose},
    {"erasure", read_erasure},
    {"exceptions", read_exceptions},
    {"attestations", read_attestations},
    {"evidence", read_evidence},
    {"expert", read_expert},
    {"tests", read_tests},
};
constexpr std::string_view kPackKeys[] = {"identifiers", "forbid", "outside", "categories", "require", "notes"};

void read_spec(const YamlNode& node, Document& document, Reader& reader) {
  std::vector<std::string> known;
  for (const auto& row : kSpec) known.emplace_back(row.key);
  if (document.is_pack) known.insert(known.end(), std::begin(kPackKeys), std::end(kPackKeys));
  if (!reader.map(node, "spec", known)) return;
  document.spec = node;
  for (const auto& row : kSpec) {
    if (const auto* section = node.find(row.key)) row.read(*section, document, reader.findings());
  }
  if (document.is_pack) read_pack_sections(node, document, reader.findings());
}

// A pack's rule without a clause of its own follows that of its class's group.
void cite_by_groups(Document& document) {
  for (auto& rule : document.rules) {
    for (const auto& group : document.identifiers) {
      const bool listed =
          std::find(group.classes.begin(), group.classes.end(), rule.subject.value) != group.classes.end();
      if (rule.cite.empty() && rule.match == Rule::Match::kClass && listed) rule.cite = group.cite;
    }
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
  check_scalars(*root, findings);
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
  cite_by_groups(document);
  return document;
}

}  // namespace mlops::policy
