#include "policies/engine/consent.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "core/base/text.h"
#include "policies/data/format.h"
#include "policies/engine/columns.h"

namespace mlops::policy {
namespace {

constexpr std::string_view kNoConsent[] = {"",        "-",      "0",         "n",       "no",      "non",
                                           "nein",    "false",  "none",      "null",    "nil",     "na",
                                           "n/a",     "nan",    "unknown",   "denied",  "refused", "declined",
                                           "opt-out", "optout", "withdrawn", "revoked", "expired", "pending"};

bool says_none(const data::Cell& cell) {
  const auto word = to_lower_ascii(trim(cell.text));
  return cell.kind == data::CellKind::kNull ||
         std::find(std::begin(kNoConsent), std::end(kNoConsent), word) != std::end(kNoConsent);
}

bool is_at_least(std::string_view text, std::int64_t years) {
  text = trim(text);
  double age = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), age);
  return error == std::errc() && end == text.data() + text.size() && age >= static_cast<double>(years) && age < 150;
}

// "patients" of "patients.consent_id"; empty: every table.
std::string_view table_of(std::string_view field) {
  const auto dot = field.find('.');
  return dot == std::string_view::npos || field.starts_with('/') || field.starts_with('*') ? std::string_view{}
                                                                                           : field.substr(0, dot);
}

bool is_named(const std::string& name, const FilePlan& plan, const std::string& column) {
  return !name.empty() && (column_matches(name, column) || column_matches(name, plan.table + "." + column));
}

bool has_field(const Consent& consent, const FilePlan& plan) {
  return std::any_of(plan.columns.begin(), plan.columns.end(),
                     [&](const ColumnPlan& column) { return is_named(consent.field.value, plan, column.column); });
}

bool speaks_about(const Consent& consent, const FilePlan& plan) {
  const auto table = table_of(consent.field.value);
  return table.empty() || fold_column(table) == fold_column(plan.table) || has_field(consent, plan);
}

}  // namespace

ConsentCheck::ConsentCheck(const Consent* consent, const FilePlan& plan)
    : consent_(consent && speaks_about(*consent, plan) ? consent : nullptr), plan_(plan) {}

Status ConsentCheck::prepare(data::Format format) const {
  if (!consent_ || (!data::is_fhir(format) && format != data::Format::kText)) return {};
  return fail(ErrorCode::kRefused, "consent_not_by_record",
              "the policy asks each record for a consent, and a record of this format is not a person's",
              "mask tables, JSON or JSON Lines with a consent in each record");
}

void ConsentCheck::learn(const std::vector<std::string>& columns) {
  while (parts_.size() < columns.size()) {
    const auto& name = columns[parts_.size()];
    const bool is_age = is_named(consent_->age_field.value, plan_, name);
    parts_.push_back(is_named(consent_->field.value, plan_, name) ? Part::kField : is_age ? Part::kAge : Part::kOther);
  }
}

bool ConsentCheck::is_missing(const std::vector<std::string>& columns, std::span<const data::Cell> cells) {
  if (!consent_) return false;
  learn(columns);
  bool has_age = false, is_young = false, has_consent = false, has_none = false;
  for (const auto& cell : cells) {
    const auto part = parts_[cell.column];
    if (part == Part::kField) {
      has_consent = true;
      has_none |= says_none(cell);
    } else if (part == Part::kAge) {
      has_age = true;
      is_young |= !consent_->min_age || !is_at_least(cell.text, *consent_->min_age);
    }
  }
  const bool needs_none = consent_->min_age && has_age && !is_young;
  return !needs_none && (!has_consent || has_none);
}

Status check_consent(const Consent* consent, const FilePlan& plan, std::uint64_t missing, std::uint64_t written) {
  if (!consent || missing == 0) return {};
  const bool excludes = consent->on_missing == OnMissingConsent::kExcludeRecord;
  if (excludes && written > 0) return {};
  const auto records = excludes ? missing : written;
  return fail(ErrorCode::kRefused, "consent_missing",
              fmt::format("{} of {} records of {} lack the consent they need", missing, records, printable(plan.table)),
              excludes ? "no record would be left: is it the right column?"
                       : "complete the column of consents, or leave such records out: on_missing: exclude_record",
              canonical_dump({{"table", plan.table},
                              {"field", consent->field.value},
                              {"records", records},
                              {"without_consent", missing}}));
}

}  // namespace mlops::policy
