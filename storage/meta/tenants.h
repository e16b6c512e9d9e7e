// Whose a version is: labels `tenant` of it and of everything it was made from. Errors: those of sql::Connection.
// Thread-safety: as its connection.
#pragma once

#include <string>
#include <vector>

#include "storage/sql/connection.h"

namespace mlops::meta {

struct TenantRow {
  std::string ref;  // with its kind, "model:readmission@v3"
  std::string tenant;
};

// The version's own label first, then those of its ancestors by reference. Cheap while nobody uses the label.
Result<std::vector<TenantRow>> tenants_of(sql::Connection& connection, const std::string& version_id);

}  // namespace mlops::meta
