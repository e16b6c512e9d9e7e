#include "policies/risk/risk_table.h"

#include <fmt/format.h>

#include <algorithm>

namespace mlops::risk {
namespace {

constexpr std::size_t kRecordsBetweenChecks = 4096;
constexpr std::size_t kMaxRecords = kNoCode - 1;

template <class Columns>
std::vector<TextInterner> interners(const Columns& columns, std::uint64_t seed) {
  std::vector<TextInterner> list;
  list.reserve(columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) list.emplace_back(seed);
  return list;
}

}  // namespace

RiskTable::RiskTable(RiskColumns columns, std::size_t max_bytes)
    : columns_(std::move(columns)),
      max_bytes_(max_bytes),
      seed_(hash_seed()),
      quasi_(interners(columns_.quasi, seed_)),
      sensitive_(interners(columns_.sensitive, seed_)),
      subjects_(seed_),
      classes_(columns_.quasi.size(), seed_),
      joints_(columns_.sensitive.size(), seed_) {}

std::size_t RiskTable::add_version() {
  versions_.emplace_back();
  return versions_.size() - 1;
}

std::size_t RiskTable::cell_count() const {
  return columns_.quasi.size() + columns_.sensitive.size() + (has_subject() ? 1 : 0);
}

Status RiskTable::add(std::span<const std::string_view> cells) {
  auto& version = versions_.back();
  scratch_.clear();
  for (std::size_t i = 0; i < quasi_.size(); ++i) scratch_.push_back(quasi_[i].code_of(cells[i]));
  version.class_of.push_back(classes_.code_of(scratch_));
  scratch_.clear();
  for (std::size_t i = 0; i < sensitive_.size(); ++i)
    scratch_.push_back(sensitive_[i].code_of(cells[quasi_.size() + i]));
  version.joint_of.push_back(joints_.code_of(scratch_));
  if (has_subject()) version.subject_of.push_back(subjects_.code_of(cells.back()));
  const bool check = ++records_ % kRecordsBetweenChecks == 0;
  if (!check || (records_ < kMaxRecords && size_bytes() <= max_bytes_)) return {};
  return fail(ErrorCode::kExhausted, "risk_table_too_large",
              fmt::format("the table needs more than {} bytes of memory at record {}", max_bytes_, records_),
              "name fewer quasi-identifiers, or generalise them first");
}

std::optional<std::size_t> RiskTable::sensitive_index(std::string_view name) const {
  const auto found = std::find(columns_.sensitive.begin(), columns_.sensitive.end(), name);
  if (found == columns_.sensitive.end()) return std::nullopt;
  return static_cast<std::size_t>(found - columns_.sensitive.begin());
}

std::size_t RiskTable::size_bytes() const {
  std::size_t bytes = classes_.size_bytes() + joints_.size_bytes() + subjects_.size_bytes();
  for (const auto& interner : quasi_) bytes += interner.size_bytes();
  for (const auto& interner : sensitive_) bytes += interner.size_bytes();
  for (const auto& version : versions_) {
    bytes += (version.class_of.capacity() + version.joint_of.capacity() + version.subject_of.capacity()) * sizeof(Code);
  }
  return bytes;
}

}  // namespace mlops::risk
