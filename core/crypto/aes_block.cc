#include "core/crypto/aes_block.h"

#include <openssl/evp.h>

#include <limits>
#include <memory>

namespace mlops::crypto {
namespace {

constexpr std::size_t kKeyBytes = 32;

struct FreeCipherContext {
  void operator()(EVP_CIPHER_CTX* handle) const { EVP_CIPHER_CTX_free(handle); }
};

const EVP_CIPHER* method() {
  static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-ECB", nullptr);
  return cipher;
}

}  // namespace

Status aes_blocks(ByteView key, std::span<std::uint8_t> blocks) {
  if (key.size() != kKeyBytes || blocks.size() % kAesBlockBytes != 0 ||
      blocks.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    return fail(ErrorCode::kInvalid, "bad_key_size", "the key does not fit the cipher");
  }
  if (blocks.empty()) return {};
  const std::unique_ptr<EVP_CIPHER_CTX, FreeCipherContext> context(EVP_CIPHER_CTX_new());
  int done = 0;
  const bool good =
      context && EVP_EncryptInit_ex2(context.get(), method(), key.data(), nullptr, nullptr) == 1 &&
      EVP_CIPHER_CTX_set_padding(context.get(), 0) == 1 &&
      EVP_EncryptUpdate(context.get(), blocks.data(), &done, blocks.data(), static_cast<int>(blocks.size())) == 1;
  if (!good) return fail(ErrorCode::kInternal, "cipher_failed", "the cipher could not be run");
  return {};
}

}  // namespace mlops::crypto
