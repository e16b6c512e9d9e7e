// What the gates of a release's policies ask to be measured of its datasets: which bytes, and what of them. The id of a
// measurement is the SHA-256 of both, so that the same is measured once. Look-ups only. Errors: those of meta.
// Thread-safety: values and pure functions.
#pragma once

#include <string>
#include <vector>

#include "core/model/facts.h"
#include "daemon/domain/subject_index.h"
#include "policies/engine/gate_rule.h"
#include "policies/engine/policy.h"
#include "policies/engine/quality.h"
#include "storage/sql/connection.h"

namespace mlops::domain {

struct AskedDataset {
  std::string version_id;
  std::string ref;
  std::string digest;
  std::string role;  // of the input; empty: the member itself
  std::uint64_t size_bytes = 0;
  TimestampUs registered_at_us = 0;
  std::vector<SubjectColumn> subjects;  // declared columns of people's ids
};

struct QualityAsk {
  std::string id;
  std::size_t member = 0;  // position in the facts
  AskedDataset dataset;
  std::vector<policy::QualityMeasure> measures;
  std::vector<std::string> typed;  // columns whose types are wanted
};

struct IndependenceAsk {
  std::string id;
  std::size_t member = 0;
  std::string role_a;
  std::string role_b;
  std::vector<AskedDataset> a;
  std::vector<AskedDataset> b;
};

struct EvidenceAsks {
  std::vector<QualityAsk> quality;
  std::vector<IndependenceAsk> independence;
};

Result<EvidenceAsks> evidence_asks(sql::Connection& connection, const std::vector<policy::Policy>& policies,
                                   const model::PromotionFacts& facts);

// The bodies of one sort among the gates that speak about the member.
template <class Body>
std::vector<const Body*> bodies_about(const std::vector<policy::Policy>& policies, const model::MemberFacts& member) {
  std::vector<const Body*> found;
  for (const auto& policy : policies) {
    for (const auto& rule : policy::gate_rules(policy)) {
      const auto* body = std::get_if<Body>(&rule.body);
      if (body && policy::applies_to(policy, rule, member)) found.push_back(body);
    }
  }
  return found;
}

}  // namespace mlops::domain
