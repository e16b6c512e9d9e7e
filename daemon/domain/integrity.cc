#include "daemon/domain/integrity.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "daemon/domain/gc_marks.h"
#include "storage/cas/check.h"
#include "storage/meta/versions.h"

namespace mlops::domain {
namespace {

using Problems = std::vector<cas::Problem>;

// Names the problems of one manifest's blobs; `seen` spares a blob that many versions share.
Status check_blobs(cas::ContentStore& content, const ManifestReader& read, const crypto::Digest& manifest,
                   std::set<crypto::Digest>& seen, Problems& problems) {
  const auto blobs = blobs_of(read, content, manifest);
  if (!blobs && blobs.error().code != ErrorCode::kCorrupt) return fail(blobs.error());
  if (!blobs) {
    problems.push_back({"manifest " + manifest.to_string(), blobs.error().message});
    return {};
  }
  if (!blobs->is_readable) problems.push_back({blobs->tree->to_string(), "the list of files is missing or damaged"});
  for (const auto& file : blobs->files) {
    if (!seen.insert(file.digest).second || content.has(file.digest, file.size_bytes)) continue;
    problems.push_back({file.digest.to_string(), "missing, damaged, or of another size"});
  }
  return {};
}

// The digest in a problem's name, or the whole name.
std::string_view digest_in(std::string_view object) {
  const auto at = object.find("sha256:");
  return at == std::string_view::npos ? object : object.substr(at);
}

// Adds what is not named yet: an object of one chunk has its file's digest, and the file is what a person knows.
void add_unnamed(Problems more, Problems& problems) {
  std::set<std::string> named;
  for (const auto& problem : problems) named.emplace(digest_in(problem.object));
  for (auto& problem : more) {
    if (named.emplace(digest_in(problem.object)).second) problems.push_back(std::move(problem));
  }
}

Failure broken(const Problems& problems) {
  Json list = Json::array();
  for (const auto& problem : problems) list.push_back({{"object", problem.object}, {"problem", problem.problem}});
  return fail(ErrorCode::kCorrupt, "store_broken",
              fmt::format("{} stored object{} damaged, first {}: {}", problems.size(),
                          problems.size() == 1 ? " is" : "s are", problems.front().object, problems.front().problem),
              "register the artifacts again from their source to heal them, or restore a backup",
              canonical_dump({{"problems", std::move(list)}}));
}

}  // namespace

Result<audit::VerifyReport> Integrity::verify_audit() {
  return store_.read<audit::VerifyReport>([](sql::Connection& connection) { return audit::verify(connection); },
                                          meta::Patience::kLong);
}

Result<std::vector<Json>> Integrity::audit_entries(const audit::Filter& filter) {
  return store_.read<std::vector<Json>>(
      [&](sql::Connection& connection) { return audit::list_entries(connection, filter); });
}

Result<std::set<crypto::Digest>> Integrity::needed() {
  using Manifests = std::set<crypto::Digest>;
  return store_.read<Manifests>(
      [&](sql::Connection& connection) -> Result<Manifests> {
        MLOPS_ASSIGN(const auto roots, roots_at(connection, store_.clock().now_us()));
        MLOPS_ASSIGN(const auto receipts, receipts_of(connection));
        Manifests needed(roots.live.begin(), roots.live.end());
        for (const auto& kept : roots.kept) {
          // What a collection took before the version was protected is no damage.
          if (!receipts.contains(kept.version.id)) needed.insert(kept.version.manifest);
        }
        return needed;
      },
      meta::Patience::kLong);
}

Result<FsckReport> Integrity::fsck(const FsckOptions& options) {
  FsckReport report;
  cas::CheckReport checked;
  if (options.depth == FsckDepth::kReadData) {
    MLOPS_ASSIGN(checked, cas::check_packs(content_, {.sample = options.sample, .seed = options.seed}));
    report.read_objects = checked.objects;
    report.read_bytes = checked.bytes;
  }
  using Manifests = std::vector<std::pair<std::string, std::string>>;
  MLOPS_ASSIGN(const auto manifests,
               store_.read<Manifests>([](sql::Connection& connection) { return meta::all_manifests(connection); },
                                      meta::Patience::kLong));
  Problems problems;
  MLOPS_ASSIGN(const auto needed_now, needed());
  const auto read = manifest_reader(store_);
  std::set<crypto::Digest> seen;
  for (const auto& manifest : needed_now) MLOPS_TRY(check_blobs(content_, read, manifest, seen, problems));
  Problems altered;
  for (const auto& [digest, body] : manifests) {
    if (crypto::sha256(body).hex() != digest) {
      altered.push_back({"manifest sha256:" + digest, "content does not match its digest"});
    }
  }
  add_unnamed(std::move(altered), problems);
  add_unnamed(std::move(checked.problems), problems);
  add_unnamed(cas::damaged_objects(content_), problems);
  if (!problems.empty()) return broken(problems);
  report.store = content_.totals();
  report.manifests = manifests.size();
  return report;
}

}  // namespace mlops::domain
