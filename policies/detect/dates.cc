// date: any calendar date more exact than a year. birth_date: a date, or a year, that the column's name or a keyword
// says is one of birth.
#include <algorithm>

#include "policies/detect/date_text.h"
#include "policies/detect/family.h"
#include "policies/detect/reading.h"
#include "policies/detect/scan.h"
#include "policies/detect/weekdays.h"
#include "policies/detect/word_roles.h"

namespace mlops::detect {
namespace {

constexpr HeaderRule kDateHeaders[] = {
    {"date", HeaderMatch::kAny, 0.8},        {"datetime", HeaderMatch::kAny, 0.8},
    {"timestamp", HeaderMatch::kAny, 0.7},   {"deathdate", HeaderMatch::kAny, 0.9},
    {"dod", HeaderMatch::kSole, 0.8},        {"dt", HeaderMatch::kAny, 0.6},
    {"start", HeaderMatch::kSole, 0.4},      {"stop", HeaderMatch::kSole, 0.4},
    {"created at", HeaderMatch::kSole, 0.6}, {"updated at", HeaderMatch::kSole, 0.6},
    {"admitted", HeaderMatch::kSole, 0.5},   {"discharged", HeaderMatch::kSole, 0.5},
    {"admission", HeaderMatch::kSole, 0.4},  {"discharge", HeaderMatch::kSole, 0.4},
    {"dates", HeaderMatch::kAny, 0.7},
};
constexpr HeaderRule kBirthHeaders[] = {
    {"dob", HeaderMatch::kAny, 0.95},        {"birthdate", HeaderMatch::kAny, 0.95},
    {"birth date", HeaderMatch::kAny, 0.95}, {"dateofbirth", HeaderMatch::kAny, 0.95},
    {"birthday", HeaderMatch::kAny, 0.9},    {"birth dt", HeaderMatch::kAny, 0.9},
    {"birth day", HeaderMatch::kAny, 0.8},   {"birth year", HeaderMatch::kAny, 0.7},
    {"yob", HeaderMatch::kAny, 0.7},         {"birthyear", HeaderMatch::kAny, 0.7},
    {"born", HeaderMatch::kSole, 0.7},       {"birth", HeaderMatch::kSole, 0.6},
    {"birthdt", HeaderMatch::kAny, 0.9},     {"bdate", HeaderMatch::kSole, 0.8},
};
constexpr std::string_view kBirthWords[] = {"dob", "d.o.b", "birth", "born", "birthdate", "birthday"};
constexpr std::string_view kDateWords[] = {
    "on",         "since", "dated", "date",        "from", "until", "til",     "through", "seen",      "admitted",
    "discharged", "visit", "dob",   "appointment", "born", "died",  "expired", "surgery", "admission", "discharge"};

// Right before, not only near: "seen 3/5", but "seen today; take 1/2 tablet".
bool follows_date_word(std::string_view text, std::size_t begin) {
  std::size_t end = begin;
  while (end > 0 && (text[end - 1] == ' ' || text[end - 1] == ':')) --end;
  return std::any_of(std::begin(kDateWords), std::end(kDateWords), [&](std::string_view word) {
    return end >= word.size() && has_at(text, end - word.size(), word) &&
           !is_word(before_or_nul(text, end - word.size()));
  });
}

double prior(const DateMatch& match) {
  switch (match.shape) {
    case DateShape::kCompact:
      return 0.3;
    case DateShape::kYearMonth:
      return match.has_month_word ? 0.5 : 0.35;
    case DateShape::kMonthDay:
      return match.has_month_word ? 0.5 : 0.1;
    case DateShape::kFull:
      return match.two_digit_year ? 0.5 : 0.6;
  }
  return 0;
}

// Less exact than what 45 CFR 164.514(b)(2)(i)(C) removes, though readers mark it: months, years and decades by
// themselves, and days of the week that are no event's (weekdays.h). Below 0.3, where redaction begins.
constexpr double kInexact = 0.2;
constexpr double kDayOfEvent = 0.5;

class Date : public Family {
 public:
  Date() : Family({"date", kDateHeaders, Needs::kDigit, true, 1, Reads::kToo}) {}

  // Exact dates are found around numbers, by search().
  void search_reading(const Reading& reading, std::vector<Span>& out) const override {
    for (std::size_t i = 0; i < reading.tokens().size(); ++i) {
      const Token& token = reading.tokens()[i];
      if (token.is_word() && token.letters >= 3 && (token.has(kMonth) || token.capital) &&
          is_day_of_event(reading, i)) {
        out.push_back({token.begin, token.end, kDayOfEvent});
        continue;
      }
      if (token.is_word() ? token.has(kMonth) && is_day_or_month(reading, i)
                          : token.letters == 4 && is_year(reading, i)) {
        const bool decade = token.is_number() && at_or_nul(reading.text(), token.begin + 4) == 's';
        out.push_back({token.begin, decade ? token.begin + 5u : token.end, kInexact});
      }
    }
  }

 protected:
  void search(std::string_view text, double column_score, std::vector<Span>& out) const override {
    for (const auto& match : find_dates(text)) {
      const double base = prior(match);
      const bool weak = match.shape == DateShape::kMonthDay && !match.has_month_word;
      double score = base;
      if (column_score >= kAgrees) score = weak ? 0.5 : 0.95;
      // 1/2 and 120/80 are doses and pressures; "on 12/25" is a date.
      else if (weak ? follows_date_word(text, match.begin) : keyword_before(text, match.begin, kDateWords))
        score = weak ? 0.4 : base + 0.25;
      if (score >= 0.3) out.push_back({match.begin, match.end, score});
    }
  }

 private:
  // "sunday", "March"; not "may", "sat", "mar".
  static bool is_day_or_month(const Reading& reading, std::size_t i) {
    const Token& token = reading.tokens()[i];
    const auto word = reading.word(token);
    if (has_at(word, word.size() - std::min<std::size_t>(3, word.size()), "day") && token.letters >= 6) return true;
    if (!token.capital || token.letters < 3 || token.has(kFirstName)) return false;
    return token.letters > 3 || !reading.begins_sentence(i);
  }
  static bool is_year(const Reading& reading, std::size_t i) {
    const Token& token = reading.tokens()[i];
    const auto text = reading.text();
    const int year = to_int(text.substr(token.begin, 4));
    if (year < 1900 || year > 2079 || !number_may_begin(text, token.begin)) return false;
    const bool decade = at_or_nul(text, token.end) == 's' && !is_word(at_or_nul(text, token.end + 1));
    if (!decade && !number_may_end(text, token.end)) return false;
    if (i == 0 || !reading.blank(i - 1)) return false;
    const Token& before = reading.tokens()[i - 1];
    return before.is_word() && (before.has(kMonth) || before.does(role::kYearFollows));
  }
};

bool has_birth_word(std::string_view text) {  // every keyword has one of these
  for (std::size_t at = text.find_first_of("bB"); at != std::string_view::npos; at = text.find_first_of("bB", at + 1)) {
    if (has_at(text, at, "birth") || has_at(text, at, "born")) return true;
    const char before = to_lower(before_or_nul(text, at));
    if ((before == 'o' || before == '.') && at > 1) return true;
  }
  return false;
}

class BirthDate : public Family {
 public:
  BirthDate() : Family({"birth_date", kBirthHeaders, Needs::kDigit, false}) {}

 protected:
  void search(std::string_view text, double column_score, std::vector<Span>& out) const override {
    const bool column = column_score >= kAgrees;
    if (!column && !has_birth_word(text)) return;
    for (const auto& match : find_dates(text)) {
      if (column || keyword_before(text, match.begin, kBirthWords)) {
        out.push_back({match.begin, match.end, column ? 0.95 : 0.85});
      }
    }
    find_years(text, column, out);
  }

 private:
  // A lone year of birth.
  static void find_years(std::string_view text, bool column, std::vector<Span>& out) {
    for (std::size_t at = 0; at < text.size(); ++at) {
      const std::size_t digits = digits_at(text, at);
      if (digits == 0) continue;
      if (digits == 4 && number_may_begin(text, at) && number_may_end(text, at + 4)) {
        const int year = to_int(text.substr(at, 4));
        if (year >= 1880 && year < 2100 && (column || keyword_before(text, at, kBirthWords))) {
          out.push_back({at, at + 4, column ? 0.7 : 0.5});
        }
      }
      at += digits;
    }
  }
};

}  // namespace

const Detector& date() {
  static const Date kDetector;
  return kDetector;
}

const Detector& birth_date() {
  static const BirthDate kDetector;
  return kDetector;
}

}  // namespace mlops::detect
