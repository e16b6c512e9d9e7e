// One or several versions of a table as the risk of re-identification sees them: each record is the number of its
// equivalence class (equal in every quasi-identifier), of its sensitive values, and of its subject.
//
// Values are compared byte for byte; an empty cell is a value like any other. All versions share one numbering, so that
// their union and difference are exact. Values stay inside: what measures give back are counts and record numbers.
// Memory: 8 bytes a record (12 with a subject), 4 bytes a quasi-identifier and 12 more a class, and each distinct value
// once; beyond `max_bytes` add() gives kExhausted "risk_table_too_large". Thread-safety: add() from one thread; const
// methods from any once no more is added.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "policies/risk/interner.h"

namespace mlops::risk {

struct RiskColumns {
  std::vector<std::string> quasi;
  std::vector<std::string> sensitive;
  std::string subject;  // empty: every record is a subject of its own
};

class RiskTable {
 public:
  explicit RiskTable(RiskColumns columns, std::size_t max_bytes = std::size_t{4} << 30);

  // Starts a version and gives its number, from 0.
  std::size_t add_version();
  // A record of the latest version: the cells of quasi, sensitive and, when there is one, subject, in that order.
  // REQUIRES: a version was added; cells.size() == cell_count().
  Status add(std::span<const std::string_view> cells);

  const RiskColumns& columns() const { return columns_; }
  std::size_t cell_count() const;
  std::size_t versions() const { return versions_.size(); }
  std::size_t records(std::size_t version) const { return versions_[version].class_of.size(); }

  struct Version {
    std::vector<Code> class_of;    // a record
    std::vector<Code> joint_of;    // its sensitive values together
    std::vector<Code> subject_of;  // empty without a subject column
  };
  const Version& version(std::size_t index) const { return versions_[index]; }

  std::size_t class_count() const { return classes_.size(); }
  std::span<const Code> class_values(Code id) const { return classes_.tuple(id); }
  const TextInterner& quasi_values(std::size_t column) const { return quasi_[column]; }
  std::size_t joint_count() const { return joints_.size(); }
  Code sensitive_value(Code joint, std::size_t column) const { return joints_.tuple(joint)[column]; }
  const TextInterner& sensitive_values(std::size_t column) const { return sensitive_[column]; }
  std::optional<std::size_t> sensitive_index(std::string_view name) const;
  bool has_subject() const { return !columns_.subject.empty(); }
  std::size_t size_bytes() const;

 private:
  RiskColumns columns_;
  std::size_t max_bytes_;
  std::uint64_t seed_;
  std::vector<TextInterner> quasi_;
  std::vector<TextInterner> sensitive_;
  TextInterner subjects_;
  TupleInterner classes_;
  TupleInterner joints_;
  std::vector<Version> versions_;
  std::vector<Code> scratch_;
  std::size_t records_ = 0;
};

}  // namespace mlops::risk
