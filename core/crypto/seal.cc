#include "core/crypto/seal.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <memory>
#include <utility>

#include "core/crypto/secret_memory.h"

namespace mlops::crypto {
namespace {

struct FreeMacContext {
  void operator()(EVP_MAC_CTX* handle) const { EVP_MAC_CTX_free(handle); }
};
using MacContext = std::unique_ptr<EVP_MAC_CTX, FreeMacContext>;

// A context that knows its digest but holds no key; duplicating it is cheaper than fetching again.
const MacContext& keyless_context() {
  static const MacContext context = [] {
    EVP_MAC* const method = EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_HMAC, nullptr);
    MacContext made(EVP_MAC_CTX_new(method));
    EVP_MAC_free(method);
    char digest_name[] = "SHA256";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest_name, 0),
                                 OSSL_PARAM_construct_end()};
    if (!made || EVP_MAC_CTX_set_params(made.get(), params) != 1) std::abort();
    return made;
  }();
  return context;
}

}  // namespace

SecretBytes::SecretBytes(std::vector<std::uint8_t> bytes) {
  assign(bytes);
  crypto::wipe(bytes);
}

SecretBytes SecretBytes::copy_of(ByteView bytes) {
  SecretBytes secret;
  secret.assign(bytes);
  return secret;
}

SecretBytes& SecretBytes::operator=(const SecretBytes& other) {
  if (this == &other) return *this;
  wipe();
  assign(other.view());
  return *this;
}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  if (this == &other) return *this;
  wipe();
  bytes_ = std::exchange(other.bytes_, nullptr);
  size_bytes_ = std::exchange(other.size_bytes_, 0);
  return *this;
}

void SecretBytes::assign(ByteView bytes) {
  if (bytes.empty()) return;
  bytes_ = take_secret_memory(bytes.size());
  size_bytes_ = bytes.size();
  std::copy(bytes.begin(), bytes.end(), bytes_);
}

void SecretBytes::wipe() {
  if (bytes_) release_secret_memory(bytes_, size_bytes_);
  bytes_ = nullptr;
  size_bytes_ = 0;
}

void keep_out_of_core_dumps() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

void wipe(std::vector<std::uint8_t>& bytes) {
  if (!bytes.empty()) OPENSSL_cleanse(bytes.data(), bytes.size());
  bytes.clear();
}

void wipe(std::string& text) {
  if (!text.empty()) OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

Mac hmac_sha256(ByteView key, ByteView message) {
  // A null key would mean "keep the one before", so an empty key needs an address too.
  constexpr std::uint8_t kEmptyKey = 0;
  const std::uint8_t* const key_bytes = key.empty() ? &kEmptyKey : key.data();
  const MacContext context(EVP_MAC_CTX_dup(keyless_context().get()));
  Mac mac;
  std::size_t size_bytes = 0;
  const bool done = context && EVP_MAC_init(context.get(), key_bytes, key.size(), nullptr) == 1 &&
                    EVP_MAC_update(context.get(), message.data(), message.size()) == 1 &&
                    EVP_MAC_final(context.get(), mac.data(), &size_bytes, mac.size()) == 1 && size_bytes == mac.size();
  // Only without memory; a wrong MAC must never be returned.
  if (!done) std::abort();
  return mac;
}

bool constant_time_equal(ByteView a, ByteView b) {
  return a.size() == b.size() && (a.empty() || CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0);
}

Result<std::vector<std::uint8_t>> random_bytes(std::size_t count) {
  std::vector<std::uint8_t> bytes(count);
  if (count > static_cast<std::size_t>(std::numeric_limits<int>::max()) ||
      RAND_bytes(bytes.data(), static_cast<int>(count)) != 1) {
    return fail(ErrorCode::kInternal, "no_randomness", "the system gave no random bytes");
  }
  return bytes;
}

}  // namespace mlops::crypto
