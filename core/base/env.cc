#include "core/base/env.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "core/base/clock.h"
#include "core/base/id.h"
#include "core/base/system_error.h"
#include "core/base/text.h"

namespace mlops {
namespace {

struct ErrnoRow {
  int number;
  ErrorCode code;
  const char* slug;
  const char* hint;
};
constexpr const char* kNoHint = "";
// Not in the table: kUnavailable "io_error". Missing rights are kUnavailable too, because it is this process that lacks
// them, not the caller.
constexpr std::array<ErrnoRow, 14> kErrnoRows{{
    {ENOENT, ErrorCode::kNotFound, "file_not_found", kNoHint},
    {ENOTDIR, ErrorCode::kNotFound, "file_not_found", kNoHint},
    {EEXIST, ErrorCode::kAlreadyExists, "file_exists", kNoHint},
    {ENOTEMPTY, ErrorCode::kAlreadyExists, "file_exists", kNoHint},
    {ENOSPC, ErrorCode::kExhausted, "disk_full", "free some space on that file system"},
    {EDQUOT, ErrorCode::kExhausted, "disk_full", "the quota is used up"},
    {EMFILE, ErrorCode::kExhausted, "too_many_files", "raise the limit of open files (ulimit -n)"},
    {ENFILE, ErrorCode::kExhausted, "too_many_files", kNoHint},
    {EACCES, ErrorCode::kUnavailable, "file_permission", "check owner and mode of the file and its folders"},
    {EPERM, ErrorCode::kUnavailable, "file_permission", "check owner and mode of the file and its folders"},
    {EROFS, ErrorCode::kUnavailable, "read_only", "the file system is mounted read-only"},
    {EISDIR, ErrorCode::kInvalid, "not_a_file", "a file is expected, this is a directory"},
    {ELOOP, ErrorCode::kInvalid, "bad_path", "a symbolic link stands in the way"},
    {ENAMETOOLONG, ErrorCode::kInvalid, "bad_path", kNoHint},
}};

}  // namespace

Failure fail_errno(std::string_view doing, const std::string& path, int number) {
  std::string message =
      fmt::format("cannot {} {}: {}", doing, printable(path), std::generic_category().message(number));
  for (const auto& row : kErrnoRows) {
    if (row.number == number) return fail(row.code, row.slug, std::move(message), row.hint);
  }
  return fail(ErrorCode::kUnavailable, "io_error", std::move(message));
}

namespace {

// Calls a system call again while a signal interrupts it.
template <class Call>
auto retried(Call call) {
  for (;;) {
    const auto result = call();
    if (result != -1 || errno != EINTR) return result;
  }
}

class Fd {
 public:
  explicit Fd(int number) : number_(number) {}
  ~Fd() { close(); }
  Fd(Fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Fd& operator=(Fd&&) = delete;

  int get() const { return number_; }
  bool ok() const { return number_ >= 0; }
  // False with errno set. EINTR counts as closed: on Linux the number is free again.
  bool close() {
    if (number_ < 0) return true;
    return ::close(std::exchange(number_, -1)) == 0 || errno == EINTR;
  }

 private:
  int number_;
};

class PosixWritableFile : public WritableFile {
 public:
  PosixWritableFile(Fd fd, std::string path, off_t size_bytes = 0)
      : fd_(std::move(fd)), path_(std::move(path)), submitted_(size_bytes) {}

  Status append(ByteView bytes) override {
    while (!bytes.empty()) {
      const ssize_t written = retried([&] { return ::write(fd_.get(), bytes.data(), bytes.size()); });
      if (written < 0) return fail_errno("write", path_, errno);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
      unsubmitted_ += written;
    }
    write_back();
    return {};
  }

  Status append_all(std::span<const ByteView> pieces) override {
    constexpr std::size_t kAtOnce = 256;  // of the system's 1024, so that they fit on the stack
    while (!pieces.empty()) {
      const auto some = pieces.first(std::min(pieces.size(), kAtOnce));
      pieces = pieces.subspan(some.size());
      std::array<::iovec, kAtOnce> vectors;
      for (std::size_t i = 0; i < some.size(); ++i) {
        vectors[i] = {const_cast<std::uint8_t*>(some[i].data()), some[i].size()};
      }
      const ssize_t result =
          retried([&] { return ::writev(fd_.get(), vectors.data(), static_cast<int>(some.size())); });
      if (result < 0) return fail_errno("write", path_, errno);
      unsubmitted_ += result;
      // A short write: what is left goes piece by piece.
      auto written = static_cast<std::size_t>(result);
      for (const auto piece : some) {
        const auto skipped = std::min(written, piece.size());
        written -= skipped;
        if (skipped < piece.size()) MLOPS_TRY(append(piece.subspan(skipped)));
      }
    }
    write_back();
    return {};
  }

  Status reserve(std::uint64_t size_bytes) override {
    const auto call = [&] {
      return ::fallocate(fd_.get(), FALLOC_FL_KEEP_SIZE, submitted_ + unsubmitted_, static_cast<off_t>(size_bytes));
    };
    if (retried(call) == 0 || (errno != ENOSPC && errno != EDQUOT)) return {};
    return fail_errno("write", path_, errno);
  }

  void expect_no_sync() override { is_written_back_ = false; }

  Status sync() override {
    if (retried([&] { return ::fdatasync(fd_.get()); }) != 0) return fail_errno("sync", path_, errno);
    return {};
  }

  Status close() override {
    if (!fd_.close()) return fail_errno("close", path_, errno);
    return {};
  }

 private:
  // Writing back while more is arriving leaves the final sync little to do. Only a hint: errors show in sync().
  void write_back() {
    if (!is_written_back_ || unsubmitted_ < kWriteBackBytes) return;
    (void)::sync_file_range(fd_.get(), submitted_, unsubmitted_, SYNC_FILE_RANGE_WRITE);
    submitted_ += unsubmitted_;
    unsubmitted_ = 0;
  }

  static constexpr off_t kWriteBackBytes = 4 << 20;  // more would keep the final sync waiting
  Fd fd_;
  const std::string path_;
  bool is_written_back_ = true;
  off_t submitted_ = 0;
  off_t unsubmitted_ = 0;
};

class PosixReadableFile : public ReadableFile {
 public:
  PosixReadableFile(Fd fd, std::string path, std::uint64_t size_bytes)
      : fd_(std::move(fd)), path_(std::move(path)), size_bytes_(size_bytes) {}

  std::uint64_t size_bytes() const override { return size_bytes_; }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> into) const override {
    std::size_t done = 0;
    while (done < into.size()) {
      const ssize_t got = retried([&] {
        return ::pread(fd_.get(), into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
      });
      if (got < 0) return fail_errno("read", path_, errno);
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  // One call of the system for both, unless it gives less.
  Result<std::size_t> read_both_at(std::uint64_t offset, std::span<std::uint8_t> head,
                                   std::span<std::uint8_t> rest) const override {
    const std::array<::iovec, 2> vectors{{{head.data(), head.size()}, {rest.data(), rest.size()}}};
    const ssize_t got =
        retried([&] { return ::preadv(fd_.get(), vectors.data(), vectors.size(), static_cast<off_t>(offset)); });
    if (got < 0) return fail_errno("read", path_, errno);
    if (static_cast<std::size_t>(got) == head.size() + rest.size()) return static_cast<std::size_t>(got);
    return ReadableFile::read_both_at(offset, head, rest);
  }

  void forget_cached(std::uint64_t begin, std::uint64_t end) const override {
    (void)::posix_fadvise(fd_.get(), static_cast<off_t>(begin), static_cast<off_t>(end - begin), POSIX_FADV_DONTNEED);
  }

 private:
  const Fd fd_;
  const std::string path_;
  const std::uint64_t size_bytes_;
};

class PosixEnv : public Env {
 public:
  Result<std::unique_ptr<WritableFile>> create_exclusive(const std::string& path, int mode) override {
    constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    Fd fd(retried([&] { return ::open(path.c_str(), kFlags, mode); }));
    if (!fd.ok()) return fail_errno("create", path, errno);
    return std::make_unique<PosixWritableFile>(std::move(fd), path);
  }

  Result<std::unique_ptr<WritableFile>> open_append(const std::string& path) override {
    Fd fd(retried([&] { return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW); }));
    if (!fd.ok()) return fail_errno("open", path, errno);
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0) return fail_errno("open", path, errno);
    if (!S_ISREG(info.st_mode)) return fail_errno("open", path, EISDIR);
    return std::make_unique<PosixWritableFile>(std::move(fd), path, info.st_size);
  }

  Result<std::unique_ptr<ReadableFile>> open_readable(const std::string& path) override {
    // O_NONBLOCK: a FIFO in place of a file must not hang the opener; it means nothing for regular files.
    Fd fd(retried([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); }));
    if (!fd.ok()) return fail_errno("open", path, errno);
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0) return fail_errno("open", path, errno);
    if (S_ISDIR(info.st_mode)) return fail_errno("open", path, EISDIR);
    if (!S_ISREG(info.st_mode)) {
      return fail(ErrorCode::kInvalid, "not_a_file",
                  fmt::format("cannot open {}: not a regular file", printable(path)));
    }
    return std::make_unique<PosixReadableFile>(std::move(fd), path, static_cast<std::uint64_t>(info.st_size));
  }

  Status rename_no_replace(const std::string& from, const std::string& to) override {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
    // File systems without the flag answer EINVAL: a hard link refuses an existing name just as well.
    if (errno != EINVAL && errno != ENOSYS) return fail_errno("rename to", to, errno);
    if (::link(from.c_str(), to.c_str()) != 0) return fail_errno("link", to, errno);
    return remove(from);
  }

  Status rename_replace(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return fail_errno("rename to", to, errno);
    return {};
  }

  Status remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return fail_errno("remove", path, errno);
    return {};
  }

  Status make_dir(const std::string& path, int mode) override {
    if (::mkdir(path.c_str(), static_cast<mode_t>(mode)) == 0) return {};
    const int number = errno;
    struct stat info {};
    if (number == EEXIST && ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return {};
    return fail_errno("make directory", path, number);
  }

  Status remove_dir(const std::string& path) override {
    if (::rmdir(path.c_str()) != 0) return fail_errno("remove directory", path, errno);
    return {};
  }

  Status sync_dir(const std::string& path) override {
    const Fd fd(retried([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (!fd.ok()) return fail_errno("open directory", path, errno);
    if (retried([&] { return ::fsync(fd.get()); }) != 0) return fail_errno("sync directory", path, errno);
    return {};
  }

  Result<std::vector<std::string>> list_dir(const std::string& path) override {
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(path.c_str()), ::closedir);
    if (!dir) return fail_errno("list", path, errno);
    std::vector<std::string> names;
    errno = 0;  // readdir returns nullptr both at the end and on an error
    while (const dirent* entry = ::readdir(dir.get())) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    if (errno != 0) return fail_errno("list", path, errno);
    std::sort(names.begin(), names.end());
    return names;
  }

  Result<std::uint64_t> file_size_bytes(const std::string& path) override {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return fail_errno("look up", path, errno);
    return static_cast<std::uint64_t>(info.st_size);
  }

  Result<TimestampUs> file_modified_at_us(const std::string& path) override {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return fail_errno("look up", path, errno);
    return TimestampUs{info.st_mtim.tv_sec} * 1'000'000 + info.st_mtim.tv_nsec / 1'000;
  }

  Status forget_cached(const std::string& path) override {
    Fd fd(retried([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }));
    if (!fd.ok()) return fail_errno("open", path, errno);
    if (const int error = ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED); error != 0) {
      return fail_errno("forget", path, error);
    }
    return {};
  }
};

Status write_and_sync(WritableFile& file, std::string_view content) {
  MLOPS_TRY(file.append(as_bytes(content)));
  MLOPS_TRY(file.sync());
  return file.close();
}

}  // namespace

Result<std::size_t> ReadableFile::read_both_at(std::uint64_t offset, std::span<std::uint8_t> head,
                                               std::span<std::uint8_t> rest) const {
  MLOPS_ASSIGN(const auto first, read_at(offset, head));
  if (first < head.size()) return first;
  MLOPS_ASSIGN(const auto second, read_at(offset + first, rest));
  return first + second;
}

Status WritableFile::append_all(std::span<const ByteView> pieces) {
  std::vector<std::uint8_t> all;
  for (const auto piece : pieces) all.insert(all.end(), piece.begin(), piece.end());
  return append(all);
}

Env& posix_env() {
  static PosixEnv env;
  return env;
}

Result<std::string> read_file(const std::string& path, std::size_t limit_bytes) {
  // Read to the end instead of trusting a size: pipes and /proc files have none.
  Fd fd(retried([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }));
  if (!fd.ok()) return fail_errno("open", path, errno);
  constexpr std::size_t kStepBytes = 64u << 10;
  std::string content;
  for (;;) {
    const std::size_t start = content.size();
    content.resize(start + kStepBytes);
    const ssize_t got = retried([&] { return ::read(fd.get(), content.data() + start, kStepBytes); });
    if (got < 0) return fail_errno("read", path, errno);
    content.resize(start + static_cast<std::size_t>(got));
    if (content.size() > limit_bytes) {
      return fail(ErrorCode::kExhausted, "file_too_large",
                  fmt::format("{} is larger than {}", printable(path), human_size(limit_bytes)));
    }
    if (got == 0) return content;
  }
}

Status write_file_atomic(const std::string& path, std::string_view content, int mode) {
  Env& env = posix_env();
  const std::string temporary = path + "." + new_id(SystemClock()) + ".tmp";
  MLOPS_ASSIGN(const auto file, env.create_exclusive(temporary, mode));
  Status written = write_and_sync(*file, content);
  if (written) written = env.rename_replace(temporary, path);
  if (!written) {
    // The first error is the one to report; a temporary that stays behind harms nothing.
    static_cast<void>(env.remove(temporary));
    return written;
  }
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return env.sync_dir(folder.empty() ? "." : folder);
}

}  // namespace mlops
