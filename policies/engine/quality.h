// Expectations of data quality in the words of ODCS library metrics, and what must be measured of a dataset to judge
// them.
//
//   quality:
//     of: train                     # inputs with this role; without it the promoted datasets themselves
//     checks:
//       - {metric: rowCount, mustBeGreaterOrEqualTo: 1000}
//       - {metric: nullValues, column: age, mustBeLessThan: 1, unit: percent}
//       - {metric: invalidValues, column: sex, validValues: [F, M], mustBe: 0}
//       - {metric: duplicateValues, properties: [patient, visit], mustBe: 0}
//       - {freshness: {column: updated_at, max_age: P30D}}
//       - {schema: {columns: {age: integer, sex: string}, extra: refuse}}
//       - {expect_column_values_to_not_be_null: {column: age, mostly: 0.99}}
//
//   rowCount         records; of `table` alone where one is named
//   nullValues       cells that are empty, or null
//   missingValues    the same, and those that are one of `missingValues`
//   invalidValues    filled cells that are none of `validValues`, do not match `pattern` (RE2, anywhere in the cell),
//                    or are no number from `min` to `max`
//   duplicateValues  records whose cells in these columns all stood in a record before; all empty: not counted
//   freshness        the newest date in the column; without a column, when the version was registered
//   schema           columns that must be there, with a type that all their filled cells have
// `unit: percent` is of the records that have the column. Thread-safety: values and pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/yaml.h"
#include "policies/engine/period.h"

namespace mlops::policy {

enum class QualityMetric { kRowCount, kNullValues, kMissingValues, kInvalidValues, kDuplicateValues, kNewest };
std::string_view to_word(QualityMetric metric);

struct QualityMeasure {
  QualityMetric metric = QualityMetric::kRowCount;
  std::string table;                 // as data::table_name gives it; empty: every file
  std::vector<std::string> columns;  // folded; one but for duplicateValues
  std::vector<std::string> missing_values;
  std::vector<std::string> valid_values;
  std::string pattern;
  std::optional<double> min;
  std::optional<double> max;
};
// The measure as canonical JSON: the same measure has the same key in every policy.
std::string measure_key(const QualityMeasure& measure);
// "nullValues of age".
std::string measure_text(const QualityMeasure& measure);

enum class Comparator { kBe, kNotBe, kGreater, kGreaterOrEqual, kLess, kLessOrEqual, kBetween, kNotBetween };
std::string_view to_word(Comparator comparator);  // "mustBe", …

struct QualityCheck {
  QualityMeasure measure;
  Comparator comparator = Comparator::kBe;
  double bound = 0;
  double upper = 0;  // of kBetween and kNotBetween
  bool is_percent = false;
  YamlMark mark;

  bool holds(double value) const;
  std::string bound_text() const;  // "must be less than 1 percent"
};

struct FreshnessCheck {
  std::string column;  // folded; empty: when the version was registered
  Period max_age;
  QualityMeasure measure() const;  // REQUIRES: a column
};

struct SchemaCheck {
  std::map<std::string, std::string> columns;  // folded name → type, "" any
  bool refuses_extra = false;
};

struct QualityGate {
  std::string role;  // of inputs; empty: the member itself
  std::vector<QualityCheck> checks;
  std::vector<FreshnessCheck> freshness;
  std::vector<SchemaCheck> schemas;

  std::vector<QualityMeasure> measures() const;
  std::vector<std::string> typed_columns() const;  // whose types a schema asks for
};

// One text a check, for explaining and comparing.
std::vector<std::string> quality_texts(const QualityGate& gate);

}  // namespace mlops::policy
