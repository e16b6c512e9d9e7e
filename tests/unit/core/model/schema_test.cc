#include "core/model/schema.h"

#include "tests/unit/catch.h"

using namespace mlops;
using model::SchemaSide;

namespace {

Result<model::Schema> parsed(const std::string& text, SchemaSide side = SchemaSide::kInput) {
  return model::parse_schema(*parse_json(text), side);
}

model::Schema schema(const std::string& text) {
  auto made = parsed(text);
  if (!made) FAIL(made.error().message);
  return *made;
}

}  // namespace

TEST_CASE("a schema is a list of columns, an object of them, or an MLflow signature") {
  const auto plain = schema(R"([{"name":"age","type":"integer"},{"name":"note","type":"string","required":false}])");
  REQUIRE(plain.size() == 2);
  CHECK(plain[0].is_required);
  CHECK_FALSE(plain[1].is_required);
  CHECK(model::to_json(schema(model::to_json(plain).dump())) == model::to_json(plain));
  const std::string mlflow =
      R"({"inputs":"[{\"type\":\"long\",\"name\":\"age\"},{\"type\":\"double\",\"name\":\"x\",\"optional\":true}]",)"
      R"("outputs":[{"type":"tensor","tensor-spec":{"dtype":"float64","shape":[-1,2]}}]})";
  const auto in = parsed(mlflow);
  REQUIRE(in.has_value());
  CHECK(model::type_text((*in)[0]) == "integer");
  CHECK(model::type_text((*in)[1]) == "number");
  CHECK_FALSE((*in)[1].is_required);
  const auto out = parsed(mlflow, SchemaSide::kOutput);
  REQUIRE(out.has_value());
  CHECK(model::type_text((*out)[0]) == "tensor(float64, [-1, 2])");
}

TEST_CASE("what is no schema is refused") {
  for (const std::string text :
       {"[]", "{}", "[1]", R"([{"name":"a"}])", R"([{"name":"a","type":"money"}])", R"([{"type":"integer"}])",
        R"([{"name":"a","type":"integer"},{"name":"a","type":"string"}])", R"([{"name":"a","type":"tensor"}])",
        R"([{"name":"a","type":"tensor","dtype":"f4","shape":[-2]}])", R"([{"name":"a","type":"integer","kind":1}])",
        R"([{"type":"tensor","dtype":"f4","shape":[1]},{"name":"a","type":"integer"}])", R"({"inputs":"[broken"})"}) {
    INFO(text);
    CHECK_FALSE(parsed(text).has_value());
  }
}

TEST_CASE("an integer is a number, nothing else is converted") {
  const auto needs = [](const std::string& type) { return schema(R"([{"name":"x","type":")" + type + R"("}])"); };
  CHECK(model::schema_gaps(needs("integer"), needs("number")).empty());
  CHECK(model::schema_gaps(needs("number"), needs("integer")).size() == 1);
  CHECK(model::schema_gaps(needs("string"), needs("number")).size() == 1);
  CHECK(model::schema_gaps(needs("date"), needs("timestamp")).size() == 1);
  CHECK(model::schema_gaps(needs("boolean"), needs("boolean")).empty());
}

TEST_CASE("required columns must be there and always there, optional ones only fit when they are") {
  const auto given = schema(R"([{"name":"a","type":"integer"},{"name":"b","type":"string","required":false}])");
  CHECK(model::schema_gaps(given, schema(R"([{"name":"a","type":"integer"}])")).empty());
  CHECK(model::schema_gaps(given, schema(R"([{"name":"c","type":"string","required":false}])")).empty());
  CHECK(model::schema_gaps(given, schema(R"([{"name":"c","type":"string"}])")).front() == "c (string) is not there");
  CHECK(model::schema_gaps(given, schema(R"([{"name":"b","type":"string"}])")).front() ==
        "b may be absent, and it is required");
  CHECK(model::schema_gaps(given, schema(R"([{"name":"b","type":"integer","required":false}])")).size() == 1);
}

TEST_CASE("a tensor fits by dtype and by every length; any length takes all, and a length not any") {
  const auto tensor = [](const std::string& dtype, const std::string& shape) {
    return schema(R"([{"type":"tensor","dtype":")" + dtype + R"(","shape":)" + shape + "}]");
  };
  CHECK(model::schema_gaps(tensor("f4", "[32,3]"), tensor("f4", "[-1,3]")).empty());
  CHECK(model::schema_gaps(tensor("f4", "[-1,3]"), tensor("f4", "[32,3]")).size() == 1);
  CHECK(model::schema_gaps(tensor("f4", "[3]"), tensor("f4", "[3,1]")).size() == 1);
  CHECK(model::schema_gaps(tensor("f8", "[3]"), tensor("f4", "[3]")).size() == 1);
}
