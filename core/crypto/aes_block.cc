#include "core/crypto/aes_block.h"

#include <openssl/evp.h>

#include <limits>
#include <memory>

namespace mlops::crypto {
namespace {

constexpr std::size_t kKeyBytes = 32;

const EVP_CIPHER* method() {
  static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-ECB", nullptr);
  return cipher;
}

}  // namespace

Result<AesBlocks> AesBlocks::create(ByteView key) {
  if (key.size() != kKeyBytes) {
    return fail(ErrorCode::kInvalid, "bad_key_size", "the key does not fit the cipher");
  }
  const std::shared_ptr<EVP_CIPHER_CTX> context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  const bool good = context && EVP_EncryptInit_ex2(context.get(), method(), key.data(), nullptr, nullptr) == 1 &&
                    EVP_CIPHER_CTX_set_padding(context.get(), 0) == 1;
  if (!good) return fail(ErrorCode::kInternal, "cipher_failed", "the cipher could not be made ready");
  return AesBlocks(context);
}

Status AesBlocks::encrypt(std::span<std::uint8_t> blocks) const {
  const bool fits =
      blocks.size() % kAesBlockBytes == 0 && blocks.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max());
  if (!fits) return fail(ErrorCode::kInvalid, "bad_key_size", "only whole blocks can be permuted");
  if (blocks.empty()) return {};
  int done = 0;
  auto* context = static_cast<EVP_CIPHER_CTX*>(context_.get());
  if (EVP_EncryptUpdate(context, blocks.data(), &done, blocks.data(), static_cast<int>(blocks.size())) == 1) return {};
  return fail(ErrorCode::kInternal, "cipher_failed", "the cipher could not be run");
}

}  // namespace mlops::crypto
