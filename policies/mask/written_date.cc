#include "policies/mask/written_date.h"

#include <fmt/format.h>

#include <array>

#include "core/base/text.h"

namespace mlops::mask {
namespace {

using Kind = DatePiece::Kind;
using Pieces = std::vector<DatePiece>;

constexpr std::array<std::string_view, 12> kMonths = {"january",   "february", "march",    "april",
                                                      "may",       "june",     "july",     "august",
                                                      "september", "october",  "november", "december"};
constexpr int kFirstYear = 1000;
constexpr int kLastYear = 9999;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::size_t run_of(std::string_view text, std::size_t at, bool (*is)(char)) {
  std::size_t end = at;
  while (end < text.size() && is(text[end])) ++end;
  return end - at;
}

int number_of(std::string_view digits) {
  return static_cast<int>(parse_int(digits).value_or(0));
}

// 1 … 12 for a month's name or its first three letters ("Sept" too); 0 for anything else.
unsigned month_of(std::string_view word) {
  const auto lower = to_lower_ascii(word);
  for (unsigned i = 0; i < kMonths.size(); ++i) {
    if (lower == kMonths[i] || lower == kMonths[i].substr(0, 3)) return i + 1;
  }
  return lower == "sept" ? 9 : 0;
}

// Reads forward; each step that does not fit leaves everything as it is.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}
  bool at_end() const { return at_ == text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[at_]; }

  bool number(std::size_t min, std::size_t max, std::string_view& out) {
    return take(run_of(text_, at_, is_digit), min, max, out);
  }
  bool word(std::string_view& out) { return take(run_of(text_, at_, is_letter), 3, 9, out); }
  bool one_of(std::string_view characters, std::string_view& out) {
    return !at_end() && characters.find(peek()) != std::string_view::npos && take(1, 1, 1, out);
  }
  bool skip(char c) { return peek() == c && !at_end() && (++at_, true); }
  std::string_view rest() const { return text_.substr(at_); }

 private:
  bool take(std::size_t count, std::size_t min, std::size_t max, std::string_view& out) {
    if (count < min || count > max) return false;
    out = text_.substr(at_, count);
    at_ += count;
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

// "T10:30", " 10:30:05.123 PM", "T10:30Z", "T10:30+02:00", or nothing.
bool is_time(std::string_view text) {
  if (text.empty()) return true;
  Cursor cursor(text);
  std::string_view ignored;
  if (!cursor.one_of("Tt ", ignored)) return false;
  if (!cursor.number(1, 2, ignored) || !cursor.skip(':') || !cursor.number(2, 2, ignored)) return false;
  if (cursor.skip(':')) {
    if (!cursor.number(2, 2, ignored)) return false;
    if (cursor.one_of(".,", ignored) && !cursor.number(1, 9, ignored)) return false;
  }
  cursor.skip(' ');
  if (cursor.one_of("AaPp", ignored) && !cursor.one_of("Mm", ignored)) return false;
  cursor.skip(' ');
  if (cursor.one_of("Zz", ignored)) return cursor.at_end();
  if (cursor.one_of("+-", ignored)) {
    if (!cursor.number(2, 4, ignored)) return false;
    if (cursor.skip(':') && !cursor.number(2, 2, ignored)) return false;
  }
  return cursor.at_end();
}

// What a compact date may have behind it: hours and minutes, seconds, and an offset.
bool is_compact_time(std::string_view text) {
  if (text.empty()) return true;
  if (text[0] == 'T' || text[0] == 't' || text[0] == ' ') return is_time(text);
  Cursor cursor(text);
  std::string_view digits;
  if (!cursor.number(4, 6, digits) || digits.size() == 5) return false;
  if (cursor.skip('.') && !cursor.number(1, 6, digits)) return false;
  std::string_view sign;
  if (cursor.one_of("+-", sign) && !cursor.number(4, 4, digits)) return false;
  return cursor.at_end();
}

// 2024-03-05, 2024-Mar-05.
bool read_year_first(std::string_view text, Pieces& pieces) {
  Cursor cursor(text);
  std::string_view year, first, middle, second, day;
  if (!cursor.number(4, 4, year) || !cursor.one_of("-/.", first)) return false;
  const bool worded = is_letter(cursor.peek());
  if (!(worded ? cursor.word(middle) : cursor.number(1, 2, middle))) return false;
  if (!cursor.one_of(first, second) || !cursor.number(1, 2, day)) return false;
  pieces = {{Kind::kYear, year},   {Kind::kText, first}, {worded ? Kind::kMonthWord : Kind::kMonth, middle},
            {Kind::kText, second}, {Kind::kDay, day},    {Kind::kText, cursor.rest()}};
  return is_time(cursor.rest());
}

bool read_compact(std::string_view text, Pieces& pieces) {
  if (run_of(text, 0, is_digit) < 8) return false;
  pieces = {{Kind::kYear, text.substr(0, 4)},
            {Kind::kMonth, text.substr(4, 2)},
            {Kind::kDay, text.substr(6, 2)},
            {Kind::kText, text.substr(8)}};
  return is_compact_time(text.substr(8));
}

// 3/5/2024, 5.3.2024.
bool read_year_last(std::string_view text, DateOrder order, Pieces& pieces) {
  Cursor cursor(text);
  std::string_view one, first, two, second, year;
  if (!cursor.number(1, 2, one) || !cursor.one_of("-/.", first) || !cursor.number(1, 2, two)) return false;
  if (!cursor.one_of(first, second) || !cursor.number(4, 4, year)) return false;
  const bool month_first = order == DateOrder::kMonthFirst || (order == DateOrder::kBySeparator && first == "/");
  pieces = {{month_first ? Kind::kMonth : Kind::kDay, one},
            {Kind::kText, first},
            {month_first ? Kind::kDay : Kind::kMonth, two},
            {Kind::kText, second},
            {Kind::kYear, year},
            {Kind::kText, cursor.rest()}};
  return is_time(cursor.rest());
}

// 05-Mar-2024, 5 March 2024.
bool read_day_word(std::string_view text, Pieces& pieces) {
  Cursor cursor(text);
  std::string_view day, first, word, second, year;
  if (!cursor.number(1, 2, day) || !cursor.one_of("- /", first) || !cursor.word(word)) return false;
  if (!cursor.one_of(first, second) || !cursor.number(4, 4, year)) return false;
  pieces = {{Kind::kDay, day},     {Kind::kText, first}, {Kind::kMonthWord, word},
            {Kind::kText, second}, {Kind::kYear, year},  {Kind::kText, cursor.rest()}};
  return is_time(cursor.rest());
}

// March 5, 2024.
bool read_word_day(std::string_view text, Pieces& pieces) {
  Cursor cursor(text);
  std::string_view word, blank, day, comma, second, year;
  if (!cursor.word(word) || !cursor.one_of(" ", blank) || !cursor.number(1, 2, day)) return false;
  cursor.one_of(",", comma);
  if (!cursor.one_of(" ", second) || !cursor.number(4, 4, year)) return false;
  pieces = {{Kind::kMonthWord, word}, {Kind::kText, blank}, {Kind::kDay, day},           {Kind::kText, comma},
            {Kind::kText, second},    {Kind::kYear, year},  {Kind::kText, cursor.rest()}};
  return is_time(cursor.rest());
}

std::optional<std::chrono::sys_days> day_of(const Pieces& pieces) {
  int year = 0;
  unsigned month = 0, day = 0;
  for (const auto& piece : pieces) {
    if (piece.kind == Kind::kYear) year = number_of(piece.text);
    if (piece.kind == Kind::kMonth) month = static_cast<unsigned>(number_of(piece.text));
    if (piece.kind == Kind::kMonthWord) month = month_of(piece.text);
    if (piece.kind == Kind::kDay) day = static_cast<unsigned>(number_of(piece.text));
  }
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)};
  if (!date.ok() || year < kFirstYear) return std::nullopt;
  return std::chrono::sys_days(date);
}

// A number below ten without its zero says that the date's others have none either.
bool is_padded(const Pieces& pieces) {
  for (const auto& piece : pieces) {
    if ((piece.kind == Kind::kMonth || piece.kind == Kind::kDay) && piece.text.size() == 1) return false;
  }
  return true;
}

std::string word_like(std::string_view written, unsigned month) {
  const auto& name = kMonths[month - 1];
  // "May" is both: the long form would be as good, but the short one is as wide as the others.
  std::string word(written.size() <= 4 ? name.substr(0, 3) : name);
  const bool upper = is_letter(written[0]) && written[0] < 'a';
  const bool all_upper = upper && written[1] < 'a';
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (all_upper || (upper && i == 0)) word[i] = static_cast<char>(word[i] - 'a' + 'A');
  }
  return word;
}

}  // namespace

std::optional<WrittenDate> read_written_date(std::string_view cell, DateOrder order) {
  cell = trim(cell);
  Pieces pieces;
  const bool read = read_year_first(cell, pieces) || read_compact(cell, pieces) ||
                    read_year_last(cell, order, pieces) || read_day_word(cell, pieces) || read_word_day(cell, pieces);
  if (!read) return std::nullopt;
  const auto day = day_of(pieces);
  if (!day) return std::nullopt;
  return WrittenDate{*day, std::move(pieces)};
}

std::optional<std::string> write_like(const WrittenDate& date, std::chrono::sys_days day) {
  const std::chrono::year_month_day to(day);
  const int year = static_cast<int>(to.year());
  if (year < kFirstYear || year > kLastYear) return std::nullopt;
  const int width = is_padded(date.pieces) ? 2 : 1;
  std::string out;
  for (const auto& piece : date.pieces) {
    switch (piece.kind) {
      case Kind::kText:
        out += piece.text;
        break;
      case Kind::kYear:
        out += fmt::format("{:04}", year);
        break;
      case Kind::kMonth:
        out += fmt::format("{:0{}}", static_cast<unsigned>(to.month()), width);
        break;
      case Kind::kMonthWord:
        out += word_like(piece.text, static_cast<unsigned>(to.month()));
        break;
      case Kind::kDay:
        out += fmt::format("{:0{}}", static_cast<unsigned>(to.day()), width);
        break;
    }
  }
  return out;
}

}  // namespace mlops::mask
