#include "daemon/domain/promotion_facts.h"

#include <algorithm>
#include <map>

#include "core/base/text.h"
#include "daemon/domain/external_gates.h"
#include "daemon/domain/signatures.h"
#include "policies/engine/quality_profile.h"
#include "storage/meta/evidence.h"
#include "storage/meta/lineage.h"
#include "storage/meta/versions.h"

namespace mlops::domain {
namespace {

using model::MemberFacts;
using model::PromotionFacts;
using Policies = std::vector<policy::Policy>;

constexpr std::string_view kItself = "dataset";

template <class Body>
bool is_asked(const Policies& policies, const MemberFacts& member) {
  return !bodies_about<Body>(policies, member).empty();
}

Status add_schemas(sql::Connection& connection, PromotionFacts& facts) {
  for (auto& member : facts.members) {
    MLOPS_ASSIGN(member.evidence.schemas, meta::schemas_of(connection, member.version.id));
  }
  return {};
}

Status add_signatures(sql::Connection& connection, TimestampUs now_us, MemberFacts& member) {
  MLOPS_ASSIGN(const auto signatures, shown_signatures(connection, member.version, now_us));
  for (const auto& one : signatures) {
    model::SignatureFact fact{one.row.principal_name, {}, one.row.key_id, one.row.created_at_us, one.void_because};
    for (const auto role : split(one.row.roles, ' ')) fact.roles.emplace_back(role);
    member.evidence.signatures.push_back(std::move(fact));
  }
  return {};
}

// A masking run's own scan, else the one at registration, else nothing.
Result<model::ResidualFact> residual_of(sql::Connection& connection, const std::string& version_id,
                                        const std::string& ref, const std::string& role) {
  model::ResidualFact fact{ref, role, {}, 0};
  MLOPS_ASSIGN(const auto runs, meta::masking_runs_of_output(connection, version_id));
  if (!runs.empty()) {
    MLOPS_ASSIGN(const auto evidence, parse_json(runs.front().evidence));
    const auto residual = evidence.find("residual");
    if (residual == evidence.end() || !residual->is_object() || !residual->contains("findings")) return fact;
    fact.source = "masking";
    fact.findings = residual->at("findings").get<std::int64_t>();
    return fact;
  }
  MLOPS_ASSIGN(const auto scan, meta::scan_of(connection, version_id));
  if (!scan) return fact;
  fact.source = "registration";
  fact.findings = scan->findings;
  return fact;
}

Status add_residual(sql::Connection& connection, const std::vector<const policy::ResidualGate*>& gates,
                    MemberFacts& member) {
  std::vector<std::string> of;
  for (const auto* gate : gates) of.insert(of.end(), gate->of.begin(), gate->of.end());
  const auto wants = [&](std::string_view word) { return std::find(of.begin(), of.end(), word) != of.end(); };
  if (member.version.kind == model::ArtifactKind::kDataset) {
    if (!wants(kItself)) return {};
    MLOPS_ASSIGN(auto fact, residual_of(connection, member.version.id, member.version.ref(), {}));
    member.evidence.residual.push_back(std::move(fact));
    return {};
  }
  for (const auto& input : member.inputs) {
    if (!wants(input.role)) continue;
    MLOPS_ASSIGN(auto fact, residual_of(connection, input.version_id, input.ref, input.role));
    member.evidence.residual.push_back(std::move(fact));
  }
  return {};
}

// A measurement's result: prepared for this request, or kept from an earlier one. Absent: `why` says why.
Result<std::optional<Json>> result_of(sql::Connection& connection, const std::string& id, const Prepared* prepared,
                                      std::string& why) {
  if (prepared) {
    const auto fresh = prepared->measurements.results.find(id);
    if (fresh != prepared->measurements.results.end()) return std::optional(fresh->second);
  }
  MLOPS_ASSIGN(const auto kept, meta::find_profile(connection, id));
  if (kept) {
    MLOPS_ASSIGN(auto result, parse_json(kept->result));
    return std::optional(std::move(result));
  }
  why = "it was not measured";
  if (prepared) {
    const auto failed = prepared->measurements.failed.find(id);
    if (failed != prepared->measurements.failed.end()) why = failed->second;
  }
  return std::optional<Json>();
}

Status add_quality(sql::Connection& connection, const QualityAsk& ask, const Prepared* prepared, PromotionFacts& facts,
                   Missing& missing) {
  model::ProfileFact fact;
  fact.ref = ask.dataset.ref;
  fact.digest = ask.dataset.digest;
  fact.role = ask.dataset.role;
  fact.registered_at_us = ask.dataset.registered_at_us;
  MLOPS_ASSIGN(const auto result, result_of(connection, ask.id, prepared, fact.missing_because));
  if (result) {
    MLOPS_ASSIGN(auto profile, policy::profile_from_json(*result));
    fact.counts = std::move(profile.counts);
    fact.types = std::move(profile.types);
    fact.columns = profile.columns;
  } else {
    missing = Missing::kEvidence;
  }
  facts.members[ask.member].evidence.profiles.push_back(std::move(fact));
  return {};
}

Status add_independence(sql::Connection& connection, const IndependenceAsk& ask, const Prepared* prepared,
                        PromotionFacts& facts, Missing& missing) {
  model::IndependenceFact fact;
  fact.role_a = ask.role_a;
  fact.role_b = ask.role_b;
  MLOPS_ASSIGN(const auto result, result_of(connection, ask.id, prepared, fact.unknown_because));
  if (result) {
    const auto count = [&](const char* key) { return result->value(key, std::int64_t{0}); };
    fact.shared_files = count("shared_files");
    fact.shared_subjects = count("shared_subjects");
    fact.subjects_a = count("subjects_a");
    fact.subjects_b = count("subjects_b");
    fact.unknown_because = result->value("unknown_because", std::string("the comparison cannot be read"));
  } else {
    missing = Missing::kEvidence;
  }
  facts.members[ask.member].evidence.independence.push_back(std::move(fact));
  return {};
}

// Only answers to this very question count.
void add_answers(const std::vector<std::pair<std::string, std::int64_t>>& asked, const Prepared* prepared,
                 const std::vector<model::ExternalFact>& earlier, PromotionFacts& facts, Missing& missing) {
  const auto digest = external_question_digest(facts);
  const auto& answers = prepared ? prepared->answers : earlier;
  std::vector<model::ExternalFact> found;
  for (const auto& [name, timeout_ms] : asked) {
    const auto answer = std::find_if(answers.begin(), answers.end(), [&, &name = name](const auto& one) {
      return one.name == name && one.question_digest == digest;
    });
    if (answer != answers.end()) found.push_back(*answer);
  }
  // A change is not made on what a server said earlier: it is asked again.
  if (!prepared) missing = Missing::kEvidence;
  facts.external = std::move(found);
}

}  // namespace

std::vector<std::pair<std::string, std::int64_t>> external_asks(const Policies& policies, const PromotionFacts& facts) {
  std::map<std::string, std::int64_t> asked;
  for (const auto& member : facts.members) {
    for (const auto* gate : bodies_about<policy::ExternalGate>(policies, member)) {
      const auto [at, is_new] = asked.emplace(gate->name, gate->timeout_ms);
      if (!is_new) at->second = std::min(at->second, gate->timeout_ms);
    }
  }
  return {asked.begin(), asked.end()};
}

Result<Missing> collect_evidence(sql::Connection& connection, const Policies& policies, const Prepared* prepared,
                                 const std::vector<model::ExternalFact>& earlier, PromotionFacts& facts) {
  auto missing = Missing::kNothing;
  const bool wants_schemas = std::any_of(facts.members.begin(), facts.members.end(), [&](const MemberFacts& member) {
    return is_asked<policy::CompatGate>(policies, member);
  });
  if (facts.members.size() > 1 || wants_schemas) MLOPS_TRY(add_schemas(connection, facts));
  for (auto& member : facts.members) {
    if (is_asked<policy::SignaturesGate>(policies, member)) {
      MLOPS_TRY(add_signatures(connection, facts.decided_at_us, member));
    }
    const auto residual = bodies_about<policy::ResidualGate>(policies, member);
    if (!residual.empty()) MLOPS_TRY(add_residual(connection, residual, member));
  }
  MLOPS_ASSIGN(const auto asks, evidence_asks(connection, policies, facts));
  for (const auto& ask : asks.quality) MLOPS_TRY(add_quality(connection, ask, prepared, facts, missing));
  for (const auto& ask : asks.independence) MLOPS_TRY(add_independence(connection, ask, prepared, facts, missing));
  const auto external = external_asks(policies, facts);
  if (!external.empty()) add_answers(external, prepared, earlier, facts, missing);
  return missing;
}

}  // namespace mlops::domain
