#include "cli/cmd/staging.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/id.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kMostTries = 8;

std::string prefix_of(const fs::path& target) {
  return "." + target.filename().string() + ".masking-";
}

fs::path folder_of(const fs::path& target) {
  return target.has_parent_path() ? target.parent_path() : fs::path(".");
}

// Of the form that create() gives: somebody's own folder that only begins like one is none.
bool is_staging_name(const std::string& name, const std::string& prefix) {
  if (!name.starts_with(prefix)) return false;
  const auto id = std::string_view(name).substr(prefix.size());
  return id.size() == new_id(SystemClock()).size() &&
         id.find_first_not_of("0123456789abcdef-") == std::string_view::npos;
}

// The folder locked for this process; -1: another process has it, or it cannot be told.
int lock_folder(const fs::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (descriptor < 0) return -1;
  if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return descriptor;
  ::close(descriptor);
  return -1;
}

// Is what was locked still what stands there? Between making and locking it, a run that tidies may have taken it away.
bool stands(const fs::path& folder, int descriptor) {
  struct stat now {};
  struct stat locked {};
  return ::stat(folder.c_str(), &now) == 0 && ::fstat(descriptor, &locked) == 0 && now.st_ino == locked.st_ino &&
         now.st_dev == locked.st_dev;
}

}  // namespace

Result<Staging> Staging::create(const std::string& target) {
  const fs::path path(target);
  for (int i = 0; i < kMostTries; ++i) {
    const auto name = prefix_of(path) + new_id(SystemClock());
    const auto folder = path.has_parent_path() ? path.parent_path() / name : fs::path(name);
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) {
      return fail(ErrorCode::kUnavailable, "io_error", "cannot create " + printable(folder.string()), error.message());
    }
    const int lock = lock_folder(folder);
    if (lock >= 0 && stands(folder, lock)) return Staging(folder, path, lock);
    if (lock >= 0) ::close(lock);
    fs::remove_all(folder, error);
  }
  return fail(ErrorCode::kUnavailable, "io_error", "cannot lock a folder beside " + printable(target),
              "the file system must know flock");
}

std::size_t Staging::remove_left_behind(const std::string& target) {
  const fs::path path(target);
  const auto prefix = prefix_of(path);
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator at(folder_of(path), error), end; !error && at != end; at.increment(error)) {
    if (is_staging_name(at->path().filename().string(), prefix)) found.push_back(at->path());
  }
  std::size_t removed = 0;
  for (const auto& folder : found) {
    const int lock = lock_folder(folder);
    if (lock < 0) continue;
    std::error_code failed;
    fs::remove_all(folder, failed);
    removed += failed ? 0 : 1;
    ::close(lock);
  }
  return removed;
}

Staging::Staging(Staging&& other) noexcept
    : folder_(std::exchange(other.folder_, {})),
      target_(std::move(other.target_)),
      lock_(std::exchange(other.lock_, -1)) {}

Staging::~Staging() {
  std::error_code ignored;
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
  if (lock_ >= 0) ::close(lock_);
}

Status Staging::publish() {
  MLOPS_TRY(move_out(folder_));
  folder_.clear();
  return {};
}

Status Staging::move_out(const fs::path& from) const {
  std::error_code error;
  fs::rename(from, target_, error);
  if (!error) return {};
  return fail(ErrorCode::kUnavailable, "io_error", "cannot publish " + printable(target_.string()), error.message());
}

}  // namespace mlops::cli
