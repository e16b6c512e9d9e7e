#include "policies/detect/source_lines.h"

#include <algorithm>

#include "policies/detect/clues.h"
#include "policies/detect/scan.h"

namespace mlops::detect {
namespace {

constexpr std::size_t kLookBytes = 240;
constexpr std::size_t kLevelBytes = 80;
constexpr std::size_t kProseWords = 5;

// What else uses a program word, which is written small: nothing, hardly anything, English prose.
enum class WordUse { kAlways, kProgram, kEnglish };
struct ProgramWord {
  std::string_view word;
  WordUse use;
};
// Each is one bit of Line::words.
constexpr ProgramWord kProgramWords[] = {
    {"#include", WordUse::kAlways},  {"#define", WordUse::kAlways},    {"#if", WordUse::kAlways},
    {"#ifdef", WordUse::kAlways},    {"#ifndef", WordUse::kAlways},    {"#endif", WordUse::kAlways},
    {"#else", WordUse::kAlways},     {"#undef", WordUse::kAlways},     {"#pragma", WordUse::kAlways},
    {"elif", WordUse::kProgram},     {"def", WordUse::kProgram},       {"struct", WordUse::kProgram},
    {"enum", WordUse::kProgram},     {"typedef", WordUse::kProgram},   {"namespace", WordUse::kProgram},
    {"extern", WordUse::kProgram},   {"constexpr", WordUse::kProgram}, {"const", WordUse::kProgram},
    {"void", WordUse::kProgram},     {"int", WordUse::kProgram},       {"unsigned", WordUse::kProgram},
    {"bool", WordUse::kProgram},     {"char", WordUse::kProgram},      {"auto", WordUse::kProgram},
    {"let", WordUse::kProgram},      {"var", WordUse::kProgram},       {"fn", WordUse::kProgram},
    {"func", WordUse::kProgram},     {"async", WordUse::kProgram},     {"await", WordUse::kProgram},
    {"unless", WordUse::kProgram},   {"return", WordUse::kEnglish},    {"if", WordUse::kEnglish},
    {"else", WordUse::kEnglish},     {"for", WordUse::kEnglish},       {"while", WordUse::kEnglish},
    {"switch", WordUse::kEnglish},   {"case", WordUse::kEnglish},      {"break", WordUse::kEnglish},
    {"continue", WordUse::kEnglish}, {"import", WordUse::kEnglish},    {"from", WordUse::kEnglish},
    {"class", WordUse::kEnglish},    {"union", WordUse::kEnglish},     {"template", WordUse::kEnglish},
    {"using", WordUse::kEnglish},    {"static", WordUse::kEnglish},    {"public", WordUse::kEnglish},
    {"private", WordUse::kEnglish},  {"protected", WordUse::kEnglish}, {"package", WordUse::kEnglish},
    {"try", WordUse::kEnglish},      {"except", WordUse::kEnglish},    {"raise", WordUse::kEnglish},
    {"with", WordUse::kEnglish},     {"assert", WordUse::kEnglish},    {"function", WordUse::kEnglish},
    {"export", WordUse::kEnglish},   {"my", WordUse::kEnglish},        {"sub", WordUse::kEnglish},
    {"use", WordUse::kEnglish},      {"throw", WordUse::kEnglish},     {"catch", WordUse::kEnglish},
    {"yield", WordUse::kEnglish}};
static_assert(std::size(kProgramWords) <= 64);
constexpr WordGate kGate = [] {
  WordGate gate;
  for (const ProgramWord& row : kProgramWords) gate.add(row.word);
  return gate;
}();

struct Block {
  std::string_view begin;
  std::string_view end;
};
constexpr Block kBlocks[] = {{"/*", "*/"}, {"\"\"\"", "\"\"\""}, {"'''", "'''"}, {"=head", "=cut"}, {"=pod", "=cut"}};
constexpr std::string_view kCommentMarks[] = {"//", "/*", "*/", "* ", "# ", "-- ", "#!", "##", "**"};
constexpr std::string_view kDataHeads[] = {"insert into ", "copy ", "values", "update ", "select ", "replace into "};
constexpr std::string_view kLevels[] = {"info", "warn", "warning", "error", "debug", "trace", "fatal"};

// The program word a line begins with, "} else {" too; nullptr: none.
const ProgramWord* program_word(std::string_view line) {
  const std::size_t from = line[0] == '}' ? std::min(line.find_first_not_of("} "), line.size() - 1) : 0;
  if (!is_lower(line[from]) && line[from] != '#') return nullptr;
  std::size_t end = from + 1;
  while (end < line.size() && is_lower(line[end])) ++end;
  if (is_word(at_or_nul(line, end)) || at_or_nul(line, end) == '-') return nullptr;
  const std::string_view word = line.substr(from, end - from);
  if (!kGate.may_be(word)) return nullptr;
  const auto* row = std::find_if(std::begin(kProgramWords), std::end(kProgramWords),
                                 [&](const ProgramWord& one) { return one.word == word; });
  return row == std::end(kProgramWords) ? nullptr : row;
}

// A call, a member, an operator of programs: f(x), a->b, a::b, a.b(c), $x, a == b, a += b, a = b; identifiers in
// snake_case and camelCase.
bool has_symbol(std::string_view line) {
  for (std::size_t i = 0; i + 1 < line.size(); ++i) {
    const char c = line[i], next = line[i + 1];
    if (is_word(c)) {
      if (next == '(' || next == '[') return true;
      if (c == '_' && is_word(next) && is_word(before_or_nul(line, i))) return true;
      if (is_lower(c) && is_upper(next)) return true;
      continue;
    }
    if (next == '=' && std::string_view("=!+-*/|&<>:").find(c) != std::string_view::npos) return true;
    if (c == next && (c == ':' || c == '&' || c == '|')) return true;
    if ((c == '-' || c == '=') && next == '>') return true;
    if (c == '=' && next == ' ' && before_or_nul(line, i) == ' ') return true;
    if (c == '$' && is_alpha(next)) return true;
  }
  return false;
}

bool ends_like_statement(char last) {
  return std::string_view(";{}(),:\\[").find(last) != std::string_view::npos;
}

// A line that begins with a word of English prose too: "break;", "try:", "if (a) {", "import os", "from a import b".
bool is_program_line(std::string_view line) {
  const char last = line.back();
  const auto blanks = std::count(line.begin(), line.end(), ' ');
  if (last == '{' || line.ends_with("):")) return true;
  if ((last == ';' && blanks <= 1) || (last == ':' && blanks == 0)) return true;
  if (line.starts_with("import ") && blanks == 1) return is_word(last);
  if (line.starts_with("from ") && line.find(" import ") != std::string_view::npos) return true;
  return last != ',' && ends_like_statement(last) && has_symbol(line);
}

// A statement, and the bit of the word it begins with.
bool is_statement(std::string_view line, std::uint64_t& words) {
  if (const ProgramWord* row = program_word(line)) {
    const bool fits =
        row->use == WordUse::kAlways ||
        (row->use == WordUse::kProgram ? ends_like_statement(line.back()) || has_symbol(line) : is_program_line(line));
    if (fits) words = std::uint64_t{1} << (row - std::begin(kProgramWords));
    if (fits) return true;
  }
  return line.size() > 3 && ends_like_statement(line.back()) && has_symbol(line);
}

// "ERROR", "[error]", "level=error"; not "error", which people write too.
bool is_level(std::string_view line, std::size_t begin, std::size_t end) {
  const char before = before_or_nul(line, begin);
  if (is_word(before) || is_word(at_or_nul(line, end))) return false;
  const bool set_apart = before == '[' || before == '=' || before == '<';
  const auto word = line.substr(begin, end - begin);
  return (set_apart || (is_upper(word[0]) && is_upper(word.back()))) &&
         std::any_of(std::begin(kLevels), std::end(kLevels),
                     [&](std::string_view level) { return equals_ignoring_case(word, level); });
}

bool has_level(std::string_view line) {
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t begin = at;
    while (at < line.size() && is_alpha(line[at])) ++at;
    if (at > begin && is_level(line, begin, at)) return true;
    at += at == begin ? 1 : 0;
  }
  return false;
}

// "10:11:12", "+3.210s", "[  12.345678]" among the first bytes.
bool begins_with_time(std::string_view line) {
  constexpr std::size_t kMostBefore = 28;
  if (line[0] == '+' || line[0] == '[') return is_digit(at_or_nul(line, line.find_first_not_of("+[ ")));
  for (std::size_t i = 1; i + 3 < std::min(line.size(), kMostBefore); ++i) {
    if (line[i] == ':' && is_digit(line[i - 1]) && is_digit(line[i + 1]) && is_digit(line[i + 2])) return true;
  }
  return false;
}

// "10:11:12.125 WARN …", "… [05/Mar/2024:10:11:12 +0000] \"GET / HTTP/1.1\" 200".
bool is_log(std::string_view line) {
  if (begins_with_time(line) && has_level(line.substr(0, kLevelBytes))) return true;
  const std::size_t request = line.find("] \"");
  return request != std::string_view::npos && line.find("HTTP/", request) != std::string_view::npos;
}

bool is_data(std::string_view line) {
  if (line[0] == '<') return is_alpha(at_or_nul(line, 1)) || at_or_nul(line, 1) == '/' || at_or_nul(line, 1) == '?';
  if (line[0] == '"') {
    const std::size_t end = line.find('"', 1);
    return at_or_nul(line, end == std::string_view::npos ? end : end + 1) == ':';
  }
  return std::any_of(std::begin(kDataHeads), std::end(kDataHeads),
                     [&](std::string_view head) { return has_at(line, 0, head); });
}

// kProseWords words in a row with nothing but blanks, commas and apostrophes around.
bool is_prose(std::string_view line) {
  std::size_t words = 0;
  bool plain = true;  // the word being read
  std::size_t letters = 0;
  for (std::size_t i = 0; i <= line.size(); ++i) {
    const char c = at_or_nul(line, i);
    if (is_alpha(c) || is_high(c) || c == '\'' || c == '-') {
      ++letters;
    } else if (c == ' ' || c == ',' || c == '.' || c == '\0' || c == ':' || c == ';') {
      if (letters > 0 && plain && ++words == kProseWords) return true;
      if (!plain) words = 0;
      plain = true;
      letters = 0;
    } else {
      plain = is_digit(c) && plain;
      if (!plain) words = 0;
    }
  }
  return false;
}

// "0x0452,  # CYRILLIC SMALL LETTER DJE": the rows of a table in a program are no prose.
bool begins_with_hex_number(std::string_view line) {
  constexpr std::size_t kWithin = 16;
  if (is_alpha(line[0])) return false;
  const auto at = line.substr(0, kWithin).find("0x");
  return at != std::string_view::npos && !is_word(before_or_nul(line, at)) && is_hex(at_or_nul(line, at + 2));
}

std::string_view trimmed_line(std::string_view line) {
  const Range range = trimmed(line);
  return line.substr(range.begin, range.end - range.begin);
}

bool is_comment(std::string_view line) {
  if (line.size() == 1) return line[0] == '#' || line[0] == '*';
  return line == "//" || std::any_of(std::begin(kCommentMarks), std::end(kCommentMarks),
                                     [&](std::string_view mark) { return line.starts_with(mark); });
}

LineKind kind_of(std::string_view line, std::uint64_t& words) {
  const std::string_view start = line.substr(0, kLookBytes);
  if (!is_alnum(line[0]) && is_comment(line)) return LineKind::kComment;
  if (is_data(start)) return LineKind::kData;
  if (is_log(start)) return LineKind::kLog;
  if (line.size() <= kLookBytes && is_statement(line, words)) return LineKind::kStatement;
  return is_prose(start) && !begins_with_hex_number(start) ? LineKind::kProse : LineKind::kOther;
}

}  // namespace

// Is this line inside a block comment, its first and last line included?
bool LineReader::inside_comment(std::string_view line) {
  if (!comment_end_.empty()) {
    if (line.find(comment_end_) != std::string_view::npos) comment_end_ = {};
    return true;
  }
  if (line.empty() || is_alnum(line[0])) return false;
  for (const Block& block : kBlocks) {
    if (!line.starts_with(block.begin)) continue;
    if (line.find(block.end, block.begin.size()) == std::string_view::npos) comment_end_ = block.end;
    return true;
  }
  return false;
}

Line LineReader::classify(std::size_t begin, std::string_view whole) {
  Line line{.begin = begin};
  const std::string_view text = trimmed_line(whole);
  const bool comment = inside_comment(text);
  if (!text.empty()) line.kind = comment ? LineKind::kComment : kind_of(text, line.words);
  return line;
}

std::optional<Line> LineReader::next() {
  if (at_ >= text_.size()) return std::nullopt;
  const std::size_t begin = at_;
  const std::size_t end = std::min(text_.find('\n', begin), text_.size());
  at_ = end + 1;
  return classify(begin, text_.substr(begin, end - begin));
}

}  // namespace mlops::detect
