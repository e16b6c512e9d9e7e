// Where masked files are written until all of them are clean: a hidden folder beside the output, gone with the object.
//
// The folder is locked (flock) while its owner lives, so what a killed run left behind can be told from what another
// run is writing. Errors: kUnavailable "io_error". Thread-safety: belongs to one thread. Ownership: of folder and lock.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "core/base/result.h"

namespace mlops::cli {

class Staging {
 public:
  static Result<Staging> create(const std::string& target);
  // Removes the folders for `target` whose owner is gone; gives how many. What cannot be told stays.
  static std::size_t remove_left_behind(const std::string& target);

  Staging(Staging&& other) noexcept;
  Staging& operator=(Staging&&) = delete;
  ~Staging();

  std::string path_of(const std::string& file) const { return (folder_ / file).string(); }
  // The folder becomes the target.
  Status publish();
  // One file of it alone does.
  Status publish_file(const std::string& path) { return move_out(path); }

 private:
  Staging(std::filesystem::path folder, std::filesystem::path target, int lock)
      : folder_(std::move(folder)), target_(std::move(target)), lock_(lock) {}
  Status move_out(const std::filesystem::path& from) const;

  std::filesystem::path folder_;
  std::filesystem::path target_;
  int lock_ = -1;  // the folder itself
};

}  // namespace mlops::cli
