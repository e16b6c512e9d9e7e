#include "policies/mask/memory_vault.h"

namespace mlops::mask {

Result<std::vector<std::optional<std::string>>> MemoryVault::find(std::string_view context,
                                                                  std::span<const Fingerprint> fingerprints) {
  std::lock_guard lock(mutex_);
  std::vector<std::optional<std::string>> tokens(fingerprints.size());
  const auto entries = contexts_.find(context);
  if (entries == contexts_.end()) return tokens;
  for (std::size_t i = 0; i < fingerprints.size(); ++i) {
    const auto found = entries->second.tokens.find(fingerprints[i]);
    if (found != entries->second.tokens.end()) tokens[i] = found->second;
  }
  return tokens;
}

Result<std::vector<std::string>> MemoryVault::add(std::string_view context, std::span<const VaultEntry> entries) {
  std::lock_guard lock(mutex_);
  auto& known = contexts_[std::string(context)];
  std::vector<std::string> tokens;
  for (const auto& entry : entries) {
    const auto [place, added] = known.tokens.emplace(entry.fingerprint, entry.token);
    if (added) known.by_token.emplace(entry.token, entry);
    tokens.push_back(place->second);
  }
  return tokens;
}

Result<std::optional<VaultEntry>> MemoryVault::entry_of(std::string_view context, std::string_view token) {
  std::lock_guard lock(mutex_);
  const auto entries = contexts_.find(context);
  if (entries == contexts_.end()) return std::optional<VaultEntry>();
  const auto found = entries->second.by_token.find(token);
  return found == entries->second.by_token.end() ? std::optional<VaultEntry>() : found->second;
}

void MemoryVault::remove(std::string_view context, std::string_view token) {
  std::lock_guard lock(mutex_);
  const auto entries = contexts_.find(context);
  if (entries == contexts_.end()) return;
  const auto found = entries->second.by_token.find(token);
  if (found == entries->second.by_token.end()) return;
  entries->second.tokens.erase(found->second.fingerprint);
  entries->second.by_token.erase(found);
  if (entries->second.by_token.empty()) contexts_.erase(entries);
}

std::size_t MemoryVault::size() const {
  std::size_t count = 0;
  for_each([&](const auto&, const auto&) { ++count; });
  return count;
}

}  // namespace mlops::mask
