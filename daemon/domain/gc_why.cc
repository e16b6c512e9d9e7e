// The path that keeps an object: from a version that must keep its bytes down to it.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/text.h"
#include "daemon/domain/gc.h"
#include "storage/meta/versions.h"

namespace mlops::domain {
namespace {

constexpr std::int64_t kSecondUs = 1'000'000;

using Path = std::vector<WhyStep>;

WhyStep version_step(const meta::StoredVersion& version) {
  return {"version", version.typed_ref(), {}};
}
WhyStep manifest_step(const meta::StoredVersion& version) {
  return {"manifest", {}, version.manifest.to_string()};
}

// Looks for one object in versions, one after the other; what was looked at once is not looked at again.
class Search {
 public:
  Search(meta::Store& store, cas::ContentStore& content, const crypto::Digest& wanted,
         const std::vector<cas::ObjectKind>& kinds)
      : read_(manifest_reader(store)), content_(content), wanted_(wanted), kinds_(kinds) {
    // A blob is found by its name; only what may lie inside of one is looked for there.
    std::erase(kinds_, cas::ObjectKind::kBlob);
  }

  // Empty: the version does not hold it.
  Result<Path> find(const meta::StoredVersion& version) {
    Path path{version_step(version), manifest_step(version)};
    if (version.manifest == wanted_) return path;
    if (!manifests_.insert(version.manifest).second) return Path();
    MLOPS_ASSIGN(const auto blobs, blobs_of(read_, content_, version.manifest));
    if (blobs.tree) {
      path.push_back({"tree", {}, blobs.tree->to_string()});
      auto below = path;
      if (descend(*blobs.tree, below)) return below;
    }
    for (const auto& file : blobs.files) {
      auto below = path;
      below.push_back({"file", file.path, file.digest.to_string()});
      if (descend(file.digest, below)) return below;
    }
    return Path();
  }

 private:
  // True when the blob is the object or holds it; `path` is continued down to it then.
  bool descend(const crypto::Digest& blob, Path& path) {
    if (blob == wanted_) return true;
    if (kinds_.empty() || !blobs_.insert(blob).second) return false;
    for (const auto kind : kinds_) {
      const auto inside = cas::path_in_blob(content_, blob, {kind, wanted_});
      if (!inside || inside->empty()) continue;  // a damaged blob holds nothing that could be told
      for (const auto& key : *inside) {
        if (key.digest != blob) path.push_back({std::string(to_word(key.kind)), {}, key.digest.to_string()});
      }
      return true;
    }
    return false;
  }

  const ManifestReader read_;
  cas::ContentStore& content_;
  const crypto::Digest wanted_;
  std::vector<cas::ObjectKind> kinds_;
  std::set<crypto::Digest> manifests_;
  std::set<crypto::Digest> blobs_;
};

struct AllVersions {
  std::vector<meta::StoredVersion> live;
  Roots roots;
};

Result<AllVersions> all_versions(meta::Store& store) {
  return store.read<AllVersions>(
      [&](sql::Connection& connection) -> Result<AllVersions> {
        AllVersions all;
        MLOPS_ASSIGN(all.live, meta::live_versions(connection));
        MLOPS_ASSIGN(all.roots, roots_at(connection, store.clock().now_us()));
        return all;
      },
      meta::Patience::kLong);
}

// Itself, or something above it: a leased file stands for all its chunks.
bool is_leased(const cas::Leases& leases, const Path& path, const crypto::Digest& object) {
  std::vector<crypto::Digest> digests{object};
  for (const auto& step : path) {
    if (const auto digest = crypto::Digest::parse(step.digest)) digests.push_back(*digest);
  }
  for (const auto& digest : digests) {
    for (const auto kind : {cas::ObjectKind::kBlob, cas::ObjectKind::kChunk, cas::ObjectKind::kNode}) {
      if (leases.holds({kind, digest})) return true;
    }
  }
  return false;
}

std::optional<crypto::Digest> digest_in(const std::string& target) {
  if (auto whole = crypto::Digest::parse(target)) return *whole;
  if (auto hex = crypto::Digest::parse_hex(target)) return *hex;
  return std::nullopt;
}

}  // namespace

std::string_view to_word(WhyView::Verdict verdict) {
  constexpr std::string_view kWords[] = {"live", "protected", "young", "leased", "nothing", "trash", "gone"};
  return kWords[static_cast<std::size_t>(verdict)];
}

Result<WhyView> Gc::why(const std::string& target) {
  if (const auto digest = digest_in(target)) return why_object(*digest);
  if (target.starts_with("sha256:")) {
    return fail(ErrorCode::kInvalid, "bad_target", "a stored object is named by its whole digest, 64 digits",
                "or name a version: `mlopsctl gc why name@v3`");
  }
  return why_version(target);
}

Result<WhyView> Gc::why_version(const std::string& ref) {
  MLOPS_ASSIGN(const auto reference, model::parse_version_reference(ref));
  struct Found {
    model::Version version;
    Roots roots;
  };
  MLOPS_ASSIGN(const auto found, store_.read<Found>(
                                     [&](sql::Connection& connection) -> Result<Found> {
                                       MLOPS_ASSIGN(auto version, meta::resolve(connection, reference));
                                       MLOPS_ASSIGN(auto roots, roots_at(connection, store_.clock().now_us()));
                                       return Found{std::move(version), std::move(roots)};
                                     },
                                     meta::Patience::kLong));
  WhyView view;
  view.target = found.version.typed_ref();
  view.kinds = {"version"};
  view.path = {{"version", found.version.typed_ref(), {}}, {"manifest", {}, found.version.digest.to_string()}};
  MLOPS_ASSIGN(const auto blobs, blobs_of(manifest_reader(store_), content_, found.version.digest));
  view.is_stored = has_all(content_, blobs);
  if (found.version.deleted_at_us == 0) {
    view.verdict = WhyView::Verdict::kLive;
    return view;
  }
  for (const auto* list : {&found.roots.kept, &found.roots.loose}) {
    for (const auto& deleted : *list) {
      if (deleted.version.id == found.version.id) view.deleted = deleted;
    }
  }
  if (view.deleted && !view.deleted->protections.empty()) {
    view.verdict = WhyView::Verdict::kProtected;
    return view;
  }
  MLOPS_TRY(judge_loose(view, blobs.tree            ? *blobs.tree
                              : blobs.files.empty() ? found.version.digest
                                                    : blobs.files.front().digest));
  return view;
}

Result<WhyView> Gc::why_object(const crypto::Digest& digest) {
  const auto kinds = cas::kinds_of(content_, digest);
  MLOPS_ASSIGN(const auto all, all_versions(store_));
  WhyView view;
  view.target = digest.to_string();
  view.is_stored = !kinds.empty();
  for (const auto kind : kinds) view.kinds.emplace_back(to_word(kind));
  Search search(store_, content_, digest, kinds);
  const auto note = [&](Path path) {
    const auto& last = path.back();
    if (std::find(view.kinds.begin(), view.kinds.end(), last.kind) == view.kinds.end()) {
      view.kinds.insert(view.kinds.begin(), last.kind);
    }
    // A manifest lies in the database.
    if (last.kind == "manifest") view.is_stored = true;
    view.path = std::move(path);
  };
  for (const auto& version : all.live) {
    MLOPS_ASSIGN(auto path, search.find(version));
    if (path.empty()) continue;
    note(std::move(path));
    view.verdict = WhyView::Verdict::kLive;
    return view;
  }
  for (const auto* list : {&all.roots.kept, &all.roots.loose}) {
    for (const auto& deleted : *list) {
      MLOPS_ASSIGN(auto path, search.find(deleted.version));
      if (path.empty()) continue;
      note(std::move(path));
      view.deleted = deleted;
      view.verdict = WhyView::Verdict::kProtected;
      if (deleted.protections.empty()) MLOPS_TRY(judge_loose(view, digest));
      return view;
    }
  }
  if (kinds.empty()) {
    return fail(ErrorCode::kNotFound, "object_unknown",
                fmt::format("{} is neither stored nor named by any version", digest.to_string()),
                "a digest of `mlopsctl show REF` names a file; `mlopsctl gc runs` lists what was collected");
  }
  MLOPS_TRY(judge_loose(view, digest));
  return view;
}

// Nothing refers to it: it is in the trash or gone, or stays until somebody's push or its youth ends.
Status Gc::judge_loose(WhyView& view, const crypto::Digest& object) {
  if (!view.is_stored) {
    view.verdict = WhyView::Verdict::kGone;
    if (!view.deleted) return {};
    MLOPS_ASSIGN(const auto receipts, store_.read<Receipts>(receipts_of, meta::Patience::kLong));
    MLOPS_ASSIGN(const auto trash, cas::list_trash(content_));
    const auto named = receipts.find(view.deleted->version.id);
    if (named == receipts.end()) return {};
    for (const auto& row : named->second) {
      const auto run = view_of(row, trash);
      if (!run.trash) continue;
      view.verdict = WhyView::Verdict::kInTrash;
      view.trash_run = row.id;
      view.until_us = run.swept_after_us;
    }
    return {};
  }
  view.verdict =
      is_leased(content_.leases(), view.path, object) ? WhyView::Verdict::kLeased : WhyView::Verdict::kNothing;
  const auto packs = content_.packs().packs();
  for (const auto kind : cas::kinds_of(content_, object)) {
    const cas::ObjectKey key{kind, object};
    const auto at = content_.packs().locate(key);
    if (!at) continue;
    const auto pack = std::find_if(packs.begin(), packs.end(), [&](const auto& p) { return p.slot == at->first.pack; });
    if (pack == packs.end()) continue;
    const auto until_us = pack->written_at_us + options_.lease_s * kSecondUs;
    if (until_us <= store_.clock().now_us() || until_us < view.until_us) continue;
    view.until_us = until_us;
    if (view.verdict != WhyView::Verdict::kLeased) view.verdict = WhyView::Verdict::kYoung;
  }
  return {};
}

}  // namespace mlops::domain
