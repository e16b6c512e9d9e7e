#include "core/base/id.h"

#include <algorithm>
#include <set>
#include <thread>
#include <vector>

#include "tests/unit/catch.h"

using namespace mlops;

TEST_CASE("an id is a version 7 UUID of its time") {
  // Far ahead of every other clock of this process, so that its milliseconds show.
  const FakeClock clock(0x7fff'1234'5678LL * 1000);
  const std::string id = new_id(clock);
  REQUIRE(id.size() == 36);
  CHECK(id.substr(0, 13) == "7fff1234-5678");
  CHECK(id[14] == '7');
  CHECK(std::string("89ab").find(id[19]) != std::string::npos);
  for (const std::size_t dash : {8, 13, 18, 23}) CHECK(id[dash] == '-');
  CHECK(std::count(id.begin(), id.end(), '-') == 4);
}

TEST_CASE("ids rise strictly, even when the clock stands still or goes back") {
  FakeClock clock(1'800'000'000'000'000);
  std::string last = new_id(clock);
  for (int i = 0; i < 20'000; ++i) {
    if (i == 10'000) clock.set_us(5);
    std::string next = new_id(clock);
    REQUIRE(last < next);
    last = std::move(next);
  }
}

TEST_CASE("ids of several threads never meet") {
  constexpr int kThreads = 4, kEach = 2'000;
  const SystemClock clock;
  std::vector<std::vector<std::string>> made(kThreads);
  std::vector<std::thread> threads;
  for (auto& ids : made) {
    threads.emplace_back([&ids, &clock] {
      for (int i = 0; i < kEach; ++i) ids.push_back(new_id(clock));
    });
  }
  for (auto& thread : threads) thread.join();
  std::set<std::string> all;
  for (const auto& ids : made) {
    CHECK(std::is_sorted(ids.begin(), ids.end()));
    all.insert(ids.begin(), ids.end());
  }
  CHECK(all.size() == kThreads * kEach);
}
