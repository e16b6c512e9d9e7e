// Internal to core/crypto: memory for keys. It is locked (it does not reach swap), left out of core dumps, and zeroed
// before it is given back. Where the system's limit on locked memory is reached, it is still left out of dumps.
//
// Slots of 64 bytes in shared pages, because a page for every 32-byte key would use the limit up.
// Thread-safety: thread-safe. Ownership: the caller's until release().
#pragma once

#include <cstddef>
#include <cstdint>

namespace mlops::crypto {

// REQUIRES: size_bytes > 0. Zeroed. Aborts without memory: a key cannot be kept anywhere else.
std::uint8_t* take_secret_memory(std::size_t size_bytes);
// REQUIRES: both as of one call of take_secret_memory.
void release_secret_memory(std::uint8_t* memory, std::size_t size_bytes);

}  // namespace mlops::crypto
