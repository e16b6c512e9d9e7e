// The canonical digest of the row a cursor stands on; private to storage/audit (format: audit_log.h).
#pragma once

#include "core/crypto/digest.h"
#include "storage/sql/connection.h"

namespace mlops::audit {

crypto::Digest digest_of_current_row(sql::Cursor& cursor);

}  // namespace mlops::audit
