// What a partition says about re-identification: class sizes, the risk under three attackers, diversity and closeness
// of a sensitive column. Thread-safety: pure functions of values.
//
// Sources: k-anonymity (Sweeney 2002); prosecutor, journalist and marketer risk (El Emam, Guide to the
// De-Identification of Personal Health Information, 2013), with the figures that ARX reports; distinct, entropy and
// recursive (c,l)-diversity (Machanavajjhala et al. 2007); t-closeness with equal, ordered and hierarchical distance
// (Li, Li, Venkatasubramanian 2007).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "policies/risk/generalization.h"
#include "policies/risk/partition.h"

namespace mlops::risk {

struct ClassSizes {
  std::uint64_t units = 0;    // records, or subjects a class where the table has them
  std::uint64_t classes = 0;  // that are not empty
  std::uint64_t smallest = 0;
  std::uint64_t largest = 0;
  std::uint64_t unique = 0;   // units alone in their class
  std::uint64_t below_k = 0;  // units in classes smaller than k
  std::uint64_t classes_below_k = 0;
  // Units in classes of 1, 2–4, 5–10, 11–19, 20–99, 100 and more.
  static constexpr std::array<std::uint32_t, 6> kFrom{1, 2, 5, 11, 20, 100};
  std::array<std::uint64_t, 6> histogram{};
};
ClassSizes class_sizes(const Partition& part, std::uint64_t k);

// Shares of 1. The prosecutor knows the person is in the table; the journalist only that they are in the population;
// the marketer wants many, not one. Without a population the journalist knows what the prosecutor knows.
struct AttackerRisk {
  double highest = 0;
  double average = 0;  // the expected share of units told right
  double lowest = 0;
  double at_risk = 0;  // units whose risk is above 1/k
};
AttackerRisk prosecutor_risk(const Partition& part, std::uint64_t k);
// Classes by their size in `population`, or their own where the population has fewer. REQUIRES: same table and map.
AttackerRisk journalist_risk(const Partition& part, const Partition& population, std::uint64_t k);

struct Diversity {
  std::uint64_t distinct = 0;  // the least number of sensitive values in a class
  double entropy = 0;          // the least exp(entropy of the values in a class)
  double recursive_c = 0;  // the smallest c for which every class is (c,l)-diverse, exclusive; infinite when none is
};

enum class Distance { kAuto, kEqual, kOrdered, kHierarchical };
// "equal", "ordered", "hierarchical", "auto".
std::string_view to_word(Distance distance);
std::optional<Distance> distance_from_word(std::string_view word);

// One sensitive column over one table, prepared for any of its partitions.
class Sensitive {
 public:
  // kAuto: hierarchical with a hierarchy, ordered when every value is a number, else equal. Errors: kInvalid
  // "hierarchy_incomplete", "distance_needs_numbers", "distance_needs_hierarchy".
  static Result<Sensitive> create(const RiskTable& table, std::size_t column, Distance distance,
                                  const Hierarchy* hierarchy);

  struct ClassMeasure {
    std::uint64_t distinct = 0;
    double entropy = 0;
    double recursive_c = 0;
    double distance = 0;
  };
  // Of every class of the partition; empty classes give zeros. `l` is that of (c,l).
  std::vector<ClassMeasure> measure(const Partition& part, std::uint64_t l) const;
  Distance distance() const { return distance_; }
  const std::string& name() const { return name_; }

 private:
  struct Share {
    Code value;
    double count;
  };
  struct Whole {
    std::vector<double> shares;      // of each value in the whole partition
    std::vector<double> cumulative;  // [i]: of the values up to i
    std::vector<double> sums;        // [i]: of cumulative below i
  };
  Sensitive() = default;
  Status prepare_ordered(const TextInterner& values);
  Status prepare_hierarchical(const TextInterner& values, const Hierarchy& hierarchy);
  Whole whole_of(const Partition& part) const;
  double distance_of(const std::vector<Share>& present, double total, const Whole& whole) const;
  double ordered_distance(const std::vector<Share>& present, double total, const Whole& whole) const;
  double hierarchical_distance(const std::vector<Share>& present, double total, const Whole& whole) const;

  std::string name_;
  Distance distance_ = Distance::kEqual;
  std::vector<Code> value_of_joint_;  // joint → value, in rank order when ordered
  std::size_t value_count_ = 0;
  std::vector<std::vector<Code>> parent_;  // [level][node] → node of the next coarser level; the last has one node
  std::size_t height_ = 0;                 // of the hierarchy, with a root above several top values
};

// The worst class of each.
struct SensitiveSummary {
  Diversity diversity;
  double distance = 0;
};
SensitiveSummary summarize(const std::vector<Sensitive::ClassMeasure>& classes, const Partition& part);

}  // namespace mlops::risk
