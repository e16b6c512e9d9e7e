// What a release must satisfy before it leaves, and the report of whether it does: `spec.risk` of a policy as data.
//
// A report holds column names and counts, never a value, so it may be logged, shown and kept as evidence.
// Thread-safety: values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "policies/risk/measures.h"

namespace mlops::risk {

struct DiversityRequirement {
  enum class Kind { kDistinct, kEntropy, kRecursive };
  std::string attr;
  Kind kind = Kind::kDistinct;
  double min = 1;  // l
  double c = 0;    // of (c,l)
};
std::string_view to_word(DiversityRequirement::Kind kind);  // "distinct", "entropy", "recursive"
std::optional<DiversityRequirement::Kind> diversity_from_word(std::string_view word);

struct ClosenessRequirement {
  std::string attr;
  double max = 1;
  Distance distance = Distance::kAuto;
};

enum class OnFail { kSuppressRecords, kDeny };

struct RiskRequirement {
  std::vector<std::string> quasi;
  std::string subject;  // a column that names whom a record is about; k then counts subjects, not records
  std::uint64_t k = 2;
  std::vector<DiversityRequirement> l;
  std::vector<ClosenessRequirement> t;
  OnFail on_fail = OnFail::kDeny;
  double max_suppressed = 0.1;  // share of records; beyond it suppression is a failure too

  std::map<std::string, Generalization> generalize;  // quasi-identifier → as it is looked at
  std::map<std::string, Hierarchy> hierarchies;      // by column, quasi or sensitive

  // The columns whose cells a RiskTable for this requirement takes: sensitive ones once each.
  RiskColumns columns() const;
};

struct DiversityReport {
  std::string attr;
  std::uint64_t distinct_values = 0;  // of the column
  Diversity diversity;
  std::uint64_t l = 0;  // the one recursive_c is for
};

struct ClosenessReport {
  std::string attr;
  double distance = 0;  // of the class that is furthest
  Distance kind = Distance::kEqual;
};

// Of one partition: the table, the union of two versions, what was added, what was removed.
struct PartReport {
  std::uint64_t records = 0;
  ClassSizes sizes;
  AttackerRisk prosecutor;
  std::vector<DiversityReport> diversity;  // one a rule of the requirement
  std::vector<ClosenessReport> closeness;
};

struct VersionsReport {
  PartReport whole_union;
  PartReport added;
  PartReport removed;
  std::uint64_t shrunk_classes = 0;     // at least k before, fewer than k but some now
  std::uint64_t isolating_classes = 0;  // whose added or removed units are some but fewer than k
  std::uint64_t isolated = 0;           // those units
};

struct Shortfall {
  std::string rule;  // "k", "l", "t", "shrunk", "isolated", "union_k", "union_l", "union_t", "suppression"
  std::string attr;
  double need = 0;
  double have = 0;
};

struct RiskReport {
  RiskRequirement requirement;
  PartReport table;
  std::optional<AttackerRisk> journalist;  // with a population
  std::optional<VersionsReport> versions;
  std::vector<Shortfall> shortfalls;
  std::uint64_t suppress_records = 0;  // how many must go for k, l and t to hold
  bool is_suppressed = false;          // the figures are those of what is left

  bool is_met() const { return shortfalls.empty(); }
};
Json to_json(const RiskReport& report);

}  // namespace mlops::risk
