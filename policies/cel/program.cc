#include "policies/cel/program.h"

#include <fmt/format.h>

#include "policies/cel/body.h"
#include "policies/cel/checker.h"
#include "policies/cel/cost.h"
#include "policies/cel/evaluator.h"
#include "policies/cel/parser.h"

namespace mlops::cel {

Status Declarations::variable(std::string name, std::string_view type) {
  MLOPS_ASSIGN(variables[std::move(name)], parse_type(type));
  return {};
}

Status Declarations::function(std::string name, std::string_view signature, bool is_method) {
  MLOPS_ASSIGN(auto read, parse_signature(signature));
  functions.push_back({std::move(name), is_method, std::move(read)});
  return {};
}

Result<Program> compile(std::string_view source, const Declarations& declarations, const CompileOptions& options) {
  auto body = std::make_shared<Program::Body>();
  body->source = source;
  body->declarations = declarations;
  MLOPS_ASSIGN(body->root, parse(body->source, options.has_macros ? Macros::kExpand : Macros::kPlain));
  MLOPS_TRY(Checker(body->source, body->declarations, options.check).run(*body->root));
  body->cost = estimated_cost(*body->root, declarations);
  if (body->cost > declarations.max_cost) {
    return fail(error_at(body->source, body->root->at, "cel_too_costly",
                         fmt::format("estimated at {} steps, more than {}", body->cost, declarations.max_cost),
                         "nest fewer of all, exists, map and filter"));
  }
  Program program;
  program.body_ = std::move(body);
  return program;
}

const std::string& Program::source() const {
  return body_->source;
}
const Type& Program::type() const {
  return body_->root->type;
}
std::uint64_t Program::cost() const {
  return body_->cost;
}

Result<Value> Program::evaluate(const Bindings& bindings) const {
  return Evaluator(body_->source, bindings).evaluate(*body_->root);
}

}  // namespace mlops::cel
