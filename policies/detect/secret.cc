// secret: keys by the prefixes their issuers give them, private keys in PEM, JSON web tokens, and values assigned to a
// word such as "password" or "api_key" that are random enough.
//
// Entropy alone is no evidence: hashes and weights of models have it too.
#include <algorithm>
#include <array>
#include <cmath>

#include "policies/detect/family.h"
#include "policies/detect/long_runs.h"
#include "policies/detect/scan.h"
#include "policies/detect/special_ids.h"

namespace mlops::detect {
namespace {

constexpr HeaderRule kHeaders[] = {
    {"password", HeaderMatch::kAny, 0.95},      {"passwd", HeaderMatch::kAny, 0.95},
    {"pwd", HeaderMatch::kExact, 0.9},          {"secret", HeaderMatch::kExact, 0.8},
    {"api key", HeaderMatch::kAny, 0.95},       {"apikey", HeaderMatch::kAny, 0.95},
    {"secret key", HeaderMatch::kAny, 0.95},    {"access key", HeaderMatch::kAny, 0.95},
    {"access token", HeaderMatch::kAny, 0.95},  {"auth token", HeaderMatch::kAny, 0.95},
    {"private key", HeaderMatch::kAny, 0.95},   {"passphrase", HeaderMatch::kAny, 0.95},
    {"refresh token", HeaderMatch::kAny, 0.95}, {"token", HeaderMatch::kSole, 0.6},
    {"contrasena", HeaderMatch::kAny, 0.9},     {"passwort", HeaderMatch::kAny, 0.95},
    {"kennwort", HeaderMatch::kAny, 0.95},      {"wachtwoord", HeaderMatch::kAny, 0.95},
    {"mot de passe", HeaderMatch::kAny, 0.95},  {"senha", HeaderMatch::kAny, 0.9},
};

enum class Alphabet { kUpperDigits, kAlnum, kToken };  // kToken: letters, digits, - _ .

struct Prefix {
  std::string_view text;
  std::size_t least;  // characters behind it
  std::size_t most;
  Alphabet alphabet;
};
// As documented by the issuers for secret scanning.
constexpr Prefix kPrefixes[] = {
    {"AKIA", 16, 16, Alphabet::kUpperDigits},   {"ASIA", 16, 16, Alphabet::kUpperDigits},
    {"AIza", 35, 35, Alphabet::kToken},         {"ghp_", 36, 255, Alphabet::kAlnum},
    {"gho_", 36, 255, Alphabet::kAlnum},        {"ghu_", 36, 255, Alphabet::kAlnum},
    {"ghs_", 36, 255, Alphabet::kAlnum},        {"ghr_", 36, 255, Alphabet::kAlnum},
    {"github_pat_", 60, 255, Alphabet::kToken}, {"glpat-", 20, 64, Alphabet::kToken},
    {"sk_live_", 16, 255, Alphabet::kAlnum},    {"sk_test_", 16, 255, Alphabet::kAlnum},
    {"rk_live_", 16, 255, Alphabet::kAlnum},    {"pk_live_", 16, 255, Alphabet::kAlnum},
    {"sk-ant-", 32, 255, Alphabet::kToken},     {"sk-proj-", 32, 255, Alphabet::kToken},
    {"xoxb-", 20, 255, Alphabet::kToken},       {"xoxp-", 20, 255, Alphabet::kToken},
    {"xoxa-", 20, 255, Alphabet::kToken},       {"xoxs-", 20, 255, Alphabet::kToken},
    {"SG.", 60, 80, Alphabet::kToken},          {"npm_", 36, 36, Alphabet::kAlnum},
    {"hf_", 30, 40, Alphabet::kAlnum},          {"shpat_", 32, 32, Alphabet::kAlnum},
    {"dop_v1_", 64, 64, Alphabet::kAlnum},      {"ya29.", 40, 255, Alphabet::kToken},
    {"pypi-AgE", 50, 255, Alphabet::kToken},    {"whsec_", 24, 64, Alphabet::kToken},
};

// Before the sign of an assignment; "DB_PASSWORD" ends in one of them.
constexpr std::string_view kNames[] = {
    "password",      "passwd",       "passphrase",    "passwort",    "kennwort",      "contrasena", "contraseña",
    "wachtwoord",    "mot de passe", "senha",         "pwd",         "api_key",       "api-key",    "api key",
    "apikey",        "secret_key",   "secret-key",    "secret key",  "client_secret", "access_key", "access_token",
    "access-token",  "auth_token",   "refresh_token", "private_key", "secret",        "secretkey",  "accesstoken",
    "authorization", "bearer_token", "x-api-key",
};

bool belongs(char c, Alphabet alphabet) {
  if (is_digit(c) || is_upper(c)) return true;
  if (alphabet == Alphabet::kUpperDigits) return false;
  return is_lower(c) || (alphabet == Alphabet::kToken && (c == '-' || c == '_' || c == '.'));
}

// Shannon entropy of the characters, bits each.
double entropy(std::string_view text) {
  std::array<unsigned, 256> count{};
  for (const char c : text) ++count[static_cast<unsigned char>(c)];
  double bits = 0;
  for (const unsigned n : count) {
    if (n > 0) bits -= n * std::log2(static_cast<double>(n) / static_cast<double>(text.size()));
  }
  return bits / static_cast<double>(text.size());
}

bool is_token_byte(char c) {
  return belongs(c, Alphabet::kToken);
}

class Secret : public Family {
 public:
  Secret() : Family({"secret", kHeaders, Needs::kNothing, true}) {}

 protected:
  void search(std::string_view text, double column_score, std::vector<Span>& out) const override {
    if (column_score >= kAgrees && !is_masked_already(text)) {
      const Range whole = trimmed(text);
      if (whole.begin < whole.end) out.push_back({whole.begin, whole.end, 0.9});
      return;
    }
    if (text.size() < kShortestCell) return;
    pem(text, out);
    for_each_long_run(text, kShortestToken, is_token_byte,
                      [&](std::size_t begin, std::size_t end) { token(text, begin, end, out); });
    for (const char sign : {'=', ':'}) {
      for (std::size_t at = text.find(sign); at != std::string_view::npos; at = text.find(sign, at + 1))
        assigned(text, at, out);
    }
  }

 private:
  static constexpr std::size_t kLongestValue = 200;
  static constexpr std::size_t kShortestCell = 10;
  static constexpr std::size_t kShortestToken = 20;  // of kPrefixes, prefix included

  static void token(std::string_view text, std::size_t begin, std::size_t end, std::vector<Span>& out) {
    constexpr double kRandom = 2.8;  // bits a character: "xxxx0000" of documentation has fewer
    if (text.substr(begin, 3) == "eyJ") return web_token(text, begin, out);
    for (const auto& prefix : kPrefixes) {
      if (!text.substr(begin, end - begin).starts_with(prefix.text)) continue;
      const std::size_t from = begin + prefix.text.size();
      std::size_t to = from;
      while (to < end && belongs(text[to], prefix.alphabet)) ++to;
      while (to > from && text[to - 1] == '.') --to;  // of a sentence
      const std::string_view tail = text.substr(from, to - from);
      if (tail.size() < prefix.least || tail.size() > prefix.most || is_word(at_or_nul(text, to))) continue;
      if (std::none_of(tail.begin(), tail.end(), is_digit) || entropy(tail) < kRandom) continue;
      out.push_back({begin, to, 0.95});
      return;
    }
  }

  // Two objects in base64url and a signature.
  static void web_token(std::string_view text, std::size_t at, std::vector<Span>& out) {
    constexpr std::size_t kShortestWebToken = 40;
    std::size_t end = at;
    int dots = 0;
    while (end < text.size() && is_token_byte(text[end])) {
      if (text[end] == '.' && ++dots == 1 && text.substr(end + 1, 3) != "eyJ") return;
      ++end;
    }
    while (end > at && text[end - 1] == '.') --end, --dots;
    if (dots == 2 && end - at >= kShortestWebToken) out.push_back({at, end, 0.95});
  }

  // Of a key cut off: its lines of base64.
  static std::size_t body_end(std::string_view text, std::size_t at) {
    const auto belongs = [](char c) {
      return is_alnum(c) || c == '+' || c == '/' || c == '=' || c == '\n' || c == '\r';
    };
    while (at < text.size() && belongs(text[at])) ++at;
    return at;
  }
  static void pem(std::string_view text, std::vector<Span>& out) {
    constexpr std::string_view kBegin = "-----BEGIN ";
    constexpr std::size_t kLongestKey = 16384;
    for (std::size_t at = text.find(kBegin); at != std::string_view::npos; at = text.find(kBegin, at + 1)) {
      const std::size_t title_end = text.find("-----", at + kBegin.size());
      if (title_end == std::string_view::npos) return;
      if (title_end - at > 60 || text.substr(at, title_end - at).find("PRIVATE KEY") == std::string_view::npos)
        continue;
      const std::string_view body = text.substr(title_end + 5, kLongestKey);
      const std::size_t last = body.find("-----END ");
      const std::size_t close = last == std::string_view::npos ? last : body.find("-----", last + 9);
      const std::size_t end =
          close == std::string_view::npos ? body_end(text, title_end + 5) : title_end + 5 + close + 5;
      out.push_back({at, end, 0.97});
      at = end - 1;
    }
  }

  // password = "…", api_key: …, Authorization: Bearer …: `sign` is that between the name and the value.
  static void assigned(std::string_view text, std::size_t sign, std::vector<Span>& out) {
    if (at_or_nul(text, sign + 1) == text[sign]) return;  // == and ::
    std::size_t name_end = sign;
    while (name_end > 0 && sign - name_end < 3 &&
           (text[name_end - 1] == ' ' || text[name_end - 1] == '"' || text[name_end - 1] == '\''))
      --name_end;
    if (name_end == 0 || !is_alpha(text[name_end - 1]) || !is_named(text, name_end)) return;
    std::size_t value = sign + 1;
    while (at_or_nul(text, value) == '=' || at_or_nul(text, value) == ' ') ++value;
    if (has_at(text, value, "bearer ") || has_at(text, value, "basic ")) value = text.find(' ', value) + 1;
    const char quote = at_or_nul(text, value);
    const bool quoted = quote == '"' || quote == '\'';
    if (quoted) ++value;
    std::size_t end = value;
    while (end < text.size() && end - value <= kLongestValue && !ends_value(text[end])) ++end;
    const double score = rate(text.substr(value, end - value), quoted, at_or_nul(text, end));
    if (score > 0) out.push_back({value, end, score});
  }
  static bool ends_value(char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '\'' || c == ',' || c == ';';
  }
  static bool is_named(std::string_view text, std::size_t end) {
    return std::any_of(std::begin(kNames), std::end(kNames), [&](std::string_view name) {
      if (end < name.size() || !has_at(text, end - name.size(), name)) return false;
      return !is_alnum(before_or_nul(text, end - name.size()));
    });
  }

  static double rate(std::string_view value, bool quoted, char after) {
    constexpr std::size_t kShortestValue = 6;
    constexpr double kRandom = 3.2;
    if (value.size() < kShortestValue || value.find_first_of("()[]{}<>$\\*&") != std::string_view::npos) return 0;
    const bool digits = std::any_of(value.begin(), value.end(), is_digit);
    const bool letters = std::any_of(value.begin(), value.end(), is_alpha);
    const bool path = value.find('/') != std::string_view::npos && value.size() < 20;
    if (!digits || !letters || path || value.find("::") != std::string_view::npos || is_word_dot_word(value)) return 0;
    if (value.size() >= 16 && entropy(value) >= kRandom) return 0.9;
    if (!quoted && (after == ';' || after == ',')) return 0;  // another variable, in a program
    return quoted || value.size() >= 8 ? 0.7 : 0.55;
  }
  static bool is_word_dot_word(std::string_view value) {  // settings.key2: code
    return std::all_of(value.begin(), value.end(), [](char c) { return is_word(c) || c == '.'; }) &&
           value.find('.') != std::string_view::npos && value.size() < 40;
  }
};

}  // namespace

const Detector& secret() {
  static const Secret kDetector;
  return kDetector;
}

}  // namespace mlops::detect
