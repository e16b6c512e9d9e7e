// tokenize: {vault: NAME, scope?: column | dataset | shared, prefix?: "tok-"}. A random token (128 bits, hex) for each
// value, kept in the run's vault; NAME is the key of transforms.keys under which the vault finds and seals values.
//
// A token that the vault knows stays as it is, so a second run changes nothing; a value that has a token under a former
// version of the key keeps it.
#include <algorithm>

#include "core/base/text.h"
#include "core/crypto/aead.h"
#include "policies/mask/makers.h"
#include "policies/mask/sealed_text.h"
#include "policies/mask/vault.h"

namespace mlops::mask {
namespace {

constexpr std::size_t kTokenBytes = 16;

class Tokenize : public Transform {
 public:
  Tokenize(std::string key, KeyScope scope, std::string prefix)
      : key_(std::move(key)), scope_(scope), prefix_(std::move(prefix)) {}
  std::string_view id() const override { return "tokenize"; }
  std::string_view key_name() const override { return key_; }
  KeyScope key_scope() const override { return scope_; }
  bool needs_vault() const override { return true; }
  bool is_pseudonym() const override { return true; }
  bool is_reversible() const override { return true; }
  bool names_key_version() const override { return true; }

  Result<std::string> apply(std::string_view cell, const CellContext& at) const override {
    const std::string_view cells[] = {cell};
    std::vector<std::string> out;
    MLOPS_TRY(apply_batch(cells, {at.key, at.dataset, at.column, at.record, {}, at.vault, at.counts}, out));
    return std::move(out.front());
  }

  Status apply_batch(std::span<const std::string_view> cells, const BatchContext& at,
                     std::vector<std::string>& out) const override {
    if (!at.vault || at.key.empty()) return vault_needed();
    out.assign(cells.size(), {});
    const std::string context = context_of(at.dataset, at.column);
    std::vector<Open> open;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const auto cell = trim(cells[i]);
      if (cell.empty()) continue;
      MLOPS_ASSIGN(const bool known, is_token(*at.vault, context, cell));
      if (known) {
        out[i] = cell;
      } else {
        open.push_back({i, cell});
      }
    }
    MLOPS_TRY(find_known(*at.vault, context, at.key, open, out));
    for (const auto& former : at.key.former) MLOPS_TRY(find_known(*at.vault, context, former, open, out));
    return add_new(*at.vault, context, at.key, open, out);
  }

  Result<std::string> reveal(std::string_view masked, const CellContext& at) const override {
    if (!at.vault || at.key.empty()) return fail(vault_needed().error());
    masked = trim(masked);
    if (masked.empty()) return std::string();
    const std::string context = context_of(at.dataset, at.column);
    MLOPS_ASSIGN(const auto entry, at.vault->entry_of(context, masked));
    if (entry) {
      const auto id = parse_key_id(entry->key_id);
      const auto* key = id ? key_of_version(at.key, id->version) : nullptr;
      const auto padded =
          key ? crypto::gcm_open(key->seal.view(), entry->sealed, as_bytes(vault_place(context, masked)))
              : Result<std::vector<std::uint8_t>>(fail(ErrorCode::kRefused, "cannot_open", ""));
      if (auto text = padded ? unpad(*padded) : std::nullopt) {
        if (at.counts) at.counts->opened_under = key->id;
        return std::move(*text);
      }
    }
    return fail(ErrorCode::kRefused, "cannot_reveal", "the vault has no value for this token that this key opens");
  }

 private:
  struct Open {
    std::size_t index;
    std::string_view value;
  };

  static Status vault_needed() {
    return fail(ErrorCode::kInvalid, "vault_needed", "tokenize needs a vault for its tokens",
                "offline: add --vault FILE beside --key-file or --keyring");
  }

  std::string context_of(std::string_view dataset, std::string_view column) const {
    switch (scope_) {
      case KeyScope::kColumn:
        return fmt::format("{}\n{}", dataset, column);
      case KeyScope::kDataset:
        return fmt::format("{}\n", dataset);
      case KeyScope::kShared:
        break;
    }
    return "\n";
  }

  Result<bool> is_token(TokenVault& vault, std::string_view context, std::string_view cell) const {
    if (cell.size() != prefix_.size() + 2 * kTokenBytes || !cell.starts_with(prefix_)) return false;
    if (cell.find_first_not_of("0123456789abcdef", prefix_.size()) != std::string_view::npos) return false;
    MLOPS_ASSIGN(const auto entry, vault.entry_of(context, cell));
    return entry.has_value();
  }

  static std::vector<Fingerprint> fingerprints(const WorkingKey& key, const std::vector<Open>& open) {
    std::vector<std::string_view> values;
    for (const auto& one : open) values.push_back(one.value);
    std::vector<Fingerprint> list(open.size());
    key.fingerprint->many(values, list);
    return list;
  }

  // Fills in the tokens that are there, and leaves the other values in `open`.
  static Status find_known(TokenVault& vault, std::string_view context, const WorkingKey& key, std::vector<Open>& open,
                           std::vector<std::string>& out) {
    if (open.empty()) return {};
    MLOPS_ASSIGN(auto tokens, vault.find(context, fingerprints(key, open)));
    std::vector<Open> left;
    for (std::size_t i = 0; i < open.size(); ++i) {
      if (tokens[i]) {
        out[open[i].index] = std::move(*tokens[i]);
      } else {
        left.push_back(open[i]);
      }
    }
    open = std::move(left);
    return {};
  }

  Status add_new(TokenVault& vault, const std::string& context, const WorkingKey& key, const std::vector<Open>& open,
                 std::vector<std::string>& out) const {
    if (open.empty()) return {};
    const auto prints = fingerprints(key, open);
    std::vector<VaultEntry> entries;
    for (std::size_t i = 0; i < open.size(); ++i) {
      MLOPS_ASSIGN(const auto random, crypto::random_bytes(kTokenBytes));
      VaultEntry entry{prints[i], prefix_ + to_hex(random), key.id, {}};
      auto padded = pad(open[i].value);
      MLOPS_ASSIGN(entry.sealed,
                   crypto::gcm_seal(key.seal.view(), padded, as_bytes(vault_place(context, entry.token))));
      crypto::wipe(padded);
      entries.push_back(std::move(entry));
    }
    MLOPS_ASSIGN(auto tokens, vault.add(context, entries));
    for (std::size_t i = 0; i < open.size(); ++i) out[open[i].index] = std::move(tokens[i]);
    return {};
  }

  std::string key_;
  KeyScope scope_;
  std::string prefix_;
};

}  // namespace

Made make_tokenize(const YamlNode& value, const TransformContext& context) {
  MLOPS_TRY(check_options(value, context, "tokenize", {"vault", "scope", "prefix"}));
  MLOPS_ASSIGN(auto key, text_option(value, context, "vault", {}));
  if (key.empty()) return missing_option(value, context, "tokenize", "vault", "name a key of transforms.keys");
  MLOPS_ASSIGN(const auto scope, scope_option(value, context, "tokenize"));
  MLOPS_ASSIGN(auto prefix, text_option(value, context, "prefix", "tok-"));
  return std::unique_ptr<Transform>(std::make_unique<Tokenize>(std::move(key), scope, std::move(prefix)));
}

}  // namespace mlops::mask
