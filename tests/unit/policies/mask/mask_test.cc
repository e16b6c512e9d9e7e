#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "policies/mask/spans.h"
#include "policies/mask/zip3_rule.h"
#include "tests/unit/catch.h"
#include "tests/unit/policies/mask/mask_helpers.h"

using namespace mlops;
using namespace mlops::mask;

TEST_CASE("unite_spans: the most certain span names the union") {
  const auto united = unite_spans({{{0, 5, 0.4}, "[A]"}, {{3, 9, 0.9}, "[B]"}, {{12, 14, 0.3}, "[C]"}});
  CHECK(replace_spans("0123456789__34_", united) == "[B]9__[C]_");
}

TEST_CASE("redact: whole cells") {
  CHECK(apply("redact", "{with: \"[NAME]\"}", "Jane Roe") == "[NAME]");
  CHECK(apply("redact", "{}", "Jane Roe") == "[REDACTED]");
  CHECK(apply("redact", "{}", "") == "");
}

TEST_CASE("redact: spans in free text leave nothing of an identifier and all of the rest") {
  const std::string note =
      "Pt: Zed Qwertz (MRN 00412345, SSN 123-45-6789, DOB 3/5/1934) lives at 784 Stamm Lock Unit 46, call 617-555-0123 "
      "or "
      "zed@example.org. BP 120/80, metformin 500 mg.";
  const auto out = apply("redact", "{spans: detected}", note);
  for (const auto* gone : {"Qwertz", "00412345", "6789", "1934", "Stamm", "555", "zed@", "example.org"}) {
    INFO(gone);
    CHECK(out.find(gone) == std::string::npos);
  }
  CHECK(out.find("[SSN]") != std::string::npos);
  CHECK(out.find("[PHONE]") != std::string::npos);
  CHECK(out.find("BP 120/80, metformin 500 mg.") != std::string::npos);
  CHECK(apply("redact", "{spans: detected}", out) == out);
  CHECK(apply("redact", "{spans: [us_ssn], with: \"#\"}", "x 123-45-6789 617-555-0123") == "x # 617-555-0123");
  CHECK(apply("redact", "{spans: detected}", "nothing here") == "nothing here");
}

TEST_CASE("redact: no digit of a random identifier survives beside others") {
  std::mt19937 random(3);
  const auto digits = [&](int count) {
    std::string text;
    while (count-- > 0) text.push_back(static_cast<char>('2' + random() % 8));
    return text;
  };
  const auto transform = make("redact", "{spans: detected}");
  for (int round = 0; round < 300; ++round) {
    std::string text = "note";
    for (unsigned n = 1 + random() % 3; n > 0; --n) {
      text += random() % 2 ? " ssn " : ", ";
      text +=
          random() % 2 ? digits(3) + "-" + digits(2) + "-" + digits(4) : digits(3) + "-" + digits(3) + "-" + digits(4);
    }
    const auto out = run(**transform, text);
    INFO(text);
    REQUIRE(out.find_first_of("0123456789") == std::string::npos);
  }
}

TEST_CASE("constants") {
  CHECK(make("suppress", "").value()->drops_column());
  CHECK(apply("keep", "", " x ") == " x ");
  CHECK(apply("replace", "{with: \"-\"}", "x") == "-");
  CHECK(make("replace", "{}").error().slug == "missing_option");
  CHECK(make("suppress", "{a: 1}").error().slug == "unknown_key");
}

TEST_CASE("mask: constant length, nothing kept unless asked for, never of a short value") {
  CHECK(apply("mask", "{}", "1") == "********");
  CHECK(apply("mask", "{}", "123456789012") == "********");
  CHECK(apply("mask", "{keep_last: 4}", "123456789") == "********6789");
  CHECK(apply("mask", "{keep_last: 4}", "1234567") == "********");
  CHECK(apply("mask", "{keep_last: 2}", "J\xC3\xBCrg\xC3\xA9") == "********g\xC3\xA9");
  CHECK(apply("mask", "{}", "") == "");
  CHECK_FALSE(make("mask", "{keep_last: 4}").value()->forbidden_under_safe_harbor().empty());
  CHECK(make("mask", "{}").value()->forbidden_under_safe_harbor().empty());
  CHECK_FALSE(make("mask", "{keep_last: 5}"));
  CHECK_FALSE(make("mask", "{keep_lats: 4}"));
}

TEST_CASE("date_truncate: today is the day of the cell, not of the policy") {
  FakeClock clock(*parse_rfc3339("2026-12-31T23:59:59Z"));
  const auto node = parse_yaml("{to: year, cap_age: 89}", "test.yaml");
  REQUIRE(node);
  const auto transform = find_transform("date_truncate")->make(*node, {"test.yaml", {}, {}, &clock});
  REQUIRE(transform);
  CHECK(run(**transform, "1937-06-01") == "1937");
  clock.advance_us(1'000'000);
  CHECK(run(**transform, "1937-06-01") == "90+");
  CHECK(run(**transform, "1938-06-01") == "1938");
}

TEST_CASE("date_truncate: to the year or the month, in any shape, never through") {
  const std::string_view year = "{to: year, reference: 2026-11-23}";
  CHECK(apply("date_truncate", year, "1954-03-05") == "1954");
  CHECK(apply("date_truncate", year, "3/5/1954") == "1954");
  CHECK(apply("date_truncate", year, "05-Mar-1954 10:30") == "1954");
  CHECK(apply("date_truncate", year, "1954") == "1954");
  CHECK(apply("date_truncate", year, " 2024-02-29T00:00:00Z") == "2024");
  CHECK(apply("date_truncate", "{to: month, reference: 2026-11-23}", "March 5, 1954") == "1954-03");
  CHECK(apply("date_truncate", year, "") == "");
  for (const auto* unreadable : {"05-Mar-24", "3/5/54", "2023-02-29", "1954-13-01", "March 5", "Jane",
                                 "1954-03-05 Jane", "45000", "1954-03-05/1955-01-01"}) {
    INFO(unreadable);
    CHECK(apply("date_truncate", year, unreadable) == "[DATE]");
  }
}

TEST_CASE("date_truncate: the year that can show an age above the cap goes") {
  const std::string_view year = "{to: year, cap_age: 89, reference: 2026-11-23}";
  CHECK(apply("date_truncate", year, "1937-12-31") == "1937");  // 89 at most
  CHECK(apply("date_truncate", year, "1936-12-31") == "90+");   // 1936 may mean 90
  CHECK(apply("date_truncate", year, "1936-02-29") == "90+");
  CHECK(apply("date_truncate", "{to: year, reference: 2024-02-29}", "1935-02-28") == "1935");
  CHECK(apply("date_truncate", "{to: month, reference: 2024-02-29}", "1934-02-28") == "90+");
  CHECK(apply("date_truncate", "{to: year, cap_age: 79, reference: 2026-11-23}", "1946-01-01") == "80+");
  CHECK(apply("date_truncate", "{to: year, reference: \"column:visit\"}", "1920-01-01", Row{{"visit", "2009-06-01"}}) ==
        "1920");
  CHECK(apply("date_truncate", "{to: year, reference: \"column:visit\"}", "1920-01-01", Row{{"visit", "2010-06-01"}}) ==
        "90+");
  // Without a readable reference today decides, which only caps more.
  CHECK(apply("date_truncate", "{to: year, reference: \"column:visit\"}", "1920-01-01", Row{{"visit", "soon"}}) ==
        "90+");
  CHECK(apply("date_truncate", "{to: year, reference: \"column:visit\"}", "1920-01-01") == "90+");
  CHECK(apply("date_truncate", "{to: year}", "1900-01-01") == "90+");
  CHECK_FALSE(make("date_truncate", "{to: month}").value()->forbidden_under_safe_harbor().empty());
  CHECK_FALSE(make("date_truncate", "{to: year, cap_age: 100}").value()->forbidden_under_safe_harbor().empty());
}

TEST_CASE("date_truncate: options") {
  CHECK(make("date_truncate", "{}").error().slug == "missing_option");
  CHECK(make("date_truncate", "{to: day}").error().slug == "bad_option");
  CHECK(make("date_truncate", "{to: year, reference: soon}").error().slug == "bad_option");
  CHECK(make("date_truncate", "{to: year, reference: 2023-02-29}").error().slug == "bad_option");
  CHECK(make("date_truncate", "{to: year, reference: \"column:\"}").error().slug == "bad_option");
}

TEST_CASE("zip3: every prefix of the union list goes, however the column wrote it") {
  const std::string_view kUnion[] = {"036", "059", "063", "102", "202", "203", "204", "205", "369", "556", "692", "753",
                                     "772", "790", "821", "823", "830", "831", "878", "879", "884", "890", "893"};
  for (const auto listed : kUnion) {
    const std::string prefix(listed);
    for (const std::string& cell :
         {prefix + "01", prefix + "99", prefix + "01-1234", prefix + "011234", prefix + "01.0", " " + prefix + "01 "}) {
      INFO(cell);
      CHECK(zip3_of(cell, Census::kUnion) == "000");
    }
    const std::string integer = std::to_string(std::stoi(prefix + "01"));
    CHECK(zip3_of(integer, Census::kUnion) == "000");
    CHECK(zip3_of(integer + ".0", Census::kUnion) == "000");
  }
}

TEST_CASE("zip3: large prefixes stay, unknown ones and what is no ZIP code do not") {
  CHECK(zip3_of("02155", Census::kUnion) == "021");
  CHECK(zip3_of("2155", Census::kUnion) == "021");
  CHECK(zip3_of("2155.0", Census::kUnion) == "021");
  CHECK(zip3_of("3601", Census::kUnion) == "000");  // 03601, not 360
  CHECK(zip3_of("36011", Census::kUnion) == "360");
  CHECK(zip3_of("601", Census::kUnion) == "006");  // 00601, Puerto Rico
  CHECK(zip3_of("21551234", Census::kUnion) == "021");
  CHECK(zip3_of("", Census::kUnion) == "");
  for (const auto* cell : {"00000", "00100", "21301", "34567890123", "K1A 0B1", "abc", "12", "021-55", "0215A", "-2155",
                           "021551", "2155.5", "SW1A 1AA"}) {
    INFO(cell);
    CHECK(zip3_of(cell, Census::kUnion) == "000");
  }
}

TEST_CASE("zip3: each census has its own list") {
  CHECK(zip3_of("06301", Census::k2000) == "000");
  CHECK(zip3_of("06301", Census::k2010) == "063");
  CHECK(zip3_of("20201", Census::k2020) == "000");
  CHECK(zip3_of("36901", Census::k2000) == "369");
  CHECK(zip3_of("36901", Census::k2010) == "000");
  int counts[4] = {};
  for (int prefix = 0; prefix < 1000; ++prefix) {
    const auto zip = fmt::format("{:03}01", prefix);
    int i = 0;
    for (const auto census : {Census::kUnion, Census::k2020, Census::k2010, Census::k2000})
      counts[i++] += zip3_of(zip, census) != "000";
  }
  CHECK(counts[1] == 894 - 18);  // populated, less the small ones
  CHECK(counts[0] < counts[1]);
  CHECK(apply("generalize", "{zip3: {census: \"2010\"}}", "06301") == "063");
  CHECK(apply("generalize", "{zip3: {}}", "06301") == "000");
  CHECK(make("generalize", "{zip3: {census: \"1990\"}}").error().slug == "bad_option");
}

TEST_CASE("age_cap: 89 stays, 90 does not") {
  CHECK(apply("generalize", "{age_cap: 89}", "89") == "89");
  CHECK(apply("generalize", "{age_cap: 89}", "90") == "90+");
  CHECK(apply("generalize", "{age_cap: {cap: 89, label: \"old\"}}", "104") == "old");
  CHECK(apply("generalize", "{age_cap: {}}", "89.5") == "90+");
  CHECK(apply("generalize", "{age_cap: {}}", "90+") == "90+");
  CHECK(apply("generalize", "{age_cap: {}}", "1e2") == "90+");
  CHECK(apply("generalize", "{age_cap: {}}", "") == "");
  for (const auto* cell : {"ninety", "-1", "91 years", "nan", "inf", "1e400"}) {
    INFO(cell);
    CHECK(apply("generalize", "{age_cap: {}}", cell) == "[AGE]");
  }
  CHECK_FALSE(make("generalize", "{age_cap: 95}").value()->forbidden_under_safe_harbor().empty());
}

TEST_CASE("bucket") {
  CHECK(apply("generalize", "{bucket: {width: 10}}", "47") == "40-49");
  CHECK(apply("generalize", "{bucket: {width: 10}}", "49.9") == "40-49");
  CHECK(apply("generalize", "{bucket: {width: 10}}", "-1") == "-10--1");
  CHECK(apply("generalize", "{bucket: {width: 10}}", "x") == "[VALUE]");
  CHECK_FALSE(make("generalize", "{bucket: {width: 1}}"));  // whole numbers would stay
  CHECK(make("generalize", "{bucket: {}}").error().slug == "missing_option");
  CHECK(make("generalize", "{}").error().slug == "missing_option");
  CHECK(make("generalize", "{bucket: {width: 5}, zip3: {}}").error().slug == "missing_option");
}

TEST_CASE("the table names every transform once") {
  for (const auto& row : transforms()) CHECK(find_transform(row.id) == &row);
  CHECK(find_transform("shift") == nullptr);
}
