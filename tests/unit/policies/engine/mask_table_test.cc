#include <string>
#include <vector>

#include "policies/engine/compare.h"
#include "policies/engine/explain.h"
#include "tests/unit/catch.h"
#include "tests/unit/policies/engine/mask_run.h"
#include "tests/unit/policies/mask/fixed_keys.h"

using namespace mlops;
using namespace mlops::policy;

namespace {

const std::string kPolicy = R"(apiVersion: mlops/v1
kind: PrivacyPolicy
metadata: {name: clinical-deid, version: 1.0.0, extends: [pack/hipaa-safe-harbor]}
spec:
  select: {kinds: [dataset]}
  classification:
    columns:
      mrn: {class: mrn}
      first_name: {class: person_name}
      last_name: {class: person_name}
      ssn: {class: us_ssn}
      dob: {class: birth_date}
      zip: {class: us_zip}
      phone: {class: phone}
      email: {class: email}
      note: {class: free_text}
      glucose: {class: measurement}
      icd10: {class: code}
      fax: {class: fax}
    optional_columns: [fax]
  transforms:
    keys: {research: {purpose: pseudonymisation}}
    rules:
      - {match: {class: mrn}, apply: {pseudonymize: {key: research}}}
      - {match: {class: birth_date}, apply: {date_truncate: {to: year, cap_age: 89, reference: 2026-01-01}}}
  exceptions:
    - {id: EX-1, gate: "class:mrn", scope: "*", reason: linkage in a test, approver: privacy board, expires: 2099-12-31}
)";

const std::string kHeader = "mrn,first_name,last_name,ssn,dob,zip,phone,email,note,glucose,icd10\n";

Policy policy_of(const std::string& yaml) {
  auto policy = load_policy(yaml, "p.yaml");
  if (!policy) FAIL(policy.error().message);
  return *policy;
}

const mask::FixedKeys kKeys;

struct Masked {
  Result<MaskEvidence> evidence = fail(ErrorCode::kInternal, "not_run", "");
  std::vector<ColumnPlan> plan;
  std::string text;
};

Masked run(const Policy& policy, const std::string& csv, const std::string& context = "patients") {
  Masked masked;
  auto plan = plan_text(policy, csv);
  if (!plan) {
    masked.evidence = fail(plan.error());
    return masked;
  }
  masked.plan = plan->columns;
  masked.evidence = mask_text(policy, *plan, csv, masked.text, {kKeys}, context);
  return masked;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

const ColumnPlan& column(const Masked& masked, const std::string& name) {
  for (const auto& plan : masked.plan) {
    if (plan.column == name) return plan;
  }
  FAIL("no column " + name);
  return masked.plan.front();
}

std::string person(const std::string& note, const std::string& glucose = "104", const std::string& icd10 = "E11.9") {
  return "70000123,Wilhelmina,Okonkwo-Reyes,932-21-4477,1931-04-17,03601,(212) 555-0142,wil.okonkwo@example.org,\"" +
         note + "\"," + glucose + "," + icd10 + "\n";
}

// Whatever happened, the error says nothing about anybody.
void check_silent(const Error& error) {
  for (const auto& value : {"Wilhelmina", "Okonkwo", "932-21-4477", "555-0142", "70000123", "example.org"}) {
    CHECK_FALSE(has(error.message + error.hint + error.detail, value));
  }
}

}  // namespace

TEST_CASE("nothing that identifies survives, what is clinical does") {
  const auto csv =
      kHeader +
      person(
          "Mrs WILHELMINA Okonkwo-Reyes (MRN 70-000-123, DOB 04/17/1931) called from 212.555.0142; SSN 932-21-4477. "
          "Wilhelmina's daughter writes from wil.okonkwo@example.org, lives in 03601.") +
      "70000999,Li,Vandermeer,900-12-0001,1988-12-01,02139,212-555-0199,li@example.org,\"Li slept well. BP "
      "120/80.\",98.5,I50.9\n";
  const auto masked = run(policy_of(kPolicy), csv);
  INFO(masked.text);
  REQUIRE(masked.evidence);
  for (const auto& value : {"70000123", "70-000-123", "Wilhelmina", "WILHELMINA", "Okonkwo", "Reyes", "932-21-4477",
                            "1931-04-17", "04/17/1931", "03601", "555-0142", "555.0142", "example.org", "Li ",
                            "Vandermeer", "900-12-0001", "1988-12", "02139", "70000999"}) {
    INFO(value);
    CHECK_FALSE(has(masked.text, value));
  }
  for (const auto& value : {"104,E11.9", "98.5,I50.9", "slept well. BP 120/80.", ",90+,", ",1988,", ",000,", ",021,"}) {
    INFO(value);
    CHECK(has(masked.text, value));
  }
  CHECK(masked.text.starts_with(kHeader));
}

TEST_CASE("the evidence counts cells and changes by column") {
  const auto masked = run(policy_of(kPolicy), kHeader + person("ok") + person("fine"));
  REQUIRE(masked.evidence);
  CHECK(masked.evidence->rows == 2);
  CHECK(masked.evidence->residual_findings == 0);
  CHECK(masked.evidence->residual_scanned_cells == 20);
  const auto json = to_json(*masked.evidence);
  CHECK(json["columns"][3] ==
        Json({{"column", "ssn"}, {"class", "us_ssn"}, {"transform", "redact"}, {"cells", 2}, {"changed", 2}}));
  CHECK(json["columns"][9]["changed"] == 0);
  CHECK(json["residual"]["findings"] == 0);
}

TEST_CASE("the plan says what decided and which rule applies") {
  const auto masked = run(policy_of(kPolicy), kHeader + person("ok"));
  REQUIRE(masked.evidence);
  CHECK(column(masked, "mrn").rule == "p.yaml:24");
  CHECK(column(masked, "ssn").rule.starts_with("pack/hipaa-safe-harbor:"));
  CHECK(column(masked, "glucose").rule == "default");
  CHECK(column(masked, "glucose").transform == "keep");
  CHECK(column(masked, "dob").decided_by == "declared");
}

TEST_CASE("pseudonyms are equal inside a dataset and different between two") {
  const auto csv = kHeader + person("a") + person("b");
  const auto one = run(policy_of(kPolicy), csv);
  const auto other = run(policy_of(kPolicy), csv, "other");
  REQUIRE(one.evidence);
  REQUIRE(other.evidence);
  const auto first = [](const std::string& text, std::size_t line) {
    std::size_t at = 0;
    while (line-- > 0) at = text.find('\n', at) + 1;
    return text.substr(at, text.find(',', at) - at);
  };
  CHECK(first(one.text, 1) == first(one.text, 2));
  CHECK(first(one.text, 1) != first(other.text, 1));
  CHECK(first(one.text, 1).size() == 43);
}

TEST_CASE("a declaration that lies is raised, and the transform of what was found applies") {
  std::string csv = kHeader;
  for (int i = 0; i < 20; ++i) csv += person("ok", "104", "123-45-678" + std::to_string(i % 10));
  const auto masked = run(policy_of(kPolicy), csv);
  REQUIRE(masked.evidence);
  CHECK(column(masked, "icd10").class_name == "us_ssn");
  CHECK(column(masked, "icd10").decided_by == "detector us_ssn 1.00 (declared code)");
  CHECK_FALSE(has(masked.text, "123-45"));
}

TEST_CASE("one SSN in many cells is found, cut out, and reported") {
  std::string csv = kHeader;
  for (int i = 0; i < 3000; ++i) csv += person("ok", "104", i == 2999 ? "see 123-45-6789" : "E11.9");
  const auto masked = run(policy_of(kPolicy), csv);
  REQUIRE(masked.evidence);
  CHECK(column(masked, "icd10").decided_by == "detector us_ssn in 1 of 3000 cells (declared code)");
  CHECK_FALSE(has(masked.text, "123-45-6789"));
  CHECK(masked.evidence->columns[10].changed == 1);
}

TEST_CASE("without a rule for free text the same table is refused by the residual scan") {
  const auto policy = policy_of(R"(apiVersion: mlops/v1
kind: PrivacyPolicy
metadata: {name: p, version: 1.0.0}
spec:
  classification: {columns: {a: {class: code}, b: {class: mrn}}}
  transforms: {rules: [{match: {class: mrn}, apply: suppress}]}
)");
  const auto masked = run(policy, "a,b\nE11,1\nE12,2\nI50,3\nsee 123-45-6789,4\n");
  REQUIRE_FALSE(masked.evidence);
  CHECK(masked.evidence.error().slug == "residual_findings");
  CHECK(masked.evidence.error().code == ErrorCode::kRefused);
  const auto facts = parse_json(masked.evidence.error().detail);
  REQUIRE(facts);
  CHECK((*facts)["findings"][0] == Json({{"column", "a"}, {"detector", "us_ssn"}, {"findings", 1}}));
  CHECK_FALSE(has(masked.evidence.error().message, "6789"));
}

TEST_CASE("a row's identifier in a kept column is a finding") {
  const auto masked = run(policy_of(kPolicy), kHeader + person("ok", "104", "ref 70000123"));
  REQUIRE_FALSE(masked.evidence);
  CHECK(masked.evidence.error().slug == "residual_findings");
  CHECK(has(masked.evidence.error().detail, "row_value"));
  check_silent(masked.evidence.error());
}

TEST_CASE("numeric clinical columns raise no suspicion") {
  std::string csv = kHeader;
  for (int i = 0; i < 400; ++i) {
    csv += person("ok", std::to_string(10000 + i * 137) + "." + std::to_string(i),
                  std::to_string(i * 7919 + 1000000000LL));
  }
  const auto masked = run(policy_of(kPolicy), csv);
  if (!masked.evidence) FAIL(masked.evidence.error().message);
  CHECK(column(masked, "glucose").class_name == "measurement");
  CHECK(column(masked, "icd10").class_name == "code");
}

TEST_CASE("a declared column that is not there refuses; an optional one does not") {
  const auto masked = run(policy_of(kPolicy), "mrn,first_name\n1,Wilhelmina\n");
  REQUIRE_FALSE(masked.evidence);
  CHECK(masked.evidence.error().slug == "columns_unmatched");
  CHECK(has(masked.evidence.error().detail, "\"last_name\""));
  CHECK_FALSE(has(masked.evidence.error().detail, "\"fax\""));
  check_silent(masked.evidence.error());
}

TEST_CASE("an undeclared column is quarantined, and the refusal says what it looks like") {
  const auto csv = "work_phone," + kHeader + "212-555-0171," + person("ok");
  const auto masked = run(policy_of(kPolicy), csv);
  REQUIRE_FALSE(masked.evidence);
  CHECK(masked.evidence.error().slug == "columns_unknown");
  const auto facts = parse_json(masked.evidence.error().detail);
  REQUIRE(facts);
  CHECK((*facts)["unknown"][0]["column"] == "work_phone");
  CHECK((*facts)["unknown"][0]["looks_like"] == "phone");
}

TEST_CASE("case and blanks of a header do not slip past a rule") {
  auto header = kHeader;
  header.replace(header.find("ssn"), 3, " SSN ");
  const auto masked = run(policy_of(kPolicy), header + person("ok"));
  if (!masked.evidence) FAIL(masked.evidence.error().message);
  CHECK_FALSE(has(masked.text, "932-21-4477"));
  CHECK(run(policy_of(kPolicy), "SSN," + kHeader + "1," + person("ok")).evidence.error().slug ==
        "csv_header_duplicate");
}

TEST_CASE("a table without a header is refused without showing its first row") {
  const auto masked = run(policy_of(kPolicy), person("ok") + person("ok too"));
  REQUIRE_FALSE(masked.evidence);
  CHECK(masked.evidence.error().slug == "header_missing");
  check_silent(masked.evidence.error());
  const auto quiet = run(policy_of(kPolicy), "Wilhelmina,Okonkwo\nLi,Vandermeer\n");
  REQUIRE_FALSE(quiet.evidence);
  CHECK(quiet.evidence.error().slug == "columns_unmatched");
  check_silent(quiet.evidence.error());
}

TEST_CASE("a table without rows, and another table than the planned one, are refused") {
  CHECK(run(policy_of(kPolicy), kHeader).evidence.error().slug == "table_empty");
  const auto policy = policy_of(kPolicy);
  const auto planned = run(policy, kHeader + person("ok"));
  std::string out;
  CHECK(mask_text(policy, {"t", planned.plan}, "a,b\n1,2\n", out, {kKeys}, "x").error().slug == "table_changed");
}

TEST_CASE("a key that cannot be had stops the run") {
  const auto policy = policy_of(kPolicy);
  const auto csv = kHeader + person("ok");
  const auto planned = run(policy, csv);
  std::string out;
  const mask::NoKeys away;
  const auto refused = mask_text(policy, {"t", planned.plan}, csv, out, {away}, "patients");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().slug == "no_key");
  CHECK(out.empty());
}

TEST_CASE("unknown columns under scan are treated as what they hold") {
  const auto policy = policy_of(R"(apiVersion: mlops/v1
kind: PrivacyPolicy
metadata: {name: p, version: 1.0.0}
spec:
  classification: {unknown_column: scan}
  transforms:
    rules:
      - {match: {class: email}, apply: {redact: {with: "[EMAIL]"}}}
      - {match: {class: person_name}, apply: {redact: {with: "[NAME]"}}}
      - {match: {class: free_text}, apply: {redact: {spans: detected}}}
)");
  const auto masked = run(policy, "contact,last_name,score\na@example.org,Okonkwo,1\nb@example.org,Reyes,2\n");
  if (!masked.evidence) FAIL(masked.evidence.error().message);
  CHECK(masked.text == "contact,last_name,score\n[EMAIL],[NAME],1\n[EMAIL],[NAME],2\n");
  const auto refused = run(policy, "contact,ssn\na@example.org,123-45-6789\nb@example.org,123-45-6780\n");
  REQUIRE_FALSE(refused.evidence);
  CHECK(refused.evidence.error().slug == "class_without_rule");
}

TEST_CASE("a tab-separated table without a header shows no name of anybody, as a comma-separated one") {
  const auto policy = policy_of(kPolicy);
  for (const auto& path : {"t.csv", "t.tsv"}) {
    INFO(path);
    const auto text =
        path == std::string("t.csv") ? "Wilhelmina,Okonkwo\nLi,Vandermeer\n" : "Wilhelmina\tOkonkwo\nLi\tVandermeer\n";
    const auto refused = plan_text(policy, text, path);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().slug == "columns_unmatched");
    check_silent(refused.error());
  }
}

TEST_CASE("columns of one name but different classes keep apart in the evidence of a dataset") {
  MaskEvidence all{.rows = 1,
                   .columns = {{.column = "Id", .class_name = "identifier", .transform = "redact", .cells = 1}}};
  const MaskEvidence more{.rows = 2,
                          .columns = {{.column = "Id", .class_name = "identifier", .transform = "redact", .cells = 2},
                                      {.column = "Id", .class_name = "mrn", .transform = "redact", .cells = 4}}};
  merge_evidence(all, more);
  CHECK(all.rows == 3);
  REQUIRE(all.columns.size() == 2);
  CHECK(all.columns[0].cells == 3);
  CHECK(all.columns[1].cells == 4);
}

TEST_CASE("a refusal names the first of many columns and counts the rest") {
  const auto policy = policy_of(kPolicy);
  const auto refused = plan_text(policy, "a\n1\n");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().slug == "columns_unmatched");
  CHECK(has(refused.error().message, "and 3 more"));
  CHECK(has(refused.error().detail, "icd10"));
}

namespace {

// Two columns that write something which looks like an address of nobody's.
std::string with_limit(const std::string& limit) {
  return R"(apiVersion: mlops/v1
kind: PrivacyPolicy
metadata: {name: p, version: 1.0.0}
spec:
  classification: {columns: {a: {class: email}, b: {class: username}}}
  transforms:
    rules:
      - {match: {column: a}, apply: {replace: {with: "front.desk@hospital.org"})" +
         limit + R"(}}
      - {match: {column: b}, apply: {redact: {with: "[USER]"}, residual: {max_findings: 0}}}
  residual: {max_findings: 5}
)";
}

}  // namespace

TEST_CASE("mask: a rule may allow less to be left behind than the policy does") {
  const std::string csv = "a,b\njane@example.org,jr\njoe@example.org,jd\n";
  const auto lax = run(policy_of(with_limit("")), csv);
  REQUIRE(lax.evidence);
  CHECK(lax.evidence->residual_findings == 2);
  CHECK(run(policy_of(with_limit(", residual: {max_findings: 2}")), csv).evidence);
  const auto strict = run(policy_of(with_limit(", residual: {max_findings: 1}")), csv);
  REQUIRE_FALSE(strict.evidence);
  CHECK(strict.evidence.error().slug == "residual_findings");
  CHECK(strict.evidence.error().message.find("front.desk") == std::string::npos);
}

TEST_CASE("mask: a rule's own residual limit is read, explained and compared") {
  const auto errors = [](const std::string& limit) {
    std::string slugs;
    for (const auto& one : lint_policy(with_limit(limit), "p.yaml")) slugs += one.is_error ? one.slug + " " : "";
    return slugs;
  };
  CHECK(errors(", residual: {max_findings: 1}").empty());
  CHECK(has(errors(", residual: {max_finding: 1}"), "unknown_key"));
  CHECK_FALSE(errors(", residual: {max_findings: -1}").empty());
  CHECK(has(errors(", residual: {}"), "missing_key"));
  CHECK(has(errors(", mask: {}"), "bad_apply"));
  const auto text = explain(policy_of(with_limit(", residual: {max_findings: 1}"))).dump();
  CHECK(text.find("at most 1 left behind") != std::string::npos);
  const auto changes = [](const std::string& before, const std::string& after) {
    return compare_policies(policy_of(with_limit(before)), policy_of(with_limit(after)));
  };
  CHECK(changes("", ", residual: {max_findings: 1}").at(0).change == Change::kTightened);
  CHECK(changes(", residual: {max_findings: 1}", ", residual: {max_findings: 2}").at(0).change == Change::kLoosened);
}
