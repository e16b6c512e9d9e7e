// The only yaml-cpp room: YAML text → a small typed tree that remembers line and column, within limits.
//
// Refused as kInvalid "yaml_…" with line:column: more than one document, anchors and aliases, tags other than the
// core ones, duplicate keys, non-scalar keys, size > 1 MiB, depth > 64, more than 100,000 nodes. An empty document
// is a null node. Scalars stay text: the reader of a field decides its type, so `no` and `036` are never mistaken.
// Thread-safety: free functions and plain values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"

namespace mlops {

struct YamlMark {
  int line = 0;    // from 1
  int column = 0;  // from 1
};

class YamlNode {
 public:
  YamlNode();  // not in the class: clang needs it whole for the vectors of itself
  enum class Kind { kNull, kScalar, kSequence, kMap };

  Kind kind = Kind::kNull;
  YamlMark mark;
  std::string scalar;                                  // kScalar: its text
  bool quoted = false;                                 // kScalar: was written in quotes or as a block
  std::vector<YamlNode> items;                         // kSequence
  std::vector<std::pair<YamlNode, YamlNode>> entries;  // kMap, in document order

  bool is_null() const { return kind == Kind::kNull; }
  bool is_scalar() const { return kind == Kind::kScalar; }
  bool is_sequence() const { return kind == Kind::kSequence; }
  bool is_map() const { return kind == Kind::kMap; }
  // The value under `key`, or nullptr (absent is not an error). REQUIRES: nothing; a non-map has no keys.
  const YamlNode* find(std::string_view key) const;
};

// `origin` names the text in messages ("policy.yaml"); messages read "policy.yaml:3:7: …".
Result<YamlNode> parse_yaml(std::string_view text, const std::string& origin);

// "origin:line:column: message" as a kInvalid error with the given slug.
Error yaml_error(const std::string& origin, const YamlMark& mark, std::string slug, const std::string& message,
                 std::string hint = {});

// Typed reading of scalars; the error names origin:line:column and what was expected.
Result<std::string> yaml_string(const YamlNode& node, const std::string& origin, std::string_view what);
Result<std::int64_t> yaml_int(const YamlNode& node, const std::string& origin, std::string_view what, std::int64_t min,
                              std::int64_t max);
Result<double> yaml_double(const YamlNode& node, const std::string& origin, std::string_view what);
Result<bool> yaml_bool(const YamlNode& node, const std::string& origin, std::string_view what);
Result<std::vector<std::string>> yaml_strings(const YamlNode& node, const std::string& origin, std::string_view what);
// REQUIRES: node.is_map() or null. kInvalid "unknown_key" for a key outside `known`, with the nearest known one.
Status yaml_only_known_keys(const YamlNode& node, const std::string& origin,
                            const std::vector<std::string_view>& known);

// The tree as JSON: plain scalars true/false/null/integers/floats are typed, quoted ones stay strings.
Json yaml_to_json(const YamlNode& node);
// JSON as block-style YAML text (for `-o yaml`).
std::string json_to_yaml(const Json& value);

}  // namespace mlops
