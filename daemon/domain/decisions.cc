#include "daemon/domain/decisions.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/wire/facts_json.h"
#include "policies/gate/gate.h"
#include "policies/gate/shadow.h"

namespace mlops::domain {
namespace {

constexpr JsonLimits kFactsLimits{.size_bytes = 64u << 20, .nodes = 1'000'000};

Failure bad_facts() {
  return fail(ErrorCode::kCorrupt, "bad_facts", "the stored facts of a decision cannot be read",
              "run `mlopsctl audit verify`");
}

struct Pinned {
  std::vector<model::PinnedPolicy> policies;
  std::vector<model::PinnedShadow> shadows;
};

Result<Pinned> pinned_of(const meta::DecisionRow& row) {
  MLOPS_ASSIGN(const auto json, parse_json(row.policies));
  Pinned pinned;
  try {
    for (const auto& one : json) {
      model::PinnedPolicy policy{one.at("revision_id"), one.at("name"), one.at("digest")};
      if (one.contains("shadow_of"))
        pinned.shadows.push_back({std::move(policy), one.at("shadow_of")});
      else
        pinned.policies.push_back(std::move(policy));
    }
  } catch (const Json::exception&) {
    return bad_facts();
  }
  return pinned;
}

Result<model::PromotionFacts> facts_of(const meta::DecisionRow& row) {
  MLOPS_ASSIGN(const auto json, parse_json(row.facts, kFactsLimits));
  return wire::facts_from_json(json);
}

wire::Decision decide(const Decisions::Policies& policies, const model::PromotionFacts& facts) {
  wire::Decision decision{policies.pinned, gate::evaluate(policies.deciding, facts), {}, {}};
  decision.verdict = gate::overall(decision.gates);
  decision.shadows = gate::evaluate_shadows(policies.deciding, policies.shadows, facts, decision.verdict);
  return decision;
}

// The candidate's own gates that do not pass.
std::vector<model::GateResult> denying(const policy::Policy& candidate, const model::PromotionFacts& facts) {
  std::vector<model::GateResult> gates;
  const auto ids = candidate.gate_ids();
  for (auto& gate : gate::evaluate({candidate}, facts)) {
    const bool own = std::find(ids.begin(), ids.end(), gate.id) != ids.end();
    if (own && gate.verdict != model::Verdict::kPass) gates.push_back(std::move(gate));
  }
  return gates;
}

Result<bool> runs_now(sql::Connection& connection, const meta::DecisionRow& row) {
  if (row.occasion != "promote" && row.occasion != "rollback") return false;
  MLOPS_ASSIGN(
      const auto running,
      meta::list_deployments(connection, {.environment = row.environment, .running_only = true, .limit = 10'000}));
  return std::any_of(running.begin(), running.end(),
                     [&](const meta::DeploymentRow& one) { return one.plan_id == row.plan_id; });
}

}  // namespace

meta::DecisionRow decision_row(const model::Plan& plan, const model::PromotionFacts& facts, std::string occasion) {
  meta::DecisionRow row;
  row.plan_id = plan.id;
  row.occasion = std::move(occasion);
  row.environment = plan.environment;
  row.target = plan.members.front().ref;
  row.verdict = to_word(plan.verdict);
  Json policies = Json::array();
  for (const auto& policy : plan.policies) {
    policies.push_back({{"revision_id", policy.revision_id}, {"name", policy.name}, {"digest", policy.digest}});
  }
  for (const auto& [policy, beside] : plan.shadow_pins) {
    policies.push_back(
        {{"revision_id", policy.revision_id}, {"name", policy.name}, {"digest", policy.digest}, {"shadow_of", beside}});
  }
  row.policies = canonical_dump(policies);
  row.facts = canonical_dump(wire::to_json(facts));
  row.facts_digest = crypto::sha256(row.facts).to_string();
  wire::Decision decision{plan.policies, plan.gates, plan.verdict, {}};
  // What could not be evaluated then is no part of the record: nobody could prove it.
  for (const auto& shadow : plan.shadows) {
    if (shadow.problem.empty()) decision.shadows.push_back(shadow);
  }
  row.record_digest = crypto::sha256(canonical_dump(wire::decision_record(facts, decision))).to_string();
  return row;
}

Result<model::Plan> Decisions::eval(const meta::Actor& actor, const PlanRequest& request, const Candidate& candidate) {
  MLOPS_ASSIGN(const auto policy, policy::load_policy(candidate.yaml, candidate.origin));
  return promotion_.plan_with(actor, request, policy);
}

Result<Decisions::Policies> Decisions::policies_of(sql::Connection& connection, const meta::DecisionRow& row) {
  MLOPS_ASSIGN(auto pinned, pinned_of(row));
  Policies policies;
  for (const auto& one : pinned.policies) {
    MLOPS_ASSIGN(auto revision, compliance_.policy_revision(connection, one.revision_id));
    policies.deciding.push_back(std::move(revision.policy));
  }
  for (const auto& one : pinned.shadows) {
    MLOPS_ASSIGN(auto revision, compliance_.policy_revision(connection, one.policy.revision_id));
    policies.shadows.push_back({std::move(revision.policy), one.beside});
  }
  policies.pinned = std::move(pinned.policies);
  return policies;
}

Result<Replay> Decisions::replay(const ReplayRequest& request) {
  MLOPS_ASSIGN(const auto candidate, policy::load_policy(request.candidate.yaml, request.candidate.origin));
  return store_.read<Replay>([&](sql::Connection& connection) -> Result<Replay> {
    Replay replay{candidate.name(), candidate.digest().to_string(), 0, 0, {}};
    MLOPS_TRY(meta::each_decision(connection, request.filter, [&](const meta::DecisionRow& row) -> Result<bool> {
      ++replay.decisions;
      MLOPS_ASSIGN(auto known, policies_of(connection, row));
      auto& policies = known.deciding;
      const auto namesake = std::find_if(policies.begin(), policies.end(),
                                         [&](const policy::Policy& one) { return one.name() == candidate.name(); });
      if (namesake != policies.end())
        *namesake = candidate;
      else if (request.reach == ReplayRequest::Reach::kEverywhere)
        policies.push_back(candidate);
      else
        return true;
      ++replay.governed;
      MLOPS_ASSIGN(const auto facts, facts_of(row));
      const auto after = gate::overall(gate::evaluate(policies, facts));
      if (to_word(after) == row.verdict) return true;
      Flip flip{row, after, denying(candidate, facts), false};
      flip.decision.facts.clear();
      MLOPS_ASSIGN(flip.runs_now, runs_now(connection, row));
      replay.flips.push_back(std::move(flip));
      return true;
    }));
    return replay;
  });
}

Result<DecisionProof> Decisions::verify(const meta::DecisionFilter& filter) {
  return store_.read<DecisionProof>([&](sql::Connection& connection) -> Result<DecisionProof> {
    DecisionProof proof;
    MLOPS_TRY(meta::each_decision(connection, filter, [&](const meta::DecisionRow& row) -> Result<bool> {
      ++proof.decisions;
      MLOPS_ASSIGN(const auto policies, policies_of(connection, row));
      MLOPS_ASSIGN(const auto facts, facts_of(row));
      const auto record = wire::decision_record(facts, decide(policies, facts));
      const bool same = crypto::sha256(row.facts).to_string() == row.facts_digest &&
                        crypto::sha256(canonical_dump(record)).to_string() == row.record_digest;
      if (!same) proof.differing.push_back(row.id);
      return true;
    }));
    return proof;
  });
}

Result<Json> Decisions::show(const std::string& plan_id) {
  return store_.read<Json>([&](sql::Connection& connection) -> Result<Json> {
    MLOPS_ASSIGN(const auto plan, meta::find_plan(connection, plan_id));
    MLOPS_ASSIGN(const auto row, meta::decision_of_plan(connection, plan.id));
    MLOPS_ASSIGN(const auto policies, policies_of(connection, row));
    MLOPS_ASSIGN(const auto facts, facts_of(row));
    auto record = wire::decision_record(facts, decide(policies, facts));
    const bool same = crypto::sha256(canonical_dump(record)).to_string() == row.record_digest;
    record["id"] = row.id;
    record["plan"] = row.plan_id;
    record["occasion"] = row.occasion;
    record["decided_at"] = format_rfc3339(row.decided_at_us);
    record["record_digest"] = row.record_digest;
    record["proved"] = same;
    record["facts"] = wire::to_json(facts);
    return record;
  });
}

}  // namespace mlops::domain
