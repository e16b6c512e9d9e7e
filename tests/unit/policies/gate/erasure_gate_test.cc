// The gate of erasures: each state that stops a promotion says why and what would let it pass.
#include "policies/gate/erasure_gate.h"

#include "tests/unit/catch.h"

using namespace mlops;

namespace {

model::GateResult judged(std::vector<model::ErasureFact> open) {
  model::MemberFacts member;
  member.version.name = "readmission";
  member.version.number = 3;
  member.open_erasures = std::move(open);
  return gate::judge_erasure(member, {});
}

}  // namespace

TEST_CASE("nothing open passes") {
  const auto result = judged({});
  CHECK(result.verdict == model::Verdict::kPass);
  CHECK(result.id == "erasure");
  CHECK(result.would_pass_if.empty());
  CHECK(result.facts.at("open").empty());
}

TEST_CASE("every state denies, with a reason and a way out") {
  for (const std::string state : {"undecided", "retrained", "kept", "pending", "a state of a later version"}) {
    const auto result = judged({{"erasure-1", "readmission@v3", state, "readmission@v4"}});
    CHECK(result.verdict == model::Verdict::kFail);
    CHECK(result.reason.find("readmission@v3") != std::string::npos);
    CHECK_FALSE(result.would_pass_if.empty());
    CHECK(result.facts.at("open").at(0).at("erasure") == "erasure-1");
  }
}

TEST_CASE("the way out names what is to be done") {
  CHECK(judged({{"e", "m@v1", "undecided", ""}}).would_pass_if.find("erase decide m@v1 --retrained-as") !=
        std::string::npos);
  CHECK(judged({{"e", "m@v1", "retrained", "m@v2"}}).would_pass_if == "m@v2 is promoted instead");
  CHECK(judged({{"e", "m@v1", "kept", ""}}).would_pass_if.find("hold is released") != std::string::npos);
}

TEST_CASE("several are counted, the nearest is told") {
  const auto result = judged({{"e", "m@v1", "undecided", ""}, {"e", "d@v1", "kept", ""}, {"f", "d@v1", "kept", ""}});
  CHECK(result.reason.find("m@v1") != std::string::npos);
  CHECK(result.reason.find("2 more") != std::string::npos);
}
