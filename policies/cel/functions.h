// The functions and operators of the language itself, one row each. Private to policies/cel.
// Errors of calls: kInvalid "cel_no_overload", "cel_overflow", "cel_division_by_zero", "cel_range", "cel_no_such_key",
// "cel_out_of_bounds", "cel_bad_conversion", "cel_bad_pattern" and those of time.h; without a place, which the
// evaluator adds. Thread-safety: pure functions and constants.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policies/cel/value.h"

namespace mlops::cel {

struct Builtin {
  enum class Style { kFunction, kMethod, kBoth };
  std::string_view name;
  Style style = Style::kFunction;
  Result<Value> (*call)(std::span<const Value>) = nullptr;
  std::vector<std::string_view> signatures;
  std::vector<Signature> overloads;  // parsed from the signatures
};

// nullptr: the language has none of that name and style.
const Builtin* find_builtin(std::string_view name, bool is_method);
// A type named by an identifier: "int", "list", "google.protobuf.Duration". Kind::kDyn: none.
Kind type_named(std::string_view name);

Failure no_overload();

// Rows by theme; functions.cc joins them.
std::vector<Builtin> operator_rows();
std::vector<Builtin> conversion_rows();
std::vector<Builtin> text_rows();
std::vector<Builtin> time_rows();

// RE2's answer whether the pattern is found in the text. Errors: kInvalid "cel_bad_pattern".
Result<bool> matches_pattern(const std::string& text, const std::string& pattern);

}  // namespace mlops::cel
