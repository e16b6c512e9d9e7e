// Reading a quality gate: checks in the words of ODCS, or of Great Expectations for the same.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <set>

#include "core/base/text.h"
#include "policies/detect/detector.h"
#include "policies/engine/columns.h"
#include "policies/engine/evidence_gate.h"
#include "policies/engine/section.h"

namespace mlops::policy {
namespace {

constexpr double kHuge = std::numeric_limits<double>::max();
constexpr std::int64_t kMostRows = std::int64_t{1} << 53;  // exact as a double
constexpr std::size_t kMostValues = 10'000;

using Comparators = std::array<Comparator, 8>;
constexpr Comparators kComparators{
    Comparator::kBe,   Comparator::kNotBe,       Comparator::kGreater, Comparator::kGreaterOrEqual,
    Comparator::kLess, Comparator::kLessOrEqual, Comparator::kBetween, Comparator::kNotBetween};
const std::vector<std::string> kMetricWords{"rowCount", "nullValues", "missingValues", "invalidValues",
                                            "duplicateValues"};
const std::vector<std::string> kTypes{"integer", "number", "boolean", "date", "timestamp", "string"};

void check_pattern(const YamlNode& node, const std::string& pattern, Findings& findings) {
  const auto compiled = detect::make_pattern_detector("quality", {}, pattern);
  if (!compiled) findings.error(node.mark, compiled.error().slug, compiled.error().message, compiled.error().hint);
}

// One bound, or two of a range.
bool read_bound(const YamlNode& node, Comparator comparator, QualityCheck& check, Reader& reader) {
  const auto word = std::string(to_word(comparator));
  if (comparator != Comparator::kBetween && comparator != Comparator::kNotBetween) {
    const auto bound = reader.number(node, word, -kHuge, kHuge);
    check.bound = bound.value_or(0);
    return bound.has_value();
  }
  if (!node.is_sequence() || node.items.size() != 2) {
    reader.findings().error(node.mark, "bad_gate", word + " takes two numbers", word + ": [1, 10]");
    return false;
  }
  const auto low = reader.number(node.items[0], word, -kHuge, kHuge);
  const auto high = reader.number(node.items[1], word, -kHuge, kHuge);
  check.bound = low.value_or(0);
  check.upper = high.value_or(0);
  return low && high;
}

void read_comparator(const YamlNode& node, QualityCheck& check, Reader& reader) {
  int found = 0;
  for (const auto comparator : kComparators) {
    const auto* bound = node.find(to_word(comparator));
    if (!bound) continue;
    ++found;
    check.comparator = comparator;
    read_bound(*bound, comparator, check, reader);
  }
  if (found == 1) return;
  reader.findings().error(node.mark, "gate_without_body",
                          found == 0 ? "a check of quality needs a bound" : "a check of quality has one bound",
                          "for example mustBeLessThan: 10");
}

// A count, or a share of records, lies between 0 and `most`.
void check_bound(const QualityCheck& check, Findings& findings) {
  const double most = check.is_percent ? 100 : static_cast<double>(kMostRows);
  const auto impossible = [&] {
    findings.error(check.mark, "gate_impossible", check.bound_text() + ": nothing passes");
  };
  const auto idle = [&] { findings.error(check.mark, "gate_cannot_fail", check.bound_text() + ": everything passes"); };
  const double low = check.bound;
  const double high = check.upper;
  switch (check.comparator) {
    case Comparator::kBe:
      return low < 0 || low > most ? impossible() : void();
    case Comparator::kNotBe:
      return low < 0 || low > most ? idle() : void();
    case Comparator::kGreater:
      return low >= most ? impossible() : low < 0 ? idle() : void();
    case Comparator::kGreaterOrEqual:
      return low > most ? impossible() : low <= 0 ? idle() : void();
    case Comparator::kLess:
      return low <= 0 ? impossible() : low > most ? idle() : void();
    case Comparator::kLessOrEqual:
      return low < 0 ? impossible() : low >= most ? idle() : void();
    case Comparator::kBetween:
      return low > high || high < 0 || low > most ? impossible() : low <= 0 && high >= most ? idle() : void();
    case Comparator::kNotBetween:
      return low > high || high < 0 || low > most ? idle() : low <= 0 && high >= most ? impossible() : void();
  }
}

void read_valid(const YamlNode& node, QualityCheck& check, Reader& reader) {
  auto& measure = check.measure;
  if (const auto* valid = node.find("validValues")) measure.valid_values = reader.texts(*valid, "validValues");
  if (const auto* missing = node.find("missingValues"))
    measure.missing_values = reader.texts(*missing, "missingValues");
  if (const auto* pattern = node.find("pattern")) {
    measure.pattern = reader.text(*pattern, "pattern").value_or("");
    check_pattern(*pattern, measure.pattern, reader.findings());
  }
  if (const auto* min = node.find("min")) measure.min = reader.number(*min, "min", -kHuge, kHuge);
  if (const auto* max = node.find("max")) measure.max = reader.number(*max, "max", -kHuge, kHuge);
  std::sort(measure.valid_values.begin(), measure.valid_values.end());
  std::sort(measure.missing_values.begin(), measure.missing_values.end());
  if (measure.valid_values.size() > kMostValues || measure.missing_values.size() > kMostValues) {
    reader.findings().error(node.mark, "gate_impossible", fmt::format("at most {} values", kMostValues));
  }
  if (measure.min && measure.max && *measure.min > *measure.max) {
    reader.findings().error(node.mark, "gate_impossible", "min is above max: every value is invalid");
  }
}

// Which arguments a metric takes.
void check_arguments(const YamlNode& node, const QualityMeasure& measure, Findings& findings) {
  const bool has_valid = !measure.valid_values.empty() || !measure.pattern.empty() || measure.min || measure.max;
  const bool is_invalid = measure.metric == QualityMetric::kInvalidValues;
  const auto word = std::string(to_word(measure.metric));
  if (is_invalid && !has_valid) {
    findings.error(node.mark, "gate_cannot_fail", "invalidValues without a rule: everything is valid",
                   "one of validValues, pattern, min, max");
  }
  if (!is_invalid && has_valid) {
    findings.error(node.mark, "bad_gate", word + " takes no rule of what is valid", "metric: invalidValues");
  }
  if (measure.metric != QualityMetric::kMissingValues && !measure.missing_values.empty()) {
    findings.error(node.mark, "bad_gate", word + " takes no missingValues", "metric: missingValues");
  }
  const bool is_rows = measure.metric == QualityMetric::kRowCount;
  if (is_rows && !measure.columns.empty()) findings.error(node.mark, "bad_gate", "rowCount takes no column");
  if (!is_rows && measure.columns.empty()) findings.error(node.mark, "missing_key", word + " needs `column`");
}

void read_columns(const YamlNode& node, QualityMeasure& measure, Reader& reader) {
  if (const auto* column = node.find("column")) {
    measure.columns = {fold_column(reader.text(*column, "column").value_or(""))};
  }
  const auto* properties = node.find("properties");
  if (!properties) return;
  if (measure.metric != QualityMetric::kDuplicateValues || !measure.columns.empty()) {
    reader.findings().error(properties->mark, "bad_gate", "properties belong to duplicateValues, instead of a column");
  }
  measure.columns.clear();
  for (const auto& name : reader.texts(*properties, "properties")) measure.columns.push_back(fold_column(name));
}

void read_metric_check(const YamlNode& node, QualityGate& gate, Reader& reader) {
  const std::vector<std::string> known{"metric",  "table", "column", "properties", "missingValues", "validValues",
                                       "pattern", "min",   "max",    "unit",       "description"};
  auto keys = known;
  for (const auto comparator : kComparators) keys.emplace_back(to_word(comparator));
  if (!reader.map(node, "a check of quality", keys)) return;
  const auto* metric = node.find("metric");
  if (!metric) {
    reader.findings().error(node.mark, "missing_key", "a check of quality needs `metric`",
                            "one of " + join(kMetricWords, ", ") + "; or freshness, schema");
    return;
  }
  const auto index = reader.word(*metric, "metric", kMetricWords);
  if (!index) return;
  QualityCheck check;
  check.mark = node.mark;
  check.measure.metric = static_cast<QualityMetric>(*index);
  if (const auto* table = node.find("table")) check.measure.table = reader.text(*table, "table").value_or("");
  read_columns(node, check.measure, reader);
  read_valid(node, check, reader);
  check_arguments(node, check.measure, reader.findings());
  if (const auto* unit = node.find("unit")) {
    check.is_percent = reader.word(*unit, "unit", {"rows", "percent"}).value_or(0) == 1;
    if (check.is_percent && check.measure.metric == QualityMetric::kRowCount) {
      reader.findings().error(unit->mark, "gate_cannot_fail", "rowCount in percent is always 100");
    }
  }
  read_comparator(node, check, reader);
  check_bound(check, reader.findings());
  gate.checks.push_back(std::move(check));
}

void read_freshness(const YamlNode& node, QualityGate& gate, Reader& reader) {
  Section section(node, "freshness", reader.findings(), {"column", "max_age"});
  if (!section) return;
  FreshnessCheck check;
  section.text("column", check.column);
  check.column = fold_column(check.column);
  std::optional<Period> age;
  section.period("max_age", age);
  if (!age && !section.find("max_age")) {
    reader.findings().error(node.mark, "missing_key", "freshness needs `max_age`",
                            "freshness: {column: updated_at, max_age: P30D}");
  }
  check.max_age = age.value_or(Period{});
  gate.freshness.push_back(std::move(check));
}

void read_schema(const YamlNode& node, QualityGate& gate, Reader& reader) {
  Section section(node, "schema", reader.findings(), {"columns", "extra"});
  if (!section) return;
  SchemaCheck check;
  const auto* columns = section.find("columns");
  if (!columns || !columns->is_map() || columns->entries.empty()) {
    reader.findings().error(node.mark, "missing_key", "schema needs `columns`, a map of names and types",
                            "schema: {columns: {age: integer, sex: string}, extra: refuse}");
    return;
  }
  for (const auto& [name, type] : columns->entries) {
    auto& word = check.columns[fold_column(name.scalar)];
    if (type.is_null()) continue;
    if (const auto index = reader.word(type, "type", kTypes)) word = kTypes[*index];
  }
  if (const auto* extra = section.find("extra")) {
    check.refuses_extra = reader.word(*extra, "extra", {"allow", "refuse"}).value_or(0) == 1;
  }
  gate.schemas.push_back(std::move(check));
}

void read_check(const YamlNode& node, QualityGate& gate, Reader& reader) {
  if (!node.is_map() || node.entries.empty()) {
    reader.findings().error(node.mark, "bad_gate", "a check of quality is a map",
                            "{metric: nullValues, column: age, mustBe: 0}");
    return;
  }
  const auto& [key, value] = node.entries.front();
  const bool is_alone = node.entries.size() == 1;
  if (is_alone && key.scalar == "freshness") return read_freshness(value, gate, reader);
  if (is_alone && key.scalar == "schema") return read_schema(value, gate, reader);
  if (is_alone && read_expectation(key, value, gate, reader)) return;
  read_metric_check(node, gate, reader);
}

}  // namespace

void read_quality(const YamlNode& node, GateRule& gate, Reader& reader) {
  QualityGate quality;
  const auto* checks = &node;
  if (!node.is_sequence()) {
    if (!reader.map(node, "quality", {"of", "checks"})) return;
    if (const auto* of = node.find("of")) quality.role = reader.text(*of, "of").value_or("");
    if (quality.role == "dataset") quality.role.clear();
    checks = node.find("checks");
  }
  if (!checks || checks->items.empty()) {
    reader.findings().error(node.mark, "gate_cannot_fail", "quality checks nothing: everything passes",
                            "quality: {of: train, checks: [{metric: rowCount, mustBeGreaterThan: 0}]}");
  } else {
    for (const auto& item : reader.sequence(*checks, "quality")) read_check(item, quality, reader);
  }
  if (gate.kinds.empty()) {
    gate.kinds = {quality.role.empty() ? model::ArtifactKind::kDataset : model::ArtifactKind::kModel};
  }
  gate.body = std::move(quality);
}

}  // namespace mlops::policy
