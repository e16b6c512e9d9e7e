// `given` of a test, as the facts a promotion would show.
#include <fmt/format.h>

#include "core/base/text.h"
#include "core/model/principal.h"
#include "policies/engine/inline_test.h"
#include "policies/engine/section.h"

namespace mlops::policy {
namespace {

using model::ArtifactKind;
using model::PromotionFacts;

constexpr std::int64_t kMostApprovals = 20;
constexpr double kHuge = 1e300;

void read_metrics(const YamlNode& node, std::map<std::string, double>& metrics, Reader& reader) {
  if (!node.is_map()) {
    reader.findings().error(node.mark, "wrong_type", "metrics must be a map of name to number");
    return;
  }
  for (const auto& [key, value] : node.entries) {
    if (const auto number = reader.number(value, "metrics." + printable(key.scalar), -kHuge, kHuge)) {
      metrics[key.scalar] = *number;
    }
  }
}

void read_label(Section& section, std::string_view key, model::Sensitivity& label) {
  const auto* value = section.find(key);
  if (!value) return;
  if (const auto read = section.reader().sensitivity(*value, key)) label = *read;
}

// `train`, or {role: train, ref: patients@v1}; without a ref the input is no registered version.
void read_input(const YamlNode& node, model::MemberFacts& member, Findings& findings) {
  model::VersionInput input;
  if (node.is_scalar()) {
    input.role = node.scalar;
    input.ref = "given@v1";
  } else {
    Section section(node, "an input", findings, {"role", "ref"});
    section.text("role", input.role);
    section.text("ref", input.ref);
  }
  if (!input.ref.empty()) {
    input.version_id = input.ref;
    input.digest = "sha256:given";
  }
  member.inputs.push_back(std::move(input));
}

// What would be known of the member's commit: {repository: code, branches: [main], state: found}.
void read_provenance(const YamlNode& node, model::MemberFacts& member, Findings& findings) {
  Section section(node, "provenance", findings, {"repository", "branches", "state"});
  model::ProvenanceFact fact;
  std::string repository;
  section.text("repository", repository);
  if (!repository.empty()) fact.repositories.push_back(std::move(repository));
  section.texts("branches", fact.branches);
  fact.state = "found";
  section.word_text("state", {"found", "missing", "unreachable", "unknown"}, fact.state);
  member.provenance = std::move(fact);
}

model::MemberFacts read_member(const YamlNode* node, ArtifactKind kind, Findings& findings) {
  model::MemberFacts member;
  member.version.kind = kind;
  member.version.name = "given";
  member.version.number = 1;
  if (!node) return member;
  Section section(*node, "a version", findings,
                  {"name", "sensitivity", "metrics", "inputs", "git", "provenance", "ran_in", "deprecated", "labels"});
  section.text("name", member.version.name);
  read_label(section, "sensitivity", member.version.sensitivity);
  member.version.own_sensitivity = member.version.sensitivity;
  section.texts("ran_in", member.ran_in);
  section.text("deprecated", member.version.deprecated_reason);
  if (const auto* metrics = section.find("metrics")) read_metrics(*metrics, member.version.metrics, section.reader());
  if (const auto* labels = section.find("labels")) {
    for (const auto& [key, value] : labels->entries) member.labels[key.scalar] = value.scalar;
  }
  if (const auto* inputs = section.find("inputs")) {
    for (const auto& item : section.reader().sequence(*inputs, "inputs")) read_input(item, member, findings);
  }
  std::string git;
  section.word_text("git", {"clean", "dirty"}, git);
  const auto* provenance = section.find("provenance");
  if (provenance) read_provenance(*provenance, member, findings);
  if (provenance && git.empty()) git = "clean";
  if (!git.empty()) member.version.git = model::GitSource{std::string(40, '0'), "main", {}, git == "dirty"};
  return member;
}

void read_approval(const YamlNode& node, std::size_t number, PromotionFacts& facts, Findings& findings) {
  model::ApprovalFact approval{fmt::format("approver-{}", number), {}, true};
  if (node.is_scalar()) {
    approval.roles.push_back(node.scalar);
  } else {
    Section section(node, "an approval", findings, {"by", "roles"});
    section.text("by", approval.principal);
    section.texts("roles", approval.roles);
  }
  for (const auto& role : approval.roles) {
    if (model::role_from_word(role)) continue;
    findings.error(node.mark, "unknown_role", fmt::format("there is no role '{}'", printable(role)),
                   suggestion(role, model::role_words()));
  }
  if (approval.principal != facts.requested_by) facts.approvals.push_back(std::move(approval));
}

// A number, each by another approver; or a list of roles or of {by, roles}.
void read_approvals(const YamlNode& node, PromotionFacts& facts, Reader& reader) {
  if (node.is_sequence()) {
    std::size_t number = 0;
    for (const auto& item : node.items) read_approval(item, ++number, facts, reader.findings());
    return;
  }
  const auto count = reader.integer(node, "approvals", 0, kMostApprovals);
  for (std::int64_t i = 1; count && i <= *count; ++i) {
    facts.approvals.push_back({fmt::format("approver-{}", i), {std::string(to_word(model::Role::kApprover))}, true});
  }
}

// An environment by name alone asks for nothing of its own.
void read_target(const YamlNode& node, model::Environment& environment, Reader& reader) {
  environment.clearance = model::Sensitivity::kChild;
  environment.name = "given";
  if (node.is_scalar()) {
    environment.name = reader.text(node, "target").value_or(environment.name);
    return;
  }
  Section section(node, "target", reader.findings(),
                  {"name", "clearance", "region", "approvals", "roles", "after", "purpose", "transfer"});
  section.text("name", environment.name);
  section.text("region", environment.region);
  for (const auto* label : {"purpose", "transfer"}) {
    std::string value;
    section.text(label, value);
    if (!value.empty()) environment.labels[label] = value;
  }
  section.texts("roles", environment.approver_roles);
  section.texts("after", environment.after);
  read_label(section, "clearance", environment.clearance);
  std::optional<std::int64_t> approvals;
  section.integer("approvals", 0, kMostApprovals, approvals);
  environment.approvals_needed = approvals.value_or(0);
}

void read_members(const YamlNode* list, ArtifactKind kind, PromotionFacts& facts, Findings& findings) {
  if (!list) return;
  Reader reader(findings);
  for (const auto& item : reader.sequence(*list, "versions"))
    facts.members.push_back(read_member(&item, kind, findings));
}

}  // namespace

GivenFacts read_given(const YamlNode& given, ArtifactKind kind, Findings& findings) {
  GivenFacts read;
  auto& facts = read.facts;
  facts.requested_by = "requester";
  facts.environment.clearance = model::Sensitivity::kChild;
  facts.environment.name = "given";
  Section section(
      given, "given", findings,
      {"target", "requested_by", "reason", "rollback", "at", "approvals", "metrics", "models", "datasets", "current"});
  if (!section) return read;
  if (const auto* target = section.find("target")) read_target(*target, facts.environment, section.reader());
  section.text("requested_by", facts.requested_by);
  section.text("reason", facts.reason);
  if (const auto* rollback = section.find("rollback")) {
    facts.is_rollback = section.reader().flag(*rollback, "rollback").value_or(false);
  }
  if (const auto* at = section.find("at")) read.at = section.reader().date(*at, "at");
  if (const auto* approvals = section.find("approvals")) read_approvals(*approvals, facts, section.reader());
  read_members(section.find("models"), ArtifactKind::kModel, facts, findings);
  read_members(section.find("datasets"), ArtifactKind::kDataset, facts, findings);
  if (facts.members.empty()) facts.members.push_back(read_member(nullptr, kind, findings));
  if (const auto* metrics = section.find("metrics")) {
    read_metrics(*metrics, facts.members.front().version.metrics, section.reader());
  }
  if (const auto* current = section.find("current")) {
    facts.current_ref = "given@v0";
    read_metrics(*current, facts.current_metrics, section.reader());
  }
  return read;
}

TestResult result_of(const InlineTest& test, std::size_t number, const std::string& origin) {
  return {test.note.empty() ? fmt::format("test {}", number) : test.note, origin, test.mark.line, {}};
}

}  // namespace mlops::policy
