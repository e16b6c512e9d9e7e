// One visible name in a file system that always shows a whole release, the old one or the new one.
//
//   ROOT/PATH/NAME                                 what readers open: a link, or a directory
//   ROOT/.mlops-releases/PATH/NAME/DEPLOYMENT      whole releases; -rN behind it: laid down again after damage
//   ROOT/.mlops-releases/PATH/NAME/.mlops-staging-DEPLOYMENT   one in the making
//   ROOT/.mlops-releases/PATH/NAME/.mlops-link     the link that is about to take NAME's place
//
// Nothing but releases lies in ROOT/PATH, because serving processes take every directory for a model. Invariants: NAME
// is changed by one rename() or renameat2(RENAME_EXCHANGE), when everything behind it is durable and was read back;
// what a reader has open stays whole, for a release that was replaced is removed only when `keep` newer ones were and
// `grace_us` has passed. Whatever a crash leaves behind, the next delivery clears away.
// Errors: kUnavailable "root_missing"; kConflict "name_taken" (something that is not mlopsd's stands there); kCorrupt
// "delivery_damaged"; those of Dir and of the source. Thread-safety: one thread at a time; deliver() takes a lock that
// other processes see.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/dir.h"
#include "daemon/domain/delivery_layout.h"
#include "storage/blob/blob_reader.h"

namespace mlops::domain {

struct ReleaseDirectoryOptions {
  std::string root_dir;   // absolute, of the configuration
  std::string root_name;  // how messages call it
  std::string path;       // checked segments; may be empty
  std::string name;       // one segment
  model::DeliverySwitch how = model::DeliverySwitch::kSymlink;
  std::size_t keep = 2;
  std::int64_t grace_us = 60'000'000;
  StepHook hook = {};
};

using BlobSource = std::function<Result<std::unique_ptr<blob::BlobReader>>(const crypto::Digest&)>;
// Asked between pieces with the bytes just read: it may wait, and false ends the work.
using Pace = std::function<bool(std::size_t bytes)>;

struct Comparison {
  bool is_complete = true;  // false: it was ended, or the release was replaced meanwhile
  std::uint64_t differences = 0;
  std::string first;  // "missing: a/b", "changed: …", "unexpected: …"
};

class ReleaseDirectory {
 public:
  // Directories below the root are made when they are missing; the root is not.
  static Result<ReleaseDirectory> open(ReleaseDirectoryOptions options);

  // Whether NAME shows exactly this release, as far as its RELEASE.json says.
  Result<bool> shows(const Placement& placement) const;
  Status deliver(const Placement& placement, const BlobSource& source);
  // Reads everything that NAME shows and compares. Never follows a link inside.
  Result<Comparison> compare(const Placement& placement, const Pace& pace) const;

 private:
  ReleaseDirectory(ReleaseDirectoryOptions options, Dir releases, Dir target);
  Result<std::optional<Dir>> visible() const;
  Result<std::optional<std::string>> visible_entry() const;
  Result<std::string> free_entry(const std::string& deployment_id) const;
  Status stage(const Placement& placement, const BlobSource& source, const std::string& staging) const;
  Status show(const std::string& entry) const;
  Status tidy() const;
  Status adopt(const std::string& entry) const;
  Status prune() const;

  ReleaseDirectoryOptions options_;
  std::string link_prefix_;  // from ROOT/PATH to the releases, with '/'
  Dir releases_;
  Dir target_;
};

}  // namespace mlops::domain
