#include <algorithm>

#include "policies/data/csv.h"

namespace mlops::data {
namespace {

constexpr std::size_t kFlushBytes = 256u << 10;

}  // namespace

CsvWriter::CsvWriter(Sink& sink, CsvDialect dialect, std::vector<bool> dropped)
    : sink_(sink), dialect_(std::move(dialect)), dropped_(std::move(dropped)) {
  if (std::find(dropped_.begin(), dropped_.end(), true) == dropped_.end()) dropped_.clear();
}

bool CsvWriter::needs_quotes(std::string_view value) const {
  bool needs = false;
  for (const char c : value) needs |= c == dialect_.delimiter || c == '"' || c == '\r' || c == '\n';
  return needs;
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
  if (buffer_.size() < kFlushBytes) return {};
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
    if (i < masked.size() && masked[i]) {
      put_masked(row, i, *masked[i]);
    } else {
      put_kept(row, i);
    }
  }
  return end_row(row);
}

void CsvWriter::begin_row() {
  row_begin_ = buffer_.size();
  is_first_ = true;
  is_rewritten_ = !dropped_.empty();
}

// Puts the delimiter before the cell; false when its column leaves the table.
bool CsvWriter::begin_cell(std::size_t index) {
  if (is_dropped(index)) return false;
  if (!is_first_) buffer_.push_back(dialect_.delimiter);
  is_first_ = false;
  return true;
}

void CsvWriter::put_kept(const CsvRow& row, std::size_t index) {
  if (begin_cell(index)) buffer_.append(row.raw(index));
}

void CsvWriter::put_kept(const CsvRow& row, std::size_t begin, std::size_t end) {
  if (!dropped_.empty()) {
    for (std::size_t i = begin; i < end; ++i) put_kept(row, i);
  } else if (begin < end && begin_cell(begin)) {
    const auto last = row.raw(end - 1);
    buffer_.append(row.raw(begin).data(), last.data() + last.size());
  }
}

void CsvWriter::put_masked(const CsvRow& row, std::size_t index, std::string_view value) {
  if (!begin_cell(index)) return;
  const std::string_view raw = row.raw(index);
  if (value == row.text(index)) {
    buffer_.append(raw);
    return;
  }
  is_rewritten_ = true;
  put_value(value, raw.starts_with('"') ? Quotes::kAlways : Quotes::kWhenNeeded);
}

Status CsvWriter::end_row(const CsvRow& row) {
  // A lone empty cell would read as a blank line, or as no row at all at the end of the file.
  if (is_rewritten_ && buffer_.size() == row_begin_) buffer_ += "\"\"";
  buffer_.append(row.line_end());
  return flush_if_full();
}

Status CsvWriter::finish(std::string_view trailer) {
  buffer_.append(trailer);
  if (!buffer_.empty()) MLOPS_TRY(sink_.write(buffer_));
  buffer_.clear();
  return {};
}

}  // namespace mlops::data
