#include "core/base/posix_zone.h"

#include <chrono>
#include <cstdlib>

namespace mlops {
namespace {

constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kDay = 24 * kHour;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Reads the rule from left to right; every step says whether it found what must stand there.
class RuleReader {
 public:
  explicit RuleReader(std::string_view text) : rest_(text) {}

  bool read(PosixZoneRule& rule) {
    if (!name() || !offset(rule.standard_offset_s)) return false;
    rule.standard_offset_s = -rule.standard_offset_s;  // POSIX counts west of Greenwich
    if (rest_.empty()) return true;
    if (!name()) return false;
    rule.summer_offset_s = rule.standard_offset_s + kHour;
    if (!rest_.empty() && rest_.front() != ',') {
      std::int64_t west = 0;
      if (!offset(west)) return false;
      rule.summer_offset_s = -west;
    }
    return change(rule.summer_begins) && change(rule.summer_ends) && rest_.empty();
  }

 private:
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool name() {
    std::size_t size = 0;
    if (take('<')) {
      const auto end = rest_.find('>');
      if (end == std::string_view::npos) return false;
      rest_.remove_prefix(end + 1);
      return true;
    }
    const auto is_letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
    while (size < rest_.size() && is_letter(rest_[size])) ++size;
    rest_.remove_prefix(size);
    return size >= 3;
  }

  bool number(int most, int& out) {
    std::size_t size = 0;
    int value = 0;
    while (size < rest_.size() && size < 3 && is_digit(rest_[size])) value = value * 10 + (rest_[size++] - '0');
    rest_.remove_prefix(size);
    out = value;
    return size > 0 && value <= most;
  }

  // [+-]hh[:mm[:ss]], hours up to 167 as RFC 8536 allows.
  bool offset(std::int64_t& out) {
    const bool is_negative = take('-');
    if (!is_negative) (void)take('+');
    int hours = 0;
    int minutes = 0;
    int seconds = 0;
    if (!number(167, hours)) return false;
    if (take(':') && !number(59, minutes)) return false;
    if (take(':') && !number(59, seconds)) return false;
    out = hours * kHour + minutes * 60 + seconds;
    if (is_negative) out = -out;
    return true;
  }

  bool date(PosixZoneRule::Change& out) {
    if (take('M')) {
      out.form = PosixZoneRule::Form::kMonthWeekDay;
      return number(12, out.month) && out.month > 0 && take('.') && number(5, out.week) && out.week > 0 && take('.') &&
             number(6, out.day);
    }
    out.form = take('J') ? PosixZoneRule::Form::kJulianNoLeap : PosixZoneRule::Form::kDayOfYear;
    return number(365, out.day) && (out.form == PosixZoneRule::Form::kDayOfYear || out.day > 0);
  }

  bool change(PosixZoneRule::Change& out) {
    if (!take(',') || !date(out)) return false;
    return !take('/') || offset(out.time_s);
  }

  std::string_view rest_;
};

// Local seconds of the change in that year.
std::int64_t moment_of(const PosixZoneRule::Change& change, int year) {
  using namespace std::chrono;
  const std::chrono::year y{year};
  sys_days day{};
  switch (change.form) {
    case PosixZoneRule::Form::kMonthWeekDay: {
      const month m{static_cast<unsigned>(change.month)};
      const weekday wanted{static_cast<unsigned>(change.day)};
      day = change.week == 5 ? sys_days(y / m / weekday_last{wanted})
                             : sys_days(y / m / wanted[static_cast<unsigned>(change.week)]);
      break;
    }
    case PosixZoneRule::Form::kJulianNoLeap:  // 1 to 365, 29 February is never counted
      day = sys_days(y / January / 1) + days{change.day - 1 + (y.is_leap() && change.day >= 60 ? 1 : 0)};
      break;
    case PosixZoneRule::Form::kDayOfYear:
      day = sys_days(y / January / 1) + days{change.day};
      break;
  }
  return day.time_since_epoch().count() * kDay + change.time_s;
}

}  // namespace

Result<PosixZoneRule> parse_posix_zone(std::string_view text) {
  PosixZoneRule rule;
  if (RuleReader(text).read(rule)) return rule;
  return fail(ErrorCode::kCorrupt, "time_zone_damaged", "a time zone's rule cannot be read", "reinstall tzdata");
}

std::int64_t offset_by_rule(const PosixZoneRule& rule, std::int64_t utc_s) {
  using namespace std::chrono;
  if (!rule.summer_offset_s) return rule.standard_offset_s;
  const auto local_day = floor<days>(sys_seconds{seconds{utc_s + rule.standard_offset_s}});
  const auto year = static_cast<int>(year_month_day{local_day}.year());
  const auto begins = moment_of(rule.summer_begins, year) - rule.standard_offset_s;
  const auto ends = moment_of(rule.summer_ends, year) - *rule.summer_offset_s;
  // In the south summer holds over the turn of the year.
  const bool is_summer = begins < ends ? utc_s >= begins && utc_s < ends : utc_s >= begins || utc_s < ends;
  return is_summer ? *rule.summer_offset_s : rule.standard_offset_s;
}

}  // namespace mlops
