#include <algorithm>
#include <utility>

#include "policies/data/byte_windows.h"
#include "policies/data/csv.h"

namespace mlops::data {
namespace {

constexpr std::size_t kFlushBytes = 256u << 10;

}  // namespace

CsvWriter::CsvWriter(Sink& sink, CsvDialect dialect, std::vector<bool> dropped)
    : sink_(sink), dialect_(std::move(dialect)), dropped_(std::move(dropped)) {
  if (std::find(dropped_.begin(), dropped_.end(), true) == dropped_.end()) dropped_.clear();
}

void CsvWriter::hold(std::size_t expected_bytes) {
  holds_ = true;
  buffer_ = sink_.lend();
  buffer_.reserve(expected_bytes);
}

bool CsvWriter::needs_quotes(std::string_view value) const {
  return has_any_of(value, {dialect_.delimiter, '"', '\r', '\n'});
}

void CsvWriter::put_value(std::string_view value, Quotes quotes) {
  if (quotes == Quotes::kWhenNeeded && !needs_quotes(value)) {
    buffer_.append(value);
    return;
  }
  buffer_.push_back('"');
  for (const char c : value) {
    if (c == '"') buffer_.push_back('"');
    buffer_.push_back(c);
  }
  buffer_.push_back('"');
}

Status CsvWriter::flush_if_full() {
  if (buffer_.size() < kFlushBytes || holds_) return {};
  MLOPS_TRY(sink_.write(buffer_));
  buffer_.clear();
  return {};
}

Status CsvWriter::write_header(const CsvReader& reader) {
  if (dialect_.has_bom) buffer_ += "\xEF\xBB\xBF";
  bool first = true;
  for (std::size_t i = 0; i < reader.header().size(); ++i) {
    if (is_dropped(i)) continue;
    if (!first && !reader.header_raw().empty()) buffer_.push_back(dialect_.delimiter);
    first = false;
    if (!reader.header_raw().empty()) buffer_ += reader.header_raw()[i];
  }
  if (first) {
    return fail(ErrorCode::kInvalid, "csv_no_columns", "every column is suppressed: nothing would be left to write",
                "keep at least one column");
  }
  buffer_ += reader.header_line_end();
  return {};
}

Status CsvWriter::write_row(const CsvRow& row, std::span<const std::optional<std::string>> masked) {
  begin_row();
  for (std::size_t i = 0; i < row.size(); ++i) {
    const auto& cell = row.cells()[i];
    if (i < masked.size() && masked[i]) {
      put_masked(cell, *masked[i]);
    } else {
      put_kept({&cell, 1});
    }
  }
  return end_row(row.line_end());
}

void CsvWriter::begin_row() {
  row_begin_ = buffer_.size();
  is_first_ = true;
  is_rewritten_ = !dropped_.empty();
}

// Puts the delimiter before the cell; false when its column leaves the table.
bool CsvWriter::begin_cell(const Cell& cell) {
  if (is_dropped(cell.column)) return false;
  if (!is_first_) buffer_.push_back(dialect_.delimiter);
  is_first_ = false;
  return true;
}

void CsvWriter::put_kept(std::span<const Cell> cells) {
  if (!dropped_.empty()) {
    for (const auto& cell : cells) {
      if (begin_cell(cell)) buffer_.append(cell.raw);
    }
  } else if (!cells.empty() && begin_cell(cells.front())) {
    const auto last = cells.back().raw;
    buffer_.append(cells.front().raw.data(), last.data() + last.size());
  }
}

void CsvWriter::put_masked(const Cell& cell, std::string_view value) {
  if (!begin_cell(cell)) return;
  if (value == cell.text) {
    buffer_.append(cell.raw);
    return;
  }
  is_rewritten_ = true;
  put_value(value, cell.raw.starts_with('"') ? Quotes::kAlways : Quotes::kWhenNeeded);
}

Status CsvWriter::end_row(std::string_view line_end) {
  // A lone empty cell would read as a blank line, or as no row at all at the end of the file.
  if (is_rewritten_ && buffer_.size() == row_begin_) buffer_ += "\"\"";
  buffer_.append(line_end);
  return flush_if_full();
}

Status CsvWriter::finish(std::string_view trailer) {
  buffer_.append(trailer);
  if (!buffer_.empty()) MLOPS_TRY(sink_.take(std::exchange(buffer_, {})));
  return {};
}

}  // namespace mlops::data
