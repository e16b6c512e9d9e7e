// Starting, showing, continuing and stopping rollouts; the thread that works on them.
#include "daemon/domain/rollouts.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/model/names.h"
#include "core/model/reference.h"
#include "core/model/selector.h"
#include "storage/meta/revisions.h"
#include "storage/meta/versions.h"

namespace mlops::domain {
namespace {

constexpr std::int64_t kLongestWaitMs = 60'000;
constexpr std::int64_t kRetryMs = 1'000;
constexpr std::int64_t kLongestPauseS = 366 * 86400;

// Exact versions, so that an alias that moves meanwhile moves nothing here.
Result<std::vector<std::string>> exact_refs(sql::Connection& connection, const std::vector<std::string>& refs) {
  std::vector<std::string> exact;
  for (const auto& ref : refs) {
    if (model::is_release_reference(ref)) {
      if (refs.size() > 1) {
        return fail(ErrorCode::kInvalid, "bad_reference", "a named release moves alone: it says what belongs to it",
                    "name it as the only REF");
      }
      MLOPS_ASSIGN(const auto reference, model::parse_release_reference(ref));
      MLOPS_ASSIGN(const auto release, meta::find_named_release(connection, reference.name, reference.number));
      return std::vector<std::string>{fmt::format("{}{}@r{}", model::kReleasePrefix, release.name, release.number)};
    }
    MLOPS_ASSIGN(const auto reference, model::parse_version_reference(ref));
    MLOPS_ASSIGN(const auto version, meta::resolve(connection, reference));
    exact.push_back(version.typed_ref());
  }
  if (exact.empty()) return fail(ErrorCode::kInvalid, "missing_field", "no version was named", "give a REF");
  return exact;
}

Result<std::vector<model::Environment>> chosen(sql::Connection& connection, const std::string& selector) {
  MLOPS_ASSIGN(const auto rows, meta::list_revisions(connection, meta::RevisionKind::kEnvironment));
  std::vector<model::Environment> all;
  for (const auto& row : rows) {
    MLOPS_ASSIGN(const auto json, parse_json(row.body));
    MLOPS_ASSIGN(auto environment, model::environment_from_json(json));
    all.push_back(std::move(environment));
  }
  MLOPS_ASSIGN(auto found, model::select_environments(all, selector));
  if (!found.empty()) return found;
  return fail(ErrorCode::kNotFound, "no_environment_matches",
              fmt::format("no environment matches \"{}\"", printable(selector)), "`mlopsctl env list` shows them");
}

Result<std::vector<std::size_t>> ends_of(const RolloutRequest& request, std::size_t count) {
  if (request.wave_count == 0) return model::wave_ends(request.waves, count);
  if (!request.waves.empty() || request.wave_count < 1) {
    return fail(ErrorCode::kInvalid, "bad_waves", "the waves are given either by their sizes or by their number");
  }
  const auto waves = static_cast<std::size_t>(std::min<std::int64_t>(request.wave_count, 100'000));
  std::vector<std::string> sizes;
  for (std::size_t wave = 1; wave <= waves; ++wave) {
    const auto end = (count * wave + waves - 1) / waves;
    if (end > 0) sizes.push_back(std::to_string(end));
  }
  return model::wave_ends(sizes, count);
}

Result<RolloutView> view_of(sql::Connection& connection, const std::string& id) {
  RolloutView view;
  MLOPS_ASSIGN(view.row, meta::find_rollout(connection, id));
  MLOPS_ASSIGN(view.steps, meta::steps_of(connection, view.row.id));
  return view;
}

bool is_over(const meta::RolloutRow& row) {
  return row.state == "stopped" || row.state == "done";
}

}  // namespace

Rollouts::~Rollouts() {
  {
    std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Rollouts::start_worker() {
  thread_ = std::thread([this] { loop(); });
}

void Rollouts::loop() {
  while (true) {
    const auto worked = work_once();
    if (!worked) log::warn("rollout_waits", {{"slug", std::string_view(worked.error().slug)}});
    const auto pause_ms = !worked ? kRetryMs : *worked ? 0 : wait_ms();
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, std::chrono::milliseconds(pause_ms), [this] { return is_stopping_ || has_news_; });
    has_news_ = false;
    if (is_stopping_) return;
  }
}

// Until the next pause ends.
std::int64_t Rollouts::wait_ms() {
  const auto open = store_.read<std::vector<meta::RolloutRow>>(
      [](sql::Connection& connection) { return meta::open_rollouts(connection); });
  if (!open) return kRetryMs;
  auto wait_ms = kLongestWaitMs;
  for (const auto& row : *open) {
    if (!row.resume_at_us) continue;
    wait_ms = std::clamp<std::int64_t>((*row.resume_at_us - store_.now_us()) / 1000 + 1, 0, wait_ms);
  }
  return wait_ms;
}

Result<RolloutView> Rollouts::start(const meta::Actor& actor, const RolloutRequest& request, meta::Commit commit) {
  MLOPS_TRY(model::check_free_text(request.reason, "reason"));
  if (request.pause_s < -1 || request.pause_s > kLongestPauseS) {
    return fail(ErrorCode::kInvalid, "bad_field", "a pause is at most 366 days");
  }
  auto started = store_.write<RolloutView>(actor, commit, [&](meta::WriteTx& tx) -> Result<RolloutView> {
    MLOPS_ASSIGN(auto refs, exact_refs(tx.sql(), request.refs));
    MLOPS_ASSIGN(const auto environments, chosen(tx.sql(), request.selector));
    MLOPS_ASSIGN(const auto ends, ends_of(request, environments.size()));
    RolloutView view;
    view.row.id = tx.new_id();
    view.row.selector = request.selector;
    view.row.refs = std::move(refs);
    view.row.accepts_rejected = request.accepts_rejected;
    view.row.reason = request.reason;
    view.row.waves = static_cast<std::int64_t>(ends.size());
    view.row.pause_s = request.pause_s;
    view.row.on_failure = request.rollback_on_failure ? "rollback" : "stop";
    view.row.token_id = actor.principal.token_id;
    view.row.created_by = actor.principal.name;
    view.row.created_at_us = tx.now_us();
    view.row.changed_at_us = tx.now_us();
    tx.begin_entry("rollout.start", fmt::format("{} → {}", request.refs.front(), request.selector), request.reason);
    MLOPS_TRY(meta::insert_rollout(tx, view.row));
    std::size_t wave = 0;
    for (std::size_t i = 0; i < environments.size(); ++i) {
      while (i >= ends[wave]) ++wave;
      meta::RolloutStepRow step;
      step.id = tx.new_id();
      step.rollout_id = view.row.id;
      step.position = static_cast<std::int64_t>(i) + 1;
      step.wave = static_cast<std::int64_t>(wave) + 1;
      step.environment = environments[i].name;
      step.changed_at_us = tx.now_us();
      MLOPS_TRY(meta::insert_step(tx, step));
      view.steps.push_back(std::move(step));
    }
    return view;
  });
  if (started && commit == meta::Commit::kKeep) {
    std::lock_guard lock(mutex_);
    has_news_ = true;
    wake_.notify_all();
  }
  return started;
}

Result<RolloutView> Rollouts::get(const std::string& id) {
  return store_.read<RolloutView>([&](sql::Connection& connection) { return view_of(connection, id); });
}

Result<std::vector<meta::RolloutRow>> Rollouts::list(const meta::RolloutFilter& filter) {
  return store_.read<std::vector<meta::RolloutRow>>(
      [&](sql::Connection& connection) { return meta::list_rollouts(connection, filter); });
}

Result<RolloutView> Rollouts::go_on(const meta::Actor& actor, const std::string& id, meta::Commit commit) {
  auto continued = store_.write<RolloutView>(actor, commit, [&](meta::WriteTx& tx) -> Result<RolloutView> {
    MLOPS_ASSIGN(auto row, meta::find_rollout(tx.sql(), id));
    if (row.state != "paused") {
      return fail(ErrorCode::kConflict, is_over(row) ? "rollout_over" : "rollout_not_paused",
                  fmt::format("the rollout {} is {}", row.id, row.state),
                  is_over(row) ? "start another one: what runs already is left alone" : "");
    }
    tx.begin_entry("rollout.continue", row.selector, row.state_reason);
    row.state = "running";
    row.state_reason.clear();
    row.token_id = actor.principal.token_id;
    row.changed_at_us = tx.now_us();
    row.resume_at_us.reset();
    MLOPS_TRY(meta::update_rollout(tx, row));
    return view_of(tx.sql(), row.id);
  });
  if (continued && commit == meta::Commit::kKeep) {
    std::lock_guard lock(mutex_);
    has_news_ = true;
    wake_.notify_all();
  }
  return continued;
}

Result<RolloutView> Rollouts::stop(const meta::Actor& actor, const std::string& id, const std::string& reason,
                                   meta::Commit commit) {
  MLOPS_TRY(model::check_free_text(reason, "reason"));
  return store_.write<RolloutView>(actor, commit, [&](meta::WriteTx& tx) -> Result<RolloutView> {
    MLOPS_ASSIGN(auto row, meta::find_rollout(tx.sql(), id));
    if (is_over(row)) {
      return fail(ErrorCode::kConflict, "rollout_over", fmt::format("the rollout {} is {}", row.id, row.state));
    }
    tx.begin_entry("rollout.stop", row.selector, reason);
    row.state = "stopped";
    row.state_reason = fmt::format("stopped by {}: {}", actor.principal.name, reason);
    row.changed_at_us = tx.now_us();
    row.resume_at_us.reset();
    MLOPS_TRY(meta::update_rollout(tx, row));
    MLOPS_ASSIGN(const auto steps, meta::steps_of(tx.sql(), row.id));
    for (auto step : steps) {
      if (step.state != "waiting" && step.state != "planned") continue;
      step.state = "skipped";
      step.changed_at_us = tx.now_us();
      MLOPS_TRY(meta::update_step(tx, step));
    }
    return view_of(tx.sql(), row.id);
  });
}

}  // namespace mlops::domain
