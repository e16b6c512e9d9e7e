// How many steps an expression may take, before it is evaluated. Private to policies/cel. Thread-safety: pure function.
#pragma once

#include "policies/cel/ast.h"
#include "policies/cel/program.h"

namespace mlops::cel {

// Every part counts one; a macro as often as its range has elements; what reads lists and texts, their sizes. Sizes are
// those of literals and of what is made from them, else as declared. Saturates.
std::uint64_t estimated_cost(const Node& root, const Declarations& declarations);

}  // namespace mlops::cel
