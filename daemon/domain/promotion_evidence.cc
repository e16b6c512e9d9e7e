// Evidence from outside of the database: data that is read, servers that are asked. Never inside of the writer.
#include <fmt/format.h>

#include "core/wire/facts_json.h"
#include "daemon/domain/promotion.h"
#include "storage/meta/decisions.h"
#include "storage/meta/evidence.h"

namespace mlops::domain {
namespace {

std::vector<policy::Policy> policies_of(const Draft& draft) {
  std::vector<policy::Policy> policies;
  for (const auto& revision : draft.policies) policies.push_back(revision.policy);
  return policies;
}

// What servers said when the plan was decided last, so that who looks at it sees that.
Result<std::vector<model::ExternalFact>> earlier_answers(sql::Connection& connection, const std::string& plan_id) {
  const auto row = meta::decision_of_plan(connection, plan_id);
  if (!row && row.error().code == ErrorCode::kNotFound) return std::vector<model::ExternalFact>();
  if (!row) return fail(row.error());
  MLOPS_ASSIGN(const auto json, parse_json(row->facts));
  MLOPS_ASSIGN(auto facts, wire::facts_from_json(json));
  return std::move(facts.external);
}

// Leaves out what was measured before.
Result<EvidenceAsks> unmeasured(sql::Connection& connection, const EvidenceAsks& asks) {
  EvidenceAsks left;
  for (const auto& ask : asks.quality) {
    MLOPS_ASSIGN(const auto known, meta::find_profile(connection, ask.id));
    if (!known) left.quality.push_back(ask);
  }
  for (const auto& ask : asks.independence) {
    MLOPS_ASSIGN(const auto known, meta::find_profile(connection, ask.id));
    if (!known) left.independence.push_back(ask);
  }
  return left;
}

Status keep(meta::WriteTx& tx, const Measurements& measured) {
  for (const auto& [id, result] : measured.results) {
    tx.begin_entry("profile.record", measured.kinds.at(id) + " " + id);
    MLOPS_TRY(meta::insert_profile(
        tx, {id, measured.version_ids.at(id), measured.kinds.at(id), canonical_dump(result), tx.now_us()}));
  }
  return {};
}

std::string names_of(const std::vector<AskedDataset>& datasets) {
  std::string names;
  for (const auto& dataset : datasets) names += (names.empty() ? "" : ", ") + dataset.ref;
  return names;
}

// One line of what was measured, fresh or from before.
Result<Json> shown(sql::Connection& connection, const std::string& kind, const std::string& of, const std::string& id,
                   const Measurements& fresh) {
  Json item = {{"kind", kind}, {"of", of}};
  if (const auto failed = fresh.failed.find(id); failed != fresh.failed.end()) {
    item["failed"] = failed->second;
    return item;
  }
  MLOPS_ASSIGN(const auto row, meta::find_profile(connection, id));
  if (!row) {
    item["failed"] = "it was not measured";
    return item;
  }
  MLOPS_ASSIGN(item["result"], parse_json(row->result));
  return item;
}

}  // namespace

Status Promotion::add_evidence(sql::Connection& connection, const Wish& wish, Draft& made) {
  const auto policies = policies_of(made);
  std::vector<model::ExternalFact> earlier;
  if (!wish.prepared && !wish.plan_id.empty() && !external_asks(policies, made.facts).empty()) {
    MLOPS_ASSIGN(earlier, earlier_answers(connection, wish.plan_id));
  }
  MLOPS_ASSIGN(made.missing, collect_evidence(connection, policies, wish.prepared.get(), earlier, made.facts));
  return {};
}

Result<Measurements> Promotion::measure(const meta::Actor& actor, const EvidenceAsks& asks, Reach reach,
                                        meta::Commit commit) {
  Measurements measured;
  if (!measurer_) return measured;
  MLOPS_ASSIGN(const auto left,
               store_.read<EvidenceAsks>([&](sql::Connection& connection) { return unmeasured(connection, asks); }));
  MLOPS_TRY(measurer_->measure(left, reach, measured));
  if (measured.results.empty() || commit == meta::Commit::kDryRun) return measured;
  const auto kept = store_.write<bool>(actor, commit, [&](meta::WriteTx& tx) -> Result<bool> {
    MLOPS_TRY(keep(tx, measured));
    return true;
  });
  if (!kept) return fail(kept.error());
  return measured;
}

Result<std::shared_ptr<const Prepared>> Promotion::prepare(const meta::Actor& actor, const Draft& made,
                                                           meta::Commit commit) {
  auto prepared = std::make_shared<Prepared>();
  const auto policies = policies_of(made);
  MLOPS_ASSIGN(const auto asks, store_.read<EvidenceAsks>([&](sql::Connection& connection) {
    return evidence_asks(connection, policies, made.facts);
  }));
  MLOPS_ASSIGN(prepared->measurements, measure(actor, asks, Reach::kPlan, commit));
  const auto asked = external_asks(policies, made.facts);
  if (asked.empty() || !external_) return std::shared_ptr<const Prepared>(std::move(prepared));
  // The question holds what was measured, as the decision will.
  auto facts = made.facts;
  facts.external.clear();
  for (auto& member : facts.members) member.evidence = {};
  const auto collected = store_.read<bool>([&](sql::Connection& connection) -> Result<bool> {
    MLOPS_TRY(collect_evidence(connection, policies, prepared.get(), {}, facts).map([](Missing) {}));
    return true;
  });
  if (!collected) return fail(collected.error());
  for (const auto& [name, timeout_ms] : asked) prepared->answers.push_back(external_->ask(name, timeout_ms, facts));
  return std::shared_ptr<const Prepared>(std::move(prepared));
}

Result<Json> Promotion::profile(const meta::Actor& actor, const PlanRequest& request) {
  MLOPS_ASSIGN(const auto asks, store_.read<EvidenceAsks>([&](sql::Connection& connection) -> Result<EvidenceAsks> {
    MLOPS_ASSIGN(const auto wish, wish_of(connection, actor, request));
    MLOPS_ASSIGN(const auto made, draft(connection, wish));
    return evidence_asks(connection, policies_of(made), made.facts);
  }));
  MLOPS_ASSIGN(const auto measured, measure(actor, asks, Reach::kEverything, meta::Commit::kKeep));
  return store_.read<Json>([&](sql::Connection& connection) -> Result<Json> {
    Json items = Json::array();
    for (const auto& ask : asks.quality) {
      MLOPS_ASSIGN(auto item, shown(connection, "quality", ask.dataset.ref, ask.id, measured));
      items.push_back(std::move(item));
    }
    for (const auto& ask : asks.independence) {
      const auto of = fmt::format("{} and {}", names_of(ask.a), names_of(ask.b));
      MLOPS_ASSIGN(auto item, shown(connection, "independence", of, ask.id, measured));
      items.push_back(std::move(item));
    }
    return items;
  });
}

}  // namespace mlops::domain
