// The checker's types: parameters, what may stand for what, and what two types have in common.
#include "policies/cel/checker.h"

namespace mlops::cel {

void Checker::undo(const Mark& to) {
  for (; trail_.size() > to.trail; trail_.pop_back()) {
    if (trail_.back() < to.bound) bound_[trail_.back()].reset();
  }
  bound_.resize(to.bound);
}

Type Checker::fresh() {
  bound_.emplace_back();
  return Type{Kind::kParam, {}, static_cast<std::uint32_t>(bound_.size() - 1)};
}

// A signature's letters become parameters of this call.
Type Checker::instantiate(const Type& type, std::vector<Type>& params) {
  if (type.kind == Kind::kParam) {
    while (params.size() <= type.param) params.push_back(fresh());
    return params[type.param];
  }
  Type copy = type;
  for (auto& arg : copy.args) arg = instantiate(arg, params);
  return copy;
}

const Type& Checker::head(const Type& type) const {
  const Type* at = &type;
  while (at->kind == Kind::kParam && at->param < bound_.size() && bound_[at->param]) at = &*bound_[at->param];
  return *at;
}

Type Checker::settled(const Type& type) const {
  Type copy = head(type);
  for (auto& arg : copy.args) arg = settled(arg);
  return copy;
}

bool Checker::occurs(std::uint32_t param, const Type& type) const {
  const auto& at = head(type);
  if (at.kind == Kind::kParam) return at.param == param;
  for (const auto& arg : at.args) {
    if (occurs(param, arg)) return true;
  }
  return false;
}

bool Checker::assignable(const Type& to_type, const Type& from_type) {
  const Type to = head(to_type);
  const Type from = head(from_type);
  if (to.kind == Kind::kParam || from.kind == Kind::kParam) {
    const bool binds_to = to.kind == Kind::kParam;
    const auto param = binds_to ? to.param : from.param;
    const auto& other = binds_to ? from : to;
    if (other.kind == Kind::kParam && other.param == param) return true;
    if (occurs(param, other)) return false;
    bound_[param] = other;
    trail_.push_back(param);
    return true;
  }
  if (to.kind == Kind::kDyn || from.kind == Kind::kDyn) return true;
  if (to.kind != from.kind) return false;
  if (to.kind == Kind::kType) return true;
  for (std::size_t i = 0; i < to.args.size(); ++i) {
    if (!assignable(to.args[i], from.args[i])) return false;
  }
  return true;
}

Type Checker::joined(const Type& a, const Type& b) {
  const auto before = mark();
  const auto x = settled(a);
  const auto y = settled(b);
  if (x.kind == Kind::kDyn || y.kind == Kind::kDyn) return {};
  if (assignable(x, y)) {
    // Of list(int) and list(dyn) the wider one, part by part.
    if (x.args.empty() || x.kind == Kind::kType) return settled(x);
    Type wide = x;
    for (std::size_t i = 0; i < x.args.size(); ++i) wide.args[i] = joined(x.args[i], y.args[i]);
    return wide;
  }
  undo(before);
  return {};
}

void Checker::settle(Node& node) const {
  node.type = settled(node.type);
  for (auto& arg : node.args) settle(*arg);
}

}  // namespace mlops::cel
