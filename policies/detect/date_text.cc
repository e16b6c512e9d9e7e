#include "policies/detect/date_text.h"

#include <algorithm>
#include <utility>

#include "policies/detect/scan.h"

namespace mlops::detect {
namespace {

constexpr int kFirstYear = 1800;
constexpr int kLastYear = 2199;

struct MonthWord {
  std::string_view word;
  int month;
};

// Sorted. English, German, French, Spanish, Italian; accents are folded before. "mai", "marzo" … shared by several.
constexpr MonthWord kMonthWords[] = {
    {"abril", 4},      {"ago", 8},       {"agosto", 8},    {"aout", 8},      {"apr", 4},       {"april", 4},
    {"aprile", 4},     {"aug", 8},       {"august", 8},    {"avr", 4},       {"avril", 4},     {"dec", 12},
    {"december", 12},  {"decembre", 12}, {"dez", 12},      {"dezember", 12}, {"dic", 12},      {"dicembre", 12},
    {"diciembre", 12}, {"ene", 1},       {"enero", 1},     {"feb", 2},       {"febbraio", 2},  {"febrero", 2},
    {"februar", 2},    {"february", 2},  {"fev", 2},       {"fevrier", 2},   {"gen", 1},       {"gennaio", 1},
    {"giugno", 6},     {"jan", 1},       {"januar", 1},    {"january", 1},   {"janvier", 1},   {"juil", 7},
    {"juillet", 7},    {"juin", 6},      {"jul", 7},       {"juli", 7},      {"julio", 7},     {"july", 7},
    {"jun", 6},        {"june", 6},      {"juni", 6},      {"junio", 6},     {"luglio", 7},    {"maggio", 5},
    {"mai", 5},        {"mar", 3},       {"march", 3},     {"mars", 3},      {"marz", 3},      {"marzo", 3},
    {"may", 5},        {"mayo", 5},      {"nov", 11},      {"november", 11}, {"novembre", 11}, {"noviembre", 11},
    {"oct", 10},       {"october", 10},  {"octobre", 10},  {"octubre", 10},  {"okt", 10},      {"oktober", 10},
    {"ott", 10},       {"ottobre", 10},  {"sep", 9},       {"sept", 9},      {"september", 9}, {"septembre", 9},
    {"septiembre", 9}, {"set", 9},       {"settembre", 9},
};

static_assert(std::is_sorted(std::begin(kMonthWords), std::end(kMonthWords),
                             [](const MonthWord& a, const MonthWord& b) { return a.word < b.word; }));

bool is_year(int year) {
  return year >= kFirstYear && year <= kLastYear;
}

// Reads forward through one candidate; every step says whether it fitted.
class Cursor {
 public:
  Cursor(std::string_view text, std::size_t at) : text_(text), at_(at) {}
  std::size_t at() const { return at_; }
  char peek(std::size_t ahead = 0) const { return at_or_nul(text_, at_ + ahead); }
  bool take(char c) { return peek() == c && (++at_, true); }
  // A number of min to max digits that is not the beginning of a longer one.
  std::optional<int> number(std::size_t min, std::size_t max) {
    const std::size_t count = digits_at(text_, at_);
    if (count < min || count > max) return std::nullopt;
    const int value = to_int(text_.substr(at_, count));
    at_ += count;
    return value;
  }
  // A month word, 0 when there is none; a following dot of an abbreviation is taken.
  int month_word() {
    std::size_t end = at_;
    while (is_alpha(at_or_nul(text_, end))) ++end;
    if (end - at_ < 3 || end - at_ > 10) return 0;
    char lower[10];
    std::transform(text_.begin() + static_cast<std::ptrdiff_t>(at_), text_.begin() + static_cast<std::ptrdiff_t>(end),
                   lower, to_lower);
    const std::string_view word(lower, end - at_);
    const auto* row = std::lower_bound(std::begin(kMonthWords), std::end(kMonthWords), word,
                                       [](const MonthWord& a, std::string_view b) { return a.word < b; });
    if (row == std::end(kMonthWords) || row->word != word) return 0;
    at_ = end;
    if (word.size() <= 4) take('.');
    return row->month;
  }
  bool blanks() {
    const std::size_t begin = at_;
    while (peek() == ' ' && at_ - begin < 3) ++at_;
    return at_ > begin;
  }
  void ordinal() {
    for (const std::string_view suffix : {"st", "nd", "rd", "th"}) {
      if (has_at(text_, at_, suffix) && !is_alpha(peek(2))) {
        at_ += 2;
        return;
      }
    }
  }
  // "of", "de", "." or nothing between day and month word.
  void connective() {
    take('.');
    blanks();
    for (const std::string_view word : {"of ", "de ", "di "}) {
      if (has_at(text_, at_, word)) {
        at_ += word.size();
        return;
      }
    }
  }
  // The date ends here: no letter, digit, or further part of a dashed or dotted number follows.
  bool may_end() const {
    const char c = peek();
    if (is_word(c)) return false;
    return !((c == '-' || c == '/' || c == '.') && is_digit(peek(1)));
  }

 private:
  std::string_view text_;
  std::size_t at_;
};

bool is_separator(char c) {
  return c == '-' || c == '/' || c == '.';
}

// Year of four digits, or of two (then `match` says so).
bool take_year(Cursor& cursor, DateMatch& match) {
  if (const auto year = cursor.number(4, 4)) {
    match.year = *year;
    return is_year(*year);
  }
  cursor.take('\'');
  const auto year = cursor.number(2, 2);
  if (!year) return false;
  match.year = *year;
  match.two_digit_year = true;
  return true;
}

// For calendar checks a two-digit year is a leap year at will: 29 February passes.
int calendar_year(const DateMatch& match) {
  return match.two_digit_year || match.year == 0 ? 2000 : match.year;
}

bool valid(const DateMatch& match) {
  return is_calendar_date(calendar_year(match), match.month, match.day == 0 ? 1 : match.day);
}

std::optional<DateMatch> finish(const Cursor& cursor, DateMatch match) {
  if (!cursor.may_end() || !valid(match)) return std::nullopt;
  match.end = cursor.at();
  return match;
}

// 2024-03-05, 2024-Mar-05, 2024-03.
std::optional<DateMatch> year_first(std::string_view text, std::size_t at) {
  Cursor cursor(text, at);
  DateMatch match{.begin = at};
  match.year = cursor.number(4, 4).value_or(0);
  const char separator = cursor.peek();
  if (!is_year(match.year) || !(is_separator(separator) || separator == ' ')) return std::nullopt;
  cursor.take(separator);
  if (const int month = cursor.month_word()) {
    match.month = month;
    match.has_month_word = true;
  } else {
    if (separator == ' ') return std::nullopt;
    const auto digits = cursor.number(1, 2);
    if (!digits) return std::nullopt;
    match.month = *digits;
  }
  Cursor after_month = cursor;
  if (cursor.take(separator)) {
    if (const auto day = cursor.number(1, 2); day && *day > 0) {
      match.day = *day;
      Cursor time = cursor;
      if (time.take('T') && is_digit(time.peek())) {  // the T of a time joins without a boundary
        match.end = cursor.at();
        return valid(match) ? std::optional(match) : std::nullopt;
      }
      return finish(cursor, match);
    }
  }
  if (separator == '.' || after_month.at() - at < 7) return std::nullopt;  // 2024.3, 2024-3: a version, a range
  match.shape = DateShape::kYearMonth;
  return finish(after_month, match);
}

// 20240305, 202403051230, 20240305123045.
std::optional<DateMatch> compact(std::string_view text, std::size_t at, std::size_t digits) {
  if (digits != 8 && digits != 12 && digits != 14) return std::nullopt;
  DateMatch match{.begin = at, .end = at + digits, .shape = DateShape::kCompact};
  match.year = to_int(text.substr(at, 4));
  match.month = to_int(text.substr(at + 4, 2));
  match.day = to_int(text.substr(at + 6, 2));
  if (!is_year(match.year) || match.day == 0 || !valid(match)) return std::nullopt;
  if (digits > 8 && (to_int(text.substr(at + 8, 2)) > 23 || to_int(text.substr(at + 10, 2)) > 59)) return std::nullopt;
  return finish(Cursor(text, match.end), match);
}

// 5-Mar-24, 5th of March, 2024, 5 March.
std::optional<DateMatch> day_month_word(Cursor cursor, DateMatch match, int day) {
  match.day = day;
  match.has_month_word = true;
  cursor.ordinal();
  const char separator = cursor.peek();
  if (separator == '-' || separator == '/') {
    cursor.take(separator);
  } else {
    cursor.connective();
  }
  match.month = cursor.month_word();
  if (match.month == 0 || day == 0) return std::nullopt;
  Cursor without_year = cursor;
  cursor.take(separator == '-' || separator == '/' ? separator : ',');
  cursor.connective();
  if (take_year(cursor, match)) {
    if (const auto full = finish(cursor, match)) return full;
  }
  if (is_alpha(separator)) return std::nullopt;  // "2dec" of a hex dump
  match.year = 0;
  match.two_digit_year = false;
  match.shape = DateShape::kMonthDay;
  return finish(without_year, match);
}

// 3/5/2024, 5.3.24, 03/2024, 3/5.
std::optional<DateMatch> numeric(Cursor cursor, DateMatch match, int first) {
  const char separator = cursor.peek();
  if (!cursor.take(separator)) return std::nullopt;
  Cursor second_part = cursor;
  if (const auto year = cursor.number(4, 4)) {
    match.year = *year;
    match.month = first;
    match.shape = DateShape::kYearMonth;
    return separator != '.' && is_year(*year) ? finish(cursor, match) : std::nullopt;
  }
  cursor = second_part;
  const auto second = cursor.number(1, 2);
  if (!second || first == 0 || *second == 0) return std::nullopt;
  match.month = first;
  match.day = *second;
  const auto put_in_order = [&] {
    if (!valid(match))
      std::swap(match.month, match.day);
    else
      match.order_open = match.day <= 12 && match.day != match.month;
  };
  Cursor without_year = cursor;
  if (cursor.take(separator) && take_year(cursor, match)) {
    put_in_order();
    return finish(cursor, match);
  }
  if (separator != '/') return std::nullopt;
  match.year = 0;
  match.two_digit_year = false;
  match.shape = DateShape::kMonthDay;
  put_in_order();
  return finish(without_year, match);
}

std::optional<DateMatch> begins_with_digit(std::string_view text, std::size_t at) {
  const std::size_t digits = digits_at(text, at);
  if (digits == 4) return year_first(text, at);
  if (digits > 4) return compact(text, at, digits);
  if (digits > 2) return std::nullopt;
  Cursor cursor(text, at);
  const int first = *cursor.number(1, 2);
  const DateMatch match{.begin = at};
  if (auto found = day_month_word(cursor, match, first)) return found;
  return is_separator(cursor.peek()) ? numeric(cursor, match, first) : std::nullopt;
}

// March 5, 2024; Mar-05-24; March 2024; March 5.
// Only words that a number or a connective follows are looked up.
bool number_may_follow_word(std::string_view text, std::size_t at) {
  constexpr std::uint32_t kInitials = [] {
    std::uint32_t letters = 0;
    for (const char c : {'a', 'd', 'e', 'f', 'g', 'j', 'm', 'n', 'o', 's'}) letters |= 1u << (c - 'a');
    return letters;
  }();
  if ((kInitials >> (to_lower(text[at]) - 'a') & 1) == 0) return false;
  std::size_t end = at;
  while (is_alpha(at_or_nul(text, end))) ++end;
  if (end - at < 3 || end - at > 10) return false;
  const std::size_t word_end = end;
  while (end - word_end < 4 &&
         (at_or_nul(text, end) == ' ' || at_or_nul(text, end) == '.' || at_or_nul(text, end) == ',' ||
          at_or_nul(text, end) == '-' || at_or_nul(text, end) == '/' || at_or_nul(text, end) == '\''))
    ++end;
  if (is_digit(at_or_nul(text, end))) return true;
  return has_at(text, end, "of ") || has_at(text, end, "de ") || has_at(text, end, "di ");
}

std::optional<DateMatch> begins_with_month(std::string_view text, std::size_t at) {
  if (!number_may_follow_word(text, at)) return std::nullopt;
  Cursor cursor(text, at);
  DateMatch match{.begin = at, .has_month_word = true};
  match.month = cursor.month_word();
  if (match.month == 0) return std::nullopt;
  const char separator = cursor.peek();
  if (separator == '-' || separator == '/') {
    cursor.take(separator);
  } else {
    cursor.take(',');
    cursor.connective();
  }
  if (is_alpha(before_or_nul(text, cursor.at()))) return std::nullopt;  // FEV1 is no February
  Cursor number = cursor;
  if (number.number(4, 4)) {
    match.shape = DateShape::kYearMonth;
    match.year = to_int(text.substr(number.at() - 4, 4));
    return is_year(match.year) ? finish(number, match) : std::nullopt;
  }
  const auto day = cursor.number(1, 2);
  if (!day || *day == 0) return std::nullopt;
  match.day = *day;
  cursor.ordinal();
  Cursor without_year = cursor;
  cursor.take(separator == '-' || separator == '/' ? separator : ',');
  cursor.connective();
  if (take_year(cursor, match)) {
    if (const auto full = finish(cursor, match)) return full;
  }
  // "may 10 mg", "mar 3": without a year only a capital tells a month from a word.
  if (!is_upper(text[at])) return std::nullopt;
  match.year = 0;
  match.two_digit_year = false;
  match.shape = DateShape::kMonthDay;
  return finish(without_year, match);
}

// The end of a time of day that begins at or right after `at`; `at` when there is none.
std::size_t time_end(std::string_view text, std::size_t at) {
  Cursor cursor(text, at);
  cursor.take(',');
  if (!cursor.take('T') && !cursor.blanks()) return at;
  if (has_at(text, cursor.at(), "at ")) cursor = Cursor(text, cursor.at() + 3);
  const auto hour = cursor.number(1, 2);
  if (!hour || *hour > 24 || !cursor.take(':')) return at;
  const auto minute = cursor.number(2, 2);
  if (!minute || *minute > 59) return at;
  if (cursor.take(':')) {
    if (!cursor.number(2, 2)) return at;
    if ((cursor.peek() == '.' || cursor.peek() == ',') && is_digit(cursor.peek(1))) {
      cursor.take(cursor.peek());
      while (is_digit(cursor.peek())) cursor.take(cursor.peek());
    }
  }
  Cursor zone = cursor;
  zone.blanks();
  for (const std::string_view word : {"utc", "gmt", "am", "pm", "a.m.", "p.m.", "z"}) {
    if (has_at(text, zone.at(), word) && !is_word(at_or_nul(text, zone.at() + word.size()))) {
      return zone.at() + word.size();
    }
  }
  if ((cursor.peek() == '+' || cursor.peek() == '-') && is_digit(cursor.peek(1))) {
    cursor.take(cursor.peek());
    if (cursor.number(2, 2) && cursor.take(':'))
      cursor.number(2, 2);
    else
      cursor.number(4, 4);
  }
  return cursor.at();
}

bool may_begin(std::string_view text, std::size_t at) {
  const char before = before_or_nul(text, at);
  if (is_word(before)) return false;
  if (is_digit(text[at]) && is_separator(before)) return at < 2 || !is_alnum(text[at - 2]);
  return true;
}

}  // namespace

int days_in_month(int year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[month - 1];
}

bool is_calendar_date(int year, int month, int day) {
  return is_year(year) && month >= 1 && month <= 12 && day >= 1 && day <= days_in_month(year, month);
}

std::vector<DateMatch> find_dates(std::string_view text) {
  std::vector<DateMatch> found;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (!is_alnum(c)) {
      ++at;
      continue;
    }
    std::optional<DateMatch> match;
    if (may_begin(text, at)) match = is_digit(c) ? begins_with_digit(text, at) : begins_with_month(text, at);
    if (match) {
      if (match->shape == DateShape::kFull) match->end = time_end(text, match->end);
      at = match->end;
      found.push_back(*match);
      continue;
    }
    const bool digit = is_digit(c);
    while (at < text.size() && (digit ? is_digit(text[at]) : is_alpha(text[at]))) ++at;
  }
  return found;
}

// 2024-03-05, which is all that most columns of dates hold. nullopt: look closer.
static std::optional<DateMatch> read_iso_date(std::string_view text) {
  constexpr std::string_view kShape = "dddd-dd-dd";
  if (text.size() != kShape.size()) return std::nullopt;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    if (kShape[i] == 'd' ? !is_digit(text[i]) : text[i] != kShape[i]) return std::nullopt;
  }
  DateMatch match{.end = text.size()};
  match.year = to_int(text.substr(0, 4));
  match.month = to_int(text.substr(5, 2));
  match.day = to_int(text.substr(8, 2));
  return is_calendar_date(match.year, match.month, match.day) ? std::optional(match) : std::nullopt;
}

std::optional<DateMatch> read_date(std::string_view text) {
  if (const auto date = read_iso_date(text)) return date;
  const Range range = trimmed(text);
  auto found = find_dates(text);
  if (found.size() != 1 || found[0].begin != range.begin || found[0].end != range.end) return std::nullopt;
  return found[0];
}

}  // namespace mlops::detect
