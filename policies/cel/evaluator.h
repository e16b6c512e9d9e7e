// Walks a checked tree. Private to policies/cel. Errors as program.h. Thread-safety: one evaluator an evaluation.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "policies/cel/ast.h"
#include "policies/cel/program.h"

namespace mlops::cel {

class Evaluator {
 public:
  Evaluator(std::string_view source, const Bindings& bindings) : source_(source), bindings_(bindings) {}

  Result<Value> evaluate(const Node& node);
  // A macro's variable while one of its elements is looked at; the innermost last.
  void push_local(std::string_view name, Value value) { locals_.emplace_back(name, std::move(value)); }
  void pop_local() { locals_.pop_back(); }
  // The elements a macro goes over: a list's, or the keys of a map.
  Result<List> elements(const Node& macro);

 private:
  Result<Value> evaluate_form(const Node& node);
  Result<Value> ident(const Node& node);
  Result<Value> select(const Node& node);
  Result<Value> call(const Node& node);
  Result<Value> call_native(const Node& node, const std::vector<Value>& args);
  Result<Value> logic(const Node& node, bool decisive);
  Result<Value> conditional(const Node& node);
  Result<Value> list(const Node& node);
  Result<Value> map(const Node& node);
  Result<Value> macro(const Node& node);
  Result<Value> quantified(const Node& node, const List& range, bool decisive);
  Result<Value> collected(const Node& node, const List& range);
  Result<Value> exactly_one(const Node& node, const List& range);
  Result<bool> condition(const Node& node);
  Status spend(const Node& node, std::uint64_t steps);
  Failure wrong(const Node& node, const Error& error) const;
  Failure wrong(const Node& node, std::string slug, std::string message) const;

  std::string_view source_;
  const Bindings& bindings_;
  std::vector<std::pair<std::string_view, Value>> locals_;
  std::uint64_t steps_ = 0;
  bool is_exhausted_ = false;
};

}  // namespace mlops::cel
