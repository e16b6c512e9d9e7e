#include "daemon/domain/integrity.h"

#include <fmt/format.h>

#include <set>

#include "core/model/manifest.h"
#include "storage/meta/versions.h"

namespace mlops::domain {
namespace {

constexpr std::size_t kTreeLimitBytes = 256u << 20;

void add(std::vector<cas::Problem>& problems, const std::string& object, std::string problem) {
  problems.push_back({object, std::move(problem)});
}

// Checks one manifest and names its blobs' problems; `seen` spares a blob that many versions share.
void check_manifest(cas::ContentStore& content, const std::string& digest_hex, const std::string& body,
                    std::set<crypto::Digest>& seen, std::vector<cas::Problem>& problems) {
  const auto name = "manifest sha256:" + digest_hex;
  if (crypto::sha256(body).hex() != digest_hex) return add(problems, name, "content does not match its digest");
  auto manifest = model::parse_manifest(body);
  if (!manifest) return add(problems, name, manifest.error().message);
  if (manifest->is_tree) {
    auto tree = content.read(manifest->tree_digest, kTreeLimitBytes);
    if (!tree) return add(problems, manifest->tree_digest.to_string(), tree.error().message);
    auto files = model::parse_tree(*tree);
    if (!files) return add(problems, manifest->tree_digest.to_string(), files.error().message);
    manifest->files = std::move(*files);
  }
  for (const auto& file : manifest->files) {
    if (!seen.insert(file.digest).second) continue;
    if (!content.has(file.digest, file.size_bytes)) {
      add(problems, file.digest.to_string(), "missing, damaged, or of another size");
    }
  }
}

Failure broken(const std::vector<cas::Problem>& problems) {
  Json list = Json::array();
  for (const auto& problem : problems) list.push_back({{"object", problem.object}, {"problem", problem.problem}});
  return fail(ErrorCode::kCorrupt, "store_broken",
              fmt::format("{} stored object{} damaged, first {}: {}", problems.size(), problems.size() == 1 ? " is" : "s are",
                          problems.front().object, problems.front().problem),
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

Result<FsckReport> Integrity::fsck(FsckDepth depth) {
  std::vector<cas::Problem> problems;
  if (depth == FsckDepth::kReadData) {
    MLOPS_ASSIGN(problems, content_.scrub());
  }
  using Manifests = std::vector<std::pair<std::string, std::string>>;
  MLOPS_ASSIGN(const auto manifests,
               store_.read<Manifests>([](sql::Connection& connection) { return meta::all_manifests(connection); },
                                      meta::Patience::kLong));
  std::set<crypto::Digest> seen;
  std::set<std::string> named;
  for (const auto& problem : problems) named.insert(problem.object);
  std::vector<cas::Problem> structural;
  for (const auto& [digest, body] : manifests) check_manifest(content_, digest, body, seen, structural);
  for (auto& problem : structural) {
    if (!named.contains(problem.object)) problems.push_back(std::move(problem));
  }
  if (!problems.empty()) return broken(problems);
  MLOPS_ASSIGN(const auto totals, content_.totals());
  return FsckReport{totals.blobs, totals.bytes, manifests.size()};
}

}  // namespace mlops::domain
