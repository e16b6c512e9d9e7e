#include "policies/data/csv_records.h"

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
