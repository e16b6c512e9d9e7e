// perturb: {key: NAME, scale: S, noise?: uniform | laplace}. Adds noise to a number: uniform within ±S, or Laplace with
// scale S (cut at 20 S). The number keeps its count of decimals and never comes out as it went in.
//
// The noise follows from the key, the column and the value with its record, so a run can be repeated; the evidence
// names the key's id as its seed. This is no differential privacy: nothing bounds what many such numbers tell together,
// and none is claimed. What is no plain decimal number becomes "[VALUE]".
#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/base/text.h"
#include "policies/mask/choice.h"
#include "policies/mask/makers.h"

namespace mlops::mask {
namespace {

constexpr std::string_view kNoNumber = "[VALUE]";
constexpr double kLargest = 1e12;
constexpr std::size_t kMostDecimals = 12;
constexpr double kLaplaceCut = 20;

enum class Noise { kUniform, kLaplace };

struct Decimal {
  double value = 0;
  int decimals = 0;
};

// -12.50 and the like; no exponent, no grouping.
std::optional<Decimal> read_decimal(std::string_view cell) {
  if (cell.find_first_not_of("0123456789.-") != std::string_view::npos) return std::nullopt;
  Decimal number;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), number.value);
  if (error != std::errc() || end != cell.data() + cell.size() || std::fabs(number.value) > kLargest) {
    return std::nullopt;
  }
  const auto point = cell.find('.');
  const std::size_t decimals = point == std::string_view::npos ? 0 : cell.size() - point - 1;
  if (decimals > kMostDecimals) return std::nullopt;
  number.decimals = static_cast<int>(decimals);
  return number;
}

class Perturb : public Transform {
 public:
  Perturb(std::string key, double scale, Noise noise) : key_(std::move(key)), scale_(scale), noise_(noise) {}
  std::string_view id() const override { return "perturb"; }
  std::string_view key_name() const override { return key_; }
  bool looks_real() const override { return true; }
  std::string_view forbidden_under_safe_harbor() const override {
    return "perturb: a number near the identifier is derived from it";
  }

  Result<std::string> apply(std::string_view cell, const CellContext& at) const override {
    cell = trim(cell);
    if (cell.empty()) return std::string();
    const auto number = read_decimal(cell);
    if (!number || at.key.empty()) {
      if (at.counts) ++at.counts->placeholders;
      return std::string(kNoNumber);
    }
    const double added = noise_of(at.key, fmt::format("{} {}", at.record, cell));
    auto out = fmt::format("{:.{}f}", number->value + added, number->decimals);
    const double same = std::strtod(out.c_str(), nullptr);
    if (same != number->value) return out;
    // Rounded away: the smallest step that shows.
    const double step = std::copysign(std::pow(10.0, -number->decimals), added);
    return fmt::format("{:.{}f}", number->value + step, number->decimals);
  }

 private:
  double noise_of(const WorkingKey& key, const std::string& text) const {
    const auto mac = choose(key, "perturb", text);
    const double sign = choice_below(mac, 1, 2) == 0 ? 1 : -1;
    if (noise_ == Noise::kUniform) return sign * scale_ * choice_unit(mac, 0);
    return sign * scale_ * std::min(kLaplaceCut, -std::log1p(-choice_unit(mac, 0)));
  }

  std::string key_;
  double scale_;
  Noise noise_;
};

}  // namespace

Made make_perturb(const YamlNode& value, const TransformContext& context) {
  MLOPS_TRY(check_options(value, context, "perturb", {"key", "scale", "noise"}));
  MLOPS_ASSIGN(auto key, key_option(value, context, "perturb"));
  const YamlNode* node = value.find("scale");
  if (!node) return missing_option(value, context, "perturb", "scale", "how far a number moves, in its own unit");
  MLOPS_ASSIGN(const auto scale, yaml_double(*node, context.origin, "scale"));
  if (!(scale > 0) || scale > kLargest) {
    return fail(yaml_error(context.origin, node->mark, "bad_option", "perturb.scale is more than 0, at most 1e12"));
  }
  MLOPS_ASSIGN(const auto noise, word_option(value, context, "perturb", "noise", {"uniform", "laplace"}));
  return std::unique_ptr<Transform>(
      std::make_unique<Perturb>(std::move(key), scale, noise == 0 ? Noise::kUniform : Noise::kLaplace));
}

}  // namespace mlops::mask
