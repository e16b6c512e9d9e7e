// What was hashed before: for one directory (or file) that was registered, the stat data and SHA-256 of every file as
// of then, so that an unchanged tree is recognised without reading it. Derived data: dropping it costs time only.
//
//   $XDG_CACHE_HOME/mlopsctl/stat/<SHA-256 of server URL and absolute path>   format: docs/format/stat-cache.md
//
// A file counts as unchanged when size, mtime, ctime, inode and device are equal, and when its mtime and ctime were
// older than the walk that saw it by more than two seconds: a write in the same tick of the file system's clock cannot
// be told apart afterwards (the "racy git" problem), so such a file is not remembered at all. Errors never leave here:
// a damaged or absent cache is an empty one. Thread-safety: a loaded cache is immutable, any thread may look things up.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/paint.h"
#include "core/base/clock.h"
#include "core/crypto/digest.h"

namespace mlops::cli {

struct FileStat {
  std::uint64_t size_bytes = 0;
  std::int64_t mtime_ns = 0;
  std::int64_t ctime_ns = 0;
  std::uint64_t inode = 0;
  std::uint64_t device = 0;
  auto operator<=>(const FileStat&) const = default;
};

struct StatEntry {
  std::string path;  // inside the artifact
  FileStat stat;
  crypto::Digest digest;
};

class StatCache {
 public:
  StatCache();
  ~StatCache();
  StatCache(StatCache&&) noexcept;
  StatCache& operator=(StatCache&&) noexcept;

  // An empty cache when there is no such file, it is damaged, somebody else could have written it, or it belongs to
  // another root.
  static StatCache load(const std::string& cache_file, std::string_view root);
  // Replaces the file whole. `walked_us`: a moment before the first of the files was looked at (Walk::started_us), not
  // the moment of storing: hashing takes time, and what was written just before it began must stay suspect. A failure
  // to write is ignored. REQUIRES: sorted by path, unique.
  static void store(const std::string& cache_file, std::string_view root, const std::vector<StatEntry>& sorted,
                    TimestampUs walked_us);

  std::size_t size() const;
  // The digest of the file when it is provably unchanged. `hint`: where to look first, 0 at the beginning; updated to
  // the next entry, so that looking up in sorted order costs no search. Any order gives the same answers.
  std::optional<crypto::Digest> find(std::string_view path, const FileStat& stat, std::size_t& hint) const;

 private:
  class Impl;
  std::unique_ptr<const Impl> impl_;
};

// "" when neither XDG_CACHE_HOME nor HOME names a directory: then there is nothing to load or store.
std::string stat_cache_file(std::string_view server_url, std::string_view absolute_path,
                            const Variables& variables = process_variables());

}  // namespace mlops::cli
