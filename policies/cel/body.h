// What a Program holds. Private to policies/cel. Immutable once compiled.
#pragma once

#include <string>

#include "policies/cel/ast.h"
#include "policies/cel/program.h"

namespace mlops::cel {

struct Program::Body {
  std::string source;
  Declarations declarations;  // the tree points into it
  NodePtr root;
  std::uint64_t cost = 0;
};

}  // namespace mlops::cel
