// spec.risk on what a masking run wrote: refused or suppressed, over all files of a table.
#include "policies/engine/release_risk.h"

#include <string>
#include <vector>

#include "tests/unit/catch.h"
#include "tests/unit/policies/engine/mask_run.h"
#include "tests/unit/policies/mask/fixed_keys.h"

using namespace mlops;
using namespace mlops::policy;

namespace {

const mask::FixedKeys kKeys;

Policy policy_with(const std::string& risk, const std::string& more = "") {
  const auto policy = load_policy(R"(apiVersion: mlops/v1
kind: PrivacyPolicy
metadata: {name: p, version: 1.0.0}
spec:
  classification:
    columns: {id: {class: patient_id}, dob: {class: birth_date}, sex: {class: demographic}, dx: {class: clinical}}
    optional_columns: [id]
  transforms:
    keys: {research: {purpose: pseudonymisation}}
    rules:
      - {match: {class: patient_id}, apply: {pseudonymize: {key: research, scope: dataset}}}
      - {match: {class: birth_date}, apply: {date_truncate: {to: year, cap_age: 89, reference: 2026-01-01}}}
  risk: )" + risk + "\n" + more,
                                  "p.yaml");
  if (!policy) FAIL(policy.error().message);
  return *policy;
}

struct Released {
  Status status;
  MaskEvidence evidence;
  std::vector<std::string> texts;
};

// Masks the files, measures what came out, and takes out what must go; each file is {path, text}.
Released release(const Policy& policy, const std::vector<std::pair<std::string, std::string>>& files) {
  Released out;
  ReleaseRisk risk(policy);
  REQUIRE(risk.is_asked());
  for (const auto& [path, text] : files) {
    const auto plan = plan_text(policy, text, path);
    REQUIRE(plan);
    out.texts.emplace_back();
    const auto evidence = mask_text(policy, *plan, text, out.texts.back(), {kKeys}, "d", path);
    REQUIRE(evidence);
    merge_evidence(out.evidence, *evidence);
    data::StringSource source(out.texts.back());
    const auto reader = *data::open_records(source, {.path = path});
    REQUIRE(risk.read(*plan, *reader));
  }
  out.status = risk.judge(out.evidence);
  for (std::size_t i = 0; out.status && i < files.size(); ++i) {
    if (!risk.suppresses_in(i)) continue;
    data::StringSource source(out.texts[i]);
    data::StringSink sink;
    const auto reader = *data::open_records(source, {.path = files[i].first});
    REQUIRE(risk.write_kept(i, *reader, sink));
    out.texts[i] = sink.text;
  }
  return out;
}

// Three born in 1980, two in 1981; by day all are alone.
const std::string kTable =
    "dob,sex,dx\n1980-01-01,f,flu\n1980-02-02,f,asthma\n1981-03-03,f,flu\n1980-04-04,f,gout\n1981-05-05,f,flu\n";
const std::string kQuasi = "quasi_identifiers: [dob, sex]";

}  // namespace

TEST_CASE("release risk: the masked values are what counts, and what was reached is evidence") {
  const auto out = release(policy_with("{" + kQuasi + ", require: {k: 2}}"), {{"t.csv", kTable}});
  REQUIRE(out.status);
  const auto& table = out.evidence.risk.at(0);
  CHECK(table["k"] == Json({{"need", 2}, {"have", 2}}));
  CHECK(table["classes"] == 2);
  CHECK(table["tables"] == Json({"t"}));
  CHECK(out.evidence.rows == 5);
  CHECK(to_json(out.evidence)["risk"] == out.evidence.risk);
}

TEST_CASE("release risk: what asks for more than the data give is refused with counts and no value") {
  const auto out = release(policy_with("{" + kQuasi + ", require: {k: 3}}"), {{"t.csv", kTable}});
  REQUIRE_FALSE(out.status);
  const auto& error = out.status.error();
  CHECK(error.code == ErrorCode::kRefused);
  CHECK(error.slug == "risk_too_high");
  const auto facts = *parse_json(error.detail);
  CHECK(facts["risk"][0]["k"] == Json({{"need", 3}, {"have", 2}}));
  CHECK(facts["risk"][0]["below_k"] == 2);
  for (const auto* value : {"1980", "1981", "flu", "gout"}) {
    CHECK(error.detail.find(value) == std::string::npos);
    CHECK(error.message.find(value) == std::string::npos);
  }
}

TEST_CASE("release risk: records that stand out are left out where the policy says so") {
  const auto out =
      release(policy_with("{" + kQuasi + ", require: {k: 3}, on_fail: suppress_records}"), {{"t.csv", kTable}});
  REQUIRE(out.status);
  CHECK(out.texts[0] == "dob,sex,dx\n1980,f,flu\n1980,f,asthma\n1980,f,gout\n");
  CHECK(out.evidence.rows == 3);
  CHECK(out.evidence.rows_suppressed == 2);
  CHECK(to_json(out.evidence)["rows_suppressed"] == 2);
  CHECK(out.evidence.risk[0]["suppressed"] == 2);
  CHECK(out.evidence.risk[0]["k"]["have"] == 3);
}

TEST_CASE("release risk: a release of which nothing is left is refused") {
  const auto out =
      release(policy_with("{" + kQuasi + ", require: {k: 9}, on_fail: suppress_records}"), {{"t.csv", kTable}});
  REQUIRE_FALSE(out.status);
  CHECK(out.status.error().slug == "risk_too_high");
}

TEST_CASE("release risk: diversity and closeness of a sensitive column are asked as well") {
  const auto l =
      release(policy_with("{" + kQuasi + ", require: {k: 2, l: {attr: dx, distinct: 2}}}"), {{"t.csv", kTable}});
  REQUIRE_FALSE(l.status);
  CHECK(parse_json(l.status.error().detail).value()["risk"][0]["shortfalls"][0]["rule"] == "l");
  const auto entropy =
      release(policy_with("{" + kQuasi + ", require: {l: {attr: dx, entropy: 1.5}}, on_fail: suppress_records}"),
              {{"t.csv", kTable}});
  REQUIRE(entropy.status);
  CHECK(entropy.evidence.rows_suppressed == 2);
  const auto t = release(policy_with("{" + kQuasi + ", require: {t: {attr: dx, max: 0.1}}}"), {{"t.csv", kTable}});
  REQUIRE_FALSE(t.status);
  CHECK(parse_json(t.status.error().detail).value()["risk"][0]["shortfalls"][0]["rule"] == "t");
}

TEST_CASE("release risk: files of the same columns are one table, and lose their own records") {
  const std::string more = "dob,sex,dx\n1981-06-06,f,flu\n1999-07-07,f,flu\n";
  const auto out = release(policy_with("{" + kQuasi + ", require: {k: 3}, on_fail: suppress_records}"),
                           {{"a.csv", kTable}, {"b.csv", more}});
  REQUIRE(out.status);
  CHECK(out.evidence.rows_suppressed == 1);
  CHECK(out.texts[0].find("1981,f,flu\n1980,f,gout\n1981") != std::string::npos);
  CHECK(out.texts[1] == "dob,sex,dx\n1981,f,flu\n");
  CHECK(out.evidence.risk.size() == 1);
}

TEST_CASE("release risk: k counts people where the data tell whose records they are") {
  const std::string twice =
      "id,dob,sex,dx\nP-1,1980-01-01,f,flu\nP-1,1980-01-01,f,flu\nP-2,1981-01-01,f,flu\nP-3,1981-01-02,f,flu\n";
  const auto records = release(policy_with("{" + kQuasi + ", require: {k: 2}}"), {{"t.csv", twice}});
  CHECK(records.status);
  const auto people =
      release(policy_with("{" + kQuasi + ", require: {k: 2}}", "  erasure: {subject_key: id}\n"), {{"t.csv", twice}});
  REQUIRE_FALSE(people.status);
  CHECK(parse_json(people.status.error().detail).value()["risk"][0]["counts"] == "subjects");
}

TEST_CASE("release risk: JSON records and elements of an array are left out without breaking the file") {
  const auto policy = load_policy(R"(apiVersion: mlops/v1
kind: PrivacyPolicy
metadata: {name: p, version: 1.0.0}
spec:
  classification: {columns: {/year: {class: demographic}, /dx: {class: clinical}, /id: {class: patient_id}}}
  transforms: {rules: [{match: {class: patient_id}, apply: suppress}]}
  risk: {quasi_identifiers: [/year], require: {k: 2}, on_fail: suppress_records}
)",
                                  "p.yaml");
  REQUIRE(policy);
  const std::string rare = R"({"id":"P-1","year":1,"dx":"a"})";
  const std::string often = R"({"id":"P-2","year":2,"dx":"a"})";
  const std::string kept = R"({"year":2,"dx":"a"})";
  const auto lines = release(
      *policy, {{"t.jsonl", rare + "\n" + often + "\n" + often + "\n" + R"({"id":"P-9","year":3,"dx":"a"})" + "\n"}});
  REQUIRE(lines.status);
  CHECK(lines.texts[0] == kept + "\n" + kept + "\n");
  const auto array = release(*policy, {{"t.json", "[" + rare + ", " + often + ", " + often + "]\n"}});
  REQUIRE(array.status);
  CHECK(array.texts[0] == "[" + kept + ", " + kept + "]\n");
}

TEST_CASE("release risk: a table read otherwise than it was written is not measured") {
  const auto policy = policy_with("{" + kQuasi + ", require: {k: 2}}");
  const auto plan = plan_text(policy, kTable);
  REQUIRE(plan);
  ReleaseRisk risk(policy);
  data::StringSource source("a,b\n1,2\n");
  const auto reader = *data::open_records(source, {.path = "t.csv"});
  const auto status = risk.read(*plan, *reader);
  REQUIRE_FALSE(status);
  CHECK(status.error().slug == "table_changed");
}
