// Which class a column is treated as, from its declaration, its name and what was found in its cells.
// Private to policies/engine. Thread-safety: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "policies/engine/body.h"
#include "policies/engine/cell_scan.h"

namespace mlops::policy {

struct Classification {
  std::string class_name;
  std::string decided_by;  // "declared", "detector us_ssn 0.97", "column name"
};

// A declared column: the declaration, raised where it says "identifies nobody" and the cells say otherwise.
Classification classify_declared(const Policy::Body& body, const DeclaredColumn& declared, const CellScanner& cells);
// An undeclared one: what its name and cells say; kUnknownClass when they say nothing.
Classification classify_unknown(const Policy::Body& body, const CellScanner& cells);

}  // namespace mlops::policy
