// Reads records of any format into a RiskTable, as a stream: one record in memory at a time.
//
// Of a table every column must be there; of JSON a column is a pointer ("/patient/zip"), and a record without it has an
// empty cell. Errors: kInvalid "column_missing" with the names that no record has, "column_repeated" when a record has
// several values of a column (with its line); those of the reader, of RiskTable::add and of the source.
// Thread-safety: as RiskTable::add.
#pragma once

#include "policies/data/record.h"
#include "policies/risk/risk_table.h"

namespace mlops::risk {

// Adds what is left in `reader` to the latest version: one call a file. Names of columns are compared without case and
// blanks at the ends, as policies do. REQUIRES: a version was added.
Status read_records(RiskTable& table, data::RecordReader& reader);

}  // namespace mlops::risk
