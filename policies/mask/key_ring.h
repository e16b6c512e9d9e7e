// The keys of masking with their versions: each wrapped by itself (AES-256-GCM) under a master key that is kept
// elsewhere. The text is safe to store and to back up; without the master key it tells names, states and times only.
//
//   {"format": "mlops/keyring/v1", "ring": ID, "root": WRAPPED, "keys": [KEY…], "mac": HEX}
//   KEY = {"id": "research.1", "purpose", "state": active | retired | destroyed, "created_at", "changed_at",
//          "check": 8 hex digits, "wrapped": HEX; none once it is destroyed}
//
// A name has at most one active version, which new values are written under. Retired ones can still be read.
// Destroying takes the material out for ever: what it wrote can neither be recognised nor revealed again, except from a
// copy of the ring made before. `mac` covers all of the text under a key that follows from the master key, so a state
// cannot be changed by hand. An older ring put in the place of a newer one is not noticed.
// `check` is not secret: two rings have the same key if it is the same.
//
// Errors: kDenied "wrong_master_key"; kCorrupt "keyring_damaged"; kNotFound "unknown_key", "unknown_key_id"; kRefused
// "key_retired", "key_destroyed"; kAlreadyExists "key_exists"; kInvalid "bad_key_name", "key_too_short".
// Thread-safety: const members may be called from several threads, changes belong to one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/json.h"
#include "policies/mask/key.h"

namespace mlops::mask {

enum class KeyState { kActive, kRetired, kDestroyed };
std::string_view to_word(KeyState state);

struct KeyInfo {
  std::string id;
  std::string purpose;
  KeyState state = KeyState::kActive;
  TimestampUs created_at_us = 0;
  TimestampUs changed_at_us = 0;
  std::string check;
};

Status check_key_name(std::string_view name);

class KeyRing : public KeySource {
 public:
  static Result<KeyRing> create(crypto::SecretBytes master);
  static Result<KeyRing> open(std::string_view text, crypto::SecretBytes master);
  Result<std::string> to_text() const;

  Result<NamedKey> current(const std::string& name) const override;
  Result<NamedKey> by_id(const std::string& id) const override;
  // In the order in which they were made.
  std::vector<KeyInfo> keys() const;
  bool has(const std::string& name) const;

  // Each returns the id it made or changed. Version 1 of a new name, of random bytes or of these.
  Result<std::string> add(const std::string& name, std::string purpose, TimestampUs now_us);
  Result<std::string> add_known(const std::string& name, std::string purpose, crypto::SecretBytes bytes,
                                TimestampUs now_us);
  // A new active version; the one before is retired.
  Result<std::string> rotate(const std::string& name, TimestampUs now_us);
  // The active version of the name: from now on it is only read.
  Result<std::string> retire(const std::string& name, TimestampUs now_us);
  // REQUIRES of the caller: who wants it gone knows that it cannot be had back.
  Result<std::string> destroy(const std::string& id, TimestampUs now_us);

  // The same keys under another master key.
  void change_master(crypto::SecretBytes master) { master_ = std::move(master); }
  // A key of the ring for another use ("vault"); stays when the master key changes.
  crypto::SecretBytes derived(std::string_view use) const;

 private:
  struct Entry {
    KeyInfo info;
    crypto::SecretBytes bytes;  // empty once destroyed
  };

  Status read_key(const Json& json);
  Result<std::string> wrap(const crypto::SecretBytes& bytes, std::string_view id) const;
  Result<crypto::SecretBytes> unwrap(const std::string& hex, std::string_view id) const;
  Result<Json> sealed_body() const;
  std::string mac_of(const Json& body) const;
  Result<std::string> add_version(const KeyId& id, std::string purpose, crypto::SecretBytes bytes, TimestampUs now_us);
  Entry* active(const std::string& name);
  const Entry* last(const std::string& name) const;

  crypto::SecretBytes master_;
  std::string ring_id_;
  crypto::SecretBytes root_;
  std::vector<Entry> entries_;
};

}  // namespace mlops::mask
