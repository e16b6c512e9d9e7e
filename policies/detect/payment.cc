// credit_card (12–19 digits, grouped or not: Luhn and issuer range) and iban (country, length, MOD 97-10).
#include <algorithm>
#include <string>

#include "policies/detect/checksum.h"
#include "policies/detect/family.h"
#include "policies/detect/number_rows.h"
#include "policies/detect/scan.h"

namespace mlops::detect {
namespace {

constexpr HeaderRule kCardHeaders[] = {
    {"credit card", HeaderMatch::kAny, 0.95}, {"creditcard", HeaderMatch::kAny, 0.95},
    {"debit card", HeaderMatch::kAny, 0.95},  {"card number", HeaderMatch::kAny, 0.9},
    {"card no", HeaderMatch::kAny, 0.9},      {"cardnumber", HeaderMatch::kAny, 0.9},
    {"cc number", HeaderMatch::kAny, 0.9},    {"ccn", HeaderMatch::kSole, 0.8},
    {"cc num", HeaderMatch::kAny, 0.9},       {"pan", HeaderMatch::kSole, 0.6},
    {"payment card", HeaderMatch::kAny, 0.9},
};
constexpr HeaderRule kIbanHeaders[] = {{"iban", HeaderMatch::kAny, 0.95}, {"ibans", HeaderMatch::kAny, 0.9}};
constexpr std::string_view kCardWords[] = {"card",     "visa",   "mastercard", "amex", "american express",
                                           "discover", "credit", "debit",      "cc",   "pan"};
constexpr std::string_view kIbanWords[] = {"iban", "bank", "account", "wire", "transfer", "konto"};

struct Issuer {
  int first;  // of the leading six digits
  int last;
  std::size_t min_digits;
  std::size_t max_digits;
};
constexpr Issuer kIssuers[] = {
    {300000, 305999, 14, 19}, {309500, 309599, 14, 19}, {340000, 349999, 15, 15}, {352800, 358999, 16, 19},
    {360000, 369999, 14, 19}, {370000, 379999, 15, 15}, {380000, 399999, 14, 19}, {400000, 499999, 13, 19},
    {500000, 509999, 12, 19}, {510000, 559999, 16, 16}, {560000, 589999, 12, 19}, {222100, 272099, 16, 16},
    {601100, 601199, 16, 19}, {620000, 629999, 16, 19}, {630000, 639999, 12, 19}, {644000, 659999, 16, 19},
    {670000, 679999, 12, 19}, {180000, 180099, 15, 15}, {213100, 213199, 15, 15},
};

bool issued(std::string_view digits) {
  const int lead = to_int(digits.substr(0, 6));
  return std::any_of(std::begin(kIssuers), std::end(kIssuers), [&](const Issuer& row) {
    return lead >= row.first && lead <= row.last && digits.size() >= row.min_digits && digits.size() <= row.max_digits;
  });
}

class CreditCard : public Family {
 public:
  CreditCard() : Family({"credit_card", kCardHeaders, Needs::kDigit, true, 12}) {}

 protected:
  void search(std::string_view text, double column_score, std::vector<Span>& out) const override {
    for (std::size_t at = 0; at < text.size();) {
      if (!is_digit(text[at])) {
        ++at;
        continue;
      }
      std::string digits;
      const std::size_t end = collect(text, at, digits);
      if (digits.size() >= 12 && digits.size() <= 19 && number_may_begin(text, at) && number_may_end(text, end)) {
        const double score = rate(text, {at, end}, digits, column_score >= kAgrees);
        if (score > 0) out.push_back({at, end, score});
      }
      at = end;
    }
  }

 private:
  // Digits in groups of two or more with single blanks or dashes between.
  static std::size_t collect(std::string_view text, std::size_t at, std::string& digits) {
    for (;;) {
      const std::size_t count = digits_at(text, at);
      if (digits.size() <= 19) digits.append(text.substr(at, count));
      at += count;
      const char c = at_or_nul(text, at);
      if ((c != ' ' && c != '-') || digits_at(text, at + 1) < 2) return at;
      ++at;
    }
  }
  static double rate(std::string_view text, Range span, std::string_view digits, bool column) {
    if (digits.find_first_not_of(digits[0]) == std::string_view::npos) return 0;
    const bool luhn = luhn_holds(digits);
    const bool context = column || keyword_near(text, span.begin, span.end, kCardWords);
    if (luhn && issued(digits)) return context ? 0.95 : without_context(text, span, digits.size());
    if (context) return luhn ? 0.8 : 0.55;
    return luhn ? 0.3 : 0;
  }
  // One bare number in thirty passes both checks by chance, and files hold thousands: a word or the grouping must tell.
  static double without_context(std::string_view text, Range span, std::size_t digits) {
    const std::string_view number = text.substr(span.begin, span.end - span.begin);
    if (number.size() == digits) return digits == 15 || digits == 16 ? kMostAmongNumbers : 0.4;
    if (!is_grouped_as_cards(number)) return 0.4;
    return in_number_table(text, span.begin, span.end, is_card_line) ? kMostAmongNumbers : 0.6;
  }
  static bool is_card_line(std::string_view line) {
    std::string digits;
    return is_digit(line[0]) && collect(line, 0, digits) == line.size() && digits.size() >= 12 && digits.size() <= 19 &&
           luhn_holds(digits) && issued(digits);
  }
  // As cards are embossed: fours with a last group of one to four, or 4-6-5 and 4-6-4; one separator throughout.
  static bool is_grouped_as_cards(std::string_view number) {
    std::string sizes;
    char separator = '\0';
    for (std::size_t at = 0; at < number.size();) {
      const std::size_t digits = digits_at(number, at);
      if (digits > 9) return false;
      sizes.push_back(static_cast<char>('0' + digits));
      at += digits;
      if (at == number.size()) break;
      if (separator != '\0' && number[at] != separator) return false;
      separator = number[at++];
    }
    if (sizes == "465" || sizes == "464") return true;
    return sizes.size() >= 3 && sizes.find_first_not_of('4') >= sizes.size() - 1 && sizes.back() <= '4';
  }
};

struct IbanCountry {
  char code[3];
  std::size_t length;
};
// SWIFT IBAN registry.
constexpr IbanCountry kCountries[] = {
    {"AD", 24}, {"AE", 23}, {"AL", 28}, {"AT", 20}, {"AZ", 28}, {"BA", 20}, {"BE", 16}, {"BG", 22}, {"BH", 22},
    {"BI", 27}, {"BR", 29}, {"BY", 28}, {"CH", 21}, {"CR", 22}, {"CY", 28}, {"CZ", 24}, {"DE", 22}, {"DJ", 27},
    {"DK", 18}, {"DO", 28}, {"EE", 20}, {"EG", 29}, {"ES", 24}, {"FI", 18}, {"FO", 18}, {"FR", 27}, {"GB", 22},
    {"GE", 22}, {"GI", 23}, {"GL", 18}, {"GR", 27}, {"GT", 28}, {"HR", 21}, {"HU", 28}, {"IE", 22}, {"IL", 23},
    {"IQ", 23}, {"IS", 26}, {"IT", 27}, {"JO", 30}, {"KW", 30}, {"KZ", 20}, {"LB", 28}, {"LC", 32}, {"LI", 21},
    {"LT", 20}, {"LU", 20}, {"LV", 21}, {"LY", 25}, {"MC", 27}, {"MD", 24}, {"ME", 22}, {"MK", 19}, {"MN", 20},
    {"MR", 27}, {"MT", 31}, {"MU", 30}, {"NI", 28}, {"NL", 18}, {"NO", 15}, {"PK", 24}, {"PL", 28}, {"PS", 29},
    {"PT", 25}, {"QA", 29}, {"RO", 24}, {"RS", 22}, {"RU", 33}, {"SA", 24}, {"SC", 31}, {"SD", 18}, {"SE", 24},
    {"SI", 19}, {"SK", 24}, {"SM", 27}, {"SO", 23}, {"ST", 25}, {"SV", 28}, {"TL", 23}, {"TN", 24}, {"TR", 26},
    {"UA", 29}, {"VA", 22}, {"VG", 24}, {"XK", 20},
};

std::size_t length_of(char first, char second) {
  for (const auto& country : kCountries) {
    if (country.code[0] == first && country.code[1] == second) return country.length;
  }
  return 0;
}
char upper(char c) {
  return is_lower(c) ? static_cast<char>(c - ('a' - 'A')) : c;
}

class Iban : public Family {
 public:
  Iban() : Family({"iban", kIbanHeaders, Needs::kDigit, true, 6}) {}

 protected:
  void search(std::string_view text, double column_score, std::vector<Span>& out) const override {
    for (std::size_t at = 0; at + 15 <= text.size(); ++at) {
      if (!is_alpha(text[at]) || !is_alpha(text[at + 1]) || !is_digit(text[at + 2]) || is_word(before_or_nul(text, at)))
        continue;
      const std::size_t length = length_of(upper(text[at]), upper(text[at + 1]));
      if (length == 0) continue;
      std::string compact;
      std::size_t end = at;
      while (end < text.size() && compact.size() < length &&
             (is_alnum(text[end]) || text[end] == ' ' || text[end] == '-')) {
        if (is_alnum(text[end])) compact.push_back(upper(text[end]));
        ++end;
      }
      if (compact.size() != length || is_word(at_or_nul(text, end)) || !is_digit(compact[3])) continue;
      if (at_or_nul(text, end) == '-' && is_alnum(at_or_nul(text, end + 1))) continue;  // a UUID goes on
      const bool context = column_score >= kAgrees || keyword_near(text, at, end, kIbanWords);
      if (iban_check_holds(compact)) {
        const bool row = !context && beside_numbers(text, at, end);  // of a hex dump: one in a hundred passes
        out.push_back({at, end, context ? 0.97 : row ? kMostAmongNumbers : 0.6});
      } else if (context) {
        out.push_back({at, end, 0.55});
      } else {
        continue;
      }
      at = end - 1;
    }
  }
};

}  // namespace

bool luhn_holds(std::string_view digits) {
  int sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    int digit = digits[digits.size() - 1 - i] - '0';
    if (i % 2 == 1) digit = digit > 4 ? digit * 2 - 9 : digit * 2;
    sum += digit;
  }
  return sum % 10 == 0;
}

bool iban_check_holds(std::string_view iban) {
  int remainder = 0;
  for (std::size_t i = 0; i < iban.size(); ++i) {
    const char c = iban[(i + 4) % iban.size()];
    remainder = is_digit(c) ? (remainder * 10 + (c - '0')) % 97 : (remainder * 100 + (c - 'A' + 10)) % 97;
  }
  return remainder == 1;
}

const Detector& credit_card() {
  static const CreditCard kDetector;
  return kDetector;
}
const Detector& iban() {
  static const Iban kDetector;
  return kDetector;
}

}  // namespace mlops::detect
