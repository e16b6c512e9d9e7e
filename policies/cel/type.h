// Types of the expression language, and the words they are written in: "int", "list(string)", "map(string, dyn)".
// Thread-safety: values.
//
//   type = "bool" | "int" | "uint" | "double" | "string" | "bytes" | "null_type" | "dyn" | "timestamp" | "duration"
//        | "type" ["(" type ")"] | "list" ["(" type ")"] | "map" ["(" type "," type ")"] | upper-case letter
//
// A letter is a parameter of a function's signature ("list(A), A -> bool"). list and map without arguments hold dyn.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace mlops::cel {

enum class Kind {
  kDyn,
  kNull,
  kBool,
  kInt,
  kUint,
  kDouble,
  kString,
  kBytes,
  kTimestamp,
  kDuration,
  kList,
  kMap,
  kType,
  kParam
};

struct Type {
  Kind kind = Kind::kDyn;
  std::vector<Type> args;   // of list, map and type
  std::uint32_t param = 0;  // of kParam: its number

  friend bool operator==(const Type&, const Type&) = default;
};

Type list_of(Type element);
Type map_of(Type key, Type value);
Type type_of(Type of);

// "list(int)"; parameters still open are "dyn".
std::string to_text(const Type& type);
// Errors: kInvalid "cel_bad_type".
Result<Type> parse_type(std::string_view text);

// "string, list(A) -> A".
struct Signature {
  std::vector<Type> args;
  Type result;
};
Result<Signature> parse_signature(std::string_view text);

}  // namespace mlops::cel
