// From a walked artifact to a registered version's files: what the stat cache knows is not read, what the server has is
// not sent, and many files become one tree blob. Errors: those of blob_push.h and the manifest. Thread-safety: main
// thread.
#pragma once

#include <vector>

#include "cli/cmd/blob_push.h"
#include "cli/cmd/file_walk.h"
#include "cli/cmd/older_versions.h"
#include "core/model/manifest.h"

namespace mlops::cli {

enum class Rehash { kNo, kYes };  // kYes: every file is read, whatever the stat cache says

class ArtifactPush {
 public:
  // REQUIRES: `session` and `walk` outlive this.
  // `name`: of the artifact; what its last version had may be there to compare with.
  ArtifactPush(Session& session, const Walk& walk, model::ArtifactKind kind, const std::string& name);

  // Looks into the stat cache. True: every file's digest is known without reading any.
  bool recognise(Rehash rehash);
  // Makes sure that the server has everything; with --dry-run only finds out what it lacks.
  Status push();
  // "files" or "tree" of a registration. REQUIRES: recognise() gave true, or push().
  Result<Json> described();
  // For the next time.
  void remember() const;

  const PushResult& result() const { return result_; }

 private:
  Status make_manifest();
  Status push_tree();
  void add(const PushResult& more);

  Session& session_;
  const Walk& walk_;
  const model::ArtifactKind kind_;
  OlderVersions older_;
  std::string cache_root_;
  std::string cache_file_;
  std::vector<crypto::Digest> digests_;
  std::vector<bool> is_known_;
  model::Manifest manifest_;
  bool has_manifest_ = false;
  PushResult result_;
};

}  // namespace mlops::cli
