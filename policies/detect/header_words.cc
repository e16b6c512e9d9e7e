#include "policies/detect/header_words.h"

#include <algorithm>

#include "policies/detect/fold.h"
#include "policies/detect/scan.h"

namespace mlops::detect {
namespace {

constexpr std::string_view kVetoes[] = {"count", "counts",  "flag",     "is",       "has",     "cost",
                                        "costs", "expense", "expenses", "score",    "rate",    "type",
                                        "valid", "length",  "status",   "coverage", "revenue", "verified"};
constexpr std::string_view kOwners[] = {
    "patient",     "patients",   "pt",        "pat",      "person",  "client",    "subject",  "member",    "customer",
    "employee",    "contact",    "mother",    "mothers",  "father",  "spouse",    "guardian", "parent",    "relative",
    "insured",     "subscriber", "doctor",    "provider", "user",    "owner",     "home",     "work",      "primary",
    "secondary",   "legal",      "preferred", "current",  "mailing", "emergency", "billing",  "physician", "attending",
    "beneficiary", "kin",        "of",        "the",      "s",       "full",      "number",   "no",        "num",
    "nbr",         "str",        "line",      "txt",      "us",      "value"};
constexpr std::string_view kPatient[] = {"patient", "patients", "pt", "pat"};

template <std::size_t N>
bool contains(const std::string_view (&words)[N], std::string_view word) {
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

bool begins_word(std::string_view text, std::size_t at) {
  if (at == 0) return true;
  const char before = text[at - 1];
  const char c = text[at];
  if (is_digit(before) != is_digit(c)) return true;
  if (is_lower(before) && is_upper(c)) return true;
  return is_upper(before) && is_upper(c) && is_lower(at_or_nul(text, at + 1));  // the N of SSNNumber
}

// The first word of a rule's, which is taken off them.
std::string_view take_word(std::string_view& words) {
  const std::size_t blank = words.find(' ');
  const auto word = words.substr(0, blank);
  words.remove_prefix(blank == std::string_view::npos ? words.size() : blank + 1);
  return word;
}

bool is_rule_word(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    if (take_word(words) == word) return true;
  }
  return false;
}

bool allowed_beside(HeaderMatch match, std::string_view word) {
  if (match == HeaderMatch::kAny || is_digit(word[0])) return true;
  return match == HeaderMatch::kExact ? contains(kOwners, word) : contains(kPatient, word);
}

bool matches(const HeaderRule& rule, const std::vector<std::string>& words) {
  for (auto wanted = rule.words; !wanted.empty();) {
    if (std::find(words.begin(), words.end(), take_word(wanted)) == words.end()) return false;
  }
  return std::all_of(words.begin(), words.end(), [&](const std::string& word) {
    return is_rule_word(rule.words, word) || allowed_beside(rule.match, word);
  });
}

struct ReadHeader {
  std::string column;
  std::vector<std::string> words;
  bool is_vetoed = false;
};

ReadHeader read_header(std::string_view column) {
  ReadHeader header{std::string(column), header_words(column)};
  header.is_vetoed = std::any_of(header.words.begin(), header.words.end(),
                                 [](const std::string& word) { return contains(kVetoes, word); });
  return header;
}

}  // namespace

std::vector<std::string> header_words(std::string_view column) {
  const std::string text = fold(column).text;
  std::vector<std::string> words;
  bool open = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!is_alnum(text[i])) {
      open = open && text[i] == '\'';  // driver's → drivers
      continue;
    }
    if (!open || begins_word(text, i)) words.emplace_back();
    words.back().push_back(to_lower(text[i]));
    open = true;
  }
  return words;
}

double header_score(std::span<const HeaderRule> rules, std::string_view column) {
  // A column is asked about by every detector in turn: it is cut into words once.
  thread_local ReadHeader header;
  if (header.column != column) header = read_header(column);
  if (header.is_vetoed) return 0;
  double best = 0;
  for (const auto& rule : rules) {
    if (!matches(rule, header.words)) continue;
    if (rule.score == 0) return 0;
    best = std::max(best, rule.score);
  }
  return best;
}

}  // namespace mlops::detect
