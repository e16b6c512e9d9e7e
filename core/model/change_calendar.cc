#include "core/model/change_calendar.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/model/weekdays.h"

namespace mlops::model {
namespace {

constexpr std::int64_t kMicros = 1'000'000;
constexpr std::int64_t kDay = 86400;
// Every weekday comes round in this time, also where summer time swallows an opening once.
constexpr int kDaysAhead = 15;
// Freezes that follow one another are finite; a list that never ends is not searched for ever.
constexpr int kStepsLimit = 1000;

TimestampUs floor_second(TimestampUs at_us) {
  return at_us >= 0 ? at_us / kMicros : -((-at_us + kMicros - 1) / kMicros);
}

LocalSpan span_of(const TimeZone& zone, const std::string& name, std::int64_t from_s, std::int64_t to_s) {
  return {name, from_s * kMicros, to_s * kMicros, zone.offset_s(from_s), zone.offset_s(to_s), {}};
}

// The opening that holds `at_us`, or the next one.
std::optional<LocalSpan> opening(const ChangeWindow& window, const TimeZone& zone, TimestampUs at_us) {
  const auto at_s = floor_second(at_us);
  const auto local_s = at_s + zone.offset_s(at_s);
  const auto today_s = local_s - (local_s % kDay + kDay) % kDay;
  for (int ahead = -1; ahead <= kDaysAhead; ++ahead) {
    const auto day_s = today_s + ahead * kDay;
    const auto& word = kWeekdays[static_cast<std::size_t>(weekday_of(day_s))];
    if (std::find(window.days.begin(), window.days.end(), word) == window.days.end()) continue;
    const auto over_midnight = window.to_minute <= window.from_minute ? kDay : 0;
    const auto from_s = zone.utc_of_local(day_s + window.from_minute * 60);
    const auto to_s = zone.utc_of_local(day_s + over_midnight + window.to_minute * 60);
    if (from_s >= to_s || to_s * kMicros <= at_us) continue;
    auto span = span_of(zone, window.time_zone, from_s, to_s);
    span.text = to_text(window);
    return span;
  }
  return std::nullopt;
}

// The zones of what is declared; one that cannot be found is told, not guessed.
struct Declared {
  std::vector<std::pair<const ChangeWindow*, std::shared_ptr<const TimeZone>>> windows;
  std::vector<LocalSpan> freezes;
};

template <class Each>
std::shared_ptr<const TimeZone> zone_of(const Each& each, const TimeZones& zones, CalendarFacts& facts) {
  auto found = zones.find(each.time_zone);
  if (found) return *found;
  auto& missing = facts.missing_zones;
  if (std::find(missing.begin(), missing.end(), each.time_zone) == missing.end()) missing.push_back(each.time_zone);
  return nullptr;
}

// Moves `at_us` behind every freeze that holds it, or to the next opening, until nothing stands in the way.
void find_next(const Declared& declared, TimestampUs at_us, CalendarFacts& facts) {
  LocalSpan where;
  for (int step = 0; step < kStepsLimit; ++step) {
    const auto holding = std::find_if(declared.freezes.begin(), declared.freezes.end(), [&](const LocalSpan& freeze) {
      return freeze.from_us <= at_us && at_us < freeze.to_us;
    });
    if (holding != declared.freezes.end()) {
      at_us = holding->to_us;
      where = *holding;
      where.from_offset_s = holding->to_offset_s;
      continue;
    }
    std::optional<LocalSpan> first;
    for (const auto& [window, zone] : declared.windows) {
      auto next = opening(*window, *zone, at_us);
      if (next && (!first || next->from_us < first->from_us)) first = std::move(next);
    }
    if (!first && !declared.windows.empty()) return;
    if (first && first->from_us > at_us) {
      at_us = first->from_us;
      where = *first;
      continue;
    }
    facts.next_us = at_us;
    if (where.time_zone.empty() && first) where = *first;
    facts.next_time_zone = where.time_zone.empty() ? "UTC" : where.time_zone;
    facts.next_offset_s = where.from_offset_s;
    return;
  }
}

Json span_json(const LocalSpan& span) {
  return {{"time_zone", span.time_zone},         {"from_us", span.from_us},         {"to_us", span.to_us},
          {"from_offset_s", span.from_offset_s}, {"to_offset_s", span.to_offset_s}, {"text", span.text}};
}

LocalSpan span_from(const Json& json) {
  return {json.at("time_zone"),     json.at("from_us"),     json.at("to_us"),
          json.at("from_offset_s"), json.at("to_offset_s"), json.at("text")};
}

}  // namespace

CalendarFacts calendar_at(const std::vector<ChangeWindow>& windows, const std::vector<Freeze>& freezes,
                          TimestampUs at_us, const TimeZones& zones) {
  CalendarFacts facts;
  Declared declared;
  for (const auto& window : windows) {
    const auto zone = zone_of(window, zones, facts);
    if (!zone) continue;
    declared.windows.emplace_back(&window, zone);
    if (auto span = opening(window, *zone, at_us)) facts.windows.push_back(std::move(*span));
  }
  for (const auto& freeze : freezes) {
    const auto zone = zone_of(freeze, zones, facts);
    if (!zone) continue;
    auto span = span_of(*zone, freeze.time_zone, zone->utc_of_local(freeze.from_local_s),
                        zone->utc_of_local(freeze.to_local_s));
    span.text = freeze.reason;
    if (span.to_us > at_us) declared.freezes.push_back(std::move(span));
  }
  facts.freezes = declared.freezes;
  if (facts.missing_zones.empty()) find_next(declared, at_us, facts);
  return facts;
}

Json to_json(const CalendarFacts& facts) {
  Json windows = Json::array();
  for (const auto& span : facts.windows) windows.push_back(span_json(span));
  Json freezes = Json::array();
  for (const auto& span : facts.freezes) freezes.push_back(span_json(span));
  return {{"windows", std::move(windows)},        {"freezes", std::move(freezes)},
          {"missing_zones", facts.missing_zones}, {"next_us", facts.next_us},
          {"next_offset_s", facts.next_offset_s}, {"next_time_zone", facts.next_time_zone}};
}

CalendarFacts calendar_from_json(const Json& json) {
  CalendarFacts facts;
  for (const auto& span : json.at("windows")) facts.windows.push_back(span_from(span));
  for (const auto& span : json.at("freezes")) facts.freezes.push_back(span_from(span));
  facts.missing_zones = json.at("missing_zones").get<std::vector<std::string>>();
  facts.next_us = json.at("next_us");
  facts.next_offset_s = json.at("next_offset_s");
  facts.next_time_zone = json.at("next_time_zone");
  return facts;
}

}  // namespace mlops::model
