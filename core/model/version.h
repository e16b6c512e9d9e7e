// A registered version and what is known about it. Immutable but for labels, aliases, deprecation and deletion.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/crypto/digest.h"
#include "core/model/kind.h"

namespace mlops::model {

// Where code came from, as recorded by the client through libgit2.
struct GitSource {
  std::string commit;  // 40 hex digits
  std::string branch;  // empty when detached
  std::string remote;  // without credentials
  bool dirty = false;
};

struct VersionInput {
  std::string version_id;
  std::string ref;  // name@vN as shown
  std::string digest;
  std::string role;  // train, test, base, …
};

struct Version {
  std::string id;
  std::string artifact_id;
  ArtifactKind kind = ArtifactKind::kModel;
  std::string name;
  std::int64_t number = 0;
  crypto::Digest digest;
  std::uint64_t size_bytes = 0;
  std::uint64_t file_count = 0;
  Sensitivity own_sensitivity = Sensitivity::kNone;
  Sensitivity sensitivity = Sensitivity::kNone;  // effective: own and inputs; fixed at registration
  bool sensitivity_assumed = false;              // nobody declared it: the safe default was taken
  std::map<std::string, std::string> params;
  std::map<std::string, double> metrics;
  std::string description;
  std::optional<GitSource> git;
  TimestampUs created_at_us = 0;
  std::string created_by;
  std::string deprecated_reason;  // empty: not deprecated
  TimestampUs deleted_at_us = 0;  // 0: not deleted; otherwise a tombstone
  std::string deleted_reason;

  std::string ref() const { return name + "@v" + std::to_string(number); }
  std::string typed_ref() const { return std::string(to_word(kind)) + ":" + ref(); }
};

}  // namespace mlops::model
