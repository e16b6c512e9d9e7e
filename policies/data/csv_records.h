// Tables behind RecordReader: csv.h says what is read and which errors there are. Thread-safety: as record.h.
#pragma once

#include <memory>

#include "policies/data/csv.h"
#include "policies/data/record.h"

namespace mlops::data {

// `source` must outlive the reader.
Result<std::unique_ptr<RecordReader>> open_csv_records(Source& source, const CsvOptions& options = {},
                                                       Format format = Format::kCsv);

}  // namespace mlops::data
