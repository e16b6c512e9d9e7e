// Running a policy's transforms over one table, with evidence, and never a value in what comes back.
//
// Two passes: `plan_table` reads the source once to classify its columns (declared truth first, detectors may only
// raise), and `mask_table` reads it again and writes the masked table, scanning what is written (residual scan).
// Refusals are kRefused with facts in `detail`: "columns_unmatched" (a declared column is not in the table),
// "columns_unknown" (quarantined), "class_without_rule", "header_missing" (the first row holds
// data), "table_empty", "residual_findings". kConflict "table_changed": not the bytes that were planned. A refused
// run's output must be thrown away by the caller. Thread-safety: free functions; sources and sinks belong to the
// caller's thread.
#pragma once

#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "policies/data/stream.h"
#include "policies/engine/policy.h"
#include "policies/mask/key.h"

namespace mlops::policy {

struct ColumnPlan {
  std::string column;
  std::string class_name;  // "us_ssn", "clinical", "unknown" …
  std::string decided_by;  // "declared", "detector us_ssn 0.97", "column name"
  std::string transform;   // "redact", "date_truncate", "keep", "suppress" …
  std::string rule;        // origin:line of the rule; "default" for data that identifies nobody and has no rule
  bool is_coded = false;   // few values, each in many rows: a coincidence with somebody's name says nothing
};

struct ColumnEvidence {
  std::string column;
  std::string class_name;
  std::string transform;
  std::uint64_t cells = 0;
  std::uint64_t changed = 0;
};

struct MaskEvidence {
  std::uint64_t rows = 0;
  std::vector<ColumnEvidence> columns;
  std::uint64_t residual_scanned_cells = 0;
  std::uint64_t residual_findings = 0;  // at most the policy's residual.max_findings, which is 0 by default
};

Result<std::vector<ColumnPlan>> plan_table(const Policy& policy, data::Source& table);
// REQUIRES: `columns` came from plan_table on the same bytes. `context` binds pseudonyms to a dataset name.
Result<MaskEvidence> mask_table(const Policy& policy, const std::vector<ColumnPlan>& columns, data::Source& table,
                                data::Sink& out, const mask::RunSecrets& secrets, const std::string& context);

Json to_json(const MaskEvidence& evidence);

}  // namespace mlops::policy
