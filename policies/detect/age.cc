// age: ages over 89 in text ("91 yo", "92-year-old", "aged 95", "ninety-one years old", "in her 90s") and in columns of
// ages. An age up to 89 is no identifier (45 CFR 164.514(b)(2)(i)(C)).
#include <algorithm>

#include "policies/detect/family.h"
#include "policies/detect/reading.h"
#include "policies/detect/scan.h"
#include "policies/detect/word_roles.h"

namespace mlops::detect {
namespace {

constexpr HeaderRule kHeaders[] = {
    {"age", HeaderMatch::kExact, 0.9},     {"age years", HeaderMatch::kExact, 0.9},
    {"age at", HeaderMatch::kAny, 0.8},    {"age group", HeaderMatch::kAny, 0},
    {"age band", HeaderMatch::kAny, 0},    {"age bucket", HeaderMatch::kAny, 0},
    {"age yrs", HeaderMatch::kExact, 0.9}, {"ages", HeaderMatch::kExact, 0.7},
    {"age yr", HeaderMatch::kExact, 0.9},
};
constexpr std::string_view kBefore[] = {"aged", "age", "age of", "turning", "turned"};
constexpr std::string_view kAfter[] = {"yo",           "y/o",       "y.o",     "year old", "year-old",
                                       "years old",    "years-old", "yrs old", "yr old",   "yr-old",
                                       "years of age", "y old",     "y-old"};
constexpr std::string_view kNineties[] = {"ninety",      "ninety one", "ninety two",   "ninety three", "ninety four",
                                          "ninety five", "ninety six", "ninety seven", "ninety eight", "ninety nine",
                                          "one hundred", "a hundred",  "hundred"};
constexpr std::string_view kWords[] = {"centenarian", "nonagenarian", "supercentenarian"};
constexpr int kCap = 89;
constexpr int kOldest = 125;
// An age up to 89 in text is found below 0.3, where redaction begins: laws other than HIPAA's may count it.
constexpr double kYoung = 0.2;

std::size_t skip_joiner(std::string_view text, std::size_t at) {
  while (at_or_nul(text, at) == ' ' || at_or_nul(text, at) == '-') ++at;
  return at;
}

// "yo", "year-old" … right after `at`.
bool says_age_after(std::string_view text, std::size_t at) {
  const std::size_t from = skip_joiner(text, at);
  for (const std::string_view word : kAfter) {
    if (has_at(text, from, word) && !is_alpha(at_or_nul(text, from + word.size()))) return true;
  }
  return false;
}

// "aged ", "age: " right before `at`.
bool says_age_before(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end > 0 && (text[end - 1] == ' ' || text[end - 1] == ':' || text[end - 1] == '=')) --end;
  for (const std::string_view word : kBefore) {
    if (end >= word.size() && has_at(text, end - word.size(), word) && !is_word(before_or_nul(text, end - word.size())))
      return true;
  }
  return false;
}

bool is_decade(std::string_view text, std::size_t end) {  // "in her 90s", "in their 100's"
  if (at_or_nul(text, end) == '\'') ++end;
  return to_lower(at_or_nul(text, end)) == 's' && !is_word(at_or_nul(text, end + 1));
}

class Age : public Family {
 public:
  Age() : Family({"age", kHeaders, Needs::kNothing, true}) {}

  void search_reading(const Reading& reading, std::vector<Span>& out) const override {
    std::size_t done = 0;
    for (const Token& token : reading.tokens()) {
      if (token.begin < done) continue;
      if (token.is_number() && token.letters <= 3)
        number(reading.text(), token.begin, false, out);
      else if (token.does(role::kSpelledAge))
        done = word(reading.text(), token.begin, out);
    }
  }

 protected:
  void search(std::string_view text, double column_score, std::vector<Span>& out) const override {
    if (column_score < kAgrees) return search_reading(Reading(text), out);
    for (std::size_t at = 0; at < text.size();) at = is_digit(text[at]) ? number(text, at, true, out) : at + 1;
  }

 private:
  static std::size_t number(std::string_view text, std::size_t at, bool column, std::vector<Span>& out) {
    const std::size_t digits = digits_at(text, at);
    const std::size_t end = at + digits;
    if (digits > 3 || is_word(before_or_nul(text, at)) || (!column && !number_may_begin(text, at))) return end;
    const int age = to_int(text.substr(at, digits));
    if (age > kOldest) return end;
    if (age <= kCap) {
      if (!column && (says_age_after(text, end) || (says_age_before(text, at) && number_may_end(text, end))))
        out.push_back({at, end, kYoung});
      return end;
    }
    const bool decade = age % 10 == 0 && is_decade(text, end);
    if (column && !is_word(at_or_nul(text, end)) && before_or_nul(text, at) != '.')
      out.push_back({at, end, 0.9});
    else if (decade && (keyword_before(text, at, kDecadeWords)))
      out.push_back({at, end, 0.5});
    else if (says_age_after(text, end) || (says_age_before(text, at) && number_may_end(text, end)))
      out.push_back({at, end, 0.8});
    return end;
  }

  static std::size_t word(std::string_view text, std::size_t at, std::vector<Span>& out) {
    std::size_t end = at;
    while (is_word(at_or_nul(text, end))) ++end;
    const char first = to_lower(text[at]);
    if (first == 'n' || first == 'o' || first == 'a' || first == 'h') {
      std::size_t longest = at;
      for (const std::string_view spelled : kNineties) longest = std::max(longest, match_spelled(text, at, spelled));
      if (longest != at && (says_age_after(text, longest) || says_age_before(text, at))) {
        out.push_back({at, longest, 0.7});
        return longest;
      }
      // "in the nineties" tells a year.
      if (equals_ignoring_case(text.substr(at, end - at), "nineties") && keyword_right_before(text, at)) {
        out.push_back({at, end, 0.5});
        return end;
      }
    }
    for (const std::string_view label : kWords) {
      if (equals_ignoring_case(text.substr(at, end - at), label)) out.push_back({at, end, 0.5});
    }
    return end;
  }

  static bool keyword_right_before(std::string_view text, std::size_t at) {
    if (at == 0 || text[at - 1] != ' ') return false;
    return std::any_of(std::begin(kWhose), std::end(kWhose), [&](std::string_view whose) {
      const std::size_t size = whose.size() + 1;
      return at >= size && has_at(text, at - size, whose) && !is_word(before_or_nul(text, at - size));
    });
  }
  // The end of the words of `spelled`, joined by blanks or dashes, from `at`; `at` when they are not there.
  static std::size_t match_spelled(std::string_view text, std::size_t at, std::string_view spelled) {
    std::size_t end = at;
    for (const char c : spelled) {
      const char have = to_lower(at_or_nul(text, end));
      if (have != c && !(c == ' ' && have == '-')) return at;
      ++end;
    }
    return is_alpha(at_or_nul(text, end)) ? at : end;
  }

  static constexpr std::string_view kWhose[] = {"her",      "his",       "their",    "her late",
                                                "his late", "her early", "his early"};
  static constexpr std::string_view kDecadeWords[] = {"her", "his", "their", "in", "mid", "late", "early"};
};

}  // namespace

const Detector& age() {
  static const Age kDetector;
  return kDetector;
}

}  // namespace mlops::detect
