// A policy on its way from text to Body: its own document, its packs' documents, the detectors and the compiled rules.
// Private to policies/engine.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "policies/engine/body.h"
#include "policies/engine/document.h"

namespace mlops::policy {

struct Draft {
  Document own;
  std::vector<Document> packs;  // in the order of `extends`
  std::vector<std::shared_ptr<const detect::Detector>> own_detectors;
  std::vector<ActiveDetector> detectors;
  const Clock* clock = nullptr;

  // The documents whose rules and identifiers bind the policy: its packs, and itself when it is a pack.
  std::vector<const Document*> binding() const;
  // The policy itself and its packs.
  std::vector<const Document*> all() const;
  bool has_class(std::string_view name) const;  // listed, or the id of a detector
  std::vector<std::string> class_words() const;
  const DeclaredColumn* declared(std::string_view column) const;
  // The class a rule acts on: its own, or the declared one of its column; empty: the column is not declared.
  std::string class_of_rule(const Rule& rule) const;
  // As Body::rule_for, over the policy's rules and then the packs'.
  const Rule* rule_for(std::string_view column, std::string_view class_name) const;
  // The own exception for this gate or pack rule ("class:us_ssn", "residual.max_findings"); nullptr: none.
  const Exception* exception_for(std::string_view target) const;
  bool masks() const;
  // The kinds the policy selects: its own, else its packs', else all.
  std::vector<model::ArtifactKind> kinds() const;
};

// What an exception calls the rule: "class:us_ssn", "column:note".
std::string target_of(const Rule& rule);

// Reads the text and its packs, makes the detectors, compiles the rules. What is wrong goes to `findings`.
// `clock`: of `today`; null: the system's.
Draft make_draft(std::string_view yaml, Findings& findings, const Clock* clock = nullptr);

// Every static check of a policy; the table is in checks.cc.
void check_draft(const Draft& draft, Findings& findings);
// The groups of checks, a room each.
void check_columns(const Draft& draft, Findings& findings);
void check_rules(const Draft& draft, Findings& findings);
void check_classes_have_rules(const Draft& draft, Findings& findings);
void check_keys(const Draft& draft, Findings& findings);
void check_restrictions(const Draft& draft, Findings& findings);
void check_output(const Draft& draft, Findings& findings);
void check_gates(const Draft& draft, Findings& findings);
void check_purpose(const Draft& draft, Findings& findings);
void check_terms(const Draft& draft, Findings& findings);
void check_exceptions(const Draft& draft, Findings& findings);
void check_shadow(const Draft& draft, Findings& findings);
void check_requirements(const Draft& draft, Findings& findings);
void check_tests(const Draft& draft, Findings& findings);
// What depends on the date, apart.
void check_dates(const Draft& draft, TimestampUs at, Findings& findings);

// Whether the evidence a pack asks for is there, in the policy or in one of its packs.
bool is_asked(const Requirement& requirement, const Draft& draft);
bool is_met(const Requirement& requirement, const Draft& draft);
// The policy's terms and its packs', toward restriction.
Terms merge_terms(const Draft& draft);

// REQUIRES: no errors were found.
std::shared_ptr<const Policy::Body> merge(Draft draft);

}  // namespace mlops::policy
