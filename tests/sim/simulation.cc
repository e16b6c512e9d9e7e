#include "tests/sim/simulation.h"

#include <cstdio>

#include "core/base/text.h"
#include "storage/cas/recipe.h"
#include "tests/sim/actors.h"

namespace mlops::sim {
namespace {

constexpr int kDepthMax = 3;
constexpr std::size_t kActorsMax = 7;

SimFile make_file(const std::vector<unsigned>& numbers) {
  SimFile file;
  std::size_t at_chunk = 0;
  cas::RecipeBuilder builder([&](const cas::Node& node, const crypto::Digest& digest, const std::string&) -> Status {
    if (node.level != 0) return {};
    file.leaves.push_back({digest, at_chunk, at_chunk + node.entries.size()});
    at_chunk += node.entries.size();
    return {};
  });
  for (const auto number : numbers) {
    const auto bytes = test::random_bytes(number, number == 0 ? 0 : 20 + number % 70);
    file.chunks.push_back({test::sha(bytes), file.content.size(), bytes.size()});
    file.content += bytes;
    (void)builder.add({file.chunks.back().digest, bytes.size()});
  }
  (void)builder.finish();
  file.digest = test::sha(file.content);
  return file;
}

// A few originals and what edits make of them.
std::vector<SimFile> make_files() {
  std::vector<SimFile> files;
  std::mt19937_64 random(20261124);
  const auto range = [](unsigned begin, unsigned count) {
    std::vector<unsigned> numbers;
    for (unsigned i = 0; i < count; ++i) numbers.push_back(begin + i);
    return numbers;
  };
  files.push_back(make_file({0}));  // empty
  for (const unsigned number : {1u, 2u, 1003u, 1004u}) files.push_back(make_file({number}));
  for (const auto& [begin, count, variants] :
       {std::tuple{1000u, 3u, 2}, {1001u, 12u, 4}, {1005u, 30u, 6}, {2000u, 90u, 4}, {3000u, 400u, 3}}) {
    auto numbers = range(begin, count);
    for (int i = 0; i < variants; ++i) {
      files.push_back(make_file(numbers));
      const auto at = numbers.begin() + static_cast<std::ptrdiff_t>(random() % numbers.size());
      if (i % 3 == 0) *at = static_cast<unsigned>(5000 + random() % 1000);
      if (i % 3 == 1) numbers.insert(at, static_cast<unsigned>(5000 + random() % 1000));
      if (i % 3 == 2 && numbers.size() > 2) numbers.erase(at);
    }
  }
  return files;
}

}  // namespace

const std::vector<SimFile>& all_files() {
  static const std::vector<SimFile> files = make_files();
  return files;
}

Simulation::Simulation(const SimOptions& options) : options_(options), random_(options.seed) {
  const auto& all = all_files();
  const auto count = 3 + pick(8);
  for (std::size_t i = 0; i < count; ++i) files_.push_back(&all[pick(all.size())]);
  constexpr std::uint64_t kLimits[] = {1000, 4000, 20'000, 1u << 20};
  pack_limit_bytes_ = kLimits[pick(std::size(kLimits))];
  use(std::make_unique<test::PowerCutEnv>(clock_));
}

Simulation::~Simulation() {
  actors_.clear();
  store_.reset();
}

void Simulation::fail(std::string what) {
  note("FAILED: " + what);
  if (failure_.empty()) failure_ = std::move(what);
}

void Simulation::note(const std::string& what) {
  if (options_.is_verbose) std::printf("%*s%s\n", depth_ * 2, "", what.c_str());
}

bool Simulation::fails_now(const std::string& call) {
  if (call == "read_at" && interleaves_reads_ && depth_ < kDepthMax && chance(4)) interleave();
  if (!options_.has_faults || faults_are_off_ || pick(150) != 0) return false;
  ++fault_count_;
  note("made to fail: " + call);
  if (call == "sync") disks_.back()->lose_sync(1);
  return call != "sync";
}

void Simulation::use(std::unique_ptr<test::PowerCutEnv> disk) {
  auto env = std::make_unique<test::FaultEnv>(*disk);
  disks_.push_back(std::move(disk));
  envs_.push_back(std::move(env));
  open_store();
  envs_.back()->fail_when([this](const std::string& call) { return fails_now(call); });
}

void Simulation::open_store() {
  faults_are_off_ = true;
  auto opened = cas::ContentStore::open(test::store_options(pack_limit_bytes_), *envs_.back(), clock_);
  faults_are_off_ = false;
  if (opened) store_ = std::move(*opened);
  if (!opened) fail("the store does not open: " + opened.error().message);
}

bool Simulation::register_file(const SimFile& file, cas::OwnerTag viewer) {
  const Writer writer(*this);
  if (!store_->has(file.digest, file.content.size(), viewer)) return false;
  registered_.try_emplace(&file, next_registration_++);
  note(fmt::format("registered {}", file.digest.hex().substr(0, 6)));
  return true;
}

std::uint64_t Simulation::registration(const SimFile& file) const {
  const auto found = registered_.find(&file);
  return found == registered_.end() ? 0 : found->second;
}

std::vector<const SimFile*> Simulation::registered() const {
  std::vector<const SimFile*> files;
  // In the order of registration: that of addresses would differ from run to run.
  std::map<std::uint64_t, const SimFile*> in_order;
  for (const auto& [file, number] : registered_) in_order[number] = file;
  for (const auto& [number, file] : in_order) files.push_back(file);
  return files;
}

void Simulation::interleave() {
  if (depth_ >= kDepthMax || !failure_.empty()) return;
  const bool interleaves_reads = std::exchange(interleaves_reads_, false);
  ++depth_;
  for (auto count = pick(4); count > 0 && failure_.empty(); --count) step();
  --depth_;
  interleaves_reads_ = interleaves_reads;
}

void Simulation::new_actor() {
  const auto owner = chance(20) ? cas::owner_tag(chance(50) ? "one" : "two") : cas::kEveryone;
  const auto kind = pick(100);
  std::unique_ptr<Actor> actor;
  if (kind < 40) {
    actor = make_push(any_file(), owner);
  } else if (kind < 55) {
    actor = make_upload(any_file(), owner);
  } else if (kind < 75) {
    actor = make_pull(any_file());
  } else if (kind < 97) {
    if (is_collecting_) return;
    is_collecting_ = true;
    actor = make_collection(chance(60) ? 0 : test::kLeaseUs);
  } else {
    actor = make_check();
  }
  actors_.push_back(std::move(actor));
}

void Simulation::step_actor(std::size_t index) {
  auto* const actor = actors_[index].get();
  if (actor->is_busy || (actor->needs_writer() && is_writing_)) return;
  actor->is_busy = true;
  const bool goes_on = actor->step(*this);
  actor->is_busy = false;
  if (goes_on) return;
  std::erase_if(actors_, [actor](const auto& other) { return other.get() == actor; });
}

void Simulation::delete_one() {
  const auto files = registered();
  if (files.empty() || is_writing_) return;
  const auto* file = files[pick(files.size())];
  registered_.erase(file);
  note(fmt::format("deleted {}", file->digest.hex().substr(0, 6)));
}

// The daemon lets one collection, restoring or sweeping go on at a time.
void Simulation::look_after_trash() {
  if (is_collecting_) return;
  const auto runs = cas::list_trash(*store_);
  if (!runs || runs->empty()) return;
  const auto faults = fault_count_;
  if (chance(50)) {
    const auto restored = cas::restore_trash(*store_, (*runs)[pick(runs->size())].name);
    note("restored a run");
    if (!restored && fault_count_ == faults) fail("restoring failed: " + restored.error().message);
  } else {
    const auto swept = cas::sweep_trash(*store_, clock_.now_us() - static_cast<std::int64_t>(pick(2)) * test::kLeaseUs);
    if (!swept && fault_count_ == faults) fail("sweeping failed: " + swept.error().message);
  }
}

// A clean one, a kill or a power cut; whoever was acting is gone.
void Simulation::restart() {
  actors_.clear();
  is_collecting_ = false;
  if (chance(30)) {
    note("restart");
    store_.reset();
    open_store();
  } else {
    const auto cut = test::kAllCuts[pick(std::size(test::kAllCuts))];
    note(fmt::format("cut {}", static_cast<int>(cut)));
    auto left = disks_.back()->after(cut, random_());
    envs_.back()->fail_when(nullptr);
    store_.reset();
    use(std::move(left));
  }
  if (failure_.empty()) check_everything();
}

void Simulation::check_everything() {
  faults_are_off_ = true;
  for (const auto* file : registered()) {
    const auto got = test::read_blob(*store_, file->digest);
    if (!store_->has(file->digest, file->content.size()) || !got) {
      fail(fmt::format("a registered file of {} chunks is lost", file->chunks.size()));
    } else if (*got != file->content) {
      fail("a registered file has other bytes");
    }
  }
  faults_are_off_ = false;
}

void Simulation::step() {
  const auto kind = pick(100);
  if (actors_.size() < kActorsMax && (actors_.empty() || kind < 25)) return new_actor();
  if (kind < 80) return step_actor(pick(actors_.size()));
  if (kind < 86) return delete_one();
  if (kind < 89) return look_after_trash();
  if (kind < 94) return clock_.advance_us(static_cast<std::int64_t>(pick(3)) * test::kLeaseUs / 2 + 1);
  if (kind < 97 && depth_ == 0) return restart();
  if (depth_ == 0) check_everything();
}

void Simulation::collect_everything() {
  faults_are_off_ = true;
  auto collection = cas::Collection::start(*store_, 0);
  if (!collection) return fail("the last collection does not start");
  (*collection)->condemn();
  if (auto moved = (*collection)->move_to_trash("last"); !moved)
    return fail("the last collection: " + moved.error().message);
  if (auto swept = cas::sweep_trash(*store_, INT64_MAX); !swept)
    return fail("the last sweep: " + swept.error().message);
  if (const auto left = store_->totals().objects; left != 0)
    return fail(fmt::format("{} objects are left of an empty store", left));
  if (!store_->packs().packs().empty()) return fail("packs are left of an empty store");
}

// Everything deleted and collected: nothing is left, on the disk neither.
void Simulation::end() {
  check_everything();
  actors_.clear();
  is_collecting_ = false;
  registered_.clear();
  faults_are_off_ = true;
  // The second time also what a restoring that failed half-way left behind: a start takes it in.
  for (int i = 0; i < 2 && failure_.empty(); ++i) {
    collect_everything();
    store_.reset();
    open_store();
  }
  if (!failure_.empty()) return;
  for (const auto* dir : {"/store/packs", "/store/trash"}) {
    const auto names = disks_.back()->list_dir(dir);
    if (!names || !names->empty())
      return fail(fmt::format("files are left in {}: {}", dir, names ? join(*names, " ") : "unreadable"));
  }
}

std::string Simulation::run() {
  for (int i = 0; i < options_.steps && failure_.empty(); ++i) step();
  if (failure_.empty()) end();
  return failure_;
}

}  // namespace mlops::sim
