// Private to policies/data: cuts a byte stream into CSV rows and cells, holding exactly one row in memory.
//
// The row lies contiguous in the buffer and cells are kept as offsets from its first byte, so a refill may move the
// bytes while a row is half read. Errors: the csv_… slugs of csv.h. Thread-safety: one thread.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "policies/data/byte_windows.h"
#include "policies/data/csv.h"
#include "policies/data/stream.h"

namespace mlops::data {

class CsvScanner {
 public:
  struct Piece {
    Piece(std::size_t begins, std::size_t ends, bool is_quoted) : begin(begins), end(ends), quoted(is_quoted) {}

    std::size_t begin = 0;  // from the row's first byte, quotes included
    std::size_t end = 0;
    bool quoted = false;
    bool escaped = false;  // holds doubled quotes
  };

  CsvScanner(Source& source, const CsvOptions& options);
  // Of bytes in memory, which outlive the scanner as the views into them do.
  CsvScanner(std::string_view bytes, const CsvOptions& options);

  // REQUIRES: once, before next(). Skips a BOM, settles the delimiter; dialect().line_end is set by the first next().
  Status begin();
  // Instead of begin(): the input is a part of a table, without BOM and header.
  void resume(const CsvDialect& dialect, std::uint64_t first_line);
  // Reads one row; false at the end of the input.
  Result<bool> next();
  // Takes rows that lie whole in the buffer and hold neither a quote nor a CR without its LF, until `least_bytes` of
  // them end with one that is not blank, or less when there are no more such; says in `rows` how many. In place of as
  // many next(); what is wrong in them stays unseen.
  std::string_view take_plain_rows(std::size_t least_bytes, std::uint64_t& rows);

  const CsvDialect& dialect() const { return dialect_; }
  const std::vector<Piece>& pieces() const { return pieces_; }
  std::string_view bytes(std::size_t begin, std::size_t end) const { return {data_ + row_begin_ + begin, end - begin}; }
  std::string_view line_end() const { return bytes(row_bytes_, row_bytes_ + line_end_bytes_); }
  std::string_view row_and_end() const { return bytes(0, row_bytes_ + line_end_bytes_); }
  bool is_blank() const { return row_bytes_ == 0; }
  std::uint64_t line() const { return line_; }
  std::uint64_t next_line() const { return next_line_; }  // where the following row begins
  // The error at a byte of the current row.
  Failure error_at(std::size_t offset, std::string slug, const std::string& message, std::string hint = {}) const;

 private:
  enum class More { kYes, kEnd };
  enum class After { kCell, kRow };  // what ended a cell: a delimiter, or the row's end

  Result<More> refill();
  // kEnd when at_ is past the last byte of the input.
  Result<More> look() {
    if (at_ < filled_) return More::kYes;
    return refill();
  }
  Status sniff();
  Status see_rows();
  std::vector<std::size_t> count_in_rows(char candidate) const;
  void classify_bytes();
  bool scan_usual_cells();
  bool is_blank_before(std::size_t at) const;
  Result<After> scan_plain();
  Result<After> scan_quoted();
  Result<After> end_cell(Piece piece);
  Status take_line_end();
  Status check_row();
  std::size_t offset() const { return at_ - row_begin_; }

  // The special bytes (find_specials) of 64 bytes of the buffer from `begin` on that were not passed yet.
  struct Window {
    static constexpr std::size_t kNowhere = SIZE_MAX;
    std::size_t begin = kNowhere;
    std::uint64_t specials = 0;
  };
  // The first special byte of the window or behind it; false when fewer than 64 bytes of the buffer are left to look
  // at.
  bool next_special(Window& window, std::size_t& at) const {
    while (window.specials == 0) {
      const std::size_t begin = window.begin + kWindowBytes;
      if (begin + kWindowBytes > filled_) return false;
      window = {begin, find_specials(data_ + begin, dialect_.delimiter)};
    }
    at = window.begin + static_cast<std::size_t>(std::countr_zero(window.specials));
    window.specials &= window.specials - 1;
    return true;
  }

  Source* source_;  // nullptr: all bytes are there
  CsvOptions options_;
  CsvDialect dialect_;
  std::array<std::uint8_t, 256> plain_class_{};
  std::array<std::uint8_t, 256> quoted_class_{};
  std::vector<char> buffer_;
  const char* data_ = nullptr;                   // of the buffer, or of the bytes in memory
  std::size_t window_begin_ = Window::kNowhere;  // where the row before ended,
  std::size_t row_begin_ = 0;
  std::uint64_t window_specials_ = 0;  // apart from its beginning: read as one, both would wait for their stores
  std::size_t at_ = 0;
  std::size_t filled_ = 0;
  bool source_ended_ = false;

  std::vector<Piece> pieces_;
  std::size_t row_bytes_ = 0;
  std::size_t line_end_bytes_ = 0;
  std::uint64_t line_ = 0;
  std::uint64_t next_line_ = 1;
  bool needs_check_ = false;  // the row holds a NUL or a byte above ASCII
  bool spans_lines_ = false;  // the row holds a line end inside quotes
  bool first_row_ = true;
};

}  // namespace mlops::data
