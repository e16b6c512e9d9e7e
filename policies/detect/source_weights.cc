#include "policies/detect/source_weights.h"

#include <algorithm>
#include <array>
#include <optional>

#include "policies/detect/dictionary.h"
#include "policies/detect/scan.h"
#include "policies/detect/source_text.h"

namespace mlops::detect {
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
// Who wrote something, or is spoken of: names beside these are people's, known or not.
constexpr std::string_view kAuthorWords[] = {"author", "copyright", "(c)",       "\xC2\xA9", "written",  "contrib",
                                             "modif",  "maintain",  " by ",      "thanks",   "courtesy", "@",
                                             "from ",  "patient",   "physician", "doctor",   "nurse"};
constexpr std::string_view kPhoneWords[] = {"phone",   "fax",   "tel:",  "tel.",    "tel ",
                                            "\"tel\"", "'tel'", "mobil", "hotline", "contact"};
// Known as first names, and what programs are written in.
constexpr std::string_view kLanguages[] = {"perl"};

bool holds(std::string_view text, std::string_view lower) {
  const auto found = std::search(text.begin(), text.end(), lower.begin(), lower.end(),
                                 [](char a, char b) { return to_lower(a) == b; });
  return found != text.end();
}

template <std::size_t N>
bool holds_any(std::string_view text, const std::string_view (&words)[N]) {
  return std::any_of(std::begin(words), std::end(words), [&](std::string_view word) { return holds(text, word); });
}

std::string_view part_of(std::string_view text, const Span& span) {
  return text.substr(span.begin, span.end - span.begin);
}

std::string_view line_around(std::string_view text, const Span& span) {
  std::size_t begin = span.begin, end = span.end;
  while (begin > 0 && span.begin - begin < kLookAround && text[begin - 1] != '\n') --begin;
  while (end < text.size() && end - span.end < kLookAround && text[end] != '\n') ++end;
  return text.substr(begin, end - begin);
}

// "Jane Roe" as a whole in quotes: data that stands in a program.
bool is_literal(std::string_view text, const Span& span) {
  const char quote = before_or_nul(text, span.begin);
  const bool is_escaped = at_or_nul(text, span.end) == '\\' && at_or_nul(text, span.end + 1) == quote;
  return (quote == '"' || quote == '\'' || quote == '`') && (at_or_nul(text, span.end) == quote || is_escaped);
}

bool is_somebodys_date(std::string_view text, const Span& span, TextKind kind) {
  const auto line = line_around(text, span);
  return holds_any(line, kPersonWords) || (kind == TextKind::kLog && holds_any(line, kUserWords));
}

// A query with a value, or a part that names a user.
bool names_a_user(std::string_view text, const Span& span, TextKind) {
  const auto address = part_of(text, span);
  const std::size_t query = address.find('?');
  if (query != std::string_view::npos && address.find('=', query) != std::string_view::npos) return true;
  return holds_any(address, kUserParts);
}

// "operandType", "XMLReader", "snake_case"; not McDonald, DeVries.
bool is_identifier(std::string_view word) {
  constexpr std::size_t kLongestPrefix = 3;  // Mac
  for (std::size_t i = 1; i < word.size(); ++i) {
    if (word[i] == '_') return true;
    if (is_upper(word[i]) && is_lower(word[i - 1]) && (is_lower(word[0]) || i > kLongestPrefix)) return true;
  }
  return false;
}

// "SMLoc", "MySQL", "C-implemented": seldom a name, unless something else says so (DSouza, Min-jun).
bool is_like_identifier(std::string_view word) {
  const std::size_t size = word.size();
  if (size > 2 && std::any_of(word.begin(), word.end(), is_lower)) {
    if (is_upper(word[0]) && is_upper(word[1])) return true;
    if (is_upper(word[size - 1]) && is_upper(word[size - 2])) return true;
  }
  const std::size_t dash = word.find('-');
  return dash != std::string_view::npos && is_lower(at_or_nul(word, dash + 1));
}

template <class Is>
bool any_word(std::string_view name, const Is& is) {
  for (std::size_t at = 0; at < name.size();) {
    const std::size_t end = std::min(name.find(' ', at), name.size());
    if (is(name.substr(at, end - at))) return true;
    at = end + 1;
  }
  return false;
}

// What stands before a name: "Dr. ", "Patient: ", or "name: ", which may be a thing's.
enum class Lead { kNone, kName, kPerson, kTitle };
Lead lead_of(std::string_view text, std::size_t begin) {
  constexpr std::string_view kBetween = " .:";
  std::size_t end = begin;
  while (end > 0 && begin - end < 3 && kBetween.find(text[end - 1]) != std::string_view::npos) --end;
  if (end == begin || text.substr(end, begin - end) == "::") return Lead::kNone;  // "Author::ISA"
  std::size_t at = end;
  while (at > 0 && end - at < 16 && is_alpha(text[at - 1])) --at;
  std::array<char, 16> lower{};
  std::transform(text.begin() + static_cast<std::ptrdiff_t>(at), text.begin() + static_cast<std::ptrdiff_t>(end),
                 lower.begin(), to_lower);
  const std::string_view word(lower.data(), end - at);
  if (word.empty()) return Lead::kNone;
  const auto entry = look_up(word);
  // "PR.Reg" and "sig.params" are members.
  const bool is_written_so = text[begin - 1] != '.' || (!is_upper(before_or_nul(text, end)) && !is_lower(text[begin]));
  if (entry.has(kTitle) && is_written_so) return Lead::kTitle;
  if (!entry.has(kLabel)) return Lead::kNone;
  return word == "name" ? Lead::kName : Lead::kPerson;
}

// The first word of a name in small letters; cut where no dictionary has such words.
struct FirstWord {
  explicit FirstWord(std::string_view name) {
    const auto word = name.substr(0, std::min({name.find(' '), name.size(), letters.size()}));
    size = word.size();
    std::transform(word.begin(), word.end(), letters.begin(), to_lower);
  }
  std::string_view lower() const { return {letters.data(), size}; }
  // "J.", "J.L.", "D"
  bool is_initial() const { return size == 1 || (size > 1 && letters[1] == '.'); }
  bool is_language() const {
    return std::find(std::begin(kLanguages), std::end(kLanguages), lower()) != std::end(kLanguages);
  }

  std::array<char, 24> letters{};
  std::size_t size = 0;
};

// "verifyUseList(Register Reg)": the type and the name of a parameter.
bool is_parameter(std::string_view text, const Span& span) {
  return span.begin >= 2 && text[span.begin - 1] == '(' && is_word(text[span.begin - 2]);
}

// "init.body", "Author::fullname", "$name", "libstdc++", "Sys$Library": part of an expression.
bool is_member(std::string_view text, const Span& span) {
  const char before = before_or_nul(text, span.begin), after = at_or_nul(text, span.end);
  const char next = at_or_nul(text, span.end + 1);
  if (before == '$' || after == '$' || (before == ':' && before_or_nul(text, span.begin - 1) == ':')) return true;
  if (before == '.' && is_word(before_or_nul(text, span.begin - 1))) return true;
  return (after == ':' && next == ':') || (after == '+' && next == '+') || (after == '.' && is_alnum(next));
}

bool is_whole_name(std::string_view text, const Span& span, TextKind kind) {
  if (kind == TextKind::kLog) return true;
  const auto lead = lead_of(text, span.begin);
  if (lead == Lead::kTitle) return true;
  const auto name = part_of(text, span);
  if (is_member(text, span) || any_word(name, is_identifier)) return false;
  const FirstWord first(name);
  if (first.is_language()) return false;
  const bool is_lone = name.find(' ') == std::string_view::npos;
  if (lead == Lead::kPerson && (!is_lone || is_upper(name[0]) || is_high(name[0]))) return true;
  if (is_lone) return false;
  const auto entry = look_up(first.lower());
  if (lead == Lead::kName || is_literal(text, span)) return true;
  if (entry.has(kFirstName) && !entry.has(kOrdinaryWord)) return true;
  if (is_parameter(text, span) || any_word(name, is_like_identifier)) return false;
  return entry.has(kFirstName) || first.is_initial() || holds_any(line_around(text, span), kAuthorWords);
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

// "+49 …", "(617) …", ten digits a numbering plan has, what the detector or the line is told to be one, and ten digits
// in quotes; not "0000..0777", "CVE-2026-9358".
bool is_somebodys_phone(std::string_view text, const Span& span, TextKind kind) {
  constexpr auto kLeastDigits = 10;
  constexpr double kPlanned = 0.6, kTold = 0.75;
  if (kind == TextKind::kLog || span.score >= kTold) return true;
  const auto number = part_of(text, span);
  if (number[0] == '+' || number[0] == '(' || before_or_nul(text, span.begin) == '+') return true;
  const bool is_long = std::count_if(number.begin(), number.end(), is_digit) >= kLeastDigits;
  if (is_long && (span.score >= kPlanned || is_literal(text, span))) return true;
  return holds_any(line_around(text, span), kPhoneWords);
}

// "3 character literals", "2015 Seagate Technology PLC" are found as the weakest of addresses.
bool is_likely_address(std::string_view text, const Span& span, TextKind kind) {
  constexpr double kLikely = 0.55;
  return kind == TextKind::kLog || span.score >= kLikely || is_literal(text, span);
}

// "\u30A8" of a program is a letter.
bool is_no_escape(std::string_view text, const Span& span, TextKind) {
  return before_or_nul(text, span.begin) != '\\';
}

// "the serial of an X509 certificate"
bool is_long_serial(std::string_view, const Span& span, TextKind kind) {
  constexpr std::size_t kLeast = 6;
  return kind == TextKind::kLog || span.end - span.begin >= kLeast;
}

// "changed in version 1.3.17": also where a program's documentation tells of it.
bool is_like_version(std::string_view text, const Span& span) {
  constexpr std::size_t kLongest = 8;
  constexpr std::string_view kWords[] = {"version", "release", "since ", "prior to", "changed in", "added in"};
  const auto date = part_of(text, span);
  const bool is_dotted = date.size() <= kLongest && std::count(date.begin(), date.end(), '.') == 2 &&
                         std::all_of(date.begin(), date.end(), [](char c) { return is_digit(c) || c == '.'; });
  return is_dotted && date[0] != '0' && date.find(".0") == std::string_view::npos &&
         holds_any(line_around(text, span), kWords);
}

// Held down in the prose of programs as well.
bool is_hardly_one(std::string_view id, std::string_view text, const Span& span) {
  if (id == "date") return is_like_version(text, span) && !is_somebodys_date(text, span, TextKind::kSource);
  return id == "street_address" && !is_likely_address(text, span, TextKind::kSource);
}

struct WeakType {
  std::string_view detector;
  bool (*is_strong)(std::string_view text, const Span& span, TextKind kind);
};
constexpr WeakType kWeakTypes[] = {{"date", is_somebodys_date},       {"url", names_a_user},
                                   {"person_name", is_whole_name},    {"ipv4", is_no_section},
                                   {"phone", is_somebodys_phone},     {"street_address", is_likely_address},
                                   {"device_serial", is_long_serial}, {"health_plan_id", is_no_escape}};

}  // namespace

void weigh_by_kind(std::string_view text, std::size_t from, std::vector<TypedSpan>& spans) {
  if (text.size() < kLeastSourceBytes) return;
  std::optional<SourceText> source;  // of the first weak finding: most texts have none
  for (std::size_t i = from; i < spans.size(); ++i) {
    auto& [span, detector] = spans[i];
    if (span.score < kCounts) continue;
    const auto* type = std::find_if(std::begin(kWeakTypes), std::end(kWeakTypes),
                                    [id = detector->id()](const WeakType& one) { return one.detector == id; });
    if (type == std::end(kWeakTypes)) continue;
    if (!source) source.emplace(text);
    const TextKind kind = source->kind_at(span.begin);
    const bool is_weak = kind != TextKind::kPlain
                             ? !type->is_strong(text, span, kind)
                             : source->document() == TextKind::kSource && is_hardly_one(detector->id(), text, span);
    if (is_weak) span.score = kInSource;
  }
}

}  // namespace mlops::detect
