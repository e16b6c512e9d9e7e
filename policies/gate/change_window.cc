#include "policies/gate/change_window.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "policies/gate/verdicts.h"

namespace mlops::gate {
namespace {

using model::CalendarFacts;
using model::GateResult;
using model::LocalSpan;
using model::PromotionFacts;

constexpr std::int64_t kMicros = 1'000'000;

// "2026-11-30T07:00:00Z (2026-11-30 08:00 Europe/Berlin)".
std::string moment(TimestampUs at_us, std::int64_t offset_s, const std::string& zone) {
  auto utc = format_rfc3339(at_us);
  if (const auto dot = utc.find('.'); dot != std::string::npos) utc = utc.substr(0, dot) + "Z";
  return fmt::format("{} ({} {})", utc, local_time_text(at_us / kMicros + offset_s), zone);
}

const LocalSpan* holding(const std::vector<LocalSpan>& spans, TimestampUs at_us) {
  const auto found = std::find_if(spans.begin(), spans.end(),
                                  [&](const LocalSpan& span) { return span.from_us <= at_us && at_us < span.to_us; });
  return found == spans.end() ? nullptr : &*found;
}

Json told(const LocalSpan& span) {
  return {{"what", span.text},
          {"from", moment(span.from_us, span.from_offset_s, span.time_zone)},
          {"to", moment(span.to_us, span.to_offset_s, span.time_zone)}};
}

Json looked_at(const PromotionFacts& facts, std::string_view key, const std::vector<LocalSpan>& spans) {
  Json list = Json::array();
  for (const auto& span : spans) list.push_back(told(span));
  return {{"decided_at", format_rfc3339(facts.decided_at_us)}, {std::string(key), std::move(list)}};
}

// Without a moment, or without the rules of a zone, there is no evidence that a change is allowed.
bool lacks_evidence(const GateHead& head, const PromotionFacts& facts, std::vector<GateResult>& results) {
  if (!facts.calendar || facts.decided_at_us == 0) {
    results.push_back(refuse(head, "evidence missing: the moment of the decision is not known",
                             "the decision is made by a server that knows the time", Json::object()));
    return true;
  }
  const auto& missing = facts.calendar->missing_zones;
  if (missing.empty()) return false;
  results.push_back(
      refuse(head, fmt::format("evidence missing: the server does not know the rules of {}", join(missing, ", ")),
             "the package tzdata is installed on the server, and mlopsd is restarted", {{"missing_zones", missing}}));
  return true;
}

std::string next_change(const CalendarFacts& calendar) {
  if (calendar.next_us == 0) return "its windows are changed: none opens in the days ahead";
  return fmt::format("it is promoted at or after {}",
                     moment(calendar.next_us, calendar.next_offset_s, calendar.next_time_zone));
}

}  // namespace

void judge_window(const PromotionFacts& facts, std::vector<GateResult>& results) {
  const auto& environment = facts.environment;
  if (environment.windows.empty()) return;
  const GateHead head{"window", "window", "environment " + environment.name};
  if (facts.is_rollback) {
    results.push_back(pass(head, "a rollback is not held up by change windows", Json::object()));
    return;
  }
  if (lacks_evidence(head, facts, results)) return;
  const auto& calendar = *facts.calendar;
  auto seen = looked_at(facts, "windows", calendar.windows);
  if (const auto* open = holding(calendar.windows, facts.decided_at_us)) {
    results.push_back(pass(head,
                           fmt::format("the window {} is open until {}", open->text,
                                       moment(open->to_us, open->to_offset_s, open->time_zone)),
                           std::move(seen)));
    return;
  }
  std::vector<std::string> texts;
  for (const auto& window : environment.windows) texts.push_back(to_text(window));
  results.push_back(refuse(head,
                           fmt::format("{} is changed only in its windows ({})", environment.name, join(texts, "; ")),
                           next_change(calendar), std::move(seen)));
}

void judge_freeze(const PromotionFacts& facts, std::vector<GateResult>& results) {
  const auto& environment = facts.environment;
  if (environment.freezes.empty()) return;
  const GateHead head{"freeze", "freeze", "environment " + environment.name};
  if (facts.is_rollback) {
    results.push_back(pass(head, "a rollback is not held up by a freeze", Json::object()));
    return;
  }
  if (lacks_evidence(head, facts, results)) return;
  const auto& calendar = *facts.calendar;
  auto seen = looked_at(facts, "freezes", calendar.freezes);
  const auto* freeze = holding(calendar.freezes, facts.decided_at_us);
  if (!freeze) {
    results.push_back(pass(head, "no freeze holds now", std::move(seen)));
    return;
  }
  const auto why = freeze->text.empty() ? std::string() : fmt::format(" ({})", printable(freeze->text));
  results.push_back(refuse(head,
                           fmt::format("{} is frozen{} until {}", environment.name, why,
                                       moment(freeze->to_us, freeze->to_offset_s, freeze->time_zone)),
                           next_change(calendar), std::move(seen)));
}

}  // namespace mlops::gate
