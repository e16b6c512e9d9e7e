#include "policies/data/csv.h"

#include <random>

#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::data;

namespace {

// Gives `step` bytes a read, so that every boundary falls between any two bytes once.
class SlowSource : public Source {
 public:
  SlowSource(std::string_view text, std::size_t step) : inner_(text), step_(step) {}
  Result<std::size_t> read(std::span<char> into) override {
    return inner_.read(into.first(std::min(step_, into.size())));
  }

 private:
  StringSource inner_;
  std::size_t step_;
};

using Table = std::vector<std::vector<std::string>>;

Result<Table> read_all(Source& source, const CsvOptions& options = {}) {
  MLOPS_ASSIGN(auto reader, CsvReader::open(source, options));
  Table table{reader.header()};
  CsvRow row;
  while (true) {
    MLOPS_ASSIGN(const bool more, reader.next(row));
    if (!more) return table;
    table.emplace_back();
    for (std::size_t i = 0; i < row.size(); ++i) table.back().emplace_back(row.text(i));
  }
}

Result<Table> read_text(std::string_view text, const CsvOptions& options = {}) {
  StringSource source(text);
  return read_all(source, options);
}

// Copies with the cells of `column` masked, or only copies.
std::string rewrite(std::string_view text, std::optional<std::size_t> column = {}, const std::string& with = "",
                    std::vector<bool> dropped = {}, std::size_t step = 1 << 16) {
  SlowSource source(text, step);
  auto reader = CsvReader::open(source);
  REQUIRE(reader);
  StringSink sink;
  CsvWriter writer(sink, reader->dialect(), std::move(dropped));
  REQUIRE(writer.write_header(*reader));
  CsvRow row;
  std::vector<std::optional<std::string>> masked(reader->header().size());
  if (column) masked[*column] = with;
  for (auto more = reader->next(row); more.value(); more = reader->next(row)) REQUIRE(writer.write_row(row, masked));
  REQUIRE(writer.finish(reader->trailer()));
  return sink.text;
}

Error error_of(std::string_view text, const CsvOptions& options = {}) {
  auto table = read_text(text, options);
  REQUIRE_FALSE(table);
  CHECK(table.error().code == ErrorCode::kInvalid);
  return table.error();
}

}  // namespace

TEST_CASE("csv: cells are decoded") {
  CHECK(*read_text("a,b\n1,2\n") == Table{{"a", "b"}, {"1", "2"}});
  CHECK(*read_text("a,b\r\n\"x, \"\"y\"\"\",\"line\r\nline\"\r\n") == Table{{"a", "b"}, {"x, \"y\"", "line\r\nline"}});
  CHECK(*read_text("a,b\r1,2\r3,4") == Table{{"a", "b"}, {"1", "2"}, {"3", "4"}});
  CHECK(*read_text("a,b\n,\n\"\",\"\"\"\"") == Table{{"a", "b"}, {"", ""}, {"", "\""}});
  CHECK(*read_text("size\n5'10\"\n") == Table{{"size"}, {"5'10\""}});
}

TEST_CASE("csv: a BOM before a quoted first name belongs to no name") {
  CHECK(*read_text("\xEF\xBB\xBF\"ssn\",b\n1,2\n") == Table{{"ssn", "b"}, {"1", "2"}});
}

TEST_CASE("csv: the delimiter is sniffed from the first row, outside quotes") {
  CHECK(read_text("a;b\n1,5;2\n")->at(1) == std::vector<std::string>{"1,5", "2"});
  CHECK(read_text("a\tb\n1\t2\n")->at(1).size() == 2);
  CHECK(read_text("a|b\n1|2\n")->at(1).size() == 2);
  CHECK(read_text("\"x,y,z\";b\n1;2\n")->at(0) == std::vector<std::string>{"x,y,z", "b"});
  CHECK(read_text("a,b;c\n1,2\n", {.delimiter = ','})->at(0).size() == 2);
}

TEST_CASE("csv: without a header the columns are numbered and the first row is data") {
  CHECK(*read_text("1,2\n3,4\n", {.has_header = false}) == Table{{"column_1", "column_2"}, {"1", "2"}, {"3", "4"}});
}

TEST_CASE("csv: errors have a position and no value") {
  const auto ragged = error_of("a,b\n1,2\nsecret\n");
  CHECK(ragged.slug == "csv_ragged");
  CHECK(ragged.message.find("3:1:") == 0);
  CHECK(ragged.message.find("secret") == std::string::npos);
  CHECK(error_of("a,b\n1,2,3\n").slug == "csv_ragged");
  const auto quote = error_of("a,b\n\"x\"secret,2\n");
  CHECK(quote.slug == "csv_quote");
  CHECK(quote.message.find("2:4:") == 0);
  CHECK(quote.message.find("secret") == std::string::npos);
  const auto open = error_of("a,b\n1,\"secret\n\n");
  CHECK(open.slug == "csv_quote");
  CHECK(open.message.find("2:3:") == 0);
  const auto nul = error_of(std::string_view("a,b\n\"x\ny\",z\0\n", 14));
  CHECK(nul.slug == "csv_nul");
  CHECK(nul.message.find("3:5:") == 0);
  CHECK(error_of("a,b\n1,\xFF\n").slug == "csv_utf8");
  CHECK(error_of("a,b\n1,\xC0\x80\n").message.find("2:3:") == 0);
  CHECK(error_of("a,b\n1,\xED\xA0\x80\n").slug == "csv_utf8");
  CHECK(error_of("a, A\n").slug == "csv_header_duplicate");
  CHECK(error_of("a,,c\n").slug == "csv_header_empty");
  CHECK(error_of("").slug == "csv_empty");
  CHECK(error_of("\xEF\xBB\xBF").slug == "csv_empty");
}

TEST_CASE("csv: limits hold at every size") {
  const std::string cell(100, 'x');
  CHECK(read_text("a,b\n" + cell + ",1\n", {.max_cell_bytes = 100}));
  CHECK(error_of("a,b\n" + cell + "x,1\n", {.max_cell_bytes = 100}).slug == "csv_cell_too_long");
  CHECK(read_text("a,b\n" + cell + ",1\n", {.max_row_bytes = 102}));
  CHECK(error_of("a,b\n" + cell + ",12\n", {.max_row_bytes = 102}).slug == "csv_row_too_long");
  CHECK(error_of("a,b\n\"" + std::string(5000, '\n'), {.max_row_bytes = 1000}).slug == "csv_row_too_long");
  CHECK(error_of("a,b,c\n", {.max_columns = 2}).slug == "csv_too_many_columns");
}

TEST_CASE("csv: blank lines end a table, break it, or are a row of one column") {
  CHECK(read_text("a,b\n1,2\n\n\n")->size() == 2);
  CHECK(rewrite("a,b\r\n1,2\r\n\r\n\r\n") == "a,b\r\n1,2\r\n\r\n\r\n");
  const auto inside = error_of("a,b\n1,2\n\n3,4\n");
  CHECK(inside.slug == "csv_ragged");
  CHECK(inside.message.find("3:1:") == 0);
  CHECK(*read_text("a\n1\n\n2\n") == Table{{"a"}, {"1"}, {""}, {"2"}});
}

TEST_CASE("csv: what is not masked is written back byte for byte") {
  const std::string odd = "\xEF\xBB\xBF\"a\",b,c\r\n 1 ,\"2\",\"x \"\"q\"\"\r\ny\"\r\n,,\r\"\xC3\xA9\",5'10\",z";
  CHECK(rewrite(odd) == odd);
  CHECK(rewrite("a;b\n1;2\n", 1, "x;\"y\"") == "a;b\n1;\"x;\"\"y\"\"\"\n");
  CHECK(rewrite("a,b\n1,\"2\"\n", 1, "[X]") == "a,b\n1,\"[X]\"\n");  // a quoted column stays quoted
  CHECK(rewrite("a,b\n1,\"2\"\n", 1, "2") == "a,b\n1,\"2\"\n");      // masking that changes nothing
}

TEST_CASE("csv: dropped columns leave, and a lone empty cell stays a row") {
  CHECK(rewrite("a,b,c\n1,2,3\n", {}, "", {true}) == "b,c\n2,3\n");
  CHECK(rewrite("a,b\n1,\n", {}, "", {true, false}) == "b\n\"\"\n");
  CHECK(rewrite("a\n1\n", 0, "") == "a\n\"\"\n");
  StringSource source("a,b\n1,2\n");
  auto reader = CsvReader::open(source);
  StringSink sink;
  CsvWriter writer(sink, reader->dialect(), {true, true});
  CHECK(writer.write_header(*reader).error().slug == "csv_no_columns");
}

TEST_CASE("csv: byte identity and equal cells for random tables, however the bytes arrive") {
  std::mt19937 random(7);
  const std::string_view kPieces[] = {"x", "1", " ", "\"\"", "\xC3\xA9", "\n", ",", "\r\n", ";", "abc"};
  for (int round = 0; round < 200; ++round) {
    std::string text = round % 2 == 0 ? "\xEF\xBB\xBF" : "";
    const std::string end = round % 3 == 0 ? "\r\n" : round % 3 == 1 ? "\n" : "\r";
    text += "h1,\"h\"\"2\",h3" + end;
    for (unsigned rows = random() % 6; rows > 0; --rows) {
      for (int cell = 0; cell < 3; ++cell) {
        const bool quoted = random() % 2 == 0;
        std::string content;
        for (unsigned n = random() % 5; n > 0; --n) {
          const auto piece = kPieces[random() % 10];
          const bool plain_safe = piece.find_first_of("\r\n,\"") == std::string_view::npos;
          if (quoted || plain_safe) content += piece;
        }
        text += (cell ? "," : "") + (quoted ? "\"" + content + "\"" : content);
      }
      text += end;
    }
    CHECK(rewrite(text, {}, "", {}, 1 + random() % 7) == text);
    StringSource whole(text);
    SlowSource slow(text, 1);
    CHECK(*read_all(whole) == *read_all(slow));
  }
}
