// pseudonymize: {key: NAME, scope?: column | dataset | shared, prefix?: "P-", form?: tagged | plain}. HMAC-SHA-256 of
// the trimmed cell, 128 bits of it in hex: equal values stay equal within the scope, and nobody without the key can try
// values.
//
//   tagged  PREFIX and a token (pseudonym_token.h), which a second run leaves as it is, also after a rotation
//   plain   PREFIX and 32 hex digits of the MAC; a second run gives a pseudonym a pseudonym
//
// Hex and not base32: so many hex digits can be neither an IBAN nor a card number, so the residual scan stays quiet.
#include <algorithm>

#include "core/base/text.h"
#include "policies/mask/hex_text.h"
#include "policies/mask/makers.h"
#include "policies/mask/pseudonym_token.h"

namespace mlops::mask {
namespace {

constexpr std::string_view kWithoutKey = "[ID]";

// Neither blank nor with blanks around it.
bool is_tight(std::string_view cell) {
  return !cell.empty() && static_cast<unsigned char>(cell.front()) > ' ' &&
         static_cast<unsigned char>(cell.back()) > ' ';
}

enum class Form { kTagged, kPlain };

class Pseudonymize : public Transform {
 public:
  struct Options {
    std::string key;
    std::string prefix;
    KeyScope scope;
    Form form;
  };

  explicit Pseudonymize(Options options) : options_(std::move(options)) {}
  std::string_view id() const override { return "pseudonymize"; }
  std::string_view key_name() const override { return options_.key; }
  KeyScope key_scope() const override { return options_.scope; }
  bool is_pseudonym() const override { return true; }
  bool gains_by_batch() const override { return true; }

  Result<std::string> apply(std::string_view cell, const CellContext& at) const override {
    std::string out;
    MLOPS_TRY(apply_into(cell, at, out));
    return out;
  }

  Status apply_into(std::string_view cell, const CellContext& at, std::string& out) const override {
    out.clear();
    cell = trim(cell);
    if (cell.empty()) return {};
    if (at.key.empty()) {
      out = kWithoutKey;  // it would be a hash that anyone can undo
      return {};
    }
    MLOPS_ASSIGN(const bool done, is_own(cell, at.key));
    out = done ? cell : std::string_view(options_.prefix);
    if (done) return {};
    if (options_.form == Form::kTagged) return append_token(at.key, cell, out);
    append_hex(out, ByteView(at.key.pseudonym->one(cell)).first(kTokenBodyBytes));
    return {};
  }

  Status apply_batch(std::span<const std::string_view> cells, const BatchContext& at,
                     std::vector<std::string>& out) const override {
    Texts texts;
    MLOPS_TRY(append_batch(cells, at.key, texts));
    out.resize(cells.size());
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = texts[i];
    return {};
  }

  Status append_batch(std::span<const std::string_view> cells, const ColumnKey& key, Texts& out) const override {
    out.clear();
    if (key.empty()) return append_without_key(cells, out);
    std::vector<std::string_view> values(cells.size());  // empty: nothing is made of it
    std::vector<std::string_view> hashed;
    hashed.reserve(cells.size());
    std::size_t own_bytes = 0;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      values[i] = is_tight(cells[i]) ? cells[i] : trim(cells[i]);
      if (values[i].empty()) continue;
      bool done = false;
      if (may_be_own(values[i])) {
        MLOPS_ASSIGN(done, is_own(values[i], key));
      }
      if (done) own_bytes += values[i].size();
      if (!done) hashed.push_back(values[i]);
    }
    MLOPS_ASSIGN(const auto made, make(hashed, key));
    const std::size_t text_bytes = made.head.size() + 2 * (kTokenBodyBytes + made.check_bytes);
    char* to = out.make_room(own_bytes + hashed.size() * text_bytes + 2 * kHexStep);
    std::size_t next = 0;
    for (const auto value : values) {
      if (next < hashed.size() && value.data() == hashed[next].data() && !value.empty()) {
        to = std::copy(made.head.begin(), made.head.end(), to);
        to = write_hex_of(to, made.macs[next].data(), kTokenBodyBytes);
        if (made.check_bytes > 0) to = write_hex_of(to, &made.checks[next * kTokenBodyBytes], made.check_bytes);
        ++next;
      } else {
        to = std::copy(value.begin(), value.end(), to);
      }
      out.end_at(to);
    }
    return {};
  }

 private:
  static_assert(kTokenBodyBytes == kHexStep);  // whole steps are written; what is too much is written over
  struct Pseudonyms {
    std::string head;  // of all
    std::vector<crypto::Mac> macs;
    std::vector<std::uint8_t> checks;  // a block each
    std::size_t check_bytes = 0;
  };

  static Status append_without_key(std::span<const std::string_view> cells, Texts& out) {
    for (const auto cell : cells) {
      if (!trim(cell).empty()) out.bytes() += kWithoutKey;
      out.end();
    }
    return {};
  }

  Result<Pseudonyms> make(const std::vector<std::string_view>& values, const ColumnKey& key) const {
    Pseudonyms made{options_.prefix, std::vector<crypto::Mac>(values.size()), {}, 0};
    if (values.empty()) return made;
    key.pseudonym->many(values, made.macs);
    if (options_.form == Form::kPlain) return made;
    made.head += key.tag;
    made.check_bytes = kTokenCheckBytes;
    made.checks.resize(values.size() * kTokenBodyBytes);
    for (std::size_t i = 0; i < values.size(); ++i) {
      std::copy_n(made.macs[i].begin(), kTokenBodyBytes, &made.checks[i * kTokenBodyBytes]);
    }
    MLOPS_TRY(key.check->encrypt(made.checks));
    return made;
  }

  bool may_be_own(std::string_view cell) const {
    return options_.form == Form::kTagged && cell.starts_with(options_.prefix) &&
           may_be_token(cell.substr(options_.prefix.size()));
  }

  // Was this written by this rule, under any version of its key that is left?
  Result<bool> is_own(std::string_view cell, const ColumnKey& key) const {
    if (!may_be_own(cell)) return false;
    return is_own_token(key, cell.substr(options_.prefix.size()));
  }

  Options options_;
};

}  // namespace

Made make_pseudonymize(const YamlNode& value, const TransformContext& context) {
  MLOPS_TRY(check_options(value, context, "pseudonymize", {"key", "scope", "prefix", "form"}));
  MLOPS_ASSIGN(auto key, key_option(value, context, "pseudonymize"));
  MLOPS_ASSIGN(const auto scope, scope_option(value, context, "pseudonymize"));
  MLOPS_ASSIGN(auto prefix, text_option(value, context, "prefix", {}));
  MLOPS_ASSIGN(const auto form, word_option(value, context, "pseudonymize", "form", {"tagged", "plain"}));
  return std::unique_ptr<Transform>(std::make_unique<Pseudonymize>(
      Pseudonymize::Options{std::move(key), std::move(prefix), scope, form == 0 ? Form::kTagged : Form::kPlain}));
}

}  // namespace mlops::mask
