#include "policies/engine/wording.h"

#include <fmt/format.h>

#include "core/base/text.h"
#include "core/base/yaml_scalar.h"
#include "policies/engine/evidence_gate.h"

namespace mlops::policy {
namespace {

std::string quoted_text(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

std::string words_of(const MetricGate& gate) {
  std::vector<std::string> parts;
  if (gate.min) parts.push_back(fmt::format("is at least {}", *gate.min));
  if (gate.max) parts.push_back(fmt::format("is at most {}", *gate.max));
  if (gate.not_below_current_by) {
    parts.push_back(fmt::format("is not more than {} below what runs now", *gate.not_below_current_by));
  }
  if (gate.subgroups) parts.push_back(words_of(*gate.subgroups));
  return fmt::format("the metric {} {}", gate.name, join(parts, " and "));
}

std::string words_of(const LineageGate& gate) {
  std::vector<std::string> parts;
  if (gate.is_complete) parts.emplace_back("every input is a registered version");
  for (const auto& role : gate.roles) parts.push_back(fmt::format("an input has the role {}", role));
  if (gate.git_clean) parts.emplace_back("it was made from a commit without local changes");
  return join(parts, ", ");
}

std::string words_of(const ApprovalsGate& gate) {
  auto text = fmt::format("{} other {} approved it", gate.count, gate.count == 1 ? "person has" : "people have");
  if (!gate.roles.empty()) text += " as " + join(gate.roles, " or ");
  if (gate.are_signed) text += ", signed with their keys";
  if (gate.need_meaning) text += ", saying what the approval stands for";
  if (gate.max_age_us != 0) text += fmt::format(", within the last {} hours", gate.max_age_us / 3'600'000'000);
  return text;
}

std::string words_of(const ClearanceGate& gate) {
  return fmt::format("its label is at most {}", to_word(gate.max));
}

std::string words_of(const AssertGate& gate) {
  return gate.program.source();
}

std::string words_of(const ProvenanceGate& gate) {
  std::string text = "its commit is in ";
  text += gate.repositories.empty() ? "a configured repository" : join(gate.repositories, " or ");
  if (!gate.branches.empty()) text += ", on " + join(gate.branches, " or ");
  if (gate.clean) text += ", without local changes";
  return text;
}

std::string words_of(const std::monostate&) {
  return "nothing";
}

}  // namespace

std::string flow_text(const YamlNode& node) {
  if (node.is_null()) return {};
  if (node.is_scalar()) return node.quoted && needs_quotes(node.scalar) ? quoted_text(node.scalar) : node.scalar;
  std::vector<std::string> parts;
  for (const auto& item : node.items) parts.push_back(flow_text(item));
  for (const auto& [key, value] : node.entries) parts.push_back(key.scalar + ": " + flow_text(value));
  return node.is_map() ? "{" + join(parts, ", ") + "}" : "[" + join(parts, ", ") + "]";
}

std::string rule_text(const Rule& rule) {
  const auto options = flow_text(rule.options);
  auto text = rule.transform.value;
  if (!options.empty() && options != "{}") text += " " + options;
  if (rule.max_findings) text += fmt::format(", at most {} left behind", *rule.max_findings);
  return text;
}

std::string gate_text(const GateRule& gate) {
  return std::visit([](const auto& body) -> std::string { return words_of(body); }, gate.body);
}

std::string kinds_text(const std::vector<model::ArtifactKind>& kinds) {
  std::vector<std::string> words;
  for (const auto kind : kinds) words.emplace_back(to_word(kind));
  return words.empty() ? "every kind" : join(words, ", ");
}

std::vector<std::string> labels_text(const std::map<std::string, std::string>& labels) {
  std::vector<std::string> texts;
  for (const auto& [name, value] : labels) texts.push_back(name + "=" + value);
  return texts;
}

}  // namespace mlops::policy
