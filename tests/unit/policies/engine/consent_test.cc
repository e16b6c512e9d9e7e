// purpose.consent at masking: records without the consent they need stay out, or refuse the run.
#include <string>
#include <vector>

#include "tests/unit/catch.h"
#include "tests/unit/policies/engine/mask_run.h"
#include "tests/unit/policies/mask/fixed_keys.h"

using namespace mlops;
using namespace mlops::policy;

namespace {

const mask::FixedKeys kKeys;

Policy policy_with(const std::string& consent, const std::string& more = "") {
  const auto policy = load_policy(R"(apiVersion: mlops/v1
kind: PrivacyPolicy
metadata: {name: p, version: 1.0.0}
spec:
  classification:
    unknown_column: allow
    columns: {id: {class: patient_id}, consent_id: {class: consent}, years: {class: quasi}, dx: {class: clinical}}
    optional_columns: [consent_id, years, id, dx]
  transforms:
    rules: [{match: {class: patient_id}, apply: suppress}, {match: {column: consent_id}, apply: suppress}]
  purpose: {declared: [operations], consent: )" +
                                      consent + "}\n" + more,
                                  "p.yaml");
  if (!policy) FAIL(policy.error().message);
  return *policy;
}

struct Masked {
  Result<MaskEvidence> evidence = fail(ErrorCode::kInternal, "not_run", "");
  std::string text;
};

Masked run(const Policy& policy, const std::string& text, const std::string& path = "t.csv") {
  Masked out;
  const auto plan = plan_text(policy, text, path);
  REQUIRE(plan);
  out.evidence = mask_text(policy, *plan, text, out.text, {kKeys}, "d", path);
  return out;
}

const std::string kExclude = "{field: consent_id, on_missing: exclude_record}";
const std::string kTable = "consent_id,years,dx\nC-1,40,a\n,41,b\nno,12,c\nC-2,11,d\n";

}  // namespace

TEST_CASE("consent: records whose column holds none, or says no, stay out") {
  const auto out = run(policy_with(kExclude), kTable);
  REQUIRE(out.evidence);
  CHECK(out.text == "years,dx\n40,a\n11,d\n");
  CHECK(out.evidence->rows == 2);
  CHECK(out.evidence->rows_without_consent == 2);
  CHECK(to_json(*out.evidence)["rows_without_consent"] == 2);
}

TEST_CASE("consent: every word for none counts, in any case and with blanks") {
  for (const std::string word : {"NO", " false ", "n/a", "Withdrawn", "revoked", "0", "-", "opt-out"}) {
    CAPTURE(word);
    const auto out = run(policy_with(kExclude), "consent_id,dx\nC-1,a\n" + word + ",b\n");
    REQUIRE(out.evidence);
    CHECK(out.text == "dx\na\n");
  }
}

TEST_CASE("consent: from an age on none is needed, and an age nobody can read is below it") {
  const std::string consent = "{field: consent_id, min_age: 13, age_field: years, on_missing: exclude_record}";
  const auto out =
      run(policy_with(consent), "consent_id,years,dx\n,13,a\n,12,b\nC-1,5,c\n,,d\n,old,e\n,nan,f\n,999,g\n");
  REQUIRE(out.evidence);
  CHECK(out.text == "years,dx\n13,a\n5,c\n");
  const auto all = run(policy_with("{field: consent_id, min_age: 13, on_missing: exclude_record}"), kTable);
  REQUIRE(all.evidence);
  CHECK(all.text == "years,dx\n40,a\n11,d\n");
}

TEST_CASE("consent: where the policy denies, one record without it refuses the run with counts") {
  for (const std::string consent : {"{field: consent_id, on_missing: deny}", "{field: consent_id}"}) {
    const auto out = run(policy_with(consent), kTable);
    REQUIRE_FALSE(out.evidence);
    CHECK(out.evidence.error().code == ErrorCode::kRefused);
    CHECK(out.evidence.error().slug == "consent_missing");
    const auto facts = *parse_json(out.evidence.error().detail);
    CHECK(facts["records"] == 4);
    CHECK(facts["without_consent"] == 2);
  }
  CHECK(run(policy_with("{field: consent_id}"), "consent_id,dx\nC-1,a\n").evidence);
}

TEST_CASE("consent: a file of which nothing is left, or that has no such column, is refused") {
  for (const std::string text : {"consent_id,dx\n,a\nno,b\n", "id,dx\n1,a\n"}) {
    const auto out = run(policy_with(kExclude), text);
    REQUIRE_FALSE(out.evidence);
    CHECK(out.evidence.error().slug == "consent_missing");
  }
}

TEST_CASE("consent: a column of one table is asked of that table only") {
  const auto policy = load_policy(R"(apiVersion: mlops/v1
kind: PrivacyPolicy
metadata: {name: p, version: 1.0.0}
spec:
  classification: {columns: {patients.consent_id: {class: consent}, dx: {class: clinical}}, optional_columns: [patients.consent_id]}
  transforms: {rules: [{match: {class: patient_id}, apply: suppress}]}
  purpose: {declared: [operations], consent: {field: patients.consent_id, on_missing: exclude_record}}
)",
                                  "p.yaml");
  REQUIRE(policy);
  const auto patients = run(*policy, "consent_id,dx\nC-1,a\n,b\n", "patients.csv");
  REQUIRE(patients.evidence);
  CHECK(patients.evidence->rows == 1);
  const auto codes = run(*policy, "dx\na\n", "codes.csv");
  REQUIRE(codes.evidence);
  CHECK(codes.evidence->rows == 1);
}

TEST_CASE("consent: JSON records are asked too, and FHIR and text cannot be") {
  const auto policy = load_policy(R"(apiVersion: mlops/v1
kind: PrivacyPolicy
metadata: {name: p, version: 1.0.0}
spec:
  classification: {columns: {/c: {class: consent}, /dx: {class: clinical}, text: {class: free_text}}, optional_columns: [/c, /dx, text]}
  transforms: {rules: [{match: {class: free_text}, apply: redact}]}
  purpose: {declared: [operations], consent: {field: /c, on_missing: exclude_record}}
)",
                                  "p.yaml");
  REQUIRE(policy);
  const auto lines = run(*policy, "{\"c\":null,\"dx\":1}\n{\"c\":\"C-1\",\"dx\":2}\n{\"dx\":3}\n", "t.jsonl");
  REQUIRE(lines.evidence);
  CHECK(lines.text == "{\"c\":\"C-1\",\"dx\":2}\n");
  const auto array = run(*policy, R"([{"c":false,"dx":1}, {"c":true,"dx":2}])", "t.json");
  REQUIRE(array.evidence);
  CHECK(array.text == R"([{"c":true,"dx":2}])");
  const auto text = run(*policy, "a note\n", "t.txt");
  REQUIRE_FALSE(text.evidence);
  CHECK(text.evidence.error().slug == "consent_not_by_record");
}
