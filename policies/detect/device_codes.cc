// udi_gs1, udi_hibc, udi_iccbba: unique device identifiers as the three agencies that the FDA accredited write them.
//
//   GS1     (01)GTIN-14(17)yymmdd(10)lot(21)serial; scanned: the same without brackets, FNC1 (GS) behind lot and serial
//   HIBC    +LICPPPPPU/$$…C   LIC: a letter and three characters; C: mod 43 over all before it (ANSI/HIBC 2.6)
//   ICCBBA  =/FPC…=,…         ISBT 128 data identifiers; =A9999yynnnnnn00: a donation
#include <algorithm>

#include "policies/detect/family.h"
#include "policies/detect/id_checks.h"
#include "policies/detect/scan.h"
#include "policies/detect/score.h"
#include "policies/detect/special_ids.h"

namespace mlops::detect {
namespace {

constexpr HeaderRule kHeaders[] = {
    {"udi", HeaderMatch::kAny, 0.95},           {"gtin", HeaderMatch::kExact, 0.7},
    {"unique device", HeaderMatch::kAny, 0.95}, {"hibc", HeaderMatch::kAny, 0.95},
    {"hibcc", HeaderMatch::kAny, 0.95},         {"isbt", HeaderMatch::kAny, 0.9},
    {"iccbba", HeaderMatch::kAny, 0.9},         {"donation number", HeaderMatch::kAny, 0.8},
};
constexpr std::string_view kWords[] = {"udi",   "gtin",   "gs1",      "hibc",       "hibcc",       "unique device",
                                       "isbt",  "iccbba", "donation", "blood unit", "unit number", "device identifier",
                                       "udi-di"};
constexpr char kFnc1 = '\x1D';

double rated(Structure structure, double false_positive, bool column, std::string_view text, std::size_t begin,
             std::size_t end) {
  const IdContext context = column                                   ? IdContext::kColumn
                            : keyword_near(text, begin, end, kWords) ? IdContext::kLeads
                                                                     : IdContext::kNone;
  return id_score({structure, CheckOutcome::kHolds, false_positive, context});
}

bool is_lot_character(char c) {
  return is_alnum(c) || c == '-' || c == '/' || c == '.' || c == '_' || c == '+';
}

class Gs1 : public Family {
 public:
  Gs1() : Family({"udi_gs1", kHeaders, Needs::kDigit, true, 14}) {}

 protected:
  void search(std::string_view text, double column_score, std::vector<Span>& out) const override {
    const bool column = column_score >= kAgrees;
    for (std::size_t at = text.find("01"); at != std::string_view::npos; at = text.find("01", at)) {
      const bool bracket = before_or_nul(text, at) == '(' && at_or_nul(text, at + 2) == ')';
      const std::size_t number = at + (bracket ? 3 : 2);
      const bool may_begin = bracket || !is_alnum(before_or_nul(text, at));
      if (!may_begin || digits_at(text, number) < kGtin || !gs1_holds(text.substr(number, kGtin))) {
        at += 2;
        continue;
      }
      const std::size_t begin = bracket ? at - 1 : at;
      const auto [end, elements] = bracket ? bracketed(text, number + kGtin) : plain(text, number + kGtin);
      if (!is_alnum(at_or_nul(text, end))) {
        const Structure structure = bracket ? Structure::kDistinctive : Structure::kBareDigits;
        // Each further element must fit by chance too.
        const double false_positive = elements > 0 ? 0.001 : 0.1;
        const auto sure = elements > 0 && !bracket ? Structure::kMixed : structure;
        out.push_back({begin, end, rated(sure, false_positive, column, text, begin, end)});
      }
      at = end;
    }
  }

 private:
  static constexpr std::size_t kGtin = 14;
  struct Rest {
    std::size_t end = 0;
    int elements = 0;
  };

  static Rest bracketed(std::string_view text, std::size_t at) {
    Rest rest{at, 0};
    while (at_or_nul(text, at) == '(' || (at_or_nul(text, at) == ' ' && at_or_nul(text, at + 1) == '(')) {
      const std::size_t open = at + (text[at] == ' ' ? 1 : 0);
      const std::size_t digits = digits_at(text, open + 1);
      if (digits < 2 || digits > 4 || at_or_nul(text, open + 1 + digits) != ')') break;
      std::size_t end = open + 2 + digits;
      while (is_lot_character(at_or_nul(text, end))) ++end;
      if (end == open + 2 + digits) break;
      rest = {end, rest.elements + 1};
      at = end;
    }
    return rest;
  }
  static Rest plain(std::string_view text, std::size_t at) {
    Rest rest{at, 0};
    for (;;) {
      if (at_or_nul(text, at) == kFnc1) ++at;
      const std::string_view element = text.substr(std::min(at, text.size()), 2);
      const bool dated = element == "11" || element == "13" || element == "15" || element == "17";
      if (dated && digits_at(text, at + 2) >= 6 && is_month_and_day(text, at + 4)) {
        at += 8;
      } else if (element == "10" || element == "21") {
        std::size_t end = at + 2;
        while (is_lot_character(at_or_nul(text, end)) && end - at < 22) ++end;
        if (end == at + 2) return rest;
        at = end;
      } else {
        return rest;
      }
      rest = {at, rest.elements + 1};
    }
  }
  static bool is_month_and_day(std::string_view text, std::size_t at) {
    const int month = two_digits(text, at);
    return month >= 1 && month <= 12 && two_digits(text, at + 2) <= 31;
  }
};

class Hibc : public Family {
 public:
  Hibc() : Family({"udi_hibc", kHeaders, Needs::kNothing, true}) {}

 protected:
  void search(std::string_view text, double column_score, std::vector<Span>& out) const override {
    for (std::size_t at = text.find('+'); at != std::string_view::npos; at = text.find('+', at + 1)) {
      const char before = before_or_nul(text, at);
      if (is_alnum(before) || before == '/' || before == '+' || before == '=') continue;  // base64, arithmetic
      std::size_t end = token_end(text, at);
      const bool closes = end == text.size() || is_blank(text[end]);
      if (end > at && closes && text[end - 1] == '.') --end;  // of a sentence
      const std::string_view code = text.substr(at, end - at);
      if (code.size() >= kShortest && is_upper(code[1]) && mod_43_holds(code)) {
        out.push_back({at, end, rated(Structure::kMixed, 1.0 / 43, column_score >= kAgrees, text, at, end)});
      }
      if (end > at) at = end - 1;
    }
  }

 private:
  static constexpr std::size_t kShortest = 8;
  static constexpr std::size_t kLongest = 64;
  static constexpr std::string_view kAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%";

  static std::size_t token_end(std::string_view text, std::size_t at) {
    std::size_t end = at + 1;
    const auto belongs = [](char c) { return is_upper(c) || is_digit(c) || (c > ' ' && kAlphabet.find(c) < 43); };
    while (end < text.size() && end - at <= kLongest && belongs(text[end])) ++end;
    if (end < text.size() && (is_alnum(text[end]) || text[end] == '=')) return at;  // goes on as something else
    return end;
  }
  static bool mod_43_holds(std::string_view code) {
    std::size_t sum = 0;
    std::size_t digits = 0;
    for (const char c : code.substr(0, code.size() - 1)) {
      sum += kAlphabet.find(c);
      digits += is_digit(c) ? 1 : 0;
    }
    return digits >= 2 && is_alnum(code[2]) && is_alnum(code[3]) && is_alnum(code[4]) &&
           kAlphabet[sum % 43] == code.back();
  }
};

class Iccbba : public Family {
 public:
  Iccbba() : Family({"udi_iccbba", kHeaders, Needs::kNothing, true}) {}

 protected:
  void search(std::string_view text, double column_score, std::vector<Span>& out) const override {
    const bool column = column_score >= kAgrees;
    for (std::size_t at = text.find('='); at != std::string_view::npos; at = text.find('=', at + 1)) {
      if (is_alnum(before_or_nul(text, at)) || before_or_nul(text, at) == '=') continue;
      const auto [end, parts] = structure(text, at);
      if (parts >= 2) {
        out.push_back({at, end, rated(Structure::kDistinctive, 0.05, column, text, at, end)});
        at = end - 1;
      } else if (is_donation(text, at)) {
        out.push_back({at, at + kDonation, rated(Structure::kMixed, 1, column, text, at, at + kDonation)});
        at += kDonation - 1;
      }
    }
  }

 private:
  static constexpr std::size_t kDonation = 16;

  struct Structure128 {
    std::size_t end = 0;
    int parts = 0;
  };
  // "=/" and what follows, up to a blank: each part begins with "=" or "&" and a character that says what it is.
  static Structure128 structure(std::string_view text, std::size_t at) {
    if (at_or_nul(text, at + 1) != '/' || !is_upper(at_or_nul(text, at + 2))) return {at, 0};
    Structure128 found{at, 0};
    const auto belongs = [](char c) {
      return is_upper(c) || is_digit(c) || std::string_view("=/,>}&)(-").find(c) != std::string_view::npos;
    };
    while (found.end < text.size() && belongs(text[found.end])) {
      const char c = text[found.end++];
      if ((c == '=' || c == '&') && !is_blank(at_or_nul(text, found.end))) ++found.parts;
    }
    return found;
  }
  // = facility (five characters), year, serial (six digits), flags.
  static bool is_donation(std::string_view text, std::size_t at) {
    return is_alnum(at_or_nul(text, at + 1)) && digits_at(text, at + 2) == 14 &&
           !is_word(at_or_nul(text, at + kDonation));
  }
};

}  // namespace

const Detector& udi_gs1() {
  static const Gs1 kDetector;
  return kDetector;
}
const Detector& udi_hibc() {
  static const Hibc kDetector;
  return kDetector;
}
const Detector& udi_iccbba() {
  static const Iccbba kDetector;
  return kDetector;
}

}  // namespace mlops::detect
