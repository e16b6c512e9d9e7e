// A table that is masked while it is planned comes out as from two passes, or is thrown away.
#include "policies/engine/early_mask.h"

#include <string>

#include "policies/mask/memory_vault.h"
#include "tests/unit/catch.h"
#include "tests/unit/policies/engine/mask_run.h"
#include "tests/unit/policies/mask/fixed_keys.h"

using namespace mlops;
using namespace mlops::policy;

namespace {

const mask::FixedKeys kKeys;
constexpr int kRows = 9'000;  // of several parts

Policy policy_with(const std::string& columns, const std::string& rules, const std::string& more = {}) {
  auto policy = load_policy(R"(apiVersion: mlops/v1
kind: PrivacyPolicy
metadata: {name: p, version: 1.0.0}
spec:
)" + more + R"(  classification:
    columns:
      mrn: {class: mrn}
      name: {class: person_name}
      age: {class: age}
      born: {class: birth_date}
)" + columns + R"(
  transforms:
    keys: {research: {purpose: pseudonymisation}}
    rules:
      - {match: {class: mrn}, apply: {pseudonymize: {key: research}}}
      - {match: {class: person_name}, apply: suppress}
      - {match: {class: age}, apply: {generalize: {age_cap: 89}}}
      - {match: {class: birth_date}, apply: {date_truncate: {to: year, reference: 2026-01-01}}}
)" + rules,
                            "p.yaml");
  if (!policy) FAIL(policy.error().message);
  return *policy;
}

Policy usual() {
  return policy_with("      los: {class: measurement}\n      ward: {class: category}\n", "");
}

constexpr std::string_view kHeader = "mrn,name,age,born,los,ward\n";

std::string table(const std::string& los_of_last = "7", const std::string& ward_of_some = "A1", int rows = kRows) {
  std::string text(kHeader);
  for (int i = 0; i < rows; ++i) {
    const bool is_last = i + 1 == rows;
    text += std::to_string(70'000'000 + i) + ",\"Quentin, Roe" + std::to_string(i) + "\"," + std::to_string(i % 120) +
            ",19" + std::to_string(10 + i % 90) + "-03-05," + (is_last ? los_of_last : std::to_string(i * 3)) + "," +
            (i % 3 == 0 ? ward_of_some : "B2") + "\r\n";
  }
  return text;
}

struct Outcome {
  std::string text;
  std::string error;
  std::string facts;
  Json evidence;
  bool operator==(const Outcome&) const = default;
};

Outcome outcome_of(const Result<MaskEvidence>& evidence, std::string text) {
  if (!evidence) return {{}, evidence.error().message, evidence.error().detail, {}};
  return {std::move(text), {}, {}, to_json(*evidence)};
}

Outcome in_two_passes(const Policy& policy, const std::string& text) {
  const auto plan = plan_text(policy, text);
  if (!plan) return {{}, plan.error().message, plan.error().detail, {}};
  std::string out;
  const auto evidence = mask_text(policy, *plan, text, out, {kKeys}, "d");
  return outcome_of(evidence, out);
}

// nullopt: it was not masked early, or for nothing.
std::optional<Outcome> in_one_pass(const Policy& policy, const std::string& text, const std::string& path = "t.csv") {
  data::StringSource source(text);
  data::StringSink sink;
  const auto reader = data::open_records(source, {.path = path});
  if (!reader) return std::nullopt;
  const mask::RunSecrets secrets{kKeys};
  auto early = EarlyMask::try_run(policy, {"t", "t", secrets, "d"}, **reader, sink);
  if (!early) return std::nullopt;
  DatasetPlanner planner(policy);
  const auto plan = planner.plan(*early);
  if (const auto done = planner.finish(); !done) return Outcome{{}, done.error().message, done.error().detail, {}};
  if (!plan) return Outcome{{}, plan.error().message, plan.error().detail, {}};
  const auto evidence = early->conclude(*plan);
  if (!evidence) return std::nullopt;
  return outcome_of(*evidence, sink.text);
}

}  // namespace

TEST_CASE("early mask: one pass gives what two give") {
  const auto policy = usual();
  for (const int rows : {1, 40, 257, kRows}) {
    const auto text = table("7", "A1", rows);
    const auto two = in_two_passes(policy, text);
    REQUIRE(two.error.empty());
    REQUIRE(in_one_pass(policy, text) == two);
    CHECK(two.evidence["rows"] == rows);
  }
}

TEST_CASE("early mask: what is left in a kept column refuses in the same words") {
  const auto policy = usual();
  for (const auto* leak : {"jane.roe@example.org", "70008999", "Mail to https://example.org/~jane?mrn=70008999"}) {
    const auto text = table(leak);
    const auto two = in_two_passes(policy, text);
    REQUIRE_FALSE(two.error.empty());
    CHECK(in_one_pass(policy, text) == two);
  }
}

TEST_CASE("early mask: a column that the scan raises is thrown away") {
  const auto policy = policy_with("      los: {class: measurement}\n      ward: {class: category}\n",
                                  "      - {match: {class: email}, apply: {redact: {with: \"[EMAIL]\"}}}\n");
  std::string text(kHeader);
  for (int i = 0; i < kRows; ++i) {
    const auto number = std::to_string(i);
    text += number + ",Quentin Roe,40,1950-01-02," + number + ",p" + number + "@example.org\n";
  }
  CHECK_FALSE(in_one_pass(policy, text));
  const auto two = in_two_passes(policy, text);
  REQUIRE(two.error.empty());
  CHECK(two.evidence["columns"][5]["transform"] == "redact");
  CHECK(two.text.find("@example.org") == std::string::npos);
}

TEST_CASE("early mask: whether a column holds codes is told by all of it") {
  const auto policy = usual();
  // A ward called like somebody names nobody while it is one of few and most of its rows are others'.
  const auto coded = table("7", "Roe3");
  REQUIRE(in_two_passes(policy, coded).error.empty());
  CHECK(in_one_pass(policy, coded) == in_two_passes(policy, coded));
  // One of many is no code: the same words in a column of 300 wards are somebody's name.
  std::string many(kHeader);
  for (int i = 0; i < kRows; ++i) {
    many += std::to_string(70'000'000 + i) + ",Quentin Roe" + std::to_string(i) + ",40,1950-01-02,7," +
            (i == 3 ? "Roe3" : "W" + std::to_string(i < kRows / 2 ? i % 200 : i % 300)) + "\n";
  }
  const auto two = in_two_passes(policy, many);
  CHECK(two.error.find("1 × row_value in ward") != std::string::npos);
  CHECK(in_one_pass(policy, many) == two);
}

TEST_CASE("early mask: of a code the rows of people count, in whatever part they are") {
  const auto policy = usual();
  // 100 rows of one ward: it names its person in the first of them, then stands in others' rows, then in nobody's.
  const auto with = [](int naming, int others) {
    std::string text(kHeader);
    for (int i = 0; i < kRows; ++i) {
      const int turn = i % (kRows / 100) == 0 ? i / (kRows / 100) : -1;
      const bool is_nobody = turn >= naming + others || (turn < 0 && i % 7 == 0);
      const auto* name = turn >= 0 && turn < naming ? "Ann Summer" : "Bob Crane";
      text += (is_nobody ? ",,40," : std::to_string(70'000'000 + i) + "," + name + ",40,1950-01-02") + "," +
              std::to_string(i * 3) + "," + (turn >= 0 ? "of Summer" : "A1") + "\n";
    }
    return text;
  };
  struct Case {
    int naming;
    int others;
    bool is_refused;
  };
  for (const auto& one : {Case{80, 20, true}, Case{79, 21, false}, Case{60, 15, true}, Case{60, 16, false}}) {
    const auto text = with(one.naming, one.others);
    const auto two = in_two_passes(policy, text);
    INFO(one.naming << " of " << one.naming + one.others);
    CHECK((two.error.find(std::to_string(one.naming) + " × row_value in ward") != std::string::npos) == one.is_refused);
    CHECK(two.error.empty() != one.is_refused);
    CHECK(in_one_pass(policy, text) == two);
  }
}

TEST_CASE("early mask: what was planned as codes and is none is told by every row") {
  const auto policy = usual();
  const auto plan = plan_text(policy, table());
  REQUIRE(plan);
  std::string changed(kHeader);  // since it was planned
  for (int i = 0; i < kRows; ++i) {
    changed += (i == 5 ? ",,40," : std::to_string(70'000'000 + i) + ",Ann Summer,40,1950-01-02") + ",7," +
               (i == 3 || i == 5 ? "of Summer" : "W" + std::to_string(i % 300)) + "\n";
  }
  std::string out;
  const auto evidence = mask_text(policy, *plan, changed, out, {kKeys}, "d");
  REQUIRE_FALSE(evidence);
  CHECK(evidence.error().message.find("1 × row_value in ward") != std::string::npos);
}

TEST_CASE("early mask: a number that is a name is found in a column of numbers, short as it is") {
  const auto policy = usual();
  const auto with = [](const std::string& name, const std::string& los) {
    std::string text(kHeader);
    for (int i = 0; i < kRows; ++i) {
      const bool is_it = i == kRows - 3;
      text += std::to_string(70'000'000 + i) + "," + (is_it ? name : "Bob Crane") + ",40,1950-01-02," +
              (is_it ? los : std::to_string(i)) + ",A1\n";
    }
    return text;
  };
  for (const auto* name : {"Agent 4711", "4711", "Agent \xD9\xA4\xD9\xA7\xD9\xA1\xD9\xA1"}) {
    const auto text = with(name, "4711");
    const auto two = in_two_passes(policy, text);
    CHECK(two.error.find("1 × row_value in los") != std::string::npos);
    CHECK(in_one_pass(policy, text) == two);
  }
  const auto harmless = with("Agent Smith", "4711");
  REQUIRE(in_two_passes(policy, harmless).error.empty());
  CHECK(in_one_pass(policy, harmless) == in_two_passes(policy, harmless));
}

TEST_CASE("early mask: what a rule writes is quoted where the table needs it") {
  const auto policy = policy_with("      los: {class: measurement}\n      ward: {class: account}\n",
                                  "      - {match: {class: account}, apply: {pseudonymize: {key: research, prefix: "
                                  "\"A,\"}}}\n");
  const auto text = table();
  const auto two = in_two_passes(policy, text);
  REQUIRE(two.error.empty());
  CHECK(two.text.find(",\"A,k1-") != std::string::npos);
  CHECK(two.text.find(",A,k1-") == std::string::npos);
  CHECK(in_one_pass(policy, text) == two);
}

TEST_CASE("early mask: an undeclared column goes by the policy") {
  const std::string text = "mrn,name,age,born,note\n70000001,Jane Roe,40,1950-01-02,x\n";
  const auto quarantine = policy_with("", "");
  CHECK_FALSE(in_one_pass(quarantine, text));  // nothing is written for a column that nobody knows
  CHECK(in_two_passes(quarantine, text).error.find("does not know") != std::string::npos);
}

TEST_CASE("early mask: what takes two passes is left to them") {
  const auto policy = usual();
  auto broken = table() + "1,2\n";
  CHECK_FALSE(in_one_pass(policy, broken));
  CHECK_FALSE(in_one_pass(policy, R"([{"mrn": "1"}])", "t.json"));
  const auto no_rows = in_one_pass(policy, std::string(kHeader));
  CHECK((!no_rows || *no_rows == in_two_passes(policy, std::string(kHeader))));
  const auto cut = policy_with("      los: {class: measurement}\n      ward: {class: free_text}\n",
                               "      - {match: {class: free_text}, apply: {redact: {spans: detected}}}\n");
  CHECK_FALSE(in_one_pass(cut, table()));
}
