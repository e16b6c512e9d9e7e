#include "policies/detect/date_text.h"
#include "tests/unit/catch.h"
#include "tests/unit/policies/detect/detect_helpers.h"

using namespace mlops::detect;

TEST_CASE("read_date: shapes") {
  struct Row {
    const char* text;
    int year, month, day;
  };
  const Row kRows[] = {
      {"2024-03-05", 2024, 3, 5},
      {"2024/3/5", 2024, 3, 5},
      {"20240305", 2024, 3, 5},
      {"3/5/2024", 2024, 3, 5},
      {"25.12.2024", 2024, 12, 25},
      {"13/01/2024", 2024, 1, 13},
      {"05-Mar-2024", 2024, 3, 5},
      {"5 March 2024", 2024, 3, 5},
      {"5th of March, 2024", 2024, 3, 5},
      {"March 5, 2024", 2024, 3, 5},
      {"Mar. 5th 2024", 2024, 3, 5},
      {"2024-Mar-05", 2024, 3, 5},
      {"5. Mai 2024", 2024, 5, 5},
      {"5 de marzo de 2024", 2024, 3, 5},
      {"2024-03-05T10:11:12Z", 2024, 3, 5},
      {"2024-03-05 10:11", 2024, 3, 5},
      {"2024-03-05T10:11:12.123+02:00", 2024, 3, 5},
      {"3/5/2024 9:05 PM", 2024, 3, 5},
      {"202403051230", 2024, 3, 5},
      {"March 2024", 2024, 3, 0},
      {"2024-03", 2024, 3, 0},
      {"03/2024", 2024, 3, 0},
      {" 2024-02-29 ", 2024, 2, 29},
  };
  for (const auto& row : kRows) {
    INFO(row.text);
    const auto date = read_date(row.text);
    REQUIRE(date);
    CHECK(date->year == row.year);
    CHECK(date->month == row.month);
    CHECK(date->day == row.day);
    CHECK_FALSE(date->two_digit_year);
  }
  REQUIRE(read_date("05-Mar-24"));
  CHECK(read_date("05-Mar-24")->two_digit_year);
  CHECK(read_date("3/5/24")->two_digit_year);
}

TEST_CASE("read_date: the calendar decides") {
  for (const auto* text :
       {"2023-02-29", "1900-02-29", "2024-13-01", "2024-04-31", "31/04/2024", "0/5/2024", "2024-00-10", "20241301",
        "120/80", "1.2.3.4", "v1.2.2024x", "2024-03-05-06", "98.6", "3", "", "March", "12345678901", "99/99/9999"}) {
    INFO(text);
    CHECK_FALSE(read_date(text));
  }
  CHECK(read_date("2000-02-29"));
  CHECK(read_date("3/5/2024")->order_open);
  CHECK_FALSE(read_date("25/12/2024")->order_open);
}

TEST_CASE("date: in text") {
  CHECK(found("date", "Seen 2024-03-05 and March 7, 2024.") == Texts{"2024-03-05", "March 7, 2024"});
  CHECK(found("date", "on 12/25 she") == Texts{"12/25"});
  CHECK(found("date", "05-Mar-24").size() == 1);
  CHECK(found("date", "FEV1/FVC, may 10 mg, dose 1/2, BP 120/80, v1.2.3, 98.6, 3-4 weeks, 12345678").empty());
  CHECK(score("date", "2024-03-05") <= 0.6);
  CHECK(score("date", "2024-03-05", "visit_date") > 0.9);
}

TEST_CASE("birth_date: only with the column or a keyword") {
  CHECK(found("birth_date", "2024-03-05").empty());
  CHECK(found("birth_date", "DOB: 3/5/1954") == Texts{"3/5/1954"});
  CHECK(found("birth_date", "1954-03-05", "BIRTHDATE") == Texts{"1954-03-05"});
  CHECK(found("birth_date", "born in 1931") == Texts{"1931"});
  CHECK(found("birth_date", "1931 beds").empty());
}

TEST_CASE("age: only above 89") {
  CHECK(found("age", "a 91 yo woman") == Texts{"91"});
  CHECK(found("age", "92-year-old, aged 95, age: 101") == Texts{"92", "95", "101"});
  CHECK(found("age", "ninety-one years old") == Texts{"ninety-one"});
  CHECK(found("age", "in her 90s") == Texts{"90"});
  CHECK(found("age", "90", "AGE") == Texts{"90"});
  CHECK(found("age", "89", "AGE").empty());
  CHECK(found("age", "an 89 yo man, 95 mg, 120 beats, 99 F, room 91").empty());
}

TEST_CASE("age: above 89 in words too, and no decade of a century") {
  CHECK(found("age", "she is ninety-one years old") == Texts{"ninety-one"});
  CHECK(found("age", "aged ninety-one, lives alone") == Texts{"ninety-one"});
  CHECK(found("age", "a ninety year old man") == Texts{"ninety"});
  CHECK(found("age", "she is in her nineties") == Texts{"nineties"});
  for (const auto* text : {"in the nineties", "ninety-one patients", "one hundred mg", "ninety minutes"}) {
    INFO(text);
    CHECK(found("age", text).empty());
  }
}
