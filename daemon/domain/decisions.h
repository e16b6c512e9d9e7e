// Decisions of the past and of a policy that is not applied yet: shown again, proved again, or run under other rules.
//
// replay() evaluates a candidate policy on the stored facts of every plan, promotion, rollback and refusal that its
// namesake took part in, and tells which verdicts flip; verify() evaluates the very policies of then and compares
// bytes. Masking itself is not run again: only gates are. Reads only. Errors: kInvalid "policy_invalid"; kNotFound;
// kCorrupt "bad_facts". Thread-safety: thread-safe.
#pragma once

#include <string>
#include <vector>

#include "daemon/domain/promotion.h"
#include "policies/gate/shadow.h"
#include "storage/meta/decisions.h"

namespace mlops::domain {

struct Candidate {
  std::string yaml;
  std::string origin;
};

struct Flip {
  meta::DecisionRow decision;  // without its facts
  model::Verdict after = model::Verdict::kFail;
  std::vector<model::GateResult> gates;  // those of the candidate that do not pass; empty when it lets more through
  bool runs_now = false;                 // the release of a promotion that is live
};

struct Replay {
  std::string policy;
  std::string digest;
  std::uint64_t decisions = 0;  // looked at
  std::uint64_t governed = 0;   // the policy took part in, or was asked to
  std::vector<Flip> flips;      // oldest first
};

struct ReplayRequest {
  Candidate candidate;
  meta::DecisionFilter filter;
  enum class Reach { kGoverned, kEverywhere } reach = Reach::kGoverned;  // kEverywhere: also where it was not listed
};

struct DecisionProof {
  std::uint64_t decisions = 0;
  std::vector<std::string> differing;  // ids of decisions whose record comes out otherwise now
};

class Decisions {
 public:
  Decisions(meta::Store& store, Compliance& compliance, Promotion& promotion)
      : store_(store), compliance_(compliance), promotion_(promotion) {}

  // What a plan would say if the candidate were applied and the environment listed it. Nothing is written.
  Result<model::Plan> eval(const meta::Actor& actor, const PlanRequest& request, const Candidate& candidate);
  Result<Replay> replay(const ReplayRequest& request);
  Result<DecisionProof> verify(const meta::DecisionFilter& filter);
  // The record of a plan's newest decision, with the facts it stands on.
  Result<Json> show(const std::string& plan_id);

  // Those a decision was made under, as they were applied.
  struct Policies {
    std::vector<policy::Policy> deciding;
    std::vector<model::PinnedPolicy> pinned;  // as `deciding`
    std::vector<gate::ShadowPolicy> shadows;
  };

 private:
  Result<Policies> policies_of(sql::Connection& connection, const meta::DecisionRow& row);

  meta::Store& store_;
  Compliance& compliance_;
  Promotion& promotion_;
};

// The row that keeps a decision. REQUIRES: `plan` was drafted on `facts`.
meta::DecisionRow decision_row(const model::Plan& plan, const model::PromotionFacts& facts, std::string occasion);

}  // namespace mlops::domain
