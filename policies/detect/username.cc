// username: handles (@x, not packages, addresses or annotations), names in home directories and shares, and what is
// assigned to "user" or "login".
#include <algorithm>

#include "policies/detect/family.h"
#include "policies/detect/scan.h"
#include "policies/detect/special_ids.h"

namespace mlops::detect {
namespace {

constexpr HeaderRule kHeaders[] = {
    {"username", HeaderMatch::kAny, 0.95},       {"user name", HeaderMatch::kAny, 0.95},
    {"usernames", HeaderMatch::kAny, 0.9},       {"login", HeaderMatch::kExact, 0.9},
    {"login name", HeaderMatch::kAny, 0.95},     {"login id", HeaderMatch::kAny, 0.95},
    {"loginid", HeaderMatch::kAny, 0.95},        {"user id", HeaderMatch::kExact, 0.7},
    {"userid", HeaderMatch::kExact, 0.7},        {"handle", HeaderMatch::kExact, 0.8},
    {"screen name", HeaderMatch::kAny, 0.95},    {"nickname", HeaderMatch::kAny, 0.9},
    {"twitter", HeaderMatch::kExact, 0.9},       {"instagram", HeaderMatch::kExact, 0.9},
    {"twitter handle", HeaderMatch::kAny, 0.95}, {"benutzername", HeaderMatch::kAny, 0.95},
    {"nombre usuario", HeaderMatch::kAny, 0.95}, {"utilisateur", HeaderMatch::kAny, 0.8},
    {"nome utente", HeaderMatch::kAny, 0.95},    {"gebruikersnaam", HeaderMatch::kAny, 0.95},
};
constexpr std::string_view kSocial[] = {"twitter", "instagram", "follow",   "tweet",  "tweeted",
                                        "dm",      "github",    "snapchat", "tiktok", "telegram",
                                        "discord", "mastodon",  "facebook", "reddit"};
constexpr std::string_view kFolders[] = {"/home/",    "/users/",      "\\users\\",     "\\users\\\\", "\\home\\",
                                         "\\home$\\", "\\profiles\\", "\\profiles$\\", "/homes/"};
// Accounts that are nobody.
constexpr std::string_view kNobody[] = {"root",     "user",    "users",   "username", "admin",     "administrator",
                                        "public",   "shared",  "default", "guest",    "ubuntu",    "debian",
                                        "runner",   "vagrant", "node",    "app",      "www",       "nginx",
                                        "jenkins",  "build",   "ec2",     "me",       "name",      "you",
                                        "your",     "all",     "test",    "docker",   "git",       "dev",
                                        "service",  "system",  "local",   "null",     "none",      "string",
                                        "str",      "text",    "true",    "false",    "undefined", "anonymous",
                                        "self",     "this",    "id",      "int",      "varchar",   "required",
                                        "optional", "xxx",     "u8",      "u16",      "u32",       "u64",
                                        "i32",      "i64",     "f32",     "f64",      "bool",      "char"};
constexpr std::string_view kAssigned[] = {"username", "user_name", "user",   "login",
                                          "uid",      "user id",   "userid", "login id"};

bool is_nobody(std::string_view name) {
  return std::any_of(std::begin(kNobody), std::end(kNobody),
                     [&](std::string_view known) { return equals_ignoring_case(name, known); });
}
bool is_name_byte(char c) {
  return is_alnum(c) || c == '_' || c == '.' || c == '-' || is_high(c);
}
std::size_t name_end(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && is_name_byte(text[end])) ++end;
  while (end > at && (text[end - 1] == '.' || text[end - 1] == '-')) --end;
  return end;
}

class Username : public Family {
 public:
  Username() : Family({"username", kHeaders, Needs::kNothing, true}) {}

 protected:
  void search(std::string_view text, double column_score, std::vector<Span>& out) const override {
    if (column_score >= kAgrees) {
      const Range whole = trimmed(text);
      if (whole.begin < whole.end && whole.end - whole.begin <= kLongest && !is_masked_already(text)) {
        out.push_back({whole.begin, whole.end, 0.9});
        return;
      }
    }
    if (text.size() < kShortestCell) return;
    each(text, '@', [&](std::size_t at) { handle(text, at, out); });
    for (const char c : {'/', '\\'}) each(text, c, [&](std::size_t at) { folder(text, at, out); });
    for (const char c : {'=', ':'}) each(text, c, [&](std::size_t at) { assigned(text, at, out); });
  }

 private:
  static constexpr std::size_t kLongest = 64;
  static constexpr std::size_t kShortestCell = 4;

  template <class Look>
  static void each(std::string_view text, char c, const Look& look) {
    for (std::size_t at = text.find(c); at != std::string_view::npos; at = text.find(c, at + 1)) look(at);
  }

  static void handle(std::string_view text, std::size_t at, std::vector<Span>& out) {
    constexpr std::size_t kShortestHandle = 3;
    constexpr std::size_t kLongestHandle = 30;
    const char before = before_or_nul(text, at);
    if (is_word(before) || before == '/' || before == '.' || before == '@' || before == '-' || before == '"') return;
    if (!is_alpha(at_or_nul(text, at + 1)) && at_or_nul(text, at + 1) != '_') return;
    std::size_t end = at + 1;
    while (end < text.size() && (is_alnum(text[end]) || text[end] == '_' || text[end] == '.')) ++end;
    while (text[end - 1] == '.') --end;
    const std::size_t size = end - at - 1;
    const char after = at_or_nul(text, end);
    if (size < kShortestHandle || size > kLongestHandle || after == '/' || after == '@' || after == '(') return;
    if (is_tag_of_comment(text, at)) return;
    out.push_back({at, end, keyword_near(text, at, end, kSocial) ? 0.85 : 0.45});
  }
  // "@param" of a comment, "@Override" of a program: it begins its line, indented or behind a sign of a comment.
  static bool is_tag_of_comment(std::string_view text, std::size_t at) {
    const std::size_t word = at;
    while (at > 0 && (text[at - 1] == '\t' || std::string_view(" */#!").find(text[at - 1]) != std::string_view::npos))
      --at;
    const bool begins_line = at == 0 || text[at - 1] == '\n';
    return begins_line && (at < word || is_upper(text[word + 1]));
  }

  static void folder(std::string_view text, std::size_t at, std::vector<Span>& out) {
    for (const std::string_view folder : kFolders) {
      if (text[at] != folder[0] || !has_at(text, at, folder)) continue;
      const std::size_t begin = at + folder.size();
      const std::size_t end = name_end(text, begin);
      if (end < begin + 2 || end - begin > kLongest || is_nobody(text.substr(begin, end - begin))) continue;
      if (!is_alpha(text[begin]) && !is_high(text[begin])) continue;
      // A part of a web address is a page's name.
      const bool drive = folder[0] == '\\' || before_or_nul(text, at) == ':';
      const bool path = at == 0 || !is_word(text[at - 1]) || drive;
      // macOS writes "/Users/"; "GET /users/list" is a route.
      const bool route = folder == "/users/" && at_or_nul(text, at + 1) != 'U';
      out.push_back({begin, end, path && !route ? 0.6 : 0.3});
      return;
    }
  }

  // `at` is the sign between the word and the value.
  static void assigned(std::string_view text, std::size_t at, std::vector<Span>& out) {
    std::size_t word_end = at;
    while (word_end > 0 && (text[word_end - 1] == ' ' || text[word_end - 1] == '"' || text[word_end - 1] == '\''))
      --word_end;
    const bool named = std::any_of(std::begin(kAssigned), std::end(kAssigned), [&](std::string_view word) {
      return word_end >= word.size() && has_at(text, word_end - word.size(), word) &&
             !is_word(before_or_nul(text, word_end - word.size())) &&
             before_or_nul(text, word_end - word.size()) != '.';
    });
    if (!named || at_or_nul(text, at + 1) == text[at]) return;
    std::size_t begin = at + 1;
    while (at_or_nul(text, begin) == ' ' || at_or_nul(text, begin) == '"' || at_or_nul(text, begin) == '\'') ++begin;
    const std::size_t end = name_end(text, begin);
    const std::string_view name = text.substr(begin, end - begin);
    const char after = at_or_nul(text, end);
    if (name.size() < 3 || name.size() > kLongest || !is_alpha(name[0]) || is_nobody(name) || after == '(' ||
        after == '[')
      return;
    const bool digit = std::any_of(name.begin(), name.end(), is_digit);
    const bool capital = std::any_of(name.begin(), name.end(), is_upper);
    if (!digit && after == ' ' && is_alpha(at_or_nul(text, end + 1))) return;  // "user: tina roelink" gives a name
    out.push_back({begin, end, digit && !capital && name.find('.') == std::string_view::npos ? 0.6 : 0.45});
  }
};

}  // namespace

const Detector& username() {
  static const Username kDetector;
  return kDetector;
}

}  // namespace mlops::detect
