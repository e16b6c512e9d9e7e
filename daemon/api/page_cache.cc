#include "daemon/api/page_cache.h"

namespace mlops::api {

std::optional<std::string> PageCache::find(const std::string& key, std::uint64_t generation) {
  std::lock_guard lock(mutex_);
  if (generation != generation_) return std::nullopt;
  const auto it = pages_.find(key);
  if (it == pages_.end()) return std::nullopt;
  return it->second;
}

void PageCache::keep(const std::string& key, std::uint64_t generation, const std::string& page) {
  if (page.size() > kPageLimitBytes) return;
  std::lock_guard lock(mutex_);
  if (generation < generation_) return;
  if (generation > generation_ || size_bytes_ + key.size() + page.size() > kLimitBytes) {
    pages_.clear();
    size_bytes_ = 0;
    generation_ = generation;
  }
  if (pages_.emplace(key, page).second) size_bytes_ += key.size() + page.size();
}

}  // namespace mlops::api
