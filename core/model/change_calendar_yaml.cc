// Reading windows and freezes as they are declared and as they are stored.
#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "core/model/change_calendar.h"
#include "core/model/names.h"
#include "core/model/weekdays.h"

namespace mlops::model {
namespace {

constexpr std::size_t kMostEntries = 100;
constexpr std::int64_t kDay = 86400;

std::size_t day_index(std::string_view word) {
  return static_cast<std::size_t>(std::find(kWeekdays.begin(), kWeekdays.end(), word) - kWeekdays.begin());
}

std::string minute_text(std::int64_t minute) {
  return fmt::format("{:02}:{:02}", minute / 60, minute % 60);
}

std::string local_json(std::int64_t local_s) {
  auto text = local_time_text(local_s);
  text[10] = 'T';
  return text;
}

class CalendarReader {
 public:
  CalendarReader(const std::string& origin, const TimeZones& zones) : origin_(origin), zones_(zones) {}

  Result<ChangeWindow> window(const YamlNode& node) const {
    if (!node.is_map()) return at(node, "a window is a map with `from` and `to`");
    MLOPS_TRY(yaml_only_known_keys(node, origin_, {"days", "from", "to", "time_zone"}));
    ChangeWindow out;
    MLOPS_TRY(days(node, out.days));
    MLOPS_ASSIGN(const auto* from, needed(node, "from"));
    MLOPS_ASSIGN(out.from_minute, minute(*from));
    MLOPS_ASSIGN(const auto* to, needed(node, "to"));
    MLOPS_ASSIGN(out.to_minute, minute(*to));
    if (out.from_minute == kDay / 60) return at(*from, "a window cannot begin at 24:00", "write 00:00 of the next day");
    if (out.from_minute == out.to_minute) {
      return at(*to, "a window that ends when it begins is never open",
                "a whole day is from: \"00:00\", to: \"24:00\"");
    }
    MLOPS_TRY(zone(node, out.time_zone));
    return out;
  }

  Result<Freeze> freeze(const YamlNode& node) const {
    if (!node.is_map()) return at(node, "a freeze is a map with `from` and `to`");
    MLOPS_TRY(yaml_only_known_keys(node, origin_, {"from", "to", "time_zone", "reason"}));
    Freeze out;
    MLOPS_ASSIGN(const auto* from, needed(node, "from"));
    MLOPS_ASSIGN(const auto begins, moment(*from));
    MLOPS_ASSIGN(const auto* to, needed(node, "to"));
    MLOPS_ASSIGN(const auto ends, moment(*to));
    out.from_local_s = begins.local_s;
    out.to_local_s = ends.local_s + (ends.is_date ? kDay : 0);
    if (out.to_local_s <= out.from_local_s) return at(*to, "a freeze must end after it begins");
    MLOPS_TRY(zone(node, out.time_zone));
    if (const auto* reason = node.find("reason"); reason && !reason->is_null()) {
      MLOPS_ASSIGN(out.reason, yaml_string(*reason, origin_, "reason"));
      if (auto status = check_free_text(out.reason, "reason"); !status) return at(*reason, status.error().message);
    }
    return out;
  }

  Status list(const YamlNode& node, std::string_view what) const {
    if (!node.is_sequence()) return at(node, fmt::format("`{}` is a list", what));
    if (node.items.size() > kMostEntries)
      return at(node, fmt::format("`{}` has more than {} entries", what, kMostEntries));
    return {};
  }

 private:
  Failure at(const YamlNode& node, const std::string& message, std::string hint = {}) const {
    return fail(yaml_error(origin_, node.mark, "environment_invalid", message, std::move(hint)));
  }

  Result<const YamlNode*> needed(const YamlNode& node, std::string_view key) const {
    const auto* value = node.find(key);
    if (!value) return at(node, fmt::format("`{}` is missing", key));
    return value;
  }

  // "mon..fri", "sat"; every day when nothing is said.
  Status days(const YamlNode& node, std::vector<std::string>& out) const {
    std::array<bool, 7> wanted{};
    const auto* value = node.find("days");
    if (!value) wanted.fill(true);
    std::vector<std::string> words;
    if (value) {
      MLOPS_ASSIGN(words, yaml_strings(*value, origin_, "days"));
      if (words.empty()) return at(*value, "`days` names no day");
    }
    for (std::size_t i = 0; i < words.size(); ++i) {
      const auto& item = value->is_sequence() ? value->items[i] : *value;
      const auto dots = words[i].find("..");
      const auto first = day_index(words[i].substr(0, dots));
      const auto last = dots == std::string::npos ? first : day_index(words[i].substr(dots + 2));
      if (first > 6 || last > 6) {
        return at(item, fmt::format("\"{}\" is not a weekday", printable(words[i])),
                  "for example [mon..fri] or [sat, sun]");
      }
      for (auto day = first;; day = (day + 1) % 7) {
        wanted[day] = true;
        if (day == last) break;
      }
    }
    for (std::size_t day = 0; day < 7; ++day) {
      if (wanted[day]) out.emplace_back(kWeekdays[day]);
    }
    return {};
  }

  Result<std::int64_t> minute(const YamlNode& node) const {
    MLOPS_ASSIGN(const auto text, yaml_string(node, origin_, "a time of day"));
    const auto bad = [&] {
      return at(node, fmt::format("\"{}\" is not a time of day", printable(text)),
                "write hours and minutes: \"08:00\"");
    };
    if (text.size() != 5 || text[2] != ':') return bad();
    const auto hours = parse_int(std::string_view(text).substr(0, 2));
    const auto minutes = parse_int(std::string_view(text).substr(3));
    if (!hours || !minutes || *hours < 0 || *minutes < 0 || *minutes > 59 || *hours * 60 + *minutes > kDay / 60)
      return bad();
    return *hours * 60 + *minutes;
  }

  Result<LocalTime> moment(const YamlNode& node) const {
    MLOPS_ASSIGN(const auto text, yaml_string(node, origin_, "a local time"));
    auto time = parse_local_time(text);
    if (!time) return at(node, time.error().message, time.error().hint);
    return *time;
  }

  Status zone(const YamlNode& node, std::string& out) const {
    const auto* value = node.find("time_zone");
    if (!value || value->is_null()) return {};
    MLOPS_ASSIGN(out, yaml_string(*value, origin_, "time_zone"));
    if (auto found = zones_.find(out); !found) return at(*value, found.error().message, found.error().hint);
    return {};
  }

  const std::string& origin_;
  const TimeZones& zones_;
};

}  // namespace

std::string to_text(const ChangeWindow& window) {
  std::string days;
  for (std::size_t i = 0; i < window.days.size();) {
    auto end = i + 1;
    while (end < window.days.size() && day_index(window.days[end]) == day_index(window.days[end - 1]) + 1) ++end;
    days += (days.empty() ? "" : ",") + window.days[i];
    if (end - i > 1) days += "–" + window.days[end - 1];
    i = end;
  }
  return fmt::format("{} {}–{} {}", days, minute_text(window.from_minute), minute_text(window.to_minute),
                     window.time_zone);
}

Result<std::vector<ChangeWindow>> read_windows(const YamlNode& node, const std::string& origin,
                                               const TimeZones& zones) {
  const CalendarReader reader(origin, zones);
  MLOPS_TRY(reader.list(node, "windows"));
  std::vector<ChangeWindow> windows;
  for (const auto& item : node.items) {
    MLOPS_ASSIGN(auto window, reader.window(item));
    windows.push_back(std::move(window));
  }
  return windows;
}

Result<std::vector<Freeze>> read_freezes(const YamlNode& node, const std::string& origin, const TimeZones& zones) {
  const CalendarReader reader(origin, zones);
  MLOPS_TRY(reader.list(node, "freezes"));
  std::vector<Freeze> freezes;
  for (const auto& item : node.items) {
    MLOPS_ASSIGN(auto freeze, reader.freeze(item));
    freezes.push_back(std::move(freeze));
  }
  return freezes;
}

Json to_json(const ChangeWindow& window) {
  return {{"days", window.days},
          {"from", minute_text(window.from_minute)},
          {"to", minute_text(window.to_minute)},
          {"time_zone", window.time_zone}};
}

Json to_json(const Freeze& freeze) {
  return {{"from", local_json(freeze.from_local_s)},
          {"to", local_json(freeze.to_local_s)},
          {"time_zone", freeze.time_zone},
          {"reason", freeze.reason}};
}

namespace {

std::int64_t stored_minute(const Json& json) {
  const auto text = json.get<std::string>();
  const auto hours = text.size() == 5 ? parse_int(text.substr(0, 2)) : std::nullopt;
  const auto minutes = text.size() == 5 ? parse_int(text.substr(3)) : std::nullopt;
  if (!hours || !minutes) throw Json::other_error::create(501, "bad time of day", nullptr);
  return *hours * 60 + *minutes;
}

std::int64_t stored_local(const Json& json) {
  const auto time = parse_local_time(json.get<std::string>());
  if (!time) throw Json::other_error::create(501, "bad local time", nullptr);
  return time->local_s;
}

}  // namespace

ChangeWindow window_from_json(const Json& json) {
  return {json.at("days").get<std::vector<std::string>>(), stored_minute(json.at("from")), stored_minute(json.at("to")),
          json.at("time_zone")};
}

Freeze freeze_from_json(const Json& json) {
  return {stored_local(json.at("from")), stored_local(json.at("to")), json.at("time_zone"), json.at("reason")};
}

}  // namespace mlops::model
