// What an erasure's digest pins, and whose approvals count.
#include "core/model/erasure.h"

#include "tests/unit/catch.h"

using namespace mlops;
using model::ErasureAction;
using model::ErasureApproval;

namespace {

model::ErasurePlan plan_of_two() {
  model::ErasurePlan plan;
  plan.subject = {{"subject", "aa"}};
  model::ErasureStep raw;
  raw.version_id = "v1";
  raw.ref = "dataset:raw@v1";
  raw.digest = "sha256:01";
  raw.action = ErasureAction::kRewrite;
  raw.rows = 2;
  model::ErasureStep fitted;
  fitted.version_id = "v2";
  fitted.ref = "model:fitted@v1";
  fitted.digest = "sha256:02";
  plan.steps = {raw, fitted};
  return plan;
}

template <class Change>
std::string changed(const Change& change) {
  auto plan = plan_of_two();
  change(plan);
  return model::erasure_digest(plan);
}

}  // namespace

TEST_CASE("the digest pins what is done to which bytes, and nothing else") {
  const auto digest = model::erasure_digest(plan_of_two());
  CHECK(digest.starts_with("sha256:"));
  CHECK(changed([](auto& p) { p.steps[0].rows = 3; }) != digest);
  CHECK(changed([](auto& p) { p.steps[0].action = ErasureAction::kShred; }) != digest);
  CHECK(changed([](auto& p) { p.steps[0].digest = "sha256:03"; }) != digest);
  CHECK(changed([](auto& p) { p.steps[0].holds = {"2026-17"}; }) != digest);
  CHECK(changed([](auto& p) { p.steps.pop_back(); }) != digest);
  CHECK(changed([](auto& p) { p.subject[0].hex = "ab"; }) != digest);
  CHECK(changed([](auto& p) { p.subject[0].name_space = "mrn"; }) != digest);
  CHECK(changed([](auto& p) { std::swap(p.steps[0], p.steps[1]); }) == digest);
  CHECK(changed([](auto& p) { p.steps[0].environments = {"prod"}; }) == digest);
  CHECK(changed([](auto& p) { p.notes = {"a note"}; }) == digest);
}

TEST_CASE("approvals count once a person, not the requester's, the executor's, a service's or of another plan") {
  const std::vector<ErasureApproval> approvals{
      {"ann", "ann", true, "approve", "", 0, "d"}, {"ann", "ann", true, "approve", "", 0, "d"},
      {"bob", "bob", true, "approve", "", 0, "d"}, {"bot", "bot", false, "approve", "", 0, "d"},
      {"eve", "eve", true, "reject", "", 0, "d"},  {"joe", "joe", true, "approve", "", 0, "other"},
      {"req", "req", true, "approve", "", 0, "d"}};
  CHECK(model::counted_approvals(approvals, "d", "req", "") == 2);
  CHECK(model::counted_approvals(approvals, "d", "req", "bob") == 1);
  CHECK(model::counted_approvals(approvals, "d", "ann", "bob") == 1);
  CHECK(model::counted_approvals({}, "d", "req", "") == 0);
}

TEST_CASE("actions are words both ways") {
  for (const auto action : {ErasureAction::kRewrite, ErasureAction::kRemask, ErasureAction::kShred,
                            ErasureAction::kDecide, ErasureAction::kKeep}) {
    CHECK(model::erasure_action_from_word(to_word(action)) == action);
  }
  CHECK_FALSE(model::erasure_action_from_word("forget"));
}
