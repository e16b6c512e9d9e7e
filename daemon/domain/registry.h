// The registry: registering, reading, labelling and retiring versions. Versions are immutable; the bytes must be in the
// content store before their version is.
//
// Errors: those of meta and cas; kInvalid for bad input; kConflict "blobs_missing" naming what to upload first,
// "version_in_use", "version_held"; kNotFound. Thread-safety: thread-safe.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/model/schema.h"
#include "core/model/views.h"
#include "daemon/domain/label_scan.h"
#include "storage/cas/content_store.h"
#include "storage/meta/lineage.h"
#include "storage/meta/store.h"
#include "storage/meta/versions.h"

namespace mlops::domain {

struct NewVersion {
  model::ArtifactKind kind = model::ArtifactKind::kModel;
  std::string name;
  std::vector<model::FileEntry> files;
  // Instead of files: a tree blob that was pushed before, and what its manifest says of it.
  struct Tree {
    crypto::Digest digest;
    std::uint64_t size_bytes = 0;
    std::uint64_t file_count = 0;
    std::uint64_t content_size_bytes = 0;
  };
  std::optional<Tree> tree;
  struct Input {
    std::string ref;
    std::string role;
  };
  std::vector<Input> inputs;
  std::map<std::string, std::string> params;
  std::map<std::string, double> metrics;
  std::map<std::string, std::string> labels;
  std::string description;
  std::optional<model::Sensitivity> sensitivity;
  std::optional<model::GitSource> git;
  model::VersionSchemas schemas;
};

struct Registered {
  bool created = false;
  model::VersionView view;
  std::string note;  // for a person: nothing was created, or a scan raised the label
};

class Registry {
 public:
  Registry(meta::Store& store, cas::ContentStore& content, LabelScanOptions scan = {})
      : store_(store), content_(content), scan_(scan) {}

  Result<Registered> register_version(const meta::Actor& actor, const NewVersion& wanted, meta::Commit commit);
  // A few look-ups by key, fit for an I/O thread. Of a tree the files are left to files().
  Result<model::VersionView> show(const std::string& ref, TimestampUs as_of_us);
  Result<std::string> manifest(const std::string& ref);
  Result<std::vector<model::FileEntry>> files(const std::string& ref);
  Result<std::vector<model::VersionView>> list(const meta::VersionFilter& filter);
  Result<std::vector<model::ArtifactView>> list_artifacts(const meta::ArtifactFilter& filter);
  Result<model::DiffView> diff(const std::string& a, const std::string& b);

  Result<model::VersionView> label(const meta::Actor& actor, const std::string& ref,
                                   const std::map<std::string, std::string>& set,
                                   const std::vector<std::string>& remove, meta::Commit commit);
  struct AliasChange {
    std::string alias;
    std::string ref;       // empty when removed
    std::string previous;  // empty when new
  };
  Result<AliasChange> set_alias(const meta::Actor& actor, const std::string& ref, const std::string& alias,
                                meta::Commit commit);
  Result<AliasChange> remove_alias(const meta::Actor& actor, const std::string& name, const std::string& alias,
                                   meta::Commit commit);
  // An empty reason undoes it.
  Result<model::VersionView> deprecate(const meta::Actor& actor, const std::string& ref, const std::string& reason,
                                       meta::Commit commit);
  Result<model::VersionView> remove(const meta::Actor& actor, const std::string& ref, const std::string& reason,
                                    meta::Commit commit);

 private:
  Result<model::Manifest> manifest_of(const model::Version& version);
  Result<std::vector<model::FileEntry>> files_of(const model::Version& version, const std::string& manifest_body);
  Status check_bytes(const model::Manifest& manifest, cas::OwnerTag viewer) const;
  Status load_tree(model::Manifest& manifest, cas::OwnerTag viewer);
  static Result<std::optional<Registered>> find_registered(sql::Connection& connection, const NewVersion& wanted,
                                                           const crypto::Digest& digest);

  Result<Registered> register_bytes(const meta::Actor& actor, const NewVersion& wanted, meta::Commit commit);
  Result<LabelScan> scan(const NewVersion& wanted, const model::Manifest& manifest) const;

  meta::Store& store_;
  cas::ContentStore& content_;
  const LabelScanOptions scan_;  // of datasets that are registered
};

// A version with what belongs to it at a moment; shared by the services that show versions.
Result<model::VersionView> view_of(sql::Connection& connection, model::Version version, TimestampUs as_of_us);

}  // namespace mlops::domain
