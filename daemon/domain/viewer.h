// What of the content store a principal may be told of. Thread-safety: pure.
#pragma once

#include "core/model/principal.h"
#include "storage/cas/object.h"

namespace mlops::domain {

// Whoever may read may know what is here; anybody else only what it sent itself.
inline cas::OwnerTag viewer_of(const model::Principal& principal) {
  return principal.has(model::Scope::kRead) ? cas::kEveryone : cas::owner_tag(principal.id);
}

}  // namespace mlops::domain
