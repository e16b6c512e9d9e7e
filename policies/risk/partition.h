// The equivalence classes of one version, of the union of two, or of what one has and the other lacks: sizes and the
// sensitive values in each. Thread-safety: values and pure functions.
//
// A size counts records, or distinct subjects where the table has a subject column. Two versions are multisets: a
// record in both counts once in their union (the larger count), and only the surplus is in a difference.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "policies/risk/risk_table.h"

namespace mlops::risk {

struct Partition {
  // Records of one class with the same sensitive values together.
  struct Group {
    Code class_id = 0;
    Code joint = 0;
    std::uint32_t count = 0;
    friend bool operator==(const Group&, const Group&) = default;
  };
  std::size_t class_count = 0;
  std::vector<Group> groups;           // by class, then joint
  std::vector<std::uint64_t> members;  // class << 32 | subject, sorted, distinct; empty without a subject column
  std::vector<std::uint32_t> sizes;    // of every class; 0: the class is not here
  std::uint64_t records = 0;

  // The groups of each class, in order: call once a class from 0 with the same `at`, which begins at 0.
  std::span<const Group> groups_of(Code class_id, std::size_t& at) const;
};

// Where each class of the table goes: the same number, fewer numbers (generalised), or kNoCode (suppressed).
struct ClassMap {
  std::vector<Code> to;
  std::size_t count = 0;
};
ClassMap identity_map(const RiskTable& table);

Partition partition(const RiskTable& table, std::size_t version, const ClassMap& map);
// The classes of `from` merged or left out by `map`. REQUIRES: map.to.size() == from.class_count.
Partition regroup(const Partition& from, const ClassMap& map);
// REQUIRES: both of the same table and map.
Partition union_of(const Partition& a, const Partition& b);
Partition difference_of(const Partition& a, const Partition& b);  // in a and not in b

}  // namespace mlops::risk
