#include "cli/cmd/span.h"

#include <fmt/format.h>

#include <array>
#include <limits>

#include "core/base/text.h"

namespace mlops::cli {
namespace {

constexpr std::int64_t kDayS = 86400;

struct Unit {
  char letter;
  std::int64_t seconds;
};
constexpr std::array<Unit, 6> kUnits{
    {{'y', 366 * kDayS}, {'w', 7 * kDayS}, {'d', kDayS}, {'h', 3600}, {'m', 60}, {'s', 1}}};

}  // namespace

Result<std::int64_t> parse_span_s(std::string_view text) {
  const auto bad = [&] {
    return fail(ErrorCode::kInvalid, "bad_duration",
                fmt::format("'{}' is no span of time", printable(text.substr(0, 32))),
                "write a whole number and a unit: 24h, 90d, 2w or 6y");
  };
  if (text.size() < 2) return bad();
  const auto count = parse_int(text.substr(0, text.size() - 1));
  if (!count || *count < 0) return bad();
  for (const auto& unit : kUnits) {
    if (unit.letter != text.back()) continue;
    if (*count > std::numeric_limits<std::int64_t>::max() / unit.seconds) return bad();
    return *count * unit.seconds;
  }
  return bad();
}

std::string span_text(std::int64_t seconds) {
  for (const auto& unit : kUnits) {
    // Weeks are for writing; "90d" reads better than "13w".
    if (unit.letter == 'w' || seconds == 0 || seconds % unit.seconds != 0) continue;
    return fmt::format("{}{}", seconds / unit.seconds, unit.letter);
  }
  return "0s";
}

}  // namespace mlops::cli
