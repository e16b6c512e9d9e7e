#include "core/crypto/seal.h"

#include <set>

#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::crypto;

namespace {
std::string mac_hex(const std::string& key, const std::string& message) {
  return to_hex(hmac_sha256(as_bytes(key), message));
}
}  // namespace

TEST_CASE("HMAC-SHA-256: the vectors of RFC 4231") {
  CHECK(mac_hex(std::string(20, '\x0b'), "Hi There") ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(mac_hex("Jefe", "what do ya want for nothing?") ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(mac_hex(std::string(20, '\xaa'), std::string(50, '\xdd')) ==
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  std::string counting;
  for (char c = 1; c <= 25; ++c) counting += c;
  CHECK(mac_hex(counting, std::string(50, '\xcd')) ==
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
  CHECK(mac_hex(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First") ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  CHECK(mac_hex(std::string(131, '\xaa'),
                "This is a test using a larger than block-size key and a larger than block-size data. The key needs to "
                "be hashed before "
                "being used by the HMAC algorithm.") ==
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

TEST_CASE("an empty key is a key, and no key stays behind from the call before") {
  static_cast<void>(mac_hex("other", "x"));
  CHECK(mac_hex("", "") == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST_CASE("comparison sees length and every byte") {
  CHECK(constant_time_equal(as_bytes(""), as_bytes("")));
  CHECK(constant_time_equal(as_bytes("abc"), as_bytes("abc")));
  CHECK_FALSE(constant_time_equal(as_bytes("abc"), as_bytes("abd")));
  CHECK_FALSE(constant_time_equal(as_bytes("abc"), as_bytes("bbc")));
  CHECK_FALSE(constant_time_equal(as_bytes("abc"), as_bytes("ab")));
}

TEST_CASE("random bytes have the length asked for and do not repeat") {
  CHECK(random_bytes(0).value().empty());
  std::set<std::vector<std::uint8_t>> seen;
  for (int i = 0; i < 100; ++i) {
    auto bytes = random_bytes(16);
    REQUIRE(bytes);
    REQUIRE(bytes->size() == 16);
    CHECK(seen.insert(*bytes).second);
  }
}

TEST_CASE("secrets copy, move and are gone afterwards") {
  SecretBytes secret({1, 2, 3});
  const SecretBytes copy = secret;
  SecretBytes moved = std::move(secret);
  CHECK(copy.view().size() == 3);
  CHECK(constant_time_equal(copy.view(), moved.view()));
  SecretBytes target({9, 9});
  target = copy;
  CHECK(constant_time_equal(target.view(), copy.view()));
  SecretBytes& self = target;
  target = self;
  CHECK(target.view().size() == 3);
  target = std::move(moved);
  CHECK(moved.empty());
  CHECK(constant_time_equal(target.view(), copy.view()));
  target = SecretBytes();
  CHECK(target.empty());
}
