#include "cli/cmd/file_walk.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "core/base/text.h"
#include "core/model/names.h"

namespace mlops::cli {
namespace {

namespace fs = std::filesystem;

struct TypeRow {
  fs::file_type type;
  std::string_view word;
};
constexpr TypeRow kRefusedTypes[] = {
    {fs::file_type::socket, "a socket"},
    {fs::file_type::fifo, "a pipe"},
    {fs::file_type::character, "a character device"},
    {fs::file_type::block, "a block device"},
};

std::string_view type_word(fs::file_type type) {
  for (const auto& row : kRefusedTypes) {
    if (row.type == type) return row.word;
  }
  return "of a kind this program does not know";
}

Failure io_failure(const fs::path& path, const std::error_code& error) {
  return fail(ErrorCode::kUnavailable, "io_error", fmt::format("{}: {}", printable(path.string()), error.message()));
}

Status refuse_unless_plain(const fs::path& path, fs::file_type type) {
  if (type == fs::file_type::regular || type == fs::file_type::directory) return {};
  if (type == fs::file_type::symlink) {
    return fail(ErrorCode::kInvalid, "symlink_refused",
                fmt::format("{} is a symbolic link; a version holds exactly the bytes under its path, so links are "
                            "not followed",
                            printable(path.string())),
                "put the file itself there (cp -L), or name the link's target");
  }
  return fail(ErrorCode::kInvalid, "not_a_file",
              fmt::format("{} is {}, which has no bytes to keep", printable(path.string()), type_word(type)),
              "remove it from the directory, or register another path");
}

class Walker {
 public:
  Status add_file(const fs::path& source, std::string path) {
    std::error_code error;
    const auto size_bytes = fs::file_size(source, error);
    if (error) return io_failure(source, error);
    MLOPS_TRY(model::check_file_path(path));
    walk.files.push_back({std::move(path), source.string(), size_bytes});
    walk.size_bytes += size_bytes;
    return {};
  }

  // A stack instead of recursion: the depth of a directory tree is not ours to bound.
  Status add_directory(const fs::path& root) {
    std::vector<std::pair<fs::path, std::string>> open{{root, ""}};
    while (!open.empty()) {
      const auto [directory, prefix] = std::move(open.back());
      open.pop_back();
      std::error_code error;
      bool is_empty = true;
      for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
        is_empty = false;
        const auto type = at->symlink_status(error).type();
        if (error) break;
        MLOPS_TRY(refuse_unless_plain(at->path(), type));
        const auto path = prefix + at->path().filename().string();
        if (type == fs::file_type::directory) {
          open.emplace_back(at->path(), path + "/");
        } else {
          MLOPS_TRY(add_file(at->path(), path));
        }
      }
      if (error) return io_failure(directory, error);
      if (is_empty && !prefix.empty()) walk.empty_directories.push_back(prefix);
    }
    return {};
  }

  Walk walk;
};

}  // namespace

Result<Walk> walk_artifact(const std::string& path) {
  std::error_code error;
  const auto type = fs::symlink_status(path, error).type();
  if (type == fs::file_type::not_found) {
    return fail(ErrorCode::kNotFound, "path_not_found", fmt::format("{} does not exist", printable(path)));
  }
  if (error) return io_failure(path, error);
  MLOPS_TRY(refuse_unless_plain(path, type));
  Walker walker;
  walker.walk.is_directory = type == fs::file_type::directory;
  if (walker.walk.is_directory) {
    MLOPS_TRY(walker.add_directory(path));
  } else {
    MLOPS_TRY(walker.add_file(path, fs::path(path).filename().string()));
  }
  auto walk = std::move(walker.walk);
  if (walk.files.empty()) {
    return fail(ErrorCode::kInvalid, "no_files", fmt::format("{} holds no file", printable(path)),
                "a version needs at least one file");
  }
  std::sort(walk.files.begin(), walk.files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  std::sort(walk.empty_directories.begin(), walk.empty_directories.end());
  return walk;
}

}  // namespace mlops::cli
