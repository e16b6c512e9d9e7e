#include "policies/engine/assert_gate.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/json.h"
#include "core/base/text.h"

namespace mlops::policy {
namespace {

struct NameRow {
  std::string_view name;
  std::string_view type;
};
constexpr NameRow kVariables[] = {{"target.environment.name", "string"},
                                  {"target.environment.clearance", "string"},
                                  {"target.environment.region", "string"},
                                  {"target.environment.protected", "bool"},
                                  {"target.environment.approvals_needed", "int"},
                                  {"target.environment.after", "list(string)"},
                                  {"target.environment.owners", "list(string)"},
                                  {"target.environment.policies", "list(string)"},
                                  {"target.environment.labels", "map(string, string)"},
                                  {"artifact.name", "string"},
                                  {"artifact.kind", "string"},
                                  {"artifact.ref", "string"},
                                  {"artifact.digest", "string"},
                                  {"artifact.version", "int"},
                                  {"artifact.sensitivity", "string"},
                                  {"artifact.own_sensitivity", "string"},
                                  {"artifact.sensitivity_assumed", "bool"},
                                  {"artifact.deprecated", "bool"},
                                  {"artifact.description", "string"},
                                  {"artifact.created_by", "string"},
                                  {"artifact.created_at", "timestamp"},
                                  {"artifact.size_bytes", "int"},
                                  {"artifact.file_count", "int"},
                                  {"artifact.ran_in", "list(string)"},
                                  {"artifact.params", "map(string, string)"},
                                  {"artifact.metrics", "map(string, double)"},
                                  {"artifact.git", "map(string, dyn)"},
                                  {"lineage.complete", "bool"},
                                  {"lineage.unknown_inputs", "int"},
                                  {"lineage.depth_to_source", "int"},
                                  {"lineage.roles", "list(string)"},
                                  {"lineage.inputs", "list(map(string, string))"},
                                  {"taint", "map(string, dyn)"},
                                  {"members", "list(map(string, dyn))"},
                                  {"approvals", "list(map(string, dyn))"},
                                  {"requested_by", "string"},
                                  {"reason", "string"},
                                  {"is_rollback", "bool"},
                                  {"now", "timestamp"},
                                  {"current.ref", "string"},
                                  {"current.metrics", "map(string, double)"}};

struct FunctionRow {
  std::string_view name;
  std::string_view signature;
  bool is_method;
};
constexpr FunctionRow kFunctions[] = {{"metric", "string -> double", false},
                                      {"metric", "string, string -> double", false},
                                      {"current_metric", "string -> double", false},
                                      {"has", "map(string, dyn), string -> bool", true}};

// What a policy names is far below this: members, inputs and approvals are a handful each.
constexpr std::uint64_t kAssumedSize = 64;

// Where in the file a place of the expression is. The text of a block begins in the line below its mark, at a column
// that the tree does not keep, so there the column is that of the expression.
YamlMark place_of(const YamlNode& node, int line, int column) {
  const bool is_block = node.scalar.find('\n') != std::string::npos;
  if (is_block) return {node.mark.line + line, column};
  return {node.mark.line, node.mark.column + (node.quoted ? 1 : 0) + column - 1};
}

void add_compile_error(const Error& error, const YamlNode& node, Findings& findings) {
  auto mark = node.mark;
  auto message = error.message;
  if (const auto detail = parse_json(error.detail)) {
    mark = place_of(node, detail->value("line", 1), detail->value("column", 1));
    message = detail->value("message", message);
  }
  findings.error(mark, error.slug, "assert: " + message, error.hint);
}

}  // namespace

const cel::Declarations& assert_declarations() {
  static const cel::Declarations declarations = [] {
    cel::Declarations made;
    made.assumed_size = kAssumedSize;
    // The rows are constants of this file; a unit test compiles an expression over every one of them.
    for (const auto& row : kVariables) (void)made.variable(std::string(row.name), row.type);
    for (const auto& row : kFunctions) (void)made.function(std::string(row.name), row.signature, row.is_method);
    return made;
  }();
  return declarations;
}

void read_assert(const YamlNode& node, GateRule& gate, Reader& reader) {
  const auto source = reader.text(node, "assert");
  if (!source) return;
  auto program = cel::compile(*source, assert_declarations());
  auto& findings = reader.findings();
  if (!program) return add_compile_error(program.error(), node, findings);
  const auto kind = program->type().kind;
  if (kind != cel::Kind::kBool && kind != cel::Kind::kDyn) {
    findings.error(node.mark, "gate_not_boolean",
                   fmt::format("assert is true or false, not {}", cel::to_text(program->type())));
  }
  // Without any facts nothing but a constant has a value.
  const auto constant = program->evaluate({});
  const auto* truth = constant ? constant->get<bool>() : nullptr;
  if (truth && *truth)
    findings.error(node.mark, "gate_cannot_fail", "the assertion asks for no fact: everything passes");
  if (truth && !*truth) findings.error(node.mark, "gate_impossible", "the assertion is always false: nothing passes");
  gate.body = AssertGate{std::move(*program)};
}

}  // namespace mlops::policy
