// Applying an erasure: what was agreed is checked against the state, then each version is settled in a transaction of
// its own, so that an application that was cut off goes on where it was.
#include <fmt/format.h>

#include "core/base/log.h"
#include "daemon/domain/blob_streams.h"
#include "daemon/domain/erasure_application.h"
#include "daemon/domain/subject_rows.h"
#include "storage/meta/retention.h"
#include "storage/meta/versions.h"

namespace mlops::domain {
namespace {

constexpr JsonLimits kBodyLimits{.size_bytes = 64u << 20, .nodes = 10'000'000};

Failure stale(const std::string& id) {
  return fail(ErrorCode::kConflict, "stale_plan",
              fmt::format("the plan {} is stale: another search finds other versions, rows or holds", id),
              "make a new one: mlopsctl erase plan");
}

Failure expired(const std::string& id) {
  return fail(ErrorCode::kRefused, "erasure_expired", fmt::format("the plan {} has expired", id),
              "make a new one: mlopsctl erase plan");
}

Failure closed(const meta::ErasureRow& row) {
  return fail(ErrorCode::kConflict, row.state == "stale" ? "stale_plan" : "erasure_closed",
              fmt::format("the erasure {} is {}", row.id, row.state), "`mlopsctl erase status` shows it");
}

std::string first_state(model::ErasureAction action) {
  if (action == model::ErasureAction::kDecide) return "undecided";
  return action == model::ErasureAction::kKeep ? "kept" : "pending";
}

}  // namespace

Result<ErasureView> Erasure::apply(const meta::Actor& actor, const std::string& id, meta::Commit commit) {
  std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) {
    return fail(ErrorCode::kConflict, "erasure_running", "an erasure is being applied",
                "`mlopsctl erase list` shows it");
  }
  MLOPS_ASSIGN(const auto view, get(id));
  if (view.row.state == "done") return view;
  if (view.row.state != "open" && view.row.state != "applying") return closed(view.row);
  set_running(view.row.id);
  auto applied = apply_locked(actor, view, commit);
  set_running({});
  if (!applied) return fail(applied.error());
  return get(view.row.id);
}

Result<ErasureView> Erasure::apply_locked(const meta::Actor& actor, const ErasureView& view, meta::Commit commit) {
  MLOPS_ASSIGN(const auto body, parse_json(view.row.body, kBodyLimits));
  const auto mode = body.value("mode", "rewrite") == "shred" ? ErasureWish::Mode::kShred : ErasureWish::Mode::kRewrite;
  Subject subject(index_.key());
  MLOPS_TRY(subject.add(view.plan.subject));
  MLOPS_ASSIGN(auto found, search(std::move(subject)));
  Application work{actor, view, mode, std::move(found), {}};
  if (view.row.state == "open") MLOPS_TRY(check_ready(work, commit));
  if (commit == meta::Commit::kDryRun) return view;
  if (view.row.state == "open") MLOPS_TRY(begin(work));
  MLOPS_ASSIGN(work.view, get(work.id()));
  MLOPS_TRY(erase_tokens(work));
  for (const auto& step : work.view.plan.steps) {
    for (const auto& item : work.view.items) {
      if (item.row.version_id != step.version_id || item.row.state != "pending") continue;
      MLOPS_TRY(settle(work, step, item.row));
    }
  }
  MLOPS_ASSIGN(const auto collected, collect(work));
  MLOPS_TRY(finish(work, collected));
  return view;
}

Status Erasure::check_ready(Application& work, meta::Commit commit) {
  const auto& row = work.view.row;
  if (row.expires_at_us <= store_.now_us()) return expired(row.id);
  const auto counted =
      model::counted_approvals(work.view.approvals, row.digest, row.requested_by_id, work.actor.principal.id);
  if (counted < row.approvals_needed) {
    return fail(ErrorCode::kRefused, "approvals_pending",
                fmt::format("{} of {} approvals: who asked for it and who applies it do not count", counted,
                            row.approvals_needed),
                fmt::format("others run: mlopsctl erase approve {}", row.id),
                canonical_dump({{"approvals", counted}, {"needed", row.approvals_needed}}));
  }
  MLOPS_ASSIGN(const auto now, draft(work.found, work.mode));
  if (model::erasure_digest(now) == row.digest) return {};
  if (commit == meta::Commit::kDryRun) return stale(row.id);
  auto marked = store_.write<bool>(work.actor, commit, [&](meta::WriteTx& tx) -> Result<bool> {
    MLOPS_ASSIGN(auto current, meta::find_erasure(tx.sql(), row.id));
    if (current.state != "open") return true;
    current.state = "stale";
    tx.begin_entry("erasure.stale", row.id);
    MLOPS_TRY(meta::update_erasure(tx, current));
    return true;
  });
  if (!marked) return fail(marked.error());
  return stale(row.id);
}

// From here on the gate stops what the plan names.
Status Erasure::begin(Application& work) {
  auto begun = store_.write<bool>(work.actor, meta::Commit::kKeep, [&](meta::WriteTx& tx) -> Result<bool> {
    MLOPS_ASSIGN(auto row, meta::find_erasure(tx.sql(), work.id()));
    if (row.state != "open") return closed(row);
    if (row.expires_at_us <= tx.now_us()) return expired(row.id);  // by the log's time, which never runs back
    tx.begin_entry("erasure.start", row.id, row.digest);
    row.state = "applying";
    row.applied_by = work.actor.principal.name;
    row.started_at_us = tx.now_us();
    MLOPS_TRY(meta::update_erasure(tx, row));
    std::int64_t position = 0;
    for (const auto& step : work.view.plan.steps) {
      meta::ErasureItemRow item;
      item.id = tx.new_id();
      item.erasure_id = row.id;
      item.position = position++;
      item.version_id = step.version_id;
      item.action = step.action;
      item.state = first_state(step.action);
      item.detail = canonical_dump({{"before", step.digest}, {"rows", step.rows}});
      MLOPS_TRY(meta::insert_erasure_item(tx, item));
    }
    return true;
  });
  if (!begun) return fail(begun.error());
  log::info("erasure_started", {{"erasure", std::string_view(work.id())},
                                {"steps", static_cast<std::int64_t>(work.view.plan.steps.size())}});
  return {};
}

Status Erasure::settle(Application& work, const model::ErasureStep& step, const meta::ErasureItemRow& item) {
  if (step.action == model::ErasureAction::kShred) return shred(work, step, item, step.why);
  return replace(work, step, item);
}

Result<std::vector<model::FileEntry>> Erasure::files_of(const crypto::Digest& manifest) {
  MLOPS_ASSIGN(auto blobs, blobs_of(manifest_reader(store_), content_, manifest));
  if (blobs.is_readable) return std::move(blobs.files);
  return fail(ErrorCode::kCorrupt, "tree_damaged", "the list of a version's files is missing or damaged",
              "`mlopsctl fsck` names what else is");
}

// A version's files without the person: those of its replacement, or rewritten now.
Result<std::vector<model::FileEntry>> Erasure::clean_files(Application& work, const std::string& version_id) {
  using Pair = std::pair<model::Version, bool>;
  MLOPS_ASSIGN(const auto source, store_.read<Pair>([&](sql::Connection& connection) -> Result<Pair> {
    MLOPS_ASSIGN(const auto items, meta::erasure_items_of(connection, work.id()));
    for (const auto& item : items) {
      if (item.version_id != version_id || item.replacement_id.empty()) continue;
      MLOPS_ASSIGN(auto replacement, meta::get_version(connection, item.replacement_id));
      return Pair{std::move(replacement), true};
    }
    MLOPS_ASSIGN(auto version, meta::get_version(connection, version_id));
    return Pair{std::move(version), false};
  }));
  MLOPS_ASSIGN(auto files, files_of(source.first.digest));
  if (source.second) return files;
  bool changed = false;
  for (auto& file : files) {
    const auto hit = work.found.files.find(file.digest);
    if (hit == work.found.files.end()) continue;
    const auto path = file.path;
    MLOPS_ASSIGN(file, clean_file(work, hit->second));
    file.path = path;
    changed = true;
  }
  if (changed) return files;
  return fail(
      ErrorCode::kConflict, "erasure_changed",
      fmt::format("{} was to be rewritten, and the person is not found in it any more", source.first.typed_ref()),
      "was a subject key removed meanwhile? Set it again and apply again");
}

Result<model::FileEntry> Erasure::clean_file(Application& work, const FileHit& hit) {
  const auto known = work.clean.find(hit.file.digest);
  if (known != work.clean.end()) return known->second;
  MLOPS_ASSIGN(const auto blob, content_.open_blob(hit.file.digest));
  BlobSource source(*blob, hit.file);
  MLOPS_ASSIGN(auto upload, content_.start_upload());
  UploadSink sink(upload);
  std::vector<std::string> columns;
  for (const auto& column : hit.columns) columns.push_back(column.column);
  const auto judge = [&](std::span<const SubjectCell> ids) {
    for (const auto& cell : ids) {
      if (work.found.subject.is(hit.columns[cell.column].name_space, cell.id)) return Fate::kDrop;
    }
    return Fate::kStay;
  };
  MLOPS_ASSIGN(const auto counts, walk_records(source, hit.file.path, columns, judge, &sink));
  MLOPS_TRY(source.check_digest());
  if (counts.dropped != hit.rows) {
    return fail(ErrorCode::kInternal, "rows_differ", "other rows were left out than were counted");
  }
  MLOPS_ASSIGN(const auto stored, upload.finish());
  const model::FileEntry clean{hit.file.path, stored.digest, stored.size_bytes};
  work.clean[hit.file.digest] = clean;
  return clean;
}

}  // namespace mlops::domain
