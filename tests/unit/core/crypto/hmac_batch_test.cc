#include "core/crypto/hmac_batch.h"

#include <random>

#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::crypto;

TEST_CASE("HMAC of many: the vectors of RFC 4231, in every engine") {
  const auto text = [](std::string_view hex) {
    const auto bytes = from_hex(hex);
    return std::string(bytes->begin(), bytes->end());
  };
  struct Vector {
    std::string key, message, mac;
  };
  const Vector vectors[] = {
      {std::string(20, '\x0b'), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {std::string(20, '\xaa'), std::string(50, '\xdd'),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {text("0102030405060708090a0b0c0d0e0f10111213141516171819"), std::string(50, '\xcd'),
       "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
      {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      {std::string(131, '\xaa'),
       "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be "
       "hashed "
       "before being used by the HMAC algorithm.",
       "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
  };
  for (const auto engine : sha256_engines()) {
    for (const auto& one : vectors) {
      const HmacBatch batch(as_bytes(one.key), engine);
      CHECK(to_hex(batch.one(one.message)) == one.mac);
      const std::string_view twice[] = {one.message, one.message};
      Mac macs[2];
      batch.many(twice, macs);
      CHECK(to_hex(macs[0]) == one.mac);
      CHECK(macs[0] == macs[1]);
    }
  }
}

TEST_CASE("HMAC of many: as one by one, for every length and number of messages") {
  std::mt19937 random(7);
  const std::vector<std::uint8_t> key(32, 42);
  for (const auto engine : sha256_engines()) {
    const HmacBatch batch(key, engine);
    for (std::size_t count = 0; count < 70; ++count) {
      std::vector<std::string> texts;
      for (std::size_t i = 0; i < count; ++i) {
        texts.emplace_back(count < 60 ? random() % 58 : random() % 300, static_cast<char>(random()));
      }
      const std::vector<std::string_view> views(texts.begin(), texts.end());
      std::vector<Mac> macs(count);
      batch.many(views, macs);
      for (std::size_t i = 0; i < count; ++i) REQUIRE(macs[i] == hmac_sha256(key, texts[i]));
    }
  }
}
