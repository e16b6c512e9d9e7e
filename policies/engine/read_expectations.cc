// Expectations as Great Expectations names them, read as the checks they mean.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/base/text.h"
#include "policies/detect/detector.h"
#include "policies/engine/columns.h"
#include "policies/engine/evidence_gate.h"
#include "policies/engine/section.h"

namespace mlops::policy {
namespace {

constexpr double kHuge = std::numeric_limits<double>::max();

// How many values may be otherwise: `mostly` is the share that must be as expected.
void read_mostly(Section& section, QualityCheck& check) {
  std::optional<double> mostly;
  section.number("mostly", 0, 1, mostly);
  if (!mostly || *mostly == 1) return;
  if (*mostly == 0) {
    section.reader().findings().error(section.mark(), "gate_cannot_fail", "mostly: 0: everything passes");
  }
  check.is_percent = true;
  check.comparator = Comparator::kLessOrEqual;
  check.bound = 100 * (1 - *mostly);
}

void read_column(Section& section, QualityCheck& check) {
  std::string column;
  section.text("column", column);
  if (column.empty()) {
    section.reader().findings().error(section.mark(), "missing_key", "an expectation about values needs `column`");
  }
  check.measure.columns = {fold_column(column)};
}

void read_not_null(Section& section, QualityCheck& check) {
  check.measure.metric = QualityMetric::kNullValues;
  read_column(section, check);
  read_mostly(section, check);
}

void read_unique(Section& section, QualityCheck& check) {
  check.measure.metric = QualityMetric::kDuplicateValues;
  read_column(section, check);
  read_mostly(section, check);
}

void read_in_set(Section& section, QualityCheck& check) {
  check.measure.metric = QualityMetric::kInvalidValues;
  read_column(section, check);
  section.texts("value_set", check.measure.valid_values);
  std::sort(check.measure.valid_values.begin(), check.measure.valid_values.end());
  if (check.measure.valid_values.empty()) {
    section.reader().findings().error(section.mark(), "missing_key", "the expectation needs `value_set`");
  }
  read_mostly(section, check);
}

void read_range(Section& section, QualityCheck& check) {
  check.measure.metric = QualityMetric::kInvalidValues;
  read_column(section, check);
  section.number("min_value", -kHuge, kHuge, check.measure.min);
  section.number("max_value", -kHuge, kHuge, check.measure.max);
  if (!check.measure.min && !check.measure.max) {
    section.reader().findings().error(section.mark(), "gate_cannot_fail",
                                      "without min_value and max_value everything passes");
  }
  read_mostly(section, check);
}

void read_regex(Section& section, QualityCheck& check) {
  check.measure.metric = QualityMetric::kInvalidValues;
  read_column(section, check);
  std::string regex;
  section.text("regex", regex);
  if (regex.empty()) {
    section.reader().findings().error(section.mark(), "missing_key", "the expectation needs `regex`");
  }
  // There it must match from the beginning of the value on.
  check.measure.pattern = "^(?:" + regex + ")";
  const auto compiled = detect::make_pattern_detector("quality", {}, check.measure.pattern);
  if (!compiled) {
    section.reader().findings().error(section.mark(), compiled.error().slug, compiled.error().message,
                                      compiled.error().hint);
  }
  read_mostly(section, check);
}

void read_row_count(Section& section, QualityCheck& check) {
  std::optional<double> min;
  std::optional<double> max;
  section.number("min_value", 0, kHuge, min);
  section.number("max_value", 0, kHuge, max);
  check.comparator = min && max ? Comparator::kBetween : min ? Comparator::kGreaterOrEqual : Comparator::kLessOrEqual;
  check.bound = min ? *min : max.value_or(0);
  check.upper = max.value_or(0);
  if (!min && !max) {
    section.reader().findings().error(section.mark(), "gate_cannot_fail",
                                      "without min_value and max_value everything passes");
  } else if (min && max && *min > *max) {
    section.reader().findings().error(section.mark(), "gate_impossible",
                                      "min_value is above max_value: nothing passes");
  }
}

struct ExpectationRow {
  std::string_view name;
  void (*read)(Section&, QualityCheck&);
};
constexpr ExpectationRow kExpectations[] = {
    {"expect_column_values_to_not_be_null", read_not_null}, {"expect_column_values_to_be_unique", read_unique},
    {"expect_column_values_to_be_in_set", read_in_set},     {"expect_column_values_to_be_between", read_range},
    {"expect_column_values_to_match_regex", read_regex},    {"expect_table_row_count_to_be_between", read_row_count}};

}  // namespace

bool read_expectation(const YamlNode& key, const YamlNode& value, QualityGate& gate, Reader& reader) {
  if (!key.scalar.starts_with("expect_")) return false;
  std::vector<std::string> names;
  for (const auto& row : kExpectations) {
    names.emplace_back(row.name);
    if (row.name != key.scalar) continue;
    Section section(value, key.scalar, reader.findings(),
                    {"column", "mostly", "value_set", "min_value", "max_value", "regex"});
    if (!section) return true;
    QualityCheck check;
    check.mark = key.mark;
    row.read(section, check);
    gate.checks.push_back(std::move(check));
    return true;
  }
  reader.findings().error(key.mark, "unknown_key",
                          fmt::format("no expectation is called \"{}\"", printable(key.scalar)),
                          suggestion(key.scalar, names));
  return true;
}

}  // namespace mlops::policy
