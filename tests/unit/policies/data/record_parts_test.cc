#include <string>
#include <vector>

#include "policies/data/records.h"
#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::data;

namespace {

struct Row {
  std::uint64_t line = 0;
  std::vector<std::string> cells;
  bool operator==(const Row& other) const = default;
};

struct Whole {
  std::vector<Row> rows;
  std::vector<std::uint64_t> firsts;  // records before each part
  std::string text;                   // written again
  std::string slug;
  std::string message;
};

Row row_of(const RecordReader& reader, std::uint64_t line, const std::vector<Cell>& cells) {
  Row row{line, {}};
  for (const auto& cell : cells) row.cells.push_back(reader.columns()[cell.column] + "=" + std::string(cell.text));
  return row;
}

Status read_all(RecordReader& reader, RecordWriter& writer, Whole& whole) {
  while (true) {
    MLOPS_ASSIGN(const bool more, reader.next());
    if (!more) return writer.finish();
    whole.rows.push_back(row_of(reader, reader.line(), reader.cells()));
    MLOPS_TRY(writer.write({}));
  }
}

// Looks at the records when all have been read, and writes them then.
Status read_kept(RecordReader& reader, RecordWriter& writer, Whole& whole) {
  REQUIRE(reader.keeps_records());
  struct Record {
    std::uint64_t line = 0;
    std::vector<Cell> cells;
    KeptRecord kept;
  };
  std::vector<Record> records;
  auto more = reader.next();
  for (; more && *more; more = reader.next()) records.push_back({reader.line(), reader.cells(), reader.kept()});
  for (auto& record : records) {
    record.kept.cells = record.cells;
    whole.rows.push_back(row_of(reader, record.line, record.cells));
    MLOPS_TRY(writer.write(record.kept, {}));
  }
  if (!more) return fail(more.error());
  return writer.finish();
}

Status read_parts(RecordReader& reader, Sink& sink, Whole& whole) {
  MLOPS_ASSIGN(const auto head, reader.writer(sink, {}));
  const auto parts = reader.parts();
  REQUIRE(parts);
  MLOPS_TRY(head->finish());
  while (true) {
    MLOPS_ASSIGN(const auto part, parts->next());
    if (!part) return {};
    CHECK(part->first_record == whole.rows.size());
    whole.firsts.push_back(part->first_record);
    MLOPS_ASSIGN(const auto inner, parts->open(*part));
    MLOPS_ASSIGN(const auto writer, inner->writer(sink, {}));
    MLOPS_TRY(read_kept(*inner, *writer, whole));
  }
}

Whole read(const std::string& text, const std::string& path, bool in_parts) {
  StringSource source(text);
  StringSink sink;
  Whole whole;
  const auto reader = open_records(source, {.path = path});
  REQUIRE(reader);
  Status done;
  if (in_parts) {
    done = read_parts(**reader, sink, whole);
  } else {
    const auto writer = *(*reader)->writer(sink, {});
    done = read_all(**reader, *writer, whole);
  }
  whole.text = sink.text;
  if (!done) whole.slug = done.error().slug;
  if (!done) whole.message = done.error().message;
  return whole;
}

void check_same(const std::string& text, const std::string& path, std::size_t least_parts) {
  const auto serial = read(text, path, false);
  const auto parts = read(text, path, true);
  CHECK((parts.rows == serial.rows));
  CHECK(parts.slug == serial.slug);
  CHECK(parts.message == serial.message);
  CHECK(parts.firsts.size() >= least_parts);
  if (serial.slug.empty()) CHECK(parts.text == text);
}

std::string table(int rows, const std::string& end, const std::string& delimiter = ",") {
  std::string text = "\xEF\xBB\xBFid" + delimiter + "note" + end;
  for (int i = 0; i < rows; ++i) {
    text += std::to_string(i) + delimiter;
    if (i % 7 == 0) text += "\"two" + end + "lines, \"\"quoted\"\" " + std::string(200, 'x') + "\"";
    if (i % 7 != 0) text += "6\" plain " + std::string(100, 'y');
    text += end;
  }
  return text;
}

// Without a quote.
std::string plain_table(int rows, const std::string& end) {
  std::string text;
  for (int i = 0; i < rows; ++i)
    text += (i == 0 ? "id" : std::to_string(i)) + "," + std::string(30 + i % 70, 'z') + end;
  return text;
}

}  // namespace

TEST_CASE("parts: a table in parts is the table, row by row, line by line, byte by byte") {
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    check_same(table(12'000, end), "t.csv", 3);
  }
  check_same(table(12'000, "\n", "\t") + "\n\n\n", "t.tsv", 3);
  check_same(table(3, "\n") + "last,row", "t.csv", 1);
  check_same("id\n1\n\n2\n", "one.csv", 1);
  for (const std::string end : {"\n", "\r\n"}) {
    check_same(plain_table(40'000, end), "t.csv", 3);
    check_same(plain_table(40'000, end) + end + end, "t.csv", 3);
    check_same(plain_table(40'000, end) + "\"a\r" + end + "b\",2" + end + plain_table(40'000, end), "t.csv", 4);
    check_same("id" + end + std::string(1 << 20, '\n') + "1" + end, "one.csv", 1);
  }
}

TEST_CASE("parts: what is wrong in a later part is said with its line in the file") {
  check_same(table(12'000, "\n") + "1,2,3\n" + "4,5\n", "t.csv", 3);
  check_same(table(6'000, "\n") + "\n\n1,2\n", "t.csv", 2);
  check_same(plain_table(40'000, "\n") + "1,2\n1,2,3\n1,\xFF\n", "t.csv", 2);
  check_same(plain_table(40'000, "\n") + "1,\xFF\n1,2,3\n", "t.csv", 2);
  check_same(plain_table(40'000, "\n") + "1,2\n\n1,2\n", "t.csv", 2);
  check_same(table(12'000, "\n") + "1,\"never closed\n", "t.csv", 1);
  std::string lines;
  for (int i = 0; i < 20'000; ++i)
    lines += R"({"id": )" + std::to_string(i) +
             R"(, "note": "some words of nobody"})"
             "\n";
  check_same(lines + "{\"id\": }\n", "t.jsonl", 2);
}

TEST_CASE("parts: JSON Lines with blank lines, no last line end and columns that come late") {
  std::string lines = "\xEF\xBB\xBF";
  for (int i = 0; i < 20'000; ++i) {
    lines += i % 3 == 0 ? R"({"a": [1, "\"x\"", "\u00e9"], "id": )" : R"(  {"b": null, "id": )";
    lines += std::to_string(i) + (i % 5 == 0 ? "}\r\n \n" : ", \"note\": \"some words of nobody\"}\n");
  }
  check_same(lines + R"({"late": 1})", "t.jsonl", 2);
}

TEST_CASE("parts: files that cannot be cut say so") {
  for (const std::string path : {"t.json", "t.txt"}) {
    StringSource source("{\"a\": 1}");
    CHECK((*open_records(source, {.path = path}))->parts() == nullptr);
  }
  StringSource source("a,b\n1\n");
  CsvOptions ragged;
  ragged.ragged = Ragged::kPad;
  CHECK((*open_records(source, {.path = "t.csv", .csv = ragged}))->parts() == nullptr);
}
