// fpe: {key: NAME, alphabet?: digits | lower | upper | letters | alnum | hex, length?: N}. FF1 (NIST SP 800-38G) over
// the cell's characters of the alphabet; separators (blanks and ASCII punctuation) stay where they are.
//
// A letter or digit outside the alphabet cannot be hidden by it, so such a cell becomes [REDACTED], as does one whose
// domain has fewer than 10^6 members and the one in a million that would come out as it went in; these are counted. A
// policy that declares a `length` with too small a domain is not loaded. The tweak is the place (dataset NUL column).
// A second run encrypts again: nothing in the cell can say that it is masked.
#include <algorithm>

#include "core/crypto/ff1.h"
#include "policies/mask/makers.h"
#include "policies/mask/sealed_text.h"

namespace mlops::mask {
namespace {

struct AlphabetRow {
  std::string_view word;
  std::string_view characters;
};
constexpr AlphabetRow kAlphabets[] = {
    {"digits", "0123456789"},
    {"lower", "abcdefghijklmnopqrstuvwxyz"},
    {"upper", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
    {"letters", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"},
    {"alnum", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"},
    {"hex", "0123456789abcdef"},
};

bool is_separator(char c) {
  const auto byte = static_cast<unsigned char>(c);
  const bool is_word = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
  return byte < 0x80 && !is_word;
}

enum class Way { kEncrypt, kDecrypt };

class Fpe : public Transform {
 public:
  Fpe(std::string key, std::string_view alphabet) : key_(std::move(key)), alphabet_(alphabet) {}
  std::string_view id() const override { return "fpe"; }
  std::string_view key_name() const override { return key_; }
  bool is_pseudonym() const override { return true; }
  bool is_reversible() const override { return true; }
  bool looks_real() const override { return true; }
  std::string_view forbidden_under_safe_harbor() const override {
    return "fpe: a code derived from the identifier (164.514(c))";
  }

  Result<std::string> apply(std::string_view cell, const CellContext& at) const override {
    if (cell.find_first_not_of(" \t\r\n") == std::string_view::npos) return std::string(cell);
    if (at.key.empty()) return std::string(kRedacted);
    auto out = run(cell, at, Way::kEncrypt);
    if (out && *out != cell) return out;
    if (!out && out.error().code != ErrorCode::kInvalid) return out;
    if (at.counts) ++at.counts->placeholders;
    return std::string(kRedacted);
  }

  Result<std::string> reveal(std::string_view masked, const CellContext& at) const override {
    if (masked.find_first_not_of(" \t\r\n") == std::string_view::npos) return std::string(masked);
    auto out = at.key.empty() ? Result<std::string>(fail(ErrorCode::kInvalid, "key_needed", ""))
                              : run(masked, at, Way::kDecrypt);
    if (out && at.counts) at.counts->opened_under = at.key.id;
    if (out) return out;
    return fail(ErrorCode::kRefused, "cannot_reveal", "the cell is not one that fpe writes with this alphabet");
  }

 private:
  Result<std::string> run(std::string_view cell, const CellContext& at, Way way) const {
    std::vector<std::uint8_t> numerals;
    for (const char c : cell) {
      const auto index = alphabet_.find(c);
      if (index != std::string_view::npos) {
        numerals.push_back(static_cast<std::uint8_t>(index));
      } else if (!is_separator(c)) {
        return fail(ErrorCode::kInvalid, "foreign_character", "a character is not of the alphabet");
      }
    }
    MLOPS_ASSIGN(const auto ff1, crypto::Ff1::make(at.key.fpe.view(), static_cast<unsigned>(alphabet_.size())));
    const std::string place = column_place(at.dataset, at.column);
    MLOPS_ASSIGN(numerals, way == Way::kEncrypt ? ff1.encrypt(numerals, as_bytes(place))
                                                : ff1.decrypt(numerals, as_bytes(place)));
    std::string out(cell);
    auto next = numerals.begin();
    for (char& c : out) {
      if (alphabet_.find(c) != std::string_view::npos) c = alphabet_[*next++];
    }
    return out;
  }

  std::string key_;
  std::string_view alphabet_;
};

}  // namespace

Made make_fpe(const YamlNode& value, const TransformContext& context) {
  MLOPS_TRY(check_options(value, context, "fpe", {"key", "alphabet", "length"}));
  MLOPS_ASSIGN(auto key, key_option(value, context, "fpe"));
  std::vector<std::string_view> words;
  for (const auto& row : kAlphabets) words.push_back(row.word);
  MLOPS_ASSIGN(const auto index, word_option(value, context, "fpe", "alphabet", words));
  const auto alphabet = kAlphabets[index].characters;
  MLOPS_ASSIGN(const auto length,
               int_option(value, context, "length", 0, {1, static_cast<std::int64_t>(crypto::kMostFf1Numerals)}));
  if (length > 0 &&
      !crypto::ff1_domain_is_large(static_cast<unsigned>(alphabet.size()), static_cast<std::size_t>(length))) {
    return fail(yaml_error(
        context.origin, value.find("length")->mark, "bad_option",
        fmt::format("{} characters of {} have fewer than 10^6 values, which can all be tried", length, alphabet.size()),
        "tokenize or redact the column"));
  }
  return std::unique_ptr<Transform>(std::make_unique<Fpe>(std::move(key), alphabet));
}

}  // namespace mlops::mask
