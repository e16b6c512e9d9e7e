#include "policies/mask/pinned_keys.h"

namespace mlops::mask {

Result<NamedKey> PinnedKeys::current(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto pinned = ids_.find(name);
  if (pinned != ids_.end()) return source_.by_id(pinned->second);
  MLOPS_ASSIGN(auto key, source_.current(name));
  ids_.emplace(name, key.id);
  return key;
}

}  // namespace mlops::mask
