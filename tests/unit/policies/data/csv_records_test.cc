#include "policies/data/csv_records.h"

#include <random>

#include "policies/data/records.h"
#include "tests/unit/policies/data/data_helpers.h"

using namespace mlops;
using namespace mlops::data;

namespace {

OpenReader csv(CsvOptions options = {}) {
  return [options](Source& source) { return open_csv_records(source, options); };
}

OpenReader named(std::string path) {
  return [path](Source& source) { return open_records(source, {.path = path}); };
}

CsvOptions padded() {
  CsvOptions options;
  options.ragged = Ragged::kPad;
  return options;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("csv records: a cell a column, kept byte for byte") {
  const std::string text = "\xEF\xBB\xBF\"a\",b\r\n\"x, \"\"y\"\"\",\n,2\r\n\r\n";
  CHECK(*read_records(csv(), text) == Lines{"a=x, \"y\" b=", "a= b=2"});
  for (std::size_t step = 1; step < 8; ++step) CHECK(*rewrite_records(csv(), text, {}, {}, step) == text);
}

TEST_CASE("csv records: cells are replaced or left empty, columns leave") {
  const std::string text = "a,b,c\n1,\"2\",3\n4,5,6\n";
  const auto decide = [](std::string_view column, const Cell& cell) {
    if (cell.text == "1") return replace("x,\"y");
    return column == "b" ? drop() : keep();
  };
  CHECK(*rewrite_records(csv(), text, decide) == "a,b,c\n\"x,\"\"y\",\"\",3\n4,,6\n");
  CHECK(*rewrite_records(csv(), text, {}, {false, true}) == "a,c\n1,3\n4,6\n");
}

TEST_CASE("csv records: ragged rows are refused, or read to their last cell") {
  const std::string text = "a,b\n1\n1,2,555-12-3456,4\n\n3,4\n";
  CHECK(read_records(csv(), text).error().slug == "csv_ragged");
  CHECK(*read_records(csv(padded()), text) == Lines{"a=1", "a=1 b=2 extra_3=555-12-3456 extra_4=4", "a=", "a=3 b=4"});
  CHECK(*rewrite_records(csv(padded()), text) == text);
  const auto mask = [](std::string_view column, const Cell&) { return column == "extra_3" ? replace("X") : keep(); };
  CHECK(*rewrite_records(csv(padded()), text, mask) == "a,b\n1\n1,2,X,4\n\n3,4\n");
  CHECK(*read_records(csv(padded()), "a,extra_2\n1,2,3\n") == Lines{"a=1 extra_2=2 extra_3=3"});
  CHECK(*read_records(csv(padded()), "extra_2\n1,2\n") == Lines{"extra_2=1 extra_2_=2"});
}

TEST_CASE("records: the name of a file and its first bytes tell what opens it") {
  CHECK(*read_records(named("t.csv"), "a;b\n1;2\n") == Lines{"a=1 b=2"});
  CHECK(*read_records(named("t.tsv"), "a,x\tb\n1\t2\n") == Lines{"a,x=1 b=2"});
  CHECK(*read_records(named("noname"), "a|b\n1|2\n3|4\n") == Lines{"a=1 b=2", "a=3 b=4"});
  CHECK(read_records(named("t.csv"), "PK\x03\x04zip").error().slug == "format_unknown");
  CHECK(read_records(named(""), "").error().slug == "format_unknown");
}

TEST_CASE("csv records: rare delimiters are found where the rows agree on them") {
  for (const std::string d : {"^", "~", ":", "\x01", "\x1F"}) {
    CHECK(*read_records(csv(), "a" + d + "b\n1" + d + "2\n3" + d + "4") == Lines{"a=1 b=2", "a=3 b=4"});
    CHECK(*read_records(csv(), "a" + d + "\"b" + d + "c\"\n1" + d + "2\n", 1) == Lines{"a=1 b" + d + "c=2"});
  }
  CHECK(*read_records(csv(), "when:what\n10:30:00\n") == Lines{"when:what=10:30:00"});
  CHECK(*read_records(csv(), "a:b\n") == Lines{});  // one row says nothing
  CsvOptions colon;
  colon.delimiter = ':';
  CHECK(*read_records(csv(colon), "a:b\n1:2\n") == Lines{"a=1 b=2"});
  for (const char bad : {'"', '\n', '\r', '\0', '\xE9'}) {
    CsvOptions options;
    options.delimiter = bad;
    CHECK(read_records(csv(options), "a\n1\n").error().slug == "csv_delimiter");
  }
}

TEST_CASE("csv records: numbers, zeros and headers with line ends are texts") {
  const std::string text = "zip,\"two\nlines\",n\r\n03601,\"1,234\",1.23457E+08\r\n";
  CHECK(*read_records(csv(), text) == Lines{"zip=03601 two\nlines=1,234 n=1.23457E+08"});
  CHECK(*rewrite_records(csv(), text) == text);
}

namespace {

std::string random_cell(std::mt19937& random, char delimiter) {
  static const std::string kPieces[] = {"x", "\"\"", "\n", "\r", "\r\n", ",", ";", " ", "\xC3\xA9", "7"};
  std::string inner;
  const bool quoted = random() % 3 == 0;
  for (int n = static_cast<int>(random() % 4); n > 0; --n) {
    const auto& piece = kPieces[random() % std::size(kPieces)];
    const bool plain = piece != "\"\"" && piece.find_first_of("\r\n") == std::string::npos && piece[0] != delimiter;
    if (quoted || plain) inner += piece;
  }
  return quoted ? '"' + inner + '"' : inner;
}

// A table in any dialect: delimiter, mixed line ends, quotes, ragged rows, with and without BOM and final line end.
std::string random_table(std::mt19937& random, char delimiter) {
  static const std::string kEnds[] = {"\n", "\r\n", "\r"};
  std::string text = random() % 4 == 0 ? "\xEF\xBB\xBF" : "";
  const std::size_t columns = 1 + random() % 4;
  for (std::size_t i = 0; i < columns; ++i) {
    if (i > 0) text += delimiter;
    text += random() % 3 == 0 ? "\"h\n" + std::to_string(i) + "\"" : "h" + std::to_string(i);
  }
  text += kEnds[random() % 3];
  for (std::size_t rows = random() % 4; rows > 0; --rows) {
    std::size_t cells = random() % 8 == 0 ? 1 + random() % 6 : columns;
    for (std::size_t i = 0; i < cells; ++i) {
      if (i > 0) text += delimiter;
      text += random_cell(random, delimiter);
    }
    if (rows > 1 || random() % 2 == 0) text += kEnds[random() % 3];
  }
  return text;
}

}  // namespace

TEST_CASE("csv records: 100,000 random tables come back byte for byte, and otherwise only where they were changed") {
  std::mt19937 random(4);
  constexpr std::string_view kAll = ",;\t|^~:\x01";
  for (int i = 0; i < 100'000; ++i) {
    auto options = padded();
    options.delimiter = kAll[random() % kAll.size()];
    options.max_row_bytes = 4096;
    const auto text = random_table(random, *options.delimiter);
    const std::size_t step = random() % 2 == 0 ? 1 + random() % 5 : 4096;
    // A cell by its place in the file is replaced by one that reads back as the same but for that cell.
    std::size_t seen = 0;
    const std::size_t chosen = random() % 8;
    std::string before;
    const auto decide = [&](std::string_view, const Cell& cell) {
      if (seen++ != chosen) return keep();
      before = std::string(cell.raw);
      return replace("Q");
    };
    if (*rewrite_records(csv(options), text, {}, {}, step) != text) {
      INFO(text);
      REQUIRE(*rewrite_records(csv(options), text, {}, {}, step) == text);
    }
    const auto changed = *rewrite_records(csv(options), text, decide, {}, step);
    if (seen <= chosen) {
      REQUIRE(changed == text);
      continue;
    }
    const std::string now = before.starts_with('"') ? "\"Q\"" : "Q";
    if (!is_replaced_once(text, before, now, changed)) {
      INFO(text);
      REQUIRE(changed == now);
    }
  }
}
