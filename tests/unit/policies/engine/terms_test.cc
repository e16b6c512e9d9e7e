// The terms of a policy: read, merged, and asked; periods; which column a pattern means.
#include <algorithm>
#include <string>
#include <vector>

#include "policies/engine/body.h"
#include "policies/engine/columns.h"
#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::policy;

namespace {

std::string plain(const std::string& spec, const std::string& metadata = "") {
  return "apiVersion: mlops/v1\nkind: PrivacyPolicy\nmetadata: {name: p, version: 1.0.0" + metadata + "}\nspec:\n" +
         spec;
}

const std::string kBase =
    "  classification: {columns: {id: {class: patient_id}, age: {class: age}, dx: {class: clinical}}}\n"
    "  transforms: {rules: [{match: {class: patient_id}, apply: suppress}, {match: {class: age}, apply: suppress}]}\n";

std::string shown(const std::vector<LintFinding>& findings) {
  std::string text;
  for (const auto& f : findings) text += std::to_string(f.line) + " " + f.slug + " " + f.message + "\n";
  return text;
}

bool finds(const std::string& yaml, const std::string& slug, int line) {
  const auto findings = lint_policy(yaml, "p.yaml");
  INFO(shown(findings));
  return std::any_of(findings.begin(), findings.end(),
                     [&](const LintFinding& f) { return f.slug == slug && f.line == line && f.is_error; });
}

TimestampUs at(const std::string& date) {
  return *parse_rfc3339(date);
}

}  // namespace

TEST_CASE("every term is read as it is written") {
  const auto policy = load_policy(
      plain(
          kBase +
              "  enforcement: {mode: warn, shadow: p@1.1.0}\n"
              "  risk: {quasi_identifiers: [age], require: {k: 5, l: {attr: dx, distinct: 2}, t: {attr: dx, max: 0.3}},"
              " on_fail: suppress_records}\n"
              "  retention: {max: P6Y, from: last_use, action: shred, legal_hold: overrides, audit_log_min: P1Y}\n"
              "  residency: {allowed: [eu-west], transfer: {\"us-*\": {basis: scc, id: required}}}\n"
              "  purpose:\n"
              "    declared: [train_ai_system]\n"
              "    lawful_basis: {default: art6_1_e, special: art9_2_j}\n"
              "    consent: {field: id, min_age: 13, required_for: [third_party_sharing], on_missing: exclude_record}\n"
              "  erasure: {subject_key: id, sla: P30D, datasets: rewrite_or_shred, models: {action:"
              " flag_and_block_promotion, retrain_within: P90D}, backups: crypto_shred}\n"
              "  expert: {name: E, method: M, risk_threshold: 0.1, expires: 2027-01-01}\n"
              "  attestations: {no_actual_knowledge: {ref: A-1, by: officer, at: 2026-01-01}}\n"
              "  evidence: {dua: DUA-1}\n",
          ", effective_from: 2026-12-01"),
      "p.yaml");
  if (!policy) FAIL(policy.error().message);
  const auto& terms = policy->terms();
  CHECK(terms.enforcement.mode == EnforcementMode::kWarn);
  CHECK(terms.enforcement.shadow.policy.value == "p@1.1.0");
  CHECK(terms.risk.k == 5);
  CHECK(terms.risk.l.at(0).distinct == 2);
  CHECK(terms.risk.t.at(0).max == 0.3);
  CHECK(terms.risk.on_fail == OnRisk::kSuppressRecords);
  CHECK(terms.retention.max == parse_period("P6Y"));
  CHECK(terms.retention.from == RetentionFrom::kLastUse);
  CHECK(terms.retention.action == RetentionAction::kShred);
  CHECK(terms.purpose.consent->on_missing == OnMissingConsent::kExcludeRecord);
  CHECK(terms.purpose.lawful_basis_special == "art9_2_j");
  CHECK(permits_use(terms.purpose, "train_ai_system"));
  CHECK_FALSE(permits_use(terms.purpose, "marketing"));
  CHECK(terms.erasure.subject_key.value == "id");
  CHECK(terms.erasure.models_action == "flag_and_block_promotion");
  CHECK(terms.expert->risk_threshold == 0.1);
  CHECK(terms.attestations.at(0).by == "officer");
  CHECK(terms.evidence.at(0).ref == "DUA-1");
  REQUIRE(terms.effective.size() == 1);
  CHECK_FALSE(check_in_force(*policy, at("2026-11-30")));
  CHECK(check_in_force(*policy, at("2026-12-01")));
  CHECK_FALSE(check_in_force(*policy, at("2027-01-01")));
}

TEST_CASE("a region is allowed by name, or by a transfer that names its ground") {
  Residency residency;
  CHECK(permits_region(residency, "anywhere", "").allowed);
  residency.allowed = {"eu-west"};
  residency.transfers = {{{"us-*", {}}, TransferBasis::kScc, "required"},
                         {{"jp", {}}, TransferBasis::kAdequacy, "2019/419"}};
  CHECK(permits_region(residency, "eu-west", "").allowed);
  CHECK_FALSE(permits_region(residency, "", "").allowed);
  CHECK_FALSE(permits_region(residency, "us-east", "").allowed);
  CHECK(permits_region(residency, "us-east", "SCC-9").allowed);
  CHECK(permits_region(residency, "jp", "").allowed);
  CHECK_FALSE(permits_region(residency, "cn-north", "SCC-9").allowed);
}

TEST_CASE("what cannot be meant is found in the terms") {
  const std::string base = kBase;  // lines 5 and 6; the terms under test are line 7
  const auto finds_in_7 = [&](const std::string& line, const std::string& slug) {
    INFO(line);
    CHECK(finds(plain(base + "  " + line + "\n"), slug, 7));
  };
  finds_in_7("retention: {max: 6 years}", "bad_period");
  finds_in_7("retention: {action: shred}", "retention_without_max");
  finds_in_7("retention: {max: P0D}", "retention_impossible");
  finds_in_7("retention: {mx: P6Y}", "unknown_key");
  finds_in_7("residency: {allowed: []}", "residency_impossible");
  finds_in_7("residency: {transfer: {us: {basis: scc}}}", "missing_key");
  finds_in_7("residency: {transfer: {us: {basis: shield, id: x}}}", "unknown_word");
  finds_in_7("residency: {allowed: [no]}", "bool_word");
  finds_in_7("purpose: {controller: true}", "bool_word");
  finds_in_7("purpose: {declared: [\"Train AI\"]}", "bad_use");
  finds_in_7("purpose: {lawful_basis: {default: art6_1_z}}", "unknown_word");
  finds_in_7("purpose: {consent: {field: consent_id}}", "unknown_column");
  finds_in_7("risk: {quasi_identifiers: [zip], require: {k: 5}}", "unknown_column");
  finds_in_7("risk: {quasi_identifiers: [age]}", "risk_without_limit");
  finds_in_7("risk: {require: {k: 5}}", "risk_without_columns");
  finds_in_7("risk: {quasi_identifiers: [age], require: {k: 1}}", "yaml_range");
  finds_in_7("risk: {quasi_identifiers: [age], require: {l: {attr: dx}}}", "bad_risk");
  finds_in_7("erasure: {subject_key: subject}", "unknown_column");
  finds_in_7("enforcement: {mode: audit}", "unknown_word");
  finds_in_7("exceptions: [{id: E, gate: auc, scope: \"*\", reason: r, approver: a, expires: 2027-01-01}]",
             "unknown_exception");
  finds_in_7("exceptions: [{id: E, gate: unknown_column, scope: \"*\", reason: r, approver: a}]", "missing_key");
  finds_in_7("exceptions: [{id: E, gate: unknown_column, scope: \"*\", expires: 2027-01-01}]", "missing_key");
  finds_in_7("expert: {name: E}", "missing_key");
  finds_in_7("evidence: {dua: \"\"}", "missing_key");
  finds_in_7("tests: [{given: {row: {ag: \"90\"}}, expect: {age: \"90+\"}}]", "unknown_column");
  finds_in_7("tests: [{given: {target: prod}, expect: maybe}]", "unknown_word");
  finds_in_7("tests: [{given: {target: prod}, expect: deny, because: auc-flor}]", "unknown_gate");
  finds_in_7("tests: [{given: {row: {age: \"90\"}}, expect: deny}]", "bad_test");
}

TEST_CASE("columns take levels, subjects and switches by their words") {
  const auto finds_in_5 = [](const std::string& line, const std::string& slug) {
    INFO(line);
    CHECK(finds(plain("  " + line + "\n"), slug, 5));
  };
  finds_in_5("classification: {columns: {a: {class: mrn, level: secret}}}", "unknown_level");
  finds_in_5("classification: {columns: {a: {class: mrn, subject: doctor}}}", "unknown_word");
  finds_in_5("classification: {columns: {a: {class: mrn, optional: maybe}}}", "yaml_type");
  finds_in_5("classification: {columns: {no: {class: flag}}}", "bool_word");
  finds_in_5("classification: {levels: [low, low]}", "duplicate_level");
  finds_in_5("classification: {scan: {rows: 1000}}", "unknown_word");
  finds_in_5("classification: {scan: {decode: [rot13]}}", "unknown_word");
}

TEST_CASE("a loosening needs an exception, which runs out by a clock that is given") {
  const auto yaml = [](const std::string& exception) {
    return plain("  classification: {unknown_column: allow}\n  attestations: {no_actual_knowledge: A-1}\n" + exception,
                 ", extends: [pack/hipaa-safe-harbor]");
  };
  CHECK_FALSE(load_policy(yaml(""), "p.yaml"));
  const auto text = yaml(
      "  exceptions: [{id: EX-1, gate: unknown_column, scope: \"dataset:pilot\", reason: r, approver: cto, expires:"
      " 2026-12-31}]\n");
  const auto policy = load_policy(text, "p.yaml");
  if (!policy) FAIL(policy.error().message);
  CHECK(policy->body().unknown_column == UnknownColumn::kAllow);
  const auto quiet = lint_policy(text, "p.yaml", at("2026-12-30"));
  REQUIRE(quiet.size() == 1);
  CHECK(quiet[0].slug == "excepted");
  const auto late = lint_policy(text, "p.yaml", at("2026-12-31"));
  CHECK(std::any_of(late.begin(), late.end(), [](const LintFinding& f) { return f.slug == "exception_expired"; }));
  CHECK(check_in_force(*policy, at("2026-12-30")));
  const auto refused = check_in_force(*policy, at("2026-12-31"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().slug == "policy_not_in_force");
  CHECK(refused.error().code == ErrorCode::kRefused);
}

TEST_CASE("the scope of an exception names a kind, a name and perhaps a digest") {
  CHECK(scope_covers("*", "dataset:pilot", "sha256:1"));
  CHECK(scope_covers("dataset:pilot", "dataset:pilot", "sha256:1"));
  CHECK(scope_covers("dataset:*", "dataset:pilot", "sha256:1"));
  CHECK(scope_covers("dataset:pilot@sha256:1", "dataset:pilot", "sha256:1"));
  CHECK_FALSE(scope_covers("dataset:pilot@sha256:1", "dataset:pilot", "sha256:2"));
  CHECK_FALSE(scope_covers("dataset:pilot", "dataset:pilot2", "sha256:1"));
  CHECK_FALSE(scope_covers("model:*", "dataset:pilot", "sha256:1"));
}

TEST_CASE("periods are read, written, compared and added by the calendar") {
  for (const auto* bad : {"", "P", "6Y", "P6", "PY", "P1D6Y", "PT6Y", "P1H", "P-1D", "P1YT", "P9999999999Y", "P 1D"}) {
    INFO(bad);
    CHECK_FALSE(parse_period(bad));
  }
  CHECK(parse_period("P6Y")->to_string() == "P6Y");
  CHECK(parse_period("P72M") == parse_period("P6Y"));
  CHECK(parse_period("P2W")->to_string() == "P14D");
  CHECK(parse_period("P1Y2M3DT4H5M6S")->to_string() == "P1Y2M3DT4H5M6S");
  CHECK(*parse_period("P2190D") < *parse_period("P6Y"));
  CHECK(*parse_period("P30D") < *parse_period("P1M"));
  CHECK(add(at("2026-01-31"), *parse_period("P1M")) == at("2026-02-28"));
  CHECK(add(at("2024-02-29"), *parse_period("P1Y")) == at("2025-02-28"));
  CHECK(add(at("2026-01-31"), *parse_period("P1D")) == at("2026-02-01"));
}

TEST_CASE("column patterns") {
  struct Case {
    const char* pattern;
    const char* column;
    bool matches;
  };
  const Case cases[] = {
      {"ssn", "SSN ", true},
      {"ssn", "ssn2", false},
      {"patients.dob", "Patients.DOB", true},
      {"patients.*", "patients.dob", true},
      {"patients.*", "patients", false},
      {"*.dob", "visits.dob", true},
      {"/name/*/family", "/name/*/family", true},
      {"/name/*/family", "/name/given/family", true},
      {"/name/*/family", "/name/family", false},
      {"/name/**", "/name/*/family", true},
      {"/name/**", "/name", true},
      {"/name/**", "/names/x", false},
      {"**/ssn", "ssn", true},
      {"**/ssn", "/a/b/SSN", true},
      {"**/ssn", "Patient.identifier.ssn", true},
      {"**/ssn", "/a/ssn/b", false},
      {"Patient.name.family", "patient.name.family", true},
      {"Patient.**.family", "Patient.contact.name.family", true},
      {"Patient.**.family", "/Patient/name/family", false},
      {"/Patient/**/family", "Patient.name.family", false},
      {"*", "anything", true},
      {"*", "/anything", false},
      {"**", "/any/thing", true},
      {"a*", "ab", false},
  };
  for (const auto& one : cases) {
    INFO(one.pattern << " " << one.column);
    CHECK(column_matches(one.pattern, one.column) == one.matches);
  }
}

TEST_CASE("a name beats a pattern, and the first pattern the later ones") {
  const auto policy = load_policy(plain("  classification: {columns: {\"**/id\": {class: patient_id}, \"**/x/id\": "
                                        "{class: mrn}, /x/id: {class: code}}}\n"
                                        "  transforms: {rules: [{match: {class: patient_id}, apply: suppress}, {match: "
                                        "{class: mrn}, apply: redact}]}\n"),
                                  "p.yaml");
  if (!policy) FAIL(policy.error().message);
  CHECK(policy->body().declared("/X/ID")->class_name.value == "code");
  CHECK(policy->body().declared("/y/x/id")->class_name.value == "patient_id");
  CHECK(policy->body().declared("/y/idx") == nullptr);
}
