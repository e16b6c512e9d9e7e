#include "daemon/domain/clearance.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/model/manifest.h"
#include "core/model/reference.h"
#include "storage/meta/lineage.h"
#include "storage/meta/versions.h"

namespace mlops::domain {
namespace {

constexpr std::size_t kPage = 1000;
constexpr std::size_t kTreeLimitBytes = 256u << 20;
constexpr auto kHighest = model::Sensitivity::kChild;

Failure exceeded(model::Sensitivity label, const model::Principal& principal, std::string hint) {
  return fail(
      ErrorCode::kRefused, "clearance_exceeded",
      fmt::format("these bytes are {}, the token clears at most {}", to_word(label), to_word(principal.clearance)),
      std::move(hint));
}

// The newest version that masking made of `source` and the principal may read.
Result<std::optional<model::Version>> masked_view(sql::Connection& connection, const model::Principal& principal,
                                                  const model::Version& source) {
  MLOPS_ASSIGN(const auto edges, meta::edges_of(connection, source.id, meta::Direction::kDown));
  std::optional<model::Version> newest;
  for (const auto& edge : edges) {
    if (edge.role != "masked" || edge.from_version_id != source.id) continue;
    MLOPS_ASSIGN(auto version, meta::get_version(connection, edge.to_version_id));
    const bool readable = version.deleted_at_us == 0 && version.sensitivity <= principal.clearance;
    if (readable && (!newest || newest->created_at_us < version.created_at_us)) newest = std::move(version);
  }
  return newest;
}

}  // namespace

Status Clearance::add(sql::Connection& connection, const model::Version& version) {
  const auto put = [&](const crypto::Digest& digest) {
    const auto [known, is_new] = lowest_.emplace(digest, version.sensitivity);
    if (!is_new) known->second = std::min(known->second, version.sensitivity);
  };
  MLOPS_ASSIGN(const auto body, meta::manifest_body(connection, version.digest));
  MLOPS_ASSIGN(auto manifest, model::parse_manifest(body));
  if (manifest.is_tree) {
    put(manifest.tree_digest);
    const auto tree = content_.read(manifest.tree_digest, kTreeLimitBytes);
    if (!tree) return {};  // its bytes are gone: nothing of it can be read by anybody
    MLOPS_ASSIGN(manifest.files, model::parse_tree(*tree));
  }
  for (const auto& file : manifest.files) put(file.digest);
  return {};
}

Status Clearance::catch_up(sql::Connection& connection) {
  std::string newest;
  meta::VersionFilter filter;
  filter.limit = kPage;
  while (true) {
    MLOPS_ASSIGN(const auto versions, meta::list_versions(connection, filter));
    for (const auto& version : versions) {
      if (newest.empty()) newest = version.id;
      if (version.id <= newest_id_) break;
      MLOPS_TRY(add(connection, version));
    }
    if (versions.size() < kPage || versions.back().id <= newest_id_) break;
    filter.after_id = versions.back().id;
  }
  if (!newest.empty()) newest_id_ = newest;
  return {};
}

Status Clearance::check(const model::Principal& principal, const std::vector<crypto::Digest>& files) {
  if (principal.clearance >= kHighest) return {};
  std::lock_guard lock(mutex_);
  const auto caught_up =
      store_.read<bool>([&](sql::Connection& connection) { return catch_up(connection).map([] { return true; }); });
  if (!caught_up) return fail(caught_up.error());
  for (const auto& file : files) {
    const auto known = lowest_.find(file);
    const auto label = known == lowest_.end() ? kHighest : known->second;
    if (label <= principal.clearance) continue;
    return exceeded(label, principal, "pull --masked gives a masked version where there is one");
  }
  return {};
}

Result<model::Version> Clearance::view(const model::Principal& principal, const std::string& ref) {
  return store_.read<model::Version>([&](sql::Connection& connection) -> Result<model::Version> {
    MLOPS_ASSIGN(const auto reference, model::parse_version_reference(ref));
    MLOPS_ASSIGN(auto version, meta::resolve(connection, reference));
    if (version.sensitivity <= principal.clearance) return version;
    MLOPS_ASSIGN(auto masked, masked_view(connection, principal, version));
    if (masked) return std::move(*masked);
    return exceeded(version.sensitivity, principal,
                    fmt::format("no masked version of {} is within it: promote it to an environment whose policy masks",
                                version.ref()));
  });
}

}  // namespace mlops::domain
