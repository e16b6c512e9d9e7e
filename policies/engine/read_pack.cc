// The sections only a pack has: whose rules bind, what they forbid, and the evidence they ask for.
#include <fmt/format.h>

#include "core/base/text.h"
#include "policies/engine/document.h"
#include "policies/engine/section.h"

namespace mlops::policy {
namespace {

using ReadEntry = void (*)(const YamlNode& key, const YamlNode& value, Document&, Findings&);
using ReadItem = void (*)(const YamlNode& item, Document&, Findings&);

void read_group(const YamlNode& key, const YamlNode& value, Document& document, Findings& findings) {
  Section section(value, fmt::format("identifiers.{}", printable(key.scalar)), findings,
                  {"title", "classes", "allow", "cite"});
  if (!section) return;
  IdentifierGroup group;
  group.letter = {key.scalar, key.mark};
  section.text("title", group.title);
  section.texts("classes", group.classes);
  section.texts("allow", group.allow);
  section.text("cite", group.cite);
  document.identifiers.push_back(std::move(group));
}

void read_category(const YamlNode& key, const YamlNode& value, Document& document, Findings& findings) {
  Section section(value, fmt::format("categories.{}", printable(key.scalar)), findings, {"title", "classes", "cite"});
  if (!section) return;
  CategoryRow row;
  row.name = {key.scalar, key.mark};
  section.text("title", row.title);
  section.texts("classes", row.classes);
  section.text("cite", row.cite);
  document.categories.push_back(std::move(row));
}

void read_outside(const YamlNode& key, const YamlNode& value, Document& document, Findings& findings) {
  Section section(value, fmt::format("outside.{}", printable(key.scalar)), findings, {"classes", "cite"});
  if (!section) return;
  OutsideRow row;
  row.subject = {key.scalar, key.mark};
  section.texts("classes", row.classes);
  section.text("cite", row.cite);
  document.outside.push_back(std::move(row));
}

void read_restriction(const YamlNode& node, Document& document, Findings& findings) {
  Section section(node, "forbid", findings, {"transform", "classes", "option", "unless", "above", "why", "cite"});
  if (!section) return;
  Restriction row;
  section.text("transform", row.transform);
  section.texts("classes", row.classes);
  section.text("option", row.option);
  section.texts("unless", row.unless);
  section.number("above", -1e9, 1e9, row.above);
  section.text("why", row.why);
  section.text("cite", row.cite);
  section.need("transform", row.transform);
  section.need("why", row.why);
  document.forbid.push_back(std::move(row));
}

// A number or a period, kept as written.
void read_bound(Section& section, std::string_view key, std::string& out) {
  section.text(key, out);
  const bool good = out.empty() || parse_int(out) || parse_period(out);
  if (!good) {
    section.reader().findings().error(section.find(key)->mark, "bad_bound",
                                      fmt::format("{} takes a number or a period, 11 or P6Y", key));
  }
}

void read_requirement(const YamlNode& node, Document& document, Findings& findings) {
  Section section(
      node, "require", findings,
      {"path", "cite", "why", "at_least", "at_most", "one_of", "holds", "when_class", "when_path", "before"});
  if (!section) return;
  Requirement row;
  row.pack = document.origin;
  section.text("path", row.path);
  section.text("cite", row.cite);
  section.text("why", row.why);
  read_bound(section, "at_least", row.at_least);
  read_bound(section, "at_most", row.at_most);
  section.texts("one_of", row.one_of);
  section.texts("holds", row.holds);
  section.texts("when_class", row.when_class);
  section.text("when_path", row.when_path);
  std::string before = "use";
  section.word_text("before", {"use", "promotion"}, before);
  row.before_promotion = before == "promotion";
  section.need("path", row.path.value);
  section.need("cite", row.cite);
  section.need("why", row.why);
  document.requirements.push_back(std::move(row));
}

void read_note(const YamlNode& node, Document& document, Findings& findings) {
  Section section(node, "notes", findings, {"text", "cite"});
  Note note;
  section.text("text", note.text);
  section.text("cite", note.cite);
  document.notes.push_back(std::move(note));
}

void each_entry(const YamlNode& spec, std::string_view key, ReadEntry read, Document& document, Findings& findings) {
  const auto* node = spec.find(key);
  if (!node) return;
  if (!node->is_map()) {
    findings.error(node->mark, "wrong_type", fmt::format("{} must be a map", key));
    return;
  }
  for (const auto& [name, value] : node->entries) read(name, value, document, findings);
}

void each_item(const YamlNode& spec, std::string_view key, ReadItem read, Document& document, Findings& findings) {
  const auto* node = spec.find(key);
  if (!node) return;
  Reader reader(findings);
  for (const auto& item : reader.sequence(*node, key)) read(item, document, findings);
}

}  // namespace

void read_pack_sections(const YamlNode& spec, Document& document, Findings& findings) {
  each_entry(spec, "identifiers", read_group, document, findings);
  each_entry(spec, "outside", read_outside, document, findings);
  each_entry(spec, "categories", read_category, document, findings);
  each_item(spec, "forbid", read_restriction, document, findings);
  each_item(spec, "require", read_requirement, document, findings);
  each_item(spec, "notes", read_note, document, findings);
}

}  // namespace mlops::policy
