#include "core/crypto/digest.h"

#include <algorithm>

#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::crypto;

TEST_CASE("SHA-256: the vectors of FIPS 180-4") {
  CHECK(sha256("").hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256("abc").to_string() == "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq").hex() ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(sha256(std::string(1'000'000, 'a')).hex() ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("streaming in pieces is the same, also over a move") {
  const std::string text(10'000, 'q');
  Hasher hasher;
  for (std::size_t start = 0; start < 5'000; start += 7)
    hasher.update(std::string_view(text).substr(start, std::min<std::size_t>(7, 5'000 - start)));
  Hasher moved = std::move(hasher);
  moved.update(std::string_view(text).substr(5'000));
  moved.update("");
  CHECK(moved.finish() == sha256(text));
  CHECK(Hasher().finish() == sha256(""));
}

TEST_CASE("a digest has one spelling") {
  const std::string hex = sha256("abc").hex();
  CHECK(Digest::parse("sha256:" + hex).value() == sha256("abc"));
  CHECK(Digest::parse_hex(hex).value() == sha256("abc"));
  std::string upper = hex;
  upper[0] = 'B';
  for (const std::string& text : {std::string(), hex, "sha256:" + hex.substr(1), "sha256:" + hex + "0",
                                  "sha256:" + upper, "SHA256:" + hex, "md5:" + hex, std::string("sha256:../../x"),
                                  " sha256:" + hex, "sha256:" + hex + "\n", std::string("sha256:")}) {
    INFO(text);
    const auto parsed = Digest::parse(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == ErrorCode::kInvalid);
    CHECK(parsed.error().slug == "bad_digest");
  }
  CHECK_FALSE(Digest::parse_hex("sha256:" + hex));
}

TEST_CASE("digests order like their text") {
  const Digest a = sha256("1"), b = sha256("2");
  CHECK((a < b) == (a.hex() < b.hex()));
  CHECK(a != b);
}
