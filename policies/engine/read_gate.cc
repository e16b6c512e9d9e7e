// Reading one gate of spec.gates, and the checks a gate needs nothing else for.
#include <fmt/format.h>

#include <array>
#include <limits>

#include "core/base/text.h"
#include "policies/engine/assert_gate.h"
#include "policies/engine/document.h"
#include "policies/engine/evidence_gate.h"
#include "policies/engine/reader.h"

namespace mlops::policy {
namespace {

constexpr double kHuge = std::numeric_limits<double>::max();
constexpr std::int64_t kMostApprovals = 20;

// Metrics that live between 0 and 1 whatever the model.
constexpr std::array<std::string_view, 14> kUnitMetrics{
    "auc",         "auroc",       "roc_auc", "auprc", "accuracy", "balanced_accuracy", "precision", "recall", "f1",
    "sensitivity", "specificity", "ppv",     "npv",   "brier"};

bool is_unit_metric(std::string_view name) {
  const auto lower = to_lower_ascii(name);
  for (const auto unit : kUnitMetrics) {
    if (lower == unit) return true;
  }
  return false;
}

std::optional<double> threshold(const YamlNode& node, std::string_view key, Reader& reader) {
  const auto* value = node.find(key);
  if (!value) return std::nullopt;
  return reader.number(*value, key, -kHuge, kHuge);
}

void check_metric(const YamlNode& node, const MetricGate& gate, Findings& findings) {
  const bool is_unit = is_unit_metric(gate.name);
  const auto impossible = [&](const std::string& message) { findings.error(node.mark, "gate_impossible", message); };
  const auto idle = [&](const std::string& message) { findings.error(node.mark, "gate_cannot_fail", message); };
  if (gate.min && gate.max && *gate.min > *gate.max) impossible("min is above max: nothing passes");
  if (is_unit && gate.min && *gate.min > 1) impossible(fmt::format("{} is never above 1: nothing passes", gate.name));
  if (is_unit && gate.max && *gate.max < 0) impossible(fmt::format("{} is never below 0: nothing passes", gate.name));
  if (is_unit && gate.min && *gate.min <= 0) idle(fmt::format("{} is never below 0: everything passes", gate.name));
  if (is_unit && gate.max && *gate.max >= 1) idle(fmt::format("{} is never above 1: everything passes", gate.name));
  if (!gate.not_below_current_by) return;
  if (*gate.not_below_current_by < 0) {
    findings.error(node.mark, "gate_impossible", "not_below_current_by must not be negative",
                   "it is how much worse than what runs now is still accepted");
  } else if (is_unit && *gate.not_below_current_by >= 1) {
    idle(fmt::format("{} cannot fall by 1 or more: everything passes", gate.name));
  }
}

void read_metric(const YamlNode& node, GateRule& gate, Reader& reader) {
  if (!reader.map(node, "metric", {"name", "min", "max", "not_below_current_by", "subgroups"})) return;
  MetricGate metric;
  const auto* name = node.find("name");
  if (!name) {
    reader.findings().error(node.mark, "missing_key", "metric needs `name`");
  } else {
    metric.name = reader.text(*name, "name").value_or("");
  }
  metric.min = threshold(node, "min", reader);
  metric.max = threshold(node, "max", reader);
  metric.not_below_current_by = threshold(node, "not_below_current_by", reader);
  const auto* subgroups = node.find("subgroups");
  if (subgroups) read_subgroups(*subgroups, is_unit_metric(metric.name), metric, reader);
  if (!node.find("min") && !node.find("max") && !node.find("not_below_current_by") && !subgroups) {
    reader.findings().error(node.mark, "gate_without_body", "metric needs a threshold",
                            "one of min, max, not_below_current_by, subgroups");
  }
  check_metric(node, metric, reader.findings());
  gate.body = std::move(metric);
}

void read_lineage(const YamlNode& node, GateRule& gate, Reader& reader) {
  if (!reader.map(node, "lineage", {"complete", "roles", "git"})) return;
  LineageGate lineage;
  if (const auto* complete = node.find("complete"))
    lineage.is_complete = reader.flag(*complete, "complete").value_or(true);
  if (const auto* roles = node.find("roles")) lineage.roles = reader.texts(*roles, "roles");
  if (const auto* git = node.find("git")) lineage.git_clean = reader.word(*git, "git", {"clean"}).has_value();
  const bool asks_nothing = !lineage.is_complete && lineage.roles.empty() && !node.find("git");
  if (asks_nothing) {
    reader.findings().error(node.mark, "gate_cannot_fail", "lineage asks for nothing: everything passes",
                            "lineage: {complete: true, roles: [train]}");
  }
  gate.body = std::move(lineage);
}

// Who asked for a change, and who made what it moves, never approve it; a policy may say so, but not otherwise.
void check_distinct(const YamlNode& node, Reader& reader) {
  for (const auto& who : reader.texts(node, "distinct_from")) {
    if (who == "author" || who == "submitter") continue;
    reader.findings().error(node.mark, "unknown_word", fmt::format("distinct_from knows no \"{}\"", printable(who)),
                            "author and submitter, who never count anyway");
  }
}

void read_approvals(const YamlNode& node, GateRule& gate, Reader& reader) {
  if (!reader.map(node, "approvals", {"count", "roles", "signed", "meaning", "max_age", "distinct_from"})) return;
  ApprovalsGate approvals;
  const auto* count = node.find("count");
  if (!count) {
    reader.findings().error(node.mark, "missing_key", "approvals needs `count`");
  } else if (const auto value = reader.integer(*count, "count", -1'000'000, 1'000'000)) {
    approvals.count = *value;
    if (*value < 1) reader.findings().error(count->mark, "gate_cannot_fail", "count below 1: everything passes");
    if (*value > kMostApprovals) {
      reader.findings().error(count->mark, "gate_impossible", fmt::format("count must be at most {}", kMostApprovals));
    }
  }
  if (const auto* roles = node.find("roles")) approvals.roles = reader.texts(*roles, "roles");
  if (const auto* is_signed = node.find("signed")) {
    approvals.are_signed = reader.flag(*is_signed, "signed").value_or(true);
  }
  if (const auto* meaning = node.find("meaning")) {
    approvals.need_meaning = reader.word(*meaning, "meaning", {"required", "optional"}).value_or(0) == 0;
  }
  if (const auto* age = node.find("max_age")) {
    constexpr std::int64_t kMicros = 1'000'000;
    if (const auto period = reader.period(*age, "max_age")) approvals.max_age_us = period->mean_seconds() * kMicros;
  }
  if (const auto* distinct = node.find("distinct_from")) check_distinct(*distinct, reader);
  gate.body = std::move(approvals);
}

void read_clearance(const YamlNode& node, GateRule& gate, Reader& reader) {
  if (!reader.map(node, "clearance", {"max"})) return;
  const auto* most = node.find("max");
  if (!most) {
    reader.findings().error(node.mark, "missing_key", "clearance needs `max`");
    return;
  }
  const auto label = reader.sensitivity(*most, "clearance.max");
  if (!label) return;
  if (*label == model::Sensitivity::kChild) {
    reader.findings().error(most->mark, "gate_cannot_fail", "child is the highest label: everything passes");
  }
  gate.body = ClearanceGate{*label};
}

void read_provenance(const YamlNode& node, GateRule& gate, Reader& reader) {
  if (!reader.map(node, "provenance", {"repositories", "branches", "clean"})) return;
  ProvenanceGate provenance;
  const auto names = [&](std::string_view key, std::vector<std::string>& into) {
    const auto* list = node.find(key);
    if (!list) return;
    into = reader.texts(*list, key);
    if (into.empty()) {
      reader.findings().error(list->mark, "gate_impossible", fmt::format("{} is empty: nothing passes", key),
                              "leave it out for any");
    }
  };
  names("repositories", provenance.repositories);
  names("branches", provenance.branches);
  if (const auto* clean = node.find("clean")) provenance.clean = reader.flag(*clean, "clean").value_or(true);
  gate.body = std::move(provenance);
}

struct BodyRow {
  std::string_view key;
  void (*read)(const YamlNode&, GateRule&, Reader&);
};

constexpr BodyRow kBodies[] = {{"metric", read_metric},
                               {"lineage", read_lineage},
                               {"approvals", read_approvals},
                               {"clearance", read_clearance},
                               {"assert", read_assert},
                               {"provenance", read_provenance},
                               {"independence", read_independence},
                               {"quality", read_quality},
                               {"residual", read_residual},
                               {"signatures", read_signatures},
                               {"external", read_external},
                               {"compat", read_compat}};

}  // namespace

GateRule read_gate(const YamlNode& node, Findings& findings) {
  GateRule gate;
  gate.origin = findings.origin();
  gate.mark = node.mark;
  Reader reader(findings);
  std::vector<std::string> keys{"id", "kinds", "description", "cite"};
  std::vector<std::string> bodies_known;
  for (const auto& row : kBodies) bodies_known.emplace_back(row.key);
  keys.insert(keys.end(), bodies_known.begin(), bodies_known.end());
  if (!reader.map(node, "a gate", keys)) return gate;
  if (const auto* id = node.find("id")) {
    gate.id = reader.text(*id, "id").value_or("");
  }
  if (gate.id.empty()) findings.error(node.mark, "missing_key", "a gate needs an `id`");
  if (const auto* cite = node.find("cite")) gate.cite = reader.text(*cite, "cite").value_or("");
  if (const auto* kinds = node.find("kinds")) {
    gate.kinds = reader.kinds(*kinds);
    if (kinds->items.empty()) findings.error(kinds->mark, "empty_select", "kinds is empty: the gate would never apply");
  }
  int bodies = 0;
  for (const auto& row : kBodies) {
    const auto* body = node.find(row.key);
    if (!body) continue;
    ++bodies;
    row.read(*body, gate, reader);
  }
  if (bodies == 0) {
    findings.error(node.mark, "gate_without_body", fmt::format("gate '{}' checks nothing", printable(gate.id)),
                   "one of " + join(bodies_known, ", "));
  }
  if (bodies > 1) {
    findings.error(node.mark, "gate_two_bodies", fmt::format("gate '{}' checks {} things", printable(gate.id), bodies),
                   "one gate, one check: split it");
  }
  return gate;
}

}  // namespace mlops::policy
