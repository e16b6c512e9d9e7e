// The facts of a decision, and the record it leaves, as canonical JSON: what is hashed, stored and replayed. The same
// facts under the same policies give the same bytes. Pure functions.
#pragma once

#include "core/base/json.h"
#include "core/model/facts.h"
#include "core/model/plan.h"

namespace mlops::wire {

Json to_json(const model::PromotionFacts& facts);
// Errors: kCorrupt "bad_facts".
Result<model::PromotionFacts> facts_from_json(const Json& json);

struct Decision {
  std::vector<model::PinnedPolicy> policies;  // in the order of evaluation
  std::vector<model::GateResult> gates;
  model::Verdict verdict = model::Verdict::kFail;
  std::vector<model::ShadowResult> shadows;
};
// {"decision": "allow" | "wait" | "deny", "policies", "facts_digest", "target", "members", "gates", "would_pass_if"},
// and "shadow" where a policy stands in shadow.
Json decision_record(const model::PromotionFacts& facts, const Decision& decision);

}  // namespace mlops::wire
