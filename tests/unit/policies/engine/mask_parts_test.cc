// Masking a large file in parts gives what masking it in one piece gives.
#include <string>

#include "tests/unit/catch.h"
#include "tests/unit/policies/engine/mask_run.h"
#include "tests/unit/policies/mask/fixed_keys.h"

using namespace mlops;
using namespace mlops::policy;

namespace {

const mask::FixedKeys kKeys;
constexpr int kRows = 20'000;

Policy policy() {
  auto policy = load_policy(R"(apiVersion: mlops/v1
kind: PrivacyPolicy
metadata: {name: p, version: 1.0.0}
spec:
  classification:
    columns:
      mrn: {class: mrn}
      /mrn: {class: mrn}
      name: {class: person_name}
      /name: {class: person_name}
      note: {class: free_text}
      /note: {class: free_text}
      los: {class: measurement}
      /los: {class: measurement}
    optional_columns: [mrn, name, note, los, /mrn, /name, /note, /los]
  transforms:
    keys: {research: {purpose: pseudonymisation}}
    rules:
      - {match: {class: mrn}, apply: {pseudonymize: {key: research}}}
      - {match: {class: person_name}, apply: suppress}
      - {match: {class: free_text}, apply: {redact: {spans: detected}}}
)",
                            "p.yaml");
  if (!policy) FAIL(policy.error().message);
  return *policy;
}

struct Masked {
  std::string text;
  std::string error;
  Json evidence;
};

Masked run(const std::string& text, const std::string& path) {
  const auto with = policy();
  const auto plan = plan_text(with, text, path);
  if (!plan) return {{}, plan.error().message, {}};
  Masked masked;
  const auto evidence = mask_text(with, *plan, text, masked.text, {kKeys}, "d", path);
  if (evidence) masked.evidence = to_json(*evidence);
  if (!evidence) masked.error = evidence.error().message;
  return masked;
}

std::string row(int i) {
  return std::to_string(70000000 + i) + ",Quentin Roe" + std::to_string(i) + ",seen with Quentin on the ward," +
         std::to_string(i % 50) + "\n";
}

std::string line(int i) {
  const std::string note = i % 2 == 0 ? R"(, "note": "seen with Quentin on the ward")" : "";
  return R"({"mrn": ")" + std::to_string(70000000 + i) + R"(", "name": "Quentin Roe")" + note + R"(, "los": )" +
         std::to_string(i % 50) + "}\n";
}

template <class Make>
std::string many(const Make& make, int from, int to, const std::string& head = {}) {
  std::string text = head;
  for (int i = from; i < to; ++i) text += make(i);
  return text;
}

const std::string kHeader = "mrn,name,note,los\n";

}  // namespace

TEST_CASE("parts: a large table is masked as its pieces are") {
  const auto whole = run(many(row, 0, kRows, kHeader), "t.csv");
  REQUIRE(whole.error.empty());
  std::string pieces;
  for (int from = 0; from < kRows; from += 2000) {
    const auto piece = run(many(row, from, from + 2000, kHeader), "t.csv");
    REQUIRE(piece.error.empty());
    pieces += pieces.empty() ? piece.text : piece.text.substr(piece.text.find('\n') + 1);
  }
  CHECK(whole.text == pieces);
  CHECK(whole.text.starts_with("mrn,note,los\n"));
  CHECK(whole.evidence["rows"] == kRows);
  CHECK(whole.evidence["columns"][2]["cells"] == kRows);
  CHECK(whole.evidence["columns"][2]["changed"] == kRows);
}

TEST_CASE("parts: large JSON Lines are masked as their pieces are") {
  const auto whole = run(many(line, 0, kRows), "t.jsonl");
  REQUIRE(whole.error.empty());
  std::string pieces;
  for (int from = 0; from < kRows; from += 2000) pieces += run(many(line, from, from + 2000), "t.jsonl").text;
  CHECK(whole.text == pieces);
  CHECK(whole.evidence["rows"] == kRows);
}

TEST_CASE("parts: a finding in the last part refuses, an unknown column there as well") {
  const auto leak = run(many(row, 0, kRows, kHeader) + "70000001,Jane Roe,fine,\"for Jane Roe\"\n", "t.csv");
  CHECK(leak.error.find("1 × row_value in los") != std::string::npos);
  const auto column = run(many(line, 0, kRows) + R"({"mrn": "1", "other": 2})"
                                                 "\n",
                          "t.jsonl");
  CHECK(column.error.find("does not know 1 of the columns: /other") != std::string::npos);
}
