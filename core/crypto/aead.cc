#include "core/crypto/aead.h"

#include <openssl/evp.h>

#include <limits>
#include <memory>

#include "core/crypto/seal.h"

namespace mlops::crypto {
namespace {

constexpr std::size_t kGcmKeyBytes = 32;

struct FreeCipherContext {
  void operator()(EVP_CIPHER_CTX* handle) const { EVP_CIPHER_CTX_free(handle); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeCipherContext>;

// Fetched once and kept: a fetch costs more than sealing a cell.
const EVP_CIPHER* gcm_method() {
  static const EVP_CIPHER* const method = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  return method;
}

// nullptr: no AES has such a key.
const EVP_CIPHER* siv_method(std::size_t key_bytes) {
  static const EVP_CIPHER* const small = EVP_CIPHER_fetch(nullptr, "AES-128-SIV", nullptr);
  static const EVP_CIPHER* const middle = EVP_CIPHER_fetch(nullptr, "AES-192-SIV", nullptr);
  static const EVP_CIPHER* const large = EVP_CIPHER_fetch(nullptr, "AES-256-SIV", nullptr);
  return key_bytes == 64 ? large : key_bytes == 48 ? middle : key_bytes == 32 ? small : nullptr;
}

Failure bad_key_size() {
  return fail(ErrorCode::kInvalid, "bad_key_size", "the key does not fit the cipher");
}
Failure cipher_failed() {
  return fail(ErrorCode::kInternal, "cipher_failed", "the cipher could not be run");
}
Failure cannot_open() {
  return fail(ErrorCode::kRefused, "cannot_open", "the ciphertext does not open with this key in this place");
}

bool fits(std::size_t size) {
  return size <= static_cast<std::size_t>(std::numeric_limits<int>::max()) - 64;
}

bool add_associated(EVP_CIPHER_CTX* context, ByteView bytes) {
  int done = 0;
  return EVP_CipherUpdate(context, nullptr, &done, bytes.data(), static_cast<int>(bytes.size())) == 1;
}

// The text into `to`, which has room for it. SIV takes it in one call only, and so may GCM.
bool run_text(EVP_CIPHER_CTX* context, ByteView from, std::uint8_t* to) {
  int done = 0;
  int last = 0;
  if (!from.empty() && EVP_CipherUpdate(context, to, &done, from.data(), static_cast<int>(from.size())) != 1) {
    return false;
  }
  return EVP_CipherFinal_ex(context, to + done, &last) == 1;
}

bool set_tag(EVP_CIPHER_CTX* context, ByteView tag) {
  return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag.size()),
                             const_cast<std::uint8_t*>(tag.data())) == 1;  // it only reads them
}

bool get_tag(EVP_CIPHER_CTX* context, std::uint8_t* to) {
  return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, static_cast<int>(kTagBytes), to) == 1;
}

bool add_all(EVP_CIPHER_CTX* context, std::span<const ByteView> associated) {
  for (const ByteView one : associated) {
    if (!add_associated(context, one)) return false;
  }
  return true;
}

}  // namespace

Result<std::vector<std::uint8_t>> gcm_seal(ByteView key, ByteView text, ByteView associated) {
  MLOPS_ASSIGN(const auto nonce, random_bytes(kGcmNonceBytes));
  return gcm_seal_with(key, nonce, text, associated);
}

Result<std::vector<std::uint8_t>> gcm_seal_with(ByteView key, ByteView nonce, ByteView text, ByteView associated) {
  if (key.size() != kGcmKeyBytes || nonce.size() != kGcmNonceBytes) return bad_key_size();
  const CipherContext context(EVP_CIPHER_CTX_new());
  std::vector<std::uint8_t> sealed(kGcmNonceBytes + text.size() + kTagBytes);
  std::copy(nonce.begin(), nonce.end(), sealed.begin());
  const bool done = context && fits(text.size()) && fits(associated.size()) &&
                    EVP_EncryptInit_ex2(context.get(), gcm_method(), key.data(), nonce.data(), nullptr) == 1 &&
                    (associated.empty() || add_associated(context.get(), associated)) &&
                    run_text(context.get(), text, sealed.data() + kGcmNonceBytes) &&
                    get_tag(context.get(), sealed.data() + kGcmNonceBytes + text.size());
  if (!done) return cipher_failed();
  return sealed;
}

Result<std::vector<std::uint8_t>> gcm_open(ByteView key, ByteView sealed, ByteView associated) {
  if (key.size() != kGcmKeyBytes) return bad_key_size();
  if (sealed.size() < kGcmNonceBytes + kTagBytes || !fits(sealed.size()) || !fits(associated.size())) {
    return cannot_open();
  }
  const CipherContext context(EVP_CIPHER_CTX_new());
  const ByteView body = sealed.subspan(kGcmNonceBytes, sealed.size() - kGcmNonceBytes - kTagBytes);
  if (!context || EVP_DecryptInit_ex2(context.get(), gcm_method(), key.data(), sealed.data(), nullptr) != 1) {
    return cipher_failed();
  }
  std::vector<std::uint8_t> text(body.size());
  const bool done = (associated.empty() || add_associated(context.get(), associated)) &&
                    set_tag(context.get(), sealed.last(kTagBytes)) && run_text(context.get(), body, text.data());
  if (done) return text;
  wipe(text);
  return cannot_open();
}

Result<std::vector<std::uint8_t>> siv_seal(ByteView key, ByteView text, std::span<const ByteView> associated) {
  const EVP_CIPHER* const method = siv_method(key.size());
  if (!method) return bad_key_size();
  const CipherContext context(EVP_CIPHER_CTX_new());
  std::vector<std::uint8_t> sealed(kTagBytes + text.size());
  const bool done = context && !text.empty() && fits(text.size()) &&
                    EVP_EncryptInit_ex2(context.get(), method, key.data(), nullptr, nullptr) == 1 &&
                    add_all(context.get(), associated) && run_text(context.get(), text, sealed.data() + kTagBytes) &&
                    get_tag(context.get(), sealed.data());
  if (!done) return cipher_failed();
  return sealed;
}

Result<std::vector<std::uint8_t>> siv_open(ByteView key, ByteView sealed, std::span<const ByteView> associated) {
  const EVP_CIPHER* const method = siv_method(key.size());
  if (!method) return bad_key_size();
  if (sealed.size() <= kTagBytes || !fits(sealed.size())) return cannot_open();
  const CipherContext context(EVP_CIPHER_CTX_new());
  if (!context || EVP_DecryptInit_ex2(context.get(), method, key.data(), nullptr, nullptr) != 1) {
    return cipher_failed();
  }
  std::vector<std::uint8_t> text(sealed.size() - kTagBytes);
  const bool done = set_tag(context.get(), sealed.first(kTagBytes)) && add_all(context.get(), associated) &&
                    run_text(context.get(), sealed.subspan(kTagBytes), text.data());
  if (done) return text;
  wipe(text);
  return cannot_open();
}

}  // namespace mlops::crypto
