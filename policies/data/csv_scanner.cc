#include "policies/data/csv_scanner.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "policies/data/byte_windows.h"
#include "policies/data/utf8.h"

namespace mlops::data {
namespace {

constexpr std::size_t kBufferBytes = 64u << 10;
constexpr std::string_view kBom = "\xEF\xBB\xBF";
constexpr std::string_view kDelimiters = ",;\t|";
constexpr std::string_view kRareDelimiters = "^~\x01\x1F:";
constexpr std::size_t kRowsSniffed = 5;

enum ByteClass : std::uint8_t { kOrdinary, kDelimiter, kLineEnd, kQuote, kCheck };

// Line ends in `text`, CRLF counted once.
std::uint64_t count_line_ends(std::string_view text) {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' || (text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n'))) ++count;
  }
  return count;
}

}  // namespace

CsvScanner::CsvScanner(Source& source, const CsvOptions& options)
    : source_(&source),
      options_(options),
      buffer_(std::min(kBufferBytes, options.max_row_bytes + 2)),
      data_(buffer_.data()) {}

CsvScanner::CsvScanner(std::string_view bytes, const CsvOptions& options)
    : source_(nullptr), options_(options), data_(bytes.data()), filled_(bytes.size()), source_ended_(true) {}

Failure CsvScanner::error_at(std::size_t offset, std::string slug, const std::string& message, std::string hint) const {
  const std::string_view before = bytes(0, offset);
  const std::size_t last_end = before.find_last_of("\r\n");
  const std::size_t column = last_end == std::string_view::npos ? offset + 1 : offset - last_end;
  return fail(ErrorCode::kInvalid, std::move(slug),
              fmt::format("{}:{}: {}", line_ + count_line_ends(before), column, message), std::move(hint));
}

Result<CsvScanner::More> CsvScanner::refill() {
  if (source_ended_) return More::kEnd;
  window_begin_ = Window::kNowhere;
  if (row_begin_ > 0) {  // keep only the row being read
    std::memmove(buffer_.data(), buffer_.data() + row_begin_, filled_ - row_begin_);
    filled_ -= row_begin_;
    at_ -= row_begin_;
    row_begin_ = 0;
  }
  const std::size_t limit = options_.max_row_bytes + 2;  // and its line end
  if (filled_ == buffer_.size()) {
    if (filled_ >= limit) {
      return error_at(0, "csv_row_too_long", fmt::format("the row is longer than {} bytes", options_.max_row_bytes),
                      "look for a quote that is never closed");
    }
    buffer_.resize(std::min(limit, buffer_.size() * 2));
    data_ = buffer_.data();
  }
  MLOPS_ASSIGN(const std::size_t count, source_->read({buffer_.data() + filled_, buffer_.size() - filled_}));
  filled_ += count;
  source_ended_ = count == 0;
  return source_ended_ ? More::kEnd : More::kYes;
}

Status CsvScanner::begin() {
  line_ = 1;
  // The first row should be in view for sniffing; a longer one is judged by its beginning.
  while (filled_ < buffer_.size() && !source_ended_) {
    MLOPS_TRY(refill());
    if (std::string_view(data_, filled_).find('\n') != std::string_view::npos) break;
  }
  if (std::string_view(data_, filled_).starts_with(kBom)) {
    dialect_.has_bom = true;
    at_ = row_begin_ = kBom.size();
  }
  if (!options_.delimiter) {
    MLOPS_TRY(sniff());
  } else if (constexpr std::string_view kNone("\"\r\n\0", 4);
             kNone.find(*options_.delimiter) != std::string_view::npos || *options_.delimiter < 0) {
    return fail(ErrorCode::kInvalid, "csv_delimiter", "a quote, a line end, NUL or a byte above ASCII is no delimiter");
  } else {
    dialect_.delimiter = *options_.delimiter;
  }
  classify_bytes();
  return {};
}

void CsvScanner::resume(const CsvDialect& dialect, std::uint64_t first_line) {
  dialect_ = dialect;
  line_ = next_line_ = first_line;
  first_row_ = false;
  classify_bytes();
}

// Reads on until enough rows are in view to judge a rare delimiter.
Status CsvScanner::see_rows() {
  while (filled_ < buffer_.size() && !source_ended_) {
    if (count_line_ends({data_ + at_, filled_ - at_}) > kRowsSniffed) break;
    MLOPS_TRY(refill());
  }
  return {};
}

// How often it occurs outside quotes in each of the first rows that are in view whole.
std::vector<std::size_t> CsvScanner::count_in_rows(char candidate) const {
  std::vector<std::size_t> counts;
  std::size_t count = 0;
  bool in_quotes = false;
  bool is_blank = true;
  for (std::size_t i = at_; i <= filled_ && counts.size() < kRowsSniffed; ++i) {
    const bool ended = i == filled_;
    if (ended && !source_ended_ && !counts.empty()) break;
    const char c = ended ? '\n' : data_[i];
    if (c == '"') in_quotes = !in_quotes;
    if (in_quotes && !ended) continue;
    if (c == '\n' || c == '\r') {
      if (!is_blank) counts.push_back(count);
      count = 0;
      is_blank = true;
      continue;
    }
    is_blank = false;
    count += c == candidate ? 1 : 0;
  }
  return counts;
}

// The usual candidate that occurs most often outside quotes in the first row; a comma when none does.
Status CsvScanner::sniff() {
  std::size_t most = 0;
  dialect_.delimiter = kDelimiters[0];
  for (const char candidate : kDelimiters) {
    const auto counts = count_in_rows(candidate);
    if (counts.empty() || counts[0] <= most) continue;
    most = counts[0];
    dialect_.delimiter = candidate;
  }
  if (most > 0) return {};
  MLOPS_TRY(see_rows());
  for (const char candidate : kRareDelimiters) {
    const auto counts = count_in_rows(candidate);
    const bool is_even = counts.size() > 1 && counts[0] > 0 &&
                         std::all_of(counts.begin(), counts.end(), [&](std::size_t n) { return n == counts[0]; });
    if (!is_even) continue;
    dialect_.delimiter = candidate;
    return {};
  }
  return {};
}

void CsvScanner::classify_bytes() {
  for (std::size_t c = 0x80; c < 256; ++c) plain_class_[c] = quoted_class_[c] = kCheck;
  plain_class_[0] = quoted_class_[0] = kCheck;
  for (const unsigned char c : {'\r', '\n'}) plain_class_[c] = quoted_class_[c] = kLineEnd;
  quoted_class_['"'] = kQuote;
  plain_class_[static_cast<unsigned char>(dialect_.delimiter)] = kDelimiter;
}

Result<bool> CsvScanner::next() {
  row_begin_ = at_;
  line_ = next_line_;
  pieces_.clear();
  needs_check_ = spans_lines_ = false;
  row_bytes_ = line_end_bytes_ = 0;
  MLOPS_ASSIGN(const More more, look());
  if (more == More::kEnd) return false;
  if (scan_usual_cells()) {
    MLOPS_TRY(check_row());
    return true;
  }
  for (After after = After::kCell; after == After::kCell;) {
    MLOPS_ASSIGN(const More cell, look());
    const bool quoted = cell == More::kYes && data_[at_] == '"';
    MLOPS_ASSIGN(after, quoted ? scan_quoted() : scan_plain());
  }
  MLOPS_TRY(check_row());
  return true;
}

// Takes the cells of the row that are plain ASCII, quoted or not but without quotes and line ends inside, and whole in
// the buffer; true when the row ended with them. What is out of the ordinary is left, from its cell on, to the
// functions below.
bool CsvScanner::scan_usual_cells() {
  Window window{window_begin_, window_specials_};
  window_begin_ = Window::kNowhere;
  const bool goes_on = window.begin != Window::kNowhere && at_ >= window.begin && at_ - window.begin < kWindowBytes;
  if (goes_on) {
    window.specials &= ~std::uint64_t{0} << (at_ - window.begin);
  } else {
    if (at_ + kWindowBytes > filled_) return false;
    window = {at_, find_specials(data_ + at_, dialect_.delimiter)};
  }
  while (pieces_.size() < options_.max_columns) {
    const std::size_t begin = offset();
    const bool is_quoted = data_[at_] == '"';
    std::size_t at = 0;
    std::uint8_t kind = kOrdinary;
    if (is_quoted) {
      if (!next_special(window, at)) return false;  // the quote itself
      do {
        if (!next_special(window, at)) return false;
        kind = quoted_class_[static_cast<unsigned char>(data_[at])];
      } while (kind == kOrdinary);
      if (kind != kQuote || at + 1 >= filled_) return false;
      kind = plain_class_[static_cast<unsigned char>(data_[at + 1])];
      if ((kind != kDelimiter && kind != kLineEnd) || !next_special(window, at)) return false;
    } else {
      do {
        if (!next_special(window, at)) return false;
        kind = plain_class_[static_cast<unsigned char>(data_[at])];
      } while (kind == kOrdinary);
      if (kind == kCheck) return false;
    }
    const std::size_t end = at - row_begin_;
    if (end - begin > options_.max_cell_bytes || at + 1 >= filled_) return false;
    pieces_.emplace_back(begin, end, is_quoted);  // in place: a copy would wait for its narrow stores
    at_ = at + 1;
    if (kind == kDelimiter) continue;
    row_bytes_ = end;
    line_end_bytes_ = data_[at] == '\r' && data_[at_] == '\n' ? 2 : 1;
    at_ = at + line_end_bytes_;
    window_begin_ = window.begin;
    window_specials_ = window.specials;
    return true;
  }
  return false;
}

std::string_view CsvScanner::take_plain_rows(std::size_t least_bytes, std::uint64_t& rows) {
  rows = 0;
  std::uint64_t met = 0;  // line ends
  std::size_t end = at_;  // behind the last row that may be the last one taken
  bool after_return = false;
  for (std::size_t begin = at_; begin + kWindowBytes <= filled_; begin += kWindowBytes) {
    const auto found = find_line_ends(data_ + begin);
    const std::uint64_t follows = found.returns << 1 | (after_return ? 1 : 0);
    after_return = found.returns >> 63 != 0;
    if (found.quotes != 0 || (follows & ~found.feeds) != 0) break;
    for (auto feeds = found.feeds; feeds != 0; feeds &= feeds - 1) {
      ++met;
      const std::size_t at = begin + static_cast<std::size_t>(std::countr_zero(feeds));
      if (is_blank_before(at)) continue;
      end = at + 1;
      rows = met;
      if (end - at_ >= least_bytes) break;
    }
    if (end - at_ >= least_bytes) break;
  }
  const std::string_view taken(data_ + at_, end - at_);
  at_ = row_begin_ = end;
  next_line_ += rows;
  return taken;
}

// Is the line that ends with the LF at `at` blank?
bool CsvScanner::is_blank_before(std::size_t at) const {
  if (at > at_ && data_[at - 1] == '\r') --at;
  return at == at_ || data_[at - 1] == '\n';
}

Result<CsvScanner::After> CsvScanner::scan_plain() {
  Piece piece(offset(), 0, false);
  for (;;) {
    const char* p = data_ + at_;
    const char* const end = data_ + filled_;
    while (p < end && plain_class_[static_cast<unsigned char>(*p)] == kOrdinary) ++p;
    at_ = static_cast<std::size_t>(p - data_);
    MLOPS_ASSIGN(const More more, look());
    if (more == More::kEnd) break;
    const std::uint8_t kind = plain_class_[static_cast<unsigned char>(data_[at_])];
    if (kind == kDelimiter || kind == kLineEnd) break;
    if (kind == kCheck) {
      needs_check_ = true;
      ++at_;
    }
  }
  piece.end = offset();
  return end_cell(piece);
}

Result<CsvScanner::After> CsvScanner::scan_quoted() {
  Piece piece(offset(), 0, true);
  ++at_;
  for (;;) {
    const char* p = data_ + at_;
    const char* const end = data_ + filled_;
    while (p < end && quoted_class_[static_cast<unsigned char>(*p)] == kOrdinary) ++p;
    at_ = static_cast<std::size_t>(p - data_);
    MLOPS_ASSIGN(const More more, look());
    if (more == More::kEnd) {
      return error_at(piece.begin, "csv_quote", "the quote opened here is never closed");
    }
    const std::uint8_t kind = quoted_class_[static_cast<unsigned char>(data_[at_])];
    if (kind == kOrdinary) continue;  // a refill brought more
    ++at_;
    if (kind == kLineEnd) spans_lines_ = true;
    if (kind == kCheck) needs_check_ = true;
    if (kind != kQuote) continue;
    MLOPS_ASSIGN(const More after_quote, look());
    if (after_quote == More::kEnd || data_[at_] != '"') break;
    piece.escaped = true;
    ++at_;
  }
  piece.end = offset();
  return end_cell(piece);
}

Result<CsvScanner::After> CsvScanner::end_cell(Piece piece) {
  if (piece.end - piece.begin > options_.max_cell_bytes) {
    return error_at(piece.begin, "csv_cell_too_long",
                    fmt::format("a cell is longer than {} bytes", options_.max_cell_bytes));
  }
  if (pieces_.size() == options_.max_columns) {
    return error_at(piece.begin, "csv_too_many_columns",
                    fmt::format("the row has more than {} cells", options_.max_columns));
  }
  pieces_.push_back(piece);
  if (at_ == filled_) {  // only at the end of the input: every scan looked at the byte after its cell
    row_bytes_ = offset();
    return After::kRow;
  }
  const std::uint8_t kind = plain_class_[static_cast<unsigned char>(data_[at_])];
  if (kind == kDelimiter) {
    ++at_;
    return After::kCell;
  }
  if (kind != kLineEnd) {
    return error_at(offset(), "csv_quote", "text follows a closing quote", "double the quotes inside a quoted cell");
  }
  MLOPS_TRY(take_line_end());
  return After::kRow;
}

Status CsvScanner::take_line_end() {
  row_bytes_ = offset();
  const bool carriage_return = data_[at_] == '\r';
  ++at_;
  line_end_bytes_ = 1;
  if (!carriage_return) return {};
  MLOPS_ASSIGN(const More more, look());
  if (more == More::kYes && data_[at_] == '\n') {
    ++at_;
    line_end_bytes_ = 2;
  }
  return {};
}

Status CsvScanner::check_row() {
  const std::string_view row = bytes(0, row_bytes_);
  if (row.size() > options_.max_row_bytes) {
    return error_at(0, "csv_row_too_long", fmt::format("the row is longer than {} bytes", options_.max_row_bytes));
  }
  if (needs_check_) {
    if (const auto nul = row.find('\0'); nul != std::string_view::npos) {
      return error_at(nul, "csv_nul", "a NUL byte", "save the file as UTF-8 text");
    }
    if (const auto bad = first_invalid_utf8(row); bad != std::string_view::npos) {
      return error_at(bad, "csv_utf8", "not valid UTF-8", "save the file as UTF-8 text");
    }
  }
  next_line_ = line_ + 1 + (spans_lines_ ? count_line_ends(row) : 0);
  if (first_row_ && line_end_bytes_ > 0) dialect_.line_end = std::string(line_end());
  first_row_ = false;
  return {};
}

}  // namespace mlops::data
