#include "core/base/yaml.h"

#include <chrono>

#include "tests/unit/catch.h"

using namespace mlops;

namespace {

YamlNode tree(std::string_view text) {
  auto parsed = parse_yaml(text, "t.yaml");
  INFO(text);
  if (!parsed) FAIL(parsed.error().message);
  return std::move(*parsed);
}

// Every refusal must come at once, whatever the input: yaml-cpp has inputs that run for ever.
Error refusal(std::string_view text) {
  const auto start = std::chrono::steady_clock::now();
  auto parsed = parse_yaml(text, "t.yaml");
  INFO(text.substr(0, 100));
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(2));
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().code == ErrorCode::kInvalid);
  CHECK(parsed.error().message.find("t.yaml:") == 0);
  return parsed.error();
}

std::string repeated(std::string_view piece, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += piece;
  return text;
}

Json round_trip(const Json& value) {
  return yaml_to_json(tree(json_to_yaml(value)));
}

}  // namespace

TEST_CASE("a document becomes a tree that knows its places") {
  const YamlNode root = tree("name: clinical\nrules:\n  - id: a\n    when: 'x > 1'\n  - [1, ~]\nempty:\n");
  REQUIRE(root.is_map());
  CHECK(root.find("name")->scalar == "clinical");
  CHECK(root.find("gone") == nullptr);
  CHECK(root.find("empty")->is_null());
  const YamlNode& rules = *root.find("rules");
  REQUIRE(rules.items.size() == 2);
  CHECK(rules.items[0].find("when")->quoted);
  CHECK_FALSE(rules.items[0].find("id")->quoted);
  CHECK(rules.items[0].find("when")->mark.line == 4);
  CHECK(rules.items[0].find("when")->mark.column == 11);
  CHECK(rules.items[1].items[1].is_null());
  CHECK(root.find("name")->find("x") == nullptr);
}

TEST_CASE("an empty document is null") {
  for (const char* text : {"", "\n\n", "# only a comment\n", "---\n", "~", "--- # x\n...\n"})
    CHECK(tree(text).is_null());
  CHECK(tree("a: 1\n...\n# after\n").is_map());
}

TEST_CASE("text stays text until its reader decides") {
  const YamlNode root = tree("a: no\nb: 036\nc: \"5\"\nd: |\n  two\n  lines\ne: !!str 7\nf: 1.0\ng: null\nh: 'null'\n");
  CHECK(yaml_to_json(root) ==
        Json::parse(R"({"a":"no","b":"036","c":"5","d":"two\nlines\n","e":"7","f":1.0,"g":null,"h":"null"})"));
}

TEST_CASE("the stray comma and its kin are refused at once (7.6: 40)") {
  CHECK(refusal(",").slug == "yaml_documents");
  for (const char* text : {",,,,",   "]",   "}",   "a: 1\n,",      "[a]]", "{a: 1}}", "[a] b",
                           "- a\n,", "? ,", ": ,", "- ,",          "a: ,", "{,",      "a: b: c",
                           "[",      "{",   "[a",  "{a: [b}",      "\"",   "'",       "- a\nb: c",
                           "\t- a",  "@",   "`a",  "? a\n: b\n- c"}) {
    CHECK_FALSE(refusal(text).slug.empty());
  }
}

TEST_CASE("a quote that is never closed is refused wherever the text ends") {
  for (const char* text : {"\"", "\"\n", "a: \"b", "a: \"b\n", "a: \"b\n\n", "a: 'b\n  c\n", "- '", "[\"a, b]\n"}) {
    CHECK(refusal(text).slug == "yaml_syntax");
  }
  CHECK(tree("a: \"b\n  c\"").find("a")->scalar == "b c");
  CHECK(tree("a: |\n  say \"hi\"\n").find("a")->scalar == "say \"hi\"\n");
  CHECK(tree("a: |-\n  x\n").find("a")->scalar == "x");
  CHECK(tree("a: >\n  x\n  y\n").find("a")->scalar == "x y\n");
}

TEST_CASE("anchors and aliases are refused, cyclic or exploding (7.6: 41, 42)") {
  CHECK(refusal("&a [*a]").slug == "yaml_anchor");
  CHECK(refusal("a: &x 1\nb: *x\n").slug == "yaml_anchor");
  CHECK(refusal("a: *x\n").code == ErrorCode::kInvalid);
  CHECK(refusal("&k key: v").slug == "yaml_anchor");
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 9; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before + repeated("," + before, 8) + "]\n";
  }
  CHECK(refusal(bomb).slug == "yaml_anchor");
}

TEST_CASE("a key given twice is refused where it stands (7.6: 43)") {
  const Error error = refusal("a: 1\nb:\n  c: 1\n  'c': 2\n");
  CHECK(error.slug == "yaml_duplicate_key");
  CHECK(error.message == "t.yaml:4:3: the key 'c' is given twice");
  CHECK(refusal("{a: 1, a: 1}").slug == "yaml_duplicate_key");
}

TEST_CASE("foreign tags are refused (7.6: 44)") {
  for (const char* text :
       {"!!python/object/apply:os.system [\"x\"]", "a: !secret b", "!<tag:evil> x", "a: !!binary aGk=", "!!set {a}",
        "!!omap [a: 1]", "%TAG ! tag:evil,1:\n---\n!x y", "!!int [1]", "!!map [1]", "!!seq x"}) {
    CHECK(refusal(text).slug == "yaml_tag");
  }
  CHECK(tree("a: !!int 3\nb: !!seq [x]\nc: !!map {}\nd: ! 12").find("d")->quoted);
}

TEST_CASE("depth, breadth and size are bounded") {
  for (const char* piece : {"[", "{", "- ", "? ", "[a: ", "{a: [", "{? ", "[[],", "!!seq [", "- - "}) {
    CHECK_FALSE(refusal(repeated(piece, 10'000)).slug.empty());
  }
  CHECK(refusal(repeated("[", 65) + repeated("]", 65)).slug == "yaml_limit");
  CHECK(tree(repeated("[", 64) + repeated("]", 64)).is_sequence());
  CHECK(refusal("[" + repeated("a,", 100'000) + "]").slug == "yaml_limit");
  CHECK(refusal(std::string((1u << 20) + 1, 'a')).slug == "yaml_limit");
}

TEST_CASE("what yaml-cpp would misread is refused before it") {
  CHECK(refusal("a: 1\nb: \x04 hidden").message == "t.yaml:2:4: the control byte 0x04");
  CHECK(refusal(std::string_view("a: \0", 4)).slug == "yaml_text");
  CHECK(refusal("a: \xff").slug == "yaml_text");
  CHECK(refusal("\xff\xfe"
                "a")
            .slug == "yaml_text");
  CHECK(refusal("a: \"\\x00\"").slug == "yaml_text");
  CHECK(refusal("a: \"\\ud800\"").code == ErrorCode::kInvalid);
}

TEST_CASE("one document, and keys are text") {
  CHECK(refusal("a: 1\n---\nb: 2\n").slug == "yaml_documents");
  CHECK(refusal("a\n---\n").slug == "yaml_documents");
  CHECK(refusal("? [a]\n: b").slug == "yaml_key");
  CHECK(refusal("{a: 1}: b").slug == "yaml_key");
  CHECK(refusal("~: b").slug == "yaml_key");
}

TEST_CASE("typed reading says where, what, and never the text found") {
  const YamlNode root =
      tree("i: 42\nq: '42'\nz: 036\nf: 2.5e-1\nb: yes\nt: true\nl: [a, 1]\nbad: [a, {}]\nbig: 18446744073709551615\n");
  const auto at = [&](const char* key) -> const YamlNode& { return *root.find(key); };
  CHECK(yaml_int(at("i"), "t.yaml", "limit", 0, 100).value() == 42);
  CHECK(yaml_int(at("i"), "t.yaml", "limit", 0, 41).error().message ==
        "t.yaml:1:4: limit must be an integer from 0 to 41");
  CHECK(yaml_int(at("q"), "t.yaml", "limit", 0, 100).error().message ==
        "t.yaml:2:4: limit must be an integer from 0 to 100, found quoted text");
  CHECK(yaml_int(at("z"), "t.yaml", "limit", 0, 100).error().slug == "yaml_type");
  CHECK(yaml_int(at("f"), "t.yaml", "limit", 0, 100).error().slug == "yaml_type");
  CHECK(yaml_int(at("big"), "t.yaml", "limit", INT64_MIN, INT64_MAX).error().slug == "yaml_range");
  CHECK(yaml_double(at("f"), "t.yaml", "min").value() == 0.25);
  CHECK(yaml_double(at("i"), "t.yaml", "min").value() == 42);
  CHECK_FALSE(yaml_double(at("q"), "t.yaml", "min"));
  CHECK(yaml_bool(at("t"), "t.yaml", "flag").value());
  CHECK(yaml_bool(at("b"), "t.yaml", "flag").error().slug == "yaml_type");
  CHECK(yaml_string(at("z"), "t.yaml", "zip").value() == "036");
  CHECK(yaml_string(at("l"), "t.yaml", "zip").error().message == "t.yaml:7:4: zip must be text, found a list");
  CHECK(yaml_strings(at("l"), "t.yaml", "tags").value() == std::vector<std::string>{"a", "1"});
  CHECK(yaml_strings(at("bad"), "t.yaml", "tags").error().message ==
        "t.yaml:8:10: every item of tags must be text, found a map");
  CHECK_FALSE(yaml_strings(at("i"), "t.yaml", "tags"));
}

TEST_CASE("unknown keys are named with the nearest known one") {
  const YamlNode root = tree("clearance: none\nreigon: eu\n");
  const auto status = yaml_only_known_keys(root, "t.yaml", {"clearance", "region"});
  REQUIRE_FALSE(status);
  CHECK(status.error().slug == "unknown_key");
  CHECK(status.error().message == "t.yaml:2:1: unknown key 'reigon'");
  CHECK(status.error().hint == "did you mean 'region'?");
  CHECK(yaml_only_known_keys(root, "t.yaml", {"clearance", "reigon"}));
  CHECK(yaml_only_known_keys(tree(""), "t.yaml", {}));
}

TEST_CASE("plain scalars are typed by the core schema only") {
  const Json typed =
      yaml_to_json(tree("[1, -0, +7, 18446744073709551615, 18446744073709551616, 1.5, .5, 1e3, true, FALSE, yes, 0x10, "
                        "1_000, .inf, .nan, 12:30, 2026-11-23, 1., -]"));
  CHECK(
      typed ==
      Json::parse(R"([1,0,7,18446744073709551615,"18446744073709551616",1.5,0.5,1000.0,true,false,"yes","0x10","1_000",
                                 ".inf",".nan","12:30","2026-11-23",1.0,"-"])"));
}

TEST_CASE("JSON as YAML reads like YAML") {
  const Json value =
      Json::parse(R"({"name":"a b","list":[1,{"x":true,"y":[]},[2,3]],"none":null,"empty":{},"zip":"036","on":"yes",
                                     "at":"2026-11-23T20:15:01.000000Z","text":"two\n  lines\n","big":1e30})");
  CHECK(json_to_yaml(value) ==
        "at: \"2026-11-23T20:15:01.000000Z\"\n"
        "big: 1.0e+30\n"
        "empty: {}\n"
        "list:\n"
        "  - 1\n"
        "  - x: true\n"
        "    \"y\": []\n"
        "  - - 2\n"
        "    - 3\n"
        "name: a b\n"
        "none: null\n"
        "\"on\": \"yes\"\n"
        "text: |\n"
        "  two\n"
        "    lines\n"
        "zip: \"036\"\n");
  CHECK(json_to_yaml("x") == "x\n");
  CHECK(json_to_yaml(Json::array()) == "[]\n");
}

TEST_CASE("every string comes back from YAML as it was") {
  Json strings = Json::array();
  for (const char* text : {"",
                           " ",
                           "a ",
                           " a",
                           "~",
                           "null",
                           "Null",
                           "true",
                           "no",
                           "Y",
                           "1",
                           "-1",
                           "1e3",
                           "0x1F",
                           "1_0",
                           "1:30",
                           "2026-11-23",
                           "3 4",
                           "1a:",
                           ".5",
                           "-",
                           "--- a",
                           "a: b",
                           "a:",
                           "a #b",
                           "#a",
                           "a#b",
                           "&a",
                           "*a",
                           "!a",
                           "%a",
                           "@a",
                           "`a",
                           "'a'",
                           "\"a\"",
                           "[a",
                           "{a",
                           "a,b",
                           ",",
                           "|",
                           ">",
                           "?",
                           "? a",
                           "<<",
                           "=",
                           "\\",
                           "\\n",
                           "a\\",
                           "é",
                           "😀",
                           "\t",
                           "a\tb",
                           "\x1b[0m",
                           "\x7f",
                           "a\nb",
                           "a\nb\n",
                           "a\n",
                           "\n",
                           "\na\nb",
                           " a\nb",
                           "a\n\nb\n\n",
                           "a\n b\n",
                           "a\n\tb",
                           "a\r\nb",
                           "a\n#b",
                           "...\nx",
                           "\xe2\x80\xa8",
                           "\xef\xbb\xbf",
                           "nan",
                           "a\n\x1b\n",
                           "123e",
                           "0o17",
                           "a\n \nb",
                           "b \nc"}) {
    strings.push_back(text);
    INFO(json_to_yaml(text));
    CHECK(round_trip(Json(text)) == Json(text));
  }
  CHECK(round_trip(strings) == strings);
  Json keyed = Json::object();
  for (const auto& text : strings) keyed[text.get<std::string>()] = {{"v", text}, {"l", {text, {text}}}};
  CHECK(round_trip(keyed) == keyed);
}

TEST_CASE("every number comes back from YAML as it was") {
  const Json numbers =
      Json::parse("[0,-1,18446744073709551615,-9223372036854775808,0.1,1e300,5e-324,-2.5e-7,123456.75]");
  CHECK(round_trip(numbers) == numbers);
}
