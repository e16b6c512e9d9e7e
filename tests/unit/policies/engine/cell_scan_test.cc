// What a run over a column tells of its cells beside what is found in them.
#include "policies/engine/cell_scan.h"

#include <map>
#include <string>
#include <vector>

#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::policy;

namespace {

std::vector<data::Cell> cells_of(const std::vector<std::string>& texts) {
  std::vector<data::Cell> cells(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) cells[i].text = texts[i];
  return cells;
}

std::vector<std::uint8_t> scan(CellScanner& scanner, const std::vector<std::string>& texts,
                               CellScanner* also = nullptr) {
  const auto cells = cells_of(texts);
  std::vector<std::uint8_t> looks(cells.size());
  scanner.scan_run({cells, 0, 1}, also, looks);
  return looks;
}

std::map<std::string, std::uint64_t> rows_of(CellScanner& scanner) {
  std::map<std::string, std::uint64_t> rows;
  scanner.take_rows([&](const std::string& value, std::uint64_t count) { rows[value] += count; });
  return rows;
}

}  // namespace

TEST_CASE("cell scan: a run counts the rows of every value, also of those that make room for others") {
  CellScanner scanner({}, {});
  CellScanner also({}, {});
  std::map<std::string, std::uint64_t> expected;
  for (int round = 0; round < 3; ++round) {
    std::vector<std::string> texts;
    for (int i = 0; i < 5'000; ++i) {
      // 250 values: in a memo of 1,024 places some of them meet
      texts.push_back(i % 9 == 0 ? " " : "w" + std::to_string(i * 7 % 250));
      if (i % 50 == 0) texts.back() = "a ward with a long name " + std::to_string(i % 3);
      if (texts.back() != " ") ++expected[texts.back()];
    }
    scan(scanner, texts, &also);
  }
  REQUIRE_FALSE(scanner.has_many_values());
  CHECK(rows_of(scanner) == expected);
  CHECK(rows_of(scanner).empty());  // they are taken
  CHECK(rows_of(also).empty());
}

TEST_CASE("cell scan: of a column with too many values no rows are told") {
  CellScanner scanner({}, {});
  std::vector<std::string> texts;
  for (int i = 0; i < 300; ++i) texts.insert(texts.end(), 3, "v" + std::to_string(i));
  scan(scanner, texts);
  CHECK(scanner.has_many_values());
  CHECK(rows_of(scanner).empty());
}

TEST_CASE("cell scan: a bare number is looked at for what it is long enough for") {
  CellScanner scanner({}, {});
  std::vector<std::string> texts;
  for (int i = 0; i < 300; ++i) texts.push_back(std::to_string(i));
  scan(scanner, texts);  // from now on numbers are passed by
  const auto looks = scan(scanner, {"123", "1.5", "1234", "259.7", "12345", "12345.", "123456", "1234.56", "50369.84",
                                    "12345678", "1234567.8", "12345678.9", "abcd"});
  const std::vector<std::uint8_t> expected = {
      kNothing, kNothing, kShortNumber,     kShortNumber,     kShortNumber,     kShortNumber, kWords,
      kWords,   kWords,   kWords | kLayers, kWords | kLayers, kWords | kLayers, kWords};
  CHECK(looks == expected);
}
