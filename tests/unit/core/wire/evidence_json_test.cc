#include "core/wire/evidence_json.h"

#include "core/wire/facts_json.h"
#include "tests/unit/catch.h"

using namespace mlops;

namespace {

model::PromotionFacts plain_facts() {
  model::PromotionFacts facts;
  facts.environment.name = "prod";
  model::MemberFacts member;
  member.version.name = "m";
  member.version.number = 1;
  facts.members = {member};
  return facts;
}

model::PromotionFacts facts_with_evidence() {
  auto facts = plain_facts();
  auto& evidence = facts.members[0].evidence;
  evidence.schemas.input = *model::parse_schema(
      *parse_json(R"([{"name":"t","type":"tensor","dtype":"float32","shape":[-1,3]}])"), model::SchemaSide::kInput);
  evidence.signatures = {{"rita", {"release"}, "ed25519:1", 1, "its key was revoked"}};
  evidence.independence = {{"test", "train", 1, 2, 3, 4, "x"}};
  evidence.residual = {{"a@v1", "train", "masking", 5}};
  model::ProfileFact profile;
  profile.ref = "a@v1";
  profile.role = "train";
  profile.counts["rowCount"] = {7, 8};
  profile.types = {{"age", {"integer"}}};
  profile.columns = 9;
  evidence.profiles = {profile};
  facts.external = {{"opa", "sha256:1", true, "fine", ""}};
  return facts;
}

}  // namespace

TEST_CASE("evidence comes back from the facts of a decision as it was") {
  const auto json = wire::to_json(facts_with_evidence());
  const auto back = wire::facts_from_json(json);
  REQUIRE(back.has_value());
  CHECK(canonical_dump(wire::to_json(*back)) == canonical_dump(json));
  const auto& evidence = back->members[0].evidence;
  CHECK(evidence.profiles[0].counts.at("rowCount").rows == 8);
  CHECK(evidence.profiles[0].columns == 9);
  CHECK(evidence.independence[0].shared_subjects == 2);
  CHECK(evidence.signatures[0].void_because == "its key was revoked");
  CHECK(model::type_text(evidence.schemas.input->front()) == "tensor(float32, [-1, 3])");
  CHECK(back->external[0].is_allowed);
}

TEST_CASE("facts without evidence keep the bytes they had before there was any") {
  const auto text = canonical_dump(wire::to_json(plain_facts()));
  CHECK(text.find("evidence") == std::string::npos);
  CHECK(text.find("external") == std::string::npos);
}

TEST_CASE("evidence of a wrong shape is no facts") {
  const auto good = wire::to_json(facts_with_evidence());
  for (const auto* key : {"schemas", "signatures", "independence", "profiles", "residual"}) {
    INFO(key);
    auto broken = good;
    broken["members"][0]["evidence"][key] = Json::array({Json{{"x", 1}}});
    CHECK_FALSE(wire::facts_from_json(broken).has_value());
  }
  auto broken = good;
  broken["external"][0].erase("name");
  CHECK_FALSE(wire::facts_from_json(broken).has_value());
}
