#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/text.h"
#include "policies/data/csv.h"
#include "policies/data/csv_scanner.h"

namespace mlops::data {
namespace {

// Unquoted, doubled quotes made single. REQUIRES: `raw` begins and ends with a quote.
void unescape(std::string_view raw, std::string& into) {
  into.clear();
  for (std::size_t i = 1; i + 1 < raw.size(); ++i) {
    into.push_back(raw[i]);
    if (raw[i] == '"') ++i;
  }
}

}  // namespace

CsvReader::CsvReader() = default;
CsvReader::~CsvReader() = default;
CsvReader::CsvReader(CsvReader&&) noexcept = default;
CsvReader& CsvReader::operator=(CsvReader&&) noexcept = default;

Result<CsvReader> CsvReader::open(Source& source, const CsvOptions& options) {
  CsvReader reader;
  reader.options_ = options;
  reader.scanner_ = std::make_unique<CsvScanner>(source, options);
  MLOPS_TRY(reader.scanner_->begin());
  MLOPS_ASSIGN(const bool any, reader.scanner_->next());
  if (!any) return fail(ErrorCode::kInvalid, "csv_empty", "1:1: the table is empty");
  reader.dialect_ = reader.scanner_->dialect();
  if (options.has_header) {
    MLOPS_TRY(reader.take_header());
  } else {
    reader.first_row_pending_ = true;
    for (std::size_t i = 1; i <= reader.scanner_->pieces().size(); ++i) {
      reader.header_.push_back(fmt::format("column_{}", i));
    }
  }
  reader.named_ = reader.header_.size();
  reader.ragged_ = options.ragged;
  return reader;
}

CsvReader CsvReader::open_part(std::string_view bytes, const CsvReader& whole, std::uint64_t first_line) {
  CsvReader reader;
  reader.options_ = whole.options_;
  reader.is_part_ = true;
  reader.scanner_ = std::make_unique<CsvScanner>(bytes, whole.options_);
  reader.dialect_ = whole.dialect_;
  reader.dialect_.has_bom = false;
  reader.scanner_->resume(reader.dialect_, first_line);
  reader.header_ = whole.header_;
  reader.named_ = whole.named_;
  reader.ragged_ = whole.ragged_;
  return reader;
}

Result<bool> CsvReader::take_rows(std::size_t least_bytes, std::string& into, std::uint64_t& rows,
                                  std::uint64_t& first_line) {
  rows = 0;
  while (!done_) {
    if (!first_row_pending_) {
      if (rows == 0) first_line = scanner_->next_line();
      std::uint64_t plain_rows = 0;
      into += scanner_->take_plain_rows(least_bytes - into.size(), plain_rows);
      rows += plain_rows;
      if (into.size() >= least_bytes) break;
      MLOPS_ASSIGN(const bool more, scanner_->next());
      done_ = !more;
      if (!more) break;
    }
    first_row_pending_ = false;
    if (rows == 0) first_line = scanner_->line();
    ++rows;
    into += scanner_->row_and_end();
    // A part that began or ended with blank lines could not tell whether the table ends with them.
    if (into.size() >= least_bytes && !scanner_->is_blank()) break;
  }
  return rows > 0;
}

// Names are compared trimmed and without case, because rules match them so: two columns a rule cannot tell apart
// would leave one of them unmasked.
Status CsvReader::take_header() {
  CsvRow row;
  fill(row);
  header_line_end_ = std::string(row.line_end());
  std::set<std::string> seen;
  for (std::size_t i = 0; i < row.size(); ++i) {
    header_raw_.emplace_back(row.raw(i));
    header_.emplace_back(trim(row.text(i)));
    const std::size_t offset = scanner_->pieces()[i].begin;
    if (header_.back().empty()) {
      return scanner_->error_at(offset, "csv_header_empty", fmt::format("column {} has no name", i + 1));
    }
    if (!seen.insert(to_lower_ascii(header_.back())).second) {
      return scanner_->error_at(offset, "csv_header_duplicate",
                                fmt::format("column {} has the name of an earlier one", i + 1));
    }
  }
  return {};
}

Result<bool> CsvReader::next(CsvRow& row) {
  if (done_) return false;
  if (!first_row_pending_) {
    MLOPS_ASSIGN(const bool more, scanner_->next());
    if (!more) {
      done_ = true;
      return false;
    }
  }
  first_row_pending_ = false;
  const std::size_t cells = scanner_->pieces().size();
  if (cells != named_) {
    if (scanner_->is_blank() && ragged_ == Ragged::kError) return end_with_trailer();
    MLOPS_TRY(check_cells(cells));
  }
  fill(row);
  ++rows_;
  return true;
}

// A ragged row: fine when asked for, and its cells too many get columns.
Status CsvReader::check_cells(std::size_t cells) {
  if (ragged_ == Ragged::kError) {
    return scanner_->error_at(0, "csv_ragged", fmt::format("the row has {} cells, the table {} columns", cells, named_),
                              "say `ragged: pad` to read such rows all the same");
  }
  for (std::size_t i = header_.size(); i < cells; ++i) {
    auto name = fmt::format("extra_{}", i + 1);
    while (std::find(header_.begin(), header_.end(), name) != header_.end()) name += '_';
    header_.push_back(std::move(name));
  }
  return {};
}

// A blank line in a table of several columns: fine when nothing but blank lines follows, ragged otherwise.
Result<bool> CsvReader::end_with_trailer() {
  Failure ragged = scanner_->error_at(0, "csv_ragged", "a blank line inside the table");
  for (bool more = true; more;) {
    if (!scanner_->is_blank()) return ragged;
    trailer_ += scanner_->line_end();
    MLOPS_ASSIGN(more, scanner_->next());
  }
  done_ = true;
  return false;
}

void CsvReader::fill(CsvRow& row) {
  const auto& pieces = scanner_->pieces();
  if (!is_part_) unescaped_.clear();
  const std::size_t before = row.cells_.size();
  row.cells_.resize(pieces.size());
  for (std::size_t i = before; i < pieces.size(); ++i) row.cells_[i].column = i;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const auto& piece = pieces[i];
    const std::string_view raw = scanner_->bytes(piece.begin, piece.end);
    auto& cell = row.cells_[i];
    cell.raw = raw;
    if (piece.escaped) {
      unescape(raw, unescaped_.emplace_back());
      cell.text = unescaped_.back();
    } else {
      cell.text = piece.quoted ? raw.substr(1, raw.size() - 2) : raw;
    }
  }
  row.line_end_ = scanner_->line_end();
  row.line_ = scanner_->line();
}

}  // namespace mlops::data
