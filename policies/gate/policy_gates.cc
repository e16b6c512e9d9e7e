#include "policies/gate/policy_gates.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/text.h"
#include "policies/gate/assert_facts.h"
#include "policies/gate/evidence_gates.h"
#include "policies/gate/provenance_gate.h"
#include "policies/gate/verdicts.h"

namespace mlops::gate {
namespace {

using model::GateResult;
using model::MemberFacts;
using model::PromotionFacts;
using Members = std::vector<const MemberFacts*>;

// A metric that misses its threshold only by the last bits of a double has not missed it.
constexpr double kRounding = 1e-12;

// The word of each body, in the order of GateRule::body.
constexpr std::string_view kKindWords[] = {"",           "metric",     "lineage",      "approvals", "clearance",
                                           "assert",     "provenance", "independence", "quality",   "residual",
                                           "signatures", "external",   "compat"};

GateHead head_of(const policy::GateRule& rule) {
  return {rule.id, std::string(kKindWords[rule.body.index()]), rule.where()};
}

GateResult no_metric(const GateHead& head, const std::string& ref, const std::string& metric, Json facts) {
  return refuse(head, fmt::format("evidence missing: {} has no metric '{}'", ref, metric),
                fmt::format("{} is registered with --metric {}=…", ref, metric), std::move(facts));
}

std::optional<double> metric_of(const std::map<std::string, double>& metrics, const std::string& name) {
  const auto found = metrics.find(name);
  if (found == metrics.end() || !std::isfinite(found->second)) return std::nullopt;
  return found->second;
}

std::optional<GateResult> judge_floor(const GateHead& head, const policy::MetricGate& gate, const MemberFacts& member) {
  if (!gate.min && !gate.max) return std::nullopt;
  Json facts = {{"member", member.version.ref()}, {"metric", gate.name}};
  if (gate.min) facts["min"] = *gate.min;
  if (gate.max) facts["max"] = *gate.max;
  const auto value = metric_of(member.version.metrics, gate.name);
  if (!value) return no_metric(head, shown(member.version), gate.name, std::move(facts));
  facts["value"] = *value;
  const auto who = fmt::format("{} of {} is {}", gate.name, shown(member.version), *value);
  if (gate.min && *value < *gate.min - kRounding) {
    return refuse(head, fmt::format("{}, below {}", who, *gate.min),
                  fmt::format("{} is at least {}", gate.name, *gate.min), std::move(facts));
  }
  if (gate.max && *value > *gate.max + kRounding) {
    return refuse(head, fmt::format("{}, above {}", who, *gate.max),
                  fmt::format("{} is at most {}", gate.name, *gate.max), std::move(facts));
  }
  return pass(head, who + ", within its limits", std::move(facts));
}

GateResult judge_regression(const GateHead& head, const policy::MetricGate& gate, const MemberFacts& member,
                            const PromotionFacts& facts) {
  const double slack = *gate.not_below_current_by;
  Json looked_at = {{"member", member.version.ref()},
                    {"metric", gate.name},
                    {"not_below_current_by", slack},
                    {"current", facts.current_ref.empty() ? Json() : Json(facts.current_ref)}};
  if (facts.is_rollback) {
    return pass(head, "not applicable to a rollback, which goes back to what ran before", std::move(looked_at));
  }
  if (facts.current_ref.empty()) {
    return pass(head,
                fmt::format("nothing runs in {} yet, so there is nothing to compare with", facts.environment.name),
                std::move(looked_at));
  }
  const auto value = metric_of(member.version.metrics, gate.name);
  if (!value) return no_metric(head, shown(member.version), gate.name, std::move(looked_at));
  const auto current = metric_of(facts.current_metrics, gate.name);
  if (!current) return no_metric(head, facts.current_ref + ", which runs now,", gate.name, std::move(looked_at));
  looked_at["value"] = *value;
  looked_at["current_value"] = *current;
  const auto comparison = fmt::format("{} of {} is {}, of {} now running {}", gate.name, shown(member.version), *value,
                                      facts.current_ref, *current);
  if (*value >= *current - slack - kRounding) return pass(head, comparison, std::move(looked_at));
  return refuse(head, fmt::format("{}: worse by more than {}", comparison, slack),
                fmt::format("{} is at least {}", gate.name, fmt::format("{:.6g}", *current - slack)),
                std::move(looked_at));
}

void judge_metric(const policy::GateRule& rule, const policy::MetricGate& gate, const Members& members,
                  const PromotionFacts& facts, std::vector<GateResult>& results) {
  const auto head = head_of(rule);
  for (const auto* member : members) {
    if (auto result = judge_floor(head, gate, *member)) results.push_back(std::move(*result));
  }
  // What runs now is known for the release's namesake only.
  if (gate.not_below_current_by) results.push_back(judge_regression(head, gate, *members.front(), facts));
  judge_subgroups(head, gate, members, facts, results);
}

// What is missing from a member's recorded origin; empty: nothing.
std::vector<std::string> lineage_gaps(const policy::LineageGate& gate, const MemberFacts& member) {
  std::vector<std::string> gaps;
  if (gate.is_complete && member.inputs.empty()) gaps.push_back("no inputs are recorded");
  std::size_t unknown = 0;
  for (const auto& input : member.inputs) unknown += input.version_id.empty() || input.digest.empty();
  if (gate.is_complete && unknown > 0)
    gaps.push_back(fmt::format("{} of its inputs are not registered versions", unknown));
  for (const auto& role : gate.roles) {
    const bool found = std::any_of(member.inputs.begin(), member.inputs.end(),
                                   [&](const model::VersionInput& input) { return input.role == role; });
    if (!found) gaps.push_back(fmt::format("no input has role {}", role));
  }
  if (gate.git_clean && !member.version.git) gaps.push_back("no git commit is recorded");
  if (gate.git_clean && member.version.git && member.version.git->dirty)
    gaps.push_back("its git tree had local changes");
  return gaps;
}

void judge_lineage(const policy::GateRule& rule, const policy::LineageGate& gate, const Members& members,
                   std::vector<GateResult>& results) {
  const auto head = head_of(rule);
  for (const auto* member : members) {
    Json inputs = Json::array();
    for (const auto& input : member->inputs) inputs.push_back({{"ref", input.ref}, {"role", input.role}});
    Json looked_at = {{"member", member->version.ref()}, {"inputs", std::move(inputs)}, {"required_roles", gate.roles}};
    if (gate.git_clean) {
      const auto& git = member->version.git;
      looked_at["git"] = git ? Json{{"commit", git->commit}, {"dirty", git->dirty}} : Json();
    }
    const auto gaps = lineage_gaps(gate, *member);
    if (gaps.empty()) {
      results.push_back(
          pass(head, fmt::format("the lineage of {} is complete", shown(member->version)), std::move(looked_at)));
      continue;
    }
    std::vector<std::string> options;
    for (const auto& role : gate.roles) options.push_back("--input REF --role " + role);
    if (gate.is_complete && options.empty()) options.push_back("--input REF --role ROLE");
    if (gate.git_clean) options.push_back("--git DIR of a clean tree");
    results.push_back(refuse(head, fmt::format("evidence missing: {}: {}", shown(member->version), join(gaps, ", ")),
                             fmt::format("{} is registered with {}", shown(member->version), join(options, " and ")),
                             std::move(looked_at)));
  }
}

Json leaves_json(const std::vector<cel::Leaf>& leaves) {
  Json json = Json::object();
  for (const auto& leaf : leaves) json[leaf.source] = leaf.value;
  return json;
}

// What a failed condition lacks: evidence that nobody recorded, or a value that is not there to be asked.
bool is_missing_evidence(const cel::FailedCondition& condition) {
  constexpr std::string_view kMissing[] = {"evidence_missing", "cel_no_such_key", "cel_undeclared"};
  return std::find(std::begin(kMissing), std::end(kMissing), condition.error_slug) != std::end(kMissing);
}

GateResult judge_assertion(const GateHead& head, const policy::AssertGate& gate, const MemberFacts& member,
                           const PromotionFacts& facts) {
  const auto bindings = assert_bindings(facts, member);
  const auto& program = gate.program;
  const auto value = program.evaluate(bindings);
  const auto* truth = value ? value->get<bool>() : nullptr;
  Json looked_at = {{"member", member.version.ref()},
                    {"assert", program.source()},
                    {"values", leaves_json(program.leaves(bindings))}};
  if (truth && *truth)
    return pass(head, fmt::format("the assertion holds for {}", shown(member.version)), std::move(looked_at));
  std::vector<std::string> why;
  std::vector<std::string> needed;
  bool is_missing = false;
  Json failed = Json::array();
  for (const auto& condition : program.explain(bindings)) {
    why.push_back(condition.text());
    needed.push_back(condition.source);
    is_missing = is_missing || is_missing_evidence(condition);
    failed.push_back({{"condition", condition.source},
                      {"error", condition.error_slug.empty() ? Json() : Json(condition.error_slug)},
                      {"values", leaves_json(condition.leaves)}});
  }
  looked_at["failed"] = std::move(failed);
  // An answer that is no truth value, or an evaluation that gave up, has no condition to name.
  if (why.empty()) why.push_back(value ? "it gives " + cel::to_text(*value) : value.error().message);
  if (needed.empty()) needed.push_back(program.source());
  looked_at["reason"] = is_missing ? "evidence_missing" : value ? "false" : "no_answer";
  return refuse(head,
                fmt::format("{}{}: {}", is_missing ? "evidence missing: " : "", shown(member.version), join(why, "; ")),
                join(needed, " and "), std::move(looked_at));
}

void judge_on_evidence(const policy::GateRule& rule, const Members& members, const PromotionFacts& facts,
                       std::vector<GateResult>& results) {
  const auto head = head_of(rule);
  if (const auto* independence = std::get_if<policy::IndependenceGate>(&rule.body)) {
    judge_independence(head, *independence, members, results);
  } else if (const auto* quality = std::get_if<policy::QualityGate>(&rule.body)) {
    judge_quality(head, *quality, members, facts, results);
  } else if (const auto* residual = std::get_if<policy::ResidualGate>(&rule.body)) {
    judge_residual(head, *residual, members, results);
  } else if (const auto* signatures = std::get_if<policy::SignaturesGate>(&rule.body)) {
    judge_signatures(head, *signatures, members, results);
  } else if (const auto* external = std::get_if<policy::ExternalGate>(&rule.body)) {
    judge_external(head, *external, facts, results);
  } else if (std::holds_alternative<policy::CompatGate>(rule.body)) {
    judge_compat(head, CompatMode::kRequired, facts, results);
  }
}

void judge(const policy::GateRule& rule, const Members& members, const PromotionFacts& facts,
           std::vector<GateResult>& results) {
  const auto head = head_of(rule);
  if (const auto* metric = std::get_if<policy::MetricGate>(&rule.body)) {
    judge_metric(rule, *metric, members, facts, results);
  } else if (const auto* lineage = std::get_if<policy::LineageGate>(&rule.body)) {
    judge_lineage(rule, *lineage, members, results);
  } else if (const auto* approvals = std::get_if<policy::ApprovalsGate>(&rule.body)) {
    ApprovalTerms terms{approvals->count, approvals->roles, approvals->are_signed, approvals->need_meaning,
                        approvals->max_age_us};
    results.push_back(judge_approvals(head, facts, terms));
  } else if (const auto* assertion = std::get_if<policy::AssertGate>(&rule.body)) {
    for (const auto* member : members) results.push_back(judge_assertion(head, *assertion, *member, facts));
  } else if (const auto* provenance = std::get_if<policy::ProvenanceGate>(&rule.body)) {
    for (const auto* member : members) results.push_back(judge_provenance(head, *provenance, *member));
  } else if (const auto* clearance = std::get_if<policy::ClearanceGate>(&rule.body)) {
    for (const auto* member : members) {
      results.push_back(
          judge_clearance(head, *member, clearance->max, fmt::format("gate '{}'", rule.id), facts.environment.name));
    }
  } else {
    judge_on_evidence(rule, members, facts, results);
  }
}

}  // namespace

void evaluate_policy(const policy::Policy& policy, const PromotionFacts& facts, std::vector<GateResult>& results) {
  for (const auto& rule : policy::gate_rules(policy)) {
    Members members;
    for (const auto& member : facts.members) {
      if (policy::applies_to(policy, rule, member)) members.push_back(&member);
    }
    if (!members.empty()) judge(rule, members, facts, results);
  }
}

}  // namespace mlops::gate
