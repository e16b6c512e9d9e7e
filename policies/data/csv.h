// Streaming CSV, byte-exact: a reader that gives each cell both decoded and raw, and a writer that puts raw cells back
// untouched, so that a rewritten table differs from its input only in the cells that were masked.
//
//   file   = [BOM] row *(end row) [end] *end          end = CRLF | LF | CR
//   row    = cell *(delimiter cell)                   delimiter = given, or sniffed: , ; TAB |
//   cell   = quoted | plain                           quoted = DQUOTE *(any | 2DQUOTE) DQUOTE
//
// Where none of , ; TAB | stands in the first row, ^ ~ : and the separators U+0001 and U+001F are the delimiter when
// they occur equally often in each of the first rows.
//
// A quote inside a plain cell is an ordinary character; text after a closing quote is an error. A blank line is a row
// of one empty cell in a one-column table, the trailer when only blank lines follow, and a ragged row otherwise. Errors
// are kInvalid "csv_…" with "line:column" (bytes, from 1) and never with a cell or a header name: csv_empty,
// csv_ragged, csv_quote, csv_nul, csv_utf8, csv_header_empty, csv_header_duplicate, csv_cell_too_long,
// csv_row_too_long, csv_too_many_columns, csv_no_columns, csv_delimiter (cannot be one). Errors of source and sink pass
// through. Thread-safety: a reader or a writer belongs to one thread; sources and sinks are borrowed.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "policies/data/record.h"
#include "policies/data/stream.h"

namespace mlops::data {

// A row of fewer or more cells than the table has columns: an error, or read all the same. Then missing cells are
// absent and each cell too many belongs to a column "extra_N" (N: its position), which joins the header when it is met.
enum class Ragged { kError, kPad };

struct CsvOptions {
  std::optional<char> delimiter;  // absent: sniffed from the first row
  Ragged ragged = Ragged::kError;
  bool has_header = true;                 // false: columns are named column_1 …, the first row is data
  std::size_t max_cell_bytes = 1u << 20;  // decoded or raw, whichever is longer
  std::size_t max_row_bytes = 16u << 20;
  std::size_t max_columns = 10'000;
};

struct CsvDialect {
  char delimiter = ',';
  bool has_bom = false;
  std::string line_end = "\n";  // of the first row
};

// One row of the reader. Its raw cells lie in one piece, a delimiter apart. REQUIRES of all views: used before the
// reader's following next(); of a reader of a part: while it is there.
class CsvRow {
 public:
  const std::vector<Cell>& cells() const { return cells_; }
  std::size_t size() const { return cells_.size(); }
  std::string_view text(std::size_t index) const { return cells_[index].text; }  // decoded: unquoted, "" → "
  std::string_view raw(std::size_t index) const { return cells_[index].raw; }    // as it stands in the file
  std::string_view line_end() const { return line_end_; }                        // "" on a last row without one
  std::uint64_t line() const { return line_; }                                   // where the row begins, from 1

 private:
  friend class CsvReader;
  std::vector<Cell> cells_;
  std::string_view line_end_;
  std::uint64_t line_ = 0;
};

class CsvScanner;  // private: csv_scanner.h

class CsvReader {
 public:
  // Reads the first row. `source` must outlive the reader.
  static Result<CsvReader> open(Source& source, const CsvOptions& options = {});
  // A reader of rows of `whole` that lie in `bytes`, the first in line `first_line`; for tables without ragged rows.
  // `bytes` outlive the reader.
  static CsvReader open_part(std::string_view bytes, const CsvReader& whole, std::uint64_t first_line);
  ~CsvReader();
  CsvReader(CsvReader&&) noexcept;
  CsvReader& operator=(CsvReader&&) noexcept;

  const std::vector<std::string>& header() const { return header_; }          // decoded, trimmed of blanks
  const std::vector<std::string>& header_raw() const { return header_raw_; }  // empty when has_header is false
  const std::string& header_line_end() const { return header_line_end_; }
  const CsvDialect& dialect() const { return dialect_; }
  std::uint64_t rows() const { return rows_; }  // data rows given so far
  // False at the end; then trailer() holds the blank lines the file ends with.
  Result<bool> next(CsvRow& row);
  std::string_view trailer() const { return trailer_; }

  // Appends the rows that follow, not read and not counted, until `into` has `least_bytes`; false at the end. Says in
  // `rows` how many, and in `first_line` where the first of them begins. Blank lines stay with the row after them, or
  // at the end of the table with the one before. Errors: those of next() but the ones about single cells, and about
  // rows that can be cut without looking at their cells.
  Result<bool> take_rows(std::size_t least_bytes, std::string& into, std::uint64_t& rows, std::uint64_t& first_line);
  bool may_be_ragged() const { return ragged_ == Ragged::kPad; }

 private:
  CsvReader();
  Status take_header();
  Result<bool> end_with_trailer();
  Status check_cells(std::size_t cells);
  void fill(CsvRow& row);

  std::unique_ptr<CsvScanner> scanner_;
  CsvDialect dialect_;
  std::vector<std::string> header_;
  std::vector<std::string> header_raw_;
  std::string header_line_end_;
  std::string trailer_;
  std::deque<std::string> unescaped_;  // decoded texts of cells that hold doubled quotes, of a part all
  bool is_part_ = false;
  std::uint64_t rows_ = 0;
  Ragged ragged_ = Ragged::kError;
  std::size_t named_ = 0;  // columns of the first row; extra ones follow
  CsvOptions options_;
  bool first_row_pending_ = false;  // open() read it and it is data
  bool done_ = false;
};

class CsvWriter {
 public:
  // `dropped[i]`: column i leaves the table; shorter than the table: the rest stay.
  CsvWriter(Sink& sink, CsvDialect dialect, std::vector<bool> dropped = {});

  // Writes nothing before finish(), and makes room for so much.
  void hold(std::size_t expected_bytes);
  // BOM and header as they stood, without the dropped columns. REQUIRES: first call, at most once.
  Status write_header(const CsvReader& reader);
  // The row's raw cells, except where `masked[i]` has a value (shorter than the row: the rest stay raw). A masked value
  // equal to the cell's text leaves the raw bytes alone; a cell that was quoted stays quoted.
  Status write_row(const CsvRow& row, std::span<const std::optional<std::string>> masked = {});
  // The same cell by cell. REQUIRES: begin_row, then one put a cell in order, then end_row.
  void begin_row();
  void put_kept(std::span<const Cell> cells);  // several, which lie in one piece
  // `is_plain`: needs_quotes() is known to be false.
  void put_masked(const Cell& cell, std::string_view value, bool is_plain);
  bool needs_quotes(std::string_view value) const;
  Status end_row(std::string_view line_end);
  // Writes what is buffered and `trailer` (CsvReader::trailer()). REQUIRES: last call; without it rows are lost.
  Status finish(std::string_view trailer = {});

 private:
  enum class Quotes { kWhenNeeded, kAlways };
  char* make_room(std::size_t size_bytes);
  void put(std::string_view bytes);
  void put(char byte);
  void put_value(std::string_view value, Quotes quotes);
  Status flush_if_full();
  bool begin_cell(const Cell& cell);
  bool is_dropped(std::size_t index) const { return index < dropped_.size() && dropped_[index]; }

  Sink& sink_;
  CsvDialect dialect_;
  std::vector<bool> dropped_;
  std::string buffer_;  // the first end_ bytes are written; the rest is room
  std::size_t end_ = 0;
  bool holds_ = false;
  std::size_t row_begin_ = 0;
  bool is_first_ = true;       // no cell of the row was put yet
  bool is_rewritten_ = false;  // a cell of the row was replaced or dropped
};

}  // namespace mlops::data
