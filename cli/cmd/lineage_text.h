// A lineage graph (docs/format/wire.md) as a tree, as Graphviz DOT and as Mermaid.
//
// The tree starts at the root and walks against the edges for direction "up" (causes), along them for "down"; a node
// that several paths reach is drawn once in full and named again with "(above)", so any graph ends. DOT and Mermaid
// escape every label. Thread-safety: pure functions.
#pragma once

#include <string>

#include "cli/cmd/lines.h"
#include "core/base/json.h"

namespace mlops::cli {

Lines lineage_tree(const Json& lineage, const Style& style);
Lines lineage_dot(const Json& lineage);
Lines lineage_mermaid(const Json& lineage);

}  // namespace mlops::cli
