#include "policies/detect/source_text.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <optional>

#include "policies/detect/dictionary.h"
#include "policies/detect/scan.h"
#include "policies/detect/source_lines.h"

namespace mlops::detect {
namespace {

// A document of fewer lines of code, or with fewer kinds of program words, is none: a note may hold a few such lines.
constexpr unsigned kLeastCode = 8;
constexpr std::size_t kLeastBytes = 100;  // … nor has room for them: most cells of a table end here
constexpr int kLeastWordKinds = 3;

struct Totals {
  std::uint64_t words = 0;  // bits of the program words seen
  unsigned statements = 0;
  unsigned log = 0;
  unsigned prose = 0;
  unsigned data = 0;
};

TextKind kind_of(const Totals& totals) {
  const unsigned plain = totals.prose + totals.data;
  if (totals.log >= kLeastCode && totals.log > plain) return TextKind::kLog;
  const bool enough = totals.statements >= kLeastCode && std::popcount(totals.words) >= kLeastWordKinds;
  return enough && totals.statements >= totals.data && totals.statements * 2 >= plain ? TextKind::kSource
                                                                                      : TextKind::kPlain;
}

void count(const Line& line, Totals& totals) {
  totals.words |= line.words;
  switch (line.kind) {
    case LineKind::kStatement:
      ++totals.statements;
      break;
    case LineKind::kLog:
      ++totals.log;
      break;
    case LineKind::kProse:
      ++totals.prose;
      break;
    case LineKind::kData:
      ++totals.data;
      break;
    case LineKind::kComment:
    case LineKind::kOther:
    case LineKind::kBlank:
      break;
  }
}

}  // namespace

SourceText::SourceText(std::string_view text) {
  Totals totals;
  LineReader reader(text);
  bool after_blank = true;
  while (const auto line = reader.next()) {
    if (line->kind == LineKind::kBlank) {
      after_blank = true;
      continue;
    }
    if (after_blank) paragraphs_.push_back({.begin = line->begin});
    after_blank = false;
    count(*line, totals);
    Paragraph& paragraph = paragraphs_.back();
    paragraph.code += line->kind == LineKind::kStatement || line->kind == LineKind::kComment ? 1 : 0;
    paragraph.log += line->kind == LineKind::kLog ? 1 : 0;
    paragraph.against += line->kind == LineKind::kProse || line->kind == LineKind::kData ? 1 : 0;
  }
  document_ = kind_of(totals);
  if (document_ == TextKind::kPlain) paragraphs_.clear();
}

TextKind SourceText::kind_at(std::size_t at) const {
  if (document_ == TextKind::kPlain) return document_;
  const auto next = std::upper_bound(paragraphs_.begin(), paragraphs_.end(), at,
                                     [](std::size_t place, const Paragraph& one) { return place < one.begin; });
  if (next == paragraphs_.begin()) return TextKind::kPlain;
  const Paragraph& paragraph = *std::prev(next);
  const unsigned evidence = document_ == TextKind::kLog ? paragraph.log : paragraph.code;
  return evidence > 0 && evidence >= paragraph.against ? document_ : TextKind::kPlain;
}

namespace {

constexpr double kCounts = 0.5;           // a finding does, from here on
constexpr std::size_t kLookAround = 120;  // bytes of the line before and behind a finding

// In a line of code or of a log, whatever they are part of ("patient_dob"): the date is somebody's.
constexpr std::string_view kPersonWords[] = {"patient", "birth",    "born",    "dob",         "died",      "death",
                                             "deceas",  "admitted", "dischar", "admission",   "encounter", "seen on",
                                             "visit_",  "visitda",  "surgery", "appointment", "hospital",  "diagnos"};
constexpr std::string_view kUserWords[] = {"user", "login", "account", "customer", "member", "subject"};
// Parts of a path behind which a user is named.
constexpr std::string_view kUserParts[] = {"~",        "@",        "/user/",  "/users/",  "/u/",    "/people/",
                                           "/profile", "/patient", "/member", "/account", "/home/", "/in/"};

bool holds(std::string_view text, std::string_view lower) {
  const auto found = std::search(text.begin(), text.end(), lower.begin(), lower.end(),
                                 [](char a, char b) { return to_lower(a) == b; });
  return found != text.end();
}

std::string_view line_around(std::string_view text, const Span& span) {
  std::size_t begin = span.begin, end = span.end;
  while (begin > 0 && span.begin - begin < kLookAround && text[begin - 1] != '\n') --begin;
  while (end < text.size() && end - span.end < kLookAround && text[end] != '\n') ++end;
  return text.substr(begin, end - begin);
}

bool is_somebodys_date(std::string_view text, const Span& span, TextKind kind) {
  const auto line = line_around(text, span);
  const auto in_line = [&](std::string_view word) { return holds(line, word); };
  return std::any_of(std::begin(kPersonWords), std::end(kPersonWords), in_line) ||
         (kind == TextKind::kLog && std::any_of(std::begin(kUserWords), std::end(kUserWords), in_line));
}

// A query with a value, or a part that names a user.
bool names_a_user(std::string_view text, const Span& span, TextKind) {
  const auto address = text.substr(span.begin, span.end - span.begin);
  const std::size_t query = address.find('?');
  if (query != std::string_view::npos && address.find('=', query) != std::string_view::npos) return true;
  return std::any_of(std::begin(kUserParts), std::end(kUserParts),
                     [&](std::string_view part) { return holds(address, part); });
}

// "operandType", "XMLReader"; not McDonald, DeVries.
bool is_identifier(std::string_view word) {
  constexpr std::size_t kLongestPrefix = 3;  // Mac
  for (std::size_t i = 1; i < word.size(); ++i) {
    if (word[i] == '_') return true;
    if (is_upper(word[i]) && is_lower(word[i - 1]) && (is_lower(word[0]) || i > kLongestPrefix)) return true;
  }
  return false;
}

// "Dr. Roe", "Patient: Roe".
bool follows_title(std::string_view text, std::size_t begin) {
  constexpr std::string_view kBetween = " .:";
  std::size_t end = begin;
  while (end > 0 && begin - end < 3 && kBetween.find(text[end - 1]) != std::string_view::npos) --end;
  std::size_t at = end;
  while (at > 0 && end - at < 16 && is_alpha(text[at - 1])) --at;
  std::array<char, 16> lower{};
  std::transform(text.begin() + static_cast<std::ptrdiff_t>(at), text.begin() + static_cast<std::ptrdiff_t>(end),
                 lower.begin(), to_lower);
  return end < begin && look_up({lower.data(), end - at}).has(kTitle | kLabel);
}

// The first word of a name, in small letters, is somebody's and no word of a language.
bool begins_with_first_name(std::string_view name) {
  constexpr std::size_t kLongest = 24;
  std::array<char, kLongest> lower{};
  const auto word = name.substr(0, std::min(name.find(' '), kLongest));
  std::transform(word.begin(), word.end(), lower.begin(), to_lower);
  const auto entry = look_up({lower.data(), word.size()});
  return entry.has(kFirstName) && !entry.has(kOrdinaryWord);
}

// "verifyUseList(Register Reg)": the type and the name of a parameter.
bool is_parameter(std::string_view text, const Span& span) {
  return span.begin >= 2 && text[span.begin - 1] == '(' && is_word(text[span.begin - 2]);
}

// "CYRILLIC SMALL LETTER ZHE", "CHR BLK REG DIR LNK": constants and what they are called.
bool is_all_capitals(std::string_view name) {
  return std::none_of(name.begin(), name.end(), is_lower) && std::any_of(name.begin(), name.end(), is_upper);
}

// Several words without an identifier, or one with a title or a label before it.
bool is_whole_name(std::string_view text, const Span& span, TextKind kind) {
  if (kind == TextKind::kLog) return true;
  const auto name = text.substr(span.begin, span.end - span.begin);
  bool several = false;
  for (std::size_t at = 0; at < name.size();) {
    const std::size_t end = std::min(name.find(' ', at), name.size());
    if (is_identifier(name.substr(at, end - at))) return false;
    several = several || end < name.size();
    at = end + 1;
  }
  if (follows_title(text, span.begin)) return true;
  return several && ((!is_parameter(text, span) && !is_all_capitals(name)) || begins_with_first_name(name));
}

// "22.2.1.5" is a section of a standard, unless a word or quotes say otherwise.
bool is_no_section(std::string_view text, const Span& span, TextKind kind) {
  constexpr double kWithContext = 0.75;
  constexpr std::size_t kLongestPart = 2;
  if (kind == TextKind::kLog || span.score >= kWithContext) return true;
  if (const char before = before_or_nul(text, span.begin); before == '"' || before == '\'') return true;
  std::size_t digits = 0;
  for (std::size_t i = span.begin; i < span.end; ++i) {
    digits = is_digit(text[i]) ? digits + 1 : 0;
    if (digits > kLongestPart) return true;
  }
  return false;
}

struct WeakType {
  std::string_view detector;
  bool (*is_strong)(std::string_view text, const Span& span, TextKind kind);
};
constexpr WeakType kWeakTypes[] = {
    {"date", is_somebodys_date}, {"url", names_a_user}, {"person_name", is_whole_name}, {"ipv4", is_no_section}};

}  // namespace

void weigh_by_kind(std::string_view text, std::size_t from, std::vector<TypedSpan>& spans) {
  if (text.size() < kLeastBytes) return;
  std::optional<SourceText> source;  // of the first weak finding: most texts have none
  for (std::size_t i = from; i < spans.size(); ++i) {
    auto& [span, detector] = spans[i];
    if (span.score < kCounts) continue;
    const auto* type = std::find_if(std::begin(kWeakTypes), std::end(kWeakTypes),
                                    [&](const WeakType& one) { return one.detector == detector->id(); });
    if (type == std::end(kWeakTypes)) continue;
    if (!source) source.emplace(text);
    const TextKind kind = source->kind_at(span.begin);
    if (kind != TextKind::kPlain && !type->is_strong(text, span, kind)) span.score = kInSource;
  }
}

}  // namespace mlops::detect
