// The tree of one expression: what the parser makes, the checker marks and the evaluator walks. Private to
// policies/cel. A tree is never deeper than kMaxDepth, so recursion over it is bounded. Thread-safety: values.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "policies/cel/type.h"
#include "policies/cel/value.h"

namespace mlops::cel {

inline constexpr std::size_t kMaxDepth = 250;
inline constexpr std::size_t kMaxNodes = 20'000;
inline constexpr std::size_t kMaxSourceBytes = 64u << 10;

enum class Macro { kAll, kExists, kExistsOne, kMap, kFilter };

struct Builtin;   // functions.h
struct Function;  // program.h

struct Node {
  enum class Form {
    kLiteral,
    kIdent,   // name; after checking `resolved` is the variable's
    kSelect,  // args[0].name
    kHas,     // has(args[0].name)
    kCall,    // name(args…); a method's receiver is args[0]; operators are "_+_", "!_", "_[_]", "_?_:_", "_in_"
    kList,    // args
    kMap,     // args: key, value, key, value …
    kMacro    // args: range, [filter of a three-argument map,] body; name is the variable's
  };
  Form form = Form::kLiteral;
  Macro macro = Macro::kAll;
  bool is_method = false;
  bool is_absolute = false;  // an identifier with a leading dot
  bool is_local = false;     // an identifier that a macro binds
  std::uint32_t begin = 0;   // bytes in the source
  std::uint32_t end = 0;
  std::uint32_t at = 0;  // where to point at: the operator, the name
  std::uint32_t depth = 1;
  std::string name;
  std::string resolved;
  Value literal;
  Type type;
  const Builtin* builtin = nullptr;        // of a call, once resolved
  std::vector<const Function*> functions;  // the caller's of that name
  std::vector<std::unique_ptr<Node>> args;
};
using NodePtr = std::unique_ptr<Node>;

// An error with its place: "line:column: message" (line and column of bytes, from 1), the offset in `detail` as
// {"offset": N}, so that a caller can put a caret below it.
Error error_at(std::string_view source, std::uint32_t offset, std::string slug, std::string message,
               std::string hint = {});

}  // namespace mlops::cel
