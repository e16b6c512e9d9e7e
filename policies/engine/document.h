// One policy text, read but not yet merged with its packs: every value with its place, so that checks can point at it.
// Private to policies/engine. Thread-safety: values.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/yaml.h"
#include "core/model/kind.h"
#include "policies/engine/findings.h"
#include "policies/engine/gate_rule.h"
#include "policies/mask/transform.h"

namespace mlops::policy {

template <class T>
struct Marked {
  T value{};
  YamlMark mark;
};

// In order of strictness.
enum class UnknownColumn { kAllow, kScan, kQuarantine };
std::string_view to_word(UnknownColumn word);

struct DetectorUse {
  Marked<std::string> id;
  std::optional<Marked<double>> min_score;
  std::string column_pattern;
  std::string value_pattern;
  bool has_params = false;
};

struct DeclaredColumn {
  Marked<std::string> name;
  Marked<std::string> class_name;
};

struct Rule {
  enum class Match { kClass, kColumn };
  Match match = Match::kClass;
  Marked<std::string> subject;    // the class or the column
  Marked<std::string> transform;  // "redact"
  YamlNode options;               // the value of `apply: {redact: …}`
  std::string origin;
  YamlMark mark;
  std::shared_ptr<const mask::Transform> apply;  // set when the rules are compiled

  std::string where() const { return origin + ":" + std::to_string(mark.line); }
  // Rewrites what it finds inside a text and leaves the rest: `redact: {spans: …}`.
  bool redacts_spans() const { return transform.value == "redact" && options.find("spans"); }
};

struct KeyDecl {
  Marked<std::string> name;
  std::string purpose;
};

// A line of a pack's table of identifiers: the letter of the law, its classes, and the transforms a policy may choose
// although they take away less than the pack's own.
struct IdentifierGroup {
  Marked<std::string> letter;
  std::string title;
  std::vector<std::string> classes;
  std::vector<std::string> allow;
};

// What a pack forbids a policy to do to its identifiers. Without `option`: the transform itself. With it: the option
// being there at all, or with `unless` another value than those (none at all is another one), or with `above` a larger
// number (none at all is the transform's default, which is not).
struct Restriction {
  std::string transform;
  std::vector<std::string> classes;  // empty: every identifier of the pack
  std::string option;
  std::vector<std::string> unless;
  std::optional<double> above;
  std::string why;
};

struct Document {
  std::string origin;
  std::string yaml;
  bool is_pack = false;
  YamlMark root_mark;
  std::string name;
  std::string version;
  std::vector<std::string> authority;
  std::vector<Marked<std::string>> extends;

  std::optional<std::vector<model::ArtifactKind>> kinds;
  std::vector<DetectorUse> detectors;
  std::vector<DeclaredColumn> columns;
  std::optional<Marked<UnknownColumn>> unknown_column;
  std::vector<Marked<std::string>> optional_columns;
  std::vector<KeyDecl> keys;
  std::vector<Rule> rules;
  std::optional<YamlMark> rules_mark;  // spec.transforms.rules is written
  std::optional<Marked<double>> residual_min_score;
  std::optional<Marked<std::int64_t>> residual_max_findings;
  std::vector<Marked<std::string>> residual_ignore_columns;
  std::string output_name;
  std::optional<Marked<model::Sensitivity>> output_sensitivity;
  std::vector<GateRule> gates;

  std::vector<IdentifierGroup> identifiers;  // packs only
  std::vector<Restriction> forbid;           // packs only
};

// Reads the text; what is wrong goes to `findings`, what is right is in the document.
Document read_document(std::string_view yaml, Findings& findings);
// One entry of spec.gates.
GateRule read_gate(const YamlNode& node, Findings& findings);

}  // namespace mlops::policy
