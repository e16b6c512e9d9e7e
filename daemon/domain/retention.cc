#include "daemon/domain/retention.h"

#include <fmt/format.h>

#include "core/base/text.h"
#include "core/model/kind.h"
#include "core/model/names.h"
#include "storage/meta/revisions.h"
#include "storage/meta/versions.h"

namespace mlops::domain {
namespace {

constexpr std::int64_t kLongestS = 200ll * 366 * 86400;

Status check_reason(const std::string& reason, std::string_view what) {
  MLOPS_TRY(model::check_free_text(reason, "reason"));
  if (!trim(reason).empty()) return {};
  return fail(ErrorCode::kInvalid, "reason_needed", fmt::format("{} needs a reason", what), "give --reason");
}

// An environment that was never declared is a typing error, not a rule for later.
Status check_subject(sql::Connection& connection, const std::string& subject) {
  constexpr std::string_view kKind = "kind:";
  constexpr std::string_view kEnvironment = "env:";
  const std::string_view text = subject;
  if (text.starts_with(kKind) && model::artifact_kind_from_word(text.substr(kKind.size()))) return {};
  if (text.starts_with(kEnvironment)) {
    const auto name = subject.substr(kEnvironment.size());
    MLOPS_TRY(model::check_environment_name(name));
    MLOPS_ASSIGN([[maybe_unused]] const auto known,
                 meta::get_revision(connection, meta::RevisionKind::kEnvironment, name));
    return {};
  }
  return fail(ErrorCode::kInvalid, "bad_subject",
              fmt::format("\"{}\" is no subject of a rule", printable(text.substr(0, 100))),
              "kind:model, kind:dataset or env:NAME");
}

Result<HoldView> view_of_hold(sql::Connection& connection, meta::HoldRow row) {
  MLOPS_ASSIGN(const auto version, meta::get_version(connection, row.version_id));
  HoldView view;
  view.row = std::move(row);
  view.ref = version.typed_ref();
  view.deleted_at_us = version.deleted_at_us;
  return view;
}

meta::StoredVersion stored(const model::Version& version) {
  return {version.id,     version.kind,          version.name,          version.number,
          version.digest, version.deleted_at_us, version.deleted_reason};
}

}  // namespace

Result<HoldView> Retention::hold(const meta::Actor& actor, const HoldWish& wish, meta::Commit commit) {
  MLOPS_TRY(model::check_key(wish.case_id, "case id"));
  MLOPS_TRY(check_reason(wish.reason, "a hold"));
  MLOPS_ASSIGN(const auto reference, model::parse_version_reference(wish.ref));
  meta::StoredVersion held;
  MLOPS_ASSIGN(auto view, store_.write<HoldView>(actor, commit, [&](meta::WriteTx& tx) -> Result<HoldView> {
    MLOPS_ASSIGN(const auto version, meta::resolve(tx.sql(), reference));
    held = stored(version);
    MLOPS_ASSIGN(const auto open, meta::open_holds_of(tx.sql(), version.id));
    for (const auto& other : open) {
      if (other.case_id != wish.case_id) continue;
      return fail(ErrorCode::kAlreadyExists, "hold_exists",
                  fmt::format("{} is already held for case {} ({})", version.ref(), wish.case_id, other.id));
    }
    meta::HoldRow row{tx.new_id(), version.id, wish.case_id, wish.reason, tx.now_us(), tx.actor().principal.name, {},
                      {},          {}};
    tx.begin_entry("hold.add", version.typed_ref(), fmt::format("case {}: {}", wish.case_id, wish.reason));
    MLOPS_TRY(meta::insert_hold(tx, row));
    return view_of_hold(tx.sql(), std::move(row));
  }));
  if (held.deleted_at_us != 0 && commit == meta::Commit::kKeep) {
    MLOPS_ASSIGN(view.restored_runs, gc_.bring_back(actor, held));
  }
  MLOPS_ASSIGN(const auto blobs, blobs_of(manifest_reader(store_), content_, held.manifest));
  view.is_whole = has_all(content_, blobs);
  return view;
}

Result<HoldView> Retention::release(const meta::Actor& actor, const std::string& id, const std::string& reason,
                                    meta::Commit commit) {
  MLOPS_TRY(check_reason(reason, "releasing a hold"));
  return store_.write<HoldView>(actor, commit, [&](meta::WriteTx& tx) -> Result<HoldView> {
    MLOPS_ASSIGN(auto row, meta::find_hold(tx.sql(), id));
    if (row.released_at_us) {
      return fail(ErrorCode::kConflict, "hold_released",
                  fmt::format("the hold was released at {}", format_rfc3339(*row.released_at_us)));
    }
    MLOPS_ASSIGN(const auto version, meta::get_version(tx.sql(), row.version_id));
    tx.begin_entry("hold.release", version.typed_ref(), fmt::format("case {}: {}", row.case_id, reason));
    MLOPS_TRY(meta::release_hold(tx, row.id, reason));
    row.released_at_us = tx.now_us();
    row.released_by = tx.actor().principal.name;
    row.released_reason = reason;
    return view_of_hold(tx.sql(), std::move(row));
  });
}

Result<std::vector<HoldView>> Retention::holds(meta::HoldsShown shown) {
  using Views = std::vector<HoldView>;
  return store_.read<Views>([&](sql::Connection& connection) -> Result<Views> {
    MLOPS_ASSIGN(auto rows, meta::list_holds(connection, shown));
    Views views;
    for (auto& row : rows) {
      MLOPS_ASSIGN(auto view, view_of_hold(connection, std::move(row)));
      views.push_back(std::move(view));
    }
    return views;
  });
}

Result<std::vector<meta::RetentionRule>> Retention::rules() {
  return store_.read<std::vector<meta::RetentionRule>>(meta::list_rules);
}

Result<meta::RetentionRule> Retention::set_rule(const meta::Actor& actor, const std::string& subject,
                                                std::int64_t keep_s, const std::string& reason, meta::Commit commit) {
  MLOPS_TRY(model::check_free_text(reason, "reason"));
  if (keep_s < 1 || keep_s > kLongestS) {
    return fail(ErrorCode::kInvalid, "bad_duration", "a rule keeps from one second to 200 years",
                "`mlopsctl retention remove` ends a rule");
  }
  return store_.write<meta::RetentionRule>(actor, commit, [&](meta::WriteTx& tx) -> Result<meta::RetentionRule> {
    MLOPS_TRY(check_subject(tx.sql(), subject));
    MLOPS_ASSIGN(const auto before, meta::find_rule(tx.sql(), subject));
    if (before && before->keep_s == keep_s) return *before;
    tx.begin_entry("retention.set", subject, reason);
    MLOPS_TRY(meta::set_rule(tx, subject, keep_s));
    MLOPS_ASSIGN(auto rule, meta::find_rule(tx.sql(), subject));
    if (!rule) return fail(ErrorCode::kInternal, "rule_lost", "the rule that was just set is not there");
    return std::move(*rule);
  });
}

Result<meta::RetentionRule> Retention::remove_rule(const meta::Actor& actor, const std::string& subject,
                                                   const std::string& reason, meta::Commit commit) {
  MLOPS_TRY(model::check_free_text(reason, "reason"));
  return store_.write<meta::RetentionRule>(actor, commit, [&](meta::WriteTx& tx) -> Result<meta::RetentionRule> {
    MLOPS_ASSIGN(auto before, meta::find_rule(tx.sql(), subject));
    if (!before) {
      return fail(ErrorCode::kNotFound, "rule_not_found",
                  fmt::format("there is no rule for \"{}\"", printable(subject.substr(0, 100))),
                  "`mlopsctl retention list` shows all");
    }
    tx.begin_entry("retention.remove", subject, reason);
    MLOPS_TRY(meta::set_rule(tx, subject, std::nullopt));
    return std::move(*before);
  });
}

}  // namespace mlops::domain
