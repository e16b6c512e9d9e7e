#include "policies/mask/vault_text.h"

#include <algorithm>

#include "core/base/json.h"
#include "core/crypto/aead.h"
#include "core/crypto/seal.h"

namespace mlops::mask {
namespace {

constexpr std::string_view kHead = "mlops-vault 1\n";
constexpr JsonLimits kLimits{.size_bytes = std::size_t{1} << 31, .depth = 4, .nodes = 200'000'000};

Failure damaged() {
  return fail(ErrorCode::kCorrupt, "vault_damaged", "the vault is damaged", "restore it from a copy");
}

Status read_entry(const Json& json, MemoryVault& vault) {
  VaultEntry entry;
  MLOPS_ASSIGN(const auto context, require_string(json, "context"));
  MLOPS_ASSIGN(entry.token, require_string(json, "token"));
  MLOPS_ASSIGN(entry.key_id, require_string(json, "key"));
  MLOPS_ASSIGN(const auto print_hex, require_string(json, "fingerprint"));
  MLOPS_ASSIGN(const auto sealed_hex, require_string(json, "sealed"));
  const auto print = from_hex(print_hex);
  const auto sealed = from_hex(sealed_hex);
  if (!print || print->size() != entry.fingerprint.size() || !sealed) return damaged();
  std::copy(print->begin(), print->end(), entry.fingerprint.begin());
  entry.sealed = *sealed;
  MLOPS_TRY(vault.add(context, {&entry, 1}));
  return {};
}

}  // namespace

Result<std::string> vault_to_text(const MemoryVault& vault, ByteView key) {
  Json list = Json::array();
  vault.for_each([&](const std::string& context, const VaultEntry& entry) {
    list.push_back({{"context", context},
                    {"fingerprint", to_hex(entry.fingerprint)},
                    {"token", entry.token},
                    {"key", entry.key_id},
                    {"sealed", to_hex(entry.sealed)}});
  });
  // A context is named by its dataset and column; what is no UTF-8 in a column's name must not stop the vault.
  const auto text = list.dump(-1, ' ', true, Json::error_handler_t::replace);
  MLOPS_ASSIGN(const auto sealed, crypto::gcm_seal(key, as_bytes(text), as_bytes(kHead)));
  std::string out(kHead);
  return out.append(sealed.begin(), sealed.end());
}

Status read_vault_text(std::string_view text, ByteView key, MemoryVault& vault) {
  if (!text.starts_with(kHead)) return damaged();
  const auto plain = crypto::gcm_open(key, as_bytes(text.substr(kHead.size())), as_bytes(kHead));
  if (!plain) {
    return fail(ErrorCode::kDenied, "wrong_vault_key", "the vault does not open with this key",
                "it belongs to another key ring or key file, or it is damaged");
  }
  const auto list = parse_json({reinterpret_cast<const char*>(plain->data()), plain->size()}, kLimits);
  if (!list || !list->is_array()) return damaged();
  for (const auto& entry : *list) MLOPS_TRY(read_entry(entry, vault));
  return {};
}

}  // namespace mlops::mask
