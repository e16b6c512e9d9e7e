#include <algorithm>
#include <cstring>
#include <utility>

#include "policies/data/byte_windows.h"
#include "policies/data/csv.h"

namespace mlops::data {
namespace {

constexpr std::size_t kFlushBytes = 256u << 10;
constexpr std::size_t kRoomShare = 4;         // of what is expected, how much may be missing
constexpr std::size_t kLeastRoom = 4u << 10;  // that is made at once

}  // namespace

CsvWriter::CsvWriter(Sink& sink, CsvDialect dialect, std::vector<bool> dropped)
    : sink_(sink), dialect_(std::move(dialect)), dropped_(std::move(dropped)) {
  if (std::find(dropped_.begin(), dropped_.end(), true) == dropped_.end()) dropped_.clear();
}

void CsvWriter::hold(std::size_t expected_bytes) {
  holds_ = true;
  buffer_ = sink_.lend();  // with what it held, which costs less than room for new bytes
  // What is a little too small mostly does; what does not is made larger when that shows.
  const bool mostly_does = buffer_.capacity() >= expected_bytes - expected_bytes / kRoomShare;
  buffer_.resize(mostly_does ? buffer_.capacity() : expected_bytes);
}

// Room for so many bytes behind the end.
inline char* CsvWriter::make_room(std::size_t size_bytes) {
  if (buffer_.size() - end_ < size_bytes) buffer_.resize(end_ + std::max(size_bytes, end_ + kLeastRoom));
  return buffer_.data() + end_;
}

// Most of what is put is short: two copies that may overlap are faster than a call.
inline void CsvWriter::put(std::string_view bytes) {
  constexpr std::size_t kStep = 16;
  char* const to = make_room(bytes.size());
  const char* const from = bytes.data();
  const std::size_t size = bytes.size();
  end_ += size;
  if (size > 4 * kStep) {
    std::memcpy(to, from, size);
  } else if (size >= kStep) {
    for (std::size_t i = 0; i + kStep < size; i += kStep) std::memcpy(to + i, from + i, kStep);
    std::memcpy(to + size - kStep, from + size - kStep, kStep);
  } else if (size >= kStep / 2) {
    std::memcpy(to, from, kStep / 2);
    std::memcpy(to + size - kStep / 2, from + size - kStep / 2, kStep / 2);
  } else {
    for (std::size_t i = 0; i < size; ++i) to[i] = from[i];
  }
}

inline void CsvWriter::put(char byte) {
  *make_room(1) = byte;
  ++end_;
}

bool CsvWriter::needs_quotes(std::string_view value) const {
  return has_any_of(value, {dialect_.delimiter, '"', '\r', '\n'});
}

void CsvWriter::put_value(std::string_view value, Quotes quotes) {
  if (quotes == Quotes::kWhenNeeded && !needs_quotes(value)) {
    put(value);
    return;
  }
  put('"');
  for (const char c : value) {
    if (c == '"') put('"');
    put(c);
  }
  put('"');
}

Status CsvWriter::flush_if_full() {
  if (end_ < kFlushBytes || holds_) return {};
  MLOPS_TRY(sink_.write({buffer_.data(), end_}));
  end_ = 0;
  return {};
}

Status CsvWriter::write_header(const CsvReader& reader) {
  if (dialect_.has_bom) put("\xEF\xBB\xBF");
  bool first = true;
  for (std::size_t i = 0; i < reader.header().size(); ++i) {
    if (is_dropped(i)) continue;
    if (!first && !reader.header_raw().empty()) put(dialect_.delimiter);
    first = false;
    if (!reader.header_raw().empty()) put(reader.header_raw()[i]);
  }
  if (first) {
    return fail(ErrorCode::kInvalid, "csv_no_columns", "every column is suppressed: nothing would be left to write",
                "keep at least one column");
  }
  put(reader.header_line_end());
  return {};
}

Status CsvWriter::write_row(const CsvRow& row, std::span<const std::optional<std::string>> masked) {
  begin_row();
  for (std::size_t i = 0; i < row.size(); ++i) {
    const auto& cell = row.cells()[i];
    if (i < masked.size() && masked[i]) {
      put_masked(cell, *masked[i], false);
    } else {
      put_kept({&cell, 1});
    }
  }
  return end_row(row.line_end());
}

void CsvWriter::begin_row() {
  row_begin_ = end_;
  is_first_ = true;
  is_rewritten_ = !dropped_.empty();
}

// Puts the delimiter before the cell; false when its column leaves the table.
bool CsvWriter::begin_cell(const Cell& cell) {
  if (is_dropped(cell.column)) return false;
  if (!is_first_) put(dialect_.delimiter);
  is_first_ = false;
  return true;
}

void CsvWriter::put_kept(std::span<const Cell> cells) {
  if (!dropped_.empty()) {
    for (const auto& cell : cells) {
      if (begin_cell(cell)) put(cell.raw);
    }
  } else if (!cells.empty() && begin_cell(cells.front())) {
    const auto last = cells.back().raw;
    const char* const begin = cells.front().raw.data();
    put({begin, static_cast<std::size_t>(last.data() + last.size() - begin)});
  }
}

void CsvWriter::put_masked(const Cell& cell, std::string_view value, bool is_plain) {
  if (!begin_cell(cell)) return;
  if (value == cell.text) {
    put(cell.raw);
    return;
  }
  is_rewritten_ = true;
  const bool is_quoted = cell.raw.starts_with('"');
  if (is_plain && !is_quoted) {
    put(value);
  } else {
    put_value(value, is_quoted ? Quotes::kAlways : Quotes::kWhenNeeded);
  }
}

Status CsvWriter::end_row(std::string_view line_end) {
  // A lone empty cell would read as a blank line, or as no row at all at the end of the file.
  if (is_rewritten_ && end_ == row_begin_) put("\"\"");
  put(line_end);
  return flush_if_full();
}

Status CsvWriter::finish(std::string_view trailer) {
  put(trailer);
  buffer_.resize(std::exchange(end_, 0));
  if (!buffer_.empty()) MLOPS_TRY(sink_.take(std::exchange(buffer_, {})));
  return {};
}

}  // namespace mlops::data
