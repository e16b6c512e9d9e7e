#include "daemon/domain/external_gates.h"

#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::domain;

namespace {

model::PromotionFacts facts_with_people() {
  model::PromotionFacts facts;
  facts.environment.name = "prod";
  facts.environment.owners = {"Rita Reyes"};
  facts.environment.description = "of Rita Reyes";
  facts.requested_by = "rita";
  facts.reason = "because Rita Reyes says so";
  facts.decided_at_us = 1;
  facts.approvals = {{"rita", {"approver"}, true, "as Rita Reyes", "ed25519:1", 2}};
  facts.open_reviews = {{"d", "rita", 3}};
  facts.rejected = model::RejectedFact{"m release 1", "rita", "Rita Reyes", 4};
  model::MemberFacts member;
  member.version.name = "m";
  member.version.created_by = "rita";
  member.version.description = "of Rita Reyes";
  member.version.deprecated_reason = "of Rita Reyes";
  member.evidence.signatures = {{"rita", {"release"}, "ed25519:1", 5, ""}};
  facts.members = {member};
  facts.external = {{"opa", "sha256:0", true, "said Rita Reyes", ""}};
  return facts;
}

}  // namespace

TEST_CASE("a question has roles and digests, and nobody's name and no free text") {
  const auto text = canonical_dump(external_question(facts_with_people()));
  CHECK(text.find("rita") == std::string::npos);
  CHECK(text.find("Rita") == std::string::npos);
  CHECK(text.find("approver") != std::string::npos);
  CHECK(text.find("\"name\":\"m\"") != std::string::npos);
}

TEST_CASE("approvals and the time make no other question, what is moved does") {
  auto facts = facts_with_people();
  const auto digest = external_question_digest(facts);
  facts.approvals.clear();
  facts.decided_at_us = 99;
  facts.external.clear();
  CHECK(external_question_digest(facts) == digest);
  facts.members[0].version.metrics["auc"] = 0.9;
  CHECK(external_question_digest(facts) != digest);
}

TEST_CASE("answers are a plain allow, OPA's result, or the object in it") {
  CHECK(read_external_answer(R"({"allow":true,"reason":"ok"})")->reason == "ok");
  CHECK(read_external_answer(R"({"result":true})")->is_allowed);
  CHECK_FALSE(read_external_answer(R"({"result":false})")->is_allowed);
  CHECK_FALSE(read_external_answer(R"({"result":{"allow":false,"reason":"no"}})")->is_allowed);
  CHECK(read_external_answer(R"({"allow":true,"reason":"a\u001bb"})")->reason.find('\x1b') == std::string::npos);
}

TEST_CASE("whatever else comes is no answer") {
  for (const std::string text :
       {"", "true", "yes", "[]", "{}", R"({"allow":"true"})", R"({"allow":1})", R"({"result":{}})",
        R"({"result":null})", R"({"result":[true]})", R"({"allow":true,"allow":false})", R"({"allow":true)"}) {
    INFO(text);
    CHECK_FALSE(read_external_answer(text).has_value());
  }
}

TEST_CASE("an endpoint that nobody configured, or that is not there, is no answer") {
  const ExternalGates gates({{"gone", "http://127.0.0.1:9/", "", ""}});
  const auto unknown = gates.ask("opa", 100, facts_with_people());
  CHECK_FALSE(unknown.is_allowed);
  CHECK(unknown.failed_because.find("no such endpoint") != std::string::npos);
  const auto gone = gates.ask("gone", 100, facts_with_people());
  CHECK_FALSE(gone.is_allowed);
  CHECK_FALSE(gone.failed_because.empty());
}
