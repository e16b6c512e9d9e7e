// The disk in memory that the tests of the store rely on: as the real one while the power is on, and after a cut what
// was promised about it.
#include "tests/unit/storage/cas/power_cut_env.h"

#include <set>

#include "tests/unit/catch.h"
#include "tests/unit/storage/sql/temp_dir.h"

using namespace mlops;
using test::Cut;
using test::PowerCutEnv;

namespace {

std::string slug(const Status& status) {
  return status ? "" : status.error().slug;
}
template <class T>
std::string slug(const Result<T>& result) {
  return result ? "" : result.error().slug;
}

std::string content(Env& env, const std::string& path) {
  const auto file = env.open_readable(path);
  if (!file) return file.error().slug;
  std::string out((*file)->size_bytes(), '\0');
  REQUIRE((*file)->read_at(0, {reinterpret_cast<std::uint8_t*>(out.data()), out.size()}).value() == out.size());
  return out;
}

std::unique_ptr<WritableFile> create(Env& env, const std::string& path, std::string_view bytes) {
  auto file = env.create_exclusive(path);
  REQUIRE(file);
  REQUIRE((*file)->append(as_bytes(bytes)));
  return std::move(*file);
}

// One of everything; what came back, in order.
std::vector<std::string> tour(Env& env, const std::string& root) {
  std::vector<std::string> seen;
  const auto at = [&](const char* name) { return root + "/" + name; };
  seen.push_back(slug(env.make_dir(at("d"))));
  seen.push_back(slug(env.make_dir(at("d"))));
  seen.push_back(slug(env.make_dir(at("gone/d"))));
  (void)create(env, at("d/a"), "one");
  seen.push_back(slug(env.create_exclusive(at("d/a"))));
  seen.push_back(slug(env.create_exclusive(at("gone/a"))));
  seen.push_back(slug(env.make_dir(at("d/a"))));
  seen.push_back(slug(env.remove_dir(at("d"))));
  seen.push_back(slug(env.remove_dir(at("gone"))));
  seen.push_back(slug(env.open_append(at("d/gone"))));
  const auto more = env.open_append(at("d/a"));
  seen.push_back(slug((*more)->append(as_bytes(" two"))));
  seen.push_back(slug((*more)->sync()));
  seen.push_back(content(env, at("d/a")));
  seen.push_back(slug(env.open_readable(at("d/gone"))));
  (void)create(env, at("d/b"), "b");
  seen.push_back(slug(env.rename_no_replace(at("d/a"), at("d/b"))));
  seen.push_back(slug(env.rename_replace(at("d/a"), at("d/b"))));
  seen.push_back(slug(env.rename_replace(at("d/a"), at("d/b"))));
  seen.push_back(slug(env.rename_replace(at("d/b"), at("gone/b"))));
  seen.push_back(content(env, at("d/b")));
  const auto names = env.list_dir(at("d")).value();
  seen.insert(seen.end(), names.begin(), names.end());
  seen.push_back(slug(env.list_dir(at("gone"))));
  seen.push_back(std::to_string(env.file_size_bytes(at("d/b")).value()));
  seen.push_back(slug(env.file_size_bytes(at("d/gone"))));
  seen.push_back(slug(env.file_modified_at_us(at("d/gone"))));
  seen.push_back(slug(env.sync_dir(at("d"))));
  seen.push_back(slug(env.sync_dir(at("gone"))));
  // A file that is open stays readable when its name goes.
  const auto open = env.open_readable(at("d/b"));
  seen.push_back(slug(env.remove(at("d/b"))));
  seen.push_back(slug(env.remove(at("d/b"))));
  std::vector<std::uint8_t> buffer(20);
  seen.push_back(std::to_string((*open)->read_at(2, buffer).value()));
  seen.push_back(std::to_string((*open)->read_at(50, buffer).value()));
  seen.push_back(slug(env.remove_dir(at("d"))));
  seen.push_back(slug(env.list_dir(at("d"))));
  return seen;
}

}  // namespace

TEST_CASE("the disk in memory answers as the real one") {
  const test::TempDir dir;
  FakeClock clock(5);
  PowerCutEnv memory(clock);
  REQUIRE(memory.make_dir("/root"));
  CHECK(tour(memory, "/root") == tour(posix_env(), dir.path()));
}

TEST_CASE("after a cut there is what was synced, by name and by content, and no less") {
  FakeClock clock(5);
  PowerCutEnv disk(clock);
  REQUIRE(disk.make_dir("/d"));
  REQUIRE(disk.sync_dir("/"));
  const auto file = create(disk, "/d/a", "synced");
  REQUIRE(file->sync());
  CHECK(content(*disk.after(Cut::kKilled), "/d/a") == "synced");
  CHECK(content(*disk.after(Cut::kDropAll), "/d/a") == "file_not_found");  // its name was not
  CHECK(content(*disk.after(Cut::kNamesSurvive), "/d/a") == "synced");
  REQUIRE(disk.sync_dir("/d"));
  REQUIRE(file->append(as_bytes(" more")));
  CHECK(content(*disk.after(Cut::kKilled), "/d/a") == "synced more");
  CHECK(content(*disk.after(Cut::kDropAll), "/d/a") == "synced");
  CHECK(content(*disk.after(Cut::kNamesSurvive), "/d/a") == "synced");
  CHECK(content(*disk.after(Cut::kZeros), "/d/a") == std::string("synced\0\0\0\0\0", 11));
  std::set<std::string> random;
  for (std::uint64_t seed = 0; seed < 50; ++seed) random.insert(content(*disk.after(Cut::kRandom, seed), "/d/a"));
  CHECK(random.size() > 3);
  for (const auto& one : random) CHECK(one.starts_with("synced"));
  REQUIRE(disk.rename_replace("/d/a", "/d/b"));
  CHECK(content(*disk.after(Cut::kDropAll), "/d/a") == "synced");
  CHECK(content(*disk.after(Cut::kNamesSurvive), "/d/b") == "synced");
  // A kill keeps what a cut would still take.
  CHECK(content(*disk.after(Cut::kKilled)->after(Cut::kDropAll), "/d/a") == "synced");
  REQUIRE(file->sync());
  REQUIRE(disk.sync_dir("/d"));
  for (const auto cut : test::kAllCuts) CHECK(content(*disk.after(cut), "/d/b") == "synced more");
}

TEST_CASE("a file whose move between directories was half synced is in both") {
  FakeClock clock(5);
  PowerCutEnv disk(clock);
  for (const auto* dir : {"/from", "/to"}) REQUIRE(disk.make_dir(dir));
  REQUIRE(disk.sync_dir("/"));
  REQUIRE(create(disk, "/from/a", "x")->sync());
  REQUIRE(disk.sync_dir("/from"));
  REQUIRE(disk.rename_replace("/from/a", "/to/a"));
  REQUIRE(disk.sync_dir("/to"));
  const auto left = disk.after(Cut::kDropAll);
  CHECK(content(*left, "/from/a") == "x");
  CHECK(content(*left, "/to/a") == "x");
}

TEST_CASE("a sync made to fail drops what was dirty: readable until the cut, whatever is synced later") {
  FakeClock clock(5);
  PowerCutEnv disk(clock);
  const auto file = create(disk, "/a", "kept");
  REQUIRE(file->sync());
  REQUIRE(disk.sync_dir("/"));
  REQUIRE(file->append(as_bytes("lost")));
  disk.lose_sync(1);
  CHECK(slug(file->sync()) == "io_error");
  REQUIRE(file->append(as_bytes("kept")));
  REQUIRE(file->sync());
  CHECK(content(disk, "/a") == "keptlostkept");
  CHECK(content(*disk.after(Cut::kDropAll), "/a") == std::string("kept\0\0\0\0kept", 12));
  CHECK(content(*disk.after(Cut::kKilled)->after(Cut::kDropAll), "/a") == std::string("kept\0\0\0\0kept", 12));
}
