// Keyed fingerprints of people's ids, and per file the set of those that occur in it: derived data, which can be
// dropped and is rebuilt from the bytes.
//
//   fingerprint = HMAC-SHA-256(key, "subject/v1" NUL name space NUL trimmed id)
//   file        = magic "MLOPSSI1" | tag 8 | count 8 LE | count × (first 8 bytes of a fingerprint as LE number,
//   ascending)
//                 | checksum 8 LE over all before
//   tag         = first 8 bytes of HMAC-SHA-256(key, "index/v1" NUL file digest NUL column NUL name space)
//
// 64 bits are enough for a candidate; who finds one reads the rows. A file that is damaged or of another key counts as
// absent. Sized for 10^7 ids: 80 MB each while it is built or asked. Errors: those of Env. Thread-safety: thread-safe;
// a Builder belongs to one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/env.h"
#include "core/crypto/digest.h"
#include "core/crypto/seal.h"
#include "core/model/erasure.h"

namespace mlops::domain {

// One column of a file that holds ids, and whose they are.
struct SubjectColumn {
  std::string column;  // folded
  std::string name_space;
  auto operator<=>(const SubjectColumn&) const = default;
};

crypto::Mac subject_fingerprint(ByteView key, std::string_view name_space, std::string_view id);

// The fingerprints of one person's ids.
class Subject {
 public:
  // REQUIRES: the key outlives it.
  explicit Subject(ByteView key) : key_(key) {}
  void add_id(std::string_view name_space, std::string_view id);
  // Errors: kCorrupt "bad_erasure".
  Status add(const std::vector<model::SubjectFingerprint>& stored);
  // Whether a cell of a column of that name space holds one of them.
  bool is(std::string_view name_space, std::string_view cell) const;
  std::vector<std::string> name_spaces() const;
  const std::vector<crypto::Mac>& of(const std::string& name_space) const;
  std::vector<model::SubjectFingerprint> stored() const;  // sorted

 private:
  bool add_mac(const std::string& name_space, const crypto::Mac& mac);

  ByteView key_;
  std::map<std::string, std::vector<crypto::Mac>, std::less<>> macs_;
};

class SubjectIndex {
 public:
  SubjectIndex(std::string dir, const crypto::SecretBytes& key, Env& env)
      : dir_(std::move(dir)), key_(key), env_(env) {}

  // Whether the file may hold one of them in that column; nullopt: there is no index.
  Result<std::optional<bool>> may_hold(const crypto::Digest& file, const SubjectColumn& column,
                                       const std::vector<crypto::Mac>& subject) const;

  // Every fingerprint's first 8 bytes, ascending; nullopt: there is no index.
  Result<std::optional<std::vector<std::uint64_t>>> load(const crypto::Digest& file, const SubjectColumn& column) const;

  class Builder {
   public:
    Builder(const SubjectIndex& index, crypto::Digest file, SubjectColumn column)
        : index_(index), file_(file), column_(std::move(column)) {}
    void add(std::string_view id);
    // Replaces an earlier one. Gives how many different ids there were.
    Result<std::uint64_t> finish();

   private:
    const SubjectIndex& index_;
    const crypto::Digest file_;
    const SubjectColumn column_;
    std::string last_;
    std::vector<std::uint64_t> short_;
  };

  // All of the file's; none is no error.
  Status drop(const crypto::Digest& file) const;
  ByteView key() const { return key_.view(); }

 private:
  std::string tag(const crypto::Digest& file, const SubjectColumn& column) const;  // 8 bytes
  std::string path(const crypto::Digest& file, const SubjectColumn& column) const;
  // Head and words of the file, checked, without its checksum; nullopt: absent, damaged or of another key.
  Result<std::optional<std::string>> read_body(const crypto::Digest& file, const SubjectColumn& column) const;

  const std::string dir_;
  const crypto::SecretBytes key_;
  Env& env_;
};

}  // namespace mlops::domain
