#include "core/crypto/sign.h"

#include <openssl/evp.h>

#include <array>
#include <memory>

#include "core/base/text.h"
#include "core/crypto/digest.h"

namespace mlops::crypto {
namespace {

// DER before the 32 bytes, fixed for Ed25519: PrivateKeyInfo and SubjectPublicKeyInfo (RFC 8410, 7 and 4); the OpenSSH
// blob is a length and a name, a length and the key (RFC 8709, 4).
constexpr std::array<std::uint8_t, 16> kPrivatePrefix{0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
                                                      0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};
constexpr std::array<std::uint8_t, 12> kPublicPrefix{0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                                     0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
constexpr std::array<std::uint8_t, 19> kSshPrefix{0,   0,   0,   11,  's', 's', 'h', '-', 'e', 'd',
                                                  '2', '5', '5', '1', '9', 0,   0,   0,   32};
constexpr std::string_view kPrivateBegin = "-----BEGIN PRIVATE KEY-----";
constexpr std::string_view kPrivateEnd = "-----END PRIVATE KEY-----";
constexpr std::string_view kPublicBegin = "-----BEGIN PUBLIC KEY-----";
constexpr std::string_view kPublicEnd = "-----END PUBLIC KEY-----";
constexpr std::string_view kSshBegin = "ssh-ed25519 ";

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

Failure bad_public_key() {
  return fail(ErrorCode::kInvalid, "bad_public_key", "that is no Ed25519 public key",
              "give a PEM public key, an ssh-ed25519 line, or the base64 of its 32 bytes");
}
Failure bad_private_key() {
  return fail(ErrorCode::kInvalid, "bad_private_key", "that is no unencrypted Ed25519 private key in PEM (PKCS #8)",
              "`mlopsctl key add` makes one");
}
Failure sign_failed() {
  return fail(ErrorCode::kInternal, "sign_failed", "the signature could not be made");
}

std::string base64(ByteView bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

// Padded standard base64 without white space; nullopt for anything else.
std::optional<std::vector<std::uint8_t>> from_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0 || text.size() > 4096) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && text[text.size() - 1 - padding] == '=') ++padding;
  std::vector<std::uint8_t> bytes(text.size() / 4 * 3);
  const int size =
      EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  bytes.resize(static_cast<std::size_t>(size) - padding);
  if (base64(bytes) != text) return std::nullopt;  // one spelling of a key, so that it has one name
  return bytes;
}

// The 32 bytes behind a fixed beginning.
std::optional<ByteView> behind(ByteView whole, ByteView prefix) {
  if (whole.size() != prefix.size() + kPublicKeyBytes) return std::nullopt;
  if (!std::equal(prefix.begin(), prefix.end(), whole.begin())) return std::nullopt;
  return whole.subspan(prefix.size());
}

// The base64 between two lines, white space taken out.
std::optional<std::string> pem_body(std::string_view text, std::string_view begin, std::string_view end) {
  const auto from = text.find(begin);
  const auto to = text.find(end);
  if (from == text.npos || to == text.npos || to < from + begin.size()) return std::nullopt;
  std::string body;
  for (const char c : text.substr(from + begin.size(), to - from - begin.size())) {
    if (c != '\n' && c != '\r' && c != ' ') body.push_back(c);
  }
  return body;
}

Result<std::vector<std::uint8_t>> raw_public_key(std::string_view text) {
  auto raw = from_base64(text);
  if (!raw || raw->size() != kPublicKeyBytes) return bad_public_key();
  return std::move(*raw);
}

Result<Key> open_private(const SigningKey& key) {
  const auto seed = key.seed.view();
  Key opened(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()));
  if (!opened) return bad_private_key();
  return opened;
}

}  // namespace

Result<SigningKey> make_signing_key() {
  MLOPS_ASSIGN(auto bytes, random_bytes(kPublicKeyBytes));
  return SigningKey{SecretBytes(std::move(bytes))};
}

Result<SigningKey> signing_key_from_pem(std::string_view pem) {
  auto body = pem_body(pem, kPrivateBegin, kPrivateEnd);
  if (!body) return bad_private_key();
  auto der = from_base64(*body);
  wipe(*body);
  if (!der) return bad_private_key();
  const auto seed = behind(*der, kPrivatePrefix);
  std::optional<SigningKey> key;
  if (seed) key = SigningKey{SecretBytes::copy_of(*seed)};
  wipe(*der);
  if (!key) return bad_private_key();
  return std::move(*key);
}

Result<SecretBytes> to_pem(const SigningKey& key) {
  std::vector<std::uint8_t> der(kPrivatePrefix.begin(), kPrivatePrefix.end());
  append_bytes(der, key.seed.view());
  auto body = base64(der);
  wipe(der);
  std::vector<std::uint8_t> pem;
  pem.reserve(kPrivateBegin.size() + body.size() + kPrivateEnd.size() + 3);  // so that no copy is left behind
  for (const auto part : {kPrivateBegin, std::string_view("\n"), std::string_view(body), std::string_view("\n"),
                          kPrivateEnd, std::string_view("\n")}) {
    append_bytes(pem, as_bytes(part));
  }
  wipe(body);
  return SecretBytes(std::move(pem));
}

Result<std::string> public_key_of(const SigningKey& key) {
  MLOPS_ASSIGN(const auto opened, open_private(key));
  std::array<std::uint8_t, kPublicKeyBytes> raw{};
  std::size_t size = raw.size();
  if (EVP_PKEY_get_raw_public_key(opened.get(), raw.data(), &size) != 1) return bad_private_key();
  return base64(raw);
}

Result<std::string> parse_public_key(std::string_view given) {
  const auto text = trim(given);
  if (text.starts_with(kSshBegin)) {
    const auto rest = text.substr(kSshBegin.size());
    const auto blob = from_base64(rest.substr(0, rest.find(' ')));
    const auto raw = blob ? behind(*blob, kSshPrefix) : std::nullopt;
    if (!raw) return bad_public_key();
    return base64(*raw);
  }
  if (const auto body = pem_body(text, kPublicBegin, kPublicEnd)) {
    const auto der = from_base64(*body);
    const auto raw = der ? behind(*der, kPublicPrefix) : std::nullopt;
    if (!raw) return bad_public_key();
    return base64(*raw);
  }
  MLOPS_ASSIGN(const auto raw, raw_public_key(text));
  return base64(raw);
}

Result<std::string> key_id_of(std::string_view public_key) {
  MLOPS_ASSIGN(const auto raw, raw_public_key(public_key));
  return "ed25519:" + sha256(raw).hex().substr(0, 32);
}

Result<std::string> sign(const SigningKey& key, std::string_view message) {
  MLOPS_ASSIGN(const auto opened, open_private(key));
  const Context context(EVP_MD_CTX_new());
  std::array<std::uint8_t, kSignatureBytes> signature{};
  std::size_t size = signature.size();
  const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
  if (!context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, opened.get()) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &size, bytes, message.size()) != 1) {
    return sign_failed();
  }
  return base64(signature);
}

Status verify_signature(std::string_view public_key, std::string_view message, std::string_view signature_base64) {
  MLOPS_ASSIGN(const auto raw, raw_public_key(public_key));
  const Key opened(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, raw.data(), raw.size()));
  if (!opened) return bad_public_key();
  const auto signature = from_base64(signature_base64);
  const Context context(EVP_MD_CTX_new());
  const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
  if (!signature || signature->size() != kSignatureBytes || !context ||
      EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, opened.get()) != 1 ||
      EVP_DigestVerify(context.get(), signature->data(), signature->size(), bytes, message.size()) != 1) {
    return fail(ErrorCode::kRefused, "bad_signature", "the signature was not made by this key over these bytes");
  }
  return {};
}

}  // namespace mlops::crypto
