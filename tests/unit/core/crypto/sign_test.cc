#include "core/crypto/sign.h"

#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::crypto;

namespace {

SigningKey key_of_seed(std::string_view hex) {
  auto bytes = from_hex(hex);
  REQUIRE(bytes);
  return SigningKey{SecretBytes(std::move(*bytes))};
}

}  // namespace

// RFC 8032, 7.1, tests 1 and 2.
TEST_CASE("Ed25519 gives the signatures of its RFC") {
  const auto first = key_of_seed("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
  REQUIRE(*public_key_of(first) == "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
  const auto second = key_of_seed("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
  const auto signature = sign(second, "\x72");
  REQUIRE(signature);
  REQUIRE(*signature == "kqAJqfDUyrhyDoILX2QlQKKye1QWUD+Ps3YiI+vbadoIWsHkPhWZbkWPNhPQ8R2MOHsurrQwKu6wDSkWErsMAA==");
}

TEST_CASE("A signature holds for its bytes and its key only") {
  const auto key = *make_signing_key();
  const auto other = *make_signing_key();
  const auto signature = *sign(key, "plan sha256:12");
  REQUIRE(verify_signature(*public_key_of(key), "plan sha256:12", signature));
  REQUIRE(verify_signature(*public_key_of(key), "plan sha256:13", signature).error().slug == "bad_signature");
  REQUIRE(verify_signature(*public_key_of(other), "plan sha256:12", signature).error().slug == "bad_signature");
  REQUIRE(verify_signature(*public_key_of(key), "plan sha256:12", "AAAA").error().slug == "bad_signature");
  REQUIRE(verify_signature("AAAA", "plan sha256:12", signature).error().slug == "bad_public_key");
}

TEST_CASE("A private key survives its PEM, and a broken one is refused") {
  const auto key = *make_signing_key();
  const auto pem = *to_pem(key);
  const std::string text(reinterpret_cast<const char*>(pem.view().data()), pem.view().size());
  REQUIRE(*public_key_of(*signing_key_from_pem(text)) == *public_key_of(key));
  REQUIRE(signing_key_from_pem(text.substr(0, 60)).error().slug == "bad_private_key");
  REQUIRE(signing_key_from_pem("").error().slug == "bad_private_key");
}

TEST_CASE("A public key is read as PEM, as an OpenSSH line and as base64, and has one name") {
  const std::string raw = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
  const std::string pem =
      "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC "
      "KEY-----\n";
  const std::string ssh =
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea omar@laptop";
  REQUIRE(*parse_public_key(raw) == raw);
  REQUIRE(*parse_public_key(pem) == raw);
  REQUIRE(*parse_public_key(ssh) == raw);
  REQUIRE(*key_id_of(raw) == "ed25519:21fe31dfa154a261626bf854046fd227");
  for (const auto* bad : {"", "abc", "ssh-ed25519 AAAA",
                          "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHUR==", "ssh-rsa AAAAB3NzaC1yc2EAAAADAQAB"}) {
    REQUIRE(parse_public_key(bad).error().slug == "bad_public_key");
  }
}
