#include "daemon/domain/erasure_search.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "core/base/text.h"
#include "daemon/domain/blob_streams.h"
#include "daemon/domain/subject_rows.h"
#include "storage/meta/lineage.h"

namespace mlops::domain {
namespace {

constexpr std::string_view kPseudonymPrefix = "pseudonym:";
constexpr std::string_view kMaskedRole = "masked";

// What is said about one file, its form or its damage, is an answer about that file; the rest is an error of all.
bool is_about_file(const Error& error) {
  return error.code == ErrorCode::kInvalid || error.code == ErrorCode::kCorrupt;
}

void add_column(FileHit& hit, const SubjectColumn& column) {
  if (std::find(hit.columns.begin(), hit.columns.end(), column) == hit.columns.end()) hit.columns.push_back(column);
}

void add_note(SearchResult& result, std::string note) {
  if (std::find(result.notes.begin(), result.notes.end(), note) == result.notes.end()) {
    result.notes.push_back(std::move(note));
  }
}

std::vector<std::string> names_of(const std::vector<SubjectColumn>& columns) {
  std::vector<std::string> names;
  for (const auto& one : columns) names.push_back(one.column);
  return names;
}

}  // namespace

std::string pseudonym_space(const std::string& masked_name) {
  return std::string(kPseudonymPrefix) + masked_name;
}

Status ErasureSearch::load() {
  auto loaded = store_.read<bool>(
      [&](sql::Connection& connection) -> Result<bool> {
        MLOPS_ASSIGN(keys_, meta::list_subject_keys(connection));
        MLOPS_ASSIGN(versions_, meta::live_versions(connection));
        MLOPS_ASSIGN(auto deleted, meta::deleted_versions(connection));
        for (auto& version : deleted) versions_.push_back(std::move(version));
        return true;
      },
      meta::Patience::kLong);
  if (!loaded) return fail(loaded.error());
  std::sort(versions_.begin(), versions_.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return {};
}

Result<const ManifestBlobs*> ErasureSearch::blobs(const meta::StoredVersion& version) {
  const auto known = blobs_.find(version.id);
  if (known != blobs_.end()) return &known->second;
  MLOPS_ASSIGN(auto found, blobs_of(read_manifest_, content_, version.manifest));
  return &blobs_.emplace(version.id, std::move(found)).first->second;
}

Result<std::uint64_t> ErasureSearch::index_file(const model::FileEntry& file, const SubjectColumn& column) {
  MLOPS_ASSIGN(const auto blob, content_.open_blob(file.digest));
  BlobSource source(*blob, file);
  SubjectIndex::Builder builder(index_, file.digest, column);
  MLOPS_ASSIGN(const auto counts, walk_records(source, file.path, {column.column}, [&](auto ids) {
                 for (const auto& cell : ids) builder.add(cell.id);
                 return Fate::kStay;
               }));
  MLOPS_TRY(source.check_digest());
  if (!counts.has_column.front()) {
    return fail(ErrorCode::kInvalid, "column_missing", "the file has no such column");
  }
  return builder.finish();
}

Result<std::string> ErasureSearch::ask_file(const model::FileEntry& file, const SubjectColumn& column,
                                            const Subject& subject, bool& may_hold) {
  const auto& macs = subject.of(column.name_space);
  MLOPS_ASSIGN(auto answer, index_.may_hold(file.digest, column, macs));
  if (!answer) {
    const auto built = index_file(file, column);
    if (!built && is_about_file(built.error())) return built.error().slug;
    if (!built) return fail(built.error());
    MLOPS_ASSIGN(answer, index_.may_hold(file.digest, column, macs));
  }
  may_hold = answer.value_or(true);
  return std::string();
}

Status ErasureSearch::count_rows(FileHit& hit, const Subject& subject) {
  MLOPS_ASSIGN(const auto blob, content_.open_blob(hit.file.digest));
  BlobSource source(*blob, hit.file);
  hit.positions.clear();
  std::uint64_t at = 0;
  MLOPS_ASSIGN(const auto counts,
               walk_records(source, hit.file.path, names_of(hit.columns), [&](std::span<const SubjectCell> ids) {
                 const bool is_person = std::any_of(ids.begin(), ids.end(), [&](const auto& cell) {
                   return subject.is(hit.columns[cell.column].name_space, cell.id);
                 });
                 if (is_person) hit.positions.push_back(at);
                 ++at;
                 return Fate::kStay;
               }));
  MLOPS_TRY(source.check_digest());
  hit.rows = hit.positions.size();
  hit.of_rows = counts.records;
  hit.is_separable = counts.is_separable;
  return {};
}

Status ErasureSearch::search_version(const meta::StoredVersion& version, const SubjectColumn& column,
                                     SearchResult& result) {
  MLOPS_ASSIGN(const auto* files, blobs(version));
  if (version.deleted_at_us != 0 && !has_any(content_, *files)) return {};
  if (declared_.insert(version.id).second) ++result.versions_searched;
  auto& unsearched = unsearched_[version.id];
  if (!files->is_readable) unsearched.push_back({"", "tree_missing"});
  for (const auto& file : files->files) {
    if (!content_.has(file.digest, file.size_bytes)) {
      unsearched.push_back({file.path, "bytes_missing"});
      continue;
    }
    bool may_hold = false;
    MLOPS_ASSIGN(const auto why, ask_file(file, column, result.subject, may_hold));
    if (!why.empty()) {
      unsearched.push_back({file.path, why});
      continue;
    }
    result.searched_files.insert(file.digest);
    if (!may_hold) continue;
    FileHit hit;
    hit.file = file;
    if (const auto known = result.files.find(file.digest); known != result.files.end())
      hit.columns = known->second.columns;
    add_column(hit, column);
    const auto counted = count_rows(hit, result.subject);
    if (!counted && is_about_file(counted.error())) {
      unsearched.push_back({file.path, counted.error().slug});
      continue;
    }
    MLOPS_TRY(counted);
    if (hit.rows > 0) result.files[file.digest] = std::move(hit);
  }
  return {};
}

Status ErasureSearch::search_space(const std::string& name_space, SearchResult& result) {
  for (const auto& key : keys_) {
    if (key.name_space != name_space) continue;
    const SubjectColumn column{key.column, name_space};
    for (const auto& version : versions_) {
      if (version.kind != key.kind || version.name != key.name) continue;
      MLOPS_TRY(search_version(version, column, result));
    }
  }
  return {};
}

// Row for row the same table, so the person's pseudonyms stand where the person's ids stood.
Status ErasureSearch::link_pseudonyms(const meta::StoredVersion& source, const meta::StoredVersion& output,
                                      SearchResult& result) {
  MLOPS_ASSIGN(const auto* source_files, blobs(source));
  MLOPS_ASSIGN(const auto* output_files, blobs(output));
  for (const auto& file : source_files->files) {
    const auto hit = result.files.find(file.digest);
    if (hit == result.files.end()) continue;
    const auto masked = std::find_if(output_files->files.begin(), output_files->files.end(),
                                     [&](const auto& other) { return other.path == file.path; });
    if (masked == output_files->files.end() || !content_.has(masked->digest, masked->size_bytes)) continue;
    MLOPS_ASSIGN(const auto blob, content_.open_blob(masked->digest));
    BlobSource bytes(*blob, *masked);
    std::vector<std::string> pseudonyms;
    std::uint64_t at = 0;
    auto next = hit->second.positions.begin();
    const auto counts = walk_records(bytes, masked->path, names_of(hit->second.columns), [&](auto ids) {
      const bool is_person = next != hit->second.positions.end() && *next == at++;
      if (!is_person) return Fate::kStay;
      ++next;
      for (const auto& cell : ids) pseudonyms.emplace_back(cell.id);
      return Fate::kStay;
    });
    if (!counts && !is_about_file(counts.error())) return fail(counts.error());
    if (!counts || counts->records != hit->second.of_rows) {
      add_note(result, fmt::format("{} is not row for row {}: its pseudonyms were not looked for elsewhere",
                                   output.typed_ref(), source.typed_ref()));
      continue;
    }
    MLOPS_TRY(bytes.check_digest());
    for (const auto& pseudonym : pseudonyms) result.subject.add_id(pseudonym_space(output.name), pseudonym);
  }
  return {};
}

Status ErasureSearch::find_masked(const meta::StoredVersion& source, SearchResult& result) {
  std::deque<const meta::StoredVersion*> queue{&source};
  while (!queue.empty()) {
    const auto& from = *queue.front();
    queue.pop_front();
    MLOPS_ASSIGN(const auto edges, store_.read<std::vector<meta::EdgeRow>>([&](sql::Connection& connection) {
      return meta::edges_of(connection, from.id, meta::Direction::kDown);
    }));
    for (const auto& edge : edges) {
      if (edge.role != kMaskedRole || !masked_.insert({from.id, edge.to_version_id}).second) continue;
      const auto output = std::find_if(versions_.begin(), versions_.end(),
                                       [&](const auto& version) { return version.id == edge.to_version_id; });
      if (output == versions_.end()) continue;
      MLOPS_ASSIGN(const auto runs, store_.read<std::vector<meta::MaskingRunRow>>([&](sql::Connection& connection) {
        return meta::masking_runs_of_output(connection, edge.to_version_id);
      }));
      const auto run =
          std::find_if(runs.begin(), runs.end(), [&](const auto& one) { return one.source_version_id == from.id; });
      if (run == runs.end()) continue;
      MLOPS_ASSIGN(const auto* files, blobs(*output));
      result.masked.push_back({*output, from.id, run->policy_revision_id, has_any(content_, *files)});
      MLOPS_TRY(link_pseudonyms(from, *output, result));
      queue.push_back(&*output);
    }
  }
  return {};
}

// By the digests of the files, so that another name hides nothing.
Status ErasureSearch::find_versions(SearchResult& result) {
  result.versions.clear();
  for (const auto& version : versions_) {
    MLOPS_ASSIGN(const auto* files, blobs(version));
    VersionHit hit;
    for (const auto& file : files->files) {
      const auto found = result.files.find(file.digest);
      if (found == result.files.end()) {
        hit.has_other_files = true;
        continue;
      }
      hit.rows += found->second.rows;
      hit.of_rows += found->second.of_rows;
    }
    if (const auto open = unsearched_.find(version.id); open != unsearched_.end()) hit.unsearched = open->second;
    if (hit.rows == 0) {
      const bool is_clean = declared_.contains(version.id) && hit.unsearched.empty();
      if (is_clean) result.clean.insert(version.id);
      continue;
    }
    hit.version = version;
    hit.files = files->files;
    result.versions.push_back(std::move(hit));
  }
  return {};
}

Result<SearchResult> ErasureSearch::run(Subject subject) {
  MLOPS_TRY(load());
  SearchResult result{.subject = std::move(subject),
                      .files = {},
                      .versions = {},
                      .masked = {},
                      .clean = {},
                      .searched_files = {},
                      .versions_searched = 0,
                      .notes = {}};
  std::size_t known = 0;  // fingerprints looked for so far
  while (true) {
    const auto wanted = result.subject.stored();
    if (wanted.size() == known) break;
    known = wanted.size();
    unsearched_.clear();
    for (const auto& name_space : result.subject.name_spaces()) MLOPS_TRY(search_space(name_space, result));
    MLOPS_TRY(find_versions(result));
    for (const auto& hit : result.versions) MLOPS_TRY(find_masked(hit.version, result));
  }
  note_unsearched(result);
  return result;
}

// Of versions in which nobody was found; those of the others stand beside them.
void ErasureSearch::note_unsearched(SearchResult& result) const {
  struct Unread {
    std::set<std::string> files;
    std::set<std::string> versions;
  };
  std::map<std::string, Unread> by_reason;
  for (const auto& [id, files] : unsearched_) {
    const bool is_hit = std::any_of(result.versions.begin(), result.versions.end(),
                                    [&, &version = id](const auto& hit) { return hit.version.id == version; });
    if (is_hit) continue;
    for (const auto& file : files) {
      by_reason[file.why].files.insert(id + "/" + file.path);
      by_reason[file.why].versions.insert(id);
    }
  }
  for (const auto& [why, unread] : by_reason) {
    add_note(result, fmt::format("not searched: {} file{} of {} version{} ({})", unread.files.size(),
                                 unread.files.size() == 1 ? "" : "s", unread.versions.size(),
                                 unread.versions.size() == 1 ? "" : "s", why));
  }
}

Result<std::uint64_t> ErasureSearch::build_index(const meta::StoredVersion& version,
                                                 const std::vector<SubjectColumn>& columns) {
  MLOPS_ASSIGN(const auto* files, blobs(version));
  std::uint64_t subjects = 0;
  for (const auto& column : columns) {
    for (const auto& file : files->files) {
      const auto built = index_file(file, column);
      if (!built && is_about_file(built.error())) continue;
      if (!built) return fail(built.error());
      subjects += *built;
    }
  }
  return subjects;
}

}  // namespace mlops::domain
