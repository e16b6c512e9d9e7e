#include "policies/data/column_stats.h"

#include <string>

#include "policies/data/cell_shape.h"
#include "policies/data/file_place.h"
#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::data;

TEST_CASE("numbers are whole texts of one number") {
  for (const auto* text : {"0", "-12", "+7", "001"}) CHECK(number_shape(text) == NumberShape::kInteger);
  for (const auto* text : {"98.6", "1.", "1.5e-3", "2E8"}) CHECK(number_shape(text) == NumberShape::kReal);
  for (const auto* text : {"", "-", ".5", "1e", "1e+", "1.2.3", "12a", "1 2"}) {
    INFO(text);
    CHECK(number_shape(text) == NumberShape::kNone);
  }
}

TEST_CASE("a column's counts, and what they say") {
  ColumnStats stats;
  for (int i = 0; i < 50; ++i) stats.add(i % 2 == 0 ? "M" : " F ");
  stats.add("");
  CHECK(stats.cells() == 51);
  CHECK(stats.filled() == 50);
  CHECK(stats.distinct() == 2);
  CHECK(stats.is_coded());
  CHECK_FALSE(stats.is_unique());
  CHECK(stats.codes() == 50);
  CHECK(stats.numbers() == 0);
}

TEST_CASE("keys are unique, and one column may hold all of another's values") {
  ColumnStats keys, links, strangers;
  for (int i = 0; i < 100; ++i) keys.add("9d188916-8390-282b-3ec2-73fce6e08" + std::to_string(100 + i));
  for (int i = 0; i < 40; ++i) links.add("9d188916-8390-282b-3ec2-73fce6e08" + std::to_string(100 + i % 10));
  strangers.add("9d188916-8390-282b-3ec2-73fce6e08999");
  CHECK(keys.is_unique());
  CHECK(keys.uuids() == 100);
  CHECK(keys.has_all_of(links));
  CHECK_FALSE(links.has_all_of(keys));
  CHECK_FALSE(keys.has_all_of(strangers));
}

TEST_CASE("two halves merged count as the whole") {
  ColumnStats whole, first, second;
  for (int i = 0; i < 30; ++i) {
    const auto text = "five words in this cell " + std::to_string(i);
    whole.add(text);
    (i < 10 ? first : second).add(text);
  }
  first.merge(second);
  CHECK(first.cells() == whole.cells());
  CHECK(first.texts() == whole.texts());
  CHECK(first.distinct() == whole.distinct());
  CHECK(first.is_unique() == whole.is_unique());
}

TEST_CASE("past the most that are counted nothing is claimed of distinct values") {
  ColumnStats many;
  for (std::size_t i = 0; i < ColumnStats::kMostDistinct + 10; ++i) many.add("v" + std::to_string(i));
  CHECK(many.distinct() == ColumnStats::kMostDistinct);
  CHECK_FALSE(many.is_distinct_exact());
  CHECK_FALSE(many.is_coded());
  CHECK_FALSE(many.has_all_of(many));
}

TEST_CASE("tables and errors are named by their file") {
  CHECK(table_name("raw/patients.csv") == "patients");
  CHECK(table_name("a.tar.gz") == "a.tar");
  CHECK(table_name("raw/.hidden") == ".hidden");
  CHECK(at_file(Error{ErrorCode::kInvalid, "x", "3:1: bad", "", ""}, "a.csv").message == "a.csv:3:1: bad");
  CHECK(at_file(Error{ErrorCode::kInvalid, "x", "bad", "", ""}, "a.csv").message == "a.csv: bad");
}
