#include "policies/engine/plain_class.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "core/base/text.h"
#include "policies/engine/name_words_of.h"

namespace mlops::policy {
namespace {

constexpr double kMost = 0.9;              // of the filled cells
constexpr std::uint64_t kLongInteger = 6;  // digits; of few distinct values: codes rather than measurements

struct NameRow {
  std::string_view word;
  std::string_view class_name;
};

// A word of a column's name and what it says. Only asked when no detector claims the column; the first row wins.
constexpr NameRow kNameRows[] = {
    {"cost", "cost"},
    {"costs", "cost"},
    {"charge", "cost"},
    {"charges", "cost"},
    {"amount", "cost"},
    {"price", "cost"},
    {"expense", "cost"},
    {"expenses", "cost"},
    {"coverage", "cost"},
    {"revenue", "cost"},
    {"totalcost", "cost"},
    {"copay", "cost"},
    {"count", "count"},
    {"counts", "count"},
    {"utilization", "count"},
    {"dispenses", "count"},
    {"num", "count"},
    {"visits", "count"},
    {"quantity", "count"},
    {"flag", "flag"},
    {"is", "flag"},
    {"has", "flag"},
    {"label", "label"},
    {"target", "label"},
    {"outcome", "label"},
    {"duration", "duration"},
    {"minutes", "duration"},
    {"los", "duration"},
    {"gender", "demographic"},
    {"sex", "demographic"},
    {"race", "demographic"},
    {"ethnicity", "demographic"},
    {"marital", "demographic"},
    {"religion", "demographic"},
    {"language", "demographic"},
    {"education", "demographic"},
    {"occupation", "demographic"},
    {"nationality", "demographic"},
    {"state", "state"},
    {"country", "state"},
    {"region", "state"},
    {"code", "code"},
    {"icd", "code"},
    {"icd10", "code"},
    {"snomed", "code"},
    {"loinc", "code"},
    {"rxnorm", "code"},
    {"cpt", "code"},
    {"reasoncode", "code"},
    {"system", "category"},
    {"unit", "category"},
    {"units", "category"},
    {"type", "category"},
    {"status", "category"},
    {"category", "category"},
    {"severity", "category"},
};

double share(std::uint64_t part, const data::ColumnStats& stats) {
  return stats.filled() == 0 ? 0 : static_cast<double>(part) / static_cast<double>(stats.filled());
}

// A key: a random or running number that stands for one record or person.
std::optional<PlainClass> key_class(const std::vector<std::string>& words, const data::ColumnStats& stats) {
  const bool named = has_word(words, "id") || has_word(words, "key") || has_word(words, "uuid") ||
                     has_word(words, "guid") || has_word(words, "identifier");
  const bool uuids = share(stats.uuids(), stats) >= kMost;
  const bool unique_codes = stats.is_unique() && share(stats.codes(), stats) >= kMost && named;
  if (!uuids && !unique_codes && !(named && !stats.is_coded() && share(stats.codes(), stats) >= kMost)) return {};
  const auto because = uuids ? "UUIDs" : "column name, one code a record";
  if (names_a_subject(words)) return PlainClass{"patient_id", 0.9, because};
  return PlainClass{"identifier", uuids ? 0.9 : 0.8, because};
}

// A running number by which somebody is kept: it looks like a measurement, and its column says otherwise.
std::optional<PlainClass> number_class(const std::vector<std::string>& words, const data::ColumnStats& stats) {
  if (share(std::max(stats.integers(), stats.codes()), stats) < kMost || stats.distinct() < 2) return {};
  const auto because = stats.is_unique() ? "column name, one number a record" : "column name, numbers that come again";
  const double sure = stats.is_unique() ? 0.9 : 0.7;
  if (words.size() <= 2 && has_word(words, "mrn")) return PlainClass{"mrn", sure, because};
  if (names_a_persons_number(words)) {
    return PlainClass{names_a_subject(words) ? "patient_id" : "identifier", sure, because};
  }
  const bool is_key = words.size() == 1 && (words[0] == "id" || words[0] == "key" || words[0] == "identifier");
  if (is_key && stats.is_unique()) return PlainClass{"identifier", 0.8, because};
  return {};
}

std::optional<PlainClass> named_class(const std::vector<std::string>& words, const data::ColumnStats& stats) {
  for (const auto& row : kNameRows) {
    if (!has_word(words, row.word)) continue;
    const bool number_class = row.class_name == "cost" || row.class_name == "count" || row.class_name == "duration";
    if (number_class && share(stats.numbers(), stats) < kMost) continue;
    if (!number_class && !stats.is_coded() && share(stats.codes(), stats) < kMost &&
        share(stats.numbers(), stats) < kMost && row.class_name != "code")
      continue;
    return PlainClass{std::string(row.class_name), 0.8, "column name"};
  }
  return {};
}

PlainClass shape_class(const data::ColumnStats& stats, bool has_findings) {
  const auto few = fmt::format("{} distinct values in {} cells", stats.distinct(), stats.filled());
  if (share(stats.truths(), stats) >= 1 && stats.distinct() <= 2) return {"flag", 0.8, few};
  const bool long_integers = share(stats.integers(), stats) >= kMost && stats.longest_bytes() >= kLongInteger;
  if (long_integers && stats.is_coded()) return {"code", 0.7, few};
  if (share(stats.numbers(), stats) >= kMost) return {"measurement", 0.7, "numbers"};
  if (share(stats.texts(), stats) >= 0.5 && !stats.is_coded()) return {"free_text", 0.8, "cells of several words"};
  if (stats.is_coded()) return {"category", 0.7, few};
  if (has_findings) return {"free_text", 0.6, "detectors found something in some of its cells"};
  if (share(stats.codes(), stats) >= kMost) return {"code", 0.5, "codes"};
  return {"free_text", 0.4, "words that no list explains: nobody knows what they hold"};
}

}  // namespace

PlainClass plain_class(std::string_view column, const data::ColumnStats& stats, bool has_findings) {
  const auto words = name_words_of(column);
  if (stats.filled() == 0) {
    if (const auto named = named_class(words, stats)) return *named;
    return {"category", 0.3, "every cell is blank"};
  }
  if (auto key = key_class(words, stats)) return *key;
  if (auto number = number_class(words, stats)) return *number;
  if (auto named = named_class(words, stats)) return *named;
  return shape_class(stats, has_findings);
}

}  // namespace mlops::policy
