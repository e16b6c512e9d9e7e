#include "policies/mask/reseal.h"

#include "core/crypto/aead.h"
#include "policies/mask/sealed_text.h"

namespace mlops::mask {
namespace {

class OneKey : public KeySource {
 public:
  explicit OneKey(const NamedKey& key) : key_(key) {}
  Result<NamedKey> current(const std::string&) const override { return key_; }
  Result<NamedKey> by_id(const std::string&) const override { return key_; }

 private:
  const NamedKey& key_;
};

// "dataset NEWLINE column", "dataset NEWLINE", "NEWLINE". A column without a name looks like its dataset.
std::vector<KeyPlace> places_of(std::string_view context) {
  const auto end = context.find('\n');
  const auto dataset = context.substr(0, end);
  const auto column = end == std::string_view::npos ? std::string_view() : context.substr(end + 1);
  if (!column.empty()) return {{dataset, column, KeyScope::kColumn}};
  if (dataset.empty()) return {{{}, {}, KeyScope::kShared}, {{}, {}, KeyScope::kDataset}, {{}, {}, KeyScope::kColumn}};
  return {{dataset, {}, KeyScope::kDataset}, {dataset, {}, KeyScope::kColumn}};
}

}  // namespace

Result<const std::vector<Resealer::Pair>*> Resealer::pairs_of(std::string_view context) {
  if (!pairs_.empty() && context_ == context) return &pairs_;
  pairs_.clear();
  context_ = context;
  for (const auto& place : places_of(context_)) {
    MLOPS_ASSIGN(auto from, column_key_of(OneKey(from_), from_.id, place));
    MLOPS_ASSIGN(auto to, column_key_of(OneKey(to_), to_.id, place));
    pairs_.push_back({std::move(from), std::move(to)});
  }
  return &pairs_;
}

Result<VaultEntry> Resealer::reseal(std::string_view context, const VaultEntry& entry) {
  MLOPS_ASSIGN(const auto* pairs, pairs_of(context));
  const auto place = vault_place(context, entry.token);
  for (const auto& [from, to] : *pairs) {
    auto padded = crypto::gcm_open(from.seal.view(), entry.sealed, as_bytes(place));
    if (!padded) continue;
    auto text = unpad(*padded);
    if (!text) break;
    VaultEntry fresh{{}, entry.token, to.id, {}};
    const std::string_view values[] = {*text};
    to.fingerprint->many(values, {&fresh.fingerprint, 1});
    auto sealed = crypto::gcm_seal(to.seal.view(), *padded, as_bytes(place));
    crypto::wipe(*padded);
    crypto::wipe(*text);
    MLOPS_ASSIGN(fresh.sealed, std::move(sealed));
    return fresh;
  }
  return fail(ErrorCode::kCorrupt, "vault_damaged", "an entry of the token vault does not open under its key",
              "restore a backup");
}

}  // namespace mlops::mask
