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

std::vector<std::string_view> rule_words(std::string_view words) {
  std::vector<std::string_view> list;
  while (!words.empty()) {
    const std::size_t blank = words.find(' ');
    list.push_back(words.substr(0, blank));
    words.remove_prefix(blank == std::string_view::npos ? words.size() : blank + 1);
  }
  return list;
}

bool allowed_beside(HeaderMatch match, std::string_view word) {
  if (match == HeaderMatch::kAny || is_digit(word[0])) return true;
  return match == HeaderMatch::kExact ? contains(kOwners, word) : contains(kPatient, word);
}

bool matches(const HeaderRule& rule, const std::vector<std::string>& words) {
  const auto wanted = rule_words(rule.words);
  for (const std::string_view want : wanted) {
    if (std::find(words.begin(), words.end(), want) == words.end()) return false;
  }
  return std::all_of(words.begin(), words.end(), [&](const std::string& word) {
    return std::find(wanted.begin(), wanted.end(), word) != wanted.end() || allowed_beside(rule.match, word);
  });
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
  const auto words = header_words(column);
  for (const auto& word : words) {
    if (contains(kVetoes, word)) return 0;
  }
  double best = 0;
  for (const auto& rule : rules) {
    if (!matches(rule, words)) continue;
    if (rule.score == 0) return 0;
    best = std::max(best, rule.score);
  }
  return best;
}

}  // namespace mlops::detect
