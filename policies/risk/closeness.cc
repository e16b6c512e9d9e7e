// Distances between the sensitive values of a class and those of the whole table, for t-closeness.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/text.h"
#include "policies/risk/measures.h"

namespace mlops::risk {
namespace {

struct DistanceRow {
  Distance distance;
  std::string_view word;
};
constexpr DistanceRow kDistances[] = {{Distance::kAuto, "auto"},
                                      {Distance::kEqual, "equal"},
                                      {Distance::kOrdered, "ordered"},
                                      {Distance::kHierarchical, "hierarchical"}};

bool all_numbers(const TextInterner& values) {
  double ignored = 0;
  for (Code code = 0; code < values.size(); ++code) {
    if (!is_number(values.text(code), ignored)) return false;
  }
  return values.size() > 0;
}

// The sum of |p - cumulative[i]| for i in [from, to); `cumulative` never falls and sums[i] adds up what is below i.
double area(const std::vector<double>& cumulative, const std::vector<double>& sums, std::size_t from, std::size_t to,
            double p) {
  const auto begin = cumulative.begin();
  const auto cut = static_cast<std::size_t>(
      std::upper_bound(begin + static_cast<std::ptrdiff_t>(from), begin + static_cast<std::ptrdiff_t>(to), p) - begin);
  const double below = static_cast<double>(cut - from) * p - (sums[cut] - sums[from]);
  const double above = (sums[to] - sums[cut]) - static_cast<double>(to - cut) * p;
  return below + above;
}

bool has_one_top(const Hierarchy& hierarchy) {
  for (const auto& [value, forms] : hierarchy.rows) {
    if (forms.back() != hierarchy.rows.begin()->second.back()) return false;
  }
  return true;
}

}  // namespace

std::string_view to_word(Distance distance) {
  for (const auto& row : kDistances) {
    if (row.distance == distance) return row.word;
  }
  return {};
}

std::optional<Distance> distance_from_word(std::string_view word) {
  for (const auto& row : kDistances) {
    if (row.word == word) return row.distance;
  }
  return std::nullopt;
}

Result<Sensitive> Sensitive::create(const RiskTable& table, std::size_t column, Distance distance,
                                    const Hierarchy* hierarchy) {
  const auto& values = table.sensitive_values(column);
  Sensitive sensitive;
  sensitive.name_ = table.columns().sensitive[column];
  sensitive.value_count_ = values.size();
  sensitive.value_of_joint_.resize(table.joint_count());
  for (Code joint = 0; joint < table.joint_count(); ++joint)
    sensitive.value_of_joint_[joint] = table.sensitive_value(joint, column);
  if (distance == Distance::kAuto) {
    distance = hierarchy ? Distance::kHierarchical : all_numbers(values) ? Distance::kOrdered : Distance::kEqual;
  }
  sensitive.distance_ = distance;
  if (distance == Distance::kOrdered) MLOPS_TRY(sensitive.prepare_ordered(values));
  if (distance == Distance::kHierarchical) {
    if (!hierarchy) {
      return fail(ErrorCode::kInvalid, "distance_needs_hierarchy",
                  fmt::format("the hierarchical distance of {} needs a hierarchy", printable(sensitive.name_)));
    }
    MLOPS_TRY(sensitive.prepare_hierarchical(values, *hierarchy));
  }
  return sensitive;
}

// Values get their rank as number, equal numbers ("1" and "1.0") the same one.
Status Sensitive::prepare_ordered(const TextInterner& values) {
  if (values.size() > 0 && !all_numbers(values)) {
    return fail(ErrorCode::kInvalid, "distance_needs_numbers",
                fmt::format("{} has values that are no numbers, so they have no order", printable(name_)),
                "use the equal distance");
  }
  std::vector<double> numbers(values.size());
  for (Code code = 0; code < values.size(); ++code) is_number(values.text(code), numbers[code]);
  auto sorted = numbers;
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  for (auto& value : value_of_joint_) {
    value = static_cast<Code>(std::lower_bound(sorted.begin(), sorted.end(), numbers[value]) - sorted.begin());
  }
  value_count_ = sorted.size();
  return {};
}

Status Sensitive::prepare_hierarchical(const TextInterner& values, const Hierarchy& hierarchy) {
  std::vector<Code> node(values.size());
  std::iota(node.begin(), node.end(), Code{0});
  std::size_t nodes = values.size();
  height_ = hierarchy.levels + (has_one_top(hierarchy) ? 0 : 1);
  for (std::size_t level = 1; level <= hierarchy.levels && nodes > 1; ++level) {
    MLOPS_ASSIGN(const auto coarse, generalized(values, {Generalization::Kind::kLevel, level}, &hierarchy));
    std::vector<Code> parent(nodes, kNoCode);
    std::size_t count = 0;
    for (Code value = 0; value < values.size(); ++value) {
      auto& up = parent[node[value]];
      if (up != kNoCode && up != coarse[value]) {
        return fail(
            ErrorCode::kInvalid, "hierarchy_no_tree",
            fmt::format("the hierarchy of {} parts at level {} what an earlier level joined", printable(name_), level));
      }
      up = coarse[value];
      node[value] = coarse[value];
      count = std::max<std::size_t>(count, coarse[value] + std::size_t{1});
    }
    parent_.push_back(std::move(parent));
    nodes = count;
  }
  if (nodes > 1) parent_.emplace_back(nodes, Code{0});
  return {};
}

double Sensitive::distance_of(const std::vector<Share>& present, double total, const Whole& whole) const {
  if (distance_ == Distance::kOrdered) return ordered_distance(present, total, whole);
  if (distance_ == Distance::kHierarchical) return hierarchical_distance(present, total, whole);
  double apart = 0;
  double covered = 0;
  for (const auto& share : present) {
    apart += std::abs(share.count / total - whole.shares[share.value]);
    covered += whole.shares[share.value];
  }
  return (apart + std::max(0.0, 1 - covered)) / 2;
}

// Between two values that are present the class's cumulated share stands still, so each stretch is one area.
double Sensitive::ordered_distance(const std::vector<Share>& present, double total, const Whole& whole) const {
  if (value_count_ < 2) return 0;
  double apart = 0;
  double own = 0;
  std::size_t done = 0;  // values below this one are counted
  for (const auto& share : present) {
    apart += area(whole.cumulative, whole.sums, done, share.value, own);
    done = share.value;
    own += share.count / total;
  }
  apart += area(whole.cumulative, whole.sums, done, value_count_, own);
  return apart / static_cast<double>(value_count_ - 1);
}

// What a subtree has too much of moves to where it lacks at the height of their common ancestor.
double Sensitive::hierarchical_distance(const std::vector<Share>& present, double total, const Whole& whole) const {
  std::vector<double> extra(whole.shares.size());
  for (std::size_t i = 0; i < extra.size(); ++i) extra[i] = -whole.shares[i];
  for (const auto& share : present) extra[share.value] += share.count / total;
  double cost = 0;
  for (std::size_t level = 0; level < parent_.size(); ++level) {
    const auto& parent = parent_[level];
    const auto nodes = std::size_t{*std::max_element(parent.begin(), parent.end())} + 1;
    std::vector<double> gain(nodes);
    std::vector<double> lack(nodes);
    for (std::size_t child = 0; child < parent.size(); ++child) {
      (extra[child] > 0 ? gain : lack)[parent[child]] += std::abs(extra[child]);
    }
    const double height = static_cast<double>(level + 1) / static_cast<double>(height_);
    extra.assign(nodes, 0);
    for (std::size_t node = 0; node < nodes; ++node) {
      cost += height * std::min(gain[node], lack[node]);
      extra[node] = gain[node] - lack[node];
    }
  }
  return cost;
}

}  // namespace mlops::risk
