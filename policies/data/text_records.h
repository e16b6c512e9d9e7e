// Plain text behind RecordReader: notes, letters, log files. One column, "text".
//
// A file up to `whole_bytes` is one record, so that a name found in its first line is known in its last. A longer one
// is cut into blocks of at most `block_bytes`, behind a blank line when one stands in the block's second half, else
// behind a line end, else behind a blank; never inside a word shorter than `block_bytes`. A byte order mark belongs to
// no record. Errors, kInvalid with "line:column": text_nul, text_utf8, text_word_too_long (a block without a blank or
// line end). Thread-safety: as record.h.
#pragma once

#include <memory>

#include "policies/data/record.h"

namespace mlops::data {

struct TextOptions {
  std::size_t whole_bytes = 1u << 20;
  std::size_t block_bytes = 256u << 10;
};

// `source` must outlive the reader. REQUIRES: block_bytes ≤ whole_bytes.
Result<std::unique_ptr<RecordReader>> open_text_records(Source& source, const TextOptions& options = {});

}  // namespace mlops::data
