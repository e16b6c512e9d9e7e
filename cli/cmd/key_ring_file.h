// A key ring in a file, offline: read whole, changed under a lock, replaced atomically (mode 0600).
// Errors: those of the ring, of the master key and of files. Thread-safety: main thread.
#pragma once

#include <functional>
#include <string>

#include "policies/mask/key_ring.h"

namespace mlops::cli {

// The ring alone must not be a way to a master key of another one, so the process is kept out of core dumps first.
Result<mask::KeyRing> open_key_ring(const std::string& path, const std::string& master);
Status store_new_key_ring(const std::string& path, const mask::KeyRing& ring);
// Opens, changes and stores; what `change` returns. Nothing is stored when it fails.
Result<std::string> change_key_ring(const std::string& path, const std::string& master,
                                    const std::function<Result<std::string>(mask::KeyRing&)>& change);

}  // namespace mlops::cli
