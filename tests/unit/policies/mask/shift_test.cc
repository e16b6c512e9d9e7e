#include <fmt/format.h>

#include <random>
#include <set>

#include "core/base/text.h"
#include "policies/mask/written_date.h"
#include "tests/unit/policies/mask/mask_helpers.h"

using namespace mlops;
using namespace mlops::mask;
using namespace std::chrono;

namespace {

constexpr std::string_view kOptions = "{key: k, subject: \"column:patient\"}";

std::string shift(std::string_view cell, const std::string& patient = "p1", std::string_view options = kOptions) {
  return apply("date_shift", options, cell, Row{{"patient", patient}});
}

std::int64_t moved(const std::string& from, const std::string& to) {
  const auto a = read_written_date(from, DateOrder::kBySeparator);
  const auto b = read_written_date(to, DateOrder::kBySeparator);
  REQUIRE(a);
  REQUIRE(b);
  return (b->day - a->day).count();
}

}  // namespace

TEST_CASE("a date is written again as it was written") {
  struct Case {
    const char* cell;
    const char* next;
  };
  const sys_days to = 2024y / March / 1;
  for (const auto& [cell, next] :
       std::initializer_list<Case>{{"2024-02-29", "2024-03-01"},
                                   {"2024/2/9", "2024/3/1"},
                                   {"29.2.2024", "1.3.2024"},
                                   {"29.02.2024", "01.03.2024"},
                                   {"02/29/2024", "03/01/2024"},
                                   {"12/5/2024", "3/1/2024"},
                                   {"20240229", "20240301"},
                                   {"202402291230", "202403011230"},
                                   {"20240229123045.5+0100", "20240301123045.5+0100"},
                                   {"20240229T1030", nullptr},
                                   {"05-Feb-2024", "01-Mar-2024"},
                                   {"5 FEB 2024", "1 MAR 2024"},
                                   {"5 february 2024", "1 march 2024"},
                                   {"February 5, 2024", "March 1, 2024"},
                                   {"2024-Feb-05", "2024-Mar-01"},
                                   {"2024-02-29T23:59:59.999Z", "2024-03-01T23:59:59.999Z"},
                                   {"2024-02-29 10:30 PM", "2024-03-01 10:30 PM"},
                                   {"2024-02-29T10:30:00+02:00", "2024-03-01T10:30:00+02:00"},
                                   {"2023-02-29", nullptr},
                                   {"30/02/2024", nullptr},
                                   {"13/01/2024", nullptr},  // month first between slashes
                                   {"05-Mar-24", nullptr},
                                   {"2024-02", nullptr},
                                   {"2024-02-29 Jane Roe", nullptr},
                                   {"2024-02-29 10:30 Jane", nullptr},
                                   {"1709164800", nullptr},
                                   {"0999-01-01", nullptr},
                                   {"", nullptr}}) {
    INFO(cell);
    const auto date = read_written_date(cell, DateOrder::kBySeparator);
    REQUIRE(date.has_value() == (next != nullptr));
    if (next) CHECK(write_like(*date, to) == next);
    if (next) CHECK(write_like(*date, date->day) == cell);
  }
  CHECK(read_written_date("13/01/2024", DateOrder::kDayFirst)->day == sys_days(2024y / January / 13));
  CHECK(read_written_date("01.13.2024", DateOrder::kMonthFirst)->day == sys_days(2024y / January / 13));
}

TEST_CASE("threat 22: all dates of a subject move by one number of days, which is never 0") {
  std::set<std::int64_t> shifts;
  for (int i = 0; i < 2000; ++i) {
    const auto patient = fmt::format("p{}", i);
    const auto days = moved("2024-02-29", shift("2024-02-29", patient));
    REQUIRE(days != 0);
    REQUIRE(std::abs(days) <= 50);
    shifts.insert(days);
    REQUIRE(moved("3/10/2024", shift("3/10/2024", patient)) == days);  // clocks change that day
    REQUIRE(moved("1999-12-31 23:59", shift("1999-12-31 23:59", patient)) == days);
  }
  CHECK(shifts.size() == 100);  // both ways, every length
}

TEST_CASE("threat 22: the order of a subject's dates and the time between them stay") {
  std::mt19937 random(4);
  const sys_days first = 1950y / January / 1;
  for (int round = 0; round < 300; ++round) {
    const auto patient = fmt::format("p{}", round % 7);
    const auto write = [](sys_days day) {
      const year_month_day date(day);
      return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                         static_cast<unsigned>(date.day()));
    };
    const auto a = write(first + days(random() % 30000));
    const auto b = write(first + days(random() % 30000));
    REQUIRE(moved(shift(a, patient), shift(b, patient)) == moved(a, b));
    REQUIRE(shift(a, patient) != a);
  }
}

TEST_CASE("threat 22: the shift follows from key and subject, not from the column or row") {
  const auto at = [](const Place& place) {
    return apply("date_shift", kOptions, "2024-02-29", Row{{"patient", "p1"}}, place);
  };
  CHECK(at({.column = "birth"}) == at({.column = "death"}));
  CHECK(at({.record = 1}) == at({.record = 2}));
  std::set<std::string> datasets;
  for (int i = 0; i < 8; ++i) datasets.insert(at({.dataset = fmt::format("d{}", i)}));
  CHECK(datasets.size() > 3);
  CHECK(shift("2024-02-29", " p1 ") == shift("2024-02-29", "p1"));
}

TEST_CASE("date_shift: what cannot be moved becomes [DATE]") {
  CHECK(shift("soon") == "[DATE]");
  CHECK(shift("2024-02-29 Jane Roe") == "[DATE]");
  CHECK(shift("05-Mar-24") == "[DATE]");
  CHECK(shift("2024-02-29", " ") == "[DATE]");
  CHECK(apply("date_shift", kOptions, "2024-02-29") == "[DATE]");  // no such column
  CHECK(shift("") == "");
  CHECK(make("date_shift", "{key: k}").error().slug == "missing_option");
  CHECK(make("date_shift", "{key: k, subject: patient}").error().slug == "bad_option");
  CHECK(make("date_shift", "{key: k, subject: \"column:p\", days: 0}").error().message.find("days") !=
        std::string::npos);
  CHECK_FALSE(make("date_shift", std::string(kOptions)).value()->forbidden_under_safe_harbor().empty());
}

TEST_CASE("perturb: near the number, of its form, never the number itself, and the same again") {
  for (const std::string_view options : {"{key: k, scale: 2.5}", "{key: k, scale: 0.001, noise: laplace}"}) {
    const auto perturb = make("perturb", options).value();
    for (int i = 0; i < 2000; ++i) {
      const auto cell = i % 2 ? fmt::format("{}", i) : fmt::format("{:.2f}", i / 7.0 - 50);
      const Place place{.record = static_cast<std::uint64_t>(i)};
      const auto out = run(*perturb, cell, {}, place);
      REQUIRE(out == run(*perturb, cell, {}, place));
      REQUIRE(std::stod(out) != std::stod(cell));
      REQUIRE(std::abs(std::stod(out) - std::stod(cell)) <= 51);
      REQUIRE((out.find('.') == std::string::npos) == (cell.find('.') == std::string::npos));
    }
    for (const std::string_view cell : {"x", "1e5", "1,000", "nan", "--1", "12 kg", "1e400"})
      CHECK(run(*perturb, cell) == "[VALUE]");
    CHECK(run(*perturb, "") == "");
  }
  CHECK(make("perturb", "{key: k}").error().slug == "missing_option");
  CHECK(make("perturb", "{key: k, scale: 0}").error().slug == "bad_option");
  CHECK(make("perturb", "{key: k, scale: 1, noise: gauss}").error().slug == "bad_option");
}

TEST_CASE("surrogate: of the same kind, alike for alike values, never the value") {
  const auto fake = [](std::string_view type, std::string_view cell, const Place& place = {}) {
    return apply("surrogate", fmt::format("{{key: k, type: {}}}", type), cell, {}, place);
  };
  CHECK(fake("name", "jane  ROE") == fake("name", "Jane Roe"));
  CHECK(fake("name", "Jane Roe", {.column = "other"}) == fake("name", "Jane Roe"));
  CHECK(fake("name", "Roe, Jane").find(", ") != std::string::npos);
  CHECK(fake("name", "JANE ROE") == [&] {
    auto upper = fake("name", "Jane Roe");
    for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return upper;
  }());
  const auto phone = fake("phone", "(617) 555-9876");
  CHECK(phone.size() == 14);
  CHECK(phone.substr(5, 6) == " 555-0");
  CHECK(fake("phone", "617.555.9876").substr(4) != "555.9876");
  CHECK(fake("phone", "call Jane") == "[PHONE]");
  CHECK(fake("phone", "+49 30 1234567").substr(0, 1) == "+");
  CHECK(fake("email", "jane.roe@hospital.org").find("@example.") != std::string::npos);
  CHECK(fake("date", "1954-03-05").size() == 10);
  CHECK(fake("date", "03/05/1954")[2] == '/');
  CHECK(fake("date", "March") == "[DATE]");
  CHECK(make("surrogate", "{key: k}").error().slug == "missing_option");
  CHECK(make("surrogate", "{key: k, type: poem}").error().slug == "bad_option");
}

TEST_CASE("surrogate: a value that is one of the words gets another one") {
  const auto city = make("surrogate", "{key: k, type: city}").value();
  for (const std::string_view cell : {"Boston", "boston", "Oslo", "Zurich", "Lyon", "Albany"}) {
    CHECK(to_lower_ascii(run(*city, cell)) != to_lower_ascii(cell));
  }
}

TEST_CASE("hierarchy: value to parent, unknown to *") {
  const std::string_view options =
      "{hierarchy: {level: 2, values: [[Divorced, once married, known], \"Widowed; once married; known\"]}}";
  CHECK(apply("generalize", options, " Divorced ") == "known");
  CHECK(apply("generalize", options, "Widowed") == "known");
  CHECK(apply("generalize", options, "Single") == "*");
  CHECK(apply("generalize", options, "known") == "known");
  CHECK(apply("generalize", options, "") == "");
  CHECK(apply("generalize", "{hierarchy: {values: {a: b, c: [d]}}}", "a") == "b");
  CHECK(apply("generalize", "{hierarchy: {values: {a: b, c: [d]}}}", "c") == "d");
  CHECK(make("generalize", "{hierarchy: {values: {a: a}}}").error().slug == "bad_option");
  CHECK(make("generalize", "{hierarchy: {values: [[a, b], [a, c]]}}").error().slug == "bad_option");
  CHECK(make("generalize", "{hierarchy: {level: 2, values: [[a, b]]}}").error().message.find(":1:") !=
        std::string::npos);
  CHECK(make("generalize", "{hierarchy: {}}").error().slug == "missing_option");
}
