// From a version's manifest to its blobs, and marking them in a collection.
//
// A manifest lies in the database, the list of its files there too or, when they are many, in a tree blob. Errors:
// kCorrupt "manifest_damaged", those of meta and cas; a tree blob that is not there or damaged is no error but a list
// that cannot be read. Thread-safety: one thread; Marks may be handed to the writer for the time of one closure.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/model/manifest.h"
#include "daemon/domain/roots.h"
#include "storage/cas/collection.h"
#include "storage/meta/store.h"

namespace mlops::domain {

using ManifestReader = std::function<Result<std::string>(const crypto::Digest& digest)>;
// Each in a read transaction of its own, so that marking holds none open.
ManifestReader manifest_reader(meta::Store& store);
ManifestReader manifest_reader(sql::Connection& connection);

struct ManifestBlobs {
  std::optional<crypto::Digest> tree;
  std::vector<model::FileEntry> files;
  bool is_readable = true;  // false: the tree is not, so there may be more files
};
Result<ManifestBlobs> blobs_of(const ManifestReader& read, cas::ContentStore& content, const crypto::Digest& manifest);
// Whether at least one byte that is the version's own or shared is here.
bool has_any(cas::ContentStore& content, const ManifestBlobs& blobs);
// Whether all of it is here.
bool has_all(cas::ContentStore& content, const ManifestBlobs& blobs);

class Marks {
 public:
  Marks(cas::Collection& collection, cas::ContentStore& content) : collection_(collection), content_(content) {}

  // Keeps all that the manifest is made of; false: something of it is not here. A second time costs nothing.
  Result<bool> keep(const ManifestReader& read, const crypto::Digest& manifest);
  // Keeps what the roots name and was not kept yet. Call again with newer roots to catch up.
  Status keep(const ManifestReader& read, const Roots& roots);

  // Manifests of versions that are not deleted, and deleted ones that are protected, with something missing.
  const std::set<crypto::Digest>& damaged_live() const { return damaged_live_; }
  const std::set<std::string>& incomplete_kept() const { return incomplete_kept_; }  // version ids

 private:
  cas::Collection& collection_;
  cas::ContentStore& content_;
  std::set<crypto::Digest> whole_;
  std::set<crypto::Digest> incomplete_;
  std::set<crypto::Digest> damaged_live_;
  std::set<std::string> incomplete_kept_;
};

}  // namespace mlops::domain
