// Versions as far as their bytes are concerned: which there are, which are deleted, and what still names the deleted
// ones. Rows are light, for a collection looks at all of them at once. Errors: kCorrupt "bad_row" and those of
// sql::Connection. Thread-safety: as its connection.
#pragma once

#include <string>
#include <vector>

#include "core/crypto/digest.h"
#include "core/model/kind.h"
#include "storage/meta/store.h"

namespace mlops::meta {

struct StoredVersion {
  std::string id;
  model::ArtifactKind kind = model::ArtifactKind::kModel;
  std::string name;
  std::int64_t number = 0;
  crypto::Digest manifest;
  TimestampUs deleted_at_us = 0;  // 0: not deleted
  std::string deleted_reason;

  std::string typed_ref() const { return std::string(to_word(kind)) + ":" + name + "@v" + std::to_string(number); }
};

Result<std::vector<StoredVersion>> live_versions(sql::Connection& connection);     // newest first
Result<std::vector<StoredVersion>> deleted_versions(sql::Connection& connection);  // in the order of their deletion
// Manifests of the versions that are not deleted, each once, sorted.
Result<std::vector<crypto::Digest>> live_manifests(sql::Connection& connection);

// That a deleted version ran somewhere, in its last deployment there.
struct Stay {
  std::string version_id;
  std::string environment;
  TimestampUs ended_at_us = 0;  // 0: it still runs
};
Result<std::vector<Stay>> stays_of_deleted(sql::Connection& connection);

}  // namespace mlops::meta
