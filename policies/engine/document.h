// One policy text, read but not yet merged with its packs: every value with its place, so that checks can point at it.
// Private to policies/engine. Thread-safety: values.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/yaml.h"
#include "core/model/kind.h"
#include "policies/engine/findings.h"
#include "policies/engine/gate_rule.h"
#include "policies/engine/inline_test.h"
#include "policies/engine/marked.h"
#include "policies/engine/terms.h"
#include "policies/mask/transform.h"

namespace mlops::policy {

// In order of strictness.
enum class UnknownColumn { kAllow, kScan, kQuarantine };
std::string_view to_word(UnknownColumn word);

struct DetectorUse {
  Marked<std::string> id;
  std::optional<Marked<double>> min_score;
  std::string column_pattern;
  std::string value_pattern;
  bool has_params = false;
  Marked<std::string> level;
  std::string category;
};

// `name` is a column or a pattern of columns (column_matches in columns.h).
struct DeclaredColumn {
  Marked<std::string> name;
  Marked<std::string> class_name;
  Marked<std::string> subject;  // whom the value is about: a word of subject_words(); empty: not said
  Marked<std::string> level;
  std::string category;
  bool is_optional = false;
};
const std::vector<std::string>& subject_words();

struct Rule {
  enum class Match { kClass, kColumn };
  Match match = Match::kClass;
  Marked<std::string> subject;    // the class or the column
  Marked<std::string> transform;  // "redact"
  YamlNode options;               // the value of `apply: {redact: …}`
  std::string origin;
  YamlMark mark;
  std::string cite;                              // the clause the rule follows
  std::optional<std::int64_t> max_findings;      // of the residual scan in what it wrote; the policy's limit holds too
  std::string exception;                         // id of the exception it leans on; empty: none
  std::shared_ptr<const mask::Transform> apply;  // set when the rules are compiled

  std::string where() const { return origin + ":" + std::to_string(mark.line); }
  // Rewrites what it finds inside a text and leaves the rest: `redact: {spans: …}`.
  bool redacts_spans() const { return transform.value == "redact" && options.find("spans"); }
};

struct KeyDecl {
  Marked<std::string> name;
  std::string purpose;
  std::string ref;  // where the key is kept: "kms://local/research"; empty: under its own name in the key ring
  std::optional<std::int64_t> rotate_days;
};

// A line of a pack's table of identifiers: the letter of the law, its classes, and the transforms a policy may choose
// although they take away less than the pack's own.
struct IdentifierGroup {
  Marked<std::string> letter;
  std::string title;
  std::vector<std::string> classes;
  std::vector<std::string> allow;
  std::string cite;
};

// People the pack's text does not speak about: their columns of these classes may be kept by a rule for the column.
struct OutsideRow {
  Marked<std::string> subject;
  std::vector<std::string> classes;
  std::string cite;
};

// A special category of personal data and the classes that belong to it.
struct CategoryRow {
  Marked<std::string> name;
  std::string title;
  std::vector<std::string> classes;
  std::string cite;
};

struct Note {
  std::string text;
  std::string cite;
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
  std::string cite;
};

struct Document {
  std::string origin;
  std::string yaml;
  bool is_pack = false;
  YamlMark root_mark;
  std::string name;
  std::string version;
  std::string description;
  std::vector<std::string> authority;
  std::vector<Marked<std::string>> extends;
  std::vector<std::pair<std::string, std::string>> labels;
  std::optional<Marked<TimestampUs>> effective_from;
  YamlNode spec;  // as written, for evidence paths

  std::optional<std::vector<model::ArtifactKind>> kinds;
  std::map<std::string, std::string> select_labels;  // a version must carry all of them
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

  std::optional<Marked<EnforcementMode>> enforcement_mode;
  Shadow shadow;
  std::optional<YamlMark> shadow_mark;
  std::optional<std::vector<Marked<std::string>>> levels;
  std::optional<Marked<std::int64_t>> scan_nested_depth;
  std::optional<Marked<bool>> scan_free_text;
  std::optional<Marked<std::vector<std::string>>> scan_decode;
  std::optional<Marked<double>> scan_max_decode_ratio;
  Risk risk;
  std::optional<YamlMark> risk_mark;
  Retention retention;
  std::optional<YamlMark> retention_mark;
  Residency residency;
  std::optional<YamlMark> residency_mark;
  Purpose purpose;
  Erasure erasure;
  std::vector<Exception> exceptions;
  std::vector<Statement> attestations;
  std::vector<Statement> evidence;
  std::optional<Expert> expert;
  std::optional<YamlMark> expert_mark;
  std::vector<InlineTest> tests;

  std::vector<IdentifierGroup> identifiers;  // from here on packs only
  std::vector<Restriction> forbid;
  std::vector<OutsideRow> outside;
  std::vector<CategoryRow> categories;
  std::vector<Requirement> requirements;
  std::vector<Note> notes;
};

// Reads the text; what is wrong goes to `findings`, what is right is in the document.
Document read_document(std::string_view yaml, Findings& findings);
// One entry of spec.gates.
GateRule read_gate(const YamlNode& node, Findings& findings);
// The sections of spec in files of their own.
void read_enforcement(const YamlNode& node, Document& document, Findings& findings);
void read_classification(const YamlNode& node, Document& document, Findings& findings);
void read_risk(const YamlNode& node, Document& document, Findings& findings);
void read_retention(const YamlNode& node, Document& document, Findings& findings);
void read_residency(const YamlNode& node, Document& document, Findings& findings);
void read_purpose(const YamlNode& node, Document& document, Findings& findings);
void read_erasure(const YamlNode& node, Document& document, Findings& findings);
void read_exceptions(const YamlNode& node, Document& document, Findings& findings);
void read_attestations(const YamlNode& node, Document& document, Findings& findings);
void read_evidence(const YamlNode& node, Document& document, Findings& findings);
void read_expert(const YamlNode& node, Document& document, Findings& findings);
void read_tests(const YamlNode& node, Document& document, Findings& findings);
// identifiers, forbid, outside, categories, require, notes.
void read_pack_sections(const YamlNode& spec, Document& document, Findings& findings);

}  // namespace mlops::policy
