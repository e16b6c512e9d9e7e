// Every call of a store's life fails once, or is the last one before a kill or a power cut: whatever was acknowledged
// and registered is there afterwards and right, everything else is absent or whole, and the store goes on.
#include <set>

#include "tests/unit/catch.h"
#include "tests/unit/storage/cas/store_scenario.h"

using namespace mlops;
using test::Cut;
using test::FaultEnv;
using test::PowerCutEnv;
using test::StoreScenario;

namespace {

constexpr TimestampUs kStart = 1'800'000'000 * test::kSecondUs;

}  // namespace

TEST_CASE("a life without failures ends with everything registered") {
  FakeClock clock(kStart);
  PowerCutEnv disk(clock);
  FaultEnv env(disk);
  StoreScenario scenario(env, clock);
  REQUIRE(scenario.run());
  CHECK(scenario.registered().size() == 8);
  CHECK(scenario.verdict(disk).empty());
  CHECK(env.calls() > 300);
  CHECK(disk.list_dir("/store/trash")->empty());
}

TEST_CASE("whatever call fails, nothing acknowledged is lost") {
  const test::LogCapture log;
  // What a full disk can refuse.
  const std::set<std::string> takes_space{"append",         "close", "create_exclusive", "make_dir",
                                          "rename_replace", "sync",  "sync_dir"};
  std::vector<std::string> failed;  // by call
  for (const auto fault : {test::Fault::kIo, test::Fault::kNoSpace}) {
    for (std::size_t n = 1;; ++n) {
      if (fault == test::Fault::kNoSpace && n <= failed.size() && !takes_space.contains(failed[n - 1])) continue;
      FakeClock clock(kStart);
      PowerCutEnv disk(clock);
      FaultEnv env(disk);
      StoreScenario scenario(env, clock);
      env.fail_at(static_cast<int>(n), fault);
      const bool has_run = scenario.run();
      if (env.failed().empty()) break;
      if (fault == test::Fault::kIo) failed.push_back(env.failed());
      INFO("call " << n << ": " << env.failed());
      REQUIRE(has_run);
      const auto verdict = scenario.verdict(*disk.after(n % 2 == 0 ? Cut::kKilled : Cut::kDropAll));
      if (!verdict.empty()) FAIL(verdict);
    }
  }
  // Nothing of what a store does to files was left out.
  CHECK(std::set<std::string>(failed.begin(), failed.end()) ==
        std::set<std::string>{"append", "close", "create_exclusive", "file_modified_at_us", "file_size_bytes",
                              "forget_cached", "list_dir", "make_dir", "open_append", "open_readable", "read_at",
                              "remove", "remove_dir", "rename_replace", "sync", "sync_dir"});
}

TEST_CASE("whatever sync fails and loses its pages, nothing acknowledged is lost, by a later power cut neither") {
  const test::LogCapture log;
  for (int n = 1;; ++n) {
    FakeClock clock(kStart);
    PowerCutEnv disk(clock);
    StoreScenario scenario(disk, clock);
    disk.lose_sync(n);
    INFO("sync " << n);
    REQUIRE(scenario.run());
    for (const auto cut : test::kAllCuts) {
      const auto verdict = scenario.verdict(*disk.after(cut, static_cast<unsigned>(n)));
      if (!verdict.empty()) FAIL(verdict);
    }
    if (disk.syncs_to_loss() > 0) break;
  }
}

TEST_CASE("whenever the process is killed or the power fails, nothing acknowledged is lost") {
  const test::LogCapture log;
  FakeClock clock(kStart);
  PowerCutEnv disk(clock);
  StoreScenario scenario(disk, clock);
  int calls = 0;
  std::string first_verdict;
  const auto look = [&](const char* call) {
    ++calls;
    const auto see = [&](Cut cut, std::uint64_t seed) {
      const auto left = disk.after(cut, seed);
      const auto verdict = scenario.verdict(*left);
      if (verdict.empty() || !first_verdict.empty()) return;
      first_verdict = fmt::format("before call {} ({}), cut {} with seed {}: {}", calls, call, static_cast<int>(cut),
                                  seed, verdict);
    };
    for (const auto cut : test::kAllCuts) see(cut, static_cast<unsigned>(calls));
    see(Cut::kRandom, 1'000'000u + static_cast<unsigned>(calls));
  };
  disk.before_change(look);
  REQUIRE(scenario.run());
  look("end");
  CHECK(first_verdict == "");
  CHECK(calls > 150);
}

TEST_CASE("a kill in the middle of a start is as harmless as one elsewhere") {
  const test::LogCapture log;
  FakeClock clock(kStart);
  PowerCutEnv disk(clock);
  StoreScenario scenario(disk, clock);
  std::vector<std::unique_ptr<PowerCutEnv>> images;
  int calls = 0;
  disk.before_change([&](const char*) {
    if (++calls % 40 == 0) images.push_back(disk.after(Cut::kRandom, static_cast<unsigned>(calls)));
  });
  REQUIRE(scenario.run());
  std::string first_verdict;
  for (auto& image : images) {
    // What was registered at that time is not known here: only that every start sees the same, and nothing wrong.
    image->before_change([&](const char* call) {
      for (const auto cut : {Cut::kKilled, Cut::kDropAll, Cut::kRandom}) {
        const auto left = image->after(cut, 7);
        auto store = cas::ContentStore::open(test::store_options(4096), *left, clock);
        if (!store && first_verdict.empty()) first_verdict = std::string(call) + ": " + store.error().message;
        if (!store) continue;
        const auto report = cas::check_packs(**store, {});
        if (!report || !report->problems.empty()) first_verdict = std::string(call) + ": damage";
      }
    });
    CHECK(cas::ContentStore::open(test::store_options(4096), *image, clock));
  }
  CHECK(first_verdict == "");
}
