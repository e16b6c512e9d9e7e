#include "storage/git/locks.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <vector>

#include "core/base/clock.h"
#include "core/base/env.h"
#include "core/base/log.h"
#include "core/base/text.h"

namespace mlops::git {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNoteName = "mlopsd-locking";
// A process fills the lock it has made at once; one that is empty for this long was cut off.
constexpr TimestampUs kEmptyForUs = 2'000'000;

enum class Owner { kNobody, kUs, kAnother, kUnknownYet };

Status remove_if_there(const std::string& path) {
  auto removed = posix_env().remove(path);
  if (!removed && removed.error().code == ErrorCode::kNotFound) return {};
  return removed;
}

// `content`: what the lock holds when it is whole.
Owner owner_of(const std::string& lock, std::string_view content) {
  struct stat info {};
  if (::lstat(lock.c_str(), &info) != 0) return errno == ENOENT ? Owner::kNobody : Owner::kAnother;
  if (!S_ISREG(info.st_mode) || info.st_uid != ::geteuid()) return Owner::kAnother;
  const auto found = read_file(lock, content.size() + 1);
  if (!found) return found.error().code == ErrorCode::kNotFound ? Owner::kNobody : Owner::kAnother;
  if (*found == content) return Owner::kUs;
  if (!content.starts_with(*found)) return Owner::kAnother;
  const auto made_at_us = static_cast<TimestampUs>(info.st_mtim.tv_sec) * 1'000'000 + info.st_mtim.tv_nsec / 1000;
  return SystemClock().now_us() - made_at_us >= kEmptyForUs ? Owner::kUs : Owner::kUnknownYet;
}

// Names of libgit2 1.5 and of write_file_atomic.
bool is_leftover(const fs::path& path) {
  const auto name = path.filename().string();
  return path.extension() == ".lock" || name.starts_with("tmp_object_git2_") || name.starts_with("pack_git2_") ||
         (name.starts_with(kNoteName) && path.extension() == ".tmp");
}

}  // namespace

void remove_leftovers(const std::string& mirror) {
  std::error_code error;
  std::vector<fs::path> leftovers;
  fs::recursive_directory_iterator entry(mirror, fs::directory_options::skip_permission_denied, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (!is_leftover(entry->path())) continue;
    std::error_code unknown;
    if (entry->symlink_status(unknown).type() == fs::file_type::regular) leftovers.push_back(entry->path());
  }
  std::int64_t removed = 0;
  for (const auto& path : leftovers) {
    if (fs::remove(path, error)) ++removed;
  }
  if (leftovers.empty()) return;
  log::info("git_leftovers_removed", {{"mirror", std::string_view(mirror)},
                                      {"removed", removed},
                                      {"kept", static_cast<std::int64_t>(leftovers.size()) - removed}});
}

Failure branch_locked(std::string_view remote, std::string_view lock) {
  return fail(ErrorCode::kUnavailable, "branch_locked",
              fmt::format("a branch of {} is locked by {}", remote, printable(lock)),
              "a git process works on it; when none does, it was cut off: remove that file");
}

LockNote::LockNote(std::string_view mirror, std::string_view remote)
    : path_((fs::path(mirror) / kNoteName).string()), remote_(remote) {}

Status LockNote::settle() const {
  const auto noted = read_file(path_);
  if (!noted) {
    if (noted.error().code == ErrorCode::kNotFound) return {};
    return fail(noted.error());
  }
  const auto line_end = noted->find('\n');
  if (line_end == noted->npos) return end();
  const auto lock = noted->substr(0, line_end);
  std::error_code error;
  if (!fs::exists(fs::path(lock).parent_path(), error)) return {};  // a folder that is not mounted yet, say
  switch (owner_of(lock, std::string_view(*noted).substr(line_end + 1))) {
    case Owner::kUnknownYet:
      return branch_locked(remote_, lock);
    case Owner::kUs:
      MLOPS_TRY(remove_if_there(lock));
      log::warn("git_lock_removed", {{"repository", std::string_view(remote_)}});
      break;
    case Owner::kNobody:
    case Owner::kAnother:
      break;
  }
  return end();
}

Status LockNote::begin(const std::string& lock, const std::string& commit) const {
  return write_file_atomic(path_, fmt::format("{}\n{}\n", lock, commit));
}

Status LockNote::end() const {
  return remove_if_there(path_);
}

}  // namespace mlops::git
