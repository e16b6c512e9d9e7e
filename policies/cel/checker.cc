#include "policies/cel/checker.h"

#include <fmt/format.h>

#include "core/base/text.h"
#include "policies/cel/functions.h"

namespace mlops::cel {
namespace {

using Form = Node::Form;

// The dotted name of a chain of selections from an identifier; empty when it is no such chain.
std::string dotted_name(const Node& node, const Node** root) {
  if (node.form == Form::kIdent && !node.is_local) {
    *root = &node;
    return node.name;
  }
  if (node.form != Form::kSelect) return {};
  auto operand = dotted_name(*node.args[0], root);
  return operand.empty() ? operand : operand + "." + node.name;
}

std::vector<std::string> names_of(const Declarations& declarations) {
  std::vector<std::string> names;
  for (const auto& [name, type] : declarations.variables) names.push_back(name);
  return names;
}

std::string function_word(const Node& node) {
  const auto mark = node.name.find_first_not_of('_');
  const bool is_operator = node.name.front() == '_' || node.name.back() == '_';
  if (!is_operator) return node.name + "()";
  return fmt::format("'{}'", node.name.substr(mark, node.name.find_last_not_of('_') - mark + 1));
}

}  // namespace

Failure Checker::wrong(const Node& node, std::string slug, std::string message, std::string hint) const {
  return fail(error_at(source_, node.at, std::move(slug), std::move(message), std::move(hint)));
}

Status Checker::run(Node& root) {
  MLOPS_TRY(check(root));
  settle(root);
  return {};
}

Status Checker::check(Node& node) {
  MLOPS_TRY(check_parts(node));
  if (!is_typed()) node.type = {};
  return {};
}

Status Checker::check_parts(Node& node) {
  switch (node.form) {
    case Form::kLiteral: {
      node.type.kind = node.literal.kind();
      return {};
    }
    case Form::kIdent:
      return check_ident(node);
    case Form::kSelect:
    case Form::kHas:
      return check_select(node);
    case Form::kCall:
      return check_call(node);
    case Form::kList:
      return check_list(node);
    case Form::kMap:
      return check_map(node);
    case Form::kMacro:
      return check_macro(node);
  }
  return {};
}

const Checker::Local* Checker::local(std::string_view name) const {
  for (auto at = locals_.rbegin(); at != locals_.rend(); ++at) {
    if (at->name == name) return &*at;
  }
  return nullptr;
}

// A variable, then a type of that name, in every container from the innermost.
bool Checker::resolve_name(const std::string& name, bool is_absolute, Node& node) {
  std::string container = is_absolute ? std::string() : declarations_.container;
  while (true) {
    const auto candidate = container.empty() ? name : container + "." + name;
    const auto found = declarations_.variables.find(candidate);
    const auto kind = type_named(candidate);
    if (found != declarations_.variables.end()) {
      node.form = Form::kIdent;
      node.resolved = candidate;
      node.type = found->second;
    } else if (kind != Kind::kDyn) {
      node.form = Form::kLiteral;
      node.literal = Value(TypeName{candidate});
      node.type = type_of(Type{kind, std::vector<Type>(kind == Kind::kMap ? 2 : kind == Kind::kList ? 1 : 0), 0});
    }
    if (node.form == Form::kLiteral || !node.resolved.empty()) {
      node.args.clear();
      return true;
    }
    if (container.empty()) return false;
    const auto dot = container.rfind('.');
    container.resize(dot == std::string::npos ? 0 : dot);
  }
}

Status Checker::check_ident(Node& node) {
  const auto* bound = node.is_absolute ? nullptr : local(node.name);
  if (bound) {
    node.is_local = true;
    node.type = bound->type;
    return {};
  }
  if (resolve_name(node.name, node.is_absolute, node) || !is_typed()) return {};
  return undeclared(node, node.name);
}

Failure Checker::undeclared(const Node& node, const std::string& name) const {
  const auto near = nearest_word(name, names_of(declarations_));
  return wrong(node, "cel_undeclared", fmt::format("undeclared reference to '{}'", printable(name)),
               near ? fmt::format("did you mean '{}'?", *near) : "");
}

Status Checker::check_select(Node& node) {
  const Node* root = nullptr;
  std::string name;
  if (node.form == Form::kSelect) {
    name = dotted_name(node, &root);
    const bool is_global = root && (root->is_absolute || !local(root->name));
    if (is_global && !name.empty() && resolve_name(name, root->is_absolute, node)) return {};
  }
  if (auto status = check(*node.args[0]); !status) {
    // Nothing of the chain is known: the whole of it is what was meant.
    if (!root || status.error().slug != "cel_undeclared") return status;
    return undeclared(node, name);
  }
  const auto operand = settled(node.args[0]->type);
  node.type = {};
  if (operand.kind == Kind::kMap && is_typed()) {
    if (!assignable(operand.args[0], Type{Kind::kString, {}, 0}))
      return wrong(node, "cel_no_field", fmt::format("{} has no fields: its keys are no texts", to_text(operand)));
    node.type = operand.args[1];
  } else if (operand.kind != Kind::kDyn && operand.kind != Kind::kParam && is_typed()) {
    return wrong(node, "cel_no_field", fmt::format("{} has no field '{}'", to_text(operand), printable(node.name)));
  }
  if (node.form == Form::kHas) node.type = Type{Kind::kBool, {}, 0};
  return {};
}

Status Checker::check_call(Node& node) {
  for (auto& arg : node.args) MLOPS_TRY(check(*arg));
  node.builtin = find_builtin(node.name, node.is_method);
  std::vector<const Signature*> overloads;
  if (node.builtin) {
    for (const auto& signature : node.builtin->overloads) overloads.push_back(&signature);
  }
  for (const auto& function : declarations_.functions) {
    if (function.name != node.name || function.is_method != node.is_method) continue;
    node.functions.push_back(&function);
    overloads.push_back(&function.signature);
  }
  if (!is_typed()) return {};
  if (overloads.empty()) {
    std::vector<std::string> names;
    for (const auto& function : declarations_.functions) names.push_back(function.name);
    const auto near = nearest_word(node.name, names);
    return wrong(node, "cel_undeclared", fmt::format("there is no function '{}'", printable(node.name)),
                 near ? fmt::format("did you mean '{}'?", *near) : "");
  }
  return resolve_overload(node, overloads);
}

std::optional<Type> Checker::try_overload(const Node& node, const Signature& overload) {
  if (overload.args.size() != node.args.size()) return std::nullopt;
  std::vector<Type> params;
  for (std::size_t i = 0; i < node.args.size(); ++i) {
    if (!assignable(instantiate(overload.args[i], params), node.args[i]->type)) return std::nullopt;
  }
  return settled(instantiate(overload.result, params));
}

// One overload that fits gives the type; when others fit as well (an argument is dyn) the type is what all say, or dyn.
Status Checker::resolve_overload(Node& node, const std::vector<const Signature*>& overloads) {
  const auto before = mark();
  const Signature* chosen = nullptr;
  Type result;
  std::size_t fitting = 0;
  for (const auto* overload : overloads) {
    const auto type = try_overload(node, *overload);
    undo(before);
    if (!type) continue;
    if (++fitting == 1) {
      chosen = overload;
      result = *type;
    } else if (type->kind != result.kind || !type->args.empty()) {
      result = {};
    }
  }
  if (fitting == 0) return no_match(node);
  if (fitting == 1) result = *try_overload(node, *chosen);
  // Parameters of several overloads were taken back; a type with arguments may hold some.
  if (fitting > 1 && !result.args.empty()) result = {};
  node.type = std::move(result);
  return {};
}

Failure Checker::no_match(const Node& node) const {
  std::vector<std::string> types;
  for (const auto& arg : node.args) types.push_back(to_text(settled(arg->type)));
  return wrong(node, "cel_no_overload",
               fmt::format("no matching overload: {} does not take ({})", function_word(node), join(types, ", ")));
}

Status Checker::check_list(Node& node) {
  Type element = fresh();
  bool is_first = true;
  for (auto& arg : node.args) {
    MLOPS_TRY(check(*arg));
    element = is_first ? arg->type : joined(element, arg->type);
    is_first = false;
  }
  node.type = list_of(std::move(element));
  return {};
}

Status Checker::check_map(Node& node) {
  Type key = fresh();
  Type value = fresh();
  for (std::size_t i = 0; i < node.args.size(); i += 2) {
    MLOPS_TRY(check(*node.args[i]));
    MLOPS_TRY(check(*node.args[i + 1]));
    key = i == 0 ? node.args[i]->type : joined(key, node.args[i]->type);
    value = i == 0 ? node.args[i + 1]->type : joined(value, node.args[i + 1]->type);
    const auto kind = settled(node.args[i]->type).kind;
    const bool is_key = kind == Kind::kBool || kind == Kind::kInt || kind == Kind::kUint || kind == Kind::kString ||
                        kind == Kind::kDyn || kind == Kind::kParam;
    if (is_typed() && !is_key) {
      return wrong(*node.args[i], "cel_type",
                   fmt::format("{} is no type of a map's keys", to_text(settled(node.args[i]->type))));
    }
  }
  node.type = map_of(std::move(key), std::move(value));
  return {};
}

Status Checker::want_bool(const Node& node) {
  if (!is_typed() || assignable(Type{Kind::kBool, {}, 0}, node.type)) return {};
  return wrong(node, "cel_type", fmt::format("a condition is needed here, not {}", to_text(settled(node.type))));
}

Status Checker::check_macro(Node& node) {
  MLOPS_TRY(check(*node.args[0]));
  const auto range = settled(node.args[0]->type);
  Type element;
  if (range.kind == Kind::kList || range.kind == Kind::kMap) {
    element = range.args[0];
  } else if (range.kind != Kind::kDyn && range.kind != Kind::kParam && is_typed()) {
    return wrong(node, "cel_type", fmt::format("only lists and maps have elements, not {}", to_text(range)));
  }
  locals_.push_back({node.name, element});
  for (std::size_t i = 1; i < node.args.size(); ++i) MLOPS_TRY(check(*node.args[i]));
  locals_.pop_back();
  const bool is_map = node.macro == Macro::kMap;
  if (!is_map || node.args.size() == 3) MLOPS_TRY(want_bool(*node.args[1]));
  if (is_map) {
    node.type = list_of(node.args.back()->type);
  } else if (node.macro == Macro::kFilter) {
    node.type = list_of(element);
  } else {
    node.type = Type{Kind::kBool, {}, 0};
  }
  return {};
}

}  // namespace mlops::cel
