#include "core/crypto/seal.h"

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
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

TEST_CASE("SecretBytes: whoever gives bytes away loses them, copies are apart, slots are used again") {
  std::vector<std::uint8_t> bytes{1, 2, 3};
  const std::uint8_t* const address = bytes.data();
  const SecretBytes first(std::move(bytes));
  CHECK(first.view().data() != address);  // in memory of its own
  SecretBytes second = first;
  CHECK(second.view().data() != first.view().data());
  CHECK(std::equal(second.view().begin(), second.view().end(), first.view().begin()));
  second = SecretBytes(std::vector<std::uint8_t>(100'000, 7));
  CHECK(second.view().size() == 100'000);
  second = SecretBytes();
  CHECK(second.empty());
  std::vector<SecretBytes> many;
  for (int i = 0; i < 1000; ++i)
    many.emplace_back(std::vector<std::uint8_t>(1 + i % 200, static_cast<std::uint8_t>(i)));
  for (int i = 0; i < 1000; i += 2) many[static_cast<std::size_t>(i)] = SecretBytes();
  for (int i = 0; i < 1000; i += 2) many[static_cast<std::size_t>(i)] = SecretBytes::copy_of(first.view());
  for (int i = 1; i < 1000; i += 2) {
    const auto view = many[static_cast<std::size_t>(i)].view();
    REQUIRE(view.size() == static_cast<std::size_t>(1 + i % 200));
    REQUIRE(std::all_of(view.begin(), view.end(), [&](auto byte) { return byte == static_cast<std::uint8_t>(i); }));
  }
}

TEST_CASE("SecretBytes: its pages are left out of core dumps and locked") {
  const SecretBytes key(std::vector<std::uint8_t>(32, 0x5a));
  const auto at = reinterpret_cast<std::uintptr_t>(key.view().data());
  std::ifstream maps("/proc/self/smaps");
  std::string line;
  bool inside = false;
  std::string flags;
  while (std::getline(maps, line)) {
    unsigned long long begin = 0, end = 0;
    char permissions[8];
    if (std::sscanf(line.c_str(), "%llx-%llx %7s", &begin, &end, permissions) == 3) inside = begin <= at && at < end;
    if (inside && line.rfind("VmFlags:", 0) == 0) flags = line;
  }
  if (flags.empty()) return;  // a kernel that does not tell
  CHECK(flags.find(" dd") != std::string::npos);
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_MEMLOCK, &limit) == 0);
  if (limit.rlim_cur >= 1 << 20) CHECK(flags.find(" lo") != std::string::npos);
}
