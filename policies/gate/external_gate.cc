// What a server of the team's own said; silence, an error or another question is a no.
#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "policies/gate/evidence_gates.h"

namespace mlops::gate {

void judge_external(const GateHead& head, const policy::ExternalGate& gate, const model::PromotionFacts& facts,
                    Results& results) {
  const auto found = std::find_if(facts.external.begin(), facts.external.end(),
                                  [&](const model::ExternalFact& one) { return one.name == gate.name; });
  Json looked_at = {{"name", gate.name}, {"timeout_ms", gate.timeout_ms}};
  if (found == facts.external.end()) {
    results.push_back(refuse(head, fmt::format("evidence missing: {} was not asked", gate.name),
                             fmt::format("{} is asked and allows it: mlopsctl plan", gate.name), std::move(looked_at)));
    return;
  }
  looked_at["question"] = found->question_digest;
  const auto said = found->reason.empty() ? std::string() : ": " + printable(found->reason);
  if (!found->failed_because.empty()) {
    looked_at["failed_because"] = found->failed_because;
    results.push_back(refuse(
        head, fmt::format("evidence missing: {} gave no answer that counts: {}", gate.name, found->failed_because),
        fmt::format("{} answers in time, and allows it", gate.name), std::move(looked_at)));
    return;
  }
  looked_at["allowed"] = found->is_allowed;
  looked_at["reason"] = found->reason;
  if (found->is_allowed) {
    results.push_back(pass(head, fmt::format("{} allows it{}", gate.name, said), std::move(looked_at)));
    return;
  }
  results.push_back(refuse(head, fmt::format("{} denies it{}", gate.name, said), fmt::format("{} allows it", gate.name),
                           std::move(looked_at)));
}

}  // namespace mlops::gate
