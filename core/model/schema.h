// What a version says it takes and gives: columns with types, declared when it is registered, and whether what one
// gives is what another needs.
//
//   schema = [ column … ] | { "columns": [ column … ] }
//   column = { "name", "type", "required": true by default, of a tensor "dtype" and "shape" (-1: any length) }
//   type   = integer | number | string | boolean | date | timestamp | bytes | tensor
// An MLflow signature ({"inputs": …, "outputs": …}, lists or their JSON as text) is read as well, its type words being
// taken for the nearest of these. Errors: kInvalid "bad_schema". Thread-safety: values and pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/json.h"

namespace mlops::model {

struct SchemaColumn {
  std::string name;  // empty: the only one, a tensor
  std::string type;
  bool is_required = true;
  std::string dtype;                // of a tensor
  std::vector<std::int64_t> shape;  // of a tensor
};

using Schema = std::vector<SchemaColumn>;

// The declared sides of a version; absent: not declared.
struct VersionSchemas {
  std::optional<Schema> input;
  std::optional<Schema> output;

  bool is_empty() const { return !input && !output; }
};

enum class SchemaSide { kInput, kOutput };
Result<Schema> parse_schema(const Json& json, SchemaSide side);
// {"columns": […]}: the canonical form, which is stored, shown and digested.
Json to_json(const Schema& schema);
// "number", "tensor(float32, [-1, 3])".
std::string type_text(const SchemaColumn& column);

// {"input", "output"} as far as they are declared.
Json to_json(const VersionSchemas& schemas);
Result<VersionSchemas> schemas_from_json(const Json& json);

// Why `given` is not what `needed` asks for, a sentence each; empty: it fits. Every required column must be there; an
// optional one need not, but when it is there its type must fit. An integer is a number, nothing else is converted.
std::vector<std::string> schema_gaps(const Schema& given, const Schema& needed);

}  // namespace mlops::model
