#include "core/base/bytes.h"

#include "tests/unit/catch.h"

using namespace mlops;

namespace {
std::string text_of(const std::optional<std::vector<std::uint8_t>>& bytes) {
  return bytes ? std::string(bytes->begin(), bytes->end()) : "(refused)";
}
}  // namespace

TEST_CASE("hex is lower case and goes both ways") {
  const std::vector<std::uint8_t> bytes{0x00, 0x1f, 0xa0, 0xff};
  CHECK(to_hex(bytes) == "001fa0ff");
  CHECK(from_hex("001fa0ff") == bytes);
  CHECK(from_hex("")->empty());
}

TEST_CASE("hex refuses what has two spellings") {
  for (const char* text : {"0", "0G", "AB", "a b", "0x", " 00", "00 "}) CHECK_FALSE(from_hex(text));
}

TEST_CASE("base64url: the vectors of RFC 4648, unpadded") {
  const std::vector<std::pair<std::string, std::string>> vectors{
      {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},         {"foo", "Zm9v"},
      {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    CHECK(to_base64url(as_bytes(plain)) == encoded);
    CHECK(text_of(from_base64url(encoded)) == plain);
  }
  CHECK(to_base64url(std::vector<std::uint8_t>{0xfb, 0xff}) == "-_8");
}

TEST_CASE("base64url refuses padding, the other alphabet, a lone digit and left-over bits") {
  for (const char* text : {"Zg==", "+/8", "Z", "Zm9vY", "Zh", "Zm9", "Z g"}) CHECK_FALSE(from_base64url(text));
}

TEST_CASE("every length comes back") {
  std::vector<std::uint8_t> bytes;
  for (int i = 0; i < 300; ++i) {
    CHECK(from_base64url(to_base64url(bytes)) == bytes);
    CHECK(from_hex(to_hex(bytes)) == bytes);
    bytes.push_back(static_cast<std::uint8_t>(i * 37));
  }
}
