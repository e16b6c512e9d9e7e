// Lineage edges between versions, and masking runs. An edge points from cause to effect and names exact versions.
// Errors: those of sql::Connection. Thread-safety: as its connection.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/model/version.h"
#include "storage/meta/store.h"

namespace mlops::meta {

struct EdgeRow {
  std::string from_version_id;
  std::string to_version_id;
  std::string role;
  TimestampUs recorded_at_us = 0;
};

struct MaskingRunRow {
  std::string id;
  std::string source_version_id;
  std::string output_version_id;
  std::string policy_revision_id;
  std::string evidence;  // JSON
  TimestampUs created_at_us = 0;
  std::string created_by;
};

enum class Direction { kUp, kDown };  // up: towards causes

// Edges that touch a version on its cause (kUp) or effect (kDown) side, known at that moment (0: now).
Result<std::vector<EdgeRow>> edges_of(sql::Connection& connection, const std::string& version_id, Direction direction,
                                      TimestampUs as_of_us = 0);
// The inputs a version was registered with, in that order; masking is not an input.
Result<std::vector<model::VersionInput>> inputs_of(sql::Connection& connection, const std::string& version_id);
Status insert_edge(WriteTx& tx, const std::string& from_version_id, const std::string& to_version_id,
                   const std::string& role);

// Newest first: different sources, or policies, may give the same masked bytes.
Result<std::vector<MaskingRunRow>> masking_runs_of_output(sql::Connection& connection, const std::string& version_id);
// Whether the server made versions of this artifact by masking; nobody else may add to it then.
Result<bool> holds_masked_versions(sql::Connection& connection, const std::string& artifact_id);
// An earlier run of exactly this policy on exactly this source; its output may be reused.
Result<std::optional<MaskingRunRow>> find_masking_run(sql::Connection& connection, const std::string& source_version_id,
                                                      const std::string& policy_digest);
Status insert_masking_run(WriteTx& tx, const MaskingRunRow& run);

}  // namespace mlops::meta
