// Rendered answers of the hottest read, kept while nothing at all was committed since. A commit of any kind makes every
// page old, so a reader never sees a state older than the last acknowledged change.
// Thread-safety: thread-safe. Bounded: kLimitBytes in all, larger pages are not kept.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace mlops::api {

class PageCache {
 public:
  // The page rendered at `generation`, or nullopt.
  std::optional<std::string> find(const std::string& key, std::uint64_t generation);
  // REQUIRES: `generation` was read before the page's data.
  void keep(const std::string& key, std::uint64_t generation, const std::string& page);

 private:
  static constexpr std::size_t kLimitBytes = 4u << 20;
  static constexpr std::size_t kPageLimitBytes = 16u << 10;

  std::mutex mutex_;
  std::uint64_t generation_ = 0;  // of every page in the map
  std::size_t size_bytes_ = 0;
  std::unordered_map<std::string, std::string> pages_;
};

}  // namespace mlops::api
