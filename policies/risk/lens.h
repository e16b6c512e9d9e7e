// A requirement made ready for one table: its generalisation as a map of classes, its sensitive columns prepared.
// Private to policies/risk. Immutable once made; borrows the table and the requirement. Errors: kInvalid
// "quasi_missing", "attribute_missing", those of generalised() and Sensitive::create().
#pragma once

#include <vector>

#include "policies/risk/requirement.h"

namespace mlops::risk {

class Lens {
 public:
  static Result<Lens> create(const RiskTable& table, const RiskRequirement& requirement);

  const ClassMap& map() const { return map_; }
  // Of the i-th rule of requirement.l or .t.
  std::vector<Sensitive::ClassMeasure> measure_l(std::size_t index, const Partition& part) const;
  std::vector<Sensitive::ClassMeasure> measure_t(std::size_t index, const Partition& part) const;
  PartReport report(const Partition& part) const { return report(part, part); }
  // Of the classes that `here` keeps, their distances measured against the whole of `part`.
  PartReport report_of(const Partition& part, const ClassMap& here) const { return report(part, regroup(part, here)); }

 private:
  Lens(const RiskTable& table, const RiskRequirement& requirement) : table_(&table), requirement_(&requirement) {}
  PartReport report(const Partition& whole, const Partition& counted) const;

  const RiskTable* table_;
  const RiskRequirement* requirement_;
  ClassMap map_;
  std::vector<Sensitive> l_;
  std::vector<Sensitive> t_;
};

}  // namespace mlops::risk
