// The version row's columns and their mapping; private to storage/meta.
#pragma once

#include "core/model/version.h"
#include "storage/sql/connection.h"

#define MLOPS_VERSION_COLUMNS                                                                                     \
  "v.id, v.artifact_id, a.kind, a.name, v.number, v.digest, v.size_bytes, v.file_count, v.own_sensitivity, "      \
  "v.sensitivity, v.sensitivity_assumed, v.params, v.metrics, v.description, v.git, v.created_at, v.created_by, " \
  "v.deprecated_reason, v.deleted_at, v.deleted_reason"

namespace mlops::meta {

// REQUIRES: the cursor stands on a row that begins with MLOPS_VERSION_COLUMNS. Errors: kCorrupt "bad_row".
Result<model::Version> read_version(const sql::Cursor& cursor);

}  // namespace mlops::meta
