#include "daemon/domain/gc.h"

#include <fmt/format.h>

#include "core/base/id.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/model/names.h"

namespace mlops::domain {
namespace {

constexpr std::int64_t kSecondUs = 1'000'000;

Json amount_json(std::uint64_t objects, std::uint64_t bytes) {
  return {{"objects", objects}, {"bytes", bytes}};
}

Failure busy() {
  return fail(ErrorCode::kConflict, "gc_running", "a garbage collection is going on", "`mlopsctl gc runs` shows it");
}

// Blobs of the version that are here.
std::uint64_t count_here(cas::ContentStore& content, const ManifestBlobs& blobs) {
  std::uint64_t here = blobs.tree && content.size_of(*blobs.tree) ? 1 : 0;
  for (const auto& file : blobs.files) here += content.size_of(file.digest).has_value();
  return here;
}

}  // namespace

struct Gc::Work {
  GcWish wish;
  std::int64_t min_age_s = 0;
  meta::GcRunRow row;
  Roots roots;
  std::unique_ptr<cas::Collection> collection;
  std::optional<Marks> marks;
  std::vector<Candidate> candidates;
  cas::CollectionSummary summary;
  cas::MovedToTrash moved;
  Json versions = Json::array();  // that lost bytes; until the run is done, those that may

  std::string receipt() const {
    return canonical_dump(
        {{"min_age_s", min_age_s},
         {"live", amount_json(summary.live_objects, summary.live_bytes)},
         {"dead", amount_json(summary.dead_objects, summary.dead_bytes)},
         {"sparse", amount_json(summary.sparse_objects, summary.sparse_bytes)},
         {"young", amount_json(summary.young_objects, summary.young_bytes)},
         {"objects", moved.removed_objects},
         {"packs", moved.packs},
         {"bytes", moved.bytes},
         {"copied_bytes", moved.copied_bytes},
         {"digest", moved.removed_objects == 0 ? Json(nullptr) : Json(moved.removed_digest.to_string())},
         {"versions", versions}});
  }
};

Result<GcOutcome> Gc::run(const meta::Actor& actor, const GcWish& wish) {
  MLOPS_TRY(model::check_free_text(wish.reason, "reason"));
  if (trim(wish.reason).empty()) {
    return fail(ErrorCode::kInvalid, "reason_needed", "a garbage collection needs a reason", "give --reason");
  }
  std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return busy();
  auto outcome = run_locked(actor, wish);
  set_running({});
  return outcome;
}

Result<GcOutcome> Gc::run_locked(const meta::Actor& actor, const GcWish& wish) {
  Work work;
  work.wish = wish;
  work.min_age_s = wish.min_age_s.value_or(options_.lease_s);
  MLOPS_TRY(prepare(work));
  MLOPS_TRY(check_damage(work));
  MLOPS_TRY(condemn(actor, work));
  const auto moved = move(work);
  MLOPS_TRY(finish(actor, work, moved));
  if (!moved) return fail(moved.error());
  GcOutcome outcome;
  auto swept = sweep_locked(actor, wish.grace_s.value_or(options_.trash_s));
  if (swept) {
    outcome.swept = std::move(*swept);
  } else {
    // The run is done and in the log; what could not be unlinked now is next time.
    log::warn("gc_sweep_failed", {{"slug", std::string_view(swept.error().slug)}});
  }
  MLOPS_ASSIGN(const auto trash, cas::list_trash(content_));
  outcome.run = view_of(work.row, trash);
  return outcome;
}

// Marks twice: the second time little is new, so that the writer has next to nothing left to mark.
Status Gc::prepare(Work& work) {
  const auto snapshot = [&] {
    return store_.read<Roots>(
        [&](sql::Connection& connection) { return roots_at(connection, store_.clock().now_us()); },
        meta::Patience::kLong);
  };
  const auto read = manifest_reader(store_);
  MLOPS_ASSIGN(work.roots, snapshot());
  MLOPS_ASSIGN(work.collection, cas::Collection::start(content_, work.min_age_s * kSecondUs, work.wish.thoroughness));
  work.marks.emplace(*work.collection, content_);
  MLOPS_TRY(work.marks->keep(read, work.roots));
  MLOPS_ASSIGN(work.candidates, candidates_of(work.roots));
  MLOPS_ASSIGN(work.roots, snapshot());
  MLOPS_TRY(work.marks->keep(read, work.roots));
  work.summary = work.collection->summary();
  return {};
}

Status Gc::check_damage(const Work& work) {
  if (work.wish.damage == Damage::kDespite) return {};
  MLOPS_ASSIGN(const auto damaged, damaged_versions(*work.marks, work.roots));
  if (damaged.empty()) return {};
  return fail(
      ErrorCode::kRefused, "store_damaged",
      fmt::format("bytes of {} version{} are missing or damaged, first {}; what belongs to them cannot be told from "
                  "garbage",
                  damaged.size(), damaged.size() == 1 ? "" : "s", damaged.front()),
      "`mlopsctl fsck` names them; register them again from their source, delete them, or give --despite-damage",
      canonical_dump({{"versions", damaged}}));
}

// Deleted, unprotected versions of which something is here.
Result<std::vector<Gc::Candidate>> Gc::candidates_of(const Roots& roots) {
  const auto read = manifest_reader(store_);
  std::vector<Candidate> candidates;
  for (const auto& deleted : roots.loose) {
    MLOPS_ASSIGN(const auto blobs, blobs_of(read, content_, deleted.version.manifest));
    if (const auto here = count_here(content_, blobs); here > 0) candidates.push_back({deleted, here});
  }
  return candidates;
}

Status Gc::condemn(const meta::Actor& actor, Work& work) {
  for (const auto& candidate : work.candidates) {
    work.versions.push_back({{"id", candidate.deleted.version.id}, {"ref", candidate.deleted.version.typed_ref()}});
  }
  work.row.id = new_id(store_.clock());
  set_running(work.row.id);
  auto condemned = store_.write<bool>(actor, meta::Commit::kKeep, [&](meta::WriteTx& tx) -> Result<bool> {
    MLOPS_ASSIGN(const auto roots, roots_at(tx.sql(), tx.now_us()));
    MLOPS_TRY(work.marks->keep(manifest_reader(tx.sql()), roots));
    work.row.state = "started";
    work.row.reason = work.wish.reason;
    work.row.started_by = tx.actor().principal.name;
    work.row.started_at_us = tx.now_us();
    work.row.receipt = work.receipt();
    tx.begin_entry("gc.start", work.row.id, work.wish.reason);
    MLOPS_TRY(meta::insert_gc_run(tx, work.row));
    work.collection->condemn();
    return true;
  });
  if (!condemned) return fail(condemned.error());
  return {};
}

Status Gc::move(Work& work) {
  MLOPS_ASSIGN(work.moved, work.collection->move_to_trash(work.row.id));
  // Only now: what was not worth moving is found again.
  work.versions = Json::array();
  const auto read = manifest_reader(store_);
  for (const auto& candidate : work.candidates) {
    const auto& version = candidate.deleted.version;
    MLOPS_ASSIGN(const auto blobs, blobs_of(read, content_, version.manifest));
    if (count_here(content_, blobs) < candidate.blobs) {
      work.versions.push_back({{"id", version.id}, {"ref", version.typed_ref()}});
    }
  }
  return {};
}

// The receipt, also of a run that failed half-way: what it moved lies in the trash under its id.
Status Gc::finish(const meta::Actor& actor, Work& work, const Status& moved) {
  work.row.state = moved ? "done" : "failed";
  work.row.trash = work.moved.trash_dir;
  work.row.receipt = work.receipt();
  auto written = store_.write<bool>(actor, meta::Commit::kKeep, [&](meta::WriteTx& tx) -> Result<bool> {
    work.row.finished_at_us = tx.now_us();
    tx.begin_entry("gc.run", work.row.id, moved ? work.wish.reason : fmt::format("failed: {}", moved.error().slug));
    MLOPS_TRY(meta::update_gc_run(tx, work.row));
    return true;
  });
  if (!written) return fail(written.error());
  log::info("gc_run", {{"run", std::string_view(work.row.id)},
                       {"state", std::string_view(work.row.state)},
                       {"objects", static_cast<std::int64_t>(work.moved.removed_objects)},
                       {"packs", static_cast<std::int64_t>(work.moved.packs)},
                       {"bytes", static_cast<std::int64_t>(work.moved.bytes)}});
  return {};
}

}  // namespace mlops::domain
