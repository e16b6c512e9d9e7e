// The table of a random token for each value: nothing about a token follows from the value (45 CFR 164.514(c)), and
// only who has the table and its key gets back. Values stand in it sealed, and are found by a keyed fingerprint.
//
// A context ("dataset NEWLINE column", …) has its own tokens. Within it a fingerprint has one token for ever, whoever
// asks first, also when several ask at once.
// Errors: those of the implementation's storage. Thread-safety: implementations are thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace mlops::mask {

using Fingerprint = std::array<std::uint8_t, 32>;

struct VaultEntry {
  Fingerprint fingerprint{};
  std::string token;
  std::string key_id;                // "research.1": of fingerprint and seal
  std::vector<std::uint8_t> sealed;  // the value, bound to context and token
};

class TokenVault {
 public:
  virtual ~TokenVault() = default;
  // A token for each fingerprint that has one.
  virtual Result<std::vector<std::optional<std::string>>> find(std::string_view context,
                                                               std::span<const Fingerprint> fingerprints) = 0;
  // Adds those whose fingerprint is new; returns the token that each fingerprint has then.
  virtual Result<std::vector<std::string>> add(std::string_view context, std::span<const VaultEntry> entries) = 0;
  virtual Result<std::optional<VaultEntry>> entry_of(std::string_view context, std::string_view token) = 0;
};

}  // namespace mlops::mask
