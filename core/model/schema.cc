#include "core/model/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "core/base/text.h"

namespace mlops::model {
namespace {

constexpr std::size_t kMostColumns = 10'000;
constexpr std::size_t kMostDimensions = 16;
constexpr std::size_t kLongestName = 256;

struct TypeRow {
  std::string_view word;
  std::string_view type;
};
// The house's own words, and MLflow's for the same.
constexpr std::array<TypeRow, 15> kTypes{{{"integer", "integer"},
                                          {"number", "number"},
                                          {"string", "string"},
                                          {"boolean", "boolean"},
                                          {"date", "date"},
                                          {"timestamp", "timestamp"},
                                          {"bytes", "bytes"},
                                          {"tensor", "tensor"},
                                          {"long", "integer"},
                                          {"float", "number"},
                                          {"double", "number"},
                                          {"binary", "bytes"},
                                          {"datetime", "timestamp"},
                                          {"int", "integer"},
                                          {"bool", "boolean"}}};
constexpr std::size_t kOwnTypes = 8;

Failure bad_schema(std::string message, std::string hint = {}) {
  if (hint.empty()) hint = R"(for example [{"name": "age", "type": "integer"}])";
  return fail(ErrorCode::kInvalid, "bad_schema", std::move(message), std::move(hint));
}

Result<std::string> type_of(const std::string& word) {
  for (const auto& row : kTypes) {
    if (row.word == word) return std::string(row.type);
  }
  std::vector<std::string> own;
  for (std::size_t i = 0; i < kOwnTypes; ++i) own.emplace_back(kTypes[i].word);
  return bad_schema(fmt::format("a schema knows no type \"{}\"", printable(word.substr(0, 40))),
                    "one of " + join(own, ", "));
}

Status read_tensor(const Json& json, SchemaColumn& column) {
  const auto& spec = json.contains("tensor-spec") ? json.at("tensor-spec") : json;
  if (!spec.is_object()) return bad_schema("\"tensor-spec\" must be an object");
  MLOPS_ASSIGN(column.dtype, require_string(spec, "dtype"));
  if (column.dtype.empty() || column.dtype.size() > 40 || !is_valid_utf8(column.dtype)) {
    return bad_schema("the dtype of a tensor is a short word");
  }
  const auto shape = spec.find("shape");
  if (shape == spec.end() || !shape->is_array() || shape->size() > kMostDimensions) {
    return bad_schema(fmt::format("a tensor needs its \"shape\", a list of up to {} lengths", kMostDimensions));
  }
  for (const auto& length : *shape) {
    if (!length.is_number_integer() || length.get<std::int64_t>() < -1) {
      return bad_schema("the lengths of a shape are whole numbers, -1 for any");
    }
    column.shape.push_back(length.get<std::int64_t>());
  }
  return {};
}

Result<SchemaColumn> read_column(const Json& json) {
  if (!json.is_object()) return bad_schema("every column of a schema is an object with name and type");
  MLOPS_TRY(only_known_fields(json, {"name", "type", "required", "optional", "dtype", "shape", "tensor-spec"}));
  SchemaColumn column;
  MLOPS_ASSIGN(column.name, optional_string(json, "name"));
  if (column.name.size() > kLongestName || printable(column.name) != column.name) {
    return bad_schema(fmt::format("the name of a column has up to {} bytes, no control characters", kLongestName));
  }
  MLOPS_ASSIGN(const auto word, require_string(json, "type"));
  MLOPS_ASSIGN(column.type, type_of(word));
  MLOPS_ASSIGN(const bool is_optional, optional_bool(json, "optional", false));
  MLOPS_ASSIGN(column.is_required, optional_bool(json, "required", !is_optional));
  if (column.type == "tensor") {
    MLOPS_TRY(read_tensor(json, column));
  } else if (column.name.empty()) {
    return bad_schema("a column without a name can only be a tensor");
  }
  return column;
}

// What stands under "inputs" or "outputs" of an MLflow signature: a list, or its JSON as text.
Result<Json> unwrapped(const Json& json, SchemaSide side) {
  if (json.is_array()) return json;
  if (!json.is_object()) return bad_schema("a schema is a list of columns");
  const auto* key = json.contains("columns") ? "columns" : side == SchemaSide::kInput ? "inputs" : "outputs";
  if (!json.contains(key)) return bad_schema(fmt::format("the schema has neither \"columns\" nor \"{}\"", key));
  const auto& inner = json.at(key);
  if (inner.is_string()) return parse_json(inner.get<std::string>());
  return inner;
}

bool fits(std::int64_t given, std::int64_t needed) {
  return needed == -1 || given == needed;
}

bool is_assignable(const SchemaColumn& given, const SchemaColumn& needed) {
  if (given.type != needed.type) return given.type == "integer" && needed.type == "number";
  if (given.type != "tensor") return true;
  return given.dtype == needed.dtype && given.shape.size() == needed.shape.size() &&
         std::equal(given.shape.begin(), given.shape.end(), needed.shape.begin(), fits);
}

std::string name_text(const SchemaColumn& column) {
  return column.name.empty() ? "the tensor" : column.name;
}

}  // namespace

Result<Schema> parse_schema(const Json& json, SchemaSide side) {
  MLOPS_ASSIGN(const auto list, unwrapped(json, side));
  if (!list.is_array() || list.empty() || list.size() > kMostColumns) {
    return bad_schema(fmt::format("a schema has 1 to {} columns", kMostColumns));
  }
  Schema schema;
  std::set<std::string> names;
  for (const auto& item : list) {
    MLOPS_ASSIGN(auto column, read_column(item));
    if (!names.insert(column.name).second) {
      return bad_schema(fmt::format("the schema names {} twice", name_text(column)));
    }
    schema.push_back(std::move(column));
  }
  if (schema.size() > 1 && names.contains("")) return bad_schema("only a single tensor may go without a name");
  return schema;
}

Json to_json(const Schema& schema) {
  Json columns = Json::array();
  for (const auto& column : schema) {
    Json item = {{"name", column.name}, {"type", column.type}, {"required", column.is_required}};
    if (column.type == "tensor") {
      item["dtype"] = column.dtype;
      item["shape"] = column.shape;
    }
    columns.push_back(std::move(item));
  }
  return {{"columns", std::move(columns)}};
}

std::string type_text(const SchemaColumn& column) {
  if (column.type != "tensor") return column.type;
  return fmt::format("tensor({}, [{}])", column.dtype, fmt::join(column.shape, ", "));
}

Json to_json(const VersionSchemas& schemas) {
  Json json = Json::object();
  if (schemas.input) json["input"] = to_json(*schemas.input);
  if (schemas.output) json["output"] = to_json(*schemas.output);
  return json;
}

Result<VersionSchemas> schemas_from_json(const Json& json) {
  if (!json.is_object()) return bad_schema("the schemas of a version are an object with input and output");
  MLOPS_TRY(only_known_fields(json, {"input", "output"}));
  VersionSchemas schemas;
  if (json.contains("input")) {
    MLOPS_ASSIGN(schemas.input, parse_schema(json.at("input"), SchemaSide::kInput));
  }
  if (json.contains("output")) {
    MLOPS_ASSIGN(schemas.output, parse_schema(json.at("output"), SchemaSide::kOutput));
  }
  return schemas;
}

std::vector<std::string> schema_gaps(const Schema& given, const Schema& needed) {
  std::vector<std::string> gaps;
  for (const auto& column : needed) {
    const auto found =
        std::find_if(given.begin(), given.end(), [&](const SchemaColumn& one) { return one.name == column.name; });
    if (found == given.end()) {
      if (column.is_required) gaps.push_back(fmt::format("{} ({}) is not there", name_text(column), type_text(column)));
    } else if (!is_assignable(*found, column)) {
      gaps.push_back(
          fmt::format("{} is {}, and {} is needed", name_text(column), type_text(*found), type_text(column)));
    } else if (column.is_required && !found->is_required) {
      gaps.push_back(fmt::format("{} may be absent, and it is required", name_text(column)));
    }
  }
  return gaps;
}

}  // namespace mlops::model
