#include "core/crypto/digest.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cstdlib>

#include "core/base/text.h"

namespace mlops::crypto {
namespace {

constexpr std::string_view kPrefix = "sha256:";

// Fetched once: an implicit fetch for every digest costs more than hashing a short text.
const EVP_MD* sha256_method() {
  static const EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return method;
}

// These calls fail only without memory or without a SHA-256 provider; then no identity can be computed at all.
void must(int openssl_result) {
  if (openssl_result != 1) std::abort();
}

Failure bad_digest(std::string_view text, std::string_view wanted) {
  return fail(ErrorCode::kInvalid, "bad_digest", fmt::format("not a digest: '{}'", printable(text.substr(0, 80))),
              fmt::format("a digest is {}64 lower-case hexadecimal digits", wanted));
}

}  // namespace

Result<Digest> Digest::parse(std::string_view text) {
  if (!text.starts_with(kPrefix)) return bad_digest(text, "sha256: and ");
  return parse_hex(text.substr(kPrefix.size()));
}

Result<Digest> Digest::parse_hex(std::string_view text) {
  std::array<std::uint8_t, 32> bytes;
  const auto decoded = text.size() == 2 * bytes.size() ? from_hex(text) : std::nullopt;
  if (!decoded) return bad_digest(text, "");
  std::copy(decoded->begin(), decoded->end(), bytes.begin());
  return Digest(bytes);
}

std::string Digest::to_string() const {
  return std::string(kPrefix) + hex();
}

std::string Digest::hex() const {
  return to_hex(bytes_);
}

struct Hasher::Context {
  struct Free {
    void operator()(EVP_MD_CTX* handle) const { EVP_MD_CTX_free(handle); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> handle{EVP_MD_CTX_new()};
};

Hasher::Hasher() : context_(std::make_unique<Context>()) {
  must(EVP_DigestInit_ex2(context_->handle.get(), sha256_method(), nullptr));
}
Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

void Hasher::update(ByteView bytes) {
  must(EVP_DigestUpdate(context_->handle.get(), bytes.data(), bytes.size()));
}

Digest Hasher::finish() {
  std::array<std::uint8_t, 32> bytes;
  must(EVP_DigestFinal_ex(context_->handle.get(), bytes.data(), nullptr));
  return Digest(bytes);
}

Digest sha256(ByteView bytes) {
  std::array<std::uint8_t, 32> digest;
  must(EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, sha256_method(), nullptr));
  return Digest(digest);
}

}  // namespace mlops::crypto
