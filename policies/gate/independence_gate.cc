// Training and test data must not share people or files.
#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "policies/gate/evidence_gates.h"

namespace mlops::gate {
namespace {

const model::IndependenceFact* find_fact(const model::MemberFacts& member, const std::string& a, const std::string& b) {
  for (const auto& fact : member.evidence.independence) {
    if ((fact.role_a == a && fact.role_b == b) || (fact.role_a == b && fact.role_b == a)) return &fact;
  }
  return nullptr;
}

bool has_role(const model::MemberFacts& member, const std::string& role) {
  return std::any_of(member.inputs.begin(), member.inputs.end(),
                     [&](const model::VersionInput& input) { return input.role == role; });
}

model::GateResult judge_pair(const GateHead& head, const policy::IndependenceGate& gate,
                             const model::MemberFacts& member, const std::string& a, const std::string& b) {
  const auto ref = shown(member.version);
  Json facts = {{"member", member.version.ref()}, {"roles", {a, b}}, {"max_overlap", gate.max_overlap}};
  for (const auto& role : {a, b}) {
    if (has_role(member, role)) continue;
    return refuse(head, fmt::format("evidence missing: {} has no input with role {}", ref, role),
                  fmt::format("{} is registered with --input REF --role {}", ref, role), std::move(facts));
  }
  const auto* fact = find_fact(member, a, b);
  if (!fact) {
    return refuse(head, fmt::format("evidence missing: nobody compared the {} and {} data of {}", a, b, ref),
                  "the comparison is made: mlopsctl profile REF --to ENV", std::move(facts));
  }
  facts["shared_files"] = fact->shared_files;
  if (fact->shared_files > 0) {
    return refuse(head,
                  fmt::format("the {} and {} data of {} have {} file{} in common", a, b, ref, fact->shared_files,
                              fact->shared_files == 1 ? "" : "s"),
                  fmt::format("{} is trained and tested on different files", ref), std::move(facts));
  }
  if (!fact->unknown_because.empty()) {
    return refuse(head, "evidence missing: " + fact->unknown_because,
                  "the column of people's ids is declared: mlopsctl subject-key set", std::move(facts));
  }
  facts["shared_subjects"] = fact->shared_subjects;
  facts["subjects"] = {{a, fact->role_a == a ? fact->subjects_a : fact->subjects_b},
                       {b, fact->role_a == a ? fact->subjects_b : fact->subjects_a}};
  if (fact->shared_subjects > gate.max_overlap) {
    return refuse(head,
                  fmt::format("{} {} in the {} data of {} and in its {} data", fact->shared_subjects,
                              fact->shared_subjects == 1 ? "person is" : "people are", a, ref, b),
                  fmt::format("at most {} people are in both: {} is trained and tested on different people",
                              gate.max_overlap, ref),
                  std::move(facts));
  }
  return pass(head, fmt::format("the {} and {} data of {} have {} people in common", a, b, ref, fact->shared_subjects),
              std::move(facts));
}

}  // namespace

void judge_independence(const GateHead& head, const policy::IndependenceGate& gate, const Members& members,
                        Results& results) {
  for (const auto* member : members) {
    for (std::size_t i = 0; i < gate.roles.size(); ++i) {
      for (auto j = i + 1; j < gate.roles.size(); ++j) {
        results.push_back(judge_pair(head, gate, *member, gate.roles[i], gate.roles[j]));
      }
    }
  }
}

}  // namespace mlops::gate
