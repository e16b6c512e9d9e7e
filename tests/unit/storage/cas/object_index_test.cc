// The index in memory against a multimap, and leases against a clock.
#include "storage/cas/object_index.h"

#include <map>
#include <random>
#include <set>

#include "storage/cas/leases.h"
#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::cas;

namespace {

ObjectKey key(std::uint64_t number, ObjectKind kind = ObjectKind::kChunk) {
  return {kind, crypto::sha256("object " + std::to_string(number))};
}

std::multiset<ObjectAt> all_of(const ObjectIndex& index, const ObjectKey& wanted) {
  std::multiset<ObjectAt> found;
  index.find(wanted, [&](ObjectAt at) {
    found.insert(at);
    return false;
  });
  return found;
}

}  // namespace

TEST_CASE("the index says what a multimap says, through growing and erasing") {
  ObjectIndex index;
  std::map<ObjectKey, std::multiset<ObjectAt>> model;
  std::size_t size = 0;
  std::mt19937_64 random(1);
  for (std::uint32_t step = 0; step < 20'000; ++step) {
    const auto wanted = key(random() % 3000, random() % 5 == 0 ? ObjectKind::kRoot : ObjectKind::kChunk);
    auto& places = model[wanted];
    // Mostly growing at first, mostly shrinking later, and a part where it only turns over.
    const bool inserts = random() % 10 < (step < 8000 ? 7u : step < 14'000 ? 5u : 3u);
    if (inserts) {
      const ObjectAt at{static_cast<std::uint32_t>(random() % 50), step};
      index.insert(wanted, at);
      places.insert(at);
      ++size;
    } else if (!places.empty()) {
      index.erase(wanted, *places.begin());
      places.erase(places.begin());
      --size;
    } else {
      index.erase(wanted, {1, 1});  // not there
    }
    if (index.size() != size) FAIL("step " << step << ": " << index.size() << " instead of " << size);
    if (step % 16 == 0 && all_of(index, wanted) != places) FAIL("step " << step);
  }
  for (const auto& [wanted, places] : model) REQUIRE(all_of(index, wanted) == places);
}

TEST_CASE("visiting ends when the visitor says so, and kinds of one digest are apart") {
  ObjectIndex index;
  index.insert(key(1), {0, 1});
  index.insert(key(1), {0, 2});
  index.insert(key(1, ObjectKind::kBlob), {0, 3});
  int visits = 0;
  CHECK(index.find(key(1), [&](ObjectAt) { return ++visits == 1; }));
  CHECK(visits == 1);
  CHECK_FALSE(index.find(key(2), [](ObjectAt) { return true; }));
  CHECK(all_of(index, key(1, ObjectKind::kBlob)) == std::multiset<ObjectAt>{{0, 3}});
  CHECK(all_of(index, key(1, ObjectKind::kRoot)).empty());
}

TEST_CASE("many copies of one key are all found and erased one by one") {
  ObjectIndex index;
  for (std::uint32_t i = 0; i < 2000; ++i) index.insert(key(1), {i, i});
  CHECK(all_of(index, key(1)).size() == 2000);
  for (std::uint32_t i = 0; i < 2000; i += 2) index.erase(key(1), {i, i});
  CHECK(all_of(index, key(1)).size() == 1000);
  CHECK(index.size() == 1000);
  index.erase(key(1), {0, 0});
  CHECK(index.size() == 1000);
}

TEST_CASE("a lease holds until its end, and renewing moves the end") {
  FakeClock clock(1'000'000);
  Leases leases(clock, 100);
  CHECK_FALSE(leases.holds(key(1)));
  leases.renew(key(1));
  CHECK(leases.holds(key(1)));
  CHECK_FALSE(leases.holds(key(1, ObjectKind::kNode)));
  CHECK_FALSE(leases.holds(key(2)));
  clock.advance_us(99);
  CHECK(leases.holds(key(1)));
  leases.renew(key(1));
  clock.advance_us(99);
  CHECK(leases.holds(key(1)));
  clock.advance_us(1);
  CHECK_FALSE(leases.holds(key(1)));
  CHECK(leases.length_us() == 100);
}

TEST_CASE("ended leases are dropped when there are many, others never") {
  FakeClock clock(0);
  Leases leases(clock, 1000);
  const auto digest_at = [](std::uint32_t number) {
    std::array<std::uint8_t, 32> bytes{};
    for (unsigned i = 0; i < 4; ++i) bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
    return ObjectKey{ObjectKind::kChunk, crypto::Digest(bytes)};
  };
  for (std::uint32_t i = 0; i < 60'000; ++i) leases.renew(digest_at(i));
  clock.advance_us(999);
  for (std::uint32_t i = 60'000; i < 140'000; ++i) leases.renew(digest_at(i));
  for (std::uint32_t i = 0; i < 140'000; i += 997) CHECK(leases.holds(digest_at(i)));
  clock.advance_us(1);
  for (std::uint32_t i = 140'000; i < 300'000; ++i) leases.renew(digest_at(i));
  for (std::uint32_t i = 0; i < 60'000; i += 997) CHECK_FALSE(leases.holds(digest_at(i)));
  for (std::uint32_t i = 60'000; i < 300'000; i += 997) CHECK(leases.holds(digest_at(i)));
}
