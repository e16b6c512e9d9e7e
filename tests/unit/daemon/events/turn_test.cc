// Lanes, rests, dead letters and cursors, against a scripted receiver.
#include "daemon/events/turn.h"

#include <map>

#include "tests/unit/catch.h"
#include "tests/unit/storage/meta/store_fixture.h"

using namespace mlops;
using namespace mlops::events;

namespace {

constexpr std::int64_t kSecondUs = 1'000'000;

struct Fixture : test::StoreFixture {
  Fixture() {
    options.schedule = {0, 10 * kSecondUs, 60 * kSecondUs};
    hook.id = "w1";
    hook.name = "ci";
    hook.url = "https://example.org";
    hook.events = "release.*";
    hook.secret = {{1, 2, 3}, "k.1"};
    REQUIRE(write([&](meta::WriteTx& tx) -> Status {
      tx.begin_entry("webhook.add", hook.name);
      MLOPS_TRY(meta::insert_webhook(tx, hook));
      return meta::put_progress(tx, {.webhook_id = hook.id, .cursor = 1});
    }));
  }

  // An event; its number.
  std::int64_t happen(const std::string& subject, const std::string& action = "release.promote") {
    REQUIRE(write([&](meta::WriteTx& tx) -> Status {
      tx.begin_entry(action, subject);
      return {};
    }));
    return read<std::int64_t>(meta::last_seq).value();
  }

  TurnResult turn(std::int64_t cursor = 0) {
    const auto deliver = [this](const meta::Event& event) -> Attempt {
      sent.push_back(event.seq);
      const auto scripted = answers.find(event.subject);
      const int status = scripted == answers.end() ? 200 : scripted->second;
      const auto outcome = status < 0 ? Outcome::kBrokenOff : outcome_of(status);
      return {outcome, std::max(status, 0), outcome == Outcome::kDelivered ? "" : "refused", retry_after_us};
    };
    Turn one(*store, options, hook, cursor, deliver, [] { return 0.0; });
    const auto result = one.run();
    if (!result) FAIL(result.error().message);
    return *result;
  }

  std::vector<std::int64_t> taken() { return std::exchange(sent, {}); }
  meta::WebhookProgress progress() {
    return read<meta::WebhookProgress>([&](sql::Connection& c) { return meta::find_progress(c, hook.id); }).value();
  }
  meta::HeldCounts held() {
    return read<meta::HeldCounts>([&](sql::Connection& c) { return meta::held_counts(c, hook.id); }).value();
  }

  TurnOptions options;
  meta::WebhookRow hook;
  std::map<std::string, int> answers;
  std::optional<std::int64_t> retry_after_us;
  std::vector<std::int64_t> sent;
};

using Seqs = std::vector<std::int64_t>;

}  // namespace

TEST_CASE_METHOD(Fixture, "what is wanted is sent in order, once") {
  const auto a = happen("a");
  happen("a", "alias.set");
  const auto b = happen("b", "release.rollback");
  CHECK(turn().cursor == b);
  CHECK(taken() == Seqs{a, b});
  CHECK(progress().delivered == 2);
  CHECK_FALSE(turn().has_more);
  CHECK(taken().empty());
}

TEST_CASE_METHOD(Fixture, "a refused event holds up its lane and no other") {
  answers["a"] = 500;
  const auto a1 = happen("a");
  const auto b1 = happen("b");
  const auto a2 = happen("a");
  const auto first = turn();
  CHECK(taken() == Seqs{a1, b1});
  CHECK_FALSE(first.resting_us);
  REQUIRE(first.due_us);
  CHECK(*first.due_us >= clock.now_us() + 9 * kSecondUs);
  CHECK(held().lanes == 1);
  CHECK(held().held == 2);
  turn();
  CHECK(taken().empty());
  // What comes later waits behind, also when the lane is not due.
  const auto a3 = happen("a");
  turn();
  CHECK(taken().empty());
  answers.clear();
  clock.advance_us(11 * kSecondUs);
  turn();
  CHECK(taken() == Seqs{a1, a2, a3});
  CHECK(held().held == 0);
}

TEST_CASE_METHOD(Fixture, "after the last attempt an event is dead and its lane goes on") {
  answers["a"] = 404;
  const auto a1 = happen("a");
  turn();
  clock.advance_us(11 * kSecondUs);
  turn();
  clock.advance_us(61 * kSecondUs);
  turn();
  CHECK(taken() == Seqs{a1, a1, a1});
  CHECK(held().held == 0);
  CHECK(held().dead == 1);
  answers.clear();
  const auto a2 = happen("a");
  turn();
  CHECK(taken() == Seqs{a2});
  REQUIRE(write([&](meta::WriteTx& tx) -> Status {
    MLOPS_ASSIGN(const auto revived, meta::revive_dead(tx, hook.id));
    CHECK(revived == 1);
    return {};
  }));
  turn();
  CHECK(taken() == Seqs{a1});
  CHECK(held().dead == 0);
}

TEST_CASE_METHOD(Fixture, "a receiver that does not answer is left alone, and the cursor waits") {
  answers["a"] = 503;
  const auto a1 = happen("a");
  const auto b1 = happen("b");
  const auto first = turn();
  CHECK(taken() == Seqs{a1});
  REQUIRE(first.resting_us);
  CHECK(first.cursor == a1);
  turn();
  CHECK(taken().empty());
  answers.clear();
  clock.advance_us(11 * kSecondUs);
  turn();
  CHECK(taken() == Seqs{a1, b1});
}

TEST_CASE_METHOD(Fixture, "Retry-After makes the rest longer, not shorter") {
  answers["a"] = 429;
  retry_after_us = 100 * kSecondUs;
  happen("a");
  CHECK(*turn().resting_us >= clock.now_us() + 99 * kSecondUs);
}

TEST_CASE_METHOD(Fixture, "410 says that nothing is wanted any more") {
  answers["a"] = 410;
  happen("a");
  happen("b");
  CHECK(turn().is_gone);
  CHECK(taken().size() == 1);
}

TEST_CASE_METHOD(Fixture, "an attempt that this side broke off never was") {
  answers["b"] = -1;
  const auto a1 = happen("a");
  const auto b1 = happen("b");
  turn();
  CHECK(progress().cursor == a1);
  CHECK(progress().failed == 0);
  CHECK(held().held == 0);
  answers.clear();
  taken();
  turn();
  CHECK(taken() == Seqs{b1});
}

TEST_CASE_METHOD(Fixture, "a cursor that passed nothing wanted is not written") {
  const auto generation = store->generation();
  happen("a", "alias.set");
  const auto result = turn();
  CHECK(store->generation() == generation + 1);
  CHECK(progress().cursor == 1);
  CHECK(result.cursor == 2);
  options.lazy_entries = 1;
  turn(result.cursor);
  happen("a", "alias.set");
  turn(result.cursor);
  CHECK(progress().cursor == 3);
}

TEST_CASE_METHOD(Fixture, "a turn that is cut short goes on") {
  options.batch = 2;
  Seqs all;
  for (int i = 0; i < 7; ++i) all.push_back(happen("s" + std::to_string(i)));
  turn();
  CHECK(taken() == all);
  options.budget = std::chrono::milliseconds(0);
  happen("a");
  CHECK(turn().has_more);
}

TEST_CASE_METHOD(Fixture, "a webhook that was removed during its turn leaves nothing behind") {
  happen("a");
  const auto deliver = [this](const meta::Event&) -> Attempt {
    REQUIRE(write([&](meta::WriteTx& tx) -> Status {
      tx.begin_entry("webhook.remove", hook.name);
      return meta::delete_webhook(tx, hook.id);
    }));
    return {Outcome::kEventFailed, 500, "refused", {}};
  };
  Turn one(*store, options, hook, 0, deliver, [] { return 0.0; });
  CHECK_FALSE(one.run());
  CHECK(count("webhook_held") == 0);
  CHECK(count("webhook_progress") == 0);
  verified();
}
