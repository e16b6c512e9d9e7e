#include "cli/stat_cache.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "core/base/checksum.h"
#include "core/base/env.h"

namespace mlops::cli {
namespace {

// The grammar of docs/format/stat-cache.md. Without padding, so that a struct's bytes are the file's bytes.
struct Header {
  std::array<char, 8> magic;
  std::uint64_t version;
  std::array<std::uint8_t, 32> root;
  std::uint64_t entries;
  std::uint64_t paths_bytes;
};
struct Entry {
  std::uint64_t path_begin;
  FileStat stat;
  std::array<std::uint8_t, 32> digest;
};
static_assert(sizeof(Header) == 64 && sizeof(FileStat) == 40 && sizeof(Entry) == 80);

constexpr std::array<char, 8> kMagic{'m', 'l', 'o', 'p', 's', 't', 'a', 't'};
constexpr std::uint64_t kVersion = 1;
constexpr std::size_t kChecksumBytes = 8;
constexpr std::int64_t kRacyNs = 2'000'000'000;
constexpr std::size_t kPieceBytes = 1u << 20;

std::array<std::uint8_t, 32> root_digest(std::string_view root) {
  const auto digest = crypto::sha256(root);
  std::array<std::uint8_t, 32> bytes;
  std::copy(digest.bytes().begin(), digest.bytes().end(), bytes.begin());
  return bytes;
}

template <class T>
T read_as(ByteView bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof(T));
  return value;
}

template <class T>
ByteView bytes_of(const T& value) {
  return {reinterpret_cast<const std::uint8_t*>(&value), sizeof(T)};
}

// A file's bytes as memory: twice as fast as reading them into our own. The file is never written in place, only
// replaced by another, so it cannot shrink under us.
class Mapping {
 public:
  // Empty when there is no such file, it cannot be read, or somebody else could have written it.
  explicit Mapping(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor < 0) return;
    struct stat info {};
    const bool is_ours = ::fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == ::geteuid() &&
                         (info.st_mode & (S_IWGRP | S_IWOTH)) == 0 && info.st_size > 0;
    if (is_ours) map(descriptor, static_cast<std::size_t>(info.st_size));
    ::close(descriptor);
  }
  ~Mapping() { unmap(); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  ByteView bytes() const { return bytes_; }

 private:
  void map(int descriptor, std::size_t size_bytes) {
    void* const data = ::mmap(nullptr, size_bytes, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (data == MAP_FAILED) return;
    bytes_ = {static_cast<const std::uint8_t*>(data), size_bytes};
    // A read error of the disk comes back from here, instead of ending the process later. EINVAL: Linux before 5.14.
    if (::madvise(data, size_bytes, MADV_POPULATE_READ) != 0 && errno != EINVAL) unmap();
  }

  void unmap() {
    if (!bytes_.empty()) ::munmap(const_cast<std::uint8_t*>(bytes_.data()), bytes_.size());
    bytes_ = {};
  }

  ByteView bytes_;
};

// Where the parts of a whole and undamaged file lie; `entries` is 0 for any other.
struct Parts {
  std::size_t entries = 0;
  std::size_t paths_begin = 0;
  std::size_t paths_bytes = 0;
};

Parts parts_of(ByteView file, std::string_view root) {
  if (file.size() < sizeof(Header) + kChecksumBytes) return {};
  const auto header = read_as<Header>(file, 0);
  if (header.magic != kMagic || header.version != kVersion || header.root != root_digest(root)) return {};
  const std::size_t body_bytes = file.size() - sizeof(Header) - kChecksumBytes;
  if (header.entries > body_bytes / sizeof(Entry)) return {};
  const std::size_t entries_bytes = header.entries * sizeof(Entry);
  if (header.paths_bytes != body_bytes - entries_bytes) return {};
  const auto checked_bytes = file.size() - kChecksumBytes;
  if (read_as<std::uint64_t>(file, checked_bytes) != xxh3_64(file.first(checked_bytes))) return {};
  return {header.entries, sizeof(Header) + entries_bytes, header.paths_bytes};
}

// Bytes to a file in large pieces, with the checksum of all of them behind the last.
class CheckedWriter {
 public:
  explicit CheckedWriter(WritableFile& file) : file_(file) { piece_.reserve(kPieceBytes); }

  Status add(ByteView bytes) {
    if (piece_.size() + bytes.size() > kPieceBytes) MLOPS_TRY(flush());
    piece_.insert(piece_.end(), bytes.begin(), bytes.end());
    return {};
  }

  Status finish() {
    MLOPS_TRY(flush());
    return file_.append(bytes_of(checksum_.finish()));
  }

 private:
  Status flush() {
    checksum_.update(piece_);
    MLOPS_TRY(file_.append(piece_));
    piece_.clear();
    return {};
  }

  WritableFile& file_;
  Checksum64 checksum_;
  std::vector<std::uint8_t> piece_;
};

Status write_entries(WritableFile& file, std::string_view root, const std::vector<const StatEntry*>& entries) {
  Header header{kMagic, kVersion, root_digest(root), entries.size(), 0};
  for (const auto* entry : entries) header.paths_bytes += entry->path.size();
  CheckedWriter writer(file);
  MLOPS_TRY(writer.add(bytes_of(header)));
  std::uint64_t path_begin = 0;
  for (const auto* entry : entries) {
    Entry record{path_begin, entry->stat, {}};
    std::copy(entry->digest.bytes().begin(), entry->digest.bytes().end(), record.digest.begin());
    MLOPS_TRY(writer.add(bytes_of(record)));
    path_begin += entry->path.size();
  }
  for (const auto* entry : entries) MLOPS_TRY(writer.add(as_bytes(entry->path)));
  return writer.finish();
}

// Not synced: after a power cut the checksum tells, and the price is one reading of the tree. One name for the
// temporary, so that killed processes do not pile them up; two that write at once leave at worst a damaged file, which
// is an empty one.
Status replace_file(const std::string& path, std::string_view root, const std::vector<const StatEntry*>& entries) {
  Env& env = posix_env();
  for (auto slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    MLOPS_TRY(env.make_dir(path.substr(0, slash)));
  }
  const auto temporary = path + ".new";
  static_cast<void>(env.remove(temporary));  // mostly there is none
  MLOPS_ASSIGN(const auto file, env.create_exclusive(temporary));
  auto written = write_entries(*file, root, entries);
  if (written) written = file->close();
  if (written) written = env.rename_replace(temporary, path);
  if (!written) static_cast<void>(env.remove(temporary));
  return written;
}

}  // namespace

class StatCache::Impl {
 public:
  Impl(const std::string& cache_file, std::string_view root)
      : file_(cache_file), parts_(parts_of(file_.bytes(), root)) {}

  std::size_t size() const { return parts_.entries; }

  Entry entry(std::size_t index) const { return read_as<Entry>(file_.bytes(), sizeof(Header) + index * sizeof(Entry)); }

  // "" for bounds that make no sense: the checksum is no proof against a forger.
  std::string_view path(std::size_t index) const {
    const auto begin = path_begin(index);
    const auto end = index + 1 < parts_.entries ? path_begin(index + 1) : parts_.paths_bytes;
    if (begin > end || end > parts_.paths_bytes) return {};
    return {reinterpret_cast<const char*>(file_.bytes().data()) + parts_.paths_begin + begin, end - begin};
  }

  // The first entry whose path is not before `path`.
  std::size_t lower_bound(std::string_view wanted, std::size_t hint) const {
    hint = std::min(hint, size());
    std::size_t begin = 0;
    std::size_t end = hint;
    if (hint == 0 || path(hint - 1) < wanted) {
      // Forward in doubling steps: when few files are new or gone, the first look or one nearby finds it.
      begin = hint;
      std::size_t step = 1;
      for (end = hint; end < size() && path(end) < wanted; step *= 2) {
        begin = end + 1;
        end = std::min(size(), end + step);
      }
    }
    while (begin < end) {
      const auto middle = begin + (end - begin) / 2;
      if (path(middle) < wanted) {
        begin = middle + 1;
      } else {
        end = middle;
      }
    }
    return begin;
  }

 private:
  std::uint64_t path_begin(std::size_t index) const {
    return read_as<std::uint64_t>(file_.bytes(), sizeof(Header) + index * sizeof(Entry));
  }

  const Mapping file_;
  const Parts parts_;
};

StatCache::StatCache() = default;
StatCache::~StatCache() = default;
StatCache::StatCache(StatCache&&) noexcept = default;
StatCache& StatCache::operator=(StatCache&&) noexcept = default;

StatCache StatCache::load(const std::string& cache_file, std::string_view root) {
  StatCache cache;
  cache.impl_ = std::make_unique<const Impl>(cache_file, root);
  return cache;
}

void StatCache::store(const std::string& cache_file, std::string_view root, const std::vector<StatEntry>& sorted,
                      TimestampUs walked_us) {
  if (cache_file.empty()) return;
  const auto newest_ns = walked_us * 1000 - kRacyNs;
  std::vector<const StatEntry*> kept;
  kept.reserve(sorted.size());
  for (const auto& entry : sorted) {
    if (std::max(entry.stat.mtime_ns, entry.stat.ctime_ns) < newest_ns) kept.push_back(&entry);
  }
  static_cast<void>(replace_file(cache_file, root, kept));
}

std::size_t StatCache::size() const {
  return impl_ ? impl_->size() : 0;
}

std::optional<crypto::Digest> StatCache::find(std::string_view path, const FileStat& stat, std::size_t& hint) const {
  if (size() == 0) return std::nullopt;
  if (hint >= size() || impl_->path(hint) != path) hint = impl_->lower_bound(path, hint);
  if (hint >= size() || impl_->path(hint) != path) return std::nullopt;
  const auto entry = impl_->entry(hint++);
  if (entry.stat != stat) return std::nullopt;
  return crypto::Digest(entry.digest);
}

std::string stat_cache_file(std::string_view server_url, std::string_view absolute_path, const Variables& variables) {
  auto folder = variables("XDG_CACHE_HOME").value_or("");
  if (!folder.starts_with('/')) {
    folder = variables("HOME").value_or("");
    if (!folder.starts_with('/')) return {};
    folder += "/.cache";
  }
  // A NUL stands in neither, so no two pairs run into one.
  const auto name = crypto::sha256(std::string(server_url) + '\0' + std::string(absolute_path)).hex();
  return folder + "/mlopsctl/stat/" + name;
}

}  // namespace mlops::cli
