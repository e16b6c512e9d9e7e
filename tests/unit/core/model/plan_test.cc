// What an approval signs, and that a verdict survives being stored.
#include "core/model/plan.h"

#include <functional>

#include "core/model/principal.h"
#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::model;

namespace {

Plan example() {
  Plan plan;
  plan.id = "0190";
  plan.environment = "prod";
  plan.environment_digest = "sha256:e";
  plan.members = {{"id-1", "m@v1", ArtifactKind::kModel, "m", "sha256:1", Sensitivity::kNone},
                  {"id-2", "d@v1", ArtifactKind::kDataset, "d", "sha256:2", Sensitivity::kNone}};
  plan.policies = {{"rev-1", "gates", "sha256:p"}};
  plan.masking = PlannedMasking{{"rev-2", "deid", "sha256:q"}, "id-2", "d@v1", "d-deid"};
  plan.running_deployment_id = "dep-1";
  plan.requested_by = "dora";
  plan.requested_by_id = "dora-id";
  return plan;
}

using Change = std::function<void(Plan&)>;

std::string digest_after(const Change& change) {
  auto plan = example();
  change(plan);
  return plan_digest(plan);
}

}  // namespace

TEST_CASE("every pin changes the digest of a plan") {
  const auto base = plan_digest(example());
  CHECK(base.starts_with("sha256:"));
  const Change pins[] = {
      [](Plan& p) { p.kind = "rollback"; },
      [](Plan& p) { p.environment = "staging"; },
      [](Plan& p) { p.environment_digest = "sha256:f"; },
      [](Plan& p) { p.members[0].version_id = "id-9"; },
      [](Plan& p) { p.members[1].digest = "sha256:9"; },
      [](Plan& p) { std::swap(p.members[0], p.members[1]); },
      [](Plan& p) { p.members.pop_back(); },
      [](Plan& p) { p.policies[0].digest = "sha256:x"; },
      [](Plan& p) { p.policies[0].name = "other"; },
      [](Plan& p) { p.policies.clear(); },
      [](Plan& p) { p.masking->policy.digest = "sha256:y"; },
      [](Plan& p) { p.masking.reset(); },
      [](Plan& p) { p.running_deployment_id = "dep-2"; },
      [](Plan& p) { p.running_deployment_id.clear(); },
      [](Plan& p) { p.requested_by_id = "omar-id"; },
  };
  std::size_t i = 0;
  for (const auto& pin : pins) {
    INFO("pin " << i++);
    CHECK(digest_after(pin) != base);
  }
}

TEST_CASE("verdicts, approvals and the plan's own life do not change its digest") {
  const auto base = plan_digest(example());
  const Change others[] = {
      [](Plan& p) { p.id = "0191"; },
      [](Plan& p) { p.state = "executed"; },
      [](Plan& p) { p.verdict = Verdict::kPass; },
      [](Plan& p) { p.gates.push_back({}); },
      [](Plan& p) {
        p.approvals.push_back({"rita", "approve", "", 1});
      },
      [](Plan& p) { p.requested_at_us = 5; },
      [](Plan& p) { p.approvals_needed = 3; },
  };
  for (const auto& other : others) CHECK(digest_after(other) == base);
}

TEST_CASE("a gate result comes back as it was stored") {
  for (const auto verdict : {Verdict::kPass, Verdict::kPending, Verdict::kFail}) {
    const GateResult result{"auc-floor",   "metric", verdict, "gates.yaml:12", "auc is 0.7", "auc is at least 0.75",
                            {{"auc", 0.7}}};
    const auto back = gate_result_from_json(to_json(result));
    REQUIRE(back);
    CHECK(back->id == result.id);
    CHECK(back->kind == result.kind);
    CHECK(back->verdict == verdict);
    CHECK(back->rule == result.rule);
    CHECK(back->reason == result.reason);
    CHECK(back->would_pass_if == result.would_pass_if);
    CHECK(back->facts == result.facts);
  }
  CHECK(to_json(GateResult{}).at("facts").is_object());
  auto json = to_json(GateResult{});
  json["verdict"] = "maybe";
  CHECK(gate_result_from_json(json).error().code == ErrorCode::kCorrupt);
}

TEST_CASE("a role has the scopes of its row and no others") {
  CHECK(role_words().size() == 7);
  for (const auto& word : role_words()) {
    const auto role = role_from_word(word);
    REQUIRE(role);
    CHECK(to_word(*role) == word);
    Principal principal;
    principal.scopes = scopes_of(*role);
    CHECK(principal.has(Scope::kSelf));
    // Only an admin may do everything; who plans does not approve.
    CHECK(principal.has(Scope::kTokenAdmin) == (word == "admin"));
    CHECK(principal.has(Scope::kReleaseApprove) == (word == "admin" || word == "approver"));
    CHECK(principal.has(Scope::kReleasePromote) == (word == "admin" || word == "release" || word == "oncall"));
    CHECK(principal.has(Scope::kReleaseBreakGlass) == (word == "oncall"));
    CHECK(principal.has(Scope::kArtifactDelete) == (word == "admin"));
  }
  CHECK_FALSE(role_from_word("root"));
  CHECK_FALSE(scope_from_word("release:*"));
  CHECK(sensitivity_from_word("child") > sensitivity_from_word("special_category"));
  CHECK_FALSE(sensitivity_from_word("None"));
}
