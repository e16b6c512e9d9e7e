#include "policies/risk/measures.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mlops::risk {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

double ratio(double part, double whole) {
  return whole > 0 ? part / whole : 0;
}

}  // namespace

ClassSizes class_sizes(const Partition& part, std::uint64_t k) {
  ClassSizes sizes;
  for (const std::uint64_t size : part.sizes) {
    if (size == 0) continue;
    ++sizes.classes;
    sizes.units += size;
    sizes.smallest = sizes.classes == 1 ? size : std::min(sizes.smallest, size);
    sizes.largest = std::max(sizes.largest, size);
    sizes.unique += size == 1;
    if (size < k) {
      sizes.below_k += size;
      ++sizes.classes_below_k;
    }
    std::size_t bin = ClassSizes::kFrom.size() - 1;
    while (size < ClassSizes::kFrom[bin]) --bin;
    sizes.histogram[bin] += size;
  }
  return sizes;
}

AttackerRisk prosecutor_risk(const Partition& part, std::uint64_t k) {
  return journalist_risk(part, part, k);
}

AttackerRisk journalist_risk(const Partition& part, const Partition& population, std::uint64_t k) {
  AttackerRisk risk;
  double units = 0;
  double told = 0;
  double above = 0;
  for (std::size_t id = 0; id < part.sizes.size(); ++id) {
    const double own = part.sizes[id];
    if (own == 0) continue;
    const double among = std::max<double>(own, population.sizes[id]);
    const double single = 1 / among;
    risk.lowest = units == 0 ? single : std::min(risk.lowest, single);
    risk.highest = std::max(risk.highest, single);
    units += own;
    told += own * single;
    if (among < static_cast<double>(k)) above += own;
  }
  risk.average = ratio(told, units);
  risk.at_risk = ratio(above, units);
  return risk;
}

SensitiveSummary summarize(const std::vector<Sensitive::ClassMeasure>& classes, const Partition& part) {
  SensitiveSummary summary;
  bool first = true;
  for (std::size_t id = 0; id < classes.size(); ++id) {
    if (part.sizes[id] == 0) continue;
    const auto& one = classes[id];
    auto& worst = summary.diversity;
    worst.distinct = first ? one.distinct : std::min(worst.distinct, one.distinct);
    worst.entropy = first ? one.entropy : std::min(worst.entropy, one.entropy);
    worst.recursive_c = std::max(worst.recursive_c, one.recursive_c);
    summary.distance = std::max(summary.distance, one.distance);
    first = false;
  }
  return summary;
}

Sensitive::Whole Sensitive::whole_of(const Partition& part) const {
  Whole whole{std::vector<double>(value_count_), {}, {0}};
  for (const auto& group : part.groups) whole.shares[value_of_joint_[group.joint]] += group.count;
  double up_to = 0;
  for (auto& share : whole.shares) {
    share = ratio(share, static_cast<double>(part.records));
    up_to += share;
    whole.cumulative.push_back(up_to);
    whole.sums.push_back(whole.sums.back() + up_to);
  }
  return whole;
}

namespace {

struct Spread {
  double entropy = 0;
  double recursive_c = 0;
};

// `counts` is sorted as a side effect.
Spread spread_of(std::vector<double>& counts, double total, std::uint64_t l) {
  Spread spread;
  double bits = 0;
  for (const auto count : counts) bits -= count / total * std::log(count / total);
  spread.entropy = std::exp(bits);
  std::sort(counts.begin(), counts.end(), std::greater<>());
  double tail = 0;
  for (std::size_t i = l == 0 ? 0 : l - 1; i < counts.size(); ++i) tail += counts[i];
  spread.recursive_c = tail > 0 ? counts.front() / tail : kInfinite;
  return spread;
}

// Sorts by value and adds up what has the same. REQUIRES: not empty.
template <class Share>
void merge_equal(std::vector<Share>& present) {
  std::sort(present.begin(), present.end(), [](const Share& a, const Share& b) { return a.value < b.value; });
  std::size_t kept = 0;
  for (std::size_t i = 1; i < present.size(); ++i) {
    if (present[i].value == present[kept].value) {
      present[kept].count += present[i].count;
    } else {
      present[++kept] = present[i];
    }
  }
  present.resize(kept + 1);
}

}  // namespace

std::vector<Sensitive::ClassMeasure> Sensitive::measure(const Partition& part, std::uint64_t l) const {
  std::vector<ClassMeasure> out(part.class_count);
  const auto whole = whole_of(part);
  std::vector<Share> present;
  std::vector<double> counts;
  std::size_t at = 0;
  for (Code id = 0; id < part.class_count; ++id) {
    const auto groups = part.groups_of(id, at);
    if (groups.empty()) continue;
    present.clear();
    double total = 0;
    for (const auto& group : groups) {
      present.push_back({value_of_joint_[group.joint], static_cast<double>(group.count)});
      total += group.count;
    }
    merge_equal(present);
    counts.clear();
    for (const auto& share : present) counts.push_back(share.count);
    const auto spread = spread_of(counts, total, l);
    out[id] = {present.size(), spread.entropy, spread.recursive_c, distance_of(present, total, whole)};
  }
  return out;
}

}  // namespace mlops::risk
