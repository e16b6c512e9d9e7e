// us_ssn: 3-2-4 digits with one separator, nine bare digits with context, masked forms and "last four" with context.
//
// Ranges never issued (000, 666, 9xx; group 00; serial 0000) lower the score and veto nothing: synthetic records use
// 999-xx-xxxx, and a mistyped number still identifies.
#include "policies/detect/family.h"
#include "policies/detect/number_rows.h"
#include "policies/detect/scan.h"

namespace mlops::detect {
namespace {

constexpr HeaderRule kHeaders[] = {
    {"ssn", HeaderMatch::kAny, 0.95},
    {"ssns", HeaderMatch::kAny, 0.9},
    {"social security", HeaderMatch::kAny, 0.95},
    {"socialsecurity", HeaderMatch::kAny, 0.95},
    {"socialsecuritynumber", HeaderMatch::kAny, 0.95},
    {"ssnumber", HeaderMatch::kAny, 0.9},
    {"soc sec", HeaderMatch::kAny, 0.9},
    {"itin", HeaderMatch::kAny, 0.6},
    {"tax id", HeaderMatch::kAny, 0.6},
    {"taxpayer", HeaderMatch::kAny, 0.6},
    {"ssa", HeaderMatch::kExact, 0.5},
};
constexpr std::string_view kWords[] = {"ssn", "ss#", "social security", "social sec", "soc sec", "social", "ssa"};
constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kLastFour[] = {"last four", "last 4", "ending in", "ends in", "last4"};

bool is_separator(char c) {
  return c == '-' || c == ' ' || c == '.';
}

// REQUIRES: nine digits.
bool was_issued(std::string_view area, std::string_view group, std::string_view serial) {
  if (area == "000" || area == "666" || area[0] == '9' || group == "00" || serial == "0000") return false;
  return !(area == "078" && group == "05" && serial == "1120");  // the wallet-insert sample
}

class Ssn : public Family {
 public:
  Ssn() : Family({"us_ssn", kHeaders, Needs::kDigit, true, 4}) {}

 protected:
  void search(std::string_view text, double column_score, std::vector<Span>& out) const override {
    const bool column = column_score >= kAgrees;
    for (std::size_t at = 0; at < text.size();) {
      if (is_digit(text[at])) {
        at = number(text, at, column, out);
      } else if (text[at] == 'x' || text[at] == 'X' || text[at] == '*' || text[at] == '#') {
        at = masked(text, at, out);
      } else {
        ++at;
      }
    }
  }

 private:
  // Looks at the number beginning at `at`; returns where to go on.
  static std::size_t number(std::string_view text, std::size_t at, bool column, std::vector<Span>& out) {
    const std::size_t digits = digits_at(text, at);
    const std::size_t after = at + digits;
    if (!number_may_begin(text, at)) return after;
    const auto in_context = [&](std::size_t end) { return column || keyword_near(text, at, end, kWords); };
    if (digits == 9 && number_may_end(text, after) && in_context(after)) {
      const bool issued = was_issued(text.substr(at, 3), text.substr(at + 3, 2), text.substr(at + 5, 4));
      out.push_back({at, after, (column ? 0.9 : 0.8) - (issued ? 0 : 0.15)});
    } else if (const std::size_t end = digits == 3 ? grouped_end(text, at) : 0; end != 0) {
      const auto group = text.find_first_of(kDigits, at + 3);
      const bool issued = was_issued(text.substr(at, 3), text.substr(group, 2), text.substr(end - 4, 4));
      double score = column ? 0.95 : keyword_near(text, at, end, kWords) ? 0.9 : text[at + 3] == '-' ? 0.6 : 0.5;
      if (score <= 0.5 && in_number_table(text, at, end, is_whole)) score = kMostAmongNumbers;
      if (!issued) score -= 0.1;
      out.push_back({at, end, score});
      return end;
    } else if (digits == 4 && number_may_end(text, after)) {
      const bool whole_column = column && trimmed(text).end == after && trimmed(text).begin == at;
      if (whole_column || (keyword_before(text, at, kLastFour) && keyword_near(text, at, after, kWords))) {
        out.push_back({at, after, 0.6});
      }
    } else if (column && digits >= 7 && digits <= 8 && number_may_end(text, after)) {
      out.push_back({at, after, 0.6});  // an integer column lost the leading zeros
    }
    return after;
  }

  // The end of 3-2-4 digits; 0: they are not.
  static std::size_t grouped_end(std::string_view text, std::size_t at) {
    const char separator = at_or_nul(text, at + 3);
    if (!is_separator(separator)) return 0;
    const std::size_t group = over_line_end(text, at + 4);
    if (digits_at(text, group) != 2 || at_or_nul(text, group + 2) != separator) return 0;
    const std::size_t serial = over_line_end(text, group + 3);
    return digits_at(text, serial) == 4 && number_may_end(text, serial + 4) ? serial + 4 : 0;
  }

  // A number may be broken behind its hyphen, as any word.
  static std::size_t over_line_end(std::string_view text, std::size_t at) {
    if (text[at - 1] != '-') return at;
    if (at_or_nul(text, at) == '\r') ++at;
    return at_or_nul(text, at) == '\n' ? at + 1 : at;
  }

  static bool is_whole(std::string_view line) { return digits_at(line, 0) == 3 && grouped_end(line, 0) == line.size(); }

  // XXX-XX-1234: the digits left are still part of the number.
  static std::size_t masked(std::string_view text, std::size_t at, std::vector<Span>& out) {
    const char mask = text[at];
    std::size_t end = at;
    std::size_t masks = 0;
    while (end < text.size() && (text[end] == mask || is_separator(text[end]))) masks += text[end++] == mask ? 1 : 0;
    if (masks == 5 && digits_at(text, end) == 4 && !is_word(before_or_nul(text, at)) && number_may_end(text, end + 4)) {
      out.push_back({at, end + 4, 0.6});
      return end + 4;
    }
    return end;
  }
};

}  // namespace

const Detector& us_ssn() {
  static const Ssn kDetector;
  return kDetector;
}

}  // namespace mlops::detect
