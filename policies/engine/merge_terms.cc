// The terms of a policy and of its packs as one, toward restriction: the smallest retention, the longest log, the
// regions all of them allow, the largest k and l, the smallest t, the strictest mode.
#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "policies/engine/draft.h"

namespace mlops::policy {
namespace {

template <class T>
void take_max(std::optional<T>& best, const std::optional<T>& value) {
  if (value && (!best || *best < *value)) best = value;
}

template <class T>
void take_min(std::optional<T>& best, const std::optional<T>& value) {
  if (value && (!best || *value < *best)) best = value;
}

void take_text(std::string& best, const std::string& value) {
  if (best.empty()) best = value;
}

void take_text(Marked<std::string>& best, const Marked<std::string>& value) {
  if (best.value.empty()) best = value;
}

// Own words first, then what the packs add.
void unite(std::vector<std::string>& all, const std::vector<std::string>& more) {
  for (const auto& one : more) {
    if (std::find(all.begin(), all.end(), one) == all.end()) all.push_back(one);
  }
}

template <class Row>
Row* find_attribute(std::vector<Row>& rows, const std::string& attribute) {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const Row& row) {
    return fold_column(row.attribute.value) == fold_column(attribute);
  });
  return found == rows.end() ? nullptr : &*found;
}

void merge_risk(Risk& risk, const Risk& other) {
  for (const auto& column : other.quasi_identifiers) {
    const auto same = [&](const Marked<std::string>& one) {
      return fold_column(one.value) == fold_column(column.value);
    };
    if (std::none_of(risk.quasi_identifiers.begin(), risk.quasi_identifiers.end(), same)) {
      risk.quasi_identifiers.push_back(column);
    }
  }
  take_max(risk.k, other.k);
  take_max(risk.on_fail, other.on_fail);
  for (const auto& row : other.l) {
    auto* mine = find_attribute(risk.l, row.attribute.value);
    if (!mine) {
      risk.l.push_back(row);
      continue;
    }
    take_max(mine->distinct, row.distinct);
    take_max(mine->entropy, row.entropy);
  }
  for (const auto& row : other.t) {
    auto* mine = find_attribute(risk.t, row.attribute.value);
    if (!mine) {
      risk.t.push_back(row);
    } else {
      mine->max = std::min(mine->max, row.max);
    }
  }
}

void merge_retention(Retention& retention, const Retention& other) {
  take_min(retention.max, other.max);
  take_max(retention.from, other.from);
  take_max(retention.action, other.action);
  take_max(retention.audit_log_min, other.audit_log_min);
  take_text(retention.policy_document, other.policy_document);
  take_text(retention.legal_hold, other.legal_hold);
}

void merge_residency(Residency& residency, const Residency& other) {
  if (other.allowed && residency.allowed) {
    auto& mine = *residency.allowed;
    const auto gone = [&](const std::string& region) {
      return std::find(other.allowed->begin(), other.allowed->end(), region) == other.allowed->end();
    };
    mine.erase(std::remove_if(mine.begin(), mine.end(), gone), mine.end());
  } else if (other.allowed) {
    residency.allowed = other.allowed;
  }
  // A transfer is a document of the policy's own: a pack's is a fallback, not a widening.
  if (residency.transfers.empty()) residency.transfers = other.transfers;
}

void merge_purpose(Purpose& purpose, const Purpose& other) {
  if (purpose.declared.empty()) purpose.declared = other.declared;
  take_text(purpose.lawful_basis, other.lawful_basis);
  take_text(purpose.lawful_basis_special, other.lawful_basis_special);
  take_text(purpose.special_category_condition, other.special_category_condition);
  take_text(purpose.dpia, other.dpia);
  take_text(purpose.controller, other.controller);
  take_text(purpose.audience, other.audience);
  if (!other.consent) return;
  if (!purpose.consent) {
    purpose.consent = other.consent;
    return;
  }
  auto& consent = *purpose.consent;
  unite(consent.required_for, other.consent->required_for);
  unite(consent.separate, other.consent->separate);
  take_max(consent.min_age, other.consent->min_age);
  take_text(consent.age_field, other.consent->age_field);
  consent.on_missing = std::max(consent.on_missing, other.consent->on_missing);
}

void merge_erasure(Erasure& erasure, const Erasure& other) {
  take_text(erasure.subject_key, other.subject_key);
  take_min(erasure.sla, other.sla);
  take_min(erasure.retrain_within, other.retrain_within);
  take_text(erasure.datasets, other.datasets);
  take_text(erasure.models_action, other.models_action);
  take_text(erasure.backups, other.backups);
}

void merge_scan(ScanSettings& scan, const Draft& draft) {
  std::optional<std::int64_t> depth;
  std::optional<double> ratio;
  std::optional<std::vector<std::string>> decode;
  std::optional<bool> free_text;
  for (const auto* document : draft.all()) {
    if (document->scan_nested_depth) take_max(depth, std::optional(document->scan_nested_depth->value));
    if (document->scan_max_decode_ratio) take_min(ratio, std::optional(document->scan_max_decode_ratio->value));
    if (document->scan_free_text) take_max(free_text, std::optional(document->scan_free_text->value));
    if (!document->scan_decode) continue;
    if (!decode) decode.emplace();
    unite(*decode, document->scan_decode->value);
  }
  if (depth) scan.nested_depth = *depth;
  if (ratio) scan.max_decode_ratio = *ratio;
  if (decode) scan.decode = *decode;
  if (free_text) scan.free_text = *free_text;
}

void merge_enforcement(Terms& terms, const Draft& draft) {
  std::optional<EnforcementMode> mode;
  for (const auto* document : draft.all()) {
    if (document->enforcement_mode) take_max(mode, std::optional(document->enforcement_mode->value));
  }
  terms.enforcement.mode = mode.value_or(EnforcementMode::kEnforce);
  terms.enforcement.shadow = draft.own.shadow;
}

void merge_levels(Terms& terms, const Draft& draft) {
  for (const auto* document : draft.all()) {
    if (!document->levels) continue;
    terms.levels.clear();
    for (const auto& level : *document->levels) terms.levels.push_back(level.value);
    return;
  }
}

void merge_statements(std::vector<Statement>& all, const std::vector<Statement>& more) {
  for (const auto& one : more) {
    const auto same = [&](const Statement& other) { return other.name.value == one.name.value; };
    if (std::none_of(all.begin(), all.end(), same)) all.push_back(one);
  }
}

}  // namespace

Terms merge_terms(const Draft& draft) {
  Terms terms;
  merge_scan(terms.scan, draft);
  merge_enforcement(terms, draft);
  merge_levels(terms, draft);
  terms.exceptions = draft.own.exceptions;
  for (const auto* document : draft.all()) {
    if (document->effective_from) {
      terms.effective.push_back({document->origin, document->effective_from->value, document != &draft.own});
    }
    merge_risk(terms.risk, document->risk);
    merge_retention(terms.retention, document->retention);
    merge_residency(terms.residency, document->residency);
    merge_purpose(terms.purpose, document->purpose);
    merge_erasure(terms.erasure, document->erasure);
    merge_statements(terms.attestations, document->attestations);
    merge_statements(terms.evidence, document->evidence);
    if (!terms.expert) terms.expert = document->expert;
    for (const auto& row : document->requirements) {
      if (document == &draft.own || !is_asked(row, draft)) continue;
      terms.requirements.push_back(row);
      terms.requirements.back().is_met = is_met(row, draft);
    }
  }
  return terms;
}

}  // namespace mlops::policy
