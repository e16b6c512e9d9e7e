// Why a condition does not hold: the fewest parts of it that must change, with the values they were decided on.
#include <fmt/format.h>

#include "core/base/text.h"
#include "policies/cel/body.h"
#include "policies/cel/evaluator.h"

namespace mlops::cel {
namespace {

using Form = Node::Form;
using Conditions = std::vector<FailedCondition>;

constexpr std::size_t kMostShown = 200;

class Explainer {
 public:
  Explainer(std::string_view source, const Bindings& bindings) : source_(source), evaluator_(source, bindings) {}

  // What must change for `node` to be true; empty when it is.
  Conditions failing(const Node& node) {
    const auto value = evaluator_.evaluate(node);
    const auto* truth = value ? value->get<bool>() : nullptr;
    if (truth && *truth) return {};
    if (node.form == Form::kCall && node.name == "_&&_") return both(failing(*node.args[0]), failing(*node.args[1]));
    if (node.form == Form::kCall && node.name == "_?_:_") {
      const auto choice = evaluator_.evaluate(*node.args[0]);
      const auto* which = choice ? choice->get<bool>() : nullptr;
      if (which) return failing(*node.args[*which ? 1 : 2]);
    }
    FailedCondition condition{text_of(node), {}, {}, {}};
    if (!value) {
      condition.error_slug = value.error().slug;
      condition.error = value.error().message;
    }
    if (!add_element(node, condition)) add_leaves(node, condition);
    return {condition};
  }

  std::vector<Leaf> leaves(const Node& node) {
    FailedCondition whole;
    add_leaves(node, whole);
    return std::move(whole.leaves);
  }

 private:
  static Conditions both(Conditions a, Conditions b) {
    a.insert(a.end(), std::make_move_iterator(b.begin()), std::make_move_iterator(b.end()));
    return a;
  }

  // Of all(…): the first element for which the body does not hold.
  bool add_element(const Node& node, FailedCondition& condition) {
    if (node.form != Form::kMacro || node.macro != Macro::kAll) return false;
    const auto range = evaluator_.elements(node);
    if (!range) return false;
    for (const auto& element : *range) {
      evaluator_.push_local(node.name, element);
      const auto value = evaluator_.evaluate(*node.args[1]);
      const auto* truth = value ? value->get<bool>() : nullptr;
      const bool fails = !truth || !*truth;
      if (fails) add_leaves(*node.args[1], condition);
      evaluator_.pop_local();
      if (fails) return true;
    }
    return false;
  }

  // The values of the parts that are neither operators between conditions nor literals.
  void add_leaves(const Node& node, FailedCondition& condition) {
    if (node.form == Form::kLiteral || condition.leaves.size() >= kMostLeaves) return;
    const bool is_operator =
        node.form == Form::kCall && (node.name.front() == '_' || node.name.back() == '_') && node.name != "_[_]";
    if (is_operator) {
      for (const auto& arg : node.args) add_leaves(*arg, condition);
      return;
    }
    const auto value = evaluator_.evaluate(node);
    Leaf leaf{text_of(node), value ? to_text(*value, kMostShown) : "unknown: " + value.error().message};
    for (const auto& known : condition.leaves) {
      if (known.source == leaf.source) return;
    }
    condition.leaves.push_back(std::move(leaf));
  }

  std::string text_of(const Node& node) const {
    std::string text(source_.substr(node.begin, node.end - node.begin));
    for (auto& byte : text) {
      if (byte == '\n' || byte == '\r' || byte == '\t') byte = ' ';
    }
    return text;
  }

  static constexpr std::size_t kMostLeaves = 16;
  std::string_view source_;
  Evaluator evaluator_;
};

}  // namespace

std::string FailedCondition::text() const {
  std::string text = source + (error_slug.empty() ? " is false" : " has no answer");
  std::vector<std::string> parts;
  for (const auto& leaf : leaves) {
    if (leaf.source == source) continue;
    parts.push_back(fmt::format("{} is {}", leaf.source, leaf.value));
  }
  if (parts.empty() && !error.empty()) parts.push_back(error);
  return parts.empty() ? text : text + ": " + join(parts, ", ");
}

std::vector<FailedCondition> Program::explain(const Bindings& bindings) const {
  return Explainer(body_->source, bindings).failing(*body_->root);
}

std::vector<Leaf> Program::leaves(const Bindings& bindings) const {
  return Explainer(body_->source, bindings).leaves(*body_->root);
}

}  // namespace mlops::cel
