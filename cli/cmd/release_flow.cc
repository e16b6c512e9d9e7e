#include "cli/cmd/release_flow.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "cli/cmd/fields.h"
#include "cli/cmd/lines.h"
#include "cli/cmd/query.h"
#include "cli/cmd/release_text.h"
#include "cli/cmd/run.h"
#include "core/base/text.h"
#include "core/model/reference.h"

namespace mlops::cli {
namespace {

constexpr std::int64_t kMicros = 1'000'000;
constexpr std::int64_t kFirstPauseMs = 500;
constexpr std::int64_t kLongestPauseMs = 5'000;

// The plan a refusal carries as its facts; an empty object for another kind of error.
Json plan_of(const Error& error) {
  auto facts = facts_of(error);
  return facts.contains("gates") ? facts : Json::object();
}

// The gates go to standard error, before the error itself; under -o json the error alone carries them as facts.
int refuse(Session& session, const Error& error) {
  const auto plan = plan_of(error);
  if (!plan.empty() && !session.wants_json()) {
    say_lines(session, plan_lines(plan, style_of(session), GateDetail::kOnlyOpen));
  } else if (!session.wants_json() && error.code == ErrorCode::kRefused) {
    // A refused masking run says which columns.
    say_lines(session, fact_lines(facts_of(error), style_of(session), 2));
  }
  return session.fail(error);
}

int report(Session& session, const Json& promotion) {
  session.print_value(
      promotion, [&] { print_lines(session, promotion_lines(promotion, style_of(session))); },
      [&] { return deployment_refs(member(promotion, "deployment")); });
  return kExitDone;
}

// Can this plan be executed now? Approvals are counted too, for a server that fixes the verdict at planning.
bool is_ready(const Json& plan) {
  if (text_of(plan, "verdict") == "pass") return true;
  const auto needed = int_of(plan, "approvals_needed");
  return text_of(plan, "verdict") == "pending" && needed > 0 && approvals_given(plan) >= needed;
}

Failure ended(const Json& plan) {
  const auto id = text_of(plan, "id");
  const auto state = text_of(plan, "state");
  if (state == "rejected") {
    for (const auto& approval : array_of(plan, "approvals")) {
      if (text_of(approval, "decision") != "reject") continue;
      return fail(
          ErrorCode::kRefused, "plan_rejected",
          fmt::format("plan {} was rejected by {}: {}", id, text_of(approval, "by"), text_of(approval, "reason")));
    }
    return fail(ErrorCode::kRefused, "plan_rejected", fmt::format("plan {} was rejected", id));
  }
  return fail(ErrorCode::kConflict, "stale_plan", fmt::format("plan {} is {}, not open any more", id, state),
              "make a new one with mlopsctl plan");
}

Result<Json> wait_for_approval(Session& session, const Json& first, const WaitOptions& wait, const Pace& pace) {
  const auto id = text_of(first, "id");
  const auto deadline_us = pace.clock.now_us() + wait.timeout_s * kMicros;
  std::int64_t pause_ms = kFirstPauseMs;
  auto given = approvals_given(first);
  while (pace.clock.now_us() < deadline_us) {
    pace.pause(pause_ms);
    pause_ms = std::min(pause_ms * 2, kLongestPauseMs);
    MLOPS_ASSIGN(const Json plan, session.api().get(item_path("plans", id)));
    if (text_of(plan, "state") != "open") return ended(plan);
    if (is_ready(plan)) return plan;
    if (text_of(plan, "verdict") == "fail") {
      return fail(ErrorCode::kRefused, "gates_denied", fmt::format("plan {} does not pass any more", id),
                  "mlopsctl plans " + id, canonical_dump(plan));
    }
    if (approvals_given(plan) != given) {
      given = approvals_given(plan);
      session.say(fmt::format("{} of {} approvals", given, int_of(plan, "approvals_needed")));
    }
  }
  return fail(ErrorCode::kTimeout, "wait_timed_out",
              fmt::format("plan {} was not approved within {} s; it stays open", id, wait.timeout_s),
              "once approved: mlopsctl promote --plan " + id);
}

bool is_pending(const Error& error) {
  return error.slug == "approvals_pending";
}

}  // namespace

Result<WaitOptions> wait_options(const Session& session) {
  WaitOptions options;
  const auto timeout = session.option("--timeout");
  if (session.flag("--wait")) options.when_pending = WhenPending::kWait;
  if (timeout) {
    MLOPS_ASSIGN(options.timeout_s, parse_duration_s(*timeout));
  }
  return options;
}

Pace real_pace() {
  static const SystemClock kClock;
  return {kClock, [](std::int64_t ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }};
}

Result<Json> plan_request(Session& session, const std::string& ref, const std::string& environment) {
  if (!model::is_release_reference(ref)) {
    MLOPS_ASSIGN([[maybe_unused]] const auto parsed, model::parse_version_reference(ref));
  }
  Json body = {{"ref", ref},
               {"with", session.option_all("--with")},
               {"environment", environment},
               {"reason", session.option("--reason").value_or("")}};
  if (session.flag("--break-glass")) body["break_glass"] = true;
  if (session.flag("--even-rejected")) body["even_rejected"] = true;
  if (const auto key = session.option("--idempotency-key")) body["idempotency_key"] = *key;
  return body;
}

Result<int> run_release(Session& session, const ReleaseRequest& request, const WaitOptions& wait, const Pace& pace) {
  const auto answer = session.api().post(request.path, request.body);
  if (answer) return report(session, *answer);
  if (!is_pending(answer.error()) || wait.when_pending == WhenPending::kStop || session.dry_run()) {
    return refuse(session, answer.error());
  }
  const auto plan = plan_of(answer.error());
  if (plan.empty()) return refuse(session, answer.error());
  const auto id = text_of(plan, "id");
  say_lines(session, plan_lines(plan, style_of(session), GateDetail::kOnlyOpen));
  session.say(fmt::format("waiting up to {} s for approval; if you stop, plan {} stays open", wait.timeout_s, id));
  const auto ready = wait_for_approval(session, plan, wait, pace);
  if (!ready) return refuse(session, ready.error());
  const auto executed = session.api().post("/api/v1/promotions", {{"plan", id}});
  return executed ? report(session, *executed) : refuse(session, executed.error());
}

}  // namespace mlops::cli
