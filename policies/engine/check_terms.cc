// The checks of a policy's terms: words and columns they name, exceptions, evidence that packs ask for, and dates.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/text.h"
#include "policies/engine/classes.h"
#include "policies/engine/draft.h"
#include "policies/engine/reader.h"

namespace mlops::policy {
namespace {

void check_level(const std::vector<std::string>& levels, const Marked<std::string>& level, Findings& findings) {
  const bool known = level.value.empty() || std::find(levels.begin(), levels.end(), level.value) != levels.end();
  if (known) return;
  findings.error(level.mark, "unknown_level", fmt::format("there is no level '{}'", printable(level.value)),
                 suggestion(level.value, levels));
}

// A list of one's own without a pack is the whole list: everything else is off.
void check_detectors_off(const Draft& draft, Findings& findings) {
  const bool alone = draft.packs.empty() && !draft.own.is_pack && draft.masks() && !draft.own.detectors.empty();
  if (!alone) return;
  std::size_t off = 0;
  for (const auto* detector : detect::built_in_detectors()) {
    const bool listed = std::any_of(draft.detectors.begin(), draft.detectors.end(),
                                    [&](const ActiveDetector& active) { return active.detector == detector; });
    off += listed ? 0 : 1;
  }
  if (off == 0) return;
  findings.warning(draft.own.detectors.front().id.mark, "detectors_off",
                   fmt::format("this list turns {} built-in detectors off", off),
                   "extend a pack, which keeps them on, or list them");
}

void check_levels(const Draft& draft, Findings& findings) {
  const auto terms = merge_terms(draft);
  std::set<std::string> seen;
  for (const auto& level : draft.own.levels.value_or(std::vector<Marked<std::string>>{})) {
    if (seen.insert(level.value).second) continue;
    findings.error(level.mark, "duplicate_level", fmt::format("level '{}' stands twice", printable(level.value)));
  }
  for (const auto& use : draft.own.detectors) check_level(terms.levels, use.level, findings);
  for (const auto& column : draft.own.columns) check_level(terms.levels, column.level, findings);
}

void check_column(const Draft& draft, const Marked<std::string>& column, std::string_view where, Findings& findings) {
  if (column.value.empty() || draft.own.is_pack || draft.declared(column.value)) return;
  std::vector<std::string> words;
  for (const auto& declared : draft.own.columns) words.push_back(declared.name.value);
  findings.error(
      column.mark, "unknown_column",
      fmt::format("{} names '{}', which classification.columns does not declare", where, printable(column.value)),
      suggestion(column.value, words));
}

void check_risk(const Draft& draft, Findings& findings) {
  const auto& risk = draft.own.risk;
  for (const auto& column : risk.quasi_identifiers) check_column(draft, column, "risk.quasi_identifiers", findings);
  for (const auto& row : risk.l) check_column(draft, row.attribute, "risk.require.l", findings);
  for (const auto& row : risk.t) check_column(draft, row.attribute, "risk.require.t", findings);
  if (!draft.own.risk_mark || draft.own.is_pack) return;
  const auto merged = merge_terms(draft).risk;
  if (!merged.is_set()) {
    findings.error(*draft.own.risk_mark, "risk_without_limit", "risk asks for nothing: everything passes",
                   "require: {k: 11}");
  } else if (merged.quasi_identifiers.empty()) {
    findings.error(*draft.own.risk_mark, "risk_without_columns",
                   "risk names no quasi_identifiers: there is nothing to group by", "quasi_identifiers: [zip, sex]");
  }
}

void check_residency(const Draft& draft, Findings& findings) {
  const auto& own = draft.own.residency;
  if (own.allowed && own.allowed->empty() && own.transfers.empty()) {
    findings.error(*draft.own.residency_mark, "residency_impossible",
                   "residency allows no region and no transfer: nothing could ever be used");
  }
  const auto merged = merge_terms(draft).residency;
  const bool apart = merged.allowed && merged.allowed->empty() && own.allowed && !own.allowed->empty();
  if (!apart) return;
  findings.error(*draft.own.residency_mark, "residency_impossible",
                 "no region is allowed both here and by the packs: nothing could ever be used");
}

void check_retention(const Draft& draft, Findings& findings) {
  const auto& retention = draft.own.retention;
  if (!draft.own.retention_mark) return;
  if (retention.max && retention.max->mean_seconds() == 0) {
    findings.error(*draft.own.retention_mark, "retention_impossible", "retention.max is no time at all");
  }
  const bool idle = retention.action && !merge_terms(draft).retention.max;
  if (!idle) return;
  findings.error(*draft.own.retention_mark, "retention_without_max",
                 "retention has an action but no `max`: it would never happen", "max: P6Y");
}

}  // namespace

void check_terms(const Draft& draft, Findings& findings) {
  check_levels(draft, findings);
  check_detectors_off(draft, findings);
  check_risk(draft, findings);
  check_residency(draft, findings);
  check_retention(draft, findings);
  check_column(draft, draft.own.erasure.subject_key, "erasure.subject_key", findings);
  if (!draft.own.purpose.consent) return;
  check_column(draft, draft.own.purpose.consent->field, "purpose.consent.field", findings);
  check_column(draft, draft.own.purpose.consent->age_field, "purpose.consent.age_field", findings);
}

void check_dates(const Draft& draft, TimestampUs at, Findings& findings) {
  for (const auto* document : draft.all()) {
    if (!document->effective_from || document->effective_from->value <= at) continue;
    const bool own = document == &draft.own;
    findings.warning(own ? document->effective_from->mark : draft.own.root_mark, "not_in_force",
                     fmt::format("{} is in force from {} on", own ? "the policy" : document->origin,
                                 format_rfc3339(document->effective_from->value).substr(0, 10)));
  }
  for (const auto& row : draft.own.exceptions) {
    if (row.expires_us == 0 || row.expires_us > at) continue;
    findings.error(row.id.mark, "exception_expired",
                   fmt::format("exception '{}' ran out on {}", printable(row.id.value), printable(row.expires)),
                   "renew it with a new date and approver, or remove it and what it allows");
  }
  const auto check_statement = [&](const Statement& row, std::string_view what) {
    if (row.expires_us == 0 || row.expires_us > at) return;
    findings.error(row.name.mark, "evidence_expired",
                   fmt::format("{} '{}' ran out on {}", what, printable(row.name.value), printable(row.expires)));
  };
  for (const auto& row : draft.own.attestations) check_statement(row, "attestation");
  for (const auto& row : draft.own.evidence) check_statement(row, "evidence");
  const auto& shadow = draft.own.shadow;
  if (shadow.is_set() && !shadow.is_live(at)) {
    findings.warning(*draft.own.shadow_mark, "shadow_ended",
                     fmt::format("what stood in shadow ended on {}: {}", printable(shadow.until),
                                 shadow.gates.empty() ? "the other policy is not evaluated" : "its gates bind now"),
                     "take it out of the text, or give it a later day");
  }
  if (draft.own.expert && draft.own.expert->expires_us != 0 && draft.own.expert->expires_us <= at) {
    findings.error(*draft.own.expert_mark, "expert_expired",
                   fmt::format("the expert determination ran out on {}", printable(draft.own.expert->expires)));
  }
}

}  // namespace mlops::policy
