// Whole files by SHA-256 as releases before 0.2 kept them; read once, to be converted, and removed.
//
//   <root>/sha256/<2 hex>/<64 hex>   a file's bytes
//   <root>/tmp/                      uploads that never ended
//
// Errors: those of Env. Thread-safety: one thread.
#pragma once

#include <functional>
#include <string>

#include "core/base/env.h"
#include "core/crypto/digest.h"

namespace mlops::blob {

class LooseStore {
 public:
  LooseStore(std::string root, Env& env) : root_(std::move(root)), env_(env) {}

  // False: nothing of that format is here.
  Result<bool> exists() const;
  // Every file, in any order; the callback's error stops the walk.
  Status for_each(const std::function<Status(const crypto::Digest&, std::uint64_t size_bytes)>& visit) const;
  Result<std::unique_ptr<ReadableFile>> open(const crypto::Digest& digest) const;
  Status remove(const crypto::Digest& digest);
  // Out of the way, into <root>/damaged/.
  Status set_aside(const crypto::Digest& digest);
  // The directories, once nothing is left in them; damaged files stay.
  Status remove_directories();

 private:
  std::string dir_of(unsigned first_byte) const;
  std::string path_of(const crypto::Digest& digest) const;

  const std::string root_;
  Env& env_;
};

}  // namespace mlops::blob
