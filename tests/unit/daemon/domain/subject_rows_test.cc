// Leaving records out: what stays is byte for byte as it was.
#include "daemon/domain/subject_rows.h"

#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::domain;

namespace {

struct Walked {
  std::string out;
  RecordCounts counts;
  std::string slug;  // of the error
};

Walked without(const std::string& person, const std::string& text, const std::string& path = "t.csv",
               const std::vector<std::string>& columns = {"id"}) {
  data::StringSource source(text);
  data::StringSink sink;
  const auto counts = walk_records(
      source, path, columns,
      [&](std::span<const SubjectCell> ids) {
        for (const auto& cell : ids) {
          if (cell.id == person) return Fate::kDrop;
        }
        return Fate::kStay;
      },
      &sink);
  if (!counts) return {{}, {}, counts.error().slug};
  return {sink.text, *counts, {}};
}

}  // namespace

TEST_CASE("a table's rows go, its quoting, line ends, mark and trailer stay") {
  const std::string head = "\xEF\xBB\xBF\"Id\";name\r\n";
  const auto walked = without("7", head + "7;\"a;\"\"b\"\r\n8; c \r\n\"7\";x\r\n9;\"d\r\ne\"\r\n\r\n");
  CHECK(walked.out == head + "8; c \r\n9;\"d\r\ne\"\r\n\r\n");
  CHECK(walked.counts.records == 4);
  CHECK(walked.counts.dropped == 2);
  CHECK(walked.counts.has_column == std::vector<bool>{true});
}

TEST_CASE("the last row without a line end") {
  CHECK(without("2", "id,v\n1,a\n2,b").out == "id,v\n1,a\n");
  CHECK(without("1", "id,v\n1,a\n2,b").out == "id,v\n2,b");
  CHECK(without("1", "id,v\n1,a").out == "id,v\n");
}

TEST_CASE("column names are folded, several columns are looked at, a missing one is told") {
  CHECK(without("1", " ID ,v\n1,a\n2,b\n").counts.dropped == 1);
  const auto walked = without("1", "mother,child\n1,2\n2,1\n3,4\n", "t.csv", {"mother", "child", "father"});
  CHECK(walked.out == "mother,child\n3,4\n");
  CHECK(walked.counts.has_column == std::vector<bool>{true, true, false});
}

TEST_CASE("reading alone leaves nothing out and shows every id") {
  data::StringSource source("id\n1\n \n2\n");
  std::vector<std::string> seen;
  const auto counts = walk_records(source, "t.csv", {"id"}, [&](std::span<const SubjectCell> ids) {
    for (const auto& cell : ids) seen.emplace_back(cell.id);
    return Fate::kStay;
  });
  REQUIRE(counts);
  CHECK(counts->records == 3);
  CHECK(seen == std::vector<std::string>{"1", "2"});
}

TEST_CASE("JSON Lines: a record's line goes, by a member's name or a pointer") {
  const std::string one = "{\"ID\": \"7\", \"v\":1.50}\n";
  const std::string two = "{\"id\":8,\"v\":[1,2]}\n";
  CHECK(without("7", one + two, "t.jsonl").out == two);
  CHECK(without("8", one + two, "t.jsonl").out == one);
  const std::string three = "{\"id\":9}\n";
  CHECK(without("7", one + one + two + three, "t.jsonl").out == two + three);
  CHECK(without("8", one + two + three + two + one, "t.jsonl").out == one + three + one);
  CHECK(without("9", three + one + "{\"id\":9}", "t.jsonl").out + "\n" == one);  // the file ended without a line end
  CHECK(without("7", one, "t.jsonl").out.empty());
  CHECK(without("1", "{\"id\":1}\r\n{\"id\":2}\r\n{\"id\":1}\r\n{\"id\":3}\r\n", "t.jsonl").out ==
        "{\"id\":2}\r\n{\"id\":3}\r\n");
  const std::string deep = "{\"a\":{\"ids\":[\"1\",\"2\"]}}\n";
  const auto walked = without("2", deep + two, "t.jsonl", {"/a/ids/*"});
  CHECK(walked.out == two);
  CHECK(walked.counts.has_column == std::vector<bool>{true});
}

TEST_CASE("records of a JSON array are read, but not left out one by one") {
  const std::string text = "[{\"id\":\"7\"},{\"id\":\"8\"}]";
  CHECK(without("7", text, "t.json").slug == "records_inseparable");
  data::StringSource source(text);
  std::vector<std::string> seen;
  const auto counts = walk_records(source, "t.json", {"id"}, [&](std::span<const SubjectCell> ids) {
    for (const auto& cell : ids) seen.emplace_back(cell.id);
    return Fate::kStay;
  });
  REQUIRE(counts);
  CHECK_FALSE(counts->is_separable);
  CHECK(seen == std::vector<std::string>{"7", "8"});
}

TEST_CASE("what has no columns is refused with a word") {
  CHECK(without("1", "just text, and more", "notes.txt").slug == "format_unknown");
  CHECK(without("1", std::string("\x89PNG\r\n\x1a\n\0\0", 10), "picture.bin").slug == "format_unknown");
  CHECK(without("1", "id,v\n\"1,a\n").slug.starts_with("csv_"));
}
