#include "cli/cmd/file_walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <filesystem>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "core/base/text.h"
#include "core/model/names.h"

namespace mlops::cli {
namespace {

constexpr unsigned kThreads = 4;          // more contend for the kernel's directory locks
constexpr std::size_t kBatchFiles = 512;  // a larger directory is shared between threads in such pieces

struct TypeRow {
  mode_t type;
  std::string_view word;
};
constexpr TypeRow kRefusedTypes[] = {
    {S_IFSOCK, "a socket"}, {S_IFIFO, "a pipe"}, {S_IFCHR, "a character device"}, {S_IFBLK, "a block device"}};

std::string_view type_word(mode_t type) {
  for (const auto& row : kRefusedTypes) {
    if (row.type == type) return row.word;
  }
  return "of a kind this program does not know";
}

Failure io_failure(const std::string& path, int number) {
  return fail(ErrorCode::kUnavailable, "io_error",
              fmt::format("{}: {}", printable(path), std::generic_category().message(number)));
}

Status refuse_unless_plain(const std::string& path, mode_t mode) {
  if (S_ISREG(mode) || S_ISDIR(mode)) return {};
  if (S_ISLNK(mode)) {
    return fail(ErrorCode::kInvalid, "symlink_refused",
                fmt::format("{} is a symbolic link; a version holds exactly the bytes under its path, so links are "
                            "not followed",
                            printable(path)),
                "put the file itself there (cp -L), or name the link's target");
  }
  return fail(ErrorCode::kInvalid, "not_a_file",
              fmt::format("{} is {}, which has no bytes to keep", printable(path), type_word(mode & S_IFMT)),
              "remove it from the directory, or register another path");
}

// Nanoseconds since the epoch, which reach to the year 2262; what lies beyond counts as the last one.
std::int64_t nanoseconds(const timespec& time) {
  constexpr std::int64_t kPerSecond = 1'000'000'000;
  constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
  if (time.tv_sec >= kLast / kPerSecond) return kLast;
  return std::max<std::int64_t>(time.tv_sec, -kLast / kPerSecond) * kPerSecond + time.tv_nsec;
}

FileStat file_stat(const struct stat& info) {
  return {static_cast<std::uint64_t>(info.st_size), nanoseconds(info.st_mtim), nanoseconds(info.st_ctim),
          static_cast<std::uint64_t>(info.st_ino), static_cast<std::uint64_t>(info.st_dev)};
}

std::string path_below(std::string_view root, std::string_view path) {
  return fmt::format("{}{}{}", root, root.ends_with('/') ? "" : "/", path);
}

// A directory of the tree and what was found in it.
struct Folder {
  std::string prefix;  // inside the artifact: "" or a path with '/' behind it
  std::vector<WalkedFile> files;
  std::vector<std::unique_ptr<Folder>> folders;
};

// The names of a directory's files while these are looked at; the directory is open for as long.
struct Listing {
  struct Close {
    void operator()(DIR* handle) const { ::closedir(handle); }
  };
  struct Name {
    std::size_t begin;
    std::size_t size_bytes;
  };
  std::string_view view(const Name& name) const { return std::string_view(text).substr(name.begin, name.size_bytes); }

  std::unique_ptr<DIR, Close> directory;
  std::string text;  // the names, each with a NUL behind it
  std::vector<Name> names;
};

// Files [begin, end) of a listing. Each has its own place in folder->files, so batches of one folder need no lock.
struct Batch {
  Folder* folder;
  std::shared_ptr<const Listing> listing;
  std::size_t begin;
  std::size_t end;
};

// Folders are opened from the root's descriptor, so its own name does not count towards the longest path. Batches go
// before folders: a folder is opened when no other one waits to be looked at, which bounds the descriptors.
class DirectoryWalk {
 public:
  explicit DirectoryWalk(Walk& walk) : walk_(walk) {}

  Status run() {
    const std::unique_ptr<DIR, Listing::Close> root(::opendir(walk_.root.c_str()));
    if (!root) return io_failure(walk_.root, errno);
    root_fd_ = ::dirfd(root.get());
    folders_.push_back(&top_);
    std::vector<std::thread> helpers;
    try {
      const auto threads = std::min(std::thread::hardware_concurrency(), kThreads);
      for (unsigned i = 1; i < threads; ++i) helpers.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
      // No more threads to be had: those that there are do it all.
    }
    work();
    for (auto& helper : helpers) helper.join();
    if (error_) return fail(std::move(*error_));
    collect();
    return {};
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [&] { return !is_drained() || busy_ == 0; });
      if (is_drained()) return;
      ++busy_;
      if (!batches_.empty()) {
        const Batch batch = std::move(batches_.back());
        batches_.pop_back();
        lock.unlock();
        look_at(batch);
      } else {
        Folder& folder = *folders_.back();
        folders_.pop_back();
        const bool is_behind_error = error_ && error_path_ < folder.prefix;
        lock.unlock();
        if (!is_behind_error) read(folder);
      }
      lock.lock();
      if (--busy_ == 0 && is_drained()) wake_.notify_all();
    }
  }

  bool is_drained() const { return batches_.empty() && folders_.empty(); }

  // Lists a folder, queues what is in it for all threads, and looks at the first files of it at once.
  void read(Folder& folder) {
    auto listing = std::make_shared<Listing>();
    if (!open(folder, *listing) || !list(folder, *listing)) return;
    std::sort(listing->names.begin(), listing->names.end(),
              [&](const auto& a, const auto& b) { return listing->view(a) < listing->view(b); });
    std::sort(folder.folders.begin(), folder.folders.end(),
              [](const auto& a, const auto& b) { return a->prefix < b->prefix; });
    const auto size = listing->names.size();
    folder.files.resize(size);
    file_count_ += size;
    const auto first_end = std::min(size, kBatchFiles);
    if (first_end < size || !folder.folders.empty()) {
      const std::lock_guard lock(mutex_);
      for (auto begin = first_end; begin < size; begin += kBatchFiles) {
        batches_.push_back({&folder, listing, begin, std::min(size, begin + kBatchFiles)});
      }
      // The last one is taken first: in this order an early error spares most of the rest.
      for (auto at = folder.folders.rbegin(); at != folder.folders.rend(); ++at) folders_.push_back(at->get());
      wake_.notify_all();
    }
    look_at({&folder, std::move(listing), 0, first_end});
  }

  // False: not to be read, and reported.
  bool open(const Folder& folder, Listing& listing) {
    // Without the last '/': with it a symbolic link that has just come there would be followed.
    const auto path = folder.prefix.empty() ? "." : folder.prefix.substr(0, folder.prefix.size() - 1);
    const int descriptor = ::openat(root_fd_, path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (descriptor < 0) return unreadable(folder, errno);
    listing.directory.reset(::fdopendir(descriptor));
    if (listing.directory) return true;
    const int number = errno;
    ::close(descriptor);
    return unreadable(folder, number);
  }

  bool unreadable(const Folder& folder, int number) {
    report(folder.prefix, io_failure(source(folder.prefix), number));
    return false;
  }

  // Files into the listing, folders into the folder. False: not to be read, and reported.
  bool list(Folder& folder, Listing& listing) {
    for (;;) {
      errno = 0;  // readdir gives nullptr both at the end and for an error
      const dirent* const entry = ::readdir(listing.directory.get());
      if (entry == nullptr && errno == 0) return true;
      if (entry == nullptr) return unreadable(folder, errno);
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      const mode_t mode = type_of(*entry, ::dirfd(listing.directory.get()));
      if (S_ISDIR(mode)) {
        folder.folders.push_back(std::make_unique<Folder>());
        folder.folders.back()->prefix.append(folder.prefix).append(name).append("/");
      } else {
        listing.names.push_back({listing.text.size(), name.size()});
        listing.text.append(name).push_back('\0');
      }
    }
  }

  // Some file systems do not tell the type along with the name. 0 when nobody does: looking at the file tells why.
  static mode_t type_of(const dirent& entry, int directory) {
    if (entry.d_type != DT_UNKNOWN) return DTTOIF(entry.d_type);
    struct stat info {};
    return ::fstatat(directory, entry.d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 ? info.st_mode : 0;
  }

  void look_at(const Batch& batch) {
    const int directory = ::dirfd(batch.listing->directory.get());
    for (auto i = batch.begin; i < batch.end; ++i) {
      const auto name = batch.listing->view(batch.listing->names[i]);
      auto& file = batch.folder->files[i];
      file.path.reserve(batch.folder->prefix.size() + name.size());
      file.path.append(batch.folder->prefix).append(name);
      if (auto looked = look_at(file, directory, name.data()); !looked) report(file.path, fail(looked.error()));
    }
  }

  Status look_at(WalkedFile& file, int directory, const char* name) const {
    struct stat info {};
    if (::fstatat(directory, name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
      const int number = errno;
      return io_failure(source(file.path), number);
    }
    if (!S_ISREG(info.st_mode)) {
      MLOPS_TRY(refuse_unless_plain(source(file.path), info.st_mode));
      return io_failure(source(file.path), EISDIR);  // it was none when the directory was listed
    }
    MLOPS_TRY(model::check_file_path(file.path));
    file.stat = file_stat(info);
    file.size_bytes = file.stat.size_bytes;
    return {};
  }

  void report(std::string_view path, Failure failure) {
    const std::lock_guard lock(mutex_);
    if (error_ && error_path_ <= path) return;
    error_path_ = path;
    error_ = std::move(failure.value());
  }

  // Names within a folder are sorted, and a path sorts as its folder with '/' does: merging them is the whole order.
  void collect() {
    struct At {
      Folder* folder;
      std::size_t file = 0;
      std::size_t folder_in_it = 0;
    };
    std::vector<At> open{{&top_}};
    walk_.files.reserve(file_count_);
    while (!open.empty()) {
      auto& [folder, file, next] = open.back();
      const bool has_next = next < folder->folders.size();
      for (; file < folder->files.size(); ++file) {
        if (has_next && folder->folders[next]->prefix < folder->files[file].path) break;
        walk_.size_bytes += folder->files[file].size_bytes;
        walk_.files.push_back(std::move(folder->files[file]));
      }
      if (has_next) {
        open.push_back({folder->folders[next++].get()});
        continue;
      }
      if (folder->files.empty() && folder->folders.empty() && !folder->prefix.empty()) {
        walk_.empty_directories.push_back(folder->prefix);
      }
      folder->files = {};
      open.pop_back();
    }
  }

  std::string source(std::string_view path) const { return path_below(walk_.root, path); }

  Walk& walk_;
  int root_fd_ = -1;
  Folder top_;
  std::atomic<std::size_t> file_count_ = 0;
  std::mutex mutex_;  // for what follows
  std::condition_variable wake_;
  std::vector<Batch> batches_;
  std::vector<Folder*> folders_;
  std::size_t busy_ = 0;
  std::string error_path_;
  std::optional<Error> error_;
};

Result<WalkedFile> one_file(const std::string& path, const struct stat& info) {
  auto name = std::filesystem::path(path).filename().string();
  MLOPS_TRY(model::check_file_path(name));
  const auto stat = file_stat(info);
  return WalkedFile{std::move(name), stat.size_bytes, stat};
}

}  // namespace

Result<Walk> walk_artifact(const std::string& path) {
  Walk walk;
  walk.root = path;
  walk.started_us = SystemClock().now_us();
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno != ENOENT && errno != ENOTDIR) return io_failure(path, errno);
    return fail(ErrorCode::kNotFound, "path_not_found", fmt::format("{} does not exist", printable(path)));
  }
  MLOPS_TRY(refuse_unless_plain(path, info.st_mode));
  walk.is_directory = S_ISDIR(info.st_mode);
  if (walk.is_directory) {
    MLOPS_TRY(DirectoryWalk(walk).run());
  } else {
    MLOPS_ASSIGN(auto file, one_file(path, info));
    walk.size_bytes = file.size_bytes;
    walk.files.push_back(std::move(file));
  }
  if (walk.files.empty()) {
    return fail(ErrorCode::kInvalid, "no_files", fmt::format("{} holds no file", printable(path)),
                "a version needs at least one file");
  }
  return walk;
}

std::string source_of(const Walk& walk, const WalkedFile& file) {
  return walk.is_directory ? path_below(walk.root, file.path) : walk.root;
}

}  // namespace mlops::cli
