#include "core/crypto/ff1.h"

#include <algorithm>
#include <random>

#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::crypto;

namespace {

constexpr std::string_view kAlphabet = "0123456789abcdefghijklmnopqrstuvwxyz";

std::vector<std::uint8_t> numerals_of(std::string_view text) {
  std::vector<std::uint8_t> numerals;
  for (const char c : text) numerals.push_back(static_cast<std::uint8_t>(kAlphabet.find(c)));
  return numerals;
}

// NIST SP 800-38G, FF1 samples 1 to 9.
struct Sample {
  unsigned radix;
  const char* key;
  const char* tweak;
  const char* plain;
  const char* cipher;
};
constexpr Sample kSamples[] = {
    {10, "2b7e151628aed2a6abf7158809cf4f3c", "", "0123456789", "2433477484"},
    {10, "2b7e151628aed2a6abf7158809cf4f3c", "39383736353433323130", "0123456789", "6124200773"},
    {36, "2b7e151628aed2a6abf7158809cf4f3c", "3737373770717273373737", "0123456789abcdefghi", "a9tv40mll9kdu509eum"},
    {10, "2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f", "", "0123456789", "2830668132"},
    {10, "2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f", "39383736353433323130", "0123456789", "2496655549"},
    {36, "2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f", "3737373770717273373737", "0123456789abcdefghi",
     "xbj3kv35jrawxv32ysr"},
    {10, "2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f7f036d6f04fc6a94", "", "0123456789", "6657667009"},
    {10, "2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f7f036d6f04fc6a94", "39383736353433323130", "0123456789",
     "1001623463"},
    {36, "2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f7f036d6f04fc6a94", "3737373770717273373737",
     "0123456789abcdefghi", "xs8a0azh2avyalyzuwd"},
};

}  // namespace

TEST_CASE("FF1: the nine samples of SP 800-38G, both ways") {
  for (const auto& sample : kSamples) {
    INFO(sample.cipher);
    const auto key = from_hex(sample.key);
    const auto tweak = from_hex(sample.tweak);
    const auto ff1 = Ff1::make(*key, sample.radix);
    REQUIRE(ff1);
    CHECK(ff1->encrypt(numerals_of(sample.plain), *tweak) == numerals_of(sample.cipher));
    CHECK(ff1->decrypt(numerals_of(sample.cipher), *tweak) == numerals_of(sample.plain));
  }
}

TEST_CASE("FF1: decrypt undoes encrypt for every radix, length and tweak") {
  std::mt19937 random(5);
  const std::vector<std::uint8_t> key(32, 9);
  for (unsigned radix = 2; radix <= kLargestFf1Radix; ++radix) {
    const auto ff1 = Ff1::make(key, radix);
    REQUIRE(ff1);
    for (int round = 0; round < 8; ++round) {
      std::size_t length = 2;
      while (!ff1_domain_is_large(radix, length)) ++length;
      std::vector<std::uint8_t> plain(length + random() % 60);
      for (auto& one : plain) one = static_cast<std::uint8_t>(random() % radix);
      const std::vector<std::uint8_t> tweak(random() % 40, static_cast<std::uint8_t>(round));
      const auto cipher = ff1->encrypt(plain, tweak);
      REQUIRE(cipher);
      REQUIRE(cipher->size() == plain.size());
      REQUIRE(*std::max_element(cipher->begin(), cipher->end()) < radix);
      REQUIRE(ff1->decrypt(*cipher, tweak) == plain);
    }
  }
}

TEST_CASE("FF1: domains under a million, other radixes and foreign numerals are refused") {
  const std::vector<std::uint8_t> key(32, 9);
  const auto ff1 = Ff1::make(key, 10);
  REQUIRE(ff1);
  CHECK(ff1->encrypt(std::vector<std::uint8_t>(5, 1), {}).error().slug == "domain_too_small");
  CHECK(ff1->decrypt(std::vector<std::uint8_t>(5, 1), {}).error().slug == "domain_too_small");
  CHECK(ff1->encrypt(std::vector<std::uint8_t>(6, 1), {}));
  CHECK(ff1->encrypt(std::vector<std::uint8_t>(6, 10), {}).error().slug == "bad_numeral");
  CHECK(ff1->encrypt(std::vector<std::uint8_t>(kMostFf1Numerals + 1, 1), {}).error().slug == "too_long");
  CHECK(Ff1::make(key, 1).error().slug == "bad_radix");
  CHECK(Ff1::make(key, 63).error().slug == "bad_radix");
  CHECK(Ff1::make(std::vector<std::uint8_t>(31), 10).error().slug == "bad_key_size");
  CHECK(ff1_domain_is_large(10, 6));
  CHECK_FALSE(ff1_domain_is_large(10, 5));
  CHECK_FALSE(ff1_domain_is_large(2, 19));
  CHECK(ff1_domain_is_large(2, 20));
}
