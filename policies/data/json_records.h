// JSON and JSON Lines behind RecordReader, without a tree in memory and byte-exact: blanks, key order, escapes,
// numbers, line ends, a BOM stay as they are.
//
// A record is a line of JSON Lines, an element of a top-level array, or one of the values the file is a sequence of. A
// column is a JSON Pointer with `*` for array positions ("/name/*/given/*"; "~0" is "~", "~1" is "/", "~2" a key that
// is "*"); keys with dots are just keys. A key twice in one object gives two cells of one column. In a text, half a
// surrogate pair reads as U+FFFD and stays as written when the cell is kept. A number, true or false that is replaced
// becomes a string, unless the new text is such a value as well.
// Errors, kInvalid with "line:column": json_empty, json_syntax, json_control, json_utf8, json_too_deep,
// json_record_too_long, json_key_too_long, json_too_many_columns; of the writer json_masked_utf8.
// Thread-safety: as record.h.
#pragma once

#include <memory>

#include "policies/data/record.h"

namespace mlops::data {

struct JsonOptions {
  std::size_t max_record_bytes = 16u << 20;
  std::size_t max_depth = 64;
  std::size_t max_columns = 10'000;
};

// `source` must outlive the reader. REQUIRES: kJson or kJsonLines.
Result<std::unique_ptr<RecordReader>> open_json_records(Source& source, const JsonOptions& options = {},
                                                        Format format = Format::kJsonLines);

}  // namespace mlops::data
