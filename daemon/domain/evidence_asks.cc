#include "daemon/domain/evidence_asks.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/base/json.h"
#include "core/crypto/digest.h"
#include "daemon/domain/subject_rows.h"
#include "storage/meta/erasures.h"
#include "storage/meta/versions.h"

namespace mlops::domain {
namespace {

std::string id_of(const Json& asked) {
  return crypto::sha256(canonical_dump(asked)).hex();
}

AskedDataset dataset_of(const model::Version& version, const std::string& role) {
  return {version.id, version.ref(), version.digest.to_string(), role, version.size_bytes, version.created_at_us, {}};
}

Result<std::vector<AskedDataset>> inputs_with_role(sql::Connection& connection, const model::MemberFacts& member,
                                                   const std::string& role) {
  std::vector<AskedDataset> found;
  for (const auto& input : member.inputs) {
    if (input.role != role) continue;
    MLOPS_ASSIGN(const auto version, meta::get_version(connection, input.version_id));
    found.push_back(dataset_of(version, role));
  }
  return found;
}

Status add_quality(sql::Connection& connection, const std::vector<const policy::QualityGate*>& gates,
                   const model::PromotionFacts& facts, std::size_t position, EvidenceAsks& asks) {
  const auto& member = facts.members[position];
  struct Wanted {
    std::map<std::string, policy::QualityMeasure> measures;  // by key
    std::set<std::string> typed;
  };
  std::map<std::string, Wanted> by_role;
  for (const auto* gate : gates) {
    auto& wanted = by_role[gate->role];
    for (const auto& measure : gate->measures()) wanted.measures.emplace(policy::measure_key(measure), measure);
    for (const auto& column : gate->typed_columns()) wanted.typed.insert(column);
  }
  for (const auto& [role, wanted] : by_role) {
    std::vector<AskedDataset> datasets;
    if (!role.empty()) {
      MLOPS_ASSIGN(datasets, inputs_with_role(connection, member, role));
    } else if (member.version.kind == model::ArtifactKind::kDataset) {
      datasets.push_back(dataset_of(member.version, role));
    }
    Json keys = Json::array();
    for (const auto& [key, measure] : wanted.measures) keys.push_back(key);
    for (auto& dataset : datasets) {
      QualityAsk ask;
      ask.id = id_of({{"kind", "quality"}, {"digest", dataset.digest}, {"measures", keys}, {"typed", wanted.typed}});
      ask.member = position;
      ask.dataset = std::move(dataset);
      for (const auto& [key, measure] : wanted.measures) ask.measures.push_back(measure);
      ask.typed.assign(wanted.typed.begin(), wanted.typed.end());
      asks.quality.push_back(std::move(ask));
    }
  }
  return {};
}

Status add_subjects(sql::Connection& connection, std::vector<AskedDataset>& datasets) {
  MLOPS_ASSIGN(const auto keys, meta::list_subject_keys(connection));
  for (auto& dataset : datasets) {
    MLOPS_ASSIGN(const auto version, meta::get_version(connection, dataset.version_id));
    for (const auto& key : keys) {
      if (key.artifact_id != version.artifact_id) continue;
      dataset.subjects.push_back({fold_subject_column(key.column), key.name_space});
    }
  }
  return {};
}

Json side_json(const std::vector<AskedDataset>& side) {
  Json json = Json::array();
  for (const auto& dataset : side) {
    Json columns = Json::array();
    for (const auto& subject : dataset.subjects) columns.push_back({subject.column, subject.name_space});
    json.push_back({{"digest", dataset.digest}, {"subjects", std::move(columns)}});
  }
  return json;
}

Status add_independence(sql::Connection& connection, const std::vector<const policy::IndependenceGate*>& gates,
                        const model::PromotionFacts& facts, std::size_t position, EvidenceAsks& asks) {
  std::set<std::pair<std::string, std::string>> pairs;
  for (const auto* gate : gates) {
    for (std::size_t i = 0; i < gate->roles.size(); ++i) {
      for (auto j = i + 1; j < gate->roles.size(); ++j) pairs.insert(std::minmax(gate->roles[i], gate->roles[j]));
    }
  }
  for (const auto& [role_a, role_b] : pairs) {
    IndependenceAsk ask;
    ask.member = position;
    ask.role_a = role_a;
    ask.role_b = role_b;
    MLOPS_ASSIGN(ask.a, inputs_with_role(connection, facts.members[position], role_a));
    MLOPS_ASSIGN(ask.b, inputs_with_role(connection, facts.members[position], role_b));
    if (ask.a.empty() || ask.b.empty()) continue;  // the gate says which
    MLOPS_TRY(add_subjects(connection, ask.a));
    MLOPS_TRY(add_subjects(connection, ask.b));
    ask.id = id_of({{"kind", "independence"}, {"a", side_json(ask.a)}, {"b", side_json(ask.b)}});
    asks.independence.push_back(std::move(ask));
  }
  return {};
}

}  // namespace

Result<EvidenceAsks> evidence_asks(sql::Connection& connection, const std::vector<policy::Policy>& policies,
                                   const model::PromotionFacts& facts) {
  EvidenceAsks asks;
  for (std::size_t i = 0; i < facts.members.size(); ++i) {
    const auto& member = facts.members[i];
    const auto quality = bodies_about<policy::QualityGate>(policies, member);
    if (!quality.empty()) MLOPS_TRY(add_quality(connection, quality, facts, i, asks));
    const auto independence = bodies_about<policy::IndependenceGate>(policies, member);
    if (!independence.empty()) MLOPS_TRY(add_independence(connection, independence, facts, i, asks));
  }
  return asks;
}

}  // namespace mlops::domain
