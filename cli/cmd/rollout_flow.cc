#include "cli/cmd/rollout_flow.h"

#include <fmt/format.h>

#include <array>
#include <map>

#include "cli/cmd/fields.h"
#include "cli/cmd/query.h"
#include "cli/cmd/run.h"
#include "core/base/text.h"
#include "core/model/reference.h"

namespace mlops::cli {
namespace {

constexpr std::int64_t kMicros = 1'000'000;
constexpr std::int64_t kFirstPauseMs = 50;
constexpr std::int64_t kLongestPauseMs = 2'000;

struct StateRow {
  std::string_view state;
  std::string_view mark;
  Tone tone;
};
constexpr std::array<StateRow, 13> kStates{{{"waiting", "·", Tone::kDim},
                                            {"planned", "…", Tone::kWarn},
                                            {"done", "✔", Tone::kGood},
                                            {"unchanged", "✔", Tone::kGood},
                                            {"failed", "✘", Tone::kBad},
                                            {"skipped", "-", Tone::kDim},
                                            {"rolled_back", "↩", Tone::kWarn},
                                            {"not_rolled_back", "✘", Tone::kBad},
                                            {"running", "…", Tone::kWarn},
                                            {"paused", "‖", Tone::kWarn},
                                            {"rolling_back", "↩", Tone::kWarn},
                                            {"stopped", "✘", Tone::kBad},
                                            {"", "?", Tone::kWarn}}};

std::string mark_of(std::string_view state, const Style& style) {
  for (const auto& row : kStates) {
    if (row.state == state || row.state.empty()) return style.paint(row.tone, row.mark);
  }
  return {};
}

std::string words_of(std::string text) {
  for (auto& c : text) {
    if (c == '_') c = ' ';
  }
  return text;
}

std::string step_line(const Json& step, const Style& style) {
  const auto state = text_of(step, "state");
  auto line = fmt::format("{} {}  {}", mark_of(state, style), text_of(step, "environment"), words_of(state));
  if (const auto detail = text_of(step, "detail"); !detail.empty()) line += ": " + detail;
  return line;
}

bool goes_on_by_itself(const Json& rollout) {
  const auto state = text_of(rollout, "state");
  return state == "running" || state == "rolling_back" || (state == "paused" && !text_of(rollout, "resume_at").empty());
}

int exit_of(const Json& rollout) {
  const auto state = text_of(rollout, "state");
  if (state == "stopped") return kExitRefused;
  for (const auto& step : array_of(rollout, "steps")) {
    // Paused inside a wave: a plan waits for approvals.
    if (state == "paused" && text_of(step, "state") == "planned") return kExitRefused;
  }
  return kExitDone;
}

int report(Session& session, const Json& rollout) {
  session.print_value(
      rollout, [&] { print_lines(session, rollout_lines(rollout, style_of(session))); },
      [&] { return text_of(rollout, "id"); });
  return exit_of(rollout);
}

Result<Json> rollout_body(Session& session) {
  const auto ref = session.operand(0);
  if (ref.empty() || session.option("--plan")) {
    return usage_error("a selector takes REF, not --plan", "mlopsctl promote name@v3 --to 'prod/*'");
  }
  if (session.flag("--break-glass") || session.option("--idempotency-key")) {
    return usage_error("--break-glass and --idempotency-key are for one environment, not for a selector",
                       "name the environment: --to prod/acme");
  }
  if (!model::is_release_reference(ref)) {
    MLOPS_ASSIGN([[maybe_unused]] const auto parsed, model::parse_version_reference(ref));
  }
  Json body = {{"ref", ref},
               {"with", session.option_all("--with")},
               {"to", session.option("--to").value_or("")},
               {"reason", session.option("--reason").value_or("")},
               {"on_failure", session.flag("--rollback-on-failure") ? "rollback" : "stop"}};
  if (session.flag("--even-rejected")) body["even_rejected"] = true;
  if (const auto sizes = session.option("--wave")) {
    body["wave"] = Json::array();
    for (const auto size : split(*sizes, ',')) body["wave"].push_back(std::string(trim(size)));
  }
  if (const auto count = session.option("--waves")) body["waves"] = *count;
  if (const auto pause = session.option("--pause")) body["pause"] = *pause;
  return with_dry_run(session, std::move(body));
}

}  // namespace

Lines rollout_lines(const Json& rollout, const Style& style) {
  const auto state = text_of(rollout, "state");
  const bool is_dry = bool_of(rollout, "dry_run");
  Lines lines{mark_of(state, style) + " " +
              style.paint(Tone::kBold, fmt::format("rollout {} to {}: {}", join(strings_of(rollout, "refs"), " + "),
                                                   text_of(rollout, "to"), is_dry ? "would run" : words_of(state)))};
  KeyValues rows;
  if (!is_dry) rows.add("rollout", text_of(rollout, "id"));
  rows.add(state == "paused" ? "paused" : "because", text_of(rollout, "state_reason"));
  rows.add("goes on", style.time(text_of(rollout, "resume_at")));
  rows.add("reason", text_of(rollout, "reason"));
  if (state == "paused") rows.add("next", "mlopsctl rollout continue " + text_of(rollout, "id"), Tone::kBold);
  append(lines, rows.lines(style, 2));
  std::int64_t wave = 0;
  for (const auto& step : array_of(rollout, "steps")) {
    if (int_of(step, "wave") != wave && int_of(rollout, "waves") > 1) {
      wave = int_of(step, "wave");
      lines.push_back(style.paint(Tone::kDim, fmt::format("  wave {}", wave)));
    }
    lines.push_back("    " + step_line(step, style));
  }
  if (is_dry) lines.push_back(style.paint(Tone::kWarn, "dry run: nothing was changed"));
  return lines;
}

Result<int> follow_rollout(Session& session, Json rollout, const WaitOptions& wait, const Pace& pace) {
  const auto id = text_of(rollout, "id");
  const auto style = style_of(session);
  const auto deadline_us = pace.clock.now_us() + wait.timeout_s * kMicros;
  std::map<std::string, std::string> told;
  std::int64_t pause_ms = kFirstPauseMs;
  while (true) {
    for (const auto& step : array_of(rollout, "steps")) {
      const auto state = text_of(step, "state");
      auto& before = told[text_of(step, "environment")];
      if (state == "waiting" || state == "planned" || state == "skipped" || state == before) continue;
      before = state;
      pause_ms = kFirstPauseMs;
      if (!session.wants_json()) session.say(step_line(step, style));
    }
    if (!goes_on_by_itself(rollout)) return report(session, rollout);
    if (pace.clock.now_us() >= deadline_us) {
      return fail(ErrorCode::kTimeout, "wait_timed_out",
                  fmt::format("rollout {} is not done within {} s", id, wait.timeout_s),
                  "it goes on by itself: mlopsctl rollout show " + id);
    }
    pace.pause(pause_ms);
    pause_ms = std::min(pause_ms * 2, kLongestPauseMs);
    MLOPS_ASSIGN(rollout, session.api().get(item_path("rollouts", id)));
  }
}

Result<int> run_rollout(Session& session, const WaitOptions& wait, const Pace& pace) {
  MLOPS_ASSIGN(const auto body, rollout_body(session));
  MLOPS_ASSIGN(auto rollout, session.api().post("/api/v1/rollouts", body));
  if (session.dry_run()) return report(session, rollout);
  if (!session.wants_json()) {
    session.say(fmt::format("rollout {} has begun; if you stop here, it goes on: mlopsctl rollout show {}",
                            text_of(rollout, "id"), text_of(rollout, "id")));
  }
  return follow_rollout(session, std::move(rollout), wait, pace);
}

}  // namespace mlops::cli
