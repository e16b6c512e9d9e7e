// Key sources of tests: every name has versions 1 … `versions`, each of other bytes; or no key can be had.
// Thread-safety: immutable.
#pragma once

#include "policies/mask/key.h"

namespace mlops::mask {

class FixedKeys : public KeySource {
 public:
  explicit FixedKeys(std::uint32_t versions = 1) : versions_(versions) {}

  Result<NamedKey> current(const std::string& name) const override { return by_id(to_string({name, versions_})); }
  Result<NamedKey> by_id(const std::string& id) const override {
    const auto parsed = parse_key_id(id);
    if (!parsed || parsed->version > versions_) return fail(ErrorCode::kNotFound, "unknown_key_id", "no such key");
    return NamedKey{
        id, derive_key(std::vector<std::uint8_t>(32, static_cast<std::uint8_t>(parsed->version)), parsed->name)};
  }

 private:
  std::uint32_t versions_;
};

class NoKeys : public KeySource {
 public:
  Result<NamedKey> current(const std::string&) const override {
    return fail(ErrorCode::kUnavailable, "no_key", "the key store is away");
  }
  Result<NamedKey> by_id(const std::string& id) const override { return current(id); }
};

}  // namespace mlops::mask
