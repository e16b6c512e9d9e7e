// Coarser values for quasi-identifiers: buckets of numbers, beginnings of codes, levels of a hierarchy, or nothing.
//
// A hierarchy is a table without header, one row a value: the value, then ever coarser forms ("39;30-39;20-39;*").
// Errors: kInvalid "hierarchy_duplicate" (line), "hierarchy_empty", csv_… of the reader; "hierarchy_incomplete" when a
// table holds values that it lacks: how many, never which. Thread-safety: values and pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "policies/data/stream.h"
#include "policies/risk/partition.h"

namespace mlops::risk {

struct Hierarchy {
  std::map<std::string, std::vector<std::string>, std::less<>> rows;  // value → coarser forms, finest first
  std::size_t levels = 0;                                             // coarser forms of every value
};
Result<Hierarchy> read_hierarchy(data::Source& source);

struct Generalization {
  enum class Kind { kNone, kBucket, kPrefix, kLevel, kDrop };
  Kind kind = Kind::kNone;
  std::uint64_t amount = 0;  // width of a bucket, characters of a prefix, level from 1
};
// "none", "bucket:10", "prefix:3", "level:2", "drop". Errors: kInvalid "bad_generalization".
Result<Generalization> generalization_from_word(std::string_view word);
std::string to_word(const Generalization& generalization);

// For every value its number after generalising; values that are not of the kind (text in a bucket) stay apart from
// each other. REQUIRES: a hierarchy for kLevel, else kInvalid "hierarchy_missing".
Result<std::vector<Code>> generalized(const TextInterner& values, const Generalization& how,
                                      const Hierarchy* hierarchy);

// Ever coarser choices for a column, kNone first, kDrop last. Without a hierarchy: buckets for numbers, prefixes for
// codes of one length (dates by month and year), nothing between for other texts.
std::vector<Generalization> choices(const TextInterner& values, const Hierarchy* hierarchy);

// Classes that become equal when each column's values are replaced by `codes[column]`.
ClassMap class_map(const RiskTable& table, const std::vector<std::vector<Code>>& codes);

// The number a whole text is, as "39", "-1.5", "1e3".
bool is_number(std::string_view text, double& value);

}  // namespace mlops::risk
