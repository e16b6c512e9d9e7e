// Facts of a decision as they are stored.
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
  member.version.git = model::GitSource{std::string(40, 'a'), "main", "https://git.example.org/t/code", false};
  facts.members = {member};
  return facts;
}

}  // namespace

TEST_CASE("where a commit stands is kept, and left out when nothing is known") {
  const auto plain = wire::to_json(plain_facts());
  CHECK_FALSE(plain.at("members").at(0).contains("provenance"));
  CHECK_FALSE(plain.contains("environment_source"));
  CHECK_FALSE(plain.at("environment").contains("gitops"));

  auto facts = plain_facts();
  facts.members[0].provenance = model::ProvenanceFact{{"code"}, "found", {"main"}, 7};
  facts.environment_source = "gates.git@0123:environments.yaml";
  facts.environment.gitops = model::GitOps{"clusters", "prod", "manifest"};
  const auto json = wire::to_json(facts);
  const auto again = wire::facts_from_json(json);
  REQUIRE(again);
  CHECK(wire::to_json(*again) == json);
  CHECK(again->members[0].provenance->branches == std::vector<std::string>{"main"});
  CHECK(again->members[0].provenance->seen_at_us == 7);
  CHECK(again->environment_source == "gates.git@0123:environments.yaml");
  CHECK(again->environment.gitops->repository == "clusters");
}
