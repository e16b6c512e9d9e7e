// From what a search found to what each version needs.
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "daemon/domain/erasure.h"
#include "storage/audit/audit_log.h"
#include "storage/meta/lineage.h"
#include "storage/meta/releases.h"
#include "storage/meta/retention.h"
#include "storage/meta/versions.h"

namespace mlops::domain {
namespace {

using model::ErasureAction;
using model::ErasureStep;

constexpr std::size_t kVersionsMax = 100'000;
constexpr std::size_t kBackupsMax = 1000;

Result<std::vector<model::KnownBackup>> list_backups(sql::Connection& connection, TimestampUs since_us) {
  audit::Filter filter;
  filter.action = "backup.create";
  filter.since_us = since_us;
  filter.limit = kBackupsMax;
  MLOPS_ASSIGN(const auto entries, audit::list_entries(connection, filter));
  std::vector<model::KnownBackup> backups;
  for (const auto& entry : entries) {
    backups.push_back({entry.value("target", ""), entry.value("at", ""), entry.value("actor", "")});
  }
  return backups;
}

// Builds the steps inside one read transaction.
class Draft {
 public:
  Draft(sql::Connection& connection, cas::ContentStore& content, const SearchResult& found, ErasureWish::Mode mode)
      : connection_(connection), content_(content), found_(found), mode_(mode) {}

  Result<model::ErasurePlan> run() {
    plan_.subject = found_.subject.stored();
    plan_.versions_searched = found_.versions_searched;
    plan_.files_searched = found_.searched_files.size();
    plan_.notes = found_.notes;
    for (const auto& hit : found_.versions) MLOPS_TRY(add_holder(hit));
    for (const auto& hit : found_.masked) MLOPS_TRY(add_masked(hit));
    MLOPS_TRY(add_derived());
    MLOPS_ASSIGN(plan_.backups, list_backups(connection_, earliest_us_));
    return std::move(plan_);
  }

 private:
  Result<ErasureStep*> add_step(const model::Version& version, ErasureAction action, std::string why) {
    if (plan_.steps.size() >= kVersionsMax) {
      return fail(ErrorCode::kExhausted, "erasure_too_large", fmt::format("more than {} versions", kVersionsMax));
    }
    ErasureStep step;
    step.version_id = version.id;
    step.ref = version.typed_ref();
    step.digest = version.digest.to_string();
    step.action = action;
    step.why = std::move(why);
    MLOPS_ASSIGN(const auto holds, meta::open_holds_of(connection_, version.id));
    for (const auto& hold : holds) step.holds.push_back(hold.case_id);
    MLOPS_ASSIGN(step.environments, meta::environments_of(connection_, version.id));
    MLOPS_ASSIGN(step.aliases, meta::aliases_of(connection_, version.id));
    if (!step.holds.empty() && action != ErasureAction::kDecide) {
      step.action = ErasureAction::kKeep;
      step.why = "a hold keeps it";
    }
    earliest_us_ = earliest_us_ == 0 ? version.created_at_us : std::min(earliest_us_, version.created_at_us);
    by_version_[version.id] = plan_.steps.size();
    plan_.steps.push_back(std::move(step));
    return &plan_.steps.back();
  }

  bool can_rewrite(const VersionHit& hit) const {
    return std::none_of(hit.files.begin(), hit.files.end(), [&](const auto& file) {
      const auto found = found_.files.find(file.digest);
      return found != found_.files.end() && !found->second.is_separable;
    });
  }

  bool has_bytes(const VersionHit& hit) const {
    return std::any_of(hit.files.begin(), hit.files.end(),
                       [&](const auto& file) { return content_.has(file.digest, file.size_bytes); });
  }

  Status add_holder(const VersionHit& hit) {
    MLOPS_ASSIGN(const auto version, meta::get_version(connection_, hit.version.id));
    causes_.push_back(version.id);
    if (version.deleted_at_us != 0 && !has_bytes(hit)) return {};
    auto action = ErasureAction::kRewrite;
    std::string why = "its rows of the person are left out";
    if (version.deleted_at_us != 0) {
      action = ErasureAction::kShred;
      why = "it is deleted, and its bytes are still here";
    } else if (version.kind == model::ArtifactKind::kModel) {
      action = ErasureAction::kDecide;
      why = "a file of it holds the person's rows: delete it, or replace it";
    } else if (mode_ == ErasureWish::Mode::kShred) {
      action = ErasureAction::kShred;
      why = "it is to be shredded";
    } else if (!can_rewrite(hit)) {
      action = ErasureAction::kShred;
      why = "single records cannot be taken out of a file of this format";
    } else if (hit.rows == hit.of_rows && !hit.has_other_files) {
      action = ErasureAction::kShred;
      why = "nothing else is in it";
    }
    MLOPS_ASSIGN(auto* step, add_step(version, action, std::move(why)));
    step->rows = hit.rows;
    step->of_rows = hit.of_rows;
    step->unsearched = hit.unsearched;
    rows_[version.id] = {hit.rows, hit.of_rows};
    can_remask_[version.id] = can_rewrite(hit) && (hit.rows < hit.of_rows);
    return {};
  }

  // The rows of a masked table are its source's.
  Status add_masked(const MaskedHit& hit) {
    causes_.push_back(hit.output.id);
    rows_[hit.output.id] = rows_[hit.source_version_id];
    const bool can_remask = can_remask_[hit.source_version_id];
    can_remask_[hit.output.id] = can_remask;
    MLOPS_ASSIGN(const auto version, meta::get_version(connection_, hit.output.id));
    if (version.deleted_at_us != 0 && !hit.has_bytes) return {};
    auto action = ErasureAction::kRemask;
    std::string why = "it is masked again from the rewritten source";
    if (version.deleted_at_us != 0) {
      action = ErasureAction::kShred;
      why = "it is deleted, and its bytes are still here";
    } else if (mode_ == ErasureWish::Mode::kShred || !can_remask) {
      action = ErasureAction::kShred;
      why = mode_ == ErasureWish::Mode::kShred ? "it is to be shredded" : "nothing remains to be masked again";
    }
    const auto known = by_version_.find(version.id);
    if (known != by_version_.end()) {  // found by its bytes, too
      if (plan_.steps[known->second].action != ErasureAction::kRewrite) return {};
      plan_.steps[known->second].action = action;
      plan_.steps[known->second].why = std::move(why);
      return set_masking(plan_.steps[known->second], hit);
    }
    MLOPS_ASSIGN(auto* step, add_step(version, action, std::move(why)));
    step->rows = rows_[version.id].first;
    step->of_rows = rows_[version.id].second;
    return set_masking(*step, hit);
  }

  Status set_masking(ErasureStep& step, const MaskedHit& hit) {
    step.source_version_id = hit.source_version_id;
    step.policy_revision_id = hit.policy_revision_id;
    return {};
  }

  // Earlier erasures took other people out of these: what was made from a forerunner was made with this person, too.
  Status add_forerunners(std::set<std::string>& seen) {
    std::deque<std::string> queue(causes_.begin(), causes_.end());
    while (!queue.empty()) {
      const auto id = queue.front();
      queue.pop_front();
      MLOPS_ASSIGN(const auto edges, meta::edges_of(connection_, id, meta::Direction::kUp));
      for (const auto& edge : edges) {
        if (edge.role != "erased" || !seen.insert(edge.from_version_id).second) continue;
        causes_.push_back(edge.from_version_id);
        queue.push_back(edge.from_version_id);
      }
    }
    return {};
  }

  // Everything made from a holder, but for what is in the plan already and what was searched and holds nobody.
  Status add_derived() {
    std::set<std::string> seen(causes_.begin(), causes_.end());
    MLOPS_TRY(add_forerunners(seen));
    std::deque<std::string> queue(causes_.begin(), causes_.end());
    while (!queue.empty()) {
      const auto id = queue.front();
      queue.pop_front();
      MLOPS_ASSIGN(const auto edges, meta::edges_of(connection_, id, meta::Direction::kDown));
      for (const auto& edge : edges) {
        if (edge.role == "erased" || !seen.insert(edge.to_version_id).second) continue;
        if (found_.clean.contains(edge.to_version_id)) continue;
        queue.push_back(edge.to_version_id);
        MLOPS_ASSIGN(const auto version, meta::get_version(connection_, edge.to_version_id));
        if (version.deleted_at_us != 0) continue;
        MLOPS_ASSIGN(const auto cause, meta::get_version(connection_, id));
        MLOPS_TRY(add_step(version, ErasureAction::kDecide, fmt::format("made from {} ({})", cause.ref(), edge.role)));
      }
    }
    return {};
  }

  sql::Connection& connection_;
  cas::ContentStore& content_;
  const SearchResult& found_;
  const ErasureWish::Mode mode_;
  model::ErasurePlan plan_;
  std::vector<std::string> causes_;  // version ids that hold, or held, the person
  std::map<std::string, std::size_t> by_version_;
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> rows_;
  std::map<std::string, bool> can_remask_;
  TimestampUs earliest_us_ = 0;
};

}  // namespace

Result<std::vector<model::KnownBackup>> Erasure::backups_since(TimestampUs since_us) {
  return store_.read<std::vector<model::KnownBackup>>(
      [&](sql::Connection& connection) { return list_backups(connection, since_us); }, meta::Patience::kLong);
}

Result<model::ErasurePlan> Erasure::draft(const SearchResult& found, ErasureWish::Mode mode) {
  MLOPS_ASSIGN(const auto trash, cas::list_trash(content_));
  MLOPS_ASSIGN(auto plan,
               store_.read<model::ErasurePlan>(
                   [&](sql::Connection& connection) { return Draft(connection, content_, found, mode).run(); },
                   meta::Patience::kLong));
  plan.trash_runs = trash.size();
  return plan;
}

}  // namespace mlops::domain
