// The gates of windows, freezes, soak time and tenants, from facts alone.
#include <algorithm>

#include "core/wire/facts_json.h"
#include "policies/gate/gate.h"
#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::gate;
using model::GateResult;
using model::PromotionFacts;
using model::Verdict;

namespace {

constexpr std::int64_t kHourUs = 3600ll * 1'000'000;

TimestampUs at(const std::string& text) {
  return *parse_rfc3339(text);
}

PromotionFacts facts_at(const std::string& moment) {
  PromotionFacts facts;
  facts.environment.name = "prod/acme";
  facts.environment.after = {"staging/acme"};
  facts.requested_by = "rita";
  facts.decided_at_us = at(moment);
  facts.members.resize(1);
  facts.members[0].version.name = "readmission";
  facts.members[0].version.number = 3;
  facts.members[0].ran_in = {"staging/acme"};
  return facts;
}
PromotionFacts with_calendar(const std::string& moment) {
  auto facts = facts_at(moment);
  facts.environment.windows = {{{"mon", "tue", "wed", "thu", "fri"}, 480, 960, "Europe/Berlin"}};
  facts.environment.freezes = {
      {parse_local_time("2026-12-20")->local_s, parse_local_time("2027-01-04")->local_s, "Europe/Berlin", "holidays"}};
  facts.calendar = model::calendar_at(facts.environment.windows, facts.environment.freezes, facts.decided_at_us,
                                      TimeZones::system());
  return facts;
}
std::vector<GateResult> with_id(const PromotionFacts& facts, const std::string& id) {
  std::vector<GateResult> found;
  for (auto& result : evaluate({}, facts)) {
    if (result.id == id) found.push_back(result);
  }
  return found;
}
GateResult only(const PromotionFacts& facts, const std::string& id) {
  const auto found = with_id(facts, id);
  REQUIRE(found.size() == 1);
  return found[0];
}
bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("where nothing is declared no new gate speaks, and the facts keep their bytes") {
  const auto facts = facts_at("2026-11-30T10:00:00Z");
  for (const auto* id : {"window", "freeze", "soak", "tenant"}) CHECK(with_id(facts, id).empty());
  const auto json = wire::to_json(facts);
  CHECK_FALSE(json.contains("calendar"));
  CHECK_FALSE(json["members"][0].contains("soaked"));
  CHECK_FALSE(json["members"][0].contains("tenants"));
}

TEST_CASE("a window passes while it is open, and says when the next one opens, in UTC and there") {
  const auto open = only(with_calendar("2026-11-30T10:00:00Z"), "window");
  CHECK(open.verdict == Verdict::kPass);
  CHECK(has(open.reason, "mon–fri 08:00–16:00 Europe/Berlin"));
  const auto closed = only(with_calendar("2026-11-28T10:00:00Z"), "window");
  CHECK(closed.verdict == Verdict::kFail);
  CHECK(closed.would_pass_if == "it is promoted at or after 2026-11-30T07:00:00Z (2026-11-30 08:00 Europe/Berlin)");
}

TEST_CASE("a freeze refuses with its reason; what would pass is the first window after it") {
  CHECK(only(with_calendar("2026-11-30T10:00:00Z"), "freeze").verdict == Verdict::kPass);
  const auto frozen = only(with_calendar("2026-12-22T10:00:00Z"), "freeze");
  CHECK(frozen.verdict == Verdict::kFail);
  CHECK(has(frozen.reason, "holidays"));
  CHECK(has(frozen.reason, "2027-01-03T23:00:00Z"));
  CHECK(has(frozen.would_pass_if, "2027-01-04T07:00:00Z (2027-01-04 08:00 Europe/Berlin)"));
}

TEST_CASE("a rollback is held up by neither, and needs no soak time") {
  auto facts = with_calendar("2026-12-26T10:00:00Z");
  facts.environment.soak_s = 86400;
  facts.is_rollback = true;
  for (const auto* id : {"window", "freeze", "soak"}) {
    CHECK(only(facts, id).verdict == Verdict::kPass);
    CHECK(has(only(facts, id).reason, "rollback"));
  }
}

TEST_CASE("without evidence of the calendar the gates fail") {
  auto facts = with_calendar("2026-11-30T10:00:00Z");
  facts.calendar.reset();
  CHECK(only(facts, "window").verdict == Verdict::kFail);
  CHECK(only(facts, "freeze").verdict == Verdict::kFail);
  facts.calendar = model::calendar_at(facts.environment.windows, facts.environment.freezes, facts.decided_at_us,
                                      TimeZones("/nonexistent-directory"));
  const auto missing = only(facts, "window");
  CHECK(missing.verdict == Verdict::kFail);
  CHECK(has(missing.reason, "Europe/Berlin"));
  CHECK(has(missing.would_pass_if, "tzdata"));
}

TEST_CASE("the gates judge what was stored, whatever the zones say by then") {
  auto facts = with_calendar("2026-11-30T10:00:00Z");
  const auto stored = wire::to_json(facts);
  const auto again = wire::facts_from_json(stored);
  REQUIRE(again);
  CHECK(canonical_dump(wire::to_json(*again)) == canonical_dump(stored));
  const auto first = evaluate({}, facts);
  const auto second = evaluate({}, *again);
  REQUIRE(first.size() == second.size());
  for (std::size_t i = 0; i < first.size(); ++i) {
    CHECK(canonical_dump(model::to_json(first[i])) == canonical_dump(model::to_json(second[i])));
  }
}

TEST_CASE("soak time counts what runs still, in one of the environments before") {
  auto facts = facts_at("2026-11-30T10:00:00Z");
  facts.environment.soak_s = 86400;
  CHECK(only(facts, "soak").verdict == Verdict::kFail);
  CHECK(has(only(facts, "soak").would_pass_if, "staging/acme for 24h"));
  auto& soaked = facts.members[0].soaked;
  soaked = {{"staging/acme", facts.decided_at_us - 24 * kHourUs, 0}};
  CHECK(only(facts, "soak").verdict == Verdict::kPass);
  soaked[0].since_us += 1;
  const auto early = only(facts, "soak");
  CHECK(early.verdict == Verdict::kFail);
  CHECK(has(early.would_pass_if, format_rfc3339(facts.decided_at_us + 1)));
  soaked = {{"staging/acme", facts.decided_at_us - 90 * kHourUs, facts.decided_at_us - kHourUs}};
  CHECK(has(only(facts, "soak").reason, "does not run any more"));
  soaked.push_back({"canary", facts.decided_at_us - 25 * kHourUs, 0});
  CHECK(only(facts, "soak").verdict == Verdict::kPass);
  const auto again = wire::facts_from_json(wire::to_json(facts));
  REQUIRE(again);
  CHECK(again->members[0].soaked.size() == 2);
  facts.decided_at_us = 0;
  CHECK(only(facts, "soak").verdict == Verdict::kFail);
}

TEST_CASE("what is one tenant's never enters another's environment, by label or by lineage") {
  auto facts = facts_at("2026-11-30T10:00:00Z");
  auto& tenants = facts.members[0].tenants;
  tenants = {{"model:readmission@v3", "acme"}};
  CHECK(only(facts, "tenant").verdict == Verdict::kPass);  // nobody's environment
  facts.environment.labels["tenant"] = "globex";
  const auto foreign = only(facts, "tenant");
  CHECK(foreign.verdict == Verdict::kFail);
  CHECK(has(foreign.reason, "readmission@v3 is acme's, and prod/acme is globex's"));
  facts.is_rollback = true;
  CHECK(only(facts, "tenant").verdict == Verdict::kFail);
  tenants = {{"model:readmission@v3", "globex"}, {"dataset:patients@v1", "acme"}};
  CHECK(has(only(facts, "tenant").reason, "made from dataset:patients@v1"));
  facts.environment.labels["tenant"] = "acme";
  CHECK(only(facts, "tenant").verdict == Verdict::kFail);
  tenants = {{"dataset:patients@v1", "acme"}};
  CHECK(only(facts, "tenant").verdict == Verdict::kPass);
  CHECK(wire::facts_from_json(wire::to_json(facts))->members[0].tenants.size() == 1);
}
