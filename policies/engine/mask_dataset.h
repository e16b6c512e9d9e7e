// Running a policy's transforms over the files of one dataset, with evidence, and never a value in what comes back.
//
// Two passes, unless early_mask.h saves one: DatasetPlanner reads each file once to classify its columns (declared
// truth first, detectors may only raise), and `mask_file` reads it again and writes the masked file, scanning what is
// written (residual scan). Refusals are kRefused with facts in `detail`: "columns_unmatched" (a declared column is in
// no file), "columns_unknown" (quarantined), "class_without_rule", "header_missing" (the first row holds data),
// "key_holds_data" (a JSON key does), "table_empty", "file_name_holds_data", "residual_findings", "consent_missing",
// "consent_not_by_record" (consent.h). kConflict "table_changed": not the bytes that were planned. A refused run's
// output must be thrown away by the caller. Thread-safety: a planner belongs to one thread; sources and sinks belong to
// the caller's thread.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "policies/data/record.h"
#include "policies/engine/policy.h"
#include "policies/mask/key.h"

namespace mlops::policy {

// What a column's name says: kHeader: what somebody called it. kStandard: an element of a standard, which has said all
// it says by its class. kStandardCode: such an element that holds words and addresses of code systems.
enum class NameKind { kHeader, kStandard, kStandardCode };

struct ColumnPlan {
  std::string column;
  std::string class_name;  // "us_ssn", "clinical", "unknown" …
  std::string decided_by;  // "declared", "detector us_ssn 0.97", "column name"
  std::string transform;   // "redact", "date_truncate", "keep", "suppress" …
  std::string rule;        // origin:line of the rule; "default" for data that identifies nobody and has no rule
  std::string named_as;    // how the policy names the column ("patients.dob"); its own name when it does not
  bool is_coded = false;   // few values, each in many rows: a coincidence with somebody's name says nothing
  NameKind name_kind = NameKind::kHeader;
};

struct ColumnEvidence {
  std::string column;
  std::string class_name;
  std::string transform;
  std::uint64_t cells = 0;
  std::uint64_t changed = 0;
  std::uint64_t placeholders = 0;  // cells that its rule could only redact
  std::string key_id;              // "research.1" where a key was used: also the seed of noise and shifts
};

struct MaskEvidence {
  std::uint64_t rows = 0;                  // published
  std::uint64_t rows_without_consent = 0;  // left out: nobody consented (consent.h)
  std::uint64_t rows_suppressed = 0;       // left out for the risk they carried (release_risk.h)
  Json risk;                               // by table: k, l and t asked and reached; null: not asked
  std::vector<ColumnEvidence> columns;
  std::uint64_t residual_scanned_cells = 0;
  std::uint64_t residual_findings = 0;  // at most the policy's residual.max_findings, which is 0 by default
};

// A file's columns in the order in which they were first seen.
struct FilePlan {
  std::string table;  // qualifies columns in policies: "patients.dob"
  std::vector<ColumnPlan> columns;
  std::string published;  // the masked file's path as others will see it; the planner says: as the table
};

class EarlyMask;
struct FileColumns;

class DatasetPlanner {
 public:
  // REQUIRES: `policy` outlives the planner.
  explicit DatasetPlanner(const Policy& policy) : policy_(policy) {}

  // Reads all of one file. `table`: its name without folder and ending.
  Result<FilePlan> plan(const std::string& table, data::RecordReader& reader);
  // The same of a file that was read to be masked early (early_mask.h).
  Result<FilePlan> plan(const EarlyMask& early);
  // REQUIRES: after the last file. Refused when a declared column was in none of them.
  Status finish() const;

 private:
  Result<FilePlan> plan_of(const std::string& table, const FileColumns& file, bool is_table);

  const Policy& policy_;
  std::set<std::string> seen_;    // declared columns that were found, as they are written in the policy
  Json unknown_ = Json::array();  // columns nobody declared, for the facts of a refusal
  bool may_show_names_ = false;
};

// REQUIRES: `plan` came from a planner of this policy on the same bytes; `reader` is fresh. `context` binds pseudonyms
// to a dataset name.
Result<MaskEvidence> mask_file(const Policy& policy, const FilePlan& plan, data::RecordReader& reader, data::Sink& out,
                               const mask::RunSecrets& secrets, const std::string& context);

// Evidence of several files of one dataset: counts add up per column.
void merge_evidence(MaskEvidence& into, const MaskEvidence& from);

Json to_json(const MaskEvidence& evidence);

}  // namespace mlops::policy
