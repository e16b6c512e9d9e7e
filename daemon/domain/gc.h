// Garbage collection that says beforehand what goes and why, keeps what somebody still needs, and can be undone.
//
//   run:  snapshot of the roots → mark → catch up → in the writer: roots again, mark what is new, entry gc.start,
//   condemn
//         → move to the trash → entry gc.run with the receipt → sweep what lay in the trash longer than the grace
//
// A version is registered in the writer too, and checks its bytes there when the store lost any meanwhile: so it is
// either registered before the condemning, and kept, or refused. A run that finds bytes of a live version missing
// refuses, because what a damaged file was made of cannot be told from garbage; the trash makes any run undoable for
// its time.
//
// Errors: kConflict "gc_running"; kRefused "store_damaged" naming the versions; kNotFound "object_unknown",
// "gc_run_not_found", "trash_not_found"; kInvalid "reason_needed", "bad_target"; those of meta and cas.
// Thread-safety: thread-safe; one run, restore or sweep at a time. Units: bytes as stored, microseconds, seconds.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/domain/gc_marks.h"
#include "daemon/domain/roots.h"
#include "storage/cas/collection.h"
#include "storage/meta/store.h"

namespace mlops::domain {

struct GcOptions {
  std::int64_t lease_s = 24 * 3600;      // what was written or used more lately stays
  std::int64_t trash_s = 7 * 24 * 3600;  // how long a run can be undone
};

struct GcAmount {
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;
};

// What could go for one reason. Bytes that several deleted versions share count for the one deleted first.
struct GcGroup {
  enum class Why { kDeleted, kMoreDeleted, kUnregistered };
  Why why = Why::kUnregistered;
  meta::StoredVersion version;  // kDeleted
  std::uint64_t versions = 0;   // kMoreDeleted: how many, beyond those listed one by one
  GcAmount dead;                // goes
  GcAmount young;               // stays for now: written or leased lately
};

// What a protection keeps that would go otherwise.
struct GcKept {
  DeletedVersion deleted;  // kMore: that many, without their names
  std::uint64_t more = 0;
  GcAmount amount;
  bool is_whole = true;  // false: a collection took some of it before it was protected
};

struct GcPlan {
  TimestampUs at_us = 0;
  std::int64_t min_age_s = 0;
  GcAmount live;
  GcAmount dead;
  GcAmount sparse;  // of the dead: stays in a run that is not thorough, because its packs hold much that is needed
  GcAmount young;
  std::vector<GcGroup> groups;
  std::vector<GcKept> kept;
  std::vector<std::string> damaged;  // versions whose bytes are missing: a run refuses
};

enum class Damage { kRefuse, kDespite };

struct GcWish {
  std::string reason;
  std::optional<std::int64_t> min_age_s;  // absent: as the options say
  std::optional<std::int64_t> grace_s;    // the same
  Damage damage = Damage::kRefuse;
  cas::Thoroughness thoroughness = cas::Thoroughness::kWorthwhile;
};

struct GcRunView {
  meta::GcRunRow row;
  std::string state;                   // running, interrupted, failed, done
  std::optional<cas::TrashRun> trash;  // as it lies there now
  TimestampUs swept_after_us = 0;      // with `trash`
};

struct GcOutcome {
  GcRunView run;
  std::vector<cas::TrashRun> swept;
};

// One link of the chain that keeps an object.
struct WhyStep {
  std::string kind;    // version, manifest, tree, file, blob, root, node, chunk
  std::string name;    // a reference, a path; may be empty
  std::string digest;  // may be empty
};

struct WhyView {
  enum class Verdict { kLive, kProtected, kYoung, kLeased, kNothing, kInTrash, kGone };
  std::string target;
  std::vector<std::string> kinds;  // what is stored under it: version, manifest, tree, file, blob, chunk, node, root
  bool is_stored = true;           // false: it is missing or damaged, whoever names it
  Verdict verdict = Verdict::kNothing;
  std::vector<WhyStep> path;              // from the version down to it; empty: no version names it
  std::optional<DeletedVersion> deleted;  // the version at the path's head, when it is deleted
  std::string trash_run;                  // kInTrash: the run to restore
  TimestampUs until_us = 0;               // kYoung, kInTrash
};
std::string_view to_word(
    WhyView::Verdict verdict);  // "live", "protected", "young", "leased", "nothing", "trash", "gone"

class Gc {
 public:
  Gc(meta::Store& store, cas::ContentStore& content, GcOptions options)
      : store_(store), content_(content), options_(options) {}

  Result<GcPlan> plan(std::optional<std::int64_t> min_age_s);
  Result<GcOutcome> run(const meta::Actor& actor, const GcWish& wish);
  // A reference, or a whole digest of anything stored.
  Result<WhyView> why(const std::string& target);

  Result<std::vector<GcRunView>> runs(const meta::GcRunFilter& filter);
  // By id, unique prefix, or the name of a directory of the trash that no run knows.
  Result<GcRunView> restore(const meta::Actor& actor, const std::string& run, meta::Commit commit);
  // Restores every run in the trash that took bytes of the version. Waits for a run that is going on.
  Result<std::vector<std::string>> bring_back(const meta::Actor& actor, const meta::StoredVersion& version);
  // Unlinks what lay in the trash longer than the grace; what has become protected meanwhile is restored instead.
  Result<std::vector<cas::TrashRun>> sweep(const meta::Actor& actor, std::optional<std::int64_t> grace_s);

 private:
  struct Candidate {
    DeletedVersion deleted;
    std::uint64_t blobs = 0;  // of it that are here
  };
  struct Work;  // one run under way

  // gc.cc
  Result<GcOutcome> run_locked(const meta::Actor& actor, const GcWish& wish);
  Status prepare(Work& work);
  Status check_damage(const Work& work);
  Status condemn(const meta::Actor& actor, Work& work);
  Status move(Work& work);
  Status finish(const meta::Actor& actor, Work& work, const Status& moved);
  Result<std::vector<Candidate>> candidates_of(const Roots& roots);

  // gc_plan.cc
  Result<std::vector<std::string>> damaged_versions(const Marks& marks, const Roots& roots);
  Status add_kept(const Roots& roots, Marks& marks, const cas::Collection& collection, GcPlan& plan);
  Status add_loose(const Roots& roots, Marks& marks, const cas::Collection& collection, GcPlan& plan);

  // gc_trash.cc
  Result<std::vector<cas::TrashRun>> sweep_locked(const meta::Actor& actor, std::int64_t grace_s);
  Status restore_locked(const meta::Actor& actor, const std::optional<meta::GcRunRow>& run, const std::string& trash,
                        const std::string& reason);
  GcRunView view_of(meta::GcRunRow row, const std::vector<cas::TrashRun>& trash);
  void set_running(const std::string& id);

  // gc_why.cc
  Result<WhyView> why_version(const std::string& ref);
  Result<WhyView> why_object(const crypto::Digest& digest);
  Status judge_loose(WhyView& view, const crypto::Digest& object);

  meta::Store& store_;
  cas::ContentStore& content_;
  const GcOptions options_;
  std::mutex mutex_;  // held by what changes the store
  std::mutex running_mutex_;
  std::string running_;  // id of the run under way; running_mutex_
};

}  // namespace mlops::domain
