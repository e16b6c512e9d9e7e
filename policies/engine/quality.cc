#include "policies/engine/quality.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "core/base/json.h"
#include "core/base/text.h"

namespace mlops::policy {
namespace {

constexpr std::array<std::string_view, 6> kMetricWords{"rowCount",      "nullValues",      "missingValues",
                                                       "invalidValues", "duplicateValues", "newest"};

struct ComparatorRow {
  std::string_view word;
  std::string_view text;
};
constexpr std::array<ComparatorRow, 8> kComparators{{{"mustBe", "must be"},
                                                     {"mustNotBe", "must not be"},
                                                     {"mustBeGreaterThan", "must be greater than"},
                                                     {"mustBeGreaterOrEqualTo", "must be at least"},
                                                     {"mustBeLessThan", "must be less than"},
                                                     {"mustBeLessOrEqualTo", "must be at most"},
                                                     {"mustBeBetween", "must be between"},
                                                     {"mustNotBeBetween", "must not be between"}}};

// Percentages are quotients: what misses its bound by the last bits of a double has not missed it.
constexpr double kRounding = 1e-9;

bool is_between(double value, double low, double high) {
  return value >= low - kRounding && value <= high + kRounding;
}

}  // namespace

std::string_view to_word(QualityMetric metric) {
  return kMetricWords[static_cast<std::size_t>(metric)];
}

std::string_view to_word(Comparator comparator) {
  return kComparators[static_cast<std::size_t>(comparator)].word;
}

std::string measure_key(const QualityMeasure& measure) {
  Json json = {{"metric", to_word(measure.metric)}};
  if (!measure.table.empty()) json["table"] = measure.table;
  if (!measure.columns.empty()) json["columns"] = measure.columns;
  if (!measure.missing_values.empty()) json["missing"] = measure.missing_values;
  if (!measure.valid_values.empty()) json["valid"] = measure.valid_values;
  if (!measure.pattern.empty()) json["pattern"] = measure.pattern;
  if (measure.min) json["min"] = *measure.min;
  if (measure.max) json["max"] = *measure.max;
  return canonical_dump(json);
}

std::string measure_text(const QualityMeasure& measure) {
  std::string text(to_word(measure.metric));
  if (!measure.columns.empty()) text += " of " + join(measure.columns, ", ");
  if (!measure.table.empty()) text += " in " + measure.table;
  std::vector<std::string> valid;
  if (!measure.valid_values.empty()) valid.push_back("one of " + join(measure.valid_values, ", "));
  if (!measure.pattern.empty()) valid.push_back("like " + measure.pattern);
  if (measure.min) valid.push_back(fmt::format("from {}", *measure.min));
  if (measure.max) valid.push_back(fmt::format("up to {}", *measure.max));
  if (!valid.empty()) text += fmt::format(" (valid: {})", join(valid, ", "));
  if (!measure.missing_values.empty()) text += fmt::format(" (missing: {})", join(measure.missing_values, ", "));
  return text;
}

bool QualityCheck::holds(double value) const {
  switch (comparator) {
    case Comparator::kBe:
      return is_between(value, bound, bound);
    case Comparator::kNotBe:
      return !is_between(value, bound, bound);
    case Comparator::kGreater:
      return value > bound + kRounding;
    case Comparator::kGreaterOrEqual:
      return value >= bound - kRounding;
    case Comparator::kLess:
      return value < bound - kRounding;
    case Comparator::kLessOrEqual:
      return value <= bound + kRounding;
    case Comparator::kBetween:
      return is_between(value, bound, upper);
    case Comparator::kNotBetween:
      return !is_between(value, bound, upper);
  }
  return false;
}

std::string QualityCheck::bound_text() const {
  const bool has_two = comparator == Comparator::kBetween || comparator == Comparator::kNotBetween;
  return fmt::format("{} {}{}{}", kComparators[static_cast<std::size_t>(comparator)].text, bound,
                     has_two ? fmt::format(" and {}", upper) : "", is_percent ? " percent" : "");
}

QualityMeasure FreshnessCheck::measure() const {
  QualityMeasure newest;
  newest.metric = QualityMetric::kNewest;
  newest.columns = {column};
  return newest;
}

std::vector<QualityMeasure> QualityGate::measures() const {
  std::vector<QualityMeasure> list;
  for (const auto& check : checks) list.push_back(check.measure);
  for (const auto& one : freshness) {
    if (!one.column.empty()) list.push_back(one.measure());
  }
  return list;
}

std::vector<std::string> QualityGate::typed_columns() const {
  std::vector<std::string> names;
  for (const auto& schema : schemas) {
    for (const auto& [name, type] : schema.columns) names.push_back(name);
  }
  return names;
}

std::vector<std::string> quality_texts(const QualityGate& gate) {
  std::vector<std::string> texts;
  for (const auto& check : gate.checks) texts.push_back(measure_text(check.measure) + " " + check.bound_text());
  for (const auto& one : gate.freshness) {
    texts.push_back(fmt::format("{} is at most {} old", one.column.empty() ? "the version" : "the newest " + one.column,
                                one.max_age.to_string()));
  }
  for (const auto& schema : gate.schemas) {
    std::vector<std::string> columns;
    for (const auto& [name, type] : schema.columns) columns.push_back(type.empty() ? name : name + " " + type);
    texts.push_back(
        fmt::format("it has the columns {}{}", join(columns, ", "), schema.refuses_extra ? " and no others" : ""));
  }
  return texts;
}

}  // namespace mlops::policy
