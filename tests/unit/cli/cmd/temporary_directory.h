// A directory of one test, removed with it. Thread-safety: none.
#pragma once

#include <string>
#include <string_view>

namespace mlops::cli {

class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  std::string path(const std::string& below = "") const { return below.empty() ? path_ : path_ + "/" + below; }
  // Makes parents too; gives the whole path.
  std::string write(const std::string& below, std::string_view content) const;

 private:
  std::string path_;
};

}  // namespace mlops::cli
