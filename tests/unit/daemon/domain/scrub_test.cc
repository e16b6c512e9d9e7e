// The background scrub: passes come, find damage, and stop at once.
#include "daemon/domain/scrub.h"

#include <condition_variable>

#include "tests/unit/daemon/domain/domain_fixture.h"

using namespace mlops;
using namespace mlops::domain;
using namespace mlops::test;

namespace {

// What the scrub's thread told.
struct Told {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<cas::CheckReport> passes;
  int chores = 0;

  ScrubOptions options() {
    ScrubOptions options;
    options.first_after_ms = 0;
    options.pause_ms = 1;
    options.on_pass = [this](const cas::CheckReport& report) {
      std::lock_guard lock(mutex);
      passes.push_back(report);
      changed.notify_all();
    };
    options.chores = [this] {
      std::lock_guard lock(mutex);
      ++chores;
      changed.notify_all();
    };
    return options;
  }
  template <class Condition>
  bool wait(Condition condition) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, std::chrono::seconds(20), condition);
  }
};

}  // namespace

TEST_CASE("a scrub reads everything again and again, and tells what is damaged once") {
  DomainFixture f;
  const auto digest = f.content.put("weights")->digest;
  REQUIRE(f.content.put("other weights"));
  Told told;
  auto options = told.options();
  options.bytes_per_second = 1u << 30;
  {
    const Scrubber scrubber(f.content, options);
    REQUIRE(told.wait([&] { return told.passes.size() >= 2; }));
    CHECK(told.passes[0].objects == 2);
    CHECK(told.passes[0].problems.empty());
  }
  f.damage(digest);
  told.passes.clear();
  {
    const Scrubber scrubber(f.content, options);
    REQUIRE(told.wait([&] { return told.passes.size() >= 2; }));
  }
  REQUIRE(told.passes[0].problems.size() == 1);
  CHECK(told.passes[0].problems[0].object.find(digest.to_string()) != std::string::npos);
  CHECK(told.passes[1].problems.empty());
  CHECK_FALSE(f.content.has(digest, 7));
}

TEST_CASE("without a budget only the chores are done, and waiting ends at once") {
  DomainFixture f;
  Told told;
  auto options = told.options();
  options.bytes_per_second = 0;
  {
    const Scrubber scrubber(f.content, options);
    REQUIRE(told.wait([&] { return told.chores >= 2; }));
  }
  CHECK(told.passes.empty());
  options.first_after_ms = 3600'000;
  const auto began = std::chrono::steady_clock::now();
  { const Scrubber scrubber(f.content, options); }
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(5));
}
