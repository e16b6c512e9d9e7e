#include "policies/engine/exception_scope.h"

#include <string>

#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::policy;

namespace {

Policy policy_with(const std::string& target, const std::string& scope) {
  const auto policy = load_policy(
      R"(apiVersion: mlops/v1
kind: PrivacyPolicy
metadata: {name: p, version: 1.0.0, extends: [pack/hipaa-safe-harbor]}
spec:
  classification: {columns: {mrn: {class: mrn}}}
  transforms:
    keys: {research: {purpose: pseudonymisation}}
    rules: [{match: {class: mrn}, apply: {)" +
          std::string(target == "class:mrn" ? "pseudonymize: {key: research}" : "tokenize: {vault: research}") + R"(}}]
  gates: [{id: two-eyes, approvals: {count: 1}}]
  exceptions: [{id: EX-1, gate: ")" +
          target + "\", scope: \"" + scope + "\", reason: linkage, approver: board, expires: 2099-12-31}]\n",
      "p.yaml");
  if (!policy) FAIL(policy.error().message);
  return *policy;
}

}  // namespace

TEST_CASE("exception scope: what loosens masking must cover the dataset that is masked") {
  const auto pilot = policy_with("class:mrn", "dataset:pilot");
  CHECK(check_exception_scope(pilot, "dataset:pilot", ""));
  CHECK(check_exception_scope(pilot, "dataset:pilot", "sha256:ab"));
  const auto refused = check_exception_scope(pilot, "dataset:patients", "");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kRefused);
  CHECK(refused.error().slug == "exception_out_of_scope");
  CHECK(parse_json(refused.error().detail).value()["exceptions"][0]["id"] == "EX-1");
  CHECK(check_exception_scope(policy_with("class:mrn", "*"), "dataset:patients", ""));
  CHECK(check_exception_scope(policy_with("class:mrn", "dataset:pat*"), "dataset:patients", ""));
}

TEST_CASE("exception scope: one version's exception is for that version") {
  const auto policy = policy_with("class:mrn", "dataset:pilot@sha256:ab");
  CHECK(check_exception_scope(policy, "dataset:pilot", "sha256:ab"));
  CHECK_FALSE(check_exception_scope(policy, "dataset:pilot", "sha256:cd"));
  CHECK_FALSE(check_exception_scope(policy, "dataset:pilot", ""));
}

TEST_CASE("exception scope: an exception about a gate is asked at the promotion, not here") {
  CHECK(check_exception_scope(policy_with("two-eyes", "dataset:pilot"), "dataset:patients", ""));
}
