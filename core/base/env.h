// Files as a seam: everything the content store and the daemon do to a file system, so that tests can make any step
// fail.
//
// Errors: kUnavailable "io_error" (EIO …), kExhausted "disk_full" (ENOSPC, EDQUOT), kNotFound "file_not_found",
// kAlreadyExists "file_exists". Messages name the path and the system's reason. Thread-safety: Env is thread-safe, a
// file belongs to one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/result.h"

namespace mlops {

class WritableFile {
 public:
  virtual ~WritableFile() = default;
  virtual Status append(ByteView bytes) = 0;  // writes all or fails
  // All of them, one behind the other, as with append().
  virtual Status append_all(std::span<const ByteView> pieces);
  // So many bytes will be appended: room for them is taken now, as far as the file system can. Errors: "disk_full".
  virtual Status reserve(std::uint64_t) { return {}; }
  // sync() will not be called: the system may write back when it likes.
  virtual void expect_no_sync() {}
  virtual Status sync() = 0;  // fdatasync
  virtual Status close() = 0;
};

class ReadableFile {
 public:
  virtual ~ReadableFile() = default;
  virtual std::uint64_t size_bytes() const = 0;
  // Bytes read at `offset`, fewer than asked only at the end of the file.
  virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> into) const = 0;
  // The same, first into `head`, what follows into `rest`.
  virtual Result<std::size_t> read_both_at(std::uint64_t offset, std::span<std::uint8_t> head,
                                           std::span<std::uint8_t> rest) const;
  // Nobody will read this part again: the system need not keep it in memory. Only a hint.
  virtual void forget_cached(std::uint64_t, std::uint64_t) const {}
};

class Env {
 public:
  virtual ~Env() = default;
  virtual Result<std::unique_ptr<WritableFile>> create_exclusive(const std::string& path, int mode = 0600) = 0;
  // An existing file, written behind its present end.
  virtual Result<std::unique_ptr<WritableFile>> open_append(const std::string& path) = 0;
  virtual Result<std::unique_ptr<ReadableFile>> open_readable(const std::string& path) = 0;
  virtual Status rename_no_replace(const std::string& from, const std::string& to) = 0;
  virtual Status rename_replace(const std::string& from, const std::string& to) = 0;
  virtual Status remove(const std::string& path) = 0;
  virtual Status make_dir(const std::string& path, int mode = 0700) = 0;  // an existing one is success
  virtual Status remove_dir(const std::string& path) = 0;                 // an empty one
  virtual Status sync_dir(const std::string& path) = 0;
  virtual Result<std::vector<std::string>> list_dir(const std::string& path) = 0;  // names, sorted, without . and ..
  virtual Result<std::uint64_t> file_size_bytes(const std::string& path) = 0;
  virtual Result<TimestampUs> file_modified_at_us(const std::string& path) = 0;
  // What is read of the file from now on comes from the disk, but for what is still to be written there. After a failed
  // sync the system goes on showing what it has dropped, also to other processes.
  virtual Status forget_cached(const std::string& path) = 0;
};

// The real one; lives for the whole process.
Env& posix_env();

// Whole small files. write_file_atomic: temporary beside it, sync, rename, sync directory.
Result<std::string> read_file(const std::string& path, std::size_t limit_bytes = 64u << 20);
Status write_file_atomic(const std::string& path, std::string_view content, int mode = 0600);

}  // namespace mlops
