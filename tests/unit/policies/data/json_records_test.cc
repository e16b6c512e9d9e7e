#include "policies/data/json_records.h"

#include "policies/data/records.h"
#include "tests/unit/policies/data/data_helpers.h"

using namespace mlops;
using namespace mlops::data;

namespace {

OpenReader json(Format format = Format::kJson, JsonOptions options = {}) {
  return [=](Source& source) { return open_json_records(source, options, format); };
}
OpenReader lines(JsonOptions options = {}) {
  return json(Format::kJsonLines, options);
}

using Lines = std::vector<std::string>;

Decide mask(std::string column, Change change) {
  return [=](std::string_view name, const Cell&) { return name == column ? change : keep(); };
}

Decide drop_all(std::vector<std::string> columns) {
  return [=](std::string_view name, const Cell&) {
    return std::find(columns.begin(), columns.end(), name) != columns.end() ? drop() : keep();
  };
}

std::string problem(const OpenReader& open, std::string_view text) {
  const auto read = read_records(open, text);
  REQUIRE_FALSE(read);
  CHECK(read.error().code == ErrorCode::kInvalid);
  return read.error().slug + " " + read.error().message.substr(0, read.error().message.find(": "));
}

}  // namespace

TEST_CASE("json: a record is a line, an element of the array, or a value of the file") {
  CHECK(*read_records(lines(), "{\"a\":1}\n\n {\"a\":\"x\"} \r\n") == Lines{"/a=1", "/a=x"});
  CHECK(*read_records(lines(), "[1,2]\n3") == Lines{"/*=1 /*=2", "=3"});
  CHECK(*read_records(json(), " [ {\"a\":1} , {\"b\":[true,null]} ] \n") == Lines{"/a=1", "/b/*=true /b/*="});
  CHECK(*read_records(json(), "{\"a\":{\"b\":[{\"c\":1},{\"c\":2}]}}") == Lines{"/a/b/*/c=1 /a/b/*/c=2"});
  CHECK(*read_records(json(), "{\"a\":1}{\"a\":2} \"x\" 4\n") == Lines{"/a=1", "/a=2", "=x", "=4"});
  CHECK(*read_records(json(), "[]") == Lines{});
  CHECK(read_records(lines(), "")->empty());
  CHECK(problem(json(), "  \n").starts_with("json_empty"));
}

TEST_CASE("json: keys are keys, whatever is in them") {
  CHECK(*read_records(lines(), R"({"a.b":1,"a":{"b":2},"x/y~*":3,"*":4,"":5})") ==
        Lines{"/a.b=1 /a/b=2 /x~1y~0*=3 /~2=4 /=5"});
  // Twice the same key, once written with an escape: both values are cells of one column.
  CHECK(*read_records(lines(), R"({"ssn":"1","\u0073sn":"2","ssn":{"x":3}})") == Lines{"/ssn=1 /ssn=2 /ssn/x=3"});
  CHECK(*rewrite_records(lines(), R"({"ssn":"1","\u0073sn":"2"})", mask("/ssn", replace("X"))) ==
        R"({"ssn":"X","\u0073sn":"X"})");
}

TEST_CASE("json: escapes are decoded, and kept where nothing changes") {
  const std::string text = R"({"a":"\u0031\t\"\\\/\b\f\n\r\ud83d\ude00\u00e9","b":"half \ud83d, \ude00 \ud83dx"})";
  CHECK(*read_records(lines(), text) ==
        Lines{"/a=1\t\"\\/\b\f\n\r\xF0\x9F\x98\x80\xC3\xA9 /b=half \xEF\xBF\xBD, \xEF\xBF\xBD \xEF\xBF\xBDx"});
  CHECK(*rewrite_records(lines(), text) == text);
  const auto same = [](std::string_view, const Cell& cell) { return replace(std::string(cell.text)); };
  CHECK(*rewrite_records(lines(), text, same) == text);
  CHECK(*rewrite_records(lines(), R"({"a":"x"})", mask("/a", replace("q\"b\\n\nc\x01 \xC3\xA9/"))) ==
        "{\"a\":\"q\\\"b\\\\n\\nc\\u0001 \xC3\xA9/\"}");
  CHECK(rewrite_records(lines(), R"({"a":"x"})", mask("/a", replace("\xC3"))).error().slug == "json_masked_utf8");
}

TEST_CASE("json: a number, a truth and a null keep their kind where they can") {
  const std::string text = R"({"n":1.50E+2,"t":true,"z":null})";
  CHECK(*rewrite_records(lines(), text, mask("/n", replace("-7"))) == R"({"n":-7,"t":true,"z":null})");
  CHECK(*rewrite_records(lines(), text, mask("/n", replace("07"))) == R"({"n":"07","t":true,"z":null})");
  CHECK(*rewrite_records(lines(), text, mask("/t", replace("false"))) == R"({"n":1.50E+2,"t":false,"z":null})");
  CHECK(*rewrite_records(lines(), text, mask("/t", replace("1"))) == R"({"n":1.50E+2,"t":"1","z":null})");
  CHECK(*rewrite_records(lines(), text, mask("/z", replace("x"))) == text);
  CHECK(*rewrite_records(lines(), R"({"s":"1"})", mask("/s", replace("2"))) == R"({"s":"2"})");
}

TEST_CASE("json: what is dropped goes with its comma") {
  const std::string text = "{\"a\": 1, \"b\": {\"c\": 2}, \"d\": [3, {\"e\": 4}]}\n";
  const auto without = [&](std::vector<std::string> columns) {
    return *rewrite_records(lines(), text, drop_all(std::move(columns)));
  };
  CHECK(without({"/a"}) == "{ \"b\": {\"c\": 2}, \"d\": [3, {\"e\": 4}]}\n");
  CHECK(without({"/b/c"}) == "{\"a\": 1, \"d\": [3, {\"e\": 4}]}\n");
  CHECK(without({"/d/*"}) == "{\"a\": 1, \"b\": {\"c\": 2}, \"d\": [null, {\"e\": 4}]}\n");
  CHECK(without({"/d/*", "/d/*/e"}) == "{\"a\": 1, \"b\": {\"c\": 2}}\n");
  CHECK(without({"/a", "/b/c", "/d/*", "/d/*/e"}) == "{}\n");
  CHECK(*rewrite_records(lines(), text, {}, {true}) == "{ \"b\": {\"c\": 2}, \"d\": [3, {\"e\": 4}]}\n");
  CHECK(*rewrite_records(json(), "[1,\n2]", drop_all({""})) == "[null,\nnull]");
  CHECK(*rewrite_records(json(), "{\n  \"a\": [],\n  \"b\": {}\n,  \"c\": 1\n}", drop_all({"/c"})) ==
        "{\n  \"a\": [],\n  \"b\": {}\n}");
  CHECK(*rewrite_records(json(), "{\n  \"a\": 1,\n  \"c\": 2\n}", drop_all({"/c"})) == "{\n  \"a\": 1\n}");
}

TEST_CASE("json: records come whole however slowly the bytes come") {
  const std::string array = "\xEF\xBB\xBF [ {\"a\" : \"x\\\"]\" } ,\n\n[1 , \"{\"],\"s\" , -1e5,true ]\r\n ";
  const std::string many = "\xEF\xBB\xBF\n{\"a\":\"\\\\\"}\r\n \n[]\n\"\"  \n{\"b\":[{}]}";
  for (std::size_t step = 1; step < 9; ++step) {
    CHECK(*rewrite_records(json(), array, {}, {}, step) == array);
    CHECK(*rewrite_records(lines(), many, {}, {}, step) == many);
    CHECK(read_records(json(), array, step)->size() == 5);
    CHECK(read_records(lines(), many, step)->size() == 4);
  }
}

TEST_CASE("json: what is wrong is told with line and column, and never with a value") {
  CHECK(problem(lines(), "{\"a\":1}\n{\"a\" 2}") == "json_syntax 2:6");
  CHECK(problem(lines(), "{\"a\":1} 2") == "json_syntax 1:9");
  CHECK(problem(lines(), "{\"a\":01}") == "json_syntax 1:7");
  CHECK(problem(lines(), "{\"a\":\"\\x\"}") == "json_syntax 1:6");
  CHECK(problem(lines(), "{\"\\u12\":1}") == "json_syntax 1:2");
  CHECK(problem(lines(), "{\"a\":\"x") == "json_syntax 1:6");
  CHECK(problem(lines(), "{a:1}") == "json_syntax 1:2");
  CHECK(problem(lines(), "{\"a\":tru}") == "json_syntax 1:6");
  CHECK(problem(lines(), "[1,]") == "json_syntax 1:4");
  CHECK(problem(lines(), "{\"a\":1,}") == "json_syntax 1:8");
  CHECK(problem(lines(), "\n{\"a\":\"x\ty\"}") == "json_control 2:8");
  CHECK(problem(lines(), "{\"a\":\"\xFF\"}") == "json_utf8 1:7");
  CHECK(problem(lines(), std::string("{\"a\":\0}", 7)) == "json_syntax 1:6");
  CHECK(problem(json(), "[1 2]") == "json_syntax 1:4");
  CHECK(problem(json(), "[1,\n") == "json_syntax 2:1");
  CHECK(problem(json(), "[1] 2") == "json_syntax 1:5");
  CHECK(problem(json(), "[{\"a\":1}, {\"b\":x}]") == "json_syntax 1:16");
  CHECK(problem(json(), "[,1]") == "json_syntax 1:2");
  CHECK(problem(json(), "\"a\"2") == "json_syntax 1:4");  // dropped, the first would make one of two
  CHECK(problem(json(), "{}2") == "json_syntax 1:3");
  CHECK(problem(json(), "}") == "json_syntax 1:1");
  CHECK(problem(json(), "{]") == "json_syntax 1:2");
}

TEST_CASE("json: depth, records and keys have bounds") {
  const std::string deep = std::string(64, '[') + std::string(64, ']');
  CHECK(read_records(lines(), deep));
  CHECK(problem(lines(), "[" + deep + "]") == "json_too_deep 1:65");
  CHECK(problem(lines(), std::string(100'000, '[')) == "json_too_deep 1:65");
  JsonOptions small;
  small.max_record_bytes = 100;
  small.max_columns = 10;
  const std::string line = "{\"a\":\"" + std::string(90, 'x') + "\"}";
  CHECK(read_records(lines(small), line + "\n" + line)->size() == 2);
  CHECK(problem(lines(small), line + "\n" + std::string(200, ' ')) == "json_record_too_long 1:99");
  CHECK(problem(json(Format::kJson, small), "[" + line + ",\"" + std::string(200, 'x')) ==
        "json_record_too_long 1:100");
  std::string keyed;
  for (int i = 0; i < 11; ++i) keyed += "{\"key" + std::to_string(i) + "\":1}\n";
  CHECK(problem(lines(small), keyed) == "json_too_many_columns 11:10");
}

TEST_CASE("json: keys not seen before are shown, once") {
  StringSource source("{\"a\":{\"b\":1}}\n{\"a\":{\"\\u0062\":1,\"Jane Roe\":2}}\n{\"a\":1}");
  const auto reader = *open_json_records(source);
  REQUIRE(*reader->next());
  CHECK(reader->new_keys() == Lines{"a", "b"});
  REQUIRE(*reader->next());
  CHECK(reader->new_keys() == Lines{"Jane Roe"});
  CHECK(reader->line() == 2);
  REQUIRE(*reader->next());
  CHECK(reader->new_keys().empty());
  CHECK(reader->records() == 3);
}

TEST_CASE("json: what Presidio's structured masking confuses stays apart (A8)") {
  const std::string text = R"({"users":[{"full.name":"Alice Adams"},{"full.name":"Bob Brown"}]})";
  const auto stars = [](std::string_view, const Cell& cell) {
    return replace("****" + std::string(cell.text.substr(4)));
  };
  CHECK(*rewrite_records(json(), text, stars) ==
        R"({"users":[{"full.name":"****e Adams"},{"full.name":"****Brown"}]})");
}

TEST_CASE("records: the bytes tell JSON from JSON Lines") {
  const auto open = [](std::string path) {
    return [=](Source& source) { return open_records(source, {.path = path}); };
  };
  const std::string many = "{\"a\":\"}\"}\n{\"a\":2}\n";
  for (const auto* path : {"x.json", "x.jsonl", "x"}) {
    StringSource source(many);
    CHECK((*open_records(source, {.path = path}))->format() == Format::kJsonLines);
  }
  CHECK(*read_records(open("x.json"), "[\n{\"a\":1},\n{\"a\":2}]") == Lines{"/a=1", "/a=2"});
  CHECK(*read_records(open("x"), "{\"a\":{\n\"b\":1}}") == Lines{"/a/b=1"});
}

TEST_CASE("json: records that are left out take their comma or line with them") {
  const auto without = [](const OpenReader& open, std::string_view text, std::vector<std::size_t> gone) {
    StringSource source(text);
    const auto reader = *open(source);
    StringSink sink;
    const auto writer = *reader->writer(sink, {});
    for (std::size_t i = 0; *reader->next(); ++i) {
      if (std::find(gone.begin(), gone.end(), i) == gone.end()) {
        REQUIRE(writer->write({}));
      } else {
        writer->skip();
      }
    }
    REQUIRE(writer->finish());
    return sink.text;
  };
  CHECK(without(json(), "[1, 2, 3]\n", {0}) == "[2, 3]\n");
  CHECK(without(json(), "[1, 2, 3]\n", {1}) == "[1, 3]\n");
  CHECK(without(json(), "[1, 2, 3]\n", {2}) == "[1, 2]\n");
  CHECK(without(json(), "[1, 2, 3]\n", {0, 1}) == "[3]\n");
  CHECK(without(json(), "[1, 2, 3]\n", {0, 1, 2}) == "[]\n");
  CHECK(without(lines(), "1\n2\n3\n", {0}) == "2\n3\n");
  CHECK(without(lines(), "1\n2\n3\n", {0, 1, 2}) == "\n");
  const OpenReader bundle = [](Source& source) {
    return open_records(source, {.path = "b.json", .format = Format::kFhir});
  };
  const std::string head = R"({"resourceType":"Bundle","entry":[)";
  const std::string a = R"({"resource":{"resourceType":"Patient","id":"1"}})";
  const std::string b = R"({"resource":{"resourceType":"Patient","id":"2"}})";
  CHECK(without(bundle, head + a + ", " + b + "]}", {1}) == head + b + "]}");
  CHECK(without(bundle, head + a + ", " + b + "]}", {2}) == head + a + "]}");
  CHECK(without(bundle, head + a + ", " + b + "]}", {1, 2}) == head + "]}");
}
