#include "core/base/json.h"

#include <cstring>

#include "tests/unit/catch.h"

using namespace mlops;

namespace {

Error refusal(std::string_view text, const JsonLimits& limits = {}) {
  auto parsed = parse_json(text, limits);
  INFO(text.substr(0, 80));
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().code == ErrorCode::kInvalid);
  return parsed.error();
}

std::string canonical(std::string_view text) {
  const auto parsed = parse_json(text);
  INFO(text);
  REQUIRE(parsed);
  return canonical_dump(*parsed);
}

std::string number_text(std::uint64_t bits) {
  double value;
  std::memcpy(&value, &bits, sizeof value);
  return canonical_dump(Json(value));
}

std::string repeated(std::string_view piece, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += piece;
  return text;
}

}  // namespace

TEST_CASE("a JSON text becomes the same values") {
  const auto parsed = parse_json(R"( {"a":[1,-2,3.5,true,false,null,"x\u00e9\ud83d\ude00"],"b":{"c":{}},"d":[]} )");
  REQUIRE(parsed);
  CHECK(*parsed == Json::parse(R"({"a":[1,-2,3.5,true,false,null,"xé😀"],"b":{"c":{}},"d":[]})"));
  CHECK(parse_json("18446744073709551615")->get<std::uint64_t>() == UINT64_MAX);
  CHECK(parse_json("-9223372036854775808")->get<std::int64_t>() == INT64_MIN);
}

TEST_CASE("hostile depth and breadth are refused (7.6: 33, 34)") {
  CHECK(refusal(repeated("[", 1'000'000)).slug == "json_limit");
  CHECK(refusal(repeated("{\"a\":", 500'000)).slug == "json_limit");
  CHECK(refusal("[" + repeated("0,", 1'000'000) + "0]").slug == "json_limit");
  std::string keys = "{";
  for (int i = 0; i < 200'000; ++i) keys += "\"" + std::to_string(i) + "\":0,";
  CHECK(refusal(keys + "\"x\":0}").slug == "json_limit");
  CHECK(refusal("\"" + std::string((1u << 20) + 1, 'a') + "\"").slug == "json_limit");
  CHECK(refusal(std::string((4u << 20) + 1, ' ')).slug == "json_limit");
}

TEST_CASE("limits are exact") {
  const JsonLimits limits{.size_bytes = 100, .depth = 3, .nodes = 5, .string_bytes = 4};
  CHECK(parse_json("[[[]]]", limits));
  CHECK(refusal("[[[[]]]]", limits).message == "json:1:4: nested deeper than 3 levels");
  CHECK(parse_json("[1,2,3,4]", limits));
  CHECK(refusal("[1,2,3,4,5]", limits).slug == "json_limit");
  CHECK(parse_json("\"abcd\"", limits));
  CHECK(refusal("\"abcde\"", limits).slug == "json_limit");
  CHECK(refusal("{\"abcde\":1}", limits).slug == "json_limit");
}

TEST_CASE("a member given twice is refused where it stands (7.6: 35)") {
  const Error error = refusal("{\"a\":1,\n \"b\":{\"a\":2},\n \"a\":3}");
  CHECK(error.slug == "json_duplicate_key");
  CHECK(error.message.find("json:3:4:") == 0);
  CHECK(refusal(R"({"a":1,"\u0061":2})").slug == "json_duplicate_key");
}

TEST_CASE("numbers that do not fit are refused, not rounded (7.6: 36–38)") {
  for (const char* text : {"18446744073709551616", "-9223372036854775809", "100000000000000000000000", "1e400",
                           "-1e400", "[1e999999999]"}) {
    CHECK(refusal(text).slug == "json_number");
  }
  for (const char* text : {"NaN", "Infinity", "-Infinity", "01", "+1", ".5", "1.", "0x10", "1e", "--1"}) {
    CHECK(refusal(text).slug == "json_syntax");
  }
  const Json sizes = Json::parse(R"({"negative":-1,"double":1e30,"big":18446744073709551615,"fits":7,"whole":7.0})");
  CHECK(optional_int(sizes, "negative", 0, 0, 100).error().slug == "out_of_range");
  CHECK(optional_int(sizes, "double", 0, 0, INT64_MAX).error().slug == "wrong_type");
  CHECK(optional_int(sizes, "big", 0, INT64_MIN, INT64_MAX).error().slug == "out_of_range");
  CHECK(optional_int(sizes, "whole", 0, 0, 100).error().slug == "wrong_type");
  CHECK(optional_int(sizes, "fits", 0, 0, 100).value() == 7);
}

TEST_CASE("text that is no Unicode is refused (7.6: 39)") {
  for (const char* text :
       {R"("\ud800")", R"("\udc00")", R"("\ud800x")", "\"\xff\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\""}) {
    CHECK(refusal(text).slug == "json_syntax");
  }
  CHECK(refusal(R"({"name":"a\u0000b"})").slug == "json_string");
  CHECK(refusal(R"({"a\u0000b":1})").slug == "json_string");
  CHECK(refusal(std::string_view("\"a\0b\"", 5)).slug == "json_syntax");
}

TEST_CASE("what is no JSON is refused with line and column, and without quoting it") {
  const Error error = refusal("{\"ssn\":\n  \"é\", 123-45-6789}");
  CHECK(error.slug == "json_syntax");
  CHECK(error.message.find("json:2:") == 0);
  CHECK(error.message.find("123") == std::string::npos);
  for (const char* text :
       {"", " ", "{", "[1,]", "{\"a\"}", "{a:1}", "'a'", "tru", "1 2", "{} x", "// c\n1", "\"a\nb\"", "[1}"}) {
    CHECK(refusal(text).slug == "json_syntax");
  }
  CHECK(refusal(R"(["Jane Roe" "Jane Roe"])").message.find("Jane") == std::string::npos);
}

TEST_CASE("canonical: the example of RFC 8785") {
  CHECK(canonical(R"({"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],
      "string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]})") ==
        R"({"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],)"
        "\"string\":\"\u20ac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
}

TEST_CASE("canonical: keys in the order of their UTF-16 units (RFC 8785, section 3.2.3)") {
  CHECK(
      canonical(
          R"({"\u20ac":"Euro","\r":"CR","\ufb33":"Dalet","1":"One","\ud83d\ude00":"Smile","\u0080":"Ctl","\u00f6":"o"})") ==
      "{\"\\r\":\"CR\",\"1\":\"One\",\"\u0080\":\"Ctl\",\"\u00f6\":\"o\",\"\u20ac\":\"Euro\","
      "\"\U0001F600\":\"Smile\",\"\uFB33\":\"Dalet\"}");
  CHECK(canonical(R"({"aa":1,"a":2,"":3,"b":4})") == R"({"":3,"a":2,"aa":1,"b":4})");
}

TEST_CASE("canonical: the numbers of RFC 8785, appendix B") {
  const std::vector<std::pair<std::uint64_t, std::string>> samples{
      {0x0000000000000000, "0"},
      {0x8000000000000000, "0"},
      {0x0000000000000001, "5e-324"},
      {0x8000000000000001, "-5e-324"},
      {0x7fefffffffffffff, "1.7976931348623157e+308"},
      {0xffefffffffffffff, "-1.7976931348623157e+308"},
      {0x4340000000000000, "9007199254740992"},
      {0xc340000000000000, "-9007199254740992"},
      {0x4430000000000000, "295147905179352830000"},
      {0x44b52d02c7e14af5, "9.999999999999997e+22"},
      {0x44b52d02c7e14af6, "1e+23"},
      {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
      {0x444b1ae4d6e2ef4e, "999999999999999700000"},
      {0x444b1ae4d6e2ef4f, "999999999999999900000"},
      {0x444b1ae4d6e2ef50, "1e+21"},
      {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
      {0x3eb0c6f7a0b5ed8d, "0.000001"},
      {0x41b3de4355555553, "333333333.3333332"},
      {0x41b3de4355555554, "333333333.33333325"},
      {0x41b3de4355555555, "333333333.3333333"},
      {0x41b3de4355555556, "333333333.3333334"},
      {0x41b3de4355555557, "333333333.33333343"},
      {0xbecbf647612f3696, "-0.0000033333333333333333"},
      {0x43143ff3c1cb0959, "1424953923781206.2"},
      {0x7ff0000000000000, "null"},
      {0x7fffffffffffffff, "null"},
  };
  for (const auto& [bits, text] : samples) CHECK(number_text(bits) == text);
}

TEST_CASE("canonical: equal numbers are written alike, integers exactly") {
  CHECK(canonical("[1,1.0,1e0,10e-1,-0,-0.0]") == "[1,1,1,1,0,0]");
  CHECK(canonical("[9007199254740993,18446744073709551615,-9223372036854775808]") ==
        "[9007199254740993,18446744073709551615,-9223372036854775808]");
  CHECK(canonical(R"("\u007f\u2028/\b\f\t\u001f")") == "\"\x7f\u2028/\\b\\f\\t\\u001f\"");
}

TEST_CASE("members are read with their type, and an error names them") {
  const Json object = Json::parse(R"({"s":"x","i":3,"b":true,"n":null})");
  CHECK(require_string(object, "s").value() == "x");
  CHECK(require_string(object, "gone").error().slug == "missing_field");
  CHECK(require_string(object, "gone").error().message == "'gone' is missing");
  CHECK(require_string(object, "i").error().slug == "wrong_type");
  CHECK(require_string(object, "n").error().slug == "wrong_type");
  CHECK(require_string(Json::array(), "s").error().slug == "wrong_type");
  CHECK(optional_string(object, "gone", "y").value() == "y");
  CHECK(optional_string(object, "n", "y").value() == "y");
  CHECK(optional_string(object, "b").error().slug == "wrong_type");
  CHECK(optional_int(object, "gone", 9, 0, 10).value() == 9);
  CHECK(optional_int(object, "i", 9, 0, 2).error().message == "'i' must be an integer from 0 to 2");
  CHECK(optional_bool(object, "b", false).value());
  CHECK(optional_bool(object, "gone", true).value());
  CHECK(optional_bool(object, "s", true).error().slug == "wrong_type");
}

TEST_CASE("unknown members are named with the nearest known one") {
  CHECK(only_known_fields(Json::parse(R"({"name":1,"kind":2})"), {"kind", "name", "labels"}));
  const auto status = only_known_fields(Json::parse(R"({"nmae":1})"), {"kind", "name"});
  REQUIRE_FALSE(status);
  CHECK(status.error().slug == "unknown_field");
  CHECK(status.error().message == "unknown member 'nmae'");
  CHECK(status.error().hint == "did you mean 'name'?");
  CHECK(only_known_fields(Json::parse(R"({"zzz":1})"), {"kind", "name"}).error().hint == "known here: kind, name");
  const auto odd = only_known_fields(Json{{"536-22-8731", 1}}, {"name"});
  CHECK(odd.error().slug == "unknown_field");
  CHECK(odd.error().message == "there is an unknown member");
}
