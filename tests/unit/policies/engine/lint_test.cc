// Every lint finding, each by the smallest policy that shows it.
#include <algorithm>
#include <string>
#include <vector>

#include "policies/detect/detector.h"
#include "policies/engine/policy.h"
#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::policy;

namespace {

std::string policy_text(const std::string& metadata, const std::string& spec) {
  return "apiVersion: mlops/v1\nkind: PrivacyPolicy\nmetadata: {name: p, version: 1.0.0" + metadata + "}\nspec:\n" +
         spec;
}

std::string plain(const std::string& spec) {
  return policy_text("", spec);
}
std::string safe_harbor(const std::string& spec) {
  return policy_text(", extends: [pack/hipaa-safe-harbor]", spec);
}

std::string shown(const std::vector<LintFinding>& findings) {
  std::string text;
  for (const auto& f : findings) {
    text += std::to_string(f.line) + ":" + std::to_string(f.column) + " " + f.slug + " " + f.message + "\n";
  }
  return text;
}

const LintFinding* find(const std::vector<LintFinding>& findings, const std::string& slug) {
  const auto found =
      std::find_if(findings.begin(), findings.end(), [&](const LintFinding& f) { return f.slug == slug; });
  return found == findings.end() ? nullptr : &*found;
}

struct Case {
  std::string note;
  std::string yaml;
  std::string slug;
  int line;
  bool is_error = true;
};

const std::string kColumns =
    "  classification: {columns: {ssn: {class: us_ssn}, los: {class: clinical}, note: {class: free_text}}}\n";
const std::string kGate = "  gates:\n    - ";

std::vector<Case> cases() {
  return {
      {"broken YAML", "apiVersion: [", "", 0},
      {"unknown key at the top", plain("  gates: []\n") + "extra: 1\n", "unknown_key", 6},
      {"unknown key in spec", plain("  gatez: []\n"), "unknown_key", 5},
      {"unknown key in a rule", plain("  transforms: {rules: [{match: {class: us_ssn}, apply: redact, prio: 1}]}\n"),
       "unknown_key", 5},
      {"wrong apiVersion", "apiVersion: v2\nkind: PrivacyPolicy\nmetadata: {name: p, version: 1.0.0}\nspec: {}\n",
       "wrong_api_version", 1},
      {"wrong kind", "apiVersion: mlops/v1\nkind: Policy\nmetadata: {name: p, version: 1.0.0}\nspec: {}\n",
       "wrong_kind", 2},
      {"no name", "apiVersion: mlops/v1\nkind: PrivacyPolicy\nmetadata: {version: 1.0.0}\nspec: {}\n", "missing_key",
       3},
      {"bad name", "apiVersion: mlops/v1\nkind: PrivacyPolicy\nmetadata: {name: A B, version: 1.0.0}\nspec: {}\n",
       "bad_name", 3},
      {"bad version", "apiVersion: mlops/v1\nkind: PrivacyPolicy\nmetadata: {name: p, version: one}\nspec: {}\n",
       "bad_version", 3},
      {"bad date", policy_text(", effective_from: soon", "  gates: []\n"), "bad_date", 3},
      {"unknown pack", policy_text(", extends: [pack/hipa-safe-harbor]", "  gates: []\n"), "unknown_pack", 3},
      {"pack twice", policy_text(", extends: [pack/hipaa-safe-harbor, pack/hipaa-safe-harbor]", kColumns),
       "duplicate_pack", 3},
      {"pack of another version", policy_text(", extends: [pack/hipaa-safe-harbor@9]", kColumns), "pack_version", 3},
      {"empty select", plain("  select: {kinds: []}\n  gates: []\n"), "empty_select", 5},
      {"select without kinds", plain("  select: {}\n"), "empty_select", 5},
      {"unknown kind", plain("  select: {kinds: [datasets]}\n"), "unknown_word", 5},
      {"unknown detector", plain("  classification: {detectors: [{use: us_sns}]}\n"), "unknown_detector", 5},
      {"detector twice", plain("  classification: {detectors: [{use: us_ssn}, {use: us_ssn}]}\n"), "duplicate_detector",
       5},
      {"detector score out of range", plain("  classification: {detectors: [{use: us_ssn, min_score: 2}]}\n"),
       "out_of_range", 5},
      {"bad regex", plain("  classification: {detectors: [{use: study_no, params: {value: '(['}}]}\n"), "bad_pattern",
       5},
      {"detector params without a pattern", plain("  classification: {detectors: [{use: study_no, params: {}}]}\n"),
       "bad_pattern", 5},
      {"column of an unknown class", plain("  classification: {columns: {a: {class: us_snn}}}\n"), "unknown_class", 5},
      {"column without a class", plain("  classification: {columns: {a: {}}}\n"), "missing_key", 5},
      {"column twice but for case", plain("  classification: {columns: {a: {class: code}, A: {class: code}}}\n"),
       "duplicate_column", 5},
      {"optional column nobody declares",
       plain("  classification: {columns: {a: {class: code}}, optional_columns: [b]}\n"), "unknown_column", 5},
      {"unknown word for unknown_column", plain("  classification: {unknown_column: deny}\n"), "unknown_word", 5},
      {"rule for an unknown class", plain("  transforms: {rules: [{match: {class: person_nam}, apply: redact}]}\n"),
       "unknown_class", 5},
      {"rule matches nothing", plain("  transforms: {rules: [{match: {}, apply: redact}]}\n"), "bad_match", 5},
      {"rule matches two things", plain("  transforms: {rules: [{match: {class: mrn, column: mrn}, apply: redact}]}\n"),
       "bad_match", 5},
      {"rule without apply", plain("  transforms: {rules: [{match: {class: mrn}}]}\n"), "missing_key", 5},
      {"rule with two transforms",
       plain("  transforms: {rules: [{match: {class: mrn}, apply: {redact: {}, suppress: {}}}]}\n"), "bad_apply", 5},
      {"unknown transform", plain("  transforms: {rules: [{match: {class: mrn}, apply: redakt}]}\n"),
       "unknown_transform", 5},
      {"duplicate class rule",
       plain("  transforms:\n    rules:\n      - {match: {class: mrn}, apply: redact}\n      - {match: {class: mrn}, "
             "apply: suppress}\n"),
       "duplicate_rule", 8},
      {"duplicate column rule",
       plain(kColumns + "  transforms:\n    rules:\n      - {match: {column: ssn}, apply: redact}\n      - {match: "
                        "{column: SSN}, apply: suppress}\n      - {match: {column: note}, apply: suppress}\n"),
       "duplicate_rule", 9},
      {"rule for an undeclared column", plain("  transforms: {rules: [{match: {column: nots}, apply: redact}]}\n"),
       "rule_unreachable", 5},
      {"rule nothing leads to", plain("  transforms: {rules: [{match: {class: consent}, apply: redact}]}\n"),
       "rule_unreachable", 5, false},
      {"empty rules", plain("  transforms: {rules: []}\n"), "empty_rules", 5},
      {"octal-looking code", plain("  classification: {optional_columns: [036]}\n"), "octal_number", 5},
      {"identifier without a rule, no pack",
       plain(kColumns + "  transforms: {rules: [{match: {class: free_text}, apply: suppress}]}\n"),
       "class_without_rule", 5, false},
      {"free text without a rule",
       plain(kColumns + "  transforms: {rules: [{match: {class: us_ssn}, apply: suppress}]}\n"),
       "free_text_without_rule", 5},
      {"own detector without a rule under the pack",
       safe_harbor("  classification: {detectors: [{use: study_no, params: {value: 'S\\d+'}}]}\n"),
       "class_without_rule", 5},
      {"undeclared key",
       plain("  transforms: {keys: {research: {}}, rules: [{match: {class: mrn}, apply: {pseudonymize: {key: "
             "reserch}}}]}\n"),
       "unknown_key_name", 5},
      {"unused key", plain("  transforms: {keys: {research: {}}, rules: [{match: {class: mrn}, apply: suppress}]}\n"),
       "unused_key", 5, false},
      {"pseudonyms are not none",
       plain("  transforms: {keys: {k: {}}, rules: [{match: {class: mrn}, apply: {pseudonymize: {key: k}}}]}\n  "
             "output: {sensitivity: none}\n"),
       "pseudonym_sensitivity", 5},
      {"pseudonyms under safe harbor",
       safe_harbor(
           "  transforms: {keys: {k: {}}, rules: [{match: {class: email}, apply: {pseudonymize: {key: k}}}]}\n"),
       "pseudonym_derived", 5, false},
      {"a pseudonym as the record's key under safe harbor",
       safe_harbor("  transforms: {keys: {k: {}}, rules: [{match: {class: mrn}, apply: {pseudonymize: {key: k}}}]}\n"),
       "forbidden_transform", 5},
      {"kept identifier", plain("  transforms: {rules: [{match: {class: mrn}, apply: keep}]}\n"), "identifier_kept", 5},
      {"kept identifier under the pack", safe_harbor("  transforms: {rules: [{match: {class: mrn}, apply: keep}]}\n"),
       "forbidden_transform", 5},
      {"keep_last under the pack",
       safe_harbor("  transforms: {rules: [{match: {class: us_ssn}, apply: {mask: {keep_last: 4}}}]}\n"),
       "forbidden_transform", 5},
      {"weaker than the pack", safe_harbor("  transforms: {rules: [{match: {class: us_ssn}, apply: {mask: {}}}]}\n"),
       "loosens_pack", 5},
      {"weaker than the pack by column",
       safe_harbor(kColumns + "  transforms: {rules: [{match: {column: ssn}, apply: {mask: {}}}]}\n"), "loosens_pack",
       6},
      {"only spans of a whole identifier",
       safe_harbor("  transforms: {rules: [{match: {class: us_ssn}, apply: {redact: {spans: detected}}}]}\n"),
       "loosens_pack", 5},
      {"kept free text under the pack",
       safe_harbor(kColumns + "  transforms: {rules: [{match: {class: free_text}, apply: keep}]}\n"), "loosens_pack",
       6},
      {"dates to the month under the pack",
       safe_harbor("  transforms: {rules: [{match: {class: date}, apply: {date_truncate: {to: month}}}]}\n"),
       "forbidden_transform", 5},
      {"ages in buckets",
       safe_harbor("  transforms: {rules: [{match: {class: age}, apply: {generalize: {bucket: {width: 10}}}}]}\n"),
       "forbidden_transform", 5},
      {"a higher age cap",
       safe_harbor("  transforms: {rules: [{match: {class: age}, apply: {generalize: {age_cap: {cap: 95}}}}]}\n"),
       "forbidden_transform", 5},
      {"birth dates with a higher cap",
       safe_harbor(
           "  transforms: {rules: [{match: {class: birth_date}, apply: {date_truncate: {to: year, cap_age: 99}}}]}\n"),
       "forbidden_transform", 5},
      {"looser unknown_column", safe_harbor("  classification: {unknown_column: allow}\n"), "loosens_pack", 5},
      {"higher residual score", safe_harbor("  residual: {min_score: 0.9}\n"), "loosens_pack", 5},
      {"residual findings allowed", safe_harbor("  residual: {max_findings: 3}\n"), "loosens_pack", 5},
      {"columns not scanned", safe_harbor(kColumns + "  residual: {ignore_columns: [los]}\n"), "loosens_pack", 6},
      {"deafer detector", safe_harbor("  classification: {detectors: [{use: us_ssn, min_score: 0.9}]}\n"),
       "loosens_pack", 5},
      {"residual findings allowed without a pack",
       plain("  transforms: {rules: [{match: {class: mrn}, apply: suppress}]}\n  residual: {max_findings: 3}\n"),
       "residual_allowed", 6, false},
      {"bad output name", plain("  output: {name: deid}\n"), "bad_output_name", 5},
      {"unknown sensitivity", plain("  output: {sensitivity: pseudonymus}\n"), "unknown_word", 5},
      {"labels that are no map",
       plain("  select: {labels: [clinical]}\n" + kGate + "{id: g, clearance: {max: none}}\n"), "bad_select_labels", 5},
      {"no labels", plain("  select: {labels: {}}\n" + kGate + "{id: g, clearance: {max: none}}\n"),
       "bad_select_labels", 5},
      {"a label nothing can carry",
       plain("  select: {labels: {\"a b\": c}}\n" + kGate + "{id: g, clearance: {max: none}}\n"), "bad_select_labels",
       5},
      {"a shadow without a name",
       plain("  enforcement: {shadow: \"@1.0.0\"}\n" + kGate + "{id: g, clearance: {max: none}}\n"), "bad_shadow", 5},
      {"the shadow of nothing",
       plain("  enforcement: {shadow: {until: 2099-01-31}}\n" + kGate + "{id: g, clearance: {max: none}}\n"),
       "bad_shadow", 5},
      {"one's own shadow", plain("  enforcement: {shadow: p@1.0.0}\n" + kGate + "{id: g, clearance: {max: none}}\n"),
       "bad_shadow", 5},
      {"a gate in shadow that is none",
       plain("  enforcement: {shadow: {gates: [h], until: 2099-01-31}}\n" + kGate +
             "{id: g, clearance: {max: none}}\n"),
       "unknown_gate", 5},
      {"a shadow for ever", plain("  enforcement: {shadow: p@2.0.0}\n" + kGate + "{id: g, clearance: {max: none}}\n"),
       "shadow_without_end", 5, false},
      {"a shadow until a day",
       plain("  enforcement: {shadow: {gates: [g], until: 2099-01-31}}\n" + kGate +
             "{id: g, clearance: {max: none}}\n"),
       "in_shadow", 5, false},
      {"records made coarser by nobody",
       safe_harbor(kColumns + "  risk: {quasi_identifiers: [los], require: {k: 3}, on_fail: generalize}\n"),
       "on_fail_generalize", 6},
      {"nothing to do", plain("  select: {kinds: [model]}\n"), "empty_policy", 1},
      {"transforms that never run",
       plain("  select: {kinds: [model]}\n  transforms: {rules: [{match: {class: mrn}, apply: suppress}]}\n"),
       "transforms_unreachable", 1},
      {"gate without a body", plain(kGate + "{id: g}\n"), "gate_without_body", 6},
      {"gate with two bodies", plain(kGate + "{id: g, clearance: {max: none}, approvals: {count: 1}}\n"),
       "gate_two_bodies", 6},
      {"gate without an id", plain(kGate + "{clearance: {max: none}}\n"), "missing_key", 6},
      {"duplicate gate", plain(kGate + "{id: g, clearance: {max: none}}\n    - {id: g, approvals: {count: 1}}\n"),
       "duplicate_gate", 7},
      {"metric without a threshold", plain(kGate + "{id: g, metric: {name: auc}}\n"), "gate_without_body", 6},
      {"impossible floor", plain(kGate + "{id: g, metric: {name: auc, min: 1.2}}\n"), "gate_impossible", 6},
      {"floor above ceiling", plain(kGate + "{id: g, metric: {name: loss, min: 3, max: 2}}\n"), "gate_impossible", 6},
      {"floor and ceiling of two gates apart",
       plain(kGate + "{id: g, metric: {name: loss, min: 3}}\n    - {id: h, metric: {name: loss, max: 2}}\n"),
       "gate_impossible", 7},
      {"negative slack", plain(kGate + "{id: g, metric: {name: auc, not_below_current_by: -0.1}}\n"), "gate_impossible",
       6},
      {"floor that cannot fail", plain(kGate + "{id: g, metric: {name: auc, min: 0}}\n"), "gate_cannot_fail", 6},
      {"no approvals", plain(kGate + "{id: g, approvals: {count: 0}}\n"), "gate_cannot_fail", 6},
      {"too many approvals", plain(kGate + "{id: g, approvals: {count: 99}}\n"), "gate_impossible", 6},
      {"unknown role", plain(kGate + "{id: g, approvals: {count: 1, roles: [aprover]}}\n"), "unknown_role", 6},
      {"clearance that cannot fail", plain(kGate + "{id: g, clearance: {max: child}}\n"), "gate_cannot_fail", 6},
      {"lineage that asks for nothing", plain(kGate + "{id: g, lineage: {}}\n"), "gate_cannot_fail", 6},
      {"gate for a kind left out",
       plain("  select: {kinds: [model]}\n" + kGate + "{id: g, kinds: [dataset], clearance: {max: none}}\n"),
       "gate_unreachable", 7},
  };
}

}  // namespace

TEST_CASE("every lint finding is found, at its line, and an error keeps the policy from loading") {
  for (const auto& one : cases()) {
    INFO(one.note);
    const auto findings = lint_policy(one.yaml, "p.yaml");
    INFO(shown(findings));
    REQUIRE_FALSE(findings.empty());
    if (one.slug.empty()) {
      CHECK(findings[0].slug.starts_with("yaml_"));
      continue;
    }
    const auto* found = find(findings, one.slug);
    REQUIRE(found);
    CHECK(found->line == one.line);
    CHECK(found->column > 0);
    CHECK(found->is_error == one.is_error);
    CHECK(load_policy(one.yaml, "p.yaml").has_value() == !one.is_error);
  }
}

TEST_CASE("lint tells everything at once, in the order of the text") {
  const auto findings = lint_policy(
      plain("  selct: {}\n  classification: {columns: {a: {class: us_snn}}}\n" + kGate + "{id: g}\n"), "p.yaml");
  INFO(shown(findings));
  REQUIRE(findings.size() >= 3);
  CHECK(findings[0].slug == "unknown_key");
  CHECK(findings[0].hint == "did you mean 'select'?");
  CHECK(findings[1].slug == "unknown_class");
  CHECK(findings[1].hint == "did you mean 'us_ssn'?");
  CHECK(findings[2].slug == "gate_without_body");
}

TEST_CASE("a policy that does not load says where, and carries all findings") {
  const auto loaded = load_policy(plain("  selct: {}\n" + kGate + "{id: g}\n"), "p.yaml");
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().slug == "policy_invalid");
  CHECK(loaded.error().code == ErrorCode::kInvalid);
  CHECK(loaded.error().message.starts_with("p.yaml:5:3: "));
  const auto detail = parse_json(loaded.error().detail);
  REQUIRE(detail);
  CHECK((*detail)["findings"].size() == 2);
}

TEST_CASE("a loaded policy answers for itself") {
  const auto yaml = safe_harbor(kColumns + "  select: {kinds: [dataset]}\n  output: {name: \"{name}-research\"}\n");
  const auto policy = load_policy(yaml, "p.yaml");
  REQUIRE(policy);
  CHECK(policy->name() == "p");
  CHECK(policy->version() == "1.0.0");
  CHECK(policy->masks());
  CHECK(policy->selects(model::ArtifactKind::kDataset));
  CHECK_FALSE(policy->selects(model::ArtifactKind::kModel));
  CHECK(policy->output_name("patients") == "patients-research");
  CHECK(policy->output_sensitivity() == model::Sensitivity::kPseudonymous);
  CHECK(load_policy(yaml, "elsewhere.yaml")->digest() == policy->digest());
  CHECK(load_policy(yaml + "# a comment\n", "p.yaml")->digest() != policy->digest());
}

TEST_CASE("without a pack the digest is that of the file") {
  const auto yaml = plain(kGate + "{id: g, clearance: {max: none}}\n");
  const auto policy = load_policy(yaml, "p.yaml");
  REQUIRE(policy);
  CHECK(policy->digest() == crypto::sha256(yaml));
  CHECK(policy->gate_ids() == std::vector<std::string>{"g"});
  CHECK_FALSE(policy->masks());
}

TEST_CASE("lint at a date tells which shadow has ended, and what holds now") {
  const auto yaml =
      plain("  enforcement: {shadow: {gates: [g], until: 2027-01-31}}\n" + kGate + "{id: g, clearance: {max: none}}\n");
  CHECK_FALSE(find(lint_policy(yaml, "p.yaml", *parse_rfc3339("2027-01-30T00:00:00Z")), "shadow_ended"));
  const auto findings = lint_policy(yaml, "p.yaml", *parse_rfc3339("2027-01-31T00:00:00Z"));
  const auto* ended = find(findings, "shadow_ended");
  REQUIRE(ended);
  CHECK_FALSE(ended->is_error);
  CHECK(ended->message.find("its gates bind now") != std::string::npos);
}
