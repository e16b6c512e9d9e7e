// Private to policies/data: cuts a JSON file into records, holding one of them in memory.
//
//   lines    = *(blank-line / value line-end)                          a record: a line
//   values   = *value (apart by blanks or brackets) / "[" [value *("," value)] "]"                   a record: a value,
//   an element bundle   = *( head [value *("," value)] tail ) / values            head = "{" … "entry": "["   tail =
//   "]" … "}"
// A bundle is an object that says `"resourceType": "Bundle"` before its array `entry`; head, elements of the array and
// tail are records. Whatever lies between two records is a gap, so that gaps and records together are the file.
// Only nesting is balanced here; the grammar of a record is the scanner's. Errors: json_syntax, json_record_too_long.
// Thread-safety: one thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "policies/data/json_scanner.h"
#include "policies/data/stream.h"

namespace mlops::data {

enum class JsonFraming { kLines, kValues, kBundle };

class JsonFramer {
 public:
  JsonFramer(Source& source, JsonFraming framing, std::size_t max_record_bytes, std::uint64_t first_line = 1);
  // Of bytes in memory, which outlive the framer as the views into them do.
  JsonFramer(std::string_view bytes, JsonFraming framing, std::size_t max_record_bytes, std::uint64_t first_line);

  // False at the end; then gap() is what the file ends with.
  Result<bool> next();
  std::string_view gap() const { return view(0, record_begin_); }
  std::string_view record() const { return view(record_begin_, record_end_); }
  JsonPart part() const { return part_; }
  bool holds_array() const { return state_ == State::kEnd; }  // read to its end
  bool is_entry() const { return is_entry_; }                 // of a bundle
  std::uint64_t line() const { return line_ + lines_in(gap()); }
  // The error at a byte of the current chunk (gap and record).
  Failure error_at(std::size_t offset, std::string slug, const std::string& message, std::string hint = {}) const;
  Failure record_error(const JsonScanner::Problem& problem) const;

 private:
  enum class State { kStart, kValues, kFirst, kElements, kEnd };

  static std::uint64_t lines_in(std::string_view text);
  std::string_view view(std::size_t begin, std::size_t end) const { return {data_ + chunk_ + begin, end - begin}; }
  char byte(std::size_t at) const { return data_[chunk_ + at]; }
  std::size_t held() const { return filled_ - chunk_; }
  void leave_chunk();
  Failure too_long() const;
  Result<bool> refill();
  // Is there a byte at `at` of the chunk?
  Result<bool> have(std::size_t at) {
    if (at < held()) return true;
    return refill_to(at);
  }
  Result<bool> refill_to(std::size_t at);
  Result<std::size_t> skip_blanks(std::size_t at);
  Result<bool> next_line(std::size_t at);
  Result<bool> next_value(std::size_t at);
  Result<bool> next_element(std::size_t at);
  Result<bool> close_array(std::size_t at);
  Result<bool> open_bundle(std::size_t at);
  Result<bool> take_value(std::size_t at, std::size_t depth);
  Result<std::size_t> end_of_nested(std::size_t at, std::size_t depth);
  Result<std::size_t> end_of_scalar(std::size_t at);
  Status check_apart(std::size_t at) const;
  Result<bool> end_at(std::size_t at);

  Source* source_;  // nullptr: all bytes are there
  JsonFraming framing_;
  std::size_t max_record_bytes_;
  std::vector<char> buffer_;
  const char* data_ = nullptr;  // of the buffer, or of the bytes in memory
  std::size_t chunk_ = 0;       // where gap and record begin in the buffer; all else counts from here
  std::size_t filled_ = 0;
  std::size_t record_begin_ = 0;
  std::size_t record_end_ = 0;
  bool source_ended_ = false;
  State state_ = State::kStart;
  bool in_bundle_ = false;  // the array being read is a bundle's
  bool is_entry_ = false;
  bool is_begun_ = false;
  char last_byte_ = '\0';  // of the record before
  JsonPart part_ = JsonPart::kValue;
  std::uint64_t line_ = 1;  // of the chunk's first byte
  std::uint64_t column_ = 1;
};

}  // namespace mlops::data
