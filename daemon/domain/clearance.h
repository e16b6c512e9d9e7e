// Which bytes a token may read: those of files that stand in a live version within its clearance; and what a version
// above it may be seen as.
//
// Which files stand in which versions is not in the database; an index is made in memory when a token with less than
// the highest clearance first asks for bytes, and caught up when it asks again. What is in no version counts as above
// every such clearance. Errors: kRefused "clearance_exceeded". Thread-safety: thread-safe.
#pragma once

#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/model/principal.h"
#include "core/model/version.h"
#include "storage/cas/content_store.h"
#include "storage/meta/store.h"

namespace mlops::domain {

class Clearance {
 public:
  Clearance(meta::Store& store, cas::ContentStore& content) : store_(store), content_(content) {}

  // May the principal read these files, or lists of files?
  Status check(const model::Principal& principal, const std::vector<crypto::Digest>& files);
  // The version itself when it may be read, else the newest masked version made of it that may.
  Result<model::Version> view(const model::Principal& principal, const std::string& ref);

 private:
  struct DigestHash {
    std::size_t operator()(const crypto::Digest& digest) const {
      return std::hash<std::string_view>{}(
          {reinterpret_cast<const char*>(digest.bytes().data()), digest.bytes().size()});
    }
  };
  Status catch_up(sql::Connection& connection);
  Status add(sql::Connection& connection, const model::Version& version);

  meta::Store& store_;
  cas::ContentStore& content_;
  std::mutex mutex_;
  std::string newest_id_;  // the newest version that is in the index
  std::unordered_map<crypto::Digest, model::Sensitivity, DigestHash> lowest_;  // of all versions that hold the file
};

}  // namespace mlops::domain
