#include "policies/cel/cost.h"

#include <algorithm>
#include <limits>

namespace mlops::cel {
namespace {

using Form = Node::Form;
using Steps = std::uint64_t;

constexpr Steps kMost = std::numeric_limits<Steps>::max();

Steps plus(Steps a, Steps b) {
  return a > kMost - b ? kMost : a + b;
}
Steps times(Steps a, Steps b) {
  return b != 0 && a > kMost / b ? kMost : a * b;
}

struct Estimate {
  Steps steps = 1;
  Steps size = 1;  // elements of a list or map, bytes / 16 of a text
};

class Estimator {
 public:
  explicit Estimator(const Declarations& declarations)
      : assumed_(declarations.assumed_size), assumed_text_(declarations.assumed_text) {}

  Estimate of(const Node& node) const {
    switch (node.form) {
      case Form::kLiteral:
        return {1, literal_size(node)};
      case Form::kIdent:
        return {1, unknown_size(node.type)};
      case Form::kSelect:
      case Form::kHas:
        return {plus(1, of(*node.args[0]).steps), unknown_size(node.type)};
      case Form::kList:
        return {plus(1, sum(node)), node.args.size()};
      case Form::kMap:
        return {plus(1, sum(node)), node.args.size() / 2};
      case Form::kCall:
        return call(node);
      case Form::kMacro:
        return macro(node);
    }
    return {};
  }

 private:
  static Steps literal_size(const Node& node) {
    if (const auto* text = node.literal.get<std::string>()) return text->size() / 16 + 1;
    return 1;
  }
  Steps unknown_size(const Type& type) const {
    const bool is_small = type.kind == Kind::kBool || type.kind == Kind::kInt || type.kind == Kind::kUint ||
                          type.kind == Kind::kDouble || type.kind == Kind::kNull || type.kind == Kind::kTimestamp ||
                          type.kind == Kind::kDuration || type.kind == Kind::kType;
    const bool is_text = type.kind == Kind::kString || type.kind == Kind::kBytes;
    return is_small ? 1 : is_text ? assumed_text_ : assumed_;
  }
  Steps sum(const Node& node) const {
    Steps steps = 0;
    for (const auto& arg : node.args) steps = plus(steps, of(*arg).steps);
    return steps;
  }
  Estimate call(const Node& node) const {
    Estimate estimate;
    Steps sizes = 0;
    Steps largest = 0;
    for (const auto& arg : node.args) {
      const auto part = of(*arg);
      estimate.steps = plus(estimate.steps, part.steps);
      sizes = plus(sizes, part.size);
      largest = std::max(largest, part.size);
    }
    for (const auto* function : node.functions) estimate.steps = plus(estimate.steps, function->cost);
    const bool is_logic = node.name == "_&&_" || node.name == "_||_" || node.name == "_?_:_";
    if (!is_logic) estimate.steps = plus(estimate.steps, sizes);
    const auto unknown = unknown_size(node.type);
    if (unknown == 1) return estimate;
    estimate.size = node.name == "_+_" ? sizes : node.name == "_?_:_" ? largest : unknown;
    return estimate;
  }
  Estimate macro(const Node& node) const {
    const auto range = of(*node.args[0]);
    Steps body = 1;
    for (std::size_t i = 1; i < node.args.size(); ++i) body = plus(body, of(*node.args[i]).steps);
    const auto steps = plus(plus(range.steps, range.size), plus(1, times(range.size, body)));
    return {steps, range.size};
  }

  Steps assumed_;
  Steps assumed_text_;
};

}  // namespace

std::uint64_t estimated_cost(const Node& root, const Declarations& declarations) {
  return Estimator(declarations).of(root).steps;
}

}  // namespace mlops::cel
