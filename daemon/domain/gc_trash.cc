// What collections set aside: seen, restored, and unlinked when its time is over.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/base/log.h"
#include "core/base/text.h"
#include "daemon/domain/gc.h"

namespace mlops::domain {
namespace {

constexpr std::int64_t kSecondUs = 1'000'000;

// A run's directory ends in its id, also when the run broke off before it could be written down.
const cas::TrashRun* trash_of(const std::string& run_id, const std::vector<cas::TrashRun>& trash) {
  for (const auto& run : trash) {
    if (run.name.ends_with("-" + run_id)) return &run;
  }
  return nullptr;
}

Result<std::vector<meta::GcRunRow>> all_runs(meta::Store& store) {
  return store.read<std::vector<meta::GcRunRow>>(
      [](sql::Connection& connection) -> Result<std::vector<meta::GcRunRow>> {
        std::vector<meta::GcRunRow> all;
        meta::GcRunFilter filter;
        while (true) {
          MLOPS_ASSIGN(auto rows, meta::list_gc_runs(connection, filter));
          const auto count = rows.size();
          for (auto& row : rows) all.push_back(std::move(row));
          if (count < filter.limit) return all;
          filter.after_id = all.back().id;
        }
      },
      meta::Patience::kLong);
}

const meta::GcRunRow* row_of(const std::string& trash_name, const std::vector<meta::GcRunRow>& rows) {
  for (const auto& row : rows) {
    if (trash_name.ends_with("-" + row.id)) return &row;
  }
  return nullptr;
}

Failure nothing_in_trash(const meta::GcRunRow& row) {
  std::string why = "it set nothing aside";
  if (row.restored_at_us) why = fmt::format("it was restored at {}", format_rfc3339(*row.restored_at_us));
  if (row.swept_at_us) why = fmt::format("its bytes were removed for good at {}", format_rfc3339(*row.swept_at_us));
  return fail(ErrorCode::kNotFound, "trash_not_found",
              fmt::format("nothing of the run {} is in the trash: {}", row.id, why),
              "`mlopsctl gc runs` shows which runs can be undone");
}

using KeptRefs = std::map<std::string, std::string>;  // of protected versions, by id

Result<KeptRefs> kept_refs(sql::Connection& connection, TimestampUs now_us) {
  MLOPS_ASSIGN(const auto roots, roots_at(connection, now_us));
  KeptRefs refs;
  for (const auto& deleted : roots.kept) refs[deleted.version.id] = deleted.version.typed_ref();
  return refs;
}

// A protected version that lost bytes in the run; "" for none.
Result<std::string> kept_by(const meta::GcRunRow* row, const KeptRefs& kept) {
  if (row == nullptr) return std::string();
  MLOPS_ASSIGN(const auto ids, versions_in(*row));
  for (const auto& id : ids) {
    if (const auto found = kept.find(id); found != kept.end()) return found->second;
  }
  return std::string();
}

}  // namespace

void Gc::set_running(const std::string& id) {
  std::lock_guard lock(running_mutex_);
  running_ = id;
}

GcRunView Gc::view_of(meta::GcRunRow row, const std::vector<cas::TrashRun>& trash) {
  GcRunView view;
  view.state = row.state;
  if (row.state == "started") {
    std::lock_guard lock(running_mutex_);
    view.state = running_ == row.id ? "running" : "interrupted";
  }
  if (const auto* found = trash_of(row.id, trash)) {
    view.trash = *found;
    view.swept_after_us = found->moved_at_us + options_.trash_s * kSecondUs;
  }
  view.row = std::move(row);
  return view;
}

Result<std::vector<GcRunView>> Gc::runs(const meta::GcRunFilter& filter) {
  MLOPS_ASSIGN(auto rows, store_.read<std::vector<meta::GcRunRow>>(
                              [&](sql::Connection& connection) { return meta::list_gc_runs(connection, filter); }));
  MLOPS_ASSIGN(const auto trash, cas::list_trash(content_));
  std::vector<GcRunView> views;
  for (auto& row : rows) views.push_back(view_of(std::move(row), trash));
  return views;
}

Status Gc::restore_locked(const meta::Actor& actor, const std::optional<meta::GcRunRow>& run, const std::string& trash,
                          const std::string& reason) {
  MLOPS_TRY(cas::restore_trash(content_, trash));
  auto written = store_.write<bool>(actor, meta::Commit::kKeep, [&](meta::WriteTx& tx) -> Result<bool> {
    tx.begin_entry("gc.restore", run ? run->id : trash, reason);
    if (!run) return true;
    auto row = *run;
    row.restored_at_us = tx.now_us();
    MLOPS_TRY(meta::update_gc_run(tx, row));
    return true;
  });
  if (!written) return fail(written.error());
  log::info("gc_restored", {{"trash", std::string_view(trash)}});
  return {};
}

Result<GcRunView> Gc::restore(const meta::Actor& actor, const std::string& run, meta::Commit commit) {
  std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) {
    return fail(ErrorCode::kConflict, "gc_running", "a garbage collection is going on", "`mlopsctl gc runs` shows it");
  }
  MLOPS_ASSIGN(auto trash, cas::list_trash(content_));
  const auto find = [&] {
    return store_.read<meta::GcRunRow>([&](sql::Connection& connection) { return meta::find_gc_run(connection, run); });
  };
  auto row = find();
  if (!row) {
    // After a database was restored from a backup, the trash may hold runs that it does not know.
    for (const auto& known : trash) {
      if (known.name != run) continue;
      GcRunView view;
      view.state = "unknown";
      view.row.trash = known.name;
      if (commit == meta::Commit::kKeep) MLOPS_TRY(restore_locked(actor, std::nullopt, known.name, "of no known run"));
      return view;
    }
    return fail(row.error());
  }
  const auto* found = trash_of(row->id, trash);
  if (found == nullptr) return nothing_in_trash(*row);
  if (commit == meta::Commit::kKeep) {
    MLOPS_TRY(restore_locked(actor, *row, found->name, ""));
    MLOPS_ASSIGN(trash, cas::list_trash(content_));
    MLOPS_ASSIGN(*row, store_.read<meta::GcRunRow>(
                           [&](sql::Connection& connection) { return meta::find_gc_run(connection, row->id); }));
  }
  return view_of(std::move(*row), trash);
}

Result<std::vector<std::string>> Gc::bring_back(const meta::Actor& actor, const meta::StoredVersion& version) {
  std::lock_guard lock(mutex_);
  MLOPS_ASSIGN(const auto trash, cas::list_trash(content_));
  std::vector<std::string> restored;
  if (trash.empty()) return restored;
  MLOPS_ASSIGN(const auto rows, all_runs(store_));
  for (const auto& row : rows) {
    const auto* found = trash_of(row.id, trash);
    if (found == nullptr) continue;
    MLOPS_ASSIGN(const auto ids, versions_in(row));
    if (std::find(ids.begin(), ids.end(), version.id) == ids.end()) continue;
    MLOPS_TRY(restore_locked(actor, row, found->name, fmt::format("a hold was put on {}", version.typed_ref())));
    restored.push_back(row.id);
  }
  return restored;
}

Result<std::vector<cas::TrashRun>> Gc::sweep(const meta::Actor& actor, std::optional<std::int64_t> grace_s) {
  std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return std::vector<cas::TrashRun>();  // the run sweeps by itself
  return sweep_locked(actor, grace_s.value_or(options_.trash_s));
}

// Decided twice, the second time in the writer, where no hold can come in between: a hold that is put later finds the
// entry that its bytes are gone.
Result<std::vector<cas::TrashRun>> Gc::sweep_locked(const meta::Actor& actor, std::int64_t grace_s) {
  const auto before_us = store_.clock().now_us() - grace_s * kSecondUs + 1;
  MLOPS_ASSIGN(auto trash, cas::list_trash(content_));
  std::erase_if(trash, [&](const auto& run) { return run.moved_at_us >= before_us; });
  if (trash.empty()) return trash;
  MLOPS_ASSIGN(const auto rows, all_runs(store_));
  MLOPS_ASSIGN(
      const auto now_kept,
      store_.read<KeptRefs>([&](sql::Connection& connection) { return kept_refs(connection, store_.clock().now_us()); },
                            meta::Patience::kLong));
  std::vector<std::pair<std::string, std::optional<meta::GcRunRow>>> ending;
  for (const auto& run : trash) {
    const auto* row = row_of(run.name, rows);
    MLOPS_ASSIGN(const auto ref, kept_by(row, now_kept));
    if (!ref.empty()) {
      MLOPS_TRY(restore_locked(actor, *row, run.name, fmt::format("{} is protected now", ref)));
    } else {
      ending.emplace_back(run.name, row ? std::optional(*row) : std::nullopt);
    }
  }
  if (ending.empty()) return std::vector<cas::TrashRun>();
  auto written = store_.write<bool>(actor, meta::Commit::kKeep, [&](meta::WriteTx& tx) -> Result<bool> {
    MLOPS_ASSIGN(const auto kept, kept_refs(tx.sql(), tx.now_us()));
    for (auto& [name, row] : ending) {
      MLOPS_ASSIGN(const auto ref, kept_by(row ? &*row : nullptr, kept));
      if (!ref.empty()) {
        return fail(ErrorCode::kConflict, "protected_meanwhile", fmt::format("{} was protected meanwhile", ref),
                    "try again");
      }
      tx.begin_entry("gc.sweep", row ? row->id : name);
      if (!row) continue;
      row->swept_at_us = tx.now_us();
      MLOPS_TRY(meta::update_gc_run(tx, *row));
    }
    return true;
  });
  if (!written) return fail(written.error());
  return cas::sweep_trash(content_, before_us);
}

}  // namespace mlops::domain
