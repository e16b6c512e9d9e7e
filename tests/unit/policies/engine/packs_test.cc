// The packs: each is clean, cites a clause for every row, takes a minimal policy, and refuses what its law forbids.
#include <algorithm>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "policies/detect/detector.h"
#include "policies/engine/body.h"
#include "policies/engine/classes.h"
#include "policies/engine/document.h"
#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::policy;

namespace {

std::string_view pack_text(std::string_view name) {
  for (const auto& pack : packs()) {
    if (pack.name == name) return pack.yaml;
  }
  FAIL("no such pack");
  return {};
}

Document pack_document(std::string_view name) {
  Findings findings("pack/" + std::string(name));
  return read_document(pack_text(name), findings);
}

std::string extending(const std::string& names, const std::string& spec) {
  return "apiVersion: mlops/v1\nkind: PrivacyPolicy\nmetadata: {name: p, version: 1.0.0, extends: [" + names +
         "]}\nspec:\n" + spec;
}

std::string shown(const std::vector<LintFinding>& findings) {
  std::string text;
  for (const auto& f : findings) text += std::to_string(f.line) + " " + f.slug + " " + f.message + "\n";
  return text;
}

// The least a policy has to say to extend a pack.
struct Minimal {
  std::string pack;
  std::string spec;
};
std::vector<Minimal> minimal_policies() {
  const std::string columns = "  classification: {columns: {name: {class: person_name}, los: {class: duration}}}\n";
  return {
      {"hipaa-safe-harbor", columns + "  attestations: {no_actual_knowledge: {ref: A-1, by: officer}}\n"},
      {"hipaa-limited-data-set",
       columns + "  purpose: {declared: [research]}\n  evidence: {data_use_agreement: DUA-17}\n"},
      {"hipaa-expert",
       "  classification: {columns: {name: {class: person_name}, sex: {class: demographic}}}\n"
       "  risk: {quasi_identifiers: [sex], require: {k: 11}}\n"
       "  expert: {name: E. Example, method: k-anonymity, risk_threshold: 0.09, scope: one extract, expires: "
       "2099-01-01,"
       " document_digest: \"sha256:00\"}\n"},
      {"gdpr",
       "  classification: {columns: {id: {class: patient_id}, dx: {class: clinical}}}\n"
       "  transforms: {rules: [{match: {class: patient_id}, apply: suppress}]}\n"
       "  purpose: {declared: [train_ai_system], lawful_basis: {default: art6_1_e, special: art9_2_j}, controller: "
       "Clinic,"
       " dpia: DPIA-4, special_category_condition: research act 12}\n"
       "  retention: {max: P6Y}\n  residency: {allowed: [eu-west]}\n  erasure: {subject_key: id, sla: P30D}\n"},
      {"coppa",
       "  classification: {columns: {consent_id: {class: consent}, name: {class: person_name}}}\n"
       "  purpose: {declared: [operations], audience: child_directed, consent: {field: consent_id, min_age: 13,"
       " on_missing: exclude_record, separate: [third_party_sharing, train_ai_system]}}\n"
       "  retention: {max: P1Y, policy_document: RP-1}\n  evidence: {security_program: SP-1}\n"},
      {"eu-ai-act", "  evidence: {data_governance: DG-1, technical_documentation: TD-1}\n"},
      {"part11",
       "  evidence: {signature_meaning: approval, second_factor: TOTP, signature_policy: SOP-1}\n"
       "  retention: {max: P10Y, audit_log_min: P10Y}\n"},
  };
}

}  // namespace

TEST_CASE("every pack is clean and dated, and its rows cite their clauses") {
  REQUIRE(packs().size() == 7);
  for (const auto& pack : packs()) {
    INFO(pack.name);
    const auto findings = lint_policy(pack.yaml, "pack/" + std::string(pack.name));
    INFO(shown(findings));
    CHECK(findings.empty());
    const auto document = pack_document(pack.name);
    CHECK(document.effective_from);
    CHECK_FALSE(document.authority.empty());
    for (const auto& group : document.identifiers) CHECK_FALSE(group.cite.empty());
    for (const auto& gate : document.gates) CHECK_FALSE(gate.cite.empty());
    for (const auto& rule : document.rules) {
      INFO(rule.subject.value);
      const bool by_group =
          std::any_of(document.identifiers.begin(), document.identifiers.end(), [&](const IdentifierGroup& group) {
            return std::find(group.classes.begin(), group.classes.end(), rule.subject.value) != group.classes.end();
          });
      CHECK((by_group || !rule.cite.empty()));
    }
  }
}

TEST_CASE("a minimal policy of each pack is clean, and without its words lint names each missing clause") {
  const auto minimal = minimal_policies();
  REQUIRE(minimal.size() == packs().size());
  for (const auto& one : minimal) {
    INFO(one.pack);
    const auto yaml = extending("pack/" + one.pack, one.spec);
    const auto findings = lint_policy(yaml, "p.yaml");
    INFO(shown(findings));
    CHECK(findings.empty());
    const auto policy = load_policy(yaml, "p.yaml");
    REQUIRE(policy);
    for (const auto& row : policy->terms().requirements) {
      INFO(row.path.value);
      CHECK(row.is_met);
    }
    const auto bare = lint_policy(extending("pack/" + one.pack, "  gates: []\n"), "p.yaml");
    const auto document = pack_document(one.pack);
    for (const auto& row : document.requirements) {
      const bool by_itself = row.when_class.empty() && row.path.value.find("audit_log_min") == std::string::npos;
      if (!by_itself) continue;
      INFO(row.path.value);
      const auto names_it = [&](const LintFinding& finding) {
        return finding.slug == "evidence_missing" && finding.is_error != row.before_promotion &&
               finding.message.find(row.path.value) != std::string::npos &&
               finding.message.find(row.cite) != std::string::npos;
      };
      // risk.require.k is the pack's own unless the policy says less.
      const bool own_default = row.path.value == "risk.require.k";
      CHECK(std::any_of(bare.begin(), bare.end(), names_it) != own_default);
    }
  }
}

TEST_CASE("what a law forbids is refused with its clause") {
  struct Case {
    std::string pack, class_name, apply, clause;
  };
  const std::vector<Case> cases = {
      {"hipaa-safe-harbor", "us_ssn", "keep", "164.514(b)(2)(i)(G)"},
      {"hipaa-safe-harbor", "us_ssn", "{mask: {keep_last: 4}}", "164.514(b)(2)(i)(G)"},
      {"hipaa-safe-harbor", "us_ssn", "hash", "164.514(b)(2)(i)(G)"},
      {"hipaa-safe-harbor", "date", "{date_shift: {key: k}}", "164.514(b)(2)(i)(C)"},
      {"hipaa-safe-harbor", "birth_date", "{date_truncate: {to: month}}", "164.514(b)(2)(i)(C)"},
      {"hipaa-safe-harbor", "mrn", "{pseudonymize: {key: k}}", "164.514(c)(1)"},
      {"hipaa-safe-harbor", "patient_id", "{pseudonymize: {key: k}}", "164.514(c)(1)"},
      {"hipaa-safe-harbor", "patient_id", "{remap_id: {key: k}}", "164.514(c)(1)"},
      {"hipaa-safe-harbor", "mrn", "{encrypt_deterministic: {key: k}}", "164.514(c)(1)"},
      {"hipaa-safe-harbor", "us_ssn", "{fpe: {key: k}}", "164.514(c)(1)"},
      {"hipaa-limited-data-set", "person_name", "keep", "164.514(e)(2)(i)"},
      {"hipaa-limited-data-set", "us_ssn", "{mask: {keep_last: 4}}", "164.514(e)(2)"},
      {"hipaa-limited-data-set", "us_ssn", "hash", "164.514(e)(2)"},
      {"hipaa-expert", "us_ssn", "keep", "164.514(b)(1)"},
      {"hipaa-expert", "us_ssn", "{mask: {keep_last: 4}}", "164.514(b)(1)"},
      {"hipaa-expert", "date", "{date_shift: {key: k, subject: \"column:mrn\", days: 400}}", "164.514(b)(1)"},
      {"hipaa-expert", "us_ssn", "hash", "164.514(b)(1)"},
      {"gdpr", "email", "hash", "GDPR 4(5)"},
      {"coppa", "cookie_id", "keep", "16 CFR 312.7"},
      {"coppa", "phone", "{mask: {keep_last: 4}}", "16 CFR 312.8"},
      {"coppa", "email", "hash", "16 CFR 312.2"},
  };
  for (const auto& one : cases) {
    INFO(one.pack << " " << one.class_name << " " << one.apply);
    const auto findings = lint_policy(
        extending("pack/" + one.pack, "  transforms: {keys: {k: {}}, rules: [{match: {class: " + one.class_name +
                                          "}, apply: " + one.apply + "}]}\n"),
        "p.yaml");
    INFO(shown(findings));
    const auto refused = [&](const LintFinding& finding) {
      return finding.is_error && finding.slug == "forbidden_transform" && finding.line == 5 &&
             finding.message.find(one.clause) != std::string::npos;
    };
    CHECK(std::any_of(findings.begin(), findings.end(), refused));
  }
}

TEST_CASE("an expert may let dates be shifted, by a year at most") {
  const auto findings = lint_policy(extending("pack/hipaa-expert",
                                              "  transforms: {keys: {k: {}}, rules: [{match: {class: date}, apply: "
                                              "{date_shift: {key: k, subject: \"column:mrn\"}}}]}\n"),
                                    "p.yaml");
  INFO(shown(findings));
  for (const auto& finding : findings) {
    CHECK(finding.slug != "forbidden_transform");
    CHECK(finding.slug != "loosens_pack");
  }
}

TEST_CASE("Safe Harbor names every letter from A to R and knows what every built-in detector finds") {
  const auto safe = pack_text("hipaa-safe-harbor");
  for (char letter = 'A'; letter <= 'R'; ++letter) {
    CHECK(safe.find(std::string("\n    ") + letter + ": {title: ") != std::string_view::npos);
  }
  const auto policy = load_policy(extending("pack/hipaa-safe-harbor", minimal_policies().front().spec), "p.yaml");
  REQUIRE(policy);
  for (const auto* detector : detect::built_in_detectors()) {
    INFO(detector->id());
    if (class_of(detector->id()).kind == ClassKind::kPlain) continue;
    const auto* rule = policy->body().rule_for_class(detector->id());
    REQUIRE(rule);
    CHECK(transform_strength(rule->transform.value) > 0);
  }
}

TEST_CASE("a clinician's column is kept by a recorded choice only") {
  const auto spec = [](const std::string& subject) {
    return "  classification: {columns: {doctor: {class: person_name" + subject +
           "}}}\n  transforms: {rules: [{match: {column: doctor}, apply: keep}]}\n"
           "  attestations: {no_actual_knowledge: A-1}\n";
  };
  const auto refused = lint_policy(extending("pack/hipaa-safe-harbor", spec("")), "p.yaml");
  CHECK(std::any_of(refused.begin(), refused.end(), [](const LintFinding& f) { return f.is_error; }));
  const auto kept = lint_policy(extending("pack/hipaa-safe-harbor", spec(", subject: provider")), "p.yaml");
  INFO(shown(kept));
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].slug == "outside_pack");
  CHECK_FALSE(kept[0].is_error);
  const auto patient = lint_policy(extending("pack/hipaa-safe-harbor", spec(", subject: patient")), "p.yaml");
  CHECK(std::any_of(patient.begin(), patient.end(), [](const LintFinding& f) { return f.is_error; }));
}

TEST_CASE("packs merge toward restriction") {
  const auto policy = load_policy(
      extending("pack/hipaa-limited-data-set, pack/hipaa-safe-harbor, pack/eu-ai-act",
                "  classification: {columns: {dob: {class: birth_date}, city: {class: city}}}\n"
                "  purpose: {declared: [research]}\n"
                "  evidence: {data_use_agreement: DUA-17, data_governance: D, technical_documentation: T}\n"),
      "p.yaml");
  if (!policy) FAIL(policy.error().message);
  CHECK(policy->body().rule_for_class("city")->transform.value == "redact");
  CHECK(policy->body().rule_for_class("birth_date")->transform.value == "date_truncate");
  CHECK(policy->terms().retention.audit_log_min == parse_period("P6Y"));
  CHECK(policy->output_sensitivity() == model::Sensitivity::kPersonal);
  CHECK(policy->gate_ids() == std::vector<std::string>{"ai-act-data-governance"});
}

TEST_CASE("a pack of a later law is reported as early, and used all the same") {
  const auto yaml = extending("pack/eu-ai-act", "  evidence: {data_governance: DG-1, technical_documentation: TD-1}\n");
  const auto before = lint_policy(yaml, "p.yaml", *parse_rfc3339("2026-11-29"));
  REQUIRE(before.size() == 1);
  CHECK(before[0].slug == "not_in_force");
  CHECK_FALSE(before[0].is_error);
  CHECK(lint_policy(yaml, "p.yaml", *parse_rfc3339("2028-01-01")).empty());
  CHECK(check_in_force(*load_policy(yaml, "p.yaml"), *parse_rfc3339("2026-11-29")));
}
