#include "core/base/dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "core/base/system_error.h"

namespace mlops {
namespace {

constexpr mode_t kFileMode = 0644;
constexpr mode_t kDirMode = 0755;
constexpr std::size_t kPieceBytes = 256u << 10;

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

EntryKind kind_of_mode(mode_t mode) {
  if (S_ISREG(mode)) return EntryKind::kFile;
  if (S_ISDIR(mode)) return EntryKind::kDirectory;
  return S_ISLNK(mode) ? EntryKind::kLink : EntryKind::kOther;
}

TimestampUs to_us(const timespec& time) {
  return static_cast<TimestampUs>(time.tv_sec) * 1'000'000 + time.tv_nsec / 1000;
}

}  // namespace

FileDescriptor::FileDescriptor(FileDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}

FileDescriptor::~FileDescriptor() {
  if (number_ >= 0) ::close(number_);
}

Status NewFile::append(ByteView bytes) {
  if (*hook_) MLOPS_TRY((*hook_)("append", shown_));
  while (!bytes.empty()) {
    const auto written = ::write(file_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno("write", shown_, errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

Status NewFile::finish() {
  if (*hook_) MLOPS_TRY((*hook_)("sync", shown_));
  if (::fsync(file_.get()) != 0) return fail_errno("sync", shown_, errno);
  file_ = FileDescriptor();
  return {};
}

Status Dir::step(std::string_view what, const std::string& name) const {
  return *hook_ ? (*hook_)(what, shown_of(name)) : Status();
}

Result<Dir> Dir::open(const std::string& path, std::string shown, StepHook hook) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.get() < 0) return fail_errno("open the directory", shown, errno);
  return Dir(std::move(file), std::move(shown), std::make_shared<const StepHook>(std::move(hook)));
}

Result<Dir> Dir::child(const std::string& name, Links links) const {
  const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (links == Links::kRefuse ? O_NOFOLLOW : 0);
  FileDescriptor file(::openat(file_.get(), name.c_str(), flags));
  if (file.get() < 0) return fail_errno("open the directory", shown_of(name), errno);
  return Dir(std::move(file), shown_of(name), hook_);
}

Result<Dir> Dir::ensure_child(const std::string& name) const {
  MLOPS_ASSIGN(const auto kind, kind_of(name));
  if (kind) return child(name);
  MLOPS_TRY(step("make_dir", name));
  if (::mkdirat(file_.get(), name.c_str(), kDirMode) != 0 && errno != EEXIST) {
    return fail_errno("make the directory", shown_of(name), errno);
  }
  MLOPS_ASSIGN(auto made, child(name));
  if (::fchmod(made.file_.get(), kDirMode) != 0) return fail_errno("set the mode of", shown_of(name), errno);
  return made;
}

Result<NewFile> Dir::create_file(const std::string& name) const {
  MLOPS_TRY(step("create", name));
  FileDescriptor file(
      ::openat(file_.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kFileMode));
  if (file.get() < 0) return fail_errno("create", shown_of(name), errno);
  if (::fchmod(file.get(), kFileMode) != 0) return fail_errno("set the mode of", shown_of(name), errno);
  return NewFile(std::move(file), shown_of(name), hook_);
}

// Not blocking, so that a pipe somebody put there stops nothing.
Result<FileDescriptor> Dir::open_regular(const std::string& name) const {
  FileDescriptor file(::openat(file_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (file.get() < 0) return fail_errno("open", shown_of(name), errno);
  struct stat about {};
  if (::fstat(file.get(), &about) != 0) return fail_errno("look at", shown_of(name), errno);
  if (S_ISREG(about.st_mode)) return file;
  return fail(ErrorCode::kInvalid, "not_a_file", fmt::format("{} is not a regular file", shown_of(name)));
}

Status Dir::read_file(const std::string& name, const Sink& sink) const {
  MLOPS_ASSIGN(const auto file, open_regular(name));
  std::vector<std::uint8_t> piece(kPieceBytes);
  while (true) {
    const auto count = ::read(file.get(), piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno("read", shown_of(name), errno);
    if (count == 0) return {};
    MLOPS_TRY(sink(ByteView(piece.data(), static_cast<std::size_t>(count))));
  }
}

Result<std::string> Dir::read_small_file(const std::string& name, std::size_t limit_bytes) const {
  std::string text;
  MLOPS_TRY(read_file(name, [&](ByteView bytes) -> Status {
    if (text.size() + bytes.size() > limit_bytes) {
      return fail(ErrorCode::kExhausted, "file_too_large", fmt::format("{} is too large", shown_of(name)));
    }
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }));
  return text;
}

Status Dir::make_link(const std::string& target, const std::string& name) const {
  MLOPS_TRY(step("link", name));
  if (::symlinkat(target.c_str(), file_.get(), name.c_str()) == 0) return {};
  return fail_errno("link", shown_of(name), errno);
}

Result<std::string> Dir::read_link(const std::string& name) const {
  std::array<char, 4096> text{};
  const auto length = ::readlinkat(file_.get(), name.c_str(), text.data(), text.size());
  if (length < 0) return fail_errno("read the link", shown_of(name), errno);
  return std::string(text.data(), static_cast<std::size_t>(length));
}

Result<std::vector<DirEntry>> Dir::list() const {
  // With a position of its own: the descriptor that is held keeps none. The stream closes it.
  const int again = ::openat(file_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (again < 0) return fail_errno("list", shown_, errno);
  const std::unique_ptr<DIR, CloseDirectory> directory(::fdopendir(again));
  if (!directory) {
    FileDescriptor closed(again);
    return fail_errno("list", shown_, errno);
  }
  std::vector<DirEntry> entries;
  while (true) {
    errno = 0;
    const auto* found = ::readdir(directory.get());
    if (!found && errno != 0) return fail_errno("list", shown_, errno);
    if (!found) break;
    const std::string name = found->d_name;
    if (name == "." || name == "..") continue;
    MLOPS_ASSIGN(const auto kind, kind_of(name));
    if (kind) entries.push_back({name, *kind});
  }
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return entries;
}

Result<std::optional<EntryKind>> Dir::kind_of(const std::string& name) const {
  struct stat about {};
  if (::fstatat(file_.get(), name.c_str(), &about, AT_SYMLINK_NOFOLLOW) == 0) {
    return std::optional<EntryKind>(kind_of_mode(about.st_mode));
  }
  if (errno == ENOENT) return std::optional<EntryKind>();
  return fail_errno("look at", shown_of(name), errno);
}

Result<TimestampUs> Dir::modified_at_us(const std::string& name) const {
  struct stat about {};
  if (::fstatat(file_.get(), name.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0) {
    return fail_errno("look at", shown_of(name), errno);
  }
  return to_us(about.st_mtim);
}

Status Dir::rename(const std::string& name, const Dir& to, const std::string& new_name, Rename how) const {
  constexpr std::array<unsigned, 3> kFlags{0, RENAME_NOREPLACE, RENAME_EXCHANGE};
  MLOPS_TRY(step("rename", name));
  const auto flags = kFlags[static_cast<std::size_t>(how)];
  if (::renameat2(file_.get(), name.c_str(), to.file_.get(), new_name.c_str(), flags) == 0) return {};
  if (how == Rename::kExchange && (errno == EINVAL || errno == ENOSYS)) {
    return fail(ErrorCode::kUnavailable, "exchange_unsupported",
                fmt::format("the file system of {} cannot exchange two directories", to.shown_),
                "declare the target with `switch: symlink`");
  }
  return fail_errno("rename", shown_of(name), errno);
}

Status Dir::remove_file(const std::string& name) const {
  MLOPS_TRY(step("remove", name));
  if (::unlinkat(file_.get(), name.c_str(), 0) == 0) return {};
  return fail_errno("remove", shown_of(name), errno);
}

Status Dir::remove_tree(const std::string& name) const {
  MLOPS_ASSIGN(const auto kind, kind_of(name));
  if (!kind) return {};
  if (*kind != EntryKind::kDirectory) return remove_file(name);
  {
    MLOPS_ASSIGN(const auto inside, child(name));
    MLOPS_ASSIGN(const auto entries, inside.list());
    for (const auto& entry : entries) MLOPS_TRY(inside.remove_tree(entry.name));
  }
  MLOPS_TRY(step("remove", name));
  if (::unlinkat(file_.get(), name.c_str(), AT_REMOVEDIR) == 0) return {};
  return fail_errno("remove", shown_of(name), errno);
}

Status Dir::sync() const {
  MLOPS_TRY(step("sync", "."));
  if (::fsync(file_.get()) == 0) return {};
  return fail_errno("sync", shown_, errno);
}

Status Dir::touch() const {
  if (::futimens(file_.get(), nullptr) == 0) return {};
  return fail_errno("touch", shown_, errno);
}

Status Dir::lock() const {
  if (::flock(file_.get(), LOCK_EX | LOCK_NB) == 0) return {};
  if (errno != EWOULDBLOCK) return fail_errno("lock", shown_, errno);
  return fail(ErrorCode::kUnavailable, "place_busy", fmt::format("another process delivers to {}", shown_),
              "let only one mlopsd deliver to a directory");
}

}  // namespace mlops
