// classification: what columns are, what looks for the rest, and how far values are read.
#include <fmt/format.h>

#include <array>

#include "core/base/text.h"
#include "policies/engine/document.h"
#include "policies/engine/section.h"

namespace mlops::policy {
namespace {

constexpr std::array<std::string_view, 3> kUnknownColumnWords{"allow", "scan", "quarantine"};
constexpr std::int64_t kMostDepth = 256;
constexpr double kMostDecodeRatio = 10'000;

const std::vector<std::string>& decode_words() {
  static const std::vector<std::string> words{"base64", "percent", "gzip"};
  return words;
}

void read_patterns(const YamlNode& node, DetectorUse& use, Findings& findings) {
  Section section(node, "params", findings, {"column", "value"});
  if (!section) return;
  use.has_params = true;
  section.text("column", use.column_pattern);
  section.text("value", use.value_pattern);
  if (!use.column_pattern.empty() || !use.value_pattern.empty()) return;
  findings.error(node.mark, "bad_pattern", "params needs `column` or `value` or both");
}

void read_detector(const YamlNode& node, Document& document, Findings& findings) {
  Section section(node, "a detector", findings, {"use", "min_score", "params", "level", "category"});
  if (!section) return;
  DetectorUse use;
  section.text("use", use.id);
  section.need("use", use.id.value);
  section.text("level", use.level);
  section.text("category", use.category);
  std::optional<double> score;
  section.number("min_score", 0.0, 1.0, score);
  if (score) use.min_score = {*score, section.find("min_score")->mark};
  if (const auto* params = section.find("params")) read_patterns(*params, use, findings);
  const bool no_pattern = use.has_params && use.column_pattern.empty() && use.value_pattern.empty();
  if (!use.id.value.empty() && !no_pattern) document.detectors.push_back(std::move(use));
}

void read_column(const YamlNode& key, const YamlNode& value, Document& document, Findings& findings) {
  Section section(value, fmt::format("column '{}'", printable(key.scalar)), findings,
                  {"class", "description", "subject", "level", "category", "optional"});
  if (!section) return;
  DeclaredColumn column;
  column.name = {key.scalar, key.mark};
  if (trim(key.scalar).empty()) findings.error(key.mark, "bad_column", "a column needs a name");
  if (!section.find("class")) {
    findings.error(value.mark, "missing_key", fmt::format("column '{}' has no class", printable(key.scalar)));
    return;
  }
  section.text("class", column.class_name);
  std::string ignored;
  section.text("description", ignored);
  section.word_text("subject", subject_words(), column.subject.value);
  if (const auto* subject = section.find("subject")) column.subject.mark = subject->mark;
  section.text("level", column.level);
  section.text("category", column.category);
  if (const auto* optional = section.find("optional")) {
    column.is_optional = section.reader().flag(*optional, "optional").value_or(false);
  }
  if (!column.class_name.value.empty()) document.columns.push_back(std::move(column));
}

void read_scan(const YamlNode& node, Document& document, Findings& findings) {
  Section section(node, "classification.scan", findings,
                  {"rows", "nested_depth", "free_text", "decode", "max_decode_ratio"});
  if (!section) return;
  std::string ignored;
  section.word_text("rows", {"all"}, ignored);  // a sample misses the one row in a million
  std::optional<std::int64_t> depth;
  section.integer("nested_depth", 1, kMostDepth, depth);
  if (depth) document.scan_nested_depth = {*depth, section.find("nested_depth")->mark};
  std::optional<double> ratio;
  section.number("max_decode_ratio", 1, kMostDecodeRatio, ratio);
  if (ratio) document.scan_max_decode_ratio = {*ratio, section.find("max_decode_ratio")->mark};
  if (const auto* text = section.find("free_text")) {
    if (const auto value = section.reader().flag(*text, "classification.scan.free_text")) {
      document.scan_free_text = {*value, text->mark};
    }
  }
  const auto* decode = section.find("decode");
  if (!decode) return;
  std::vector<std::string> words;
  for (const auto& item : section.reader().sequence(*decode, "classification.scan.decode")) {
    if (const auto index = section.reader().word(item, "decode", decode_words()))
      words.push_back(decode_words()[*index]);
  }
  document.scan_decode = {std::move(words), decode->mark};
}

void read_columns(const YamlNode& node, Document& document, Findings& findings) {
  if (!node.is_map()) {
    findings.error(node.mark, "wrong_type", "classification.columns must be a map of column to {class: …}");
    return;
  }
  for (const auto& [key, value] : node.entries) read_column(key, value, document, findings);
}

}  // namespace

std::string_view to_word(UnknownColumn word) {
  return kUnknownColumnWords[static_cast<std::size_t>(word)];
}

const std::vector<std::string>& subject_words() {
  static const std::vector<std::string> words{"patient",  "relative", "household", "employer", "employee",
                                              "customer", "child",    "provider",  "other"};
  return words;
}

void read_classification(const YamlNode& node, Document& document, Findings& findings) {
  Section section(node, "classification", findings,
                  {"levels", "scan", "detectors", "columns", "unknown_column", "optional_columns"});
  if (!section) return;
  if (const auto* levels = section.find("levels")) {
    document.levels = section.reader().marked_texts(*levels, "classification.levels");
  }
  if (const auto* scan = section.find("scan")) read_scan(*scan, document, findings);
  if (const auto* detectors = section.find("detectors")) {
    for (const auto& item : section.reader().sequence(*detectors, "classification.detectors")) {
      read_detector(item, document, findings);
    }
  }
  if (const auto* columns = section.find("columns")) read_columns(*columns, document, findings);
  std::optional<UnknownColumn> unknown;
  section.word("unknown_column", {kUnknownColumnWords.begin(), kUnknownColumnWords.end()}, unknown);
  if (unknown) document.unknown_column = {*unknown, section.find("unknown_column")->mark};
  section.texts("optional_columns", document.optional_columns);
}

}  // namespace mlops::policy
