// The policy packs in this folder, compiled into the binary (mlops_embed). File names, in alphabetical order.
// Thread-safety: static storage, read only.
#pragma once

#include <vector>

#include "core/base/embedded.h"

namespace mlops::packs {

const std::vector<EmbeddedFile>& files();

}  // namespace mlops::packs
