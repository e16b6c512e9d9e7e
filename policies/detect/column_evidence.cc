#include "policies/detect/column_evidence.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace mlops::detect {
namespace {

constexpr double kPriorOdds = 1.0 / 99;
// The pass rates a real column of identifiers shows, equally likely.
constexpr double kRates[] = {0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.995};

double log_binomial(double n, double k, double rate) {
  rate = std::clamp(rate, 1e-12, 1 - 1e-12);
  return std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) + k * std::log(rate) +
         (n - k) * std::log1p(-rate);
}

}  // namespace

double column_probability(std::uint64_t values, std::uint64_t passes, double false_positive) {
  if (values == 0) return 0;
  const auto n = static_cast<double>(values);
  const auto k = static_cast<double>(passes);
  double real = 0;
  for (const double rate : kRates) real += std::exp(log_binomial(n, k, rate)) / std::size(kRates);
  // Numbers made by some other rule may pass at any rate; the laxer the check, the likelier.
  const double made = false_positive * false_positive * false_positive;
  const double chance = (1 - made) * std::exp(log_binomial(n, k, false_positive)) + made / (n + 1);
  if (real == 0) return 0;
  const double odds = kPriorOdds * real / std::max(chance, 1e-300);
  return odds / (1 + odds);
}

}  // namespace mlops::detect
