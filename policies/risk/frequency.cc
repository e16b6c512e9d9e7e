#include "policies/risk/frequency.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace mlops::risk {
namespace {

constexpr double kRounding = 1e-9;

}  // namespace

Frequencies frequencies(const RiskTable& table, const std::string& column, const std::vector<bool>& left_out) {
  const auto index = *table.sensitive_index(column);
  const auto& values = table.sensitive_values(index);
  std::vector<std::uint64_t> counts(values.size());
  const auto& joints = table.version(0).joint_of;
  for (std::size_t record = 0; record < joints.size(); ++record) {
    if (record < left_out.size() && left_out[record]) continue;
    ++counts[table.sensitive_value(joints[record], index)];
  }
  Frequencies found{.column = column};
  std::unordered_map<std::uint64_t, std::uint64_t> as_often;  // count → pseudonyms with it
  for (Code code = 0; code < counts.size(); ++code) {
    if (counts[code] == 0 || values.text(code).empty()) continue;
    found.records += counts[code];
    found.commonest = std::max(found.commonest, counts[code]);
    ++found.distinct;
    ++as_often[counts[code]];
  }
  if (found.records == 0) return found;
  const auto records = static_cast<double>(found.records);
  for (const auto& [count, pseudonyms] : as_often) {
    const double share = static_cast<double>(count) / records;
    found.entropy_bits -= static_cast<double>(pseudonyms) * share * std::log2(share);
    if (pseudonyms == 1) found.told_by_count += count;
  }
  found.entropy_bits = std::max(found.entropy_bits, 0.0);  // never "-0"
  found.min_entropy_bits = std::log2(records / static_cast<double>(found.commonest));
  return found;
}

bool leaves(const Frequencies& frequencies, double min_entropy_bits) {
  return frequencies.records == 0 || frequencies.min_entropy_bits >= min_entropy_bits - kRounding;
}

Json to_json(const Frequencies& frequencies) {
  return {{"column", frequencies.column},
          {"records", frequencies.records},
          {"distinct", frequencies.distinct},
          {"commonest", frequencies.commonest},
          {"entropy_bits", frequencies.entropy_bits},
          {"min_entropy_bits", frequencies.min_entropy_bits},
          {"told_by_count", frequencies.told_by_count}};
}

}  // namespace mlops::risk
