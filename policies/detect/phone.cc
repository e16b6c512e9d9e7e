// phone (and fax): NANP, +E.164, national groupings, extensions, 1-800-FLOWERS, and local numbers with context.
//
// Not phones: money, percentages, decimals, coordinates, versions (a number may not begin or end inside one), "C++20
// 20.10.6". Groups that only blanks part are cells when they stand in a table of numbers (number_rows.h).
#include <algorithm>
#include <array>

#include "policies/detect/family.h"
#include "policies/detect/number_rows.h"
#include "policies/detect/scan.h"

namespace mlops::detect {
namespace {

constexpr HeaderRule kHeaders[] = {
    {"phone", HeaderMatch::kAny, 0.95},       {"telephone", HeaderMatch::kAny, 0.95},
    {"phones", HeaderMatch::kAny, 0.9},       {"fax", HeaderMatch::kAny, 0.9},
    {"mobile", HeaderMatch::kExact, 0.8},     {"tel", HeaderMatch::kExact, 0.85},
    {"cell", HeaderMatch::kExact, 0.6},       {"cellphone", HeaderMatch::kAny, 0.9},
    {"phonenumber", HeaderMatch::kAny, 0.95}, {"contact number", HeaderMatch::kAny, 0.7},
    {"pager", HeaderMatch::kExact, 0.8},      {"telefon", HeaderMatch::kAny, 0.9},
    {"phonenum", HeaderMatch::kAny, 0.9},     {"msisdn", HeaderMatch::kAny, 0.9},
    {"homephone", HeaderMatch::kAny, 0.9},
};
constexpr std::string_view kWords[] = {"phone",  "tel",  "telephone", "ph",    "fax",     "cell",
                                       "mobile", "call", "called",    "pager", "contact", "reach",
                                       "dial",   "text", "whatsapp",  "ph#",   "office"};
// Words that lead to a telephone number, and to much else: near a bare number they say nothing.
constexpr std::string_view kSureWords[] = {"phone", "tel", "telephone", "ph",       "fax", "mobile",
                                           "pager", "ph#", "dial",      "whatsapp", "cell"};
constexpr std::size_t kMostDigits = 15;

struct Group {
  std::size_t begin = 0;
  std::size_t size = 0;
};

// Digit groups with the separators between them, as one candidate.
struct Candidate {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t digits = 0;
  bool plus = false;
  bool parens = false;
  char separator = '\0';  // of all gaps; '*' when they differ
  std::array<Group, 8> groups{};
  std::size_t count = 0;
};

bool is_separator(char c) {
  return c == ' ' || c == '-' || c == '.' || c == '/' || c == '(' || c == ')';
}

Candidate collect(std::string_view text, std::size_t begin) {
  Candidate it{.begin = begin, .end = begin};
  std::size_t at = begin;
  if (text[at] == '+') {
    it.plus = true;
    ++at;
  }
  while (it.count < it.groups.size()) {
    std::size_t digits_from = at;
    while (digits_from < text.size() && digits_from - at < 3 && is_separator(text[digits_from])) ++digits_from;
    const std::size_t size = digits_at(text, digits_from);
    if (size == 0 || it.digits + size > kMostDigits) break;
    for (std::size_t i = at; i < digits_from; ++i) {
      if (text[i] == '(' || text[i] == ')') it.parens = true;
    }
    if (it.count > 0) {
      const char separator = digits_from - at == 1 ? text[at] : '*';
      it.separator = it.count == 1 || it.separator == separator ? separator : '*';
    }
    it.groups[it.count++] = {digits_from, size};
    it.digits += size;
    at = it.end = digits_from + size;
  }
  return it;
}

int digit_of(std::string_view text, const Candidate& it, std::size_t index) {
  for (std::size_t g = 0; g < it.count; ++g) {
    if (index < it.groups[g].size) return text[it.groups[g].begin + index] - '0';
    index -= it.groups[g].size;
  }
  return 0;
}

// Do groups from `first` on have these sizes, with nothing after?
template <std::size_t N>
bool grouped(const Candidate& it, std::size_t first, const std::size_t (&sizes)[N]) {
  if (it.count != first + N) return false;
  for (std::size_t i = 0; i < N; ++i) {
    if (it.groups[first + i].size != sizes[i]) return false;
  }
  return true;
}

// Area and exchange of the ten digits from `from` begin with 2–9, as the plan wants.
bool in_numbering_plan(std::string_view text, const Candidate& it, std::size_t from) {
  return digit_of(text, it, from) >= 2 && digit_of(text, it, from + 3) >= 2;
}

// The country or trunk prefix before a 3-3-4 number: 1, 001, +44 …: groups to skip, or count when there is no 3-3-4.
bool is_nanp_shape(const Candidate& it) {
  for (const std::size_t first : {std::size_t{0}, std::size_t{1}}) {
    if (first == 1 && it.groups[0].size > 3) continue;
    if (grouped(it, first, {3, 3, 4}) || grouped(it, first, {3, 7})) return true;
  }
  return false;
}

// Groupings of national plans without a trunk digit. Figures are written in groups too ("74 831 591"), so that only an
// area in parentheses says more than "perhaps".
struct Grouping {
  std::size_t count;
  std::size_t sizes[5];
  double score;
};
constexpr Grouping kGroupings[] = {
    {4, {2, 2, 2, 2}, 0.4}, {5, {2, 2, 2, 2, 2}, 0.4}, {4, {3, 2, 2, 2}, 0.4}, {4, {4, 2, 2, 2}, 0.4},
    {4, {3, 3, 2, 2}, 0.4}, {2, {4, 4}, 0.35},         {2, {3, 4}, 0.3},       {3, {3, 3, 3}, 0.35},
    {3, {2, 3, 3}, 0.3},    {3, {3, 2, 3}, 0.35},      {2, {2, 6}, 0.3},       {2, {2, 7}, 0.35},
    {2, {2, 8}, 0.35},      {3, {2, 4, 4}, 0.4},       {3, {2, 3, 4}, 0.4},    {3, {3, 4, 4}, 0.4},
    {2, {4, 7}, 0.35},      {3, {2, 2, 2}, 0.2},       {2, {4, 6}, 0.35},      {2, {3, 6}, 0.3},
    {4, {2, 3, 2, 2}, 0.4}, {3, {4, 3, 3}, 0.4},       {3, {3, 4, 3}, 0.4},    {2, {5, 6}, 0.35},
    {2, {5, 5}, 0.3},
};
constexpr double kAreaInParens = 0.15;

// Another group goes before or after: this is a part of a longer number.
bool is_part_of_row(std::string_view text, const Candidate& it) {
  const auto joins = [](char c) { return c == ' ' || c == '-'; };
  return (it.begin > 1 && joins(text[it.begin - 1]) && is_digit(text[it.begin - 2])) ||
         (joins(at_or_nul(text, it.end)) && is_digit(at_or_nul(text, it.end + 1)));
}

// Groups that blanks part, in a table of numbers: cells. A list of telephone numbers has one on each line.
bool are_cells(std::string_view text, const Candidate& it) {
  if (it.plus || it.parens || it.count < 2 || (it.separator != ' ' && it.separator != '*')) return false;
  return in_number_table(text, it.begin, it.end, [&](std::string_view line) {
    const Candidate other = collect(line, 0);
    if (other.count != it.count || other.end != line.size()) return false;
    for (std::size_t i = 0; i < it.count; ++i) {
      if (other.groups[i].size != it.groups[i].size) return false;
    }
    return !is_nanp_shape(other) || in_numbering_plan(line, other, other.digits - 10);
  });
}

// "0000..0777", ".028874-.005916": signs no number is written with; "1970 - 2001": years. Unless a word leads to it.
bool is_like_range(std::string_view text, const Candidate& it) {
  const auto is_year = [&](const Group& group) {
    const auto digits = text.substr(group.begin, group.size);
    return digits.size() == 4 && (digits.starts_with("19") || digits.starts_with("20"));
  };
  if (it.count == 2 && is_year(it.groups[0]) && is_year(it.groups[1])) return true;
  const auto is_sign = [](char c) { return c == '.' || c == '-'; };
  for (std::size_t i = it.begin + 1; i < it.end; ++i) {
    const char sign = text[i], before = text[i - 1];
    if (is_sign(sign) && is_sign(before) && (sign == '.' || before == '.')) return true;
  }
  return false;
}

double national_prior(std::string_view text, const Candidate& it) {
  if (is_part_of_row(text, it)) return 0;
  if (it.separator == '.' || (it.separator == '*' && !it.parens)) return 0;
  for (const Grouping& row : kGroupings) {
    if (row.count != it.count) continue;
    bool same = true;
    for (std::size_t i = 0; i < row.count; ++i) same = same && it.groups[i].size == row.sizes[i];
    if (same) return row.score + (it.parens ? kAreaInParens : 0);
  }
  return 0;
}

double prior(std::string_view text, const Candidate& it) {
  if (it.plus) return it.digits >= 7 ? 0.6 : 0;
  if (is_nanp_shape(it) && it.separator != '/') {
    const std::size_t from = it.digits - 10;
    // Two or three numbers beside each other: nobody parts a telephone number there.
    if (it.groups[it.count - 1].size == 7 && !it.parens && it.separator != '-') return kMostAmongNumbers;
    return in_numbering_plan(text, it, from) ? 0.6 : 0.45;
  }
  if (is_like_range(text, it)) return 0;
  // Bare digits: of ten that the plan allows a guess, else only with context.
  if (it.count == 1) return it.digits == 10 && in_numbering_plan(text, it, 0) ? 0.3 : 0;
  if (it.separator == '/') return 0;
  if (grouped(it, 0, {5, 4})) return 0;  // a ZIP code
  if (grouped(it, 0, {3, 4})) return digit_of(text, it, 0) >= 2 ? (it.separator == '-' ? 0.35 : 0.3) : 0;
  const bool trunk = digit_of(text, it, 0) == 0 && it.groups[0].size >= 2;
  if (trunk && it.digits >= 9 && it.separator != '.') return 0.5;  // 020 7946 0958, 01 23 45 67 89, 0044 …
  return national_prior(text, it);
}

bool is_money_or_measure(std::string_view text, const Candidate& it) {
  std::size_t before = it.begin;
  while (before > 0 && text[before - 1] == ' ') --before;
  const char c = before_or_nul(text, before);
  return c == '$' || c == '=' || (is_high(c) && before >= 2);
}

// "0123456789" stands for "the digits".
bool counts_up(std::string_view text, const Candidate& it) {
  if (it.count != 1 || it.digits < 9) return false;
  for (std::size_t i = 1; i < it.digits; ++i) {
    if ((digit_of(text, it, i) - digit_of(text, it, i - 1) + 10) % 10 != 1) return false;
  }
  return true;
}

std::size_t extension_end(std::string_view text, std::size_t at) {
  std::size_t from = at;
  while (at_or_nul(text, from) == ' ' || at_or_nul(text, from) == ',') ++from;
  for (const std::string_view word : {"extension", "ext.", "ext", "x", "#"}) {
    if (!has_at(text, from, word)) continue;
    from += word.size();
    while (at_or_nul(text, from) == ' ' || at_or_nul(text, from) == '.' || at_or_nul(text, from) == ':') ++from;
    const std::size_t digits = digits_at(text, from);
    return digits >= 1 && digits <= 7 && !is_word(at_or_nul(text, from + digits)) ? from + digits : at;
  }
  return at;
}

// 1-800-FLOWERS: letters where digits would be.
std::size_t vanity_end(std::string_view text, const Candidate& it) {
  const bool toll_free =
      (it.count == 2 && it.groups[0].size == 1 && it.groups[1].size == 3) || (it.count == 1 && it.groups[0].size == 3);
  if (!toll_free || text[it.groups[it.count - 1].begin] != '8' || at_or_nul(text, it.end) != '-') return it.end;
  std::size_t end = it.end + 1;
  std::size_t letters = 0;
  while (is_upper(at_or_nul(text, end)) || is_digit(at_or_nul(text, end)) ||
         (at_or_nul(text, end) == '-' && is_alnum(at_or_nul(text, end + 1)))) {
    letters += is_upper(text[end]) ? 1 : 0;
    ++end;
  }
  const bool plausible = letters >= 3 && end - it.end >= 8 && end - it.end <= 13 && !is_word(at_or_nul(text, end));
  return plausible ? end : it.end;
}

// A number without a telephone's shape is one when its keyword leads to it: "call me at 5550123", "tel. 5550123". An
// SSN and an address of four octets never are.
bool follows_keyword(std::string_view text, const Candidate& it) {
  if (grouped(it, 0, {3, 2, 4}) || (it.separator == '.' && it.count == 4)) return false;
  constexpr int kMostWordsBetween = 3;
  std::size_t end = it.begin;
  for (int words = 0; words < kMostWordsBetween; ++words) {
    while (end > 0 && std::string_view(" :.#(+-").find(text[end - 1]) != std::string_view::npos) --end;
    std::size_t begin = end;
    while (begin > 0 && is_alpha(text[begin - 1])) --begin;
    if (begin == end) return false;
    const auto word = text.substr(begin, end - begin);
    if (std::any_of(std::begin(kWords), std::end(kWords),
                    [&](std::string_view known) { return equals_ignoring_case(word, known); }))
      return true;
    end = begin;
    if (end > 1 && text[end - 1] == ' ' && text[end - 2] == '.') return false;  // another sentence
  }
  return false;
}

// "job 6175550123 … call took 3 us": a bare number needs a word that means nothing else, or one that leads to it.
bool keyword_tells(std::string_view text, const Candidate& it) {
  if (it.count > 1 || it.plus) return keyword_near(text, it.begin, it.end, kWords);
  return follows_keyword(text, it) || keyword_near(text, it.begin, it.end, kSureWords);
}

// "Call 6175550123 440912 7": a row of a table under a word; "rpc.Call(6175550123)": an argument. Only a word that
// means nothing but a telephone makes such a bare number one.
bool is_cell_or_argument(std::string_view text, const Candidate& it) {
  if (it.count > 1 || it.plus || keyword_near(text, it.begin, it.end, kSureWords)) return false;
  if (before_or_nul(text, it.begin) == '(') return is_word(before_or_nul(text, it.begin - 1));
  std::size_t next = it.end;
  while (at_or_nul(text, next) == ' ' || at_or_nul(text, next) == '\t' || at_or_nul(text, next) == ',') ++next;
  return next > it.end && digits_at(text, next) >= 4;
}

// C++20
bool is_plus_of_word(std::string_view text, std::size_t at) {
  return text[at] == '+' && (before_or_nul(text, at) == '+' || is_alnum(before_or_nul(text, at)));
}

// 617-555-0123-Fax
bool dash_and_word_follow(std::string_view text, std::size_t end) {
  return at_or_nul(text, end) == '-' && is_alpha(at_or_nul(text, end + 1)) && is_alpha(at_or_nul(text, end + 2)) &&
         !is_digit(at_or_nul(text, end + 3));
}

class Phone : public Family {
 public:
  Phone() : Phone({"phone", kHeaders, Needs::kDigit, true, 4}) {}

 protected:
  explicit Phone(const FamilySpec& spec) : Family(spec) {}

  void search(std::string_view text, double column_score, std::vector<Span>& out) const override {
    for (std::size_t at = 0; at < text.size();) {
      const char c = text[at];
      const bool starts = is_digit(c) || ((c == '+' || c == '(') && is_digit(at_or_nul(text, at + 1))) ||
                          (c == '+' && at_or_nul(text, at + 1) == '(');
      if (!starts || !number_may_begin(text, at) || is_plus_of_word(text, at)) {
        at += is_digit(c) ? digits_at(text, at) : 1;
        continue;
      }
      at = candidate(text, at, column_score >= kAgrees, out);
    }
  }

 private:
  static std::size_t candidate(std::string_view text, std::size_t at, bool column, std::vector<Span>& out) {
    Candidate it = collect(text, at);
    if (it.count == 0) return at + 1;
    if (const std::size_t vanity = vanity_end(text, it); vanity != it.end) {
      out.push_back({at, vanity, 0.5});
      return vanity;
    }
    const std::size_t end = extension_end(text, it.end);
    // After an extension nothing but a word boundary can follow; it was checked there.
    const bool ends = end != it.end || number_may_end(text, it.end) || dash_and_word_follow(text, it.end);
    if (!ends || is_money_or_measure(text, it) || counts_up(text, it)) return retry(text, it);
    double score = prior(text, it);
    if (score > kMostAmongNumbers && are_cells(text, it)) score = kMostAmongNumbers;
    const bool plausible = it.digits >= 7 || (it.digits >= 4 && end != it.end);
    if (plausible && it.separator != '/') {
      if (column)
        score = 0.95;
      else if (score > 0 ? keyword_tells(text, it) : follows_keyword(text, it))
        score = is_cell_or_argument(text, it) ? kMostAmongNumbers : score >= 0.5 ? 0.9 : it.digits >= 7 ? 0.7 : score;
    } else if (it.digits == 6 && score > 0 && keyword_near(text, at, it.end, kWords)) {
      score = 0.5;
    }
    if (score < 0.3) return retry(text, it);
    out.push_back({at, end, score});
    return end;
  }
  // The first group may be something else ("12 617-555-0123"): go on after it.
  static std::size_t retry(std::string_view, const Candidate& it) { return it.groups[0].begin + it.groups[0].size; }
};

constexpr HeaderRule kFaxHeaders[] = {{"fax", HeaderMatch::kExact, 0.95},
                                      {"fax number", HeaderMatch::kExact, 0.95},
                                      {"fax no", HeaderMatch::kExact, 0.95},
                                      {"facsimile", HeaderMatch::kExact, 0.95},
                                      {"telefax", HeaderMatch::kExact, 0.95}};
constexpr std::string_view kFaxWords[] = {"fax", "fx", "facsimile", "telefax"};

// A telephone number that a word for fax leads to, or a column of them ("tel/fax" is phone's).
class Fax : public Phone {
 public:
  Fax() : Phone({"fax", kFaxHeaders, Needs::kDigit, true, 4}) {}

 protected:
  void search(std::string_view text, double column_score, std::vector<Span>& out) const override {
    const bool column = column_score >= kAgrees;
    if (!column && !has_fax_word(text)) return;
    std::vector<Span> numbers;
    Phone::search(text, column_score, numbers);
    for (const Span& one : numbers) {
      if (column || led_by_fax(text, one.begin)) out.push_back({one.begin, one.end, std::max(one.score, kFax)});
    }
  }

 private:
  static constexpr double kFax = 0.92;  // more than the telephone it is too

  static bool has_fax_word(std::string_view text) {
    for (const char c : {'x', 'X'}) {
      for (std::size_t at = text.find(c); at != std::string_view::npos; at = text.find(c, at + 1)) {
        if (to_lower(before_or_nul(text, at)) == 'f' || (at >= 2 && has_at(text, at - 2, "fa"))) return true;
      }
    }
    return text.find("acsimile") != std::string_view::npos;
  }
  // "Fax: ", "fax number (", "Facsimile no. "; no digit between.
  static bool led_by_fax(std::string_view text, std::size_t at) {
    constexpr std::size_t kReach = 20;
    std::size_t from = at;
    while (from > 0 && at - from < kReach && !is_digit(text[from - 1]) && text[from - 1] != '\n') --from;
    while (from > 0 && is_word(text[from]) && is_alpha(text[from - 1])) --from;
    const std::string_view lead = text.substr(from, at - from);
    return keyword_before(lead, lead.size(), kFaxWords);
  }
};

}  // namespace

const Detector& fax() {
  static const Fax kDetector;
  return kDetector;
}
const Detector& phone() {
  static const Phone kDetector;
  return kDetector;
}

}  // namespace mlops::detect
