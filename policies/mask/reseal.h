// Entries of a token vault under another version of the key that wrote them: the token stays, its value is sealed and
// found under the new version. What the old version wrote can be read after it is destroyed.
//
// Errors: kCorrupt "vault_damaged" for an entry that does not open; those of key.h. Thread-safety: belongs to one
// thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "policies/mask/key.h"
#include "policies/mask/vault.h"

namespace mlops::mask {

class Resealer {
 public:
  // REQUIRES: two versions of one key, `from` the one that wrote the entries.
  Resealer(NamedKey from, NamedKey to) : from_(std::move(from)), to_(std::move(to)) {}
  Result<VaultEntry> reseal(std::string_view context, const VaultEntry& entry);

 private:
  struct Pair {
    WorkingKey from;
    WorkingKey to;
  };
  Result<const std::vector<Pair>*> pairs_of(std::string_view context);

  NamedKey from_;
  NamedKey to_;
  std::string context_;  // entries come by context
  std::vector<Pair> pairs_;
};

}  // namespace mlops::mask
