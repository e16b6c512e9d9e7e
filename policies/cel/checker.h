// Gives every name its meaning and every part its type. Private to policies/cel. Errors: kInvalid "cel_undeclared",
// "cel_no_overload", "cel_no_field", "cel_type" with line:column. Thread-safety: one checker a tree.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "policies/cel/ast.h"
#include "policies/cel/program.h"

namespace mlops::cel {

class Checker {
 public:
  Checker(std::string_view source, const Declarations& declarations, CompileOptions::Check check)
      : source_(source), declarations_(declarations), check_(check) {}
  // Marks the tree below `root`, which may be replaced.
  Status run(Node& root);

 private:
  struct Local {
    std::string name;
    Type type;
  };

  Status check(Node& node);
  Status check_parts(Node& node);
  Status check_ident(Node& node);
  Status check_select(Node& node);
  Status check_call(Node& node);
  Status check_list(Node& node);
  Status check_map(Node& node);
  Status check_macro(Node& node);
  Status want_bool(const Node& node);
  std::optional<Type> try_overload(const Node& node, const Signature& overload);
  Status resolve_overload(Node& node, const std::vector<const Signature*>& overloads);
  Failure no_match(const Node& node) const;
  Failure undeclared(const Node& node, const std::string& name) const;

  bool resolve_name(const std::string& name, bool is_absolute, Node& node);
  const Local* local(std::string_view name) const;

  // Types with parameters bound so far.
  struct Mark {
    std::size_t bound;
    std::size_t trail;
  };
  Mark mark() const { return {bound_.size(), trail_.size()}; }
  void undo(const Mark& to);
  Type fresh();
  Type instantiate(const Type& type, std::vector<Type>& params);
  Type settled(const Type& type) const;      // bound parameters replaced
  const Type& head(const Type& type) const;  // the outermost bound parameter replaced
  bool assignable(const Type& to, const Type& from);
  bool occurs(std::uint32_t param, const Type& type) const;
  Type joined(const Type& a, const Type& b);
  void settle(Node& node) const;
  bool is_typed() const { return check_ == CompileOptions::Check::kTyped; }
  Failure wrong(const Node& node, std::string slug, std::string message, std::string hint = {}) const;

  std::string_view source_;
  const Declarations& declarations_;
  CompileOptions::Check check_;
  std::vector<Local> locals_;
  std::vector<std::optional<Type>> bound_;
  std::vector<std::uint32_t> trail_;  // parameters in the order they were bound, to take attempts back
};

}  // namespace mlops::cel
