// Expressions for `assert`: a typed, total subset of the Common Expression Language, compiled once, evaluated many
// times.
//
// Total: every expression ends, within a bound that is known before it runs; no loops, no recursion, no input or
// output. An expression is compiled against the caller's declarations (variables with types, functions with
// signatures); what they mean in one evaluation is in its Bindings. Outside of the subset: messages, enums, wrapper
// types, optionals, two-variable macros, extension libraries, time zones by name.
//
// Errors of compile: kInvalid "cel_…" with "line:column: message" within the expression and {offset, line, column,
// message} as detail. Errors of evaluate: the same form with the slugs of functions.h; "cel_undeclared",
// "cel_step_budget"; an error of a bound function passes through with its own code and slug. As in CEL, `&&` and `||`
// (and all, exists) give an answer in spite of an error where the other side decides; the step budget is the exception.
// Thread-safety: a Program is immutable; evaluate() may be called from any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "policies/cel/type.h"
#include "policies/cel/value.h"

namespace mlops::cel {

struct Function {
  std::string name;
  bool is_method = false;  // receiver.name(…): the receiver is the first argument
  Signature signature;
  std::uint64_t cost = 10;  // steps a call takes
};

struct Declarations {
  std::map<std::string, Type, std::less<>> variables;  // names may be dotted: "target.environment"
  std::vector<Function> functions;                     // overloads are several of one name
  std::string container;                               // names are looked for in "a.b", then "a", then as they are
  std::uint64_t assumed_size = 100;                    // of a list or map that a variable or function gives
  std::uint64_t assumed_text = 8;                      // of a text of theirs, in steps of 16 bytes
  std::uint64_t max_cost = 1'000'000;                  // an expression estimated above it is refused

  // REQUIRES: `type` and `signature` are well-formed; otherwise kInvalid "cel_bad_type".
  Status variable(std::string name, std::string_view type);
  Status function(std::string name, std::string_view signature, bool is_method = false);
};

using NativeFunction = std::function<Result<Value>(std::span<const Value>)>;

struct Bindings {
  std::map<std::string, Value, std::less<>> variables;
  std::map<std::string, NativeFunction, std::less<>> functions;  // by name; all overloads of it
  std::uint64_t max_steps = 10'000'000;
};

struct CompileOptions {
  enum class Check { kTyped, kUntyped };  // kUntyped: types are looked at when evaluating only
  Check check = Check::kTyped;
  bool has_macros = true;
};

// A part of an expression and what it came to.
struct Leaf {
  std::string source;
  std::string value;
};
// A condition that must hold and does not. "metric(\"auc\") >= 0.82 is false: metric(\"auc\") is 0.79".
struct FailedCondition {
  std::string source;
  std::string error_slug;  // empty: it is false
  std::string error;
  std::vector<Leaf> leaves;
  std::string text() const;
};

struct Node;

class Program {
 public:
  const std::string& source() const;
  const Type& type() const;
  // Estimated steps, with every size unknown taken as declared.
  std::uint64_t cost() const;
  Result<Value> evaluate(const Bindings& bindings) const;
  // Of a boolean expression that is not true: the fewest conditions that must change together. Empty when it is true.
  std::vector<FailedCondition> explain(const Bindings& bindings) const;
  // The facts the expression speaks about, outside of macros, each with its value or why it has none.
  std::vector<Leaf> leaves(const Bindings& bindings) const;

 private:
  friend Result<Program> compile(std::string_view, const Declarations&, const CompileOptions&);
  struct Body;
  std::shared_ptr<const Body> body_;
};

Result<Program> compile(std::string_view source, const Declarations& declarations, const CompileOptions& options = {});

}  // namespace mlops::cel
