#include "policies/cel/evaluator.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "policies/cel/functions.h"

namespace mlops::cel {
namespace {

using Form = Node::Form;

bool fits(const Value& value, const Type& type) {
  if (type.kind == Kind::kDyn || type.kind == Kind::kParam) return true;
  return value.kind() == type.kind;
}

bool fits(std::span<const Value> args, const Signature& signature) {
  if (args.size() != signature.args.size()) return false;
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (!fits(args[i], signature.args[i])) return false;
  }
  return true;
}

}  // namespace

Failure Evaluator::wrong(const Node& node, const Error& error) const {
  return fail(error_at(source_, node.at, error.slug, error.message, error.hint));
}

Failure Evaluator::wrong(const Node& node, std::string slug, std::string message) const {
  return fail(error_at(source_, node.at, std::move(slug), std::move(message)));
}

Status Evaluator::spend(const Node& node, std::uint64_t steps) {
  const bool overflows = __builtin_add_overflow(steps_, steps, &steps_);
  if (!is_exhausted_ && !overflows && steps_ <= bindings_.max_steps) return {};
  is_exhausted_ = true;
  return wrong(node, "cel_step_budget", fmt::format("more than {} steps", bindings_.max_steps));
}

Result<Value> Evaluator::evaluate(const Node& node) {
  MLOPS_TRY(spend(node, 1));
  auto value = evaluate_form(node);
  // Deeper than any tree a person writes; what goes through values recurses.
  if (value && value->depth() > kMaxDepth) return wrong(node, "cel_too_deep", "a value is nested too deeply");
  return value;
}

Result<Value> Evaluator::evaluate_form(const Node& node) {
  switch (node.form) {
    case Form::kLiteral:
      return node.literal;
    case Form::kIdent:
      return ident(node);
    case Form::kSelect:
    case Form::kHas:
      return select(node);
    case Form::kCall:
      return call(node);
    case Form::kList:
      return list(node);
    case Form::kMap:
      return map(node);
    case Form::kMacro:
      return macro(node);
  }
  return Value();
}

Result<Value> Evaluator::ident(const Node& node) {
  if (node.is_local) {
    for (auto at = locals_.rbegin(); at != locals_.rend(); ++at) {
      if (at->first == node.name) return at->second;
    }
  }
  const auto& name = node.resolved.empty() ? node.name : node.resolved;
  const auto found = bindings_.variables.find(name);
  if (found != bindings_.variables.end() && (!node.resolved.empty())) return found->second;
  return wrong(node, "cel_undeclared", fmt::format("undeclared reference to '{}'", printable(name)));
}

Result<Value> Evaluator::select(const Node& node) {
  MLOPS_ASSIGN(const auto operand, evaluate(*node.args[0]));
  const auto* map = operand.map();
  if (!map) {
    return wrong(node, "cel_no_field",
                 fmt::format("no such field '{}': {} has no fields", printable(node.name), type_name(operand)));
  }
  const auto found = map->find(MapKey(node.name));
  if (node.form == Form::kHas) return Value(found != map->end());
  if (found == map->end())
    return wrong(node, "cel_no_such_key", fmt::format("no such key: '{}'", printable(node.name)));
  return found->second.value;
}

Result<Value> Evaluator::call(const Node& node) {
  if (node.name == "_&&_") return logic(node, false);
  if (node.name == "_||_") return logic(node, true);
  if (node.name == "_?_:_") return conditional(node);
  std::vector<Value> args;
  args.reserve(node.args.size());
  for (const auto& arg : node.args) {
    MLOPS_ASSIGN(auto value, evaluate(*arg));
    MLOPS_TRY(spend(node, value.weight()));
    args.push_back(std::move(value));
  }
  if (!node.functions.empty() || !node.builtin) {
    const bool is_native = std::any_of(node.functions.begin(), node.functions.end(),
                                       [&](const Function* function) { return fits(args, function->signature); });
    if (is_native) return call_native(node, args);
    if (!node.builtin && node.functions.empty())
      return wrong(node, "cel_undeclared", fmt::format("unbound function '{}'", printable(node.name)));
  }
  if (!node.builtin) return wrong(node, no_overload().value());
  const auto& overloads = node.builtin->overloads;
  const bool has_arity = std::any_of(overloads.begin(), overloads.end(),
                                     [&](const Signature& signature) { return signature.args.size() == args.size(); });
  if (!has_arity) return wrong(node, no_overload().value());
  auto value = node.builtin->call(args);
  if (!value) return wrong(node, value.error());
  return value;
}

Result<Value> Evaluator::call_native(const Node& node, const std::vector<Value>& args) {
  const auto found = bindings_.functions.find(node.name);
  if (found == bindings_.functions.end())
    return wrong(node, "cel_undeclared", fmt::format("unbound function '{}'", printable(node.name)));
  MLOPS_TRY(spend(node, node.functions.front()->cost));
  return found->second(args);
}

// The decisive value wins over whatever the other side is, an error included.
Result<Value> Evaluator::logic(const Node& node, bool decisive) {
  std::optional<Error> error;
  for (const auto& arg : node.args) {
    auto value = evaluate(*arg);
    if (is_exhausted_) return value;
    const auto* truth = value ? value->get<bool>() : nullptr;
    if (truth && *truth == decisive) return Value(decisive);
    if (truth || error) continue;
    error = value ? wrong(*arg, no_overload().value()).value() : value.error();
  }
  if (error) return fail(std::move(*error));
  return Value(!decisive);
}

Result<bool> Evaluator::condition(const Node& node) {
  MLOPS_ASSIGN(const auto value, evaluate(node));
  if (const auto* truth = value.get<bool>()) return *truth;
  return wrong(node, no_overload().value());
}

Result<Value> Evaluator::conditional(const Node& node) {
  MLOPS_ASSIGN(const bool holds, condition(*node.args[0]));
  return evaluate(*node.args[holds ? 1 : 2]);
}

Result<Value> Evaluator::list(const Node& node) {
  List list;
  list.reserve(node.args.size());
  for (const auto& arg : node.args) {
    MLOPS_ASSIGN(auto value, evaluate(*arg));
    list.push_back(std::move(value));
  }
  return Value(std::move(list));
}

Result<Value> Evaluator::map(const Node& node) {
  Map map;
  for (std::size_t i = 0; i < node.args.size(); i += 2) {
    MLOPS_ASSIGN(auto key, evaluate(*node.args[i]));
    MLOPS_ASSIGN(auto value, evaluate(*node.args[i + 1]));
    auto place = key.kind() == Kind::kDouble ? std::nullopt : map_key(key);
    if (!place) return wrong(*node.args[i], "cel_bad_key", fmt::format("unsupported key type: {}", type_name(key)));
    if (!map.emplace(std::move(*place), MapEntry{std::move(key), std::move(value)}).second)
      return wrong(*node.args[i], "cel_repeated_key", "repeated key");
  }
  return Value(std::move(map));
}

Result<List> Evaluator::elements(const Node& macro) {
  MLOPS_ASSIGN(const auto range, evaluate(*macro.args[0]));
  MLOPS_TRY(spend(macro, range.weight()));
  if (const auto* list = range.list()) return *list;
  const auto* map = range.map();
  if (!map) return wrong(macro, no_overload().value());
  List keys;
  for (const auto& [key, entry] : *map) keys.push_back(entry.key);
  return keys;
}

Result<Value> Evaluator::macro(const Node& node) {
  MLOPS_ASSIGN(const auto range, elements(node));
  switch (node.macro) {
    case Macro::kAll:
      return quantified(node, range, false);
    case Macro::kExists:
      return quantified(node, range, true);
    case Macro::kExistsOne:
      return exactly_one(node, range);
    case Macro::kMap:
    case Macro::kFilter:
      return collected(node, range);
  }
  return Value();
}

Result<Value> Evaluator::quantified(const Node& node, const List& range, bool decisive) {
  std::optional<Error> error;
  for (const auto& element : range) {
    push_local(node.name, element);
    const auto holds = condition(*node.args[1]);
    pop_local();
    if (is_exhausted_) return fail(holds.error());
    if (holds && *holds == decisive) return Value(decisive);
    if (!holds && !error) error = holds.error();
  }
  if (error) return fail(std::move(*error));
  return Value(!decisive);
}

Result<Value> Evaluator::exactly_one(const Node& node, const List& range) {
  std::size_t count = 0;
  for (const auto& element : range) {
    push_local(node.name, element);
    const auto holds = condition(*node.args[1]);
    pop_local();
    if (!holds) return fail(holds.error());
    count += *holds;
  }
  return Value(count == 1);
}

Result<Value> Evaluator::collected(const Node& node, const List& range) {
  const bool has_filter = node.macro == Macro::kFilter || node.args.size() == 3;
  List out;
  for (const auto& element : range) {
    push_local(node.name, element);
    const auto keeps = has_filter ? condition(*node.args[1]) : Result<bool>(true);
    auto value = keeps && *keeps && node.macro == Macro::kMap ? evaluate(*node.args.back()) : Result<Value>(element);
    pop_local();
    if (!keeps) return fail(keeps.error());
    if (!value) return value;
    if (*keeps) out.push_back(std::move(*value));
  }
  return Value(std::move(out));
}

}  // namespace mlops::cel
