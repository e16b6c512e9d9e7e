// Quorum with signatures, expiry, break-glass and its review, what was rolled back from, requests sent twice.
#include "core/crypto/sign.h"
#include "tests/unit/daemon/domain/domain_fixture.h"

using namespace mlops;
using namespace mlops::domain;
using namespace mlops::test;
using Decision = ApprovalRequest::Decision;

namespace {

const std::string kDev = "  - {name: dev, clearance: child}\n";
const std::string kProd =
    "  - {name: prod, clearance: none, protection: {approvals: 2, approver_roles: [approver], plan_valid_hours: 48}}\n";
const std::string kSigned =
    "  - {name: signed, clearance: none, protection: {approvals: 1, signed: true, review_within_hours: 2}}\n";
constexpr std::int64_t kHourUs = 3'600'000'000;

struct Fixture : DomainFixture {
  Fixture() { environments(kDev + kProd + kSigned); }
  meta::Actor vera() { return person("vera", model::Role::kApprover); }
  meta::Actor oncall() { return person("ona", model::Role::kOnCall); }

  model::Plan plan(const std::string& ref, const std::string& environment) {
    clock.advance_us(1'000'000);
    auto made = promotion.plan(dora(), {{ref}, environment, "because"});
    if (!made) FAIL(made.error().message);
    return *made;
  }
  Result<model::Plan> say(const meta::Actor& who, const std::string& plan_id, Decision decision = Decision::kApprove) {
    return promotion.decide(who, {plan_id, decision, "looked at it"}, Commit::kKeep);
  }
  Result<model::PromotionView> execute(const std::string& plan_id) {
    clock.advance_us(1'000'000);
    return promotion.promote_plan(dora(), plan_id, Commit::kKeep);
  }
  // A registered key of that person.
  crypto::SigningKey add_key(const meta::Actor& who, const NewSigningKey& more = {}) {
    auto key = *crypto::make_signing_key();
    auto wanted = more;
    wanted.public_key = *crypto::public_key_of(key);
    wanted.possession =
        *crypto::sign(key, model::key_statement(who.principal.name, *crypto::key_id_of(wanted.public_key)));
    const auto added = signing_keys.add(who, wanted, Commit::kKeep);
    if (!added) FAIL(added.error().message);
    return key;
  }
  ApprovalRequest signed_request(const model::Plan& plan, const std::string& by, const crypto::SigningKey& key) {
    model::ApprovalStatement statement{plan.id, plan.digest, plan.kind, plan.environment, {},
                                       {},      "approve",   "safe",    "fine",           by};
    for (const auto& member : plan.members) statement.members.push_back(member.ref + " " + member.digest);
    statement.expires_at = format_rfc3339(plan.expires_at_us);
    return {plan.id,
            Decision::kApprove,
            "fine",
            "safe",
            *crypto::key_id_of(*crypto::public_key_of(key)),
            *crypto::sign(key, model::statement_text(statement))};
  }
};

}  // namespace

TEST_CASE("two people approve; the author, the requester and a service do not count") {
  Fixture f;
  f.model_version("m", "1");
  const auto plan = f.plan("m@v1", "prod");
  CHECK(f.say(f.dora(), plan.id).error().slug == "own_plan");
  CHECK(f.say(f.person("bot", model::Role::kApprover, false), plan.id).error().slug == "not_a_person");
  CHECK(f.say(f.omar(), plan.id)->verdict == model::Verdict::kPending);
  CHECK(f.execute(plan.id).error().slug == "approvals_pending");
  CHECK(f.say(f.vera(), plan.id)->verdict == model::Verdict::kPass);
  REQUIRE(f.execute(plan.id));
  f.verified();
}

TEST_CASE("who registered what is moved cannot approve it, and may reject it") {
  Fixture f;
  f.model_version("m", "1");  // by dora
  const auto asked = f.promotion.plan(f.person("rita", model::Role::kRelease), {{"m@v1"}, "prod", "because"});
  REQUIRE(asked);
  auto dora_approving = f.dora();
  dora_approving.principal.scopes.push_back(model::Scope::kReleaseApprove);
  CHECK(f.say(dora_approving, asked->id).error().slug == "author");
  CHECK(f.say(dora_approving, asked->id, Decision::kReject)->state == "rejected");
}

TEST_CASE("a withdrawn approval, and one whose author lost the right, do not count") {
  Fixture f;
  f.model_version("m", "1");
  const auto plan = f.plan("m@v1", "prod");
  REQUIRE(f.say(f.omar(), plan.id));
  REQUIRE(f.say(f.vera(), plan.id));
  CHECK(f.say(f.person("nora", model::Role::kApprover), plan.id, Decision::kWithdraw).error().slug ==
        "nothing_to_withdraw");
  CHECK(f.say(f.vera(), plan.id, Decision::kWithdraw)->verdict == model::Verdict::kPending);
  REQUIRE(f.say(f.vera(), plan.id));
  REQUIRE(f.identity->revoke_token(domain::daemon_actor(), f.vera().principal.token_id));
  const auto shown = f.promotion.get_plan(plan.id);
  CHECK(shown->verdict == model::Verdict::kPending);
  CHECK(shown->approvals.back().void_because == "may not approve any more");
  CHECK(f.execute(plan.id).error().slug == "approvals_pending");
  f.verified();
}

TEST_CASE("where approvals are signed, only a signature of a live key over this very plan counts") {
  Fixture f;
  f.model_version("m", "1");
  const auto plan = f.plan("m@v1", "signed");
  CHECK(f.say(f.vera(), plan.id)->verdict == model::Verdict::kPending);  // not signed: taken, not counted
  const auto key = f.add_key(f.omar());
  CHECK(f.say(f.omar(), plan.id).error().slug == "signature_needed");
  auto request = f.signed_request(plan, "omar", key);
  auto other = request;
  other.meaning = "unsafe";
  CHECK(f.promotion.decide(f.omar(), other, Commit::kKeep).error().slug == "bad_signature");
  CHECK(f.promotion.decide(f.vera(), request, Commit::kKeep).error().slug == "bad_signature");
  CHECK(f.promotion.decide(f.omar(), request, Commit::kKeep)->verdict == model::Verdict::kPass);
  REQUIRE(f.signing_keys.revoke(f.omar(), request.key_id, "lost", Commit::kKeep));
  CHECK(f.promotion.get_plan(plan.id)->verdict == model::Verdict::kPending);
  CHECK(f.execute(plan.id).error().slug == "approvals_pending");
  f.verified();
}

TEST_CASE("a second key is vouched for by the first, or registered by an administrator") {
  Fixture f;
  const auto first = f.add_key(f.omar());
  const auto second = *crypto::make_signing_key();
  NewSigningKey wanted;
  wanted.public_key = *crypto::public_key_of(second);
  const auto statement = model::key_statement("omar", *crypto::key_id_of(wanted.public_key));
  CHECK(f.signing_keys.add(f.omar(), wanted, Commit::kKeep).error().slug == "bad_proof");
  wanted.possession = *crypto::sign(second, statement);
  CHECK(f.signing_keys.add(f.omar(), wanted, Commit::kKeep).error().slug == "proof_needed");
  wanted.signed_by = *crypto::key_id_of(*crypto::public_key_of(first));
  wanted.proof = *crypto::sign(second, statement);
  CHECK(f.signing_keys.add(f.omar(), wanted, Commit::kKeep).error().slug == "bad_proof");
  wanted.proof = *crypto::sign(first, statement);
  REQUIRE(f.signing_keys.add(f.omar(), wanted, Commit::kKeep));
  CHECK(f.signing_keys.add(f.omar(), wanted, Commit::kKeep).error().slug == "signing_key_taken");
  NewSigningKey third;
  third.principal = "omar";
  third.public_key = *crypto::public_key_of(*crypto::make_signing_key());
  CHECK(f.signing_keys.add(f.vera(), third, Commit::kKeep).error().slug == "not_your_key");
  CHECK(f.signing_keys.add(f.person("ada", model::Role::kAdmin), third, Commit::kKeep));
  f.verified();
}

TEST_CASE("a plan ends after its time and says so") {
  Fixture f;
  f.model_version("m", "1");
  const auto plan = f.plan("m@v1", "prod");
  CHECK(plan.expires_at_us == plan.requested_at_us + 48 * kHourUs);
  f.clock.advance_us(47 * kHourUs);
  REQUIRE(f.say(f.person("omar2", model::Role::kApprover), plan.id));
  f.clock.advance_us(2 * kHourUs);
  CHECK(f.promotion.get_plan(plan.id)->state == "expired");
  CHECK(f.execute(plan.id).error().slug == "plan_expired");
  CHECK(f.execute(plan.id).error().slug == "plan_closed");  // recorded by now
  f.verified();
}

TEST_CASE("the same wish gives the same digest; other evidence gives another") {
  Fixture f;
  f.model_version("m", "1");
  const auto first = f.plan("m@v1", "prod");
  CHECK(f.plan("m@v1", "prod").digest == first.digest);
  // How far people have come makes no other plan; what is decided on does.
  REQUIRE(f.say(f.vera(), first.id));
  REQUIRE(f.promote("m@v1", "dev"));
  CHECK(f.plan("m@v1", "prod").digest == first.digest);
  f.environments("  - {name: prod, clearance: none, protection: {approvals: 1}}\n");
  CHECK(f.plan("m@v1", "prod").digest != first.digest);
  CHECK(f.say(f.omar(), first.id).error().slug == "stale_plan");
  f.verified();
}

TEST_CASE("break-glass passes over procedure and opens a review that holds later promotions up") {
  Fixture f;
  f.model_version("m", "1");
  f.model_version("m", "2");
  CHECK(f.promotion.promote(f.dora(), {{"m@v1"}, "signed", "fire", true}, Commit::kKeep).error().slug ==
        "break_glass_denied");
  CHECK(f.promotion.promote(f.oncall(), {{"m@v1"}, "signed", " ", true}, Commit::kKeep).error().slug ==
        "reason_needed");
  const auto done = f.promotion.promote(f.oncall(), {{"m@v1"}, "signed", "fire", true}, Commit::kKeep);
  if (!done) FAIL(done.error().message);
  REQUIRE(done->deployment->review);
  CHECK(done->deployment->review->overridden == std::vector<std::string>{"approvals"});
  CHECK(done->deployment->review->due_at_us == done->deployment->started_at_us + 2 * kHourUs);
  const auto next = f.plan("m@v2", "signed");
  CHECK(gate_named(next, "review")->verdict == model::Verdict::kFail);
  CHECK(f.promotion.close_review(f.oncall(), {done->deployment->id, "justified", "x"}, Commit::kKeep).error().slug ==
        "own_review");
  CHECK(f.promotion.close_review(f.omar(), {done->deployment->id, "fine", "x"}, Commit::kKeep).error().slug ==
        "bad_outcome");
  REQUIRE(
      f.promotion.close_review(f.omar(), {done->deployment->id, "unjustified", "could have waited"}, Commit::kKeep));
  CHECK(f.promotion.close_review(f.omar(), {done->deployment->id, "justified", "x"}, Commit::kKeep).error().slug ==
        "review_done");
  CHECK_FALSE(gate_named(f.plan("m@v2", "signed"), "review"));
  f.verified();
}

TEST_CASE("break-glass does not pass over clearance") {
  Fixture f;
  auto data = f.wanted(ArtifactKind::kDataset, "d", "x");
  data.sensitivity = Sensitivity::kPersonal;
  f.add(data);
  const auto refused = f.promotion.promote(f.oncall(), {{"d@v1"}, "prod", "fire", true}, Commit::kKeep);
  CHECK(refused.error().slug == "gates_denied");
}

TEST_CASE("what was rolled back from is promoted again only by saying so") {
  Fixture f;
  f.model_version("m", "1");
  f.model_version("m", "2");
  REQUIRE(f.promote("m@v1", "dev"));
  REQUIRE(f.promote("m@v2", "dev"));
  REQUIRE(f.rollback("m", "dev"));
  const auto refused = f.promote("m@v2", "dev");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().slug == "gates_denied");
  CHECK(refused.error().message.find("rejected") != std::string::npos);
  f.clock.advance_us(1'000'000);
  REQUIRE(f.promotion.promote(f.dora(), {{"m@v2"}, "dev", "fixed data", false, true}, Commit::kKeep));
  CHECK(f.running("m", "dev") == "m@v2");
  // Lifted: from now on it is like any other.
  REQUIRE(f.promote("m@v1", "dev"));
  REQUIRE(f.promote("m@v2", "dev"));
  f.verified();
}

TEST_CASE("a rollback passes over the gate it names, never over clearance, and not over a gate there is none of") {
  Fixture f;
  f.model_version("m", "1");
  f.model_version("m", "2");
  REQUIRE(f.promote("m@v1", "dev"));
  REQUIRE(f.promote("m@v2", "dev"));
  REQUIRE(f.registry.deprecate(f.dora(), "m@v1", "old", Commit::kKeep));
  CHECK(f.rollback("m", "dev").error().slug == "gates_denied");
  RollbackRequest request{"m", "dev", 0, "because", {"lifecyle"}};
  CHECK(f.promotion.rollback(f.dora(), request, Commit::kKeep).error().slug == "unknown_gate");
  request.overrides = {"lifecycle"};
  f.clock.advance_us(1'000'000);
  const auto done = f.promotion.rollback(f.dora(), request, Commit::kKeep);
  if (!done) FAIL(done.error().message);
  CHECK(gate_named(done->plan, "lifecycle")->facts.at("passed_over_by") == "the rollback's --override");
  CHECK(f.running("m", "dev") == "m@v1");
  f.verified();
}

TEST_CASE("a request sent twice with one key is executed once, and another one with that key is refused") {
  Fixture f;
  f.model_version("m", "1");
  f.model_version("m", "2");
  const PlanRequest request{{"m@v1"}, "dev", "because", false, false, "ci-17"};
  const auto first = f.promotion.promote(f.dora(), request, Commit::kKeep);
  REQUIRE(first);
  REQUIRE(f.promote("m@v2", "dev"));
  const auto again = f.promotion.promote(f.dora(), request, Commit::kKeep);
  REQUIRE(again);
  CHECK(again->is_replayed);
  CHECK(again->deployment->id == first->deployment->id);
  CHECK(f.running("m", "dev") == "m@v2");
  CHECK(
      f.promotion.promote(f.dora(), {{"m@v2"}, "dev", "because", false, false, "ci-17"}, Commit::kKeep).error().slug ==
      "idempotency_key_reused");
  CHECK(f.promotion.promote(f.dora(), {{"m@v2"}, "dev", "because", false, false, "has space"}, Commit::kKeep)
            .error()
            .slug == "bad_idempotency_key");
  const auto plan = f.promotion.plan(f.dora(), {{"m@v1"}, "prod", "because", false, false, "ci-18"});
  REQUIRE(plan);
  CHECK(f.promotion.plan(f.dora(), {{"m@v1"}, "prod", "because", false, false, "ci-18"})->id == plan->id);
  f.verified();
}

TEST_CASE("a corrected beginning changes history without a gap, and what was known before stays known") {
  Fixture f;
  f.model_version("m", "1");
  f.model_version("m", "2");
  const auto first = f.promote("m@v1", "dev");
  f.clock.advance_us(10 * kHourUs);
  const auto second = f.promote("m@v2", "dev");
  REQUIRE(second);
  const auto started = second->deployment->started_at_us;
  f.clock.advance_us(kHourUs);
  const auto before_correction = f.clock.now_us();
  const auto at = [&](TimestampUs as_of_us, TimestampUs known_at_us) {
    const auto rows = f.promotion.deployments(
        {.environment = "dev", .running_only = true, .as_of_us = as_of_us, .known_at_us = known_at_us});
    REQUIRE(rows);
    std::string refs;
    for (const auto& row : *rows) refs += row.members.front().ref + " ";
    return refs;
  };
  const auto moment = started - 2 * kHourUs;
  CHECK(at(moment, 0) == "m@v1 ");
  f.clock.advance_us(kHourUs);
  CHECK(f.promotion
            .correct(f.dora(), {second->deployment->id, first->deployment->started_at_us - 1, "log"}, Commit::kKeep)
            .error()
            .slug == "bad_correction");
  const auto corrected =
      f.promotion.correct(f.dora(), {second->deployment->id, started - 3 * kHourUs, "log"}, Commit::kKeep);
  if (!corrected) FAIL(corrected.error().message);
  CHECK(at(moment, 0) == "m@v2 ");
  CHECK(at(moment, before_correction) == "m@v1 ");
  CHECK(at(moment, f.clock.now_us() + kHourUs) == "m@v2 ");
  CHECK(at(0, before_correction) == "m@v2 ");
  CHECK(at(0, started - kHourUs) == "m@v1 ");  // the second was not recorded yet, and the end of the first neither
  const auto history = f.promotion.deployments({.environment = "dev"});
  REQUIRE(history->size() == 2);
  CHECK(history->at(1).ended_at_us == history->at(0).started_at_us);
  f.verified();
}

TEST_CASE("a break-glass plan is executed by those on call only, and not reviewed by who asked for it") {
  Fixture f;
  f.model_version("m", "1");
  const auto plan = f.promotion.plan(f.oncall(), {{"m@v1"}, "signed", "fire", true});
  REQUIRE(plan);
  CHECK(f.promotion.promote_plan(f.dora(), plan->id, Commit::kKeep).error().slug == "break_glass_denied");
  CHECK(f.promotion.promote_plan(f.person("bot", model::Role::kOnCall, false), plan->id, Commit::kKeep).error().slug ==
        "not_a_person");
  const auto done = f.promotion.promote_plan(f.person("otto", model::Role::kOnCall), plan->id, Commit::kKeep);
  if (!done) FAIL(done.error().message);
  CHECK(f.promotion.close_review(f.oncall(), {done->deployment->id, "justified", "x"}, Commit::kKeep).error().slug ==
        "own_review");
}

TEST_CASE("who has had a signing key goes on signing after it was revoked") {
  Fixture f;
  f.model_version("m", "1");
  const auto key = f.add_key(f.omar());
  REQUIRE(f.signing_keys.revoke(f.omar(), *crypto::key_id_of(*crypto::public_key_of(key)), "stolen", Commit::kKeep));
  CHECK(f.say(f.omar(), f.plan("m@v1", "prod").id).error().slug == "signature_needed");
}

TEST_CASE("a rollback passes over no approvals and brings nothing deleted back") {
  Fixture f;
  f.model_version("m", "1");
  f.model_version("m", "2");
  REQUIRE(f.promote("m@v1", "dev"));
  REQUIRE(f.promote("m@v2", "dev"));
  REQUIRE(f.registry.remove(f.dora(), "m@v1", "wrong", Commit::kKeep));
  f.clock.advance_us(1'000'000);
  CHECK(f.promotion.rollback(f.dora(), {"m", "dev", 0, "because", {"lifecycle"}}, Commit::kKeep).error().slug ==
        "gates_denied");
  f.model_version("n", "1");
  f.model_version("n", "2");
  for (const auto* ref : {"n@v1", "n@v2"}) {
    f.clock.advance_us(1'000'000);
    const auto done = f.promotion.promote(f.oncall(), {{ref}, "prod", "fire", true}, Commit::kKeep);
    if (!done) FAIL(done.error().message);
  }
  f.clock.advance_us(1'000'000);
  CHECK(f.promotion.rollback(f.dora(), {"n", "prod", 0, "because", {"approvals"}}, Commit::kKeep).error().slug ==
        "approvals_pending");
}

TEST_CASE("a key of idempotency finds what its request led to before anything is looked up again") {
  Fixture f;
  f.model_version("m", "1");
  f.model_version("m", "2");
  REQUIRE(f.promotion.plan(f.dora(), {{"m@v1"}, "dev", "because", false, false, "one"}));
  CHECK(f.promotion.promote(f.dora(), {{"m@v1"}, "dev", "because", false, false, "one"}, Commit::kKeep).error().slug ==
        "idempotency_key_reused");
  REQUIRE(f.promote("m@v1", "dev"));
  // Unchanged is an outcome, too.
  const PlanRequest same{{"m@v1"}, "dev", "because", false, false, "two"};
  CHECK(f.promotion.promote(f.dora(), same, Commit::kKeep)->unchanged);
  REQUIRE(f.promote("m@v2", "dev"));
  CHECK(f.promotion.promote(f.dora(), same, Commit::kKeep)->is_replayed);
  CHECK(f.running("m", "dev") == "m@v2");
  const RollbackRequest back{"m", "dev", 0, "because", {}, "three"};
  f.clock.advance_us(1'000'000);
  REQUIRE(f.promotion.rollback(f.dora(), back, Commit::kKeep));
  CHECK(f.promotion.rollback(f.dora(), back, Commit::kKeep)->is_replayed);
  f.verified();
}
