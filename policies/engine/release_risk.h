// The risk a masked dataset carries, measured on what was written, against `spec.risk` of its policy.
//
// The caller masks all files, lets each be read once more, asks judge(), and writes the files that lose records again.
// Files that hold the same of the policy's quasi-identifiers and sensitive columns are one table: k, l and t are those
// of their union. A column that masking dropped is none any more; a file without any quasi-identifier is not judged.
// Where `erasure.subject_key` leaves masking as one value a person, k counts people, else records. Of FHIR only
// resources that hold one of the columns are judged. Several cells of one column in a record are one value together.
// Files of one dataset are not joined with each other: what a person's rows in two tables tell together is not seen.
//
// Errors: kRefused "risk_too_high" with counts by table and rule in `detail`, never a value; "risk_without_columns"
// when the policy asks and names no quasi-identifier; kExhausted "risk_table_too_large" beyond 1 GiB a table; those of
// the reader and of policies/risk. Thread-safety: belongs to one thread; the policy outlives it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "policies/engine/mask_dataset.h"
#include "policies/risk/requirement.h"
#include "policies/risk/risk_table.h"

namespace mlops::policy {

class ReleaseRisk {
 public:
  explicit ReleaseRisk(const Policy& policy);
  ReleaseRisk(ReleaseRisk&&) noexcept;
  ~ReleaseRisk();

  // Does the policy ask at all? Otherwise no file need be read.
  bool is_asked() const;
  // The masked bytes of the following file, in the order of the files. `plan`: what it was masked by.
  Status read(const FilePlan& plan, data::RecordReader& masked);
  // REQUIRES: after the last file, once. Adds what was reached to `evidence` and takes records that go off its rows.
  Status judge(MaskEvidence& evidence);
  // Must the file lose records? REQUIRES: judged.
  bool suppresses_in(std::size_t file) const;
  // Writes what stays of it, byte for byte. REQUIRES: suppresses_in(file). Errors: kConflict "table_changed" when it is
  // not what read() saw.
  Status write_kept(std::size_t file, data::RecordReader& masked, data::Sink& out) const;

 private:
  class Columns;
  struct Table;
  struct File;
  Table& table_for(const Columns& columns);
  risk::RiskRequirement requirement_of(const Table& table) const;

  const Policy& policy_;
  std::vector<std::unique_ptr<Table>> tables_;
  std::vector<File> files_;
};

}  // namespace mlops::policy
