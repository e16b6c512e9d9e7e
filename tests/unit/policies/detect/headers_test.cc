#include "policies/detect/header_words.h"
#include "tests/unit/catch.h"
#include "tests/unit/policies/detect/detect_helpers.h"

using namespace mlops::detect;

namespace {

constexpr double kAgreed = 0.5;

// Who claims the column, most certain first.
std::string owner(std::string_view column) {
  std::string best;
  double most = kAgreed;
  for (const auto* detector : built_in_detectors()) {
    const double score = detector->column_name_score(column);
    if (score > most || (score == most && best.empty())) {
      most = score;
      best = detector->id();
    }
  }
  return best;
}

}  // namespace

TEST_CASE("header_words cuts at humps, digits and punctuation") {
  CHECK(header_words("patientDOB") == std::vector<std::string>{"patient", "dob"});
  CHECK(header_words("SSNNumber_2") == std::vector<std::string>{"ssn", "number", "2"});
  CHECK(header_words("Date of  Birth") == std::vector<std::string>{"date", "of", "birth"});
  CHECK(header_words("ZIP5") == std::vector<std::string>{"zip", "5"});
  CHECK(header_words("").empty());
}

TEST_CASE("headers say whose they are") {
  const std::pair<const char*, const char*> kRows[] = {
      {"BIRTHDATE", "birth_date"},
      {"DOB", "birth_date"},
      {"date_of_birth", "birth_date"},
      {"SSN", "us_ssn"},
      {"SocialSecurityNumber", "us_ssn"},
      {"ZIP", "us_zip"},
      {"postal_code", "us_zip"},
      {"MRN", "mrn"},
      {"medical_record_no", "mrn"},
      {"Phone", "phone"},
      {"homePhone", "phone"},
      {"e-mail", "email"},
      {"emailAddress", "email"},
      {"email_address", "email"},
      {"IP Address", "ipv4"},
      {"DRIVERS", "drivers_license"},
      {"driver's license", "drivers_license"},
      {"PASSPORT", "passport"},
      {"PREFIX", "person_name"},
      {"FIRST", "person_name"},
      {"LAST", "person_name"},
      {"MAIDEN", "person_name"},
      {"patient_name", "person_name"},
      {"firstName", "person_name"},
      {"ADDRESS", "street_address"},
      {"street_1", "street_address"},
      {"LAT", "geo"},
      {"LON", "geo"},
      {"CITY", "city_county"},
      {"COUNTY", "city_county"},
      {"BIRTHPLACE", "city_county"},
      {"DEATHDATE", "date"},
      {"admit_date", "date"},
      {"member_id", "health_plan_id"},
      {"account_number", "account"},
      {"iban", "iban"},
      {"credit_card_number", "credit_card"},
      {"age", "age"},
      {"website", "url"},
      {"mac_address", "mac"},
  };
  for (const auto& [column, id] : kRows) {
    INFO(column);
    CHECK(owner(column) == id);
  }
}

TEST_CASE("clinical and financial headers belong to nobody") {
  for (const auto* column : {"Id",
                             "HEALTHCARE_EXPENSES",
                             "HEALTHCARE_COVERAGE",
                             "DESCRIPTION",
                             "CODE",
                             "INCOME",
                             "MARITAL",
                             "RACE",
                             "ETHNICITY",
                             "GENDER",
                             "STATE",
                             "ENCOUNTER",
                             "ORGANIZATION",
                             "PROVIDER",
                             "PAYER",
                             "ENCOUNTERCLASS",
                             "BASE_ENCOUNTER_COST",
                             "TOTAL_CLAIM_COST",
                             "PAYER_COVERAGE",
                             "REASONCODE",
                             "REASONDESCRIPTION",
                             "SYSTEM",
                             "TYPE",
                             "CATEGORY",
                             "REACTION1",
                             "SEVERITY1",
                             "DISPENSES",
                             "TOTALCOST",
                             "VALUE",
                             "UNITS",
                             "REVENUE",
                             "UTILIZATION",
                             "SPECIALITY",
                             "START",
                             "STOP",
                             "PATIENT",
                             "hba1c",
                             "systolic_bp",
                             "length_of_stay",
                             "age_group",
                             "last_visit",
                             "first_admission",
                             "drug_name",
                             "email_count",
                             "has_phone",
                             "phone_type",
                             "ip_visits",
                             "label",
                             "readmitted_30d",
                             "encounter_no"}) {
    INFO(column);
    CHECK(owner(column) == "");
  }
}

TEST_CASE("pattern detectors") {
  const auto both = make_pattern_detector("run", "(?i)run", "R\\d{4}");
  REQUIRE(both);
  std::vector<Span> spans;
  (*both)->find("R1234 R5678", {"RUN_NO"}, spans);
  REQUIRE(spans.size() == 2);
  CHECK(spans[1].begin == 6);
  CHECK(spans[1].end == 11);
  spans.clear();
  (*both)->find("R1234", {"other"}, spans);
  CHECK(spans.empty());
  CHECK_FALSE((*both)->decides_by_value());
  const auto empty_match = make_pattern_detector("x", "", "a*");
  (*empty_match)->find("baab", {}, spans);
  REQUIRE(spans.size() == 1);
  CHECK(spans[0].end - spans[0].begin == 2);
  CHECK(make_pattern_detector("x", "", "(").error().slug == "bad_pattern");
  CHECK(make_pattern_detector("x", "", "").error().slug == "bad_pattern");
}

TEST_CASE("every detector has its own id and is found by it") {
  for (const auto* detector : built_in_detectors()) CHECK(find_detector(detector->id()) == detector);
  CHECK(find_detector("no_such") == nullptr);
}
