// Source text → tree. Errors: kInvalid "cel_syntax", "cel_message", "cel_too_long", "cel_too_deep", "cel_too_large",
// each with line:column of the source. Thread-safety: pure function.
#pragma once

#include <string_view>

#include "policies/cel/ast.h"

namespace mlops::cel {

enum class Macros { kExpand, kPlain };  // kPlain: `x.all(…)` is an ordinary call

// The grammar is that of the CEL specification without messages: no `T{field: value}`. Never reads beyond the source,
// never recurses beyond kMaxDepth; any bytes may be given.
Result<NodePtr> parse(std::string_view source, Macros macros = Macros::kExpand);

}  // namespace mlops::cel
