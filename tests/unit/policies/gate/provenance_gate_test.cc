// Where code came from, as a gate: every verdict of one recorded commit.
#include <algorithm>

#include "policies/engine/policy.h"
#include "policies/gate/gate.h"
#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::gate;
using model::Verdict;

namespace {

const std::string kHead =
    "apiVersion: mlops/v1\nkind: PrivacyPolicy\nmetadata: {name: p, version: 1.0.0}\nspec:\n  select: {kinds: "
    "[model]}\n";

policy::Policy policy_of(const std::string& gate) {
  auto loaded = policy::load_policy(kHead + "  gates:\n    - {id: code, provenance: " + gate + "}\n", "p.yaml");
  if (!loaded) FAIL(loaded.error().message);
  return *loaded;
}

model::PromotionFacts facts_of(std::optional<model::GitSource> git, std::optional<model::ProvenanceFact> fact) {
  model::PromotionFacts facts;
  facts.environment.name = "prod";
  facts.environment.clearance = model::Sensitivity::kChild;
  model::MemberFacts member;
  member.version.kind = model::ArtifactKind::kModel;
  member.version.name = "m";
  member.version.number = 1;
  member.version.git = std::move(git);
  member.provenance = std::move(fact);
  facts.members = {member};
  return facts;
}

const model::GitSource kClean{std::string(40, 'a'), "main", "https://git.example.org/t/code", false};
const model::ProvenanceFact kOnMain{{"code"}, "found", {"main"}, 1};

model::GateResult result_of(const std::string& gate, const model::PromotionFacts& facts) {
  const auto results = evaluate({policy_of(gate)}, facts);
  const auto found = std::find_if(results.begin(), results.end(), [](const auto& one) { return one.id == "code"; });
  REQUIRE(found != results.end());
  CHECK(found->kind == "provenance");
  CHECK((found->verdict == Verdict::kPass) == found->would_pass_if.empty());
  return *found;
}

}  // namespace

TEST_CASE("a clean commit on an allowed branch of a configured repository passes") {
  CHECK(result_of("{}", facts_of(kClean, kOnMain)).verdict == Verdict::kPass);
  CHECK(result_of("{repositories: [code], branches: [main]}", facts_of(kClean, kOnMain)).verdict == Verdict::kPass);
  const model::ProvenanceFact on_release{{"other", "code"}, "found", {"release/2026/1"}, 1};
  CHECK(result_of("{repositories: [code], branches: [main, 'release/*']}", facts_of(kClean, on_release)).verdict ==
        Verdict::kPass);
  CHECK(result_of("{branches: ['rel*/1']}", facts_of(kClean, on_release)).verdict == Verdict::kPass);
}

TEST_CASE("what is missing fails and says what would pass") {
  const auto fails = [](const std::string& gate, const model::PromotionFacts& facts, const std::string& why) {
    const auto result = result_of(gate, facts);
    INFO(result.reason);
    CHECK(result.verdict == Verdict::kFail);
    CHECK(result.reason.find(why) != std::string::npos);
  };
  fails("{}", facts_of(std::nullopt, std::nullopt), "no git commit is recorded");
  fails("{}", facts_of(kClean, std::nullopt), "not looked up");
  fails("{}", facts_of(kClean, model::ProvenanceFact{{"code"}, "unknown", {}, 0}), "not looked up");
  fails("{}", facts_of(kClean, model::ProvenanceFact{{}, "found", {}, 1}), "which is not a configured repository");
  fails("{repositories: [other]}", facts_of(kClean, kOnMain), "which is not other");
  fails("{}", facts_of(kClean, model::ProvenanceFact{{"code"}, "missing", {}, 1}), "has no commit");
  fails("{}", facts_of(kClean, model::ProvenanceFact{{"code"}, "unreachable", {}, 1}), "could not be asked");
  fails("{branches: [release/*]}", facts_of(kClean, kOnMain), "is on main of code, not on release/*");
  fails("{branches: [main]}", facts_of(kClean, model::ProvenanceFact{{"code"}, "found", {}, 1}), "no branch");
  fails("{branches: [mai]}", facts_of(kClean, kOnMain), "not on mai");
  auto dirty = kClean;
  dirty.dirty = true;
  fails("{}", facts_of(dirty, kOnMain), "local changes");
  CHECK(result_of("{clean: false}", facts_of(dirty, kOnMain)).verdict == Verdict::kPass);
}

TEST_CASE("lint refuses lists that nothing passes") {
  for (const char* gate : {"{branches: []}", "{repositories: []}", "{tags: [v1]}"}) {
    INFO(gate);
    CHECK_FALSE(policy::load_policy(kHead + "  gates:\n    - {id: code, provenance: " + gate + "}\n", "p.yaml"));
  }
}
