// Where a run's keys come from, and the key of one column: equal values of two tables cannot be joined unless the
// policy says `scope: shared`.
//
// A key has a name ("research", of the policy's transforms.keys) and versions; "research.2" is the id of one version.
// New values are written under the current version; the ids of former ones are needed to know, and to reveal, what an
// earlier run wrote. Errors: those of the source, kNotFound "unknown_key_id" for an id it does not have.
// Thread-safety: a KeySource is thread-safe; the rest are values and free functions.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/crypto/aes_block.h"
#include "core/crypto/hmac_batch.h"
#include "core/crypto/seal.h"

namespace mlops::mask {

struct NamedKey {
  std::string id;  // "research.1"
  crypto::SecretBytes bytes;
};

class KeySource {
 public:
  virtual ~KeySource() = default;
  // The version that new values are written under.
  virtual Result<NamedKey> current(const std::string& name) const = 0;
  // Any version that can still be read.
  virtual Result<NamedKey> by_id(const std::string& id) const = 0;
  // Ids of all versions of a name that can be read, for what says by itself which it is under. Empty: those from the
  // current one down.
  virtual std::vector<std::string> readable(const std::string& /*name*/) const { return {}; }
};

struct KeyId {
  std::string name;
  std::uint32_t version = 0;  // from 1
};
std::string to_string(const KeyId& id);
// "research.1"; nullopt when it is none.
std::optional<KeyId> parse_key_id(std::string_view text);

// Which values share a key: those of one column of a dataset, those of a dataset, all.
enum class KeyScope { kColumn, kDataset, kShared };

// One version of a column's key, and the keys that follow from it, each for one use: none of them is ever used for
// another, and none tells anything of the others. Belongs to one thread, as `check` does.
struct WorkingKey {
  std::string id;
  std::string tag;                                       // what its pseudonyms begin with, "k1-"
  std::optional<crypto::AesBlocks> check;                // tells tokens of this key from other text
  crypto::SecretBytes seal;                              // AES-256-GCM
  crypto::SecretBytes siv;                               // AES-SIV, 64 bytes
  crypto::SecretBytes fpe;                               // FF1
  std::shared_ptr<const crypto::HmacBatch> pseudonym;    // HMAC of values
  std::shared_ptr<const crypto::HmacBatch> choice;       // HMAC that chooses: shifts, noise, surrogates
  std::shared_ptr<const crypto::HmacBatch> fingerprint;  // HMAC by which a vault finds a value

  bool empty() const { return !pseudonym; }
};

// What a transform works with. Empty when it needs none.
struct ColumnKey : WorkingKey {
  std::vector<WorkingKey> former;  // earlier versions that can still be read, derived alike
};

struct KeyPlace {
  std::string_view dataset;
  std::string_view column;
  KeyScope scope = KeyScope::kColumn;
};
// The column's key under the current version of `name`, and under the versions before it. Errors: kInvalid
// "key_too_short" for one of fewer than 32 bytes.
Result<ColumnKey> column_key(const KeySource& keys, const std::string& name, const KeyPlace& place);
// Under every readable version of `name`, in no order that means anything: only to reveal. Errors: kRefused
// "key_destroyed", or those of the source, when there is none.
Result<ColumnKey> column_key_readable(const KeySource& keys, const std::string& name, const KeyPlace& place);
// Under the version with this id alone, to reveal what it wrote.
Result<ColumnKey> column_key_of(const KeySource& keys, const std::string& id, const KeyPlace& place);

// HMAC-SHA-256(master, "mlops/mask-key/v1" NUL context). `context` names dataset and column; the master key does not
// follow from what is derived. REQUIRES: `master` has at least 32 bytes of entropy.
crypto::SecretBytes derive_key(ByteView master, std::string_view context);

class TokenVault;

// What a masking run is lent. `vault` may be null: then a policy that tokenizes is refused.
struct RunSecrets {
  const KeySource& keys;
  TokenVault* vault = nullptr;
};

}  // namespace mlops::mask
