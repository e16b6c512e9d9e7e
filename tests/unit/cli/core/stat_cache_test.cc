// The stat cache: what is remembered, what is not, and that a damaged file is an empty cache.
#include "cli/stat_cache.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "core/base/checksum.h"
#include "core/base/env.h"
#include "tests/unit/catch.h"

namespace mlops::cli {
namespace {

constexpr TimestampUs kWalkedUs = 1'700'000'000'000'000;
constexpr std::int64_t kOldNs = (kWalkedUs - 60'000'000) * 1000;
constexpr std::string_view kRoot = "http://test /data/set";

StatEntry entry(const std::string& path, std::int64_t mtime_ns = kOldNs, std::int64_t ctime_ns = kOldNs) {
  return {path, {path.size(), mtime_ns, ctime_ns, 7, 8}, crypto::sha256(path)};
}

struct World {
  World() {
    auto pattern = (std::filesystem::temp_directory_path() / "mlops-stat-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
    file = folder + "/mlopsctl/stat/cache";
  }
  ~World() { std::filesystem::remove_all(folder); }

  void store(const std::vector<StatEntry>& entries) const { StatCache::store(file, kRoot, entries, kWalkedUs); }
  StatCache load() const { return StatCache::load(file, kRoot); }
  std::string bytes() const { return read_file(file).value_or(""); }
  void write(const std::string& bytes) const { std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes; }
  // As write, with the checksum put right.
  void forge(std::string bytes) const {
    const auto sum = xxh3_64(as_bytes(bytes).first(bytes.size() - 8));
    std::copy_n(reinterpret_cast<const char*>(&sum), 8, bytes.end() - 8);
    write(bytes);
  }

  std::string folder;
  std::string file;
};

std::optional<crypto::Digest> find(const StatCache& cache, const StatEntry& wanted, std::size_t hint = 0) {
  return cache.find(wanted.path, wanted.stat, hint);
}

TEST_CASE("stat cache: what was stored is found, in order without a search and in any order") {
  const World world;
  const std::vector<StatEntry> entries{entry("a"), entry("a b"), entry("a/1"), entry("a/2"), entry("b")};
  world.store(entries);
  const auto cache = world.load();
  CHECK(cache.size() == entries.size());
  std::size_t hint = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    CHECK(cache.find(entries[i].path, entries[i].stat, hint) == entries[i].digest);
    CHECK(hint == i + 1);
  }
  for (std::size_t at = 0; at < 9; ++at) {
    for (const auto& wanted : entries) CHECK(find(cache, wanted, at) == wanted.digest);
    CHECK_FALSE(find(cache, entry(""), at));
    CHECK_FALSE(find(cache, entry("a/"), at));
    CHECK_FALSE(find(cache, entry("c"), at));
  }
}

TEST_CASE("stat cache: each difference in the stat data is a change") {
  const World world;
  world.store({entry("a")});
  const auto cache = world.load();
  REQUIRE(find(cache, entry("a")));
  const auto changed = [&](auto change) {
    auto other = entry("a");
    change(other.stat);
    return !find(cache, other);
  };
  CHECK(changed([](FileStat& stat) { ++stat.size_bytes; }));
  CHECK(changed([](FileStat& stat) { ++stat.mtime_ns; }));
  CHECK(changed([](FileStat& stat) { --stat.ctime_ns; }));
  CHECK(changed([](FileStat& stat) { ++stat.inode; }));
  CHECK(changed([](FileStat& stat) { ++stat.device; }));
}

TEST_CASE("stat cache: what was written up to two seconds before the walk, or after it, is not remembered") {
  const World world;
  constexpr std::int64_t kEdgeNs = (kWalkedUs - 2'000'000) * 1000;
  world.store({entry("a", kEdgeNs - 1, kEdgeNs - 1), entry("b", kEdgeNs, kOldNs), entry("c", kOldNs, kEdgeNs),
               entry("d", kWalkedUs * 1000 + 1, kOldNs), entry("e")});
  const auto cache = world.load();
  CHECK(cache.size() == 2);
  CHECK(find(cache, entry("a", kEdgeNs - 1, kEdgeNs - 1)));
  CHECK_FALSE(find(cache, entry("b", kEdgeNs, kOldNs)));
  CHECK(find(cache, entry("e")));
}

TEST_CASE("stat cache: new, gone and changed files in between, with any hint") {
  const World world;
  std::mt19937 random(3);
  std::map<std::string, StatEntry> known;
  for (int i = 0; i < 400; ++i) {
    auto made = entry("d" + std::to_string(random() % 9) + "/f" + std::to_string(random() % 1000));
    known.emplace(made.path, made);
  }
  std::vector<StatEntry> sorted;
  for (const auto& [path, made] : known) sorted.push_back(made);
  world.store(sorted);
  const auto cache = world.load();
  std::size_t hint = 0;
  for (int i = 0; i < 3000; ++i) {
    const auto wanted = entry("d" + std::to_string(random() % 10) + "/f" + std::to_string(random() % 1000));
    if (random() % 3 == 0) hint = random() % 500;
    const auto found = cache.find(wanted.path, wanted.stat, hint);
    if (found.has_value() != known.contains(wanted.path)) FAIL(wanted.path);
    if (found && *found != wanted.digest) FAIL(wanted.path);
  }
}

TEST_CASE("stat cache: absent, of another root, or open to others is empty") {
  const World world;
  CHECK(world.load().size() == 0);
  CHECK(StatCache().size() == 0);
  CHECK_FALSE(find(StatCache(), entry("a")));
  world.store({entry("a")});
  CHECK(StatCache::load(world.file, "http://test /data/other").size() == 0);
  CHECK(world.load().size() == 1);
  struct stat info {};
  REQUIRE(::stat(world.file.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  REQUIRE(::chmod(world.file.c_str(), 0620) == 0);
  CHECK(world.load().size() == 0);
  REQUIRE(::chmod(world.file.c_str(), 0600) == 0);
  std::filesystem::rename(world.file, world.file + ".real");
  std::filesystem::create_symlink(world.file + ".real", world.file);
  CHECK(world.load().size() == 0);
}

TEST_CASE("stat cache: cut anywhere, or with a flipped bit anywhere, it is empty") {
  const World world;
  world.store({entry("a"), entry("b/c")});
  const auto good = world.bytes();
  REQUIRE(good.size() == 64 + 2 * 80 + 4 + 8);
  for (std::size_t size = 0; size < good.size(); ++size) {
    world.write(good.substr(0, size));
    if (world.load().size() != 0) FAIL("cut at " << size);
  }
  world.write(good + '\0');
  CHECK(world.load().size() == 0);
  for (std::size_t at = 0; at < good.size(); ++at) {
    auto bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1 << at % 8);
    world.write(bad);
    if (world.load().size() != 0) FAIL("flipped at " << at);
  }
  world.write(good);
  CHECK(world.load().size() == 2);
}

TEST_CASE("stat cache: a right checksum does not make nonsense believable") {
  const World world;
  const std::vector<StatEntry> entries{entry("a"), entry("b")};
  world.store(entries);
  const auto good = world.bytes();
  world.forge(good);
  CHECK(world.load().size() == 2);
  // Version, count, and size of the paths: nothing is taken from such a file.
  for (const std::size_t at : {8u, 48u, 55u, 56u, 63u}) {
    auto bad = good;
    bad[at] = static_cast<char>(bad[at] + 1);
    world.forge(bad);
    CAPTURE(at);
    CHECK(world.load().size() == 0);
  }
  // Where the second path begins: before the first, behind the end, far away.
  for (const std::size_t at : {144u, 145u, 151u}) {
    auto bad = good;
    bad[at] = static_cast<char>(0xff);
    world.forge(bad);
    const auto cache = world.load();
    for (std::size_t hint = 0; hint < 4; ++hint) CHECK_FALSE(find(cache, entries[1], hint));
  }
}

TEST_CASE("stat cache: a loaded one stays as it is when the file is replaced") {
  const World world;
  world.store({entry("a")});
  const auto before = world.load();
  world.store({entry("b")});
  CHECK(find(before, entry("a")));
  CHECK(find(world.load(), entry("b")));
  CHECK_FALSE(std::filesystem::exists(world.file + ".new"));
}

TEST_CASE("stat cache: an interrupted writer does not hinder the next, and nowhere to write is no error") {
  const World world;
  world.store({entry("a")});
  std::ofstream(world.file + ".new") << "half";
  world.store({entry("b")});
  CHECK(find(world.load(), entry("b")));
  StatCache::store(world.file + "/below/a/file", kRoot, {entry("a")}, kWalkedUs);
  StatCache::store("", kRoot, {entry("a")}, kWalkedUs);
  CHECK(StatCache::load("", kRoot).size() == 0);
}

TEST_CASE("stat cache: many entries go out in pieces and come back whole") {
  const World world;
  std::vector<StatEntry> entries;
  for (int i = 0; i < 30'000; ++i) entries.push_back(entry("folder/" + std::to_string(100'000 + i)));
  world.store(entries);
  const auto cache = world.load();
  REQUIRE(cache.size() == entries.size());
  std::size_t hint = 0;
  for (const auto& wanted : entries) {
    if (cache.find(wanted.path, wanted.stat, hint) != wanted.digest) FAIL(wanted.path);
  }
}

TEST_CASE("stat cache: the file's place") {
  const auto with = [](std::map<std::string, std::string> values) {
    return stat_cache_file("http://s", "/p", [values](std::string_view name) -> std::optional<std::string> {
      const auto at = values.find(std::string(name));
      return at == values.end() ? std::nullopt : std::optional(at->second);
    });
  };
  const auto name = crypto::sha256(std::string("http://s\0/p", 11)).hex();
  CHECK(with({{"XDG_CACHE_HOME", "/c"}, {"HOME", "/h"}}) == "/c/mlopsctl/stat/" + name);
  CHECK(with({{"XDG_CACHE_HOME", "relative"}, {"HOME", "/h"}}) == "/h/.cache/mlopsctl/stat/" + name);
  CHECK(with({{"HOME", ""}}).empty());
  CHECK(with({}).empty());
}

}  // namespace
}  // namespace mlops::cli
