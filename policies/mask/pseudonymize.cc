// pseudonymize: {key: NAME, prefix?: "P-"}. HMAC-SHA-256 of the trimmed cell under a key of the policy's table, 128
// bits of it in hex: equal values stay equal inside one column of one dataset, and nobody without the key can try
// values.
//
// Hex and not base32: 32 hex digits can be neither an IBAN nor a card number, so the residual scan stays quiet.
#include "core/base/text.h"
#include "policies/mask/makers.h"

namespace mlops::mask {
namespace {

constexpr std::size_t kPseudonymBytes = 16;

class Pseudonymize : public Transform {
 public:
  Pseudonymize(std::string key, std::string prefix) : key_(std::move(key)), prefix_(std::move(prefix)) {}
  std::string_view id() const override { return "pseudonymize"; }
  std::string_view key_name() const override { return key_; }
  bool is_pseudonym() const override { return true; }

  Result<std::string> apply(std::string_view cell, const CellContext& at) const override {
    cell = trim(cell);
    if (cell.empty()) return std::string();
    if (at.key.bytes.empty()) return std::string("[ID]");  // without a key this would be a hash that anyone can undo
    const crypto::Mac mac = crypto::hmac_sha256(at.key.bytes.view(), cell);
    return prefix_ + to_hex(ByteView(mac).first(kPseudonymBytes));
  }

 private:
  std::string key_;
  std::string prefix_;
};

}  // namespace

Made make_pseudonymize(const YamlNode& value, const TransformContext& context) {
  MLOPS_TRY(check_options(value, context, "pseudonymize", {"key", "prefix"}));
  MLOPS_ASSIGN(auto key, text_option(value, context, "key", {}));
  if (key.empty()) return missing_option(value, context, "pseudonymize", "key", "name a key of transforms.keys");
  MLOPS_ASSIGN(auto prefix, text_option(value, context, "prefix", {}));
  return std::unique_ptr<Transform>(std::make_unique<Pseudonymize>(std::move(key), std::move(prefix)));
}

}  // namespace mlops::mask
