#include "core/base/time_zone.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "core/base/env.h"
#include "core/base/posix_zone.h"
#include "core/base/text.h"

namespace mlops {
namespace {

constexpr std::string_view kSystemDirectory = "/usr/share/zoneinfo";
constexpr std::size_t kFileLimitBytes = 1u << 20;
constexpr std::int64_t kDay = 86400;
constexpr std::size_t kHeaderBytes = 44;

Failure damaged(std::string_view why) {
  return fail(ErrorCode::kCorrupt, "time_zone_damaged", fmt::format("a time zone file cannot be read: {}", why),
              "reinstall tzdata");
}

std::int64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<std::uint8_t>(c);
  if (bytes.size() == 4) return static_cast<std::int32_t>(static_cast<std::uint32_t>(value));
  return static_cast<std::int64_t>(value);
}

// One data block of a TZif file; the counts stand in the header before it, in this order.
struct Block {
  std::size_t utc_count, standard_count, leap_count, time_count, type_count, char_count;
  std::size_t time_bytes;  // of one moment: 4 in the old block, 8 in the new one

  std::size_t size_bytes() const {
    return time_count * (time_bytes + 1) + type_count * 6 + char_count + leap_count * (time_bytes + 4) +
           standard_count + utc_count;
  }
};

Result<Block> read_header(std::string_view bytes, std::size_t time_bytes) {
  if (bytes.size() < kHeaderBytes || !bytes.starts_with("TZif")) return damaged("no TZif header");
  std::size_t counts[6];
  for (std::size_t i = 0; i < 6; ++i) {
    const auto count = big_endian(bytes.substr(20 + 4 * i, 4));
    if (count < 0 || static_cast<std::size_t>(count) > kFileLimitBytes) return damaged("a count is out of range");
    counts[i] = static_cast<std::size_t>(count);
  }
  const Block block{counts[0], counts[1], counts[2], counts[3], counts[4], counts[5], time_bytes};
  if (block.type_count == 0) return damaged("it has no local time");
  if (bytes.size() - kHeaderBytes < block.size_bytes()) return damaged("it is cut short");
  return block;
}

std::string two_digits_time(std::int64_t of_day_s) {
  return fmt::format("{:02}:{:02}", of_day_s / 3600, of_day_s / 60 % 60);
}

std::int64_t floor_day(std::int64_t local_s) {
  return local_s >= 0 ? local_s / kDay : -((-local_s + kDay - 1) / kDay);
}

}  // namespace

Result<TimeZone> TimeZone::from_tzif(std::string_view bytes) {
  MLOPS_ASSIGN(auto block, read_header(bytes, 4));
  const char version = bytes[4];
  bytes.remove_prefix(kHeaderBytes);
  if (version >= '2') {
    bytes.remove_prefix(block.size_bytes());
    MLOPS_ASSIGN(block, read_header(bytes, 8));
    bytes.remove_prefix(kHeaderBytes);
  }
  const auto times = bytes.substr(0, block.time_count * block.time_bytes);
  const auto kinds = bytes.substr(times.size(), block.time_count);
  const auto types = bytes.substr(times.size() + kinds.size(), block.type_count * 6);
  const auto offset_of = [&](std::size_t type) { return big_endian(types.substr(6 * type, 4)); };
  TimeZone zone;
  zone.first_offset_s_ = offset_of(0);
  for (std::size_t i = 0; i < block.time_count; ++i) {
    const auto type = static_cast<std::uint8_t>(kinds[i]);
    if (type >= block.type_count) return damaged("a change names no local time");
    const auto at = big_endian(times.substr(i * block.time_bytes, block.time_bytes));
    if (!zone.changes_.empty() && at <= zone.changes_.back()) return damaged("its changes are not in order");
    zone.changes_.push_back(at);
    zone.offsets_.push_back(offset_of(type));
  }
  if (version < '2') return zone;
  auto footer = bytes.substr(block.size_bytes());
  if (footer.size() < 2 || footer.front() != '\n') return damaged("it has no footer");
  footer.remove_prefix(1);
  const auto end = footer.find('\n');
  if (end == std::string_view::npos) return damaged("its footer has no end");
  if (end == 0) return zone;  // what held last holds on
  MLOPS_ASSIGN(zone.rule_, parse_posix_zone(footer.substr(0, end)));
  return zone;
}

Result<TimeZone> TimeZone::from_posix(std::string_view rule) {
  TimeZone zone;
  MLOPS_ASSIGN(zone.rule_, parse_posix_zone(rule));
  return zone;
}

std::int64_t TimeZone::offset_s(std::int64_t utc_s) const {
  const auto next = std::upper_bound(changes_.begin(), changes_.end(), utc_s);
  if (next == changes_.end() && rule_) return offset_by_rule(*rule_, utc_s);
  if (next == changes_.begin()) return first_offset_s_;
  return offsets_[static_cast<std::size_t>(next - changes_.begin()) - 1];
}

std::int64_t TimeZone::utc_of_local(std::int64_t local_s) const {
  // Whatever happens to the clocks that day, these are in force before and after it.
  const auto before = offset_s(local_s - kDay);
  const auto after = offset_s(local_s + kDay);
  std::optional<std::int64_t> first;
  for (const auto offset : {before, after}) {
    const auto utc_s = local_s - offset;
    if (offset_s(utc_s) == offset && (!first || utc_s < *first)) first = utc_s;
  }
  if (first) return *first;
  // Skipped: between these two moments the clocks are set forward.
  auto low = local_s - after;
  auto high = local_s - before;
  while (low + 1 < high) {
    const auto middle = low + (high - low) / 2;
    (offset_s(middle) == before ? low : high) = middle;
  }
  return high;
}

const TimeZones& TimeZones::system() {
  static const TimeZones kSystem{std::string(kSystemDirectory)};
  return kSystem;
}

// REQUIRES: the lock is held. An empty directory is looked at again the next time.
Status TimeZones::list() const {
  namespace fs = std::filesystem;
  if (!files_.empty()) return {};
  std::error_code error;
  fs::recursive_directory_iterator it(directory_, fs::directory_options::skip_permission_denied, error);
  for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    const auto name = it->path().lexically_relative(directory_).generic_string();
    std::error_code ignored;
    // The same zones once more, and once more with leap seconds; names of zones begin with a capital.
    if (it->is_directory(ignored) && (name == "posix" || name == "right")) it.disable_recursion_pending();
    const bool is_zone = !name.empty() && name.front() >= 'A' && name.front() <= 'Z' && name.find('.') == name.npos;
    if (is_zone && it->is_regular_file(ignored)) files_.emplace(name, it->path().string());
  }
  if (!files_.empty()) return {};
  return fail(ErrorCode::kUnavailable, "time_zones_missing", "this machine has no database of time zones",
              "install the package tzdata");
}

Result<std::shared_ptr<const TimeZone>> TimeZones::find(std::string_view name) const {
  std::lock_guard lock(mutex_);
  if (const auto known = loaded_.find(name); known != loaded_.end()) return known->second;
  std::shared_ptr<const TimeZone> zone;
  if (name == "UTC") {
    MLOPS_ASSIGN(auto utc, TimeZone::from_posix("UTC0"));
    zone = std::make_shared<const TimeZone>(std::move(utc));
  } else {
    MLOPS_TRY(list());
    const auto file = files_.find(name);
    if (file == files_.end()) {
      std::vector<std::string> names;
      for (const auto& [known, path] : files_) names.push_back(known);
      const auto near = nearest_word(std::string(name.substr(0, 64)), names);
      return fail(ErrorCode::kInvalid, "time_zone_unknown",
                  fmt::format("there is no time zone \"{}\"", printable(name.substr(0, 64))),
                  near ? fmt::format("did you mean \"{}\"?", *near) : "for example Europe/Berlin or UTC");
    }
    MLOPS_ASSIGN(const auto bytes, read_file(file->second, kFileLimitBytes));
    MLOPS_ASSIGN(auto read, TimeZone::from_tzif(bytes));
    zone = std::make_shared<const TimeZone>(std::move(read));
  }
  loaded_.emplace(std::string(name), zone);
  return zone;
}

std::string local_time_text(std::int64_t local_s) {
  using namespace std::chrono;
  const auto day = floor_day(local_s);
  const year_month_day date{sys_days{days{day}}};
  return fmt::format("{:04}-{:02}-{:02} {}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()), two_digits_time(local_s - day * kDay));
}

Result<LocalTime> parse_local_time(std::string_view text) {
  using namespace std::chrono;
  const auto bad = [&] {
    return fail(ErrorCode::kInvalid, "bad_time",
                fmt::format("\"{}\" is not a local time", printable(text.substr(0, 40))),
                "write 2026-12-20 or 2026-12-20T18:00, without an offset: `time_zone` says where");
  };
  const auto number = [&](std::size_t at, std::size_t size) -> int {
    int value = 0;
    for (std::size_t i = at; i < at + size; ++i) {
      if (text[i] < '0' || text[i] > '9') return -1;
      value = value * 10 + (text[i] - '0');
    }
    return value;
  };
  const bool is_date = text.size() == 10;
  const bool is_time = text.size() == 16 && (text[10] == 'T' || text[10] == ' ') && text[13] == ':';
  if ((!is_date && !is_time) || text[4] != '-' || text[7] != '-') return bad();
  const int y = number(0, 4);
  const int m = number(5, 2);
  const int d = number(8, 2);
  const int hour = is_date ? 0 : number(11, 2);
  const int minute = is_date ? 0 : number(14, 2);
  if (y < 1970 || m < 1 || d < 1 || hour < 0 || hour > 23 || minute < 0 || minute > 59) return bad();
  const year_month_day date{year{y}, month{static_cast<unsigned>(m)}, day{static_cast<unsigned>(d)}};
  if (!date.ok()) return bad();
  const auto days = static_cast<std::int64_t>(sys_days{date}.time_since_epoch().count());
  return LocalTime{days * kDay + hour * 3600 + minute * 60, is_date};
}

int weekday_of(std::int64_t local_s) {
  // 1970-01-01 was a Thursday.
  const auto day = (floor_day(local_s) + 3) % 7;
  return static_cast<int>(day < 0 ? day + 7 : day);
}

}  // namespace mlops
