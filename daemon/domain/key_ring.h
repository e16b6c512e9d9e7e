// The server's key ring: the keys of masking by name, each with its versions, sealed in the metadata database under a
// key that follows from the master key. Who has the database or a backup, and not the master key, has no key.
//
//   version:  active → retired → destroyed           a name has one active version; new values are written under it
//
// A key comes into being when it is created or first used. Rotating adds a version; the one before stays readable.
// Destroying takes a retired version away for ever: what it wrote can neither be recognised nor revealed. Backups made
// before hold its sealed bytes, which their master key opens. Keys that were used before there was a ring (origin
// "derived") keep their bytes; they follow from the master key of then, so destroying one is final only once the ring
// is rewrapped under another and the old one is gone. Every change is an audit entry; so is every use, by who used it.
//
// Errors: kDenied "wrong_master_key"; kCorrupt "keyring_damaged"; kNotFound "unknown_key", "unknown_key_id"; kRefused
// "key_destroyed", "key_active"; kAlreadyExists "key_exists"; kInvalid "bad_key_name", "reason_needed"; those of meta.
// Thread-safety: thread-safe. current() may write, so it is not called inside a transaction.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/crypto/seal.h"
#include "policies/mask/key.h"
#include "storage/meta/mask_keys.h"
#include "storage/meta/store.h"

namespace mlops::domain {

class KeyRing : public mask::KeySource {
 public:
  // What to do with keys that this master key does not open: nothing, or give all of them up and go on with new ones.
  enum class Unopened { kRefuse, kGiveUp };
  static Result<std::unique_ptr<KeyRing>> open(meta::Store& store, crypto::SecretBytes master,
                                               Unopened unopened = Unopened::kRefuse);

  Result<mask::NamedKey> current(const std::string& name) const override;
  Result<mask::NamedKey> by_id(const std::string& id) const override;
  std::vector<meta::MaskKeyRow> keys() const;
  // The version current() would give, without making one: the first of a name that was not used yet.
  std::string current_id(const std::string& name) const;

  struct Wish {
    std::string name;  // of a key; to destroy, the id of a version
    std::string reason;
    std::string purpose;  // of a new key
    // Rotating, destroying: the vault's tokens go under the active version, in the same transaction.
    enum class Tokens { kLeave, kReseal } tokens = Tokens::kLeave;
  };
  Result<meta::MaskKeyRow> create(const meta::Actor& actor, const Wish& wish, meta::Commit commit);
  struct Rotated {
    meta::MaskKeyRow row;
    std::int64_t resealed = 0;
  };
  Result<Rotated> rotate(const meta::Actor& actor, const Wish& wish, meta::Commit commit);
  struct Destroyed {
    meta::MaskKeyRow row;
    bool is_derivable = false;  // the master key in use still gives it
    std::int64_t tokens = 0;    // of the vault, sealed under it and lost: versions masked later may use them as well
    std::int64_t resealed = 0;  // those that were put under the active version before
  };
  Result<Destroyed> destroy(const meta::Actor& actor, const Wish& wish, meta::Commit commit);
  // Seals every key anew. REQUIRES: the caller starts with this master key from now on.
  Status rewrap(const meta::Actor& actor, crypto::SecretBytes master);

 private:
  struct Entry {
    meta::MaskKeyRow row;
    crypto::SecretBytes bytes;  // empty once destroyed
  };
  using Entries = std::map<std::pair<std::string, std::int64_t>, Entry>;  // by name and version

  KeyRing(meta::Store& store, crypto::SecretBytes master) : store_(store), master_(std::move(master)) {}
  Status load(Unopened unopened);
  Status adopt();
  Status give_up();
  Status open_entries(std::vector<meta::MaskKeyRow> rows);
  static Result<Entry> make_entry(const crypto::SecretBytes& master, const mask::KeyId& id, const std::string& origin,
                                  crypto::SecretBytes bytes);
  static Result<Entry> random_entry(const crypto::SecretBytes& master, const mask::KeyId& id);
  using AlsoWrite = std::function<Status(meta::WriteTx&)>;
  Result<Entry> add(const meta::Actor& actor, Entry entry, const char* action, meta::Commit commit,
                    const AlsoWrite& also = {}) const;
  Entry* active(const std::string& name) const;  // REQUIRES of these: mutex_ is held
  const Entry* last(const std::string& name) const;
  Entry* find(const std::string& id) const;

  meta::Store& store_;
  mutable std::mutex mutex_;
  crypto::SecretBytes master_;
  meta::KeyRingRow ring_;
  mutable Entries entries_;  // grows when a name is first used
};

// Puts every token of the vault that is under `from` under `to`, another version of the same key, with an audit entry;
// gives how many. Errors: kCorrupt "vault_damaged".
Result<std::int64_t> reseal_tokens(meta::WriteTx& tx, const mask::NamedKey& from, const mask::NamedKey& to);

}  // namespace mlops::domain
