// Policies in shadow: evaluated on the same facts as the one they stand beside, with a verdict that decides nothing.
// Thread-safety: pure functions.
#pragma once

#include <string>
#include <vector>

#include "core/model/facts.h"
#include "policies/engine/policy.h"

namespace mlops::gate {

struct ShadowPolicy {
  policy::Policy policy;
  std::string beside;  // the name of one of the deciding policies
};

// What each would have said in the place of the one it stands beside; none where that one's shadow has ended. A shadow
// of a shadow is not looked at.
std::vector<model::ShadowResult> evaluate_shadows(const std::vector<policy::Policy>& policies,
                                                  const std::vector<ShadowPolicy>& shadows,
                                                  const model::PromotionFacts& facts, model::Verdict decided);

}  // namespace mlops::gate
