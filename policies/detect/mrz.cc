// passport_mrz: the machine-readable lines of travel documents (ICAO Doc 9303, parts 4 to 6).
//
//   TD3  2 × 44   P<UTOERIKSSON<<ANNA<MARIA<<<… / L898902C36UTO7408122F1204159ZE184226B<<<<<10
//   TD2  2 × 36   TD1  3 × 30
// Fields of a data line carry a digit of weights 7-3-1 each. Names have none: their line is known by its fillers.
#include <algorithm>

#include "policies/detect/family.h"
#include "policies/detect/scan.h"
#include "policies/detect/special_ids.h"

namespace mlops::detect {
namespace {

constexpr HeaderRule kHeaders[] = {{"mrz", HeaderMatch::kAny, 0.95}, {"machine readable", HeaderMatch::kAny, 0.9}};

bool is_mrz(char c) {
  return is_upper(c) || is_digit(c) || c == '<';
}
int value_of(char c) {
  return is_digit(c) ? c - '0' : c == '<' ? 0 : c - 'A' + 10;
}
// Text recognition takes O for 0 and I for 1 where only digits stand.
char as_digit(char c) {
  return c == 'O' ? '0' : c == 'I' ? '1' : c == 'B' ? '8' : c == 'S' ? '5' : c;
}

bool field_holds(std::string_view line, std::size_t begin, std::size_t size, bool numeric) {
  constexpr int kWeights[] = {7, 3, 1};
  int sum = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const char c = numeric ? as_digit(line[begin + i]) : line[begin + i];
    sum += value_of(c) * kWeights[i % 3];
  }
  return value_of(as_digit(line[begin + size])) == sum % 10;
}

struct Field {
  std::size_t begin;
  std::size_t size;
  bool numeric;
};
// Document number, birth, expiry: on the second line of TD2 and TD3; the number on the first line of TD1, the dates on
// its second.
constexpr Field kTwoLines[] = {{0, 9, false}, {13, 6, true}, {21, 6, true}};
constexpr Field kFirstOfThree[] = {{5, 9, false}};
constexpr Field kSecondOfThree[] = {{0, 6, true}, {8, 6, true}};

template <std::size_t N>
int holding(std::string_view line, const Field (&fields)[N]) {
  return static_cast<int>(std::count_if(std::begin(fields), std::end(fields), [&](const Field& field) {
    return field_holds(line, field.begin, field.size, field.numeric);
  }));
}

double rate(std::string_view line) {
  const bool names = std::string_view("PIACV").find(line[0]) != std::string_view::npos;
  const auto fillers = std::count(line.begin(), line.end(), '<');
  const bool has_digits = std::any_of(line.begin(), line.end(), is_digit);
  // Names are letters alone; lines of data hold dates.
  if (!has_digits && (line.find("<<") == std::string_view::npos || !is_upper(line[0]))) return 0;
  if (line.size() == 30) {
    if (holding(line, kSecondOfThree) == 2) return fillers > 0 ? 0.95 : 0.6;
    if (names && holding(line, kFirstOfThree) == 1) return fillers > 0 ? 0.9 : 0.4;
  } else if (holding(line, kTwoLines) == 3) {
    return 0.97;
  } else if (holding(line, kTwoLines) == 2) {
    return fillers > 0 ? 0.85 : 0.5;
  }
  const bool named = !has_digits && line.find("<<") != std::string_view::npos && is_upper(line[0]);
  if (named && names && line.size() != 30) return 0.85;
  return named && fillers >= 3 ? 0.7 : 0;
}

class Mrz : public Family {
 public:
  Mrz() : Family({"passport_mrz", kHeaders, Needs::kNothing, true}) {}

 protected:
  void search(std::string_view text, double, std::vector<Span>& out) const override {
    // Only lines with a filler beside a letter are looked at, and the line below one.
    for (std::size_t at = text.find('<'); at != std::string_view::npos; at = text.find('<', at + 1)) {
      std::size_t begin = at;
      while (begin > 0 && at - begin <= kLongest && is_mrz(text[begin - 1])) --begin;
      std::size_t end = at;
      while (end < text.size() && end - at <= kLongest && is_mrz(text[end])) ++end;
      look(text, begin, end, out);
      at = end - 1;
      const std::size_t next = line_below(text, end);
      if (next < text.size() && text.substr(next, kLongest).find('<') == std::string_view::npos) {
        std::size_t below = next;
        while (below < text.size() && below - next <= kLongest && is_mrz(text[below])) ++below;
        look(text, next, below, out);
      }
    }
  }

 private:
  static constexpr std::size_t kLongest = 44;

  static std::size_t line_below(std::string_view text, std::size_t end) {
    while (end < text.size() && (text[end] == '\r' || text[end] == ' ')) ++end;
    return at_or_nul(text, end) == '\n' ? end + 1 : text.size();
  }
  static void look(std::string_view text, std::size_t begin, std::size_t end, std::vector<Span>& out) {
    const std::size_t size = end - begin;
    if ((size != 30 && size != 36 && size != kLongest) || is_word(at_or_nul(text, end)) ||
        is_word(before_or_nul(text, begin)))
      return;
    if (const double score = rate(text.substr(begin, size)); score > 0) out.push_back({begin, end, score});
  }
};

}  // namespace

const Detector& passport_mrz() {
  static const Mrz kDetector;
  return kDetector;
}

}  // namespace mlops::detect
