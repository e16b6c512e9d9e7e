#include "core/crypto/machine.h"

#include "core/base/env.h"
#include "tests/unit/catch.h"

using namespace mlops;

TEST_CASE("a machine's word is the same every time and does not show the system's own") {
  const auto& word = crypto::machine_word();
  CHECK(word.size() == 32);
  CHECK(word == crypto::machine_word());
  const auto boot_id = read_file("/proc/sys/kernel/random/boot_id");
  REQUIRE(boot_id);
  CHECK(boot_id->find(word.substr(0, 8)) == std::string::npos);
}
