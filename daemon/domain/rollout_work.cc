// The work on a rollout: one step, or the way back of one step, at a time.
#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "core/model/reference.h"
#include "daemon/domain/identity.h"
#include "daemon/domain/rollouts.h"
#include "storage/meta/identity.h"

namespace mlops::domain {
namespace {

constexpr std::int64_t kMicros = 1'000'000;
constexpr std::string_view kReplanned = "planned anew: what it pinned had changed";

// The principal a rollout acts for, with the rights its token has now.
Result<meta::Actor> actor_for(sql::Connection& connection, const meta::RolloutRow& rollout, TimestampUs now_us) {
  MLOPS_ASSIGN(const auto token, meta::find_token(connection, rollout.token_id));
  const bool may =
      std::find(token.scopes.begin(), token.scopes.end(), model::Scope::kReleasePromote) != token.scopes.end();
  if (token.revoked_at_us || token.expires_at_us <= now_us || !may) {
    return fail(ErrorCode::kDenied, "token_gone",
                fmt::format("the token of {} was revoked or has expired", token.principal.name));
  }
  model::Principal principal;
  principal.id = token.principal.id;
  principal.name = token.principal.name;
  principal.is_human = token.principal.is_human;
  principal.roles = {token.role};
  principal.scopes = token.scopes;
  principal.token_id = token.id;
  principal.clearance = token.clearance;
  return meta::Actor{std::move(principal), {"", rollout.id}};
}

// Not about this step: the same may succeed a moment later.
bool is_passing(const Error& error) {
  return error.code == ErrorCode::kUnavailable || error.slug == "disk_full";
}

std::string why(const Error& error) {
  return error.hint.empty() || error.slug == "gates_denied" ? error.message : error.message + "; " + error.hint;
}

std::string failed_in(const std::vector<meta::RolloutStepRow>& steps) {
  const auto failed = std::find_if(steps.begin(), steps.end(), [](const auto& step) { return step.state == "failed"; });
  return failed == steps.end() ? std::string("another environment") : failed->environment;
}

bool is_open(const meta::RolloutStepRow& step) {
  return step.state == "waiting" || step.state == "planned";
}

}  // namespace

Result<bool> Rollouts::work_once() {
  MLOPS_ASSIGN(const auto open, store_.read<std::vector<meta::RolloutRow>>(
                                    [](sql::Connection& connection) { return meta::open_rollouts(connection); }));
  Result<bool> outcome = false;
  for (const auto& rollout : open) {
    if (rollout.state == "paused" && *rollout.resume_at_us > store_.now_us()) continue;
    outcome = advance(rollout);
    if (outcome) return outcome;  // what cannot go on now does not hold up the others
  }
  return outcome;
}

Result<bool> Rollouts::advance(meta::RolloutRow rollout) {
  auto made = store_.read<Work>([&](sql::Connection& connection) -> Result<Work> {
    Work work;
    MLOPS_ASSIGN(work.actor, actor_for(connection, rollout, store_.now_us()));
    MLOPS_ASSIGN(work.steps, meta::steps_of(connection, rollout.id));
    work.rollout = rollout;
    return work;
  });
  if (!made && is_passing(made.error())) return fail(std::move(made.error()));
  Status worked;
  if (!made) {
    worked = set_state(daemon_actor(), rollout.id, "stopped", made.error().message);
  } else if (rollout.state == "paused") {
    worked = resume(rollout);
  } else if (rollout.state == "rolling_back") {
    worked = roll_back_next(*made);
  } else {
    worked = promote_next(*made);
  }
  if (!worked) return fail(std::move(worked.error()));
  return true;
}

Status Rollouts::resume(const meta::RolloutRow& rollout) {
  return set_state(daemon_actor(), rollout.id, "running", {});
}

// An end skips what has not begun. A state that somebody else has set meanwhile stays.
Status Rollouts::set_state(const meta::Actor& actor, const std::string& id, const std::string& state,
                           const std::string& reason) {
  return store_
      .write<bool>(actor, meta::Commit::kKeep,
                   [&](meta::WriteTx& tx) -> Result<bool> {
                     MLOPS_ASSIGN(auto row, meta::find_rollout(tx.sql(), id));
                     if (row.state == "stopped" || row.state == "done") return true;
                     tx.begin_entry("rollout." + state, row.selector, reason);
                     row.state = state;
                     row.state_reason = reason;
                     row.changed_at_us = tx.now_us();
                     row.resume_at_us.reset();
                     MLOPS_TRY(meta::update_rollout(tx, row));
                     if (state != "stopped") return true;
                     MLOPS_ASSIGN(const auto steps, meta::steps_of(tx.sql(), id));
                     for (auto step : steps) {
                       if (!is_open(step)) continue;
                       step.state = "skipped";
                       step.changed_at_us = tx.now_us();
                       MLOPS_TRY(meta::update_step(tx, step));
                     }
                     return true;
                   })
      .map([](bool) {});
}

Status Rollouts::promote_next(Work& work) {
  const auto next = std::find_if(work.steps.begin(), work.steps.end(), is_open);
  if (next == work.steps.end()) return set_state(work.actor, work.rollout.id, "done", {});
  return next->state == "waiting" ? plan_step(work, *next) : execute_step(work, *next);
}

Status Rollouts::plan_step(Work& work, meta::RolloutStepRow step) {
  const PlanRequest request{.refs = work.rollout.refs,
                            .environment = step.environment,
                            .reason = work.rollout.reason,
                            .accepts_rejected = work.rollout.accepts_rejected};
  const auto tried = promotion_.promote(work.actor, request, meta::Commit::kDryRun);
  if (tried && tried->unchanged) return record(work, step, {"unchanged", {}, {}});
  const auto plan = promotion_.plan(work.actor, request);
  if (!plan && is_passing(plan.error())) return fail(plan.error());
  if (!plan) return record(work, step, {"failed", {}, why(plan.error())});
  step.plan_id = plan->id;
  return record(work, step, {"planned", {}, step.detail});
}

Status Rollouts::execute_step(Work& work, const meta::RolloutStepRow& step) {
  const auto done = promotion_.promote_plan(work.actor, step.plan_id, meta::Commit::kKeep);
  if (done) return record(work, step, {"done", done->deployment ? done->deployment->id : std::string(), {}});
  const auto& error = done.error();
  if (is_passing(error)) return fail(error);
  if (error.slug == "approvals_pending") {
    return set_state(work.actor, work.rollout.id, "paused",
                     fmt::format("{} waits for approval of plan {}", step.environment, step.plan_id));
  }
  if (error.slug == "plan_closed") return closed_plan(work, step);
  const bool is_old = error.slug == "stale_plan" || error.slug == "plan_expired";
  if (is_old && step.detail != kReplanned) return replan(work, step);
  return record(work, step, {"failed", {}, why(error)});
}

// Executed before a crash could be followed by its record, or decided by somebody.
Status Rollouts::closed_plan(Work& work, const meta::RolloutStepRow& step) {
  MLOPS_ASSIGN(const auto plan, promotion_.get_plan(step.plan_id));
  if (plan.state != "executed")
    return record(work, step, {"failed", {}, fmt::format("plan {} is {}", plan.id, plan.state)});
  MLOPS_ASSIGN(const auto rows, promotion_.deployments({.plan_id = step.plan_id, .limit = 1}));
  for (const auto& row : rows) return record(work, step, {"done", row.id, {}});
  return record(work, step, {"done", {}, {}});
}

Status Rollouts::replan(Work& work, meta::RolloutStepRow step) {
  step.plan_id.clear();
  return record(work, step, {"waiting", {}, std::string(kReplanned)});
}

// The step, and what follows from it for the rollout, in one transaction.
Status Rollouts::record(const Work& work, const meta::RolloutStepRow& step, const Outcome& outcome) {
  const auto change = [&](meta::WriteTx& tx) -> Result<bool> {
    MLOPS_ASSIGN(auto row, meta::find_rollout(tx.sql(), work.rollout.id));
    const bool begins = outcome.state == "planned" || outcome.state == "waiting";
    if (begins && row.state != "running") return true;  // somebody stopped it meanwhile
    tx.begin_entry("rollout.step", step.environment,
                   outcome.detail.empty() ? outcome.state : outcome.state + ": " + outcome.detail);
    auto changed = step;
    changed.state = outcome.state;
    changed.deployment_id = outcome.deployment_id.empty() ? step.deployment_id : outcome.deployment_id;
    changed.detail = outcome.detail;
    changed.changed_at_us = tx.now_us();
    MLOPS_TRY(meta::update_step(tx, changed));
    if (begins || row.state != "running") return true;
    MLOPS_ASSIGN(auto steps, meta::steps_of(tx.sql(), row.id));
    const auto next = std::find_if(steps.begin(), steps.end(), is_open);
    if (outcome.state == "failed") {
      const bool any_done = std::any_of(steps.begin(), steps.end(), [](const auto& s) { return s.state == "done"; });
      row.state = row.on_failure == "rollback" && any_done ? "rolling_back" : "stopped";
      row.state_reason = fmt::format("{}: {}", step.environment, outcome.detail);
      for (auto& open : steps) {
        if (!is_open(open)) continue;
        open.state = "skipped";
        open.changed_at_us = tx.now_us();
        MLOPS_TRY(meta::update_step(tx, open));
      }
    } else if (next == steps.end()) {
      row.state = "done";
    } else if (next->wave > step.wave && row.pause_s != 0) {
      row.state = "paused";
      row.state_reason = fmt::format("wave {} of {} is done", step.wave, row.waves);
      if (row.pause_s > 0) row.resume_at_us = tx.now_us() + row.pause_s * kMicros;
    } else {
      return true;
    }
    row.changed_at_us = tx.now_us();
    return meta::update_rollout(tx, row).map([] { return true; });
  };
  return store_.write<bool>(work.actor, meta::Commit::kKeep, change).map([](bool) {});
}

// The last one first, so that a tenant is not left ahead of the environment before it.
Status Rollouts::roll_back_next(Work& work) {
  const auto last =
      std::find_if(work.steps.rbegin(), work.steps.rend(), [](const auto& s) { return s.state == "done"; });
  if (last == work.steps.rend()) return set_state(work.actor, work.rollout.id, "stopped", work.rollout.state_reason);
  MLOPS_ASSIGN(const auto outcome, roll_back(work, *last));
  return record(work, *last, outcome);
}

Result<Rollouts::Outcome> Rollouts::roll_back(Work& work, const meta::RolloutStepRow& step) {
  MLOPS_ASSIGN(const auto running,
               promotion_.deployments({.environment = step.environment, .running_only = true, .limit = 1000}));
  MLOPS_ASSIGN(const auto found, promotion_.deployments({.id = step.deployment_id, .limit = 1}));
  if (found.empty()) return Outcome{"not_rolled_back", {}, "what it started is not known"};
  const auto& started = found.front();
  for (const auto& now : running) {
    if (now.name != started.name || now.kind != started.kind) continue;
    if (now.id != step.deployment_id) {
      // Gone back before a crash could be followed by its record, or moved on by somebody.
      if (now.action == "rollback") return Outcome{"rolled_back", {}, {}};
      return Outcome{"not_rolled_back", {}, "something else was promoted there since"};
    }
    const auto name = fmt::format("{}:{}", now.kind, now.name);
    const auto reason = fmt::format("rollout {} failed in {}", work.rollout.id, failed_in(work.steps));
    const auto back = promotion_.rollback(work.actor, {name, step.environment, 0, reason}, meta::Commit::kKeep);
    if (back) return Outcome{"rolled_back", {}, {}};
    if (is_passing(back.error())) return fail(back.error());
    return Outcome{"not_rolled_back", {}, why(back.error())};
  }
  // It took the places of others, which came back before a crash could be followed by its record.
  const bool is_undone = std::any_of(running.begin(), running.end(), [&](const auto& now) {
    return now.action == "rollback" && now.started_at_us == started.ended_at_us;
  });
  if (is_undone) return Outcome{"rolled_back", {}, {}};
  return Outcome{"not_rolled_back", {}, "nothing runs there any more"};
}

}  // namespace mlops::domain
