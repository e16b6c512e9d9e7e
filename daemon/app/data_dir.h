// The data directory: made, locked for this process alone, checked to be on a local disk, and holding the keys.
//
//   <data_dir>/LOCK            flock; a second daemon refuses at once
//   <data_dir>/mlops.db        metadata (with -wal and -shm beside it)
//   <data_dir>/blobs/          content
//   <data_dir>/erasure/        keyed indexes of people, derived
//   <data_dir>/git/*.git       mirrors of Git repositories, derived
//   <data_dir>/keys/*.key      32 random bytes each, 0600
//   <data_dir>/admin-token     the first administrator's token, 0600
//
// Errors: kUnavailable "data_dir_in_use", "network_file_system"; kDenied "key_readable"; those of Env.
#pragma once

#include <string>

#include "core/base/result.h"
#include "core/crypto/seal.h"

namespace mlops::app {

// Holds the lock while it lives. Moves only.
class DataDir {
 public:
  static Result<DataDir> open(const std::string& path);
  DataDir(DataDir&& other) noexcept;
  DataDir& operator=(DataDir&&) = delete;
  ~DataDir();

  const std::string& path() const { return path_; }
  std::string database_file() const { return path_ + "/mlops.db"; }
  std::string blob_dir() const { return path_ + "/blobs"; }
  std::string erasure_dir() const { return path_ + "/erasure"; }
  std::string git_dir() const { return path_ + "/git"; }
  std::string admin_token_file() const { return path_ + "/admin-token"; }
  // The key of that name, made at the first call ever. REQUIRES: a name of ours, not a client's.
  Result<crypto::SecretBytes> key(const std::string& name) const;
  bool has_key(const std::string& name) const;

 private:
  std::string key_file(const std::string& name) const { return path_ + "/keys/" + name + ".key"; }
  DataDir(std::string path, int lock_fd) : path_(std::move(path)), lock_fd_(lock_fd) {}
  std::string path_;
  int lock_fd_;
};

// "nfs", "cifs" … of a file system type that SQLite must not be on; nullptr for any other. For tests.
const char* network_file_system(long f_type);

}  // namespace mlops::app
