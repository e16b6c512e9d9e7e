#include "policies/gate/decision_trial.h"

#include <fmt/format.h>

#include <algorithm>

#include "policies/engine/findings.h"
#include "policies/gate/gate.h"

namespace mlops::gate {
namespace {

constexpr std::string_view kInForce = "in_force";

std::string word_of(model::Verdict verdict) {
  if (verdict == model::Verdict::kPass) return "allow";
  return verdict == model::Verdict::kPending ? "pending" : "deny";
}

bool is_expected(const std::string& expected, model::Verdict got) {
  if (expected == "deny") return got != model::Verdict::kPass;
  return expected == word_of(got);
}

struct Decision {
  model::Verdict verdict = model::Verdict::kPass;
  std::vector<std::string> because;  // gates that did not pass
  std::vector<std::string> reasons;
};

Decision decide(const policy::Policy& policy, const policy::GivenFacts& given) {
  const auto results = evaluate({policy}, given.facts);
  Decision decision;
  decision.verdict = overall(results);
  for (const auto& gate : results) {
    if (gate.verdict == model::Verdict::kPass) continue;
    decision.because.push_back(gate.id);
    decision.reasons.push_back(gate.id + ": " + gate.reason);
  }
  if (!given.at) return decision;
  for (const auto& reason : policy::not_in_force(policy, *given.at)) {
    decision.verdict = model::Verdict::kFail;
    decision.because.emplace_back(kInForce);
    decision.reasons.push_back(std::string(kInForce) + ": " + reason);
  }
  return decision;
}

}  // namespace

void try_decision(const policy::Policy& policy, const policy::InlineTest& test, policy::TestResult& result) {
  policy::Findings findings(result.file);
  const bool models = policy.selects(model::ArtifactKind::kModel);
  const auto given =
      policy::read_given(test.given, models ? model::ArtifactKind::kModel : model::ArtifactKind::kDataset, findings);
  const auto decision = decide(policy, given);
  const auto& expected = test.expect.scalar;
  const bool named = test.because.empty() || std::find(decision.because.begin(), decision.because.end(),
                                                       test.because) != decision.because.end();
  if (is_expected(expected, decision.verdict) && named) return;
  result.problems.push_back(fmt::format("expected {}{}, got {}", expected,
                                        test.because.empty() ? "" : " because of " + test.because,
                                        word_of(decision.verdict)));
  for (const auto& reason : decision.reasons) result.problems.push_back("  " + reason);
}

}  // namespace mlops::gate
