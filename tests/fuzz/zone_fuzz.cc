// Files of time zones and their rules: whatever they say, an offset is found for every moment and a moment for every
// local time.
#include "core/base/posix_zone.h"
#include "core/base/time_zone.h"
#include "tests/fuzz/fuzz.h"

using namespace mlops;

namespace {

constexpr std::int64_t kDay = 86400;
constexpr std::int64_t kWidest = 200 * 3600;  // hours up to 167 in a rule; files may say any 32-bit number

void check_zone(const TimeZone& zone, std::int64_t widest) {
  for (std::int64_t day = -40'000; day < 60'000; day += 997) {
    const auto at = day * kDay + day * 31;
    const auto offset = zone.offset_s(at);
    fuzz::must(offset >= -widest && offset <= widest, "an offset is within what was read");
    const auto utc = zone.utc_of_local(at);
    fuzz::must(utc >= at - widest - kDay && utc <= at + widest + kDay, "a local time is near its moment");
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text_of(data, size);
  if (const auto zone = TimeZone::from_posix(text)) check_zone(*zone, kWidest);
  if (const auto zone = TimeZone::from_tzif(text)) check_zone(*zone, std::int64_t{1} << 32);
  (void)parse_local_time(text);
  return 0;
}
