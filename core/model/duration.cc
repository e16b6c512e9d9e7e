#include "core/model/duration.h"

#include <fmt/format.h>

#include <optional>

#include "core/base/text.h"

namespace mlops::model {
namespace {

constexpr std::int64_t kDay = 86400;
constexpr std::int64_t kLongest = 366 * kDay;

struct Unit {
  char letter;
  bool in_time;  // behind the T
  std::int64_t seconds;
};
constexpr Unit kUnits[] = {
    {'W', false, 7 * kDay}, {'D', false, kDay}, {'H', true, 3600}, {'M', true, 60}, {'S', true, 1}};

std::optional<std::int64_t> iso_seconds(std::string_view text) {
  std::int64_t sum = 0;
  bool in_time = false;
  bool any = false;
  std::size_t next_unit = 0;  // units stand in falling order, each once
  text.remove_prefix(1);
  while (!text.empty()) {
    if (text.front() == 'T' && !in_time) {
      in_time = true;
      any = false;
      text.remove_prefix(1);
      continue;
    }
    std::size_t digits = 0;
    while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
    if (digits == 0 || digits > 9 || digits == text.size()) return std::nullopt;
    while (next_unit < std::size(kUnits) &&
           (kUnits[next_unit].letter != text[digits] || kUnits[next_unit].in_time != in_time)) {
      ++next_unit;
    }
    if (next_unit == std::size(kUnits)) return std::nullopt;
    sum += *parse_int(text.substr(0, digits)) * kUnits[next_unit++].seconds;
    any = true;
    text.remove_prefix(digits + 1);
  }
  if (!any) return std::nullopt;
  return sum;
}

}  // namespace

Result<std::int64_t> parse_soak_s(std::string_view text) {
  std::optional<std::int64_t> seconds;
  if (text.starts_with('P')) {
    seconds = iso_seconds(text);
  } else if (const auto words = parse_duration_s(text)) {
    seconds = *words;
  }
  if (seconds && *seconds >= 0 && *seconds <= kLongest) return *seconds;
  return fail(ErrorCode::kInvalid, "bad_duration",
              fmt::format("\"{}\" is not a span of time up to 366 days", printable(text.substr(0, 40))),
              "write 24h, 3d, or PT24H");
}

std::string duration_text(std::int64_t seconds) {
  if (seconds % kDay == 0 && seconds >= 2 * kDay) return fmt::format("{}d", seconds / kDay);
  if (seconds % 3600 == 0 && seconds > 0) return fmt::format("{}h", seconds / 3600);
  if (seconds % 60 == 0 && seconds > 0) return fmt::format("{}m", seconds / 60);
  return fmt::format("{}s", seconds);
}

}  // namespace mlops::model
