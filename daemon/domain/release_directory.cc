#include "daemon/domain/release_directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/crypto/digest.h"

namespace mlops::domain {
namespace {

using model::DeliverySwitch;
using Rename = Dir::Rename;

constexpr std::string_view kReleasesDir = ".mlops-releases";
constexpr std::string_view kStagingPrefix = ".mlops-staging-";
constexpr std::string_view kLinkName = ".mlops-link";
constexpr std::size_t kIdBytes = 36;  // of a UUID as text
constexpr std::size_t kReleaseFileLimitBytes = 256u << 20;
constexpr std::size_t kPieceBytes = 256u << 10;

// Only what is called like a deployment is ours to rename or remove.
bool is_release_entry(const std::string& name) {
  const auto is_id_char = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == '-'; };
  return name.size() >= kIdBytes && std::all_of(name.begin(), name.begin() + kIdBytes, is_id_char) &&
         (name.size() == kIdBytes || std::string_view(name).substr(kIdBytes).starts_with("-r"));
}

Result<std::string> deployment_in(const Dir& release) {
  MLOPS_ASSIGN(const auto text, release.read_small_file(kReleaseFile, kReleaseFileLimitBytes));
  JsonLimits limits;
  limits.size_bytes = kReleaseFileLimitBytes;
  limits.nodes = 64'000'000;
  MLOPS_ASSIGN(const auto json, parse_json(text, limits));
  return require_string(json, "deployment");
}

Failure damaged(const Dir& where, const std::string& path) {
  return fail(ErrorCode::kCorrupt, "delivery_damaged",
              fmt::format("{}/{} does not hold what was written to it", where.shown(), printable(path)),
              "the disk may be failing; the release before stays");
}

// The directories between a release and its files, as a stack: files come sorted, so each is opened once.
class OpenPath {
 public:
  explicit OpenPath(const Dir& top) : top_(top) {}

  // Makes what is missing; what is left behind is made durable.
  Result<const Dir*> to(const std::vector<std::string_view>& segments) {
    std::size_t same = 0;
    while (same < open_.size() && same < segments.size() && open_[same].first == segments[same]) ++same;
    MLOPS_TRY(close_below(same));
    for (auto i = same; i < segments.size(); ++i) {
      MLOPS_ASSIGN(auto next, deepest().ensure_child(std::string(segments[i])));
      open_.emplace_back(std::string(segments[i]), std::make_unique<Dir>(std::move(next)));
    }
    return &deepest();
  }
  Status finish() {
    MLOPS_TRY(close_below(0));
    return top_.sync();
  }

 private:
  const Dir& deepest() const { return open_.empty() ? top_ : *open_.back().second; }
  Status close_below(std::size_t depth) {
    while (open_.size() > depth) {
      MLOPS_TRY(open_.back().second->sync());
      open_.pop_back();
    }
    return {};
  }

  const Dir& top_;
  std::vector<std::pair<std::string, std::unique_ptr<Dir>>> open_;
};

// Checked against its digest while it is written: the content store may hold damage that nobody has found yet.
Status write_blob(const Dir& dir, const std::string& name, const model::FileEntry& file, const BlobSource& source) {
  MLOPS_ASSIGN(const auto reader, source(file.digest));
  MLOPS_ASSIGN(auto out, dir.create_file(name));
  crypto::Hasher hasher;
  std::vector<std::uint8_t> piece(kPieceBytes);
  for (std::uint64_t offset = 0; offset < reader->size_bytes();) {
    MLOPS_ASSIGN(const auto count, reader->read_at(offset, piece));
    if (count == 0) break;
    const ByteView bytes(piece.data(), count);
    hasher.update(bytes);
    MLOPS_TRY(out.append(bytes));
    offset += count;
  }
  if (hasher.finish() != file.digest) {
    return fail(ErrorCode::kCorrupt, "blob_damaged", fmt::format("the stored bytes of {} are damaged", file.path),
                "`mlopsctl fsck` names what is damaged; registering the bytes again heals");
  }
  return out.finish();
}

// What lies in a release, compared with what should.
class Comparer {
 public:
  Comparer(const Placement& placement, const Pace& pace) : pace_(pace) {
    for (const auto& file : placement.files) expected_[file.path] = file.digest;
    expected_[kReleaseFile] = crypto::sha256(placement.release_json);
  }

  Result<Comparison> run(const Dir& release) {
    MLOPS_TRY(walk(release, ""));
    if (out_.is_complete) {
      for (const auto& [path, digest] : expected_) differs("missing", path);
    }
    return out_;
  }

 private:
  Status walk(const Dir& dir, const std::string& prefix) {
    MLOPS_ASSIGN(const auto entries, dir.list());
    for (const auto& entry : entries) {
      if (!out_.is_complete) return {};
      const auto path = prefix + entry.name;
      if (entry.kind == EntryKind::kDirectory) {
        MLOPS_ASSIGN(const auto child, dir.child(entry.name));
        MLOPS_TRY(walk(child, path + "/"));
      } else {
        MLOPS_TRY(compare_file(dir, entry, path));
      }
    }
    return {};
  }

  Status compare_file(const Dir& dir, const DirEntry& entry, const std::string& path) {
    const auto found = expected_.find(path);
    if (found == expected_.end()) {
      differs("unexpected", path);
      return {};
    }
    const auto digest = found->second;
    expected_.erase(found);
    if (entry.kind != EntryKind::kFile) {
      differs("changed", path);
      return {};
    }
    crypto::Hasher hasher;
    MLOPS_TRY(dir.read_file(entry.name, [&](ByteView bytes) -> Status {
      hasher.update(bytes);
      if (!pace_(bytes.size())) out_.is_complete = false;
      if (out_.is_complete) return {};
      return fail(ErrorCode::kTimeout, "stopped", "the comparison was ended");
    }));
    if (hasher.finish() != digest) differs("changed", path);
    return {};
  }

  void differs(std::string_view how, const std::string& path) {
    if (out_.differences++ == 0) out_.first = fmt::format("{}: {}", how, printable(path));
  }

  const Pace& pace_;
  std::map<std::string, crypto::Digest> expected_;
  Comparison out_;
};

}  // namespace

ReleaseDirectory::ReleaseDirectory(ReleaseDirectoryOptions options, Dir releases, Dir target)
    : options_(std::move(options)), releases_(std::move(releases)), target_(std::move(target)) {
  const auto depth = options_.path.empty() ? 0 : std::count(options_.path.begin(), options_.path.end(), '/') + 1;
  for (std::ptrdiff_t i = 0; i < depth; ++i) link_prefix_ += "../";
  link_prefix_ +=
      fmt::format("{}/{}{}{}/", kReleasesDir, options_.path, options_.path.empty() ? "" : "/", options_.name);
}

Result<ReleaseDirectory> ReleaseDirectory::open(ReleaseDirectoryOptions options) {
  auto root = Dir::open(options.root_dir, options.root_name, options.hook);
  if (!root) {
    if (root.error().code != ErrorCode::kNotFound) return fail(std::move(root.error()));
    return fail(ErrorCode::kUnavailable, "root_missing",
                fmt::format("the directory of root \"{}\" is missing", options.root_name),
                "make it, or mount it, on mlopsd's host");
  }
  MLOPS_ASSIGN(auto releases, root->ensure_child(std::string(kReleasesDir)));
  MLOPS_ASSIGN(auto target, Dir::open(options.root_dir, options.root_name, options.hook));
  if (!options.path.empty()) {
    for (const auto segment : split(std::string_view(options.path), '/')) {
      MLOPS_ASSIGN(releases, releases.ensure_child(std::string(segment)));
      MLOPS_ASSIGN(target, target.ensure_child(std::string(segment)));
    }
  }
  MLOPS_ASSIGN(releases, releases.ensure_child(options.name));
  return ReleaseDirectory(std::move(options), std::move(releases), std::move(target));
}

// The entry of the releases that NAME links to; nullopt: NAME is no link, or is not there.
Result<std::optional<std::string>> ReleaseDirectory::visible_entry() const {
  MLOPS_ASSIGN(const auto kind, target_.kind_of(options_.name));
  if (kind != EntryKind::kLink) return std::optional<std::string>();
  MLOPS_ASSIGN(const auto text, target_.read_link(options_.name));
  const bool is_ours = text.starts_with(link_prefix_) && is_release_entry(text.substr(link_prefix_.size()));
  if (is_ours) return std::optional<std::string>(text.substr(link_prefix_.size()));
  return fail(ErrorCode::kConflict, "name_taken",
              fmt::format("{}/{} is a link that mlopsd did not make", target_.shown(), options_.name),
              "move it away, or declare another path");
}

// What NAME shows, opened; nullopt: nothing yet. Something that is not mlopsd's is an error.
Result<std::optional<Dir>> ReleaseDirectory::visible() const {
  MLOPS_ASSIGN(const auto kind, target_.kind_of(options_.name));
  if (!kind) return std::optional<Dir>();
  MLOPS_ASSIGN(const auto entry, visible_entry());
  if (entry) {
    auto release = releases_.child(*entry);
    if (release) return std::optional<Dir>(std::move(*release));
    // A link to what somebody removed shows nothing, and may be replaced.
    if (release.error().code == ErrorCode::kNotFound) return std::optional<Dir>();
    return fail(std::move(release.error()));
  }
  if (*kind == EntryKind::kDirectory) {
    MLOPS_ASSIGN(auto release, target_.child(options_.name));
    MLOPS_ASSIGN(const auto about, release.kind_of(kReleaseFile));
    if (about == EntryKind::kFile) return std::optional<Dir>(std::move(release));
  }
  return fail(ErrorCode::kConflict, "name_taken",
              fmt::format("{}/{} is there already and not mlopsd's", target_.shown(), options_.name),
              "move it away, or declare another path");
}

Result<bool> ReleaseDirectory::shows(const Placement& placement) const {
  MLOPS_ASSIGN(const auto release, visible());
  if (!release) return false;
  // What should be a link or a directory and is the other is laid down again.
  MLOPS_ASSIGN(const auto entry, visible_entry());
  if (entry.has_value() != (options_.how == DeliverySwitch::kSymlink)) return false;
  const auto text = release->read_small_file(kReleaseFile, kReleaseFileLimitBytes);
  return text && *text == placement.release_json;
}

Result<std::string> ReleaseDirectory::free_entry(const std::string& deployment_id) const {
  auto name = deployment_id;
  for (int again = 1;; ++again) {
    MLOPS_ASSIGN(const auto kind, releases_.kind_of(name));
    if (!kind) return name;
    name = fmt::format("{}-r{}", deployment_id, again);
  }
}

Status ReleaseDirectory::stage(const Placement& placement, const BlobSource& source, const std::string& staging) const {
  MLOPS_ASSIGN(const auto top, releases_.ensure_child(staging));
  OpenPath open(top);
  for (const auto& file : placement.files) {
    auto segments = split(std::string_view(file.path), '/');
    const std::string name(segments.back());
    segments.pop_back();
    MLOPS_ASSIGN(const auto* dir, open.to(segments));
    MLOPS_TRY(write_blob(*dir, name, file, source));
  }
  MLOPS_ASSIGN(auto about, top.create_file(kReleaseFile));
  MLOPS_TRY(about.append(as_bytes(placement.release_json)));
  MLOPS_TRY(about.finish());
  MLOPS_TRY(open.finish());
  const Pace at_once = [](std::size_t) { return true; };
  MLOPS_ASSIGN(const auto compared, Comparer(placement, at_once).run(top));
  if (compared.differences > 0) return damaged(top, compared.first);
  return {};
}

Status ReleaseDirectory::deliver(const Placement& placement, const BlobSource& source) {
  MLOPS_TRY(releases_.lock());
  MLOPS_TRY(tidy());
  MLOPS_TRY(visible());
  MLOPS_ASSIGN(const auto before, visible_entry());
  MLOPS_ASSIGN(const auto entry, free_entry(placement.deployment_id));
  const auto staging = std::string(kStagingPrefix) + placement.deployment_id;
  auto shown = stage(placement, source, staging);
  if (shown) shown = releases_.rename(staging, releases_, entry, Rename::kNoReplace);
  if (shown) shown = releases_.sync();
  if (shown) shown = show(entry);
  if (!shown) {
    // Room for the next try; what cannot be removed now is cleared away then.
    (void)releases_.remove_tree(staging);
    (void)releases_.remove_tree(entry);
    return shown;
  }
  MLOPS_TRY(target_.sync());
  MLOPS_TRY(releases_.sync());
  if (before) {
    if (const auto old = releases_.child(*before)) (void)old->touch();
  }
  auto cleared = tidy();
  if (cleared) cleared = prune();
  if (!cleared) log::warn("delivery_not_cleared", {{"slug", std::string_view(cleared.error().slug)}});
  return {};
}

// The one step that readers see.
Status ReleaseDirectory::show(const std::string& entry) const {
  MLOPS_ASSIGN(const auto kind, target_.kind_of(options_.name));
  const bool as_link = options_.how == DeliverySwitch::kSymlink;
  const auto link = std::string(kLinkName);
  if (as_link) MLOPS_TRY(releases_.make_link(link_prefix_ + entry, link));
  const auto& shown = as_link ? link : entry;
  const bool trades = kind == EntryKind::kDirectory || (kind && !as_link);
  const auto otherwise = as_link ? Rename::kReplace : Rename::kNoReplace;
  return releases_.rename(shown, target_, options_.name, trades ? Rename::kExchange : otherwise);
}

// Leftovers of a crash or a failure, and of an exchange: what was visible lies under the name of what is.
Status ReleaseDirectory::tidy() const {
  MLOPS_ASSIGN(const auto entries, releases_.list());
  for (const auto& entry : entries) {
    const bool is_link = entry.name == kLinkName;
    if (entry.name.starts_with(kStagingPrefix) || (is_link && entry.kind == EntryKind::kLink)) {
      MLOPS_TRY(releases_.remove_tree(entry.name));
    } else if (is_release_entry(entry.name) && entry.kind == EntryKind::kLink) {
      MLOPS_TRY(releases_.remove_file(entry.name));
    } else if (is_link) {
      MLOPS_TRY(adopt(entry.name));
    }
  }
  MLOPS_ASSIGN(const auto kind, target_.kind_of(options_.name));
  if (kind != EntryKind::kDirectory) return {};
  MLOPS_ASSIGN(const auto shown, visible());
  const auto id = shown ? deployment_in(*shown) : Result<std::string>(std::string());
  if (!id || id->empty()) return {};
  for (const auto& entry : entries) {
    if (entry.kind == EntryKind::kDirectory && entry.name.starts_with(*id)) MLOPS_TRY(adopt(entry.name));
  }
  return {};
}

// A release that lost its place gets its own name back.
Status ReleaseDirectory::adopt(const std::string& entry) const {
  MLOPS_ASSIGN(const auto kind, releases_.kind_of(entry));
  if (!kind) return {};
  std::string id;
  {
    MLOPS_ASSIGN(const auto release, releases_.child(entry));
    const auto found = deployment_in(release);
    if (found && is_release_entry(*found) && found->size() == kIdBytes) id = *found;
    (void)release.touch();
  }
  if (id.empty()) return releases_.remove_tree(entry);
  if (entry.starts_with(id)) return {};
  MLOPS_ASSIGN(const auto name, free_entry(id));
  return releases_.rename(entry, releases_, name, Rename::kNoReplace);
}

Status ReleaseDirectory::prune() const {
  MLOPS_ASSIGN(const auto shown, visible_entry());
  MLOPS_ASSIGN(auto entries, releases_.list());
  std::reverse(entries.begin(), entries.end());  // ids sort by their time: the newest first
  const auto now_us = SystemClock().now_us();
  std::size_t kept = 0;
  for (const auto& entry : entries) {
    if (!is_release_entry(entry.name) || entry.kind != EntryKind::kDirectory || entry.name == shown) continue;
    if (kept++ < options_.keep) continue;
    MLOPS_ASSIGN(const auto replaced_at_us, releases_.modified_at_us(entry.name));
    if (replaced_at_us + options_.grace_us < now_us) MLOPS_TRY(releases_.remove_tree(entry.name));
  }
  return {};
}

Result<Comparison> ReleaseDirectory::compare(const Placement& placement, const Pace& pace) const {
  Comparison nothing;
  nothing.differences = 1;
  nothing.first = "missing: the release";
  const auto release = visible();
  if (!release && release.error().slug != "name_taken") return fail(release.error());
  if (!release || !*release) return nothing;
  auto compared = Comparer(placement, pace).run(**release);
  if (!compared && compared.error().slug == "stopped") {
    Comparison ended;
    ended.is_complete = false;
    return ended;
  }
  return compared;
}

}  // namespace mlops::domain
