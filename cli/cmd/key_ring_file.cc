#include "cli/cmd/key_ring_file.h"

#include "cli/cmd/file_lock.h"
#include "core/base/env.h"
#include "core/crypto/master_key.h"

namespace mlops::cli {
namespace {

constexpr std::size_t kLargestRingBytes = 4u << 20;

}  // namespace

Result<mask::KeyRing> open_key_ring(const std::string& path, const std::string& master) {
  crypto::keep_out_of_core_dumps();
  MLOPS_ASSIGN(const auto text, read_file(path, kLargestRingBytes));
  MLOPS_ASSIGN(auto key, crypto::read_master_key(master));
  return mask::KeyRing::open(text, std::move(key));
}

Status store_new_key_ring(const std::string& path, const mask::KeyRing& ring) {
  MLOPS_ASSIGN(const auto text, ring.to_text());
  MLOPS_ASSIGN(auto file, posix_env().create_exclusive(path, 0600));
  MLOPS_TRY(file->append(as_bytes(text)));
  MLOPS_TRY(file->sync());
  return file->close();
}

Result<std::string> change_key_ring(const std::string& path, const std::string& master,
                                    const std::function<Result<std::string>(mask::KeyRing&)>& change) {
  MLOPS_ASSIGN(const auto lock, FileLock::take(path));
  MLOPS_ASSIGN(auto ring, open_key_ring(path, master));
  MLOPS_ASSIGN(auto changed, change(ring));
  MLOPS_ASSIGN(const auto text, ring.to_text());
  MLOPS_TRY(write_file_atomic(path, text));
  return changed;
}

}  // namespace mlops::cli
