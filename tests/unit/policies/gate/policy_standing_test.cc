#include <algorithm>

#include "policies/gate/gate.h"
#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::gate;
using model::ArtifactKind;
using model::GateResult;
using model::PromotionFacts;
using model::Verdict;

namespace {

TimestampUs at(const std::string& date) {
  return *parse_rfc3339(date);
}

PromotionFacts facts_at(const std::string& date) {
  PromotionFacts facts;
  facts.environment.name = "prod";
  facts.environment.clearance = model::Sensitivity::kChild;
  facts.requested_by = "rita";
  facts.decided_at_us = at(date);
  model::MemberFacts member;
  member.version.kind = ArtifactKind::kDataset;
  member.version.name = "patients";
  member.version.number = 1;
  member.version.created_at_us = at("2024-01-01");
  facts.members.push_back(member);
  return facts;
}

policy::Policy policy_of(const std::string& metadata, const std::string& spec) {
  auto loaded = policy::load_policy("apiVersion: mlops/v1\nkind: PrivacyPolicy\nmetadata: {name: p, version: 1.0.0" +
                                        metadata + "}\nspec:\n  select: {kinds: [dataset]}\n" + spec,
                                    "p.yaml");
  if (!loaded) FAIL(loaded.error().message);
  return *loaded;
}

std::vector<GateResult> of(const std::string& id, const policy::Policy& policy, const PromotionFacts& facts) {
  std::vector<GateResult> found;
  for (auto& result : evaluate({policy}, facts)) {
    if (result.id == id) found.push_back(std::move(result));
  }
  return found;
}

GateResult only(const std::string& id, const policy::Policy& policy, const PromotionFacts& facts) {
  const auto found = of(id, policy, facts);
  REQUIRE(found.size() == 1);
  return found.front();
}

const std::string kGate = "  gates: [{id: two-eyes, approvals: {count: 1}}]\n";

}  // namespace

TEST_CASE("a policy refuses until the day it is in force") {
  const auto policy = policy_of(", effective_from: 2026-12-01", kGate);
  CHECK(only("in-force", policy, facts_at("2026-11-30")).verdict == Verdict::kFail);
  CHECK(of("in-force", policy, facts_at("2026-12-01")).empty());
}

TEST_CASE("what a pack asks for before a promotion is missing evidence, and named with its clause") {
  const std::string columns = "  classification: {columns: {mrn: {class: mrn}}}\n";
  const auto without =
      only("evidence", policy_of(", extends: [pack/hipaa-safe-harbor]", columns), facts_at("2026-11-30"));
  CHECK(without.verdict == Verdict::kFail);
  CHECK(without.reason.find("attestations.no_actual_knowledge") != std::string::npos);
  CHECK(without.facts.dump().find("164.514(b)(2)(ii)") != std::string::npos);
  CHECK_FALSE(without.would_pass_if.empty());
  const auto attested = policy_of(", extends: [pack/hipaa-safe-harbor]",
                                  columns + "  attestations: {no_actual_knowledge: {ref: A-1, by: officer}}\n");
  CHECK(only("evidence", attested, facts_at("2026-11-30")).verdict == Verdict::kPass);
  CHECK(of("evidence", policy_of("", kGate), facts_at("2026-11-30")).empty());
}

TEST_CASE("a dataset is not promoted past the day until which it may be kept") {
  const auto policy = policy_of("", kGate + "  retention: {max: P2Y}\n");
  CHECK(only("retention", policy, facts_at("2025-12-31")).verdict == Verdict::kPass);
  const auto late = only("retention", policy, facts_at("2026-01-01"));
  CHECK(late.verdict == Verdict::kFail);
  CHECK(late.reason.find("2026-01-01") != std::string::npos);
}

TEST_CASE("an exception lets one gate pass for what it covers until its day, and says whose it is") {
  const auto with = [](const std::string& scope) {
    return policy_of("", kGate + "  exceptions: [{id: EX-1, gate: two-eyes, scope: \"" + scope +
                             "\", reason: pilot, approver: cto, expires: 2026-12-31}]\n");
  };
  const auto now = facts_at("2026-11-30");
  const auto excepted = only("two-eyes", with("dataset:patients"), now);
  CHECK(excepted.verdict == Verdict::kPass);
  CHECK(excepted.reason.find("EX-1") != std::string::npos);
  CHECK(excepted.facts["exception"]["approver"] == "cto");
  CHECK(only("two-eyes", with("dataset:others"), now).verdict == Verdict::kPending);
  CHECK(only("two-eyes", with("dataset:patients"), facts_at("2027-01-01")).verdict == Verdict::kPending);
}

TEST_CASE("an exception that covers one of two members covers neither") {
  const auto policy =
      policy_of("", kGate +
                        "  exceptions: [{id: EX-1, gate: two-eyes, scope: \"dataset:patients\", reason: "
                        "pilot, approver: cto, expires: 2026-12-31}]\n");
  auto facts = facts_at("2026-11-30");
  facts.members.push_back(facts.members.front());
  facts.members.back().version.name = "others";
  CHECK(only("two-eyes", policy, facts).verdict == Verdict::kPending);
}
