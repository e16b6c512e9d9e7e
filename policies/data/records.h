// The one door to every format: tells what a file is and opens the reader of it. Thread-safety: as record.h.
//
// Files in other encodings than UTF-8 are read as UTF-8 and written back as they were (encoding.h). Errors: kInvalid
// "format_unknown" (say which it is), those of encoding.h and of the format's reader.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "policies/data/csv.h"
#include "policies/data/encoding.h"
#include "policies/data/json_records.h"
#include "policies/data/record.h"
#include "policies/data/text_records.h"

namespace mlops::data {

struct RecordOptions {
  std::string path;                  // the name helps to tell the format; may be empty
  std::optional<Format> format;      // absent: format_of(path, first bytes)
  std::optional<Encoding> encoding;  // absent: detected
  CsvOptions csv;
  JsonOptions json;  // and FHIR
  TextOptions text;
};

// `source` must outlive the reader.
Result<std::unique_ptr<RecordReader>> open_records(Source& source, const RecordOptions& options = {});

}  // namespace mlops::data
