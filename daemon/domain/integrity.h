// Whether what is stored is whole: the audit log against the state, the blobs against the manifests.
//
// Errors: kCorrupt "audit_broken" naming the first broken entry or row; kCorrupt "store_broken" with every problem in
// `detail` {"problems": [{"object", "problem"}]}. Thread-safety: thread-safe; both read everything once.
#pragma once

#include "storage/audit/audit_log.h"
#include "storage/cas/content_store.h"
#include "storage/meta/store.h"

namespace mlops::domain {

enum class FsckDepth { kStructure, kReadData };

struct FsckReport {
  std::uint64_t blobs = 0;
  std::uint64_t bytes = 0;
  std::uint64_t manifests = 0;
};

class Integrity {
 public:
  Integrity(meta::Store& store, cas::ContentStore& content) : store_(store), content_(content) {}
  Result<audit::VerifyReport> verify_audit();
  Result<FsckReport> fsck(FsckDepth depth);
  Result<std::vector<Json>> audit_entries(const audit::Filter& filter);

 private:
  meta::Store& store_;
  cas::ContentStore& content_;
};

}  // namespace mlops::domain
