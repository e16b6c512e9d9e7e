// date_truncate: {to: year | month, cap_age?: 89, reference?: today | YYYY-MM-DD | column:NAME}.
//
// 45 CFR 164.514(b)(2)(i)(C): of a date the year may stay, unless it shows an age above 89. The age is the largest one
// the year allows at the reference, reference year − year: the year is what a reader sees. Above the cap the cell
// becomes "90+" (cap + 1 and a plus sign). Without a readable reference in the row, today decides: a later reference
// only caps more. Two-digit years, dates without a year and whatever cannot be read become "[DATE]"; nothing passes.
#include <chrono>
#include <optional>

#include "core/base/clock.h"
#include "core/base/text.h"
#include "policies/detect/date_text.h"
#include "policies/mask/makers.h"

namespace mlops::mask {
namespace {

constexpr std::string_view kUnreadable = "[DATE]";
constexpr std::string_view kColumn = "column:";
constexpr std::int64_t kDefaultCap = 89;
constexpr int kFirstYear = 1800;
constexpr int kLastYear = 2199;

enum class Precision { kYear, kMonth };

struct YearMonth {
  int year = 0;
  int month = 0;  // 0: not known
};

// Of a whole cell: a date in any shape with a four-digit year, or a lone year.
std::optional<YearMonth> read_year_month(std::string_view cell) {
  cell = trim(cell);
  if (cell.size() == 4) {
    const auto year = parse_int(cell);
    if (year && *year >= kFirstYear && *year <= kLastYear) return YearMonth{static_cast<int>(*year), 0};
  }
  const auto date = detect::read_date(cell);
  if (!date || date->two_digit_year || date->year == 0) return std::nullopt;
  return YearMonth{date->year, date->month};
}

// Asked for each cell, since a policy lives longer than a year: no text is made of it.
int year_of(TimestampUs time_us) {
  const auto days = std::chrono::floor<std::chrono::days>(
      std::chrono::sys_time<std::chrono::microseconds>(std::chrono::microseconds(time_us)));
  return static_cast<int>(std::chrono::year_month_day(days).year());
}

// REQUIRES: the number has at most `digits`.
void append_digits(int number, std::size_t digits, std::string& out) {
  out.append(digits, '0');
  for (auto at = out.end(); number > 0; number /= 10) *--at = static_cast<char>('0' + number % 10);
}

struct Options {
  Precision to = Precision::kYear;
  int cap_age = 0;
  std::optional<int> reference_year;  // of the date given
  std::string reference_column;       // empty: none
  const Clock* clock = nullptr;       // of today
};

class DateTruncate : public Transform {
 public:
  explicit DateTruncate(Options options) : options_(std::move(options)) {}
  std::string_view id() const override { return "date_truncate"; }
  bool reads_row() const override { return !options_.reference_column.empty(); }
  std::string_view forbidden_under_safe_harbor() const override {
    if (options_.to == Precision::kMonth) return "date_truncate.to: only the year may stay";
    return options_.cap_age > kDefaultCap ? "date_truncate.cap_age: a year that shows an age above 89 goes too"
                                          : std::string_view{};
  }

  bool gains_by_batch() const override { return !reads_row(); }

  Result<std::string> apply(std::string_view cell, const CellContext& at) const override {
    std::string out;
    append(
        cell, [&] { return reference_year(at.row); }, out);
    return out;
  }

  Status append_batch(std::span<const std::string_view> cells, const ColumnKey&, Texts& out) const override {
    out.clear();
    const int year = fixed_year();
    for (const auto cell : cells) {
      append(
          cell, [&] { return year; }, out.bytes());
      out.end();
    }
    return {};
  }

 private:
  template <class ReferenceYear>
  void append(std::string_view cell, const ReferenceYear& reference_year, std::string& out) const {
    if (trim(cell).empty()) return;
    const auto date = read_year_month(cell);
    if (!date) {
      out += kUnreadable;
    } else if (reference_year() - date->year > options_.cap_age) {
      fmt::format_to(std::back_inserter(out), "{}+", options_.cap_age + 1);
    } else {
      append_digits(date->year, 4, out);
      if (options_.to == Precision::kYear || date->month == 0) return;
      out += '-';
      append_digits(date->month, 2, out);
    }
  }

  int fixed_year() const {
    return options_.reference_year ? *options_.reference_year : year_of(options_.clock->now_us());
  }

  int reference_year(const RowView& row) const {
    if (options_.reference_year) return *options_.reference_year;
    const auto cell = options_.reference_column.empty() ? std::nullopt : row.cell(options_.reference_column);
    const auto date = cell ? read_year_month(*cell) : std::nullopt;
    return date ? date->year : fixed_year();
  }

  Options options_;
};

const Clock& clock_of(const TransformContext& context) {
  static const SystemClock kSystem;
  return context.clock ? *context.clock : kSystem;
}

Status read_reference(const YamlNode& node, const TransformContext& context, Options& options) {
  MLOPS_ASSIGN(const auto text, yaml_string(node, context.origin, "reference"));
  if (text == "today") return {};
  if (text.starts_with(kColumn) && text.size() > kColumn.size()) {
    options.reference_column = text.substr(kColumn.size());
    return {};
  }
  const auto date = detect::read_date(text);
  if (text.size() == 10 && date && date->shape == detect::DateShape::kFull && date->year >= kFirstYear &&
      text[4] == '-') {
    options.reference_year = date->year;
    return {};
  }
  return fail(yaml_error(context.origin, node.mark, "bad_option",
                         "date_truncate.reference is `today`, a date YYYY-MM-DD or `column:NAME`"));
}

}  // namespace

Made make_date_truncate(const YamlNode& value, const TransformContext& context) {
  MLOPS_TRY(check_options(value, context, "date_truncate", {"to", "cap_age", "reference"}));
  Options options;
  const YamlNode* to = value.find("to");
  if (!to) return missing_option(value, context, "date_truncate", "to", "to: year, or to: month");
  MLOPS_ASSIGN(const auto precision, yaml_string(*to, context.origin, "to"));
  if (precision != "year" && precision != "month") {
    return fail(yaml_error(context.origin, to->mark, "bad_option", "date_truncate.to is `year` or `month`"));
  }
  options.to = precision == "year" ? Precision::kYear : Precision::kMonth;
  MLOPS_ASSIGN(const auto cap, int_option(value, context, "cap_age", kDefaultCap, {1, 150}));
  options.cap_age = static_cast<int>(cap);
  options.clock = &clock_of(context);
  if (const YamlNode* reference = value.find("reference")) MLOPS_TRY(read_reference(*reference, context, options));
  return std::unique_ptr<Transform>(std::make_unique<DateTruncate>(std::move(options)));
}

}  // namespace mlops::mask
