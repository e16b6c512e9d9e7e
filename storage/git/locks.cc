#include "storage/git/locks.h"

#include <fmt/format.h>

#include <filesystem>
#include <vector>

#include "core/base/env.h"
#include "core/base/log.h"

namespace mlops::git {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNoteName = "mlopsd-locking";
// How far the lock's time may lie from the note's. Clocks of file systems tick in steps, and a loaded machine may stop
// between the two.
constexpr TimestampUs kNotBeforeUs = 1'000'000;
constexpr TimestampUs kNotAfterUs = 10'000'000;

Status remove_if_there(const std::string& path) {
  auto removed = posix_env().remove(path);
  if (!removed && removed.error().code == ErrorCode::kNotFound) return {};
  return removed;
}

}  // namespace

Status remove_locks(const std::string& mirror) {
  std::error_code error;
  std::vector<std::string> locks;
  fs::recursive_directory_iterator entry(mirror, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    const auto& path = entry->path();
    if (entry.depth() == 0 && path.filename() == "objects") entry.disable_recursion_pending();  // many, never locked
    if (path.extension() == ".lock") locks.push_back(path.string());
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return fail(ErrorCode::kUnavailable, "git_error", fmt::format("cannot read {}: {}", mirror, error.message()));
  }
  for (const auto& lock : locks) {
    MLOPS_TRY(posix_env().remove(lock));
    log::info("git_lock_removed", {{"path", std::string_view(lock)}});
  }
  return {};
}

LockNote::LockNote(const std::string& mirror, std::string lock)
    : path_(mirror + "/" + kNoteName), lock_(std::move(lock)) {}

Status LockNote::begin() const {
  MLOPS_TRY(remove_left_lock());
  return write_file_atomic(path_, lock_);
}

Status LockNote::end() const {
  return remove_if_there(path_);
}

Status LockNote::remove_left_lock() const {
  auto& env = posix_env();
  const auto noted_at_us = env.file_modified_at_us(path_);
  const auto locked_at_us = env.file_modified_at_us(lock_);
  if (!noted_at_us || !locked_at_us) return {};
  MLOPS_ASSIGN(const auto noted, read_file(path_));
  const bool is_ours =
      noted == lock_ && *locked_at_us >= *noted_at_us - kNotBeforeUs && *locked_at_us <= *noted_at_us + kNotAfterUs;
  if (!is_ours) return {};
  MLOPS_TRY(remove_if_there(lock_));
  log::warn("git_lock_removed", {{"path", std::string_view(lock_)}});
  return {};
}

}  // namespace mlops::git
