// Where one person is: files that hold their records, versions that hold those files, and what was masked from them.
//
// Files of datasets with a subject key are asked through the index first, which is built where it is missing; a
// candidate's records are read and compared in full. Versions are found by their files' digests, whatever they are
// called. Masked outputs are found by their runs, and give the person's pseudonyms, which are looked for in turn.
// Errors: those of meta, cas and the index; a file that cannot be read as records is no error but unsearched.
// Thread-safety: one thread; works from one snapshot of the database.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/model/erasure.h"
#include "core/model/manifest.h"
#include "daemon/domain/gc_marks.h"
#include "daemon/domain/subject_index.h"
#include "storage/cas/content_store.h"
#include "storage/meta/erasures.h"
#include "storage/meta/stored_versions.h"

namespace mlops::domain {

struct FileHit {
  model::FileEntry file;
  std::vector<SubjectColumn> columns;
  std::uint64_t rows = 0;
  std::uint64_t of_rows = 0;
  std::vector<std::uint64_t> positions;  // of the person's records, from 0
  bool is_separable = true;              // single records can be left out of a file of this format
};

struct VersionHit {
  meta::StoredVersion version;
  std::vector<model::FileEntry> files;
  std::uint64_t rows = 0;
  std::uint64_t of_rows = 0;
  bool has_other_files = false;  // without the person
  std::vector<model::UnsearchedFile> unsearched;
};

struct MaskedHit {
  meta::StoredVersion output;
  std::string source_version_id;
  std::string policy_revision_id;
  bool has_bytes = false;
};

struct SearchResult {
  Subject subject;  // with the pseudonyms that were found
  std::map<crypto::Digest, FileHit> files;
  std::vector<VersionHit> versions;
  std::vector<MaskedHit> masked;  // sources before what was masked from them
  std::set<std::string> clean;    // version ids: searched wholly, and nothing found
  std::set<crypto::Digest> searched_files;
  std::uint64_t versions_searched = 0;
  std::vector<std::string> notes;
};

// "pseudonym:hospital/patients-deid": the name space of a masked dataset's pseudonyms.
std::string pseudonym_space(const std::string& masked_name);

class ErasureSearch {
 public:
  ErasureSearch(meta::Store& store, cas::ContentStore& content, const SubjectIndex& index)
      : store_(store), content_(content), index_(index), read_manifest_(manifest_reader(store)) {}

  // REQUIRES: called once.
  Result<SearchResult> run(Subject subject);
  // Builds, or builds again, the index of one version. Gives how many different ids its files have in sum.
  Result<std::uint64_t> build_index(const meta::StoredVersion& version, const std::vector<SubjectColumn>& columns);

 private:
  struct Found;  // what a file's search gave

  Status load();
  Result<const ManifestBlobs*> blobs(const meta::StoredVersion& version);
  Status search_space(const std::string& name_space, SearchResult& result);
  Status search_version(const meta::StoredVersion& version, const SubjectColumn& column, SearchResult& result);
  // "" when it may or may not hold the person (`may_hold` says), or why it could not be searched.
  Result<std::string> ask_file(const model::FileEntry& file, const SubjectColumn& column, const Subject& subject,
                               bool& may_hold);
  Result<std::uint64_t> index_file(const model::FileEntry& file, const SubjectColumn& column);
  Status count_rows(FileHit& hit, const Subject& subject);
  Status find_masked(const meta::StoredVersion& source, SearchResult& result);
  Status link_pseudonyms(const meta::StoredVersion& source, const meta::StoredVersion& output, SearchResult& result);
  Status find_versions(SearchResult& result);
  void note_unsearched(SearchResult& result) const;

  meta::Store& store_;
  cas::ContentStore& content_;
  const SubjectIndex& index_;
  const ManifestReader read_manifest_;
  std::vector<meta::SubjectKeyRow> keys_;
  std::vector<meta::StoredVersion> versions_;
  std::map<std::string, ManifestBlobs> blobs_;                            // by version id
  std::map<std::string, std::vector<model::UnsearchedFile>> unsearched_;  // by version id
  std::set<std::string> declared_;                                        // version ids that were searched by a key
  std::set<std::pair<std::string, std::string>> masked_;                  // source and output that were followed
};

}  // namespace mlops::domain
