// Private to policies/detect: one pass over a text that finds the identifiers of every row (id_rows.h).
//
// The pass goes from digit to digit; only the run of letters and digits around one is compared, with the shapes whose
// first run is as long. Keywords are looked up once a candidate for all rows. Linear: shapes and windows are bounded.
// Thread-safety: immutable after the first use; the memories are per thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policies/detect/id_rows.h"

namespace mlops::detect {

struct IdSpan {
  std::size_t row = 0;  // of id_rows()
  std::size_t begin = 0;
  std::size_t end = 0;
  double score = 0;
};

// All rows, national first. The position is IdSpan::row.
const std::vector<const IdRow*>& id_rows();

// Scores of a column's name by row, 0–1. Remembered per thread for the columns asked for last.
std::span<const double> id_column_scores(std::string_view column);

// Appends what all rows find in folded text (fold.h), in order of position. A row finds a place once.
void find_ids(std::string_view folded, std::string_view column, std::vector<IdSpan>& out);

// Does the whole of `value` have a shape of the row, and does its check hold? Blanks at the ends do not count.
bool id_holds(const IdRow& row, std::string_view value);

}  // namespace mlops::detect
