// generalize: one of {zip3: {census: union|2020|2010|2000}}, {age_cap: 89 | {cap: 89, label: "90+"}},
// {bucket: {width: 10}}, {hierarchy: {values: …}} (hierarchy.cc).
#include <charconv>
#include <cmath>
#include <optional>

#include "core/base/text.h"
#include "policies/mask/makers.h"
#include "policies/mask/plain_transform.h"
#include "policies/mask/zip3_rule.h"

namespace mlops::mask {
namespace {

constexpr double kLargestNumber = 1e15;  // exact in a double, and in an int64 after rounding
constexpr std::int64_t kAgeCap = 89;
constexpr std::int64_t kLeastWidth = 2;  // of one, whole numbers would stay as they are

std::optional<double> read_number(std::string_view cell) {
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc() || end != cell.data() + cell.size()) return std::nullopt;
  if (!std::isfinite(value) || std::fabs(value) > kLargestNumber) return std::nullopt;
  return value;
}

class Zip3 : public PlainTransform {
 public:
  explicit Zip3(Census census) : census_(census) {}
  std::string_view id() const override { return "generalize"; }
  void append(std::string_view cell, std::string& out) const override { out += zip3_of(cell, census_); }

 private:
  Census census_;
};

// Ages above the cap share one label. A fraction of a year above it counts as above; what is no age becomes "[AGE]".
class AgeCap : public PlainTransform {
 public:
  AgeCap(std::int64_t cap, std::string label) : cap_(cap), label_(std::move(label)) {}
  std::string_view id() const override { return "generalize"; }
  std::string_view forbidden_under_safe_harbor() const override {
    return cap_ > kAgeCap ? "generalize.age_cap: ages above 89 must share one label" : std::string_view{};
  }
  void append(std::string_view cell, std::string& out) const override {
    cell = trim(cell);
    if (cell.empty()) return;
    const auto age = cell == label_ ? std::nullopt : read_number(cell);
    if (cell != label_ && (!age || *age < 0)) {
      out += "[AGE]";
    } else {
      out += age && *age > static_cast<double>(cap_) ? label_ : cell;
    }
  }

 private:
  std::int64_t cap_;
  std::string label_;
};

// 47 → "40-49" with a width of 10; what is no number becomes "[VALUE]".
class Bucket : public PlainTransform {
 public:
  explicit Bucket(std::int64_t width) : width_(width) {}
  std::string_view id() const override { return "generalize"; }
  void append(std::string_view cell, std::string& out) const override {
    cell = trim(cell);
    if (cell.empty()) return;
    const auto value = read_number(cell);
    if (!value) {
      out += "[VALUE]";
      return;
    }
    const auto low = static_cast<std::int64_t>(std::floor(*value / static_cast<double>(width_))) * width_;
    fmt::format_to(std::back_inserter(out), "{}-{}", low, low + width_ - 1);
  }

 private:
  std::int64_t width_;
};

Made make_zip3(const YamlNode& value, const TransformContext& context) {
  MLOPS_TRY(check_options(value, context, "generalize.zip3", {"census"}));
  MLOPS_ASSIGN(const auto word, text_option(value, context, "census", "union"));
  const auto census = census_from_word(word);
  if (!census) {
    return fail(yaml_error(context.origin, value.mark, "bad_option", "zip3.census is union, 2020, 2010 or 2000"));
  }
  return std::unique_ptr<Transform>(std::make_unique<Zip3>(*census));
}

Made make_age_cap(const YamlNode& value, const TransformContext& context) {
  constexpr IntRange kCaps{1, 150};
  std::int64_t cap = kAgeCap;
  if (value.is_scalar()) {
    MLOPS_ASSIGN(cap, yaml_int(value, context.origin, "age_cap", kCaps.min, kCaps.max));
    return std::unique_ptr<Transform>(std::make_unique<AgeCap>(cap, fmt::format("{}+", cap + 1)));
  }
  MLOPS_TRY(check_options(value, context, "generalize.age_cap", {"cap", "label"}));
  MLOPS_ASSIGN(cap, int_option(value, context, "cap", kAgeCap, kCaps));
  MLOPS_ASSIGN(auto label, text_option(value, context, "label", fmt::format("{}+", cap + 1)));
  return std::unique_ptr<Transform>(std::make_unique<AgeCap>(cap, std::move(label)));
}

Made make_bucket(const YamlNode& value, const TransformContext& context) {
  MLOPS_TRY(check_options(value, context, "generalize.bucket", {"width"}));
  if (!value.find("width"))
    return missing_option(value, context, "generalize.bucket", "width", "for example {bucket: {width: 10}}");
  MLOPS_ASSIGN(const auto width, int_option(value, context, "width", kLeastWidth, {kLeastWidth, 1'000'000'000}));
  return std::unique_ptr<Transform>(std::make_unique<Bucket>(width));
}

struct GeneralizeRow {
  std::string_view id;
  Made (*make)(const YamlNode& value, const TransformContext& context);
};
constexpr GeneralizeRow kWays[] = {
    {"zip3", make_zip3}, {"age_cap", make_age_cap}, {"bucket", make_bucket}, {"hierarchy", make_hierarchy}};

}  // namespace

Made make_generalize(const YamlNode& value, const TransformContext& context) {
  MLOPS_TRY(check_options(value, context, "generalize", {"zip3", "age_cap", "bucket", "hierarchy"}));
  if (!value.is_map() || value.entries.size() != 1) {
    return missing_option(value, context, "generalize", "zip3, age_cap, bucket or hierarchy", "exactly one of them");
  }
  for (const auto& way : kWays) {
    if (const YamlNode* options = value.find(way.id)) return way.make(*options, context);
  }
  return fail(ErrorCode::kInternal, "generalize_way", "an option without a maker");
}

}  // namespace mlops::mask
