// date_shift: {key: NAME, subject: column:NAME, days?: 50, order?: by_separator | month_first | day_first}. All dates
// of a subject in a dataset move by one number of days, from 1 to `days`, forward or back: the order of a subject's
// dates and the time between them stay, and so does the time of day as written (calendar days move, so no change of
// clocks plays in). The number follows from the key and the subject; it is never 0.
//
// What is no date, lies outside the years 1000 … 9999 after the move, or has no subject beside it becomes "[DATE]".
// Who knows one true date of a subject knows the shift: under HIPAA this needs Expert Determination.
#include "core/base/text.h"
#include "policies/mask/choice.h"
#include "policies/mask/makers.h"
#include "policies/mask/written_date.h"

namespace mlops::mask {
namespace {

constexpr std::string_view kUnreadable = "[DATE]";
constexpr std::int64_t kDays = 50;
constexpr std::int64_t kMostDays = 3650;

class DateShift : public Transform {
 public:
  struct Options {
    std::string key;
    std::string subject;
    std::int64_t days = kDays;
    DateOrder order = DateOrder::kBySeparator;
  };

  explicit DateShift(Options options) : options_(std::move(options)) {}
  std::string_view id() const override { return "date_shift"; }
  std::string_view key_name() const override { return options_.key; }
  // The columns of a subject move together, also those of other tables.
  KeyScope key_scope() const override { return KeyScope::kDataset; }
  bool reads_row() const override { return true; }
  bool looks_real() const override { return true; }
  std::string_view forbidden_under_safe_harbor() const override {
    return "date_shift: of a date only the year may stay, and shifting needs Expert Determination";
  }

  Result<std::string> apply(std::string_view cell, const CellContext& at) const override {
    if (trim(cell).empty()) return std::string();
    const auto subject = at.row.cell(options_.subject);
    const auto date = read_written_date(cell, options_.order);
    const bool can_shift = date && subject && !trim(*subject).empty() && !at.key.empty();
    auto shifted = can_shift ? write_like(*date, date->day + shift_of(at.key, trim(*subject))) : std::nullopt;
    if (shifted) return std::move(*shifted);
    if (at.counts) ++at.counts->placeholders;
    return std::string(kUnreadable);
  }

 private:
  std::chrono::days shift_of(const WorkingKey& key, std::string_view subject) const {
    const auto mac = choose(key, "date_shift", subject);
    const auto step = 1 + static_cast<std::int64_t>(choice_below(mac, 0, static_cast<std::uint64_t>(options_.days)));
    return std::chrono::days(choice_below(mac, 1, 2) == 0 ? step : -step);
  }

  Options options_;
};

}  // namespace

Made make_date_shift(const YamlNode& value, const TransformContext& context) {
  MLOPS_TRY(check_options(value, context, "date_shift", {"key", "subject", "days", "order"}));
  DateShift::Options options;
  MLOPS_ASSIGN(options.key, key_option(value, context, "date_shift"));
  MLOPS_ASSIGN(options.subject, column_option(value, context, "date_shift", "subject"));
  if (options.subject.empty()) {
    return missing_option(value, context, "date_shift", "subject", "subject: column:NAME, whose dates move together");
  }
  MLOPS_ASSIGN(options.days, int_option(value, context, "days", kDays, {1, kMostDays}));
  constexpr DateOrder kOrders[] = {DateOrder::kBySeparator, DateOrder::kMonthFirst, DateOrder::kDayFirst};
  MLOPS_ASSIGN(const auto order,
               word_option(value, context, "date_shift", "order", {"by_separator", "month_first", "day_first"}));
  options.order = kOrders[order];
  return std::unique_ptr<Transform>(std::make_unique<DateShift>(std::move(options)));
}

}  // namespace mlops::mask
