#include "tests/sim/threads.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "tests/sim/files.h"
#include "tests/unit/storage/cas/cas_box.h"

namespace mlops::sim {
namespace {

constexpr std::int64_t kLeaseUs = 200'000;

// The store, the registry beside it, and the first thing that went wrong.
class World {
 public:
  explicit World(const std::string& root) {
    cas::ContentStoreOptions options;
    options.packs = {root, 0, 20'000};
    options.lease_us = kLeaseUs;
    auto opened = cas::ContentStore::open(options, posix_env(), clock_);
    if (opened) store_ = std::move(*opened);
    if (!opened) fail("the store does not open: " + opened.error().message);
  }

  cas::ContentStore& store() { return *store_; }
  const Clock& clock() const { return clock_; }
  void fail(const std::string& what) {
    std::lock_guard lock(mutex_);
    if (failure_.empty()) failure_ = what;
    has_failed_ = true;
  }
  bool has_failed() const { return has_failed_; }
  std::string failure() {
    std::lock_guard lock(mutex_);
    return failure_;
  }

  // The registry: its writer is a mutex.
  void register_file(const SimFile& file, cas::OwnerTag viewer) {
    std::lock_guard lock(writer_);
    if (store_->has(file.digest, file.content.size(), viewer)) registered_.try_emplace(&file, ++registrations_);
  }
  void remove(const SimFile& file) {
    std::lock_guard lock(writer_);
    registered_.erase(&file);
  }
  std::uint64_t registration(const SimFile& file) {
    std::lock_guard lock(writer_);
    const auto found = registered_.find(&file);
    return found == registered_.end() ? 0 : found->second;
  }
  std::vector<const SimFile*> registered() {
    std::lock_guard lock(writer_);
    return registered_in_writer();
  }
  std::vector<const SimFile*> registered_in_writer() const {
    std::vector<const SimFile*> files;
    for (const auto& [file, number] : registered_) files.push_back(file);
    return files;
  }
  std::mutex& writer() { return writer_; }

 private:
  const SystemClock clock_;
  std::unique_ptr<cas::ContentStore> store_;
  std::mutex writer_;
  std::map<const SimFile*, std::uint64_t> registered_;
  std::uint64_t registrations_ = 0;
  std::mutex mutex_;
  std::string failure_;
  std::atomic<bool> has_failed_{false};
};

bool may_happen(const Error& error) {
  return error.slug == "object_missing" || error.slug == "store_changed";
}

void push(World& world, const SimFile& file, cas::OwnerTag owner) {
  auto& store = world.store();
  test::Stream stream;
  for (const auto& leaf : file.leaves) {
    if (store.has_object({cas::ObjectKind::kNode, leaf.digest}, owner)) {
      stream.known_node(leaf.digest);
      continue;
    }
    for (auto i = leaf.begin; i < leaf.end; ++i) {
      const auto& chunk = file.chunks[i];
      const bool is_here = store.has_object({cas::ObjectKind::kChunk, chunk.digest}, owner);
      is_here ? stream.known_chunk(chunk.digest) : stream.chunk(file.bytes_of(chunk));
    }
  }
  const auto received = test::receive(store, stream.end(file.digest).bytes(), owner, 3000);
  if (!received && !may_happen(received.error())) world.fail("a push failed: " + received.error().message);
  if (received) world.register_file(file, owner);
}

void upload(World& world, const SimFile& file, cas::OwnerTag owner) {
  const auto stored = test::put(world.store(), file.content, owner);
  if (!stored && !may_happen(stored.error())) world.fail("an upload failed: " + stored.error().message);
  if (stored) world.register_file(file, owner);
}

void pull(World& world, const SimFile& file) {
  const auto registration = world.registration(file);
  const auto got = test::read_blob(world.store(), file.digest);
  if (got && *got != file.content) world.fail("a pull was given wrong bytes");
  const bool must_be_here = registration != 0 && world.registration(file) == registration;
  if (!got && must_be_here) world.fail("a pull failed: " + got.error().message);
}

bool keep_all(World& world, cas::Collection& collection, const std::vector<const SimFile*>& files, bool must_be_here) {
  for (const auto* file : files) {
    const auto kept = collection.keep(file->digest);
    if (kept && *kept) continue;
    if (must_be_here) world.fail("a collection does not find what it has to keep");
    if (!kept) return false;
  }
  return true;
}

void collect(World& world, std::int64_t min_age_us) {
  auto started = cas::Collection::start(world.store(), min_age_us);
  if (!started) return world.fail("a collection does not start");
  auto& collection = **started;
  if (!keep_all(world, collection, world.registered(), false)) return;
  (void)collection.summary();
  {
    std::lock_guard lock(world.writer());
    if (!keep_all(world, collection, world.registered_in_writer(), true)) return;
    collection.condemn();
  }
  const auto moved = collection.move_to_trash("run");
  if (!moved && moved.error().slug != "store_changed") world.fail("a collection failed: " + moved.error().message);
}

// One at a time, as the daemon has it.
void look_after(World& world, std::mt19937_64& random) {
  collect(world, random() % 3 == 0 ? kLeaseUs : 0);
  const auto runs = cas::list_trash(world.store());
  if (!runs) return world.fail("the trash cannot be listed: " + runs.error().message);
  if (!runs->empty() && random() % 3 == 0) {
    const auto restored = cas::restore_trash(world.store(), runs->back().name);
    if (!restored) world.fail("restoring failed: " + restored.error().message);
  }
  if (random() % 3 == 0) {
    const auto swept = cas::sweep_trash(world.store(), world.clock().now_us());
    if (!swept) world.fail("sweeping failed: " + swept.error().message);
  }
  if (random() % 5 != 0) return;
  const auto report = cas::check_packs(world.store(), {});
  if (!report) return world.fail("a check failed: " + report.error().message);
  if (!report->problems.empty()) world.fail("a check found " + report->problems[0].object);
}

void act(World& world, std::mt19937_64& random) {
  const auto& files = all_files();
  const auto& file = files[random() % files.size()];
  const auto owner = random() % 5 == 0 ? cas::owner_tag("stranger") : cas::kEveryone;
  switch (random() % 10) {
    case 0:
    case 1:
    case 2:
      return push(world, file, owner);
    case 3:
      return upload(world, file, owner);
    case 4:
    case 5:
      return world.remove(file);
    default:
      return pull(world, file);
  }
}

std::string run_in(const std::string& root, const ThreadOptions& options) {
  World world(root);
  if (world.has_failed()) return world.failure();
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(options.seconds);
  const auto loop = [&](const auto& turn, unsigned number) {
    std::mt19937_64 random(options.seed * 1000 + number);
    while (std::chrono::steady_clock::now() < end && !world.has_failed()) turn(world, random);
  };
  std::vector<std::thread> threads;
  threads.emplace_back([&] { loop(look_after, 0); });
  for (unsigned i = 1; i <= options.threads; ++i) threads.emplace_back([&, i] { loop(act, i); });
  for (auto& thread : threads) thread.join();
  for (const auto* file : world.registered()) {
    const auto got = test::read_blob(world.store(), file->digest);
    if (!got || *got != file->content) world.fail("a registered file is lost at the end");
  }
  return world.failure();
}

}  // namespace

std::string run_threads(const ThreadOptions& options) {
  auto root = (std::filesystem::temp_directory_path() / "store_sim_XXXXXX").string();
  if (!::mkdtemp(root.data())) return "no temporary directory";
  auto failure = run_in(root + "/store", options);
  std::error_code ignored;
  std::filesystem::remove_all(root, ignored);
  return failure;
}

}  // namespace mlops::sim
