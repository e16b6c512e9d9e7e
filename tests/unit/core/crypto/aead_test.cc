#include "core/crypto/aead.h"

#include "core/crypto/aes_block.h"
#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::crypto;

namespace {

std::vector<std::uint8_t> hex(std::string_view text) {
  return from_hex(text).value();
}

// The GCM specification's test cases 13, 14 and 16 (AES-256).
struct GcmCase {
  const char *key, *nonce, *text, *associated, *sealed;
};
constexpr GcmCase kGcm[] = {
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", "", "",
     "530f8afbc74536b9a963b4f1c4cb738b"},
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "00000000000000000000000000000000", "", "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657"
     "ba637b39",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0a"
     "bcc9f66276fc6ece0f4e1768cddf8853bb2d551b"},
};

}  // namespace

TEST_CASE("GCM: test cases of its specification") {
  for (const auto& one : kGcm) {
    const auto sealed = gcm_seal_with(hex(one.key), hex(one.nonce), hex(one.text), hex(one.associated));
    REQUIRE(sealed);
    CHECK(to_hex(*sealed) == std::string(one.nonce) + one.sealed);
    CHECK(gcm_open(hex(one.key), *sealed, hex(one.associated)) == hex(one.text));
  }
}

TEST_CASE("GCM: another key, place or byte does not open, and no nonce comes twice") {
  const std::vector<std::uint8_t> key(32, 1);
  const std::vector<std::uint8_t> text{1, 2, 3};
  const std::vector<std::uint8_t> place{4};
  const auto sealed = gcm_seal(key, text, place);
  REQUIRE(sealed);
  CHECK(gcm_open(key, *sealed, place) == text);
  CHECK(gcm_open(std::vector<std::uint8_t>(32, 2), *sealed, place).error().slug == "cannot_open");
  CHECK(gcm_open(key, *sealed, {}).error().slug == "cannot_open");
  for (std::size_t i = 0; i < sealed->size(); ++i) {
    auto changed = *sealed;
    changed[i] ^= 1;
    CHECK(gcm_open(key, changed, place).error().slug == "cannot_open");
  }
  CHECK(gcm_open(key, ByteView(*sealed).first(20), place).error().slug == "cannot_open");
  CHECK(gcm_seal(key, text, place) != *sealed);
  CHECK(gcm_seal(ByteView(key).first(16), text, place).error().slug == "bad_key_size");
}

TEST_CASE("SIV: the examples of RFC 5297") {
  const auto deterministic_key = hex("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
  const auto header = hex("101112131415161718191a1b1c1d1e1f2021222324252627");
  const auto text = hex("112233445566778899aabbccddee");
  const ByteView one[] = {header};
  const auto sealed = siv_seal(deterministic_key, text, one);
  REQUIRE(sealed);
  CHECK(to_hex(*sealed) == "85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c");
  CHECK(siv_open(deterministic_key, *sealed, one) == text);

  const auto nonce_key = hex("7f7e7d7c7b7a79787776757473727170404142434445464748494a4b4c4d4e4f");
  const auto first = hex("00112233445566778899aabbccddeeffdeaddadadeaddadaffeeddccbbaa99887766554433221100");
  const auto second = hex("102030405060708090a0");
  const auto nonce = hex("09f911029d74e35bd84156c5635688c0");
  const auto long_text =
      hex("7468697320697320736f6d6520706c61696e7465787420746f20656e6372797074207573696e67205349562d414553");
  const ByteView three[] = {first, second, nonce};
  const auto bound = siv_seal(nonce_key, long_text, three);
  REQUIRE(bound);
  CHECK(
      to_hex(*bound) ==
      "7bdb6e3b432667eb06f4d14bff2fbd0fcb900f2fddbe404326601965c889bf17dba77ceb094fa663b7a3f748ba8af829ea64ad544a272e9c"
      "485b62a3fd5c0d");
  CHECK(siv_open(nonce_key, *bound, three) == long_text);
}

TEST_CASE("SIV: equal texts seal alike, in one place only, and a changed byte does not open") {
  const std::vector<std::uint8_t> key(64, 3);
  const std::vector<std::uint8_t> text{1, 2, 3};
  const std::vector<std::uint8_t> here{4}, there{5};
  const ByteView place[] = {here}, other[] = {there};
  const auto sealed = siv_seal(key, text, place);
  REQUIRE(sealed);
  CHECK(siv_seal(key, text, place) == *sealed);
  CHECK(siv_open(key, *sealed, other).error().slug == "cannot_open");
  for (std::size_t i = 0; i < sealed->size(); ++i) {
    auto changed = *sealed;
    changed[i] ^= 1;
    CHECK(siv_open(key, changed, place).error().slug == "cannot_open");
  }
  CHECK(siv_open(key, ByteView(*sealed).first(16), place).error().slug == "cannot_open");
  CHECK(siv_seal(ByteView(key).first(31), text, place).error().slug == "bad_key_size");
}

TEST_CASE("AES of blocks: FIPS 197, appendix C.3, each block by itself") {
  const auto key = hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
  auto blocks = hex("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
  const auto cipher = AesBlocks::create(key);
  REQUIRE(cipher);
  REQUIRE(cipher->encrypt(blocks));
  CHECK(to_hex(blocks) == "8ea2b7ca516745bfeafc49904b4960898ea2b7ca516745bfeafc49904b496089");
  CHECK(AesBlocks::create(ByteView(key).first(16)).error().slug == "bad_key_size");
  blocks.pop_back();
  CHECK_FALSE(cipher->encrypt(blocks));
}
