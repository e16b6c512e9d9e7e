#include "daemon/app/data_dir.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/base/env.h"
#include "core/base/text.h"

namespace mlops::app {
namespace {

// statfs(2) magic numbers of file systems whose locks or syncs SQLite's write-ahead log cannot rely on.
struct Magic {
  long type;
  const char* name;
};
constexpr Magic kNetworkFileSystems[] = {
    {0x6969, "nfs"},      {0xff534d42, "cifs"}, {static_cast<long>(0xfe534d42), "smb2"},
    {0x517b, "smb"},      {0x65735546, "fuse"}, {0x01021997, "9p"},
    {0x00c36400, "ceph"}, {0x5346414f, "afs"},  {0x0bd00bd0, "lustre"},
    {0x47504653, "gpfs"}, {0x01161970, "gfs2"},
};

Status make_dirs(const std::string& path) {
  std::string partial;
  for (const auto part : split(path, '/')) {
    partial += partial.empty() && part.empty() ? "/" : std::string(part);
    if (!part.empty() || partial == "/") MLOPS_TRY(posix_env().make_dir(partial));
    if (!partial.ends_with('/')) partial += '/';
  }
  return {};
}

Status check_file_system(const std::string& path) {
  struct statfs info {};
  if (::statfs(path.c_str(), &info) != 0) {
    return fail(ErrorCode::kUnavailable, "io_error", fmt::format("{}: {}", path, std::strerror(errno)));
  }
  const char* name = network_file_system(static_cast<long>(info.f_type));
  if (!name) return {};
  return fail(ErrorCode::kUnavailable, "network_file_system",
              fmt::format("the data directory {} is on {}, where the database can be damaged", path, name),
              "put data_dir on a local disk");
}

}  // namespace

const char* network_file_system(long f_type) {
  for (const auto& row : kNetworkFileSystems) {
    if (row.type == f_type) return row.name;
  }
  return nullptr;
}

Result<DataDir> DataDir::open(const std::string& path) {
  MLOPS_TRY(make_dirs(path));
  MLOPS_TRY(check_file_system(path));
  const auto lock_file = path + "/LOCK";
  const int fd = ::open(lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return fail(ErrorCode::kUnavailable, "io_error", fmt::format("{}: {}", lock_file, std::strerror(errno)));
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    ::close(fd);
    return fail(ErrorCode::kUnavailable, "data_dir_in_use",
                fmt::format("another mlopsd uses the data directory {}", path),
                "stop it first, or give this one its own data_dir");
  }
  MLOPS_TRY(posix_env().make_dir(path + "/keys"));
  return DataDir(path, fd);
}

DataDir::DataDir(DataDir&& other) noexcept : path_(std::move(other.path_)), lock_fd_(other.lock_fd_) {
  other.lock_fd_ = -1;
}

DataDir::~DataDir() {
  if (lock_fd_ >= 0) ::close(lock_fd_);
}

bool DataDir::has_key(const std::string& name) const {
  struct stat info {};
  return ::stat(key_file(name).c_str(), &info) == 0;
}

Result<crypto::SecretBytes> DataDir::key(const std::string& name) const {
  const auto file = key_file(name);
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) {
    MLOPS_ASSIGN(const auto fresh, crypto::random_bytes(32));
    MLOPS_TRY(write_file_atomic(file, to_hex(fresh) + "\n"));
  } else if ((info.st_mode & 077) != 0) {
    return fail(ErrorCode::kDenied, "key_readable", fmt::format("{} can be read by others", file),
                fmt::format("chmod 600 {}", file));
  }
  MLOPS_ASSIGN(const auto text, read_file(file, 4096));
  const auto bytes = from_hex(trim(text));
  if (!bytes || bytes->size() != 32) {
    return fail(ErrorCode::kCorrupt, "bad_key", fmt::format("{} does not hold 64 hex digits", file),
                "restore it from a backup");
  }
  return crypto::SecretBytes(*bytes);
}

}  // namespace mlops::app
