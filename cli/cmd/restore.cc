#include "cli/cmd/restore.h"

#include <fmt/format.h>

#include <filesystem>
#include <set>
#include <system_error>

#include "cli/cmd/fields.h"
#include "cli/cmd/late_removal.h"
#include "cli/cmd/query.h"
#include "core/base/env.h"
#include "core/base/id.h"
#include "core/base/text.h"
#include "core/model/names.h"

namespace mlops::cli {
namespace {

namespace fs = std::filesystem;

Failure io_failure(const fs::path& path, const std::error_code& error) {
  return fail(ErrorCode::kUnavailable, "io_error", fmt::format("{}: {}", printable(path.string()), error.message()));
}

Status make_directories(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return io_failure(path, error);
  return {};
}

// Removes itself and what is left in it, whatever way the restoring ends.
class Staging {
 public:
  static Result<Staging> create(const fs::path& beside) {
    fs::path path = beside;
    path += fmt::format(".mlops-part-{}", new_id(SystemClock()).substr(0, 18));
    MLOPS_TRY(make_directories(path.parent_path().empty() ? "." : path.parent_path()));
    MLOPS_TRY(posix_env().make_dir(path.string(), 0755));
    return Staging(std::move(path));
  }
  Staging(Staging&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Staging& operator=(Staging&&) = delete;
  ~Staging() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  explicit Staging(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
};

Failure manifest_mismatch(const Json& version, const crypto::Digest& expected) {
  return fail(ErrorCode::kCorrupt, "manifest_mismatch",
              fmt::format("the files listed for {} do not make up its digest {}", text_of(version, "ref"),
                          expected.to_string()),
              "nothing was restored; ask an administrator to run mlopsctl fsck --read-data");
}

// Every directory from the target to the file: made when absent, refused when a link.
Status prepare_parents(const fs::path& root, const std::string& path) {
  fs::path at = root;
  const auto parts = split(path, '/');
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    at /= parts[i];
    std::error_code error;
    const auto type = fs::symlink_status(at, error).type();
    if (type == fs::file_type::symlink) {
      return fail(ErrorCode::kInvalid, "symlink_refused",
                  fmt::format("{} is a symbolic link; files are not written through links", printable(at.string())),
                  "remove the link, or restore into a new directory");
    }
    if (type == fs::file_type::not_found) MLOPS_TRY(posix_env().make_dir(at.string(), 0755));
  }
  return {};
}

// Directories of the files, each once.
Status prepare_all(const fs::path& root, const std::vector<model::FileEntry>& files) {
  std::string last = "/";  // no file's parent
  for (const auto& file : files) {
    const auto slash = file.path.rfind('/');
    const auto parent = slash == std::string::npos ? std::string() : file.path.substr(0, slash);
    if (parent == last) continue;
    MLOPS_TRY(prepare_parents(root, file.path));
    last = parent;
  }
  return {};
}

struct Staged {
  std::vector<model::FileEntry> files;
  FetchResult fetched;
};

Result<Staged> fetch_all(Session& session, const Json& version, const std::vector<model::FileEntry>& files,
                         const fs::path& staging, const std::string& directory, OlderFiles older,
                         const PullOptions& options) {
  MLOPS_ASSIGN(const auto plan, plan_fetch(session, version, files, staging.string(), directory, older, options.how));
  Staged staged;
  for (const auto& fetch : plan.files) staged.files.push_back(fetch.file);
  MLOPS_TRY(prepare_all(staging, staged.files));
  MLOPS_ASSIGN(staged.fetched, fetch_files(session, plan.files, staging.string(), options.durability));
  for (const auto& file : plan.unchanged) staged.fetched.local_bytes += file.size_bytes;
  return staged;
}

// Names too must be on the disk when the files must be.
Status sync_dir(const fs::path& path, Durability durability) {
  return durability == Durability::kDisk ? posix_env().sync_dir(path.string()) : Status{};
}

Status move_into(const std::vector<model::FileEntry>& files, const fs::path& staging, const fs::path& directory,
                 Durability durability) {
  std::set<fs::path> touched{directory};
  MLOPS_TRY(prepare_all(directory, files));
  LateRemoval replaced;
  for (const auto& file : files) {
    const auto target = directory / file.path;
    replaced.hold(target.string());
    MLOPS_TRY(posix_env().rename_replace((staging / file.path).string(), target.string()));
    touched.insert(target.parent_path());
  }
  for (const auto& path : touched) MLOPS_TRY(sync_dir(path, durability));
  return {};
}

}  // namespace

Result<std::vector<model::FileEntry>> proven_files(const Json& version, const Json& files) {
  const auto kind = model::artifact_kind_from_word(text_of(version, "kind"));
  MLOPS_ASSIGN(const auto expected, crypto::Digest::parse(text_of(version, "digest")));
  std::vector<model::FileEntry> entries;
  for (const auto& file : array_of(files, "items")) {
    auto path = text_of(file, "path");
    // The server checked it at registration; a server may be wrong or not the one it claims to be.
    MLOPS_TRY(model::check_file_path(path));
    MLOPS_ASSIGN(const auto digest, crypto::Digest::parse(text_of(file, "digest")));
    entries.push_back({std::move(path), digest, static_cast<std::uint64_t>(int_of(file, "size_bytes"))});
  }
  MLOPS_ASSIGN(auto manifest, model::make_manifest(kind.value_or(model::ArtifactKind::kModel), std::move(entries)));
  if (!kind || crypto::sha256(model::manifest_bytes(manifest)) != expected) {
    return manifest_mismatch(version, expected);
  }
  return std::move(manifest.files);
}

Result<std::vector<model::FileEntry>> proven_tree(Session& session, const Json& version) {
  MLOPS_ASSIGN(const auto expected, crypto::Digest::parse(text_of(version, "digest")));
  const auto ref = text_of(version, "kind") + ":" + text_of(version, "ref");
  MLOPS_ASSIGN(const auto bytes, session.api().get_bytes(item_path("versions", ref, "/manifest")));
  if (crypto::sha256(bytes) != expected) return manifest_mismatch(version, expected);
  MLOPS_ASSIGN(auto manifest, model::parse_manifest(bytes));
  if (!manifest.is_tree) return std::move(manifest.files);
  std::string tree;
  tree.reserve(manifest.tree_size_bytes);
  MLOPS_TRY(session.api().get_for_stream("/api/v1/blobs/" + url_encode(manifest.tree_digest.to_string()),
                                         [&](ByteView piece) -> Status {
                                           if (tree.size() + piece.size() > manifest.tree_size_bytes) {
                                             return manifest_mismatch(version, expected);
                                           }
                                           tree.append(reinterpret_cast<const char*>(piece.data()), piece.size());
                                           return {};
                                         }));
  if (crypto::sha256(tree) != manifest.tree_digest) return manifest_mismatch(version, expected);
  return model::parse_tree(tree);
}

Status check_target(const std::string& directory, Overwrite overwrite) {
  std::error_code error;
  const auto status = fs::status(directory, error);
  if (status.type() == fs::file_type::not_found) return {};
  if (error) return io_failure(directory, error);
  if (status.type() != fs::file_type::directory) {
    return fail(ErrorCode::kAlreadyExists, "not_a_directory",
                fmt::format("{} is not a directory", printable(directory)));
  }
  const bool is_empty = fs::is_empty(directory, error);
  if (error) return io_failure(directory, error);
  if (!is_empty && overwrite == Overwrite::kNo) {
    return fail(ErrorCode::kAlreadyExists, "directory_not_empty", fmt::format("{} is not empty", printable(directory)),
                "name a new directory, or add --force to replace files of the same names");
  }
  return {};
}

Result<FetchResult> restore_files(Session& session, const Json& version, const std::vector<model::FileEntry>& files,
                                  const std::string& directory, const PullOptions& options) {
  const auto durability = options.durability;
  fs::path target = fs::path(directory).lexically_normal();
  if (!target.has_filename() && target.has_parent_path() && target != target.root_path()) target = target.parent_path();
  std::error_code error;
  const bool exists = fs::exists(target, error);
  const auto old_directory = exists ? target.string() : std::string();
  const auto stage = [&](OlderFiles older) -> Result<FetchResult> {
    // Inside an existing target, because that may be a file system of its own.
    MLOPS_ASSIGN(const auto staging, Staging::create(exists ? target / "" : target));
    MLOPS_ASSIGN(const auto staged, fetch_all(session, version, files, staging.path(), old_directory, older, options));
    if (exists) {
      MLOPS_TRY(move_into(staged.files, staging.path(), target, durability));
      return staged.fetched;
    }
    MLOPS_TRY(sync_dir(staging.path(), durability));
    MLOPS_TRY(posix_env().rename_no_replace(staging.path().string(), target.string()));
    MLOPS_TRY(sync_dir(target.has_parent_path() ? target.parent_path() : fs::path("."), durability));
    return staged.fetched;
  };
  auto fetched = stage(OlderFiles::kUse);
  // An older file that is not what it seemed to be: everything from the server, then.
  const bool has_guessed_wrong = !fetched && fetched.error().slug == "digest_mismatch" && exists;
  return has_guessed_wrong ? stage(OlderFiles::kIgnore) : fetched;
}

}  // namespace mlops::cli
