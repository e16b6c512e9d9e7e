// encrypt: {key: NAME}, AES-256-GCM with a random nonce, bound to dataset, column and record: a ciphertext moved to
// another cell does not open. encrypt_deterministic: {key: NAME}, AES-SIV bound to dataset and column: equal values of
// a column give equal ciphertexts, so how often each occurs shows.
//
// The cell is "enc-k1-…" or "det-k1-…" (sealed_text.h). A cell that opens in its place is one that an earlier run
// wrote, and stays; so does one of a former version of the key. An empty cell stays empty.
#include "core/crypto/aead.h"
#include "policies/mask/makers.h"
#include "policies/mask/sealed_text.h"

namespace mlops::mask {
namespace {

Failure cannot_reveal() {
  return fail(ErrorCode::kRefused, "cannot_reveal", "the cell does not open with this key in this place",
              "the dataset, column and record must be those it was masked in, and the key's version must be left");
}

class Encrypting : public Transform {
 public:
  Encrypting(std::string key, std::string_view word) : key_(std::move(key)), word_(word) {}
  std::string_view key_name() const override { return key_; }
  bool is_pseudonym() const override { return true; }
  bool is_reversible() const override { return true; }
  bool names_key_version() const override { return true; }

  Result<std::string> apply(std::string_view cell, const CellContext& at) const override {
    if (cell.empty()) return std::string();
    if (at.key.empty()) return std::string(kRedacted);
    if (reveal(cell, at)) return std::string(cell);
    auto padded = pad(cell);
    auto sealed = seal(padded, at);
    crypto::wipe(padded);
    if (!sealed) return fail(std::move(sealed.error()));
    return sealed_text(word_, at.key, *sealed);
  }

  Result<std::string> reveal(std::string_view masked, const CellContext& at) const override {
    if (masked.empty()) return std::string();
    const auto read = read_sealed_text(word_, masked);
    if (!read) return cannot_reveal();
    const auto* key = key_of_version(at.key, read->version);
    if (!key) return cannot_reveal();
    const auto padded = open(*key, read->sealed, at);
    auto text = padded ? unpad(*padded) : std::nullopt;
    if (!text) return cannot_reveal();
    if (at.counts) at.counts->opened_under = key->id;
    return std::move(*text);
  }

 protected:
  virtual Result<std::vector<std::uint8_t>> seal(ByteView text, const CellContext& at) const = 0;
  virtual Result<std::vector<std::uint8_t>> open(const WorkingKey& key, ByteView sealed,
                                                 const CellContext& at) const = 0;

 private:
  std::string key_;
  std::string_view word_;
};

class Encrypt : public Encrypting {
 public:
  explicit Encrypt(std::string key) : Encrypting(std::move(key), "enc") {}
  std::string_view id() const override { return "encrypt"; }
  std::string_view forbidden_under_safe_harbor() const override {
    return "encrypt: the identifier is still there for who holds the key";
  }

 protected:
  Result<std::vector<std::uint8_t>> seal(ByteView text, const CellContext& at) const override {
    return crypto::gcm_seal(at.key.seal.view(), text, as_bytes(cell_place(at.dataset, at.column, at.record)));
  }
  Result<std::vector<std::uint8_t>> open(const WorkingKey& key, ByteView sealed, const CellContext& at) const override {
    return crypto::gcm_open(key.seal.view(), sealed, as_bytes(cell_place(at.dataset, at.column, at.record)));
  }
};

class EncryptDeterministic : public Encrypting {
 public:
  explicit EncryptDeterministic(std::string key) : Encrypting(std::move(key), "det") {}
  std::string_view id() const override { return "encrypt_deterministic"; }
  std::string_view forbidden_under_safe_harbor() const override {
    return "encrypt_deterministic: a code derived from the identifier (164.514(c))";
  }

 protected:
  Result<std::vector<std::uint8_t>> seal(ByteView text, const CellContext& at) const override {
    const std::string place = column_place(at.dataset, at.column);
    const ByteView associated[] = {as_bytes(place)};
    return crypto::siv_seal(at.key.siv.view(), text, associated);
  }
  Result<std::vector<std::uint8_t>> open(const WorkingKey& key, ByteView sealed, const CellContext& at) const override {
    const std::string place = column_place(at.dataset, at.column);
    const ByteView associated[] = {as_bytes(place)};
    return crypto::siv_open(key.siv.view(), sealed, associated);
  }
};

}  // namespace

Made make_encrypt(const YamlNode& value, const TransformContext& context) {
  MLOPS_TRY(check_options(value, context, "encrypt", {"key"}));
  MLOPS_ASSIGN(auto key, key_option(value, context, "encrypt"));
  return std::unique_ptr<Transform>(std::make_unique<Encrypt>(std::move(key)));
}

Made make_encrypt_deterministic(const YamlNode& value, const TransformContext& context) {
  MLOPS_TRY(check_options(value, context, "encrypt_deterministic", {"key"}));
  MLOPS_ASSIGN(auto key, key_option(value, context, "encrypt_deterministic"));
  return std::unique_ptr<Transform>(std::make_unique<EncryptDeterministic>(std::move(key)));
}

}  // namespace mlops::mask
