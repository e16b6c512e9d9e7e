// What a Policy holds: one policy merged with its packs and compiled. Private to policies/engine. Immutable once
// loaded.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "policies/engine/columns.h"
#include "policies/engine/document.h"
#include "policies/engine/policy.h"

namespace mlops::policy {

inline constexpr double kDefaultMinScore = 0.5;

struct ActiveDetector {
  const detect::Detector* detector = nullptr;
  double min_score = kDefaultMinScore;
  std::string level;
  std::string category;
};

struct Policy::Body {
  std::string name;
  std::string version;
  crypto::Digest digest;
  std::vector<model::ArtifactKind> kinds;
  std::map<std::string, std::string> select_labels;  // a version must carry all of them
  bool masks = false;

  std::vector<std::shared_ptr<const detect::Detector>>
      own_detectors;  // made from patterns; `detectors` points here too
  std::vector<ActiveDetector> detectors;
  std::vector<DeclaredColumn> columns;
  UnknownColumn unknown_column = UnknownColumn::kQuarantine;
  std::set<std::string> optional_columns;  // folded
  std::vector<Rule> rules;                 // the policy's own, then its packs'
  double residual_min_score = kDefaultMinScore;
  std::int64_t residual_max_findings = 0;
  std::set<std::string> residual_ignore_columns;  // folded
  std::string output_name;
  model::Sensitivity output_sensitivity = model::Sensitivity::kPseudonymous;
  std::vector<GateRule> gates;
  Terms terms;
  std::vector<InlineTest> tests;
  std::vector<Note> notes;
  std::vector<CategoryRow> categories;
  std::vector<std::pair<std::string, IdentifierGroup>> groups;  // by the pack that lists them
  std::vector<std::string> extends;                             // "pack/gdpr 1.0.0"
  std::vector<std::string> authority;
  std::string description;
  std::string origin;
  std::vector<KeyDecl> keys;
  std::vector<std::pair<std::string, std::string>> labels;

  // As column_matches() tells; nullptr: not declared.
  const DeclaredColumn* declared(std::string_view column) const;
  // May this declaration match no column of a table? Otherwise the table is refused.
  bool is_optional(const DeclaredColumn& column) const;
  // The level of a column: declared, or of its class's detector, the higher of the two; empty: none said.
  std::string level_of(std::string_view column, std::string_view class_name) const;
  // A rule for the column beats a rule for its class; the first match wins; nullptr: none.
  const Rule* rule_for(std::string_view column, std::string_view class_name) const;
  const Rule* rule_for_class(std::string_view class_name) const;
  // The rule for a column treated as `class_name`: a column's own rule speaks only for the class it was declared as.
  const Rule* rule_for_treated(std::string_view column, std::string_view class_name) const;
};

}  // namespace mlops::policy
