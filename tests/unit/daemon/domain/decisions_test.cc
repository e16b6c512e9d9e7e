#include "core/wire/facts_json.h"
#include "policies/gate/gate.h"
#include "tests/unit/catch.h"

using namespace mlops;
using model::PromotionFacts;

TEST_CASE("facts survive their JSON, so that a replay decides on the same ones, byte for byte") {
  PromotionFacts facts;
  facts.environment.name = "prod";
  facts.decided_at_us = 1888888888888888;
  facts.members.emplace_back();
  auto& member = facts.members.front();
  member.version.metrics = {{"auc", 0.91}};
  member.version.params = {{"seed", "7"}};
  member.version.git = model::GitSource{"c0ffee", "main", "origin", true};
  member.inputs = {{"id", "raw@v1", "sha256:0", "train"}};
  member.taint_path = {{"raw@v1", model::Sensitivity::kPersonal, "train"}};
  member.missing_blobs = {"sha256:1"};
  member.ran_in = {"staging"};
  member.open_erasures = {{"e1", "raw@v1", "pending", ""}};
  member.labels = {{"domain", "clinical"}};
  member.keys = {"research.2"};
  facts.approvals = {{"vera", {"approver"}, true}};
  facts.current_metrics = {{"auc", 0.9}};
  facts.current_ref = "patients@v0";
  const auto text = canonical_dump(wire::to_json(facts));
  const auto parsed = wire::facts_from_json(*parse_json(text));
  REQUIRE(parsed);
  CHECK(canonical_dump(wire::to_json(*parsed)) == text);
  CHECK(parsed->members.front().labels == member.labels);
  CHECK(parsed->members.front().keys == member.keys);
  // Facts of before labels and keys were among them keep their bytes.
  member.labels.clear();
  member.keys.clear();
  CHECK(canonical_dump(wire::to_json(facts)).find("labels\":{\"domain") == std::string::npos);
  CHECK_FALSE(wire::to_json(facts)["members"][0].contains("keys"));
  facts = *parsed;
  const auto policy = *policy::load_policy(
      "apiVersion: mlops/v1\nkind: PrivacyPolicy\nmetadata: {name: p, version: 1.0.0}\nspec:\n"
      "  gates: [{id: two-eyes, approvals: {count: 1}}]\n",
      "p.yaml");
  const auto record = [&](const PromotionFacts& from) {
    const auto gates = gate::evaluate({policy}, from);
    return canonical_dump(wire::decision_record(from, {{}, gates, gate::overall(gates), {}}));
  };
  CHECK(record(*parsed) == record(facts));
  CHECK(wire::facts_from_json(Json::object()).error().slug == "bad_facts");
}
