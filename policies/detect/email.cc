// email: local@domain by the RFC 5322 subset in use, without a top-level domain at a lower score; "john at host dot
// com".
#include <algorithm>

#include "policies/detect/family.h"
#include "policies/detect/scan.h"

namespace mlops::detect {
namespace {

constexpr HeaderRule kHeaders[] = {
    {"email", HeaderMatch::kAny, 0.95},  {"emails", HeaderMatch::kAny, 0.95},
    {"e mail", HeaderMatch::kAny, 0.95}, {"emailaddress", HeaderMatch::kAny, 0.95},
    {"mail", HeaderMatch::kExact, 0.6},  {"email sent", HeaderMatch::kAny, 0},
    {"email opt", HeaderMatch::kAny, 0},
};
constexpr std::size_t kLongestSide = 255;

bool is_local(char c) {
  if (is_word(c)) return true;
  switch (c) {
    case '.':
    case '!':
    case '#':
    case '$':
    case '%':
    case '&':
    case '\'':
    case '*':
    case '+':
    case '-':
    case '/':
    case '=':
    case '?':
    case '^':
    case '`':
    case '{':
    case '|':
    case '}':
    case '~':
      return true;
    default:
      return false;
  }
}
bool is_domain(char c) {
  return is_word(c) || c == '-' || c == '.';
}

std::size_t local_begin(std::string_view text, std::size_t sign) {
  if (sign > 1 && text[sign - 1] == '"') {  // "john doe"@host
    const std::size_t open = text.rfind('"', sign - 2);
    if (open != std::string_view::npos && sign - open <= kLongestSide) return open;
  }
  std::size_t begin = sign;
  while (begin > 0 && sign - begin < kLongestSide && is_local(text[begin - 1])) --begin;
  while (begin < sign && std::string_view(".'`=/|").find(text[begin]) != std::string_view::npos) ++begin;
  return begin;
}

std::size_t domain_end(std::string_view text, std::size_t begin) {
  if (at_or_nul(text, begin) == '[') {  // user@[192.0.2.1]
    std::size_t end = begin + 1;
    while (end < text.size() && end - begin < 48 && (is_hex(text[end]) || text[end] == '.' || text[end] == ':')) ++end;
    return at_or_nul(text, end) == ']' ? end + 1 : begin;
  }
  std::size_t end = begin;
  while (end < text.size() && end - begin < kLongestSide && is_domain(text[end])) ++end;
  while (end > begin && (text[end - 1] == '.' || text[end - 1] == '-')) --end;
  return end;
}

bool has_top_level(std::string_view domain) {
  const std::size_t dot = domain.rfind('.');
  if (dot == std::string_view::npos || domain.size() - dot < 3) return false;
  return std::all_of(domain.begin() + static_cast<std::ptrdiff_t>(dot) + 1, domain.end(),
                     [](char c) { return is_alpha(c) || is_high(c) || c == '-' || is_digit(c); });
}

// " at ", "(at)", " [at] " and the like from `at`: length of the connective, 0 without one.
std::size_t spelled(std::string_view text, std::size_t at, std::string_view word) {
  std::size_t end = at;
  while (at_or_nul(text, end) == ' ') ++end;
  const char open = at_or_nul(text, end);
  const bool bracket = open == '(' || open == '[' || open == '{';
  if (bracket) ++end;
  if (!bracket && end == at) return 0;
  if (!has_at(text, end, word)) return 0;
  end += word.size();
  if (bracket) {
    const char close = at_or_nul(text, end);
    if (close != ')' && close != ']' && close != '}') return 0;
    ++end;
  } else if (at_or_nul(text, end) != ' ') {
    return 0;
  }
  while (at_or_nul(text, end) == ' ') ++end;
  return end - at;
}

class Email : public Family {
 public:
  Email() : Family({"email", kHeaders, Needs::kAt, true}) {}

 protected:
  void search(std::string_view text, double column_score, std::vector<Span>& out) const override {
    for (std::size_t sign = text.find('@'); sign != std::string_view::npos; sign = text.find('@', sign + 1)) {
      const std::size_t begin = local_begin(text, sign);
      const std::size_t end = domain_end(text, sign + 1);
      if (begin == sign || end == sign + 1) continue;
      const bool full = has_top_level(text.substr(sign + 1, end - sign - 1)) || text[sign + 1] == '[';
      const double score = full ? 0.95 : 0.45;
      out.push_back({begin, end, column_score >= kAgrees ? std::max(score, 0.9) : score});
    }
    spelled_out(text, out);
  }

 private:
  static void spelled_out(std::string_view text, std::vector<Span>& out) {
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (!is_local(text[at]) || !(at + 1 < text.size()) || is_local(text[at + 1])) continue;
      const std::size_t sign = spelled(text, at + 1, "at");
      if (sign == 0) continue;
      std::size_t end = at + 1 + sign;
      int dots = 0;
      for (std::size_t label = end;;) {
        while (label < text.size() && is_word(text[label])) ++label;
        if (label == end) break;
        end = label;
        const std::size_t dot = spelled(text, end, "dot");
        if (dot == 0 || !is_word(at_or_nul(text, end + dot))) break;
        ++dots;
        end = label = end + dot;
      }
      if (dots > 0) out.push_back({local_begin(text, at + 1), end, 0.6});
    }
  }
};

}  // namespace

const Detector& email() {
  static const Email kDetector;
  return kDetector;
}

}  // namespace mlops::detect
