// One flipped bit, anywhere in the packs and indexes of a store with every kind of object: it is told, by name, and no
// reader ever gets wrong bytes.
#include <map>
#include <random>

#include "tests/unit/catch.h"
#include "tests/unit/storage/cas/cas_box.h"

using namespace mlops;
using namespace mlops::cas;
using test::Cut;
using test::PowerCutEnv;
using test::random_bytes;
using test::sha;

namespace {

constexpr std::uint64_t kPackLimit = 4096;

// A store on a disk, closed, and what was put into it.
struct World {
  FakeClock clock{1'800'000'000 * test::kSecondUs};
  PowerCutEnv disk{clock};
  std::map<crypto::Digest, std::string> contents;
  std::vector<std::string> files;  // packs and indexes

  // Killed: without the index of the last pack.
  explicit World(bool is_killed) {
    test::FaultEnv env(disk);
    auto store = open(env);
    Encoder encoder;
    for (const unsigned first : {0u, 10u}) {
      test::Stream stream;
      std::string content;
      for (unsigned i = first; i < first + 20; ++i) {
        const auto chunk = i % 5 == 0 ? std::string(3000 + i, static_cast<char>(i)) : random_bytes(i, 30 + i);
        const auto encoded = encoder.encode(as_bytes(chunk));
        stream.record({RecordType::kChunk, encoded.encoding, static_cast<std::uint32_t>(chunk.size()),
                       static_cast<std::uint32_t>(encoded.bytes.size()), sha(chunk)});
        stream.raw({reinterpret_cast<const char*>(encoded.bytes.data()), encoded.bytes.size()});
        content += chunk;
      }
      REQUIRE(test::receive(*store, stream.end().bytes(), first == 0 ? kEveryone : owner_tag("somebody")));
      contents[sha(content)] = content;
    }
    for (const std::string content : {"", "small", "another"}) {
      REQUIRE(store->put(content));
      contents[sha(content)] = content;
    }
    if (is_killed) env.fail_when([](const std::string&) { return true; });
    store.reset();
    const auto names = disk.list_dir("/store/packs").value();
    for (const auto& name : names) files.push_back("/store/packs/" + name);
  }

  std::unique_ptr<ContentStore> open(Env& env) const {
    auto store = ContentStore::open(test::store_options(kPackLimit), env, clock);
    REQUIRE(store);
    return std::move(*store);
  }
};

// How many of the contents cannot be read; wrong bytes end the test.
std::size_t unreadable(const World& world, ContentStore& store) {
  std::size_t count = 0;
  for (const auto& [digest, content] : world.contents) {
    const auto got = test::read_blob(store, digest);
    if (got && *got != content) FAIL("wrong bytes were served");
    count += got ? 0 : 1;
  }
  return count;
}

struct Flip {
  std::string file;
  std::size_t bit = 0;
  bool is_in_pack() const { return file.ends_with(".pack"); }
  std::string pack() const { return "pack " + file.substr(file.rfind('/') + 1, 8); }
};

Flip choose(const World& world, PowerCutEnv& disk, std::mt19937_64& random) {
  std::size_t total = 0;
  for (const auto& file : world.files) total += disk.content(file)->size();
  auto at = random() % (total * 8);
  for (const auto& file : world.files) {
    const auto bits = disk.content(file)->size() * 8;
    if (at < bits) return {file, at};
    at -= bits;
  }
  return {};
}

// The object whose frame holds the bit, as a check would name it; else the pack.
std::string name_at(ContentStore& store, const Flip& flip) {
  for (const auto& info : store.packs().packs()) {
    if (fmt::format("pack {:08x}", info.id) != flip.pack()) continue;
    for (const auto& [entry, state] : store.packs().entries_of(info.slot)) {
      const bool is_inside = entry.offset <= flip.bit / 8 && flip.bit / 8 < entry.offset + entry.frame_bytes();
      if (is_inside) return fmt::format("{} {}", to_word(entry.key.kind), entry.key.digest.to_string());
    }
  }
  return flip.pack();
}

void flip_bit(PowerCutEnv& disk, const Flip& flip) {
  auto& byte = disk.content(flip.file)->at(flip.bit / 8);
  byte = static_cast<char>(byte ^ (1 << (flip.bit % 8)));
}

bool tells(const CheckReport& report, const std::string& name) {
  return report.problems.size() == 1 && report.problems[0].object == name;
}

}  // namespace

TEST_CASE("any flipped bit under a running store is told by a check, naming the object or the pack") {
  const World world(false);
  std::mt19937_64 random(1);
  for (int i = 0; i < 700; ++i) {
    const test::LogCapture log;
    const auto disk = world.disk.after(Cut::kKilled);
    const auto store = world.open(*disk);
    const auto flip = choose(world, *disk, random);
    const auto name = flip.is_in_pack() ? name_at(*store, flip) : flip.pack();
    flip_bit(*disk, flip);
    // Every other time it is met by reading first; then it is set aside already, and remembered.
    if (i % 2 == 1) (void)unreadable(world, *store);
    const auto report = check_packs(*store, {});
    REQUIRE(report);
    const auto damaged = damaged_objects(*store);
    const bool was_met = report->problems.empty() && log.has("object_damaged");
    const bool has_another_copy = was_met && damaged.empty();
    const bool is_told = tells(*report, name) || has_another_copy || (was_met && damaged[0].object == name);
    if (!is_told) FAIL(i << ": " << flip.file << " bit " << flip.bit << ", wanted " << name);
    (void)unreadable(world, *store);
  }
}

TEST_CASE("any bit flipped while the store was closed is told after the start") {
  const World world(false);
  std::mt19937_64 random(2);
  for (int i = 0; i < 700; ++i) {
    const test::LogCapture log;
    const auto disk = world.disk.after(Cut::kKilled);
    const auto flip = choose(world, *disk, random);
    const auto name = flip.is_in_pack() ? name_at(*world.open(*disk), flip) : "";
    flip_bit(*disk, flip);
    const auto store = world.open(*disk);
    const auto report = check_packs(*store, {});
    REQUIRE(report);
    if (flip.is_in_pack()) {
      if (!tells(*report, name)) FAIL(i << ": " << flip.file << " bit " << flip.bit << ", wanted " << name);
    } else {
      // The index was made again from its pack, and the log says so.
      if (!log.has("pack_index_rebuilt")) FAIL(i << ": " << flip.file << " bit " << flip.bit);
      REQUIRE(report->problems.empty());
      REQUIRE(unreadable(world, *store) == 0);
    }
    (void)unreadable(world, *store);
  }
}

TEST_CASE("any bit flipped in what no index covers yet is told at the start or by the check") {
  const World world(true);
  const auto last_pack = world.files.back();
  REQUIRE(last_pack.ends_with(".pack"));
  std::mt19937_64 random(3);
  for (int i = 0; i < 600; ++i) {
    const test::LogCapture log;
    const auto disk = world.disk.after(Cut::kKilled);
    const Flip flip{last_pack, random() % (disk->content(last_pack)->size() * 8)};
    flip_bit(*disk, flip);
    const auto store = world.open(*disk);
    const auto report = check_packs(*store, {});
    REQUIRE(report);
    const bool is_told = tells(*report, flip.pack()) || log.has("pack_bytes_skipped");
    if (!is_told) FAIL(i << ": bit " << flip.bit);
    (void)unreadable(world, *store);
    // Sending the files again heals whatever it was.
    for (const auto& [digest, content] : world.contents) REQUIRE(test::put(*store, content));
    REQUIRE(unreadable(world, *store) == 0);
  }
}
