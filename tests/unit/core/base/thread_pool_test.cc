#include "core/base/thread_pool.h"

#include <atomic>
#include <future>

#include "tests/unit/catch.h"

using namespace mlops;

TEST_CASE("the destructor finishes what was accepted") {
  std::atomic<int> done = 0;
  {
    ThreadPool pool(3, 1'000);
    for (int i = 0; i < 1'000; ++i) REQUIRE(pool.try_post([&] { ++done; }));
  }
  CHECK(done == 1'000);
}

TEST_CASE("a full queue sheds and accepts again when it has drained") {
  std::promise<void> started, release, drained;
  ThreadPool pool(1, 2);
  auto released = release.get_future().share();
  REQUIRE(pool.try_post([&, released] {
    started.set_value();
    released.wait();
  }));
  started.get_future().wait();  // the worker is busy: the queue is empty
  CHECK(pool.try_post([] {}));
  CHECK(pool.try_post([&] { drained.set_value(); }));
  CHECK_FALSE(pool.try_post([] { FAIL("shed work must not run"); }));
  release.set_value();
  drained.get_future().wait();
  CHECK(pool.try_post([] {}));
}
