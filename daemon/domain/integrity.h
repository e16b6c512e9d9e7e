// Whether what is stored is whole: the audit log against the state, the packs against the manifests.
//
// fsck looks at every version that must have its bytes: those that are not deleted, and deleted ones that a hold or a
// retention keeps. Errors: kCorrupt "audit_broken" naming the first broken entry or row; kCorrupt "store_broken" with
// every problem in `detail` {"problems": [{"object", "problem"}]}. Thread-safety: thread-safe; both read everything
// once.
#pragma once

#include <set>
#include <vector>

#include "storage/audit/audit_log.h"
#include "storage/cas/content_store.h"
#include "storage/meta/store.h"

namespace mlops::domain {

enum class FsckDepth { kStructure, kReadData };

struct FsckOptions {
  FsckDepth depth = FsckDepth::kStructure;
  double sample = 1.0;     // kReadData: share of the objects that is read, above 0 up to 1
  std::uint64_t seed = 0;  // of the choice
};

struct FsckReport {
  cas::ContentStore::Totals store;
  std::uint64_t manifests = 0;
  std::uint64_t read_objects = 0;
  std::uint64_t read_bytes = 0;  // as stored
};

class Integrity {
 public:
  Integrity(meta::Store& store, cas::ContentStore& content) : store_(store), content_(content) {}
  Result<audit::VerifyReport> verify_audit();
  Result<FsckReport> fsck(const FsckOptions& options);
  Result<FsckReport> fsck(FsckDepth depth) { return fsck(FsckOptions{.depth = depth}); }
  Result<std::vector<Json>> audit_entries(const audit::Filter& filter);

 private:
  // Manifests whose bytes must be here.
  Result<std::set<crypto::Digest>> needed();

  meta::Store& store_;
  cas::ContentStore& content_;
};

}  // namespace mlops::domain
