#include "policies/risk/lens.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/text.h"

namespace mlops::risk {
namespace {

const Hierarchy* hierarchy_of(const RiskRequirement& requirement, const std::string& column) {
  const auto found = requirement.hierarchies.find(column);
  return found == requirement.hierarchies.end() ? nullptr : &found->second;
}

Result<Sensitive> sensitive_of(const RiskTable& table, const RiskRequirement& requirement, const std::string& attr,
                               Distance distance) {
  const auto index = table.sensitive_index(attr);
  if (!index) {
    return fail(ErrorCode::kInvalid, "attribute_missing",
                fmt::format("the table has no sensitive column '{}'", printable(attr)));
  }
  return Sensitive::create(table, *index, distance, hierarchy_of(requirement, attr));
}

std::uint64_t whole_l(double min) {
  return static_cast<std::uint64_t>(std::max(1.0, std::ceil(min)));
}

// Without a rule for l the recursive figure is told for l = 2.
constexpr std::uint64_t kUsualL = 2;

Status check_generalized(const RiskRequirement& requirement) {
  for (const auto& [column, how] : requirement.generalize) {
    if (std::find(requirement.quasi.begin(), requirement.quasi.end(), column) != requirement.quasi.end()) continue;
    return fail(ErrorCode::kInvalid, "quasi_missing",
                fmt::format("'{}' is generalised but is no quasi-identifier", printable(column)));
  }
  return {};
}

}  // namespace

Result<Lens> Lens::create(const RiskTable& table, const RiskRequirement& requirement) {
  if (requirement.quasi.empty() || requirement.quasi != table.columns().quasi) {
    return fail(ErrorCode::kInvalid, "quasi_missing",
                "the table was not read with the requirement's quasi-identifiers");
  }
  MLOPS_TRY(check_generalized(requirement));
  Lens lens(table, requirement);
  std::vector<std::vector<Code>> codes;
  for (std::size_t i = 0; i < requirement.quasi.size(); ++i) {
    const auto& column = requirement.quasi[i];
    const auto how = requirement.generalize.find(column);
    MLOPS_ASSIGN(auto mapped, generalized(table.quasi_values(i),
                                          how == requirement.generalize.end() ? Generalization{} : how->second,
                                          hierarchy_of(requirement, column)));
    codes.push_back(std::move(mapped));
  }
  lens.map_ = class_map(table, codes);
  for (const auto& rule : requirement.l) {
    MLOPS_ASSIGN(auto sensitive, sensitive_of(table, requirement, rule.attr, Distance::kAuto));
    lens.l_.push_back(std::move(sensitive));
  }
  for (const auto& rule : requirement.t) {
    MLOPS_ASSIGN(auto sensitive, sensitive_of(table, requirement, rule.attr, rule.distance));
    lens.t_.push_back(std::move(sensitive));
  }
  return lens;
}

std::vector<Sensitive::ClassMeasure> Lens::measure_l(std::size_t index, const Partition& part) const {
  return l_[index].measure(part, whole_l(requirement_->l[index].min));
}

std::vector<Sensitive::ClassMeasure> Lens::measure_t(std::size_t index, const Partition& part) const {
  return t_[index].measure(part, kUsualL);
}

PartReport Lens::report(const Partition& whole, const Partition& counted) const {
  PartReport report;
  report.records = counted.records;
  report.sizes = class_sizes(counted, requirement_->k);
  report.prosecutor = prosecutor_risk(counted, requirement_->k);
  for (std::size_t i = 0; i < l_.size(); ++i) {
    const auto values = table_->sensitive_values(*table_->sensitive_index(l_[i].name())).size();
    const auto worst = summarize(measure_l(i, whole), counted);
    report.diversity.push_back({l_[i].name(), values, worst.diversity, whole_l(requirement_->l[i].min)});
  }
  for (std::size_t i = 0; i < t_.size(); ++i) {
    const auto worst = summarize(measure_t(i, whole), counted);
    report.closeness.push_back({t_[i].name(), worst.distance, t_[i].distance()});
  }
  return report;
}

}  // namespace mlops::risk
