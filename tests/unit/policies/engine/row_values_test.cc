// What a glance at a cell may and may not skip.
#include "policies/engine/row_values.h"

#include <deque>
#include <random>
#include <string>

#include "tests/unit/catch.h"

using namespace mlops::policy;

namespace {

struct Value {
  std::string cell;
  std::string class_name;
  std::vector<std::string> written;  // as it may stand elsewhere
};

std::string digits(std::mt19937& random, std::size_t count) {
  std::string text;
  while (text.size() < count) text += static_cast<char>('0' + random() % 10);
  return text;
}

std::string word(std::mt19937& random, std::size_t count) {
  std::string text;
  while (text.size() < count) text += static_cast<char>('a' + random() % 26);
  text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

Value random_value(std::mt19937& random) {
  const auto number = digits(random, 6 + random() % 5);
  const auto given = word(random, 4 + random() % 5), family = word(random, 4 + random() % 7);
  switch (random() % 6) {
    case 0:
      return {number, "mrn", {number, number.substr(0, 2) + " " + number.substr(2), "0-" + number}};
    case 1:
      return {"MRN-" + number, "mrn", {"mrn-" + number, number}};
    case 2:
      return {"(" + number.substr(0, 3) + ") " + number.substr(3),
              "phone",
              {"(" + number.substr(0, 3) + ") " + number.substr(3), number}};
    case 3:
      return {" " + given + " O'" + family, "person_name", {given, given + " o'" + family}};
    case 4:
      return {"'" + given, "person_name", {"x '" + given}};
    default:
      return {given + "@" + family + ".org", "email", {given + "@" + family + ".ORG"}};
  }
}

}  // namespace

TEST_CASE("row values: a value that stands in a cell is never passed by") {
  std::mt19937 random(11);
  const std::string placeholder = "[X]";
  RowValues values;
  for (int row = 0; row < 5'000; ++row) {
    std::deque<Value> added;
    values.clear();
    for (std::size_t i = 0; i < 1 + random() % 8; ++i) {
      added.push_back(random_value(random));
      values.add(added.back().cell, RowValues::kind_of(class_of(added.back().class_name)), placeholder);
    }
    CHECK_FALSE(values.empty());
    for (const auto& value : added) {
      INFO(value.cell);
      for (const auto& text : value.written) CHECK(values.stand_in("seen, " + text + "; again"));
    }
  }
}

TEST_CASE("row values: what creates no needle leaves the row empty") {
  const std::string placeholder = "[X]";
  RowValues values;
  values.add("12", RowValues::kind_of(class_of("mrn")), placeholder);
  values.add("  ", RowValues::kind_of(class_of("person_name")), placeholder);
  values.add("Dr", RowValues::kind_of(class_of("person_name")), placeholder);
  CHECK(values.empty());
  CHECK_FALSE(values.stand_in("12 Dr and others"));
  values.add("12345", RowValues::kind_of(class_of("mrn")), placeholder);
  CHECK_FALSE(values.empty());
}

TEST_CASE("row values: of a row before nothing is left, however much it held") {
  const std::string placeholder = "[X]";
  RowValues values;
  for (const int count : {3, 60}) {
    std::deque<std::string> cells;
    for (int i = 0; i < count; ++i) {
      cells.push_back("P" + std::to_string(731000 + i * 37) + "-" + std::string(1, static_cast<char>('a' + i % 26)) +
                      "qz");
      values.add(cells.back(), RowValues::kind_of(class_of("mrn")), placeholder);
    }
    for (const auto& cell : cells) CHECK(values.may_stand_in(cell));
    values.clear();
    values.add("zzz-98-w", RowValues::kind_of(class_of("mrn")), placeholder);  // an empty row is not even looked at
    for (const auto& cell : cells) CHECK_FALSE(values.may_stand_in(cell));
    values.clear();
  }
}

TEST_CASE("row values: a record's are those that are added one by one") {
  std::mt19937 random(12);
  const std::string placeholder = "[X]";
  RowValues one_by_one, at_once;
  for (int row = 0; row < 2'000; ++row) {
    std::deque<Value> added;
    for (std::size_t i = 0; i < 1 + random() % 8; ++i) {
      added.push_back(random_value(random));
      if (random() % 6 == 0) added.back().cell.clear();
    }
    std::vector<mlops::data::Cell> cells(added.size() + 1);  // the first is no identifier
    std::vector<RowValues::Source> sources;
    one_by_one.clear();
    at_once.clear();
    for (std::size_t i = 0; i < added.size(); ++i) {
      cells[i + 1].text = added[i].cell;
      const auto kind = RowValues::kind_of(class_of(added[i].class_name));
      sources.push_back({i + 1, kind, placeholder});
      one_by_one.add(added[i].cell, kind, placeholder);
    }
    at_once.add_record(cells, sources);
    CHECK(at_once.empty() == one_by_one.empty());
    CHECK(at_once.has_number_names() == one_by_one.has_number_names());
    for (const auto& value : added) {
      for (const auto& text : value.written) {
        CHECK(at_once.may_stand_in("seen, " + text) == one_by_one.may_stand_in("seen, " + text));
        CHECK(at_once.cut_from("seen, " + text) == one_by_one.cut_from("seen, " + text));
      }
    }
  }
}
