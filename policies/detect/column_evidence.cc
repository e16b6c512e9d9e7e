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

// log(e^a + e^b) without overflow.
double log_add(double a, double b) {
  return std::max(a, b) + std::log1p(std::exp(-std::abs(a - b)));
}

}  // namespace

double column_probability(std::uint64_t values, std::uint64_t passes, double false_positive) {
  if (values == 0) return 0;
  const auto n = static_cast<double>(values);
  const auto k = static_cast<double>(passes);
  double real = -1e300;
  for (const double rate : kRates) real = log_add(real, log_binomial(n, k, rate) - std::log(std::size(kRates)));
  // So many values that none of the rates fits exactly: any rate above the least.
  if (k >= kRates[0] * n) real = log_add(real, -std::log(n + 1));
  // Numbers made by some other rule may pass at any rate; the laxer the check, the likelier.
  const double made = std::pow(false_positive, 4);
  const double by_chance = std::log1p(-std::min(made, 1 - 1e-12)) + log_binomial(n, k, false_positive);
  const double by_rule = std::log(made) - std::log(n + 1);
  const double log_odds = std::log(kPriorOdds) + real - log_add(by_chance, by_rule);
  return 1 / (1 + std::exp(-log_odds));
}

}  // namespace mlops::detect
