// One seeded life of a content store: pushes, uploads, deletions, collections, pulls, restarts, kills and power cuts in
// random order, one step after the other on one thread, so that a seed always tells the same story. Inside a push and
// inside a collection other steps are taken too, wherever real threads could come between.
//
// The model is the set of registered files. What must hold: a registered file is readable and right, nothing is ever
// served wrong, a collection misses nothing of what it keeps, and a store whose files were all deleted and collected is
// empty. Thread-safety: none. Errors: a failed invariant ends the life; its words come back.
#pragma once

#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/sim/files.h"
#include "tests/unit/storage/cas/cas_box.h"

namespace mlops::sim {

struct SimOptions {
  std::uint64_t seed = 1;
  int steps = 80;
  bool has_faults = false;  // reads, writes and syncs fail now and then
  bool is_verbose = false;
};

class Actor;

class Simulation {
 public:
  explicit Simulation(const SimOptions& options);
  ~Simulation();
  // Empty: everything held.
  std::string run();

  // What actors use.
  cas::ContentStore& store() { return *store_; }
  FakeClock& clock() { return clock_; }
  std::size_t pick(std::size_t count) { return random_() % count; }
  bool chance(int percent) { return pick(100) < static_cast<std::size_t>(percent); }
  const SimFile& any_file() { return *files_[pick(files_.size())]; }
  void fail(std::string what);
  void note(const std::string& what);
  // Steps of other actors, here and now.
  void interleave();
  // So far made to fail; a failure between two equal numbers is the store's own.
  std::uint64_t faults() const { return fault_count_; }

  // The writer of the registry: one at a time, and nothing of it between other writers' steps.
  class Writer {
   public:
    explicit Writer(Simulation& simulation) : simulation_(simulation) { simulation_.is_writing_ = true; }
    ~Writer() { simulation_.is_writing_ = false; }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

   private:
    Simulation& simulation_;
  };
  // Registers the file if `viewer` has it now.
  bool register_file(const SimFile& file, cas::OwnerTag viewer);
  // Number of the registration; 0: none.
  std::uint64_t registration(const SimFile& file) const;
  std::vector<const SimFile*> registered() const;
  bool is_collecting() const { return is_collecting_; }
  void set_collecting(bool is_collecting) { is_collecting_ = is_collecting; }
  // Between reads of the store others may come; not where a reader's buffers belong to the thread.
  void set_interleaves_reads(bool interleaves) { interleaves_reads_ = interleaves; }

 private:
  void open_store();
  void use(std::unique_ptr<test::PowerCutEnv> disk);
  void step();
  void new_actor();
  void step_actor(std::size_t index);
  void delete_one();
  void look_after_trash();
  void restart();
  void check_everything();
  void collect_everything();
  void end();
  bool fails_now(const std::string& call);

  const SimOptions options_;
  std::mt19937_64 random_;
  FakeClock clock_{1'800'000'000 * test::kSecondUs};
  std::vector<std::unique_ptr<test::PowerCutEnv>> disks_;
  std::vector<std::unique_ptr<test::FaultEnv>> envs_;
  std::unique_ptr<cas::ContentStore> store_;
  std::vector<std::unique_ptr<Actor>> actors_;
  std::vector<const SimFile*> files_;  // of this life
  std::map<const SimFile*, std::uint64_t> registered_;
  std::uint64_t next_registration_ = 1;
  std::uint64_t pack_limit_bytes_ = 0;
  std::string failure_;
  int depth_ = 0;
  bool is_writing_ = false;
  bool is_collecting_ = false;
  bool interleaves_reads_ = false;
  bool faults_are_off_ = false;
  std::uint64_t fault_count_ = 0;
};

}  // namespace mlops::sim
