// What a scan found left in datasets: behind a masking run, or when the dataset was registered.
#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "policies/gate/evidence_gates.h"

namespace mlops::gate {
namespace {

constexpr std::string_view kItself = "dataset";

model::GateResult judge_one(const GateHead& head, const policy::ResidualGate& gate, const model::MemberFacts& member,
                            const model::ResidualFact& fact) {
  Json facts = {{"member", member.version.ref()},
                {"dataset", fact.ref},
                {"role", fact.role},
                {"source", fact.source},
                {"max_findings", gate.max_findings}};
  if (fact.source.empty()) {
    return refuse(
        head, fmt::format("evidence missing: nobody scanned {}", fact.ref),
        fmt::format("{} is masked by a policy, or registered while mlopsd scans (registration.scan)", fact.ref),
        std::move(facts));
  }
  facts["findings"] = fact.findings;
  const auto what = fact.source == "masking" ? "the scan behind the masking of" : "the scan at the registration of";
  const auto found =
      fmt::format("{} {} has {} finding{}", what, fact.ref, fact.findings, fact.findings == 1 ? "" : "s");
  if (fact.findings <= gate.max_findings) return pass(head, found, std::move(facts));
  return refuse(head, fmt::format("{}, more than {}", found, gate.max_findings),
                fmt::format("{} is masked so that a scan has at most {}", fact.ref, gate.max_findings),
                std::move(facts));
}

}  // namespace

void judge_residual(const GateHead& head, const policy::ResidualGate& gate, const Members& members, Results& results) {
  for (const auto* member : members) {
    for (const auto& of : gate.of) {
      const bool is_itself = of == kItself;
      if (is_itself && member->version.kind != model::ArtifactKind::kDataset) continue;
      // An input's role is a matter of what was made from it.
      if (!is_itself && member->version.kind == model::ArtifactKind::kDataset) continue;
      std::size_t found = 0;
      for (const auto& fact : member->evidence.residual) {
        if (fact.role != (is_itself ? "" : of)) continue;
        ++found;
        results.push_back(judge_one(head, gate, *member, fact));
      }
      if (found > 0) continue;
      const auto ref = shown(member->version);
      const auto gap =
          is_itself ? fmt::format("nobody scanned {}", ref) : fmt::format("{} has no input with role {}", ref, of);
      results.push_back(refuse(head, "evidence missing: " + gap,
                               is_itself ? "it is masked by a policy, or registered while mlopsd scans"
                                         : fmt::format("{} is registered with --input REF --role {}", ref, of),
                               {{"member", member->version.ref()}, {"of", of}}));
    }
  }
}

}  // namespace mlops::gate
