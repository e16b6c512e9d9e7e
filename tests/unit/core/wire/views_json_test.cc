// The JSON of the native API: a plan survives storage, views have the documented members.
#include "core/wire/views_json.h"

#include "core/crypto/digest.h"
#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::model;

namespace {

Plan example() {
  Plan plan;
  plan.id = "0190";
  plan.digest = "sha256:d";
  plan.environment = "prod";
  plan.environment_digest = "sha256:e";
  plan.members = {{"id-1", "m@v1", ArtifactKind::kModel, "m", "sha256:1", Sensitivity::kPersonal}};
  plan.policies = {{"rev-1", "gates", "sha256:p"}};
  plan.masking = PlannedMasking{{"rev-2", "deid", "sha256:q"}, "id-2", "d@v1", "d-deid"};
  plan.running_ref = "m@v0";
  plan.running_deployment_id = "dep-1";
  plan.reason = "because";
  plan.requested_by = "dora";
  plan.verdict = Verdict::kPending;
  plan.gates = {{"approvals", "approvals", Verdict::kPending, "environment prod", "0 of 1", "one more", {{"have", 0}}}};
  plan.approvals = {{"rita", "approve", "fine", 1'000'000, {}, {}, {}, {}, {}}};
  plan.approvals_needed = 1;
  return plan;
}

}  // namespace

TEST_CASE("a plan's stored body gives the plan back") {
  const auto plan = example();
  const auto back = wire::plan_from_body(wire::plan_body(plan));
  REQUIRE(back);
  CHECK(wire::plan_body(*back) == wire::plan_body(plan));
  CHECK(back->members.front().sensitivity == Sensitivity::kPersonal);
  CHECK(back->masking->output_name == "d-deid");
  CHECK(back->verdict == Verdict::kPending);
  // Approvals live in their own rows: a body cannot smuggle one in.
  CHECK(back->approvals.empty());
  auto plain = plan;
  plain.masking.reset();
  CHECK_FALSE(wire::plan_from_body(wire::plan_body(plain))->masking);
}

TEST_CASE("a stored plan with a missing or strange member is corrupt") {
  const auto whole = wire::plan_body(example());
  for (const auto& [key, value] : whole.items()) {
    // Plans of before they had an end lack these.
    if (key == "release" || key == "facts_digest" || key == "expires_at_us" || key == "shadow") continue;
    INFO(key);
    auto body = whole;
    body.erase(key);
    const auto back = wire::plan_from_body(body);
    REQUIRE_FALSE(back);
    CHECK(back.error().slug == "bad_plan");
    CHECK(back.error().code == ErrorCode::kCorrupt);
  }
  auto body = wire::plan_body(example());
  body["verdict"] = "maybe";
  CHECK(wire::plan_from_body(body).error().slug == "bad_plan");
  body = wire::plan_body(example());
  body["members"][0]["kind"] = "prompt";
  CHECK(wire::plan_from_body(body).error().slug == "bad_plan");
}

// views_json.h promises kCorrupt "bad_plan"; a gate without its reason comes back as kInvalid "missing_field".
TEST_CASE("a stored plan with a broken gate is corrupt too", "") {
  auto body = wire::plan_body(example());
  body["gates"][0].erase("reason");
  CHECK(wire::plan_from_body(body).error().code == ErrorCode::kCorrupt);
}

TEST_CASE("a plan is shown with its gates and approvals, without internal ids") {
  const auto json = wire::to_json(example());
  CHECK(json.at("verdict") == "pending");
  CHECK(json.at("release").at("members")[0].at("ref") == "m@v1");
  CHECK(json.at("approvals")[0].at("by") == "rita");
  CHECK(json.at("approvals")[0].at("at") == "1970-01-01T00:00:01.000000Z");
  CHECK(json.at("masking").at("output") == "d-deid");
  CHECK(json.dump().find("rev-1") == std::string::npos);
  // What its digest covers is shown as it is hashed, so that whoever signs it can hash it again.
  CHECK(crypto::sha256(canonical_dump(json.at("pins"))).to_string() == plan_digest(example()));
}

TEST_CASE("a version shows absent things as null and only asked-for files") {
  VersionView view;
  view.version.id = "id";
  view.version.name = "a/b";
  view.version.number = 3;
  view.version.kind = ArtifactKind::kDataset;
  view.version.sensitivity = Sensitivity::kChild;
  auto json = wire::to_json(view);
  CHECK(json.at("ref") == "a/b@v3");
  CHECK(json.at("kind") == "dataset");
  CHECK(json.at("sensitivity") == "child");
  CHECK(json.at("deleted").is_null());
  CHECK(json.at("deprecated").is_null());
  CHECK_FALSE(json.contains("files"));
  view.version.deleted_at_us = 1'000'000;
  view.version.deleted_reason = "wrong";
  view.files = std::vector<FileEntry>{{"a", {}, 5}};
  view.files_truncated = true;
  json = wire::to_json(view);
  CHECK(json.at("deleted").at("reason") == "wrong");
  CHECK(json.at("files")[0].at("size_bytes") == 5);
  CHECK(json.at("files_truncated") == true);
}

TEST_CASE("a promotion says how to undo it, by number; an unchanged one has nothing to undo") {
  PromotionView view;
  view.plan = example();
  view.deployment = DeploymentView{};
  view.deployment->environment = "prod";
  view.deployment->name = "m";
  view.deployment->members = {{"m@v2", "sha256:2"}};
  CHECK(wire::to_json(view).at("undo").is_null());
  CHECK(wire::to_json(view).at("deployment").at("ended_at").is_null());
  view.replaced_ref = "m@v1";
  auto json = wire::to_json(view);
  CHECK(json.at("undo").get<std::string>().find("rollback m --env prod --to v1") != std::string::npos);
  CHECK_FALSE(json.contains("unchanged"));
  view.unchanged = true;
  json = wire::to_json(view);
  CHECK(json.at("undo").is_null());
  CHECK(json.at("unchanged") == true);
}

TEST_CASE("the facts of a masking cannot be overwritten by its evidence") {
  MaskingView view;
  view.id = "run";
  view.source_ref = "d@v1";
  view.output_ref = "d-deid@v1";
  view.evidence = {{"rows", 3}, {"source", "forged@v9"}};
  const auto json = wire::to_json(view);
  CHECK(json.at("rows") == 3);
  CHECK(json.at("source") == "d@v1");
}

TEST_CASE("lineage and differences keep their members") {
  LineageView lineage{"version:1", "up", {{"version:1", "model", "m", "m@v1", "none", 0}}, {{"a", "b", "train"}}};
  const auto json = wire::to_json(lineage);
  CHECK(json.at("nodes")[0].at("ref") == "m@v1");
  CHECK_FALSE(json.at("nodes")[0].contains("at"));
  CHECK(json.at("edges")[0].at("role") == "train");
  DiffView diff;
  diff.changed = {{"a", 1, 2}};
  diff.metadata = {{"params.lr", 0.1, nullptr}};
  const auto shown = wire::to_json(diff);
  CHECK(shown.at("files").at("changed")[0].at("b_size_bytes") == 2);
  CHECK(shown.at("metadata")[0].at("b").is_null());
}
