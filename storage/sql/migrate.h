// Schema migrations: named, hashed, applied in order, each in its own transaction.
//
// Errors: kRefused "schema_newer" (the database was written by a newer program), kCorrupt "migration_changed" (an
// applied migration's text differs from ours), else those of Connection. Thread-safety: called once, at start.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/embedded.h"
#include "core/base/result.h"
#include "storage/sql/connection.h"

namespace mlops::sql {

// migrations/*.sql of the repository, compiled in.
const std::vector<EmbeddedFile>& embedded_migrations();

// Applies what is missing; gives the names applied now. REQUIRES: `connection` is the writer.
Result<std::vector<std::string>> migrate(Connection& connection, const std::vector<EmbeddedFile>& migrations,
                                         const Clock& clock);

}  // namespace mlops::sql
