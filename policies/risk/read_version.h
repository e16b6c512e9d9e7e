// Reads one version of a table into a RiskTable, as a stream: one row in memory at a time.
// Errors: kInvalid "column_missing" with the names that the header lacks; csv_…; those of RiskTable::add and the
// source. Thread-safety: as RiskTable::add.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "policies/data/csv.h"
#include "policies/risk/risk_table.h"

namespace mlops::risk {

// Where the columns stand in `header`, in the order of RiskTable::add; names are compared without case and blanks at
// the ends, as policies do.
Result<std::vector<std::size_t>> find_columns(std::span<const std::string> header, const RiskColumns& columns);

// Adds a version with every row that is left in `reader`.
Status read_version(RiskTable& table, data::CsvReader& reader);

}  // namespace mlops::risk
