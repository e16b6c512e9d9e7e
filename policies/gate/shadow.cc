#include "policies/gate/shadow.h"

#include <algorithm>

#include "policies/gate/gate.h"

namespace mlops::gate {

std::vector<model::ShadowResult> evaluate_shadows(const std::vector<policy::Policy>& policies,
                                                  const std::vector<ShadowPolicy>& shadows,
                                                  const model::PromotionFacts& facts, model::Verdict decided) {
  std::vector<model::ShadowResult> results;
  for (const auto& shadow : shadows) {
    const auto beside = std::find_if(policies.begin(), policies.end(),
                                     [&](const policy::Policy& one) { return one.name() == shadow.beside; });
    if (beside == policies.end() || !beside->terms().enforcement.shadow.is_live(facts.decided_at_us)) continue;
    auto tried = policies;
    tried[static_cast<std::size_t>(beside - policies.begin())] = shadow.policy;
    model::ShadowResult result;
    result.policy = shadow.policy.name() + "@" + shadow.policy.version();
    result.digest = shadow.policy.digest().to_string();
    result.beside = shadow.beside;
    result.verdict = overall(evaluate(tried, facts));
    result.flips = result.verdict != decided;
    result.gates = evaluate_one(shadow.policy, facts);
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace mlops::gate
