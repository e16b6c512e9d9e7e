// A key source that keeps to the versions it has seen: a run that several threads and files take part in masks all of
// it under one version of each key, also when a key is rotated half-way.
//
// Errors: those of the source behind it; kNotFound "unknown_key_id" when the version was destroyed in the meantime.
// Thread-safety: thread-safe. Ownership: the source behind it is borrowed.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "policies/mask/key.h"

namespace mlops::mask {

class PinnedKeys final : public KeySource {
 public:
  explicit PinnedKeys(const KeySource& source) : source_(source) {}

  // The version that was current when this was asked first.
  Result<NamedKey> current(const std::string& name) const override;
  Result<NamedKey> by_id(const std::string& id) const override { return source_.by_id(id); }

 private:
  const KeySource& source_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::string> ids_;  // by name
};

}  // namespace mlops::mask
