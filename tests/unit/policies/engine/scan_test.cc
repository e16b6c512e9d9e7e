#include <string>

#include "policies/data/records.h"
#include "policies/engine/policy.h"
#include "policies/engine/scan_dataset.h"
#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::policy;

namespace {

FileProfile scanned(const std::string& text, const std::string& path) {
  data::StringSource source(text);
  const auto reader = data::open_records(source, {.path = path});
  REQUIRE(reader);
  auto profile = scan_file(path.substr(0, path.find('.')), **reader);
  if (!profile) FAIL(profile.error().message);
  return *profile;
}

const ColumnProfile& column(const FileProfile& file, const std::string& name) {
  for (const auto& one : file.columns) {
    if (one.column == name) return one;
  }
  FAIL("no column " + name);
  return file.columns.front();
}

std::string uuid(int i) {
  return "9d188916-8390-282b-3ec2-73fce6e08" + std::to_string(100 + i);
}

std::string patients() {
  std::string csv = "Id,SSN,SEX,GLUCOSE,FIRST\n";
  for (int i = 0; i < 20; ++i) {
    csv +=
        uuid(i) + ",932-21-44" + std::to_string(10 + i) + (i % 2 ? ",M," : ",F,") + std::to_string(80 + i) + ".5,Ada\n";
  }
  return csv;
}

std::string visits() {
  std::string csv = "Id,PERSON,STOP\n";
  for (int i = 0; i < 20; ++i) csv += uuid(500 + i) + "," + uuid(i % 5) + ",2024-03-" + std::to_string(10 + i) + "\n";
  return csv;
}

}  // namespace

TEST_CASE("a scan says what each column is, how sure and on which counts, and never a value") {
  const auto file = scanned(patients(), "patients.csv");
  CHECK(file.records == 20);
  CHECK(column(file, "SSN").class_name == "us_ssn");
  CHECK(column(file, "SSN").confidence > 0.9);
  REQUIRE_FALSE(column(file, "SSN").evidence.empty());
  CHECK(column(file, "SSN").evidence.front().cells == 20);
  CHECK(column(file, "SEX").class_name == "demographic");
  CHECK(column(file, "GLUCOSE").class_name == "measurement");
  CHECK(column(file, "FIRST").class_name == "person_name");
  const auto text = to_json(file).dump();
  CHECK(text.find("932-21") == std::string::npos);
  CHECK(text.find("Ada") == std::string::npos);
}

TEST_CASE("the files of a dataset explain each other") {
  std::vector<FileProfile> files{scanned(patients(), "patients.csv"), scanned(visits(), "visits.csv"),
                                 scanned("STOP,NAME\n,General Hospital\n,City Clinic\n", "organizations.csv")};
  reconcile(files);
  CHECK(column(files[0], "Id").class_name == "patient_id");
  CHECK(column(files[1], "PERSON").class_name == "patient_id");
  CHECK(column(files[1], "Id").class_name == "identifier");
  CHECK(column(files[2], "STOP").class_name == "date");
  CHECK(column(files[2], "NAME").class_name != "person_name");
}

TEST_CASE("a draft lints without errors, declares by table where names differ, and quotes what YAML would misread") {
  std::vector<FileProfile> files{scanned(patients(), "patients.csv"), scanned(visits(), "visits.csv"),
                                 scanned("{\"a: b\": 12.5}\n", "odd.jsonl")};
  reconcile(files);
  const auto text = draft_policy("clinical", "hipaa-safe-harbor", files);
  INFO(text);
  for (const auto& finding : lint_policy(text, "d.yaml")) CHECK_FALSE(finding.is_error);
  CHECK(text.find("patients.Id: {class: patient_id}") != std::string::npos);
  CHECK(text.find("visits.Id: {class: identifier}") != std::string::npos);
  CHECK(text.find("\"/a: b\": {class: measurement}") != std::string::npos);
  CHECK(load_policy(text, "d.yaml"));
}

TEST_CASE("what a standard declares is not repeated in a draft") {
  const std::string bundle =
      R"({"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","id":"x1","birthDate":"1931-04-17"}}]})";
  const std::vector<FileProfile> files{scanned(bundle, "b.json")};
  CHECK(column(files[0], "Patient.birthDate").class_name == "birth_date");
  CHECK(column(files[0], "Patient.birthDate").because == kByStandard);
  CHECK(draft_policy("p", "hipaa-safe-harbor", files).find("birthDate") == std::string::npos);
}

TEST_CASE("a table without a header is refused by a scan") {
  data::StringSource source("932-21-4477,a\n932-21-4478,b\n");
  const auto reader = data::open_records(source, {.path = "t.csv"});
  REQUIRE(reader);
  const auto refused = scan_file("t", **reader);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().slug == "header_missing");
  CHECK(refused.error().message.find("932") == std::string::npos);
}

TEST_CASE("a running number by which somebody is kept is an identifier, not a measurement") {
  std::string csv = "pupil_no,patient_nr,studentId,MRN,employee_number,Id,num_patients,weight,patient_no_shows\n";
  for (int i = 0; i < 40; ++i) {
    const auto n = std::to_string(100 + i);
    csv += n + "," + n + "," + n + ",88" + n + "," + n + "," + n + "," + n + "," + n + "," + n + "\n";
  }
  const auto file = scanned(csv, "t.csv");
  for (const auto* name : {"pupil_no", "patient_nr", "studentId"}) {
    INFO(name);
    CHECK(column(file, name).class_name == "patient_id");
    CHECK(column(file, name).confidence > 0.8);
  }
  CHECK(column(file, "MRN").class_name == "mrn");
  CHECK(column(file, "employee_number").class_name == "identifier");
  CHECK(column(file, "Id").class_name == "identifier");
  for (const auto* name : {"num_patients", "weight", "patient_no_shows"}) {
    INFO(name);
    CHECK(column(file, name).class_name != "patient_id");
    CHECK(column(file, name).class_name != "identifier");
  }
}

TEST_CASE("a pupil's number stays one where it comes again") {
  std::string csv = "pupil_no,mark\n";
  for (int i = 0; i < 60; ++i) csv += std::to_string(100 + i % 6) + "," + std::to_string(i % 5) + "\n";
  CHECK(column(scanned(csv, "marks.csv"), "pupil_no").class_name == "patient_id");
}

TEST_CASE("first and last names in a table of schools are those of people") {
  const std::string csv =
      "name,first_name,last_name\nMaria Jones,Maria,Jones\nPeter Miller,Peter,Miller\nAnna Smith,Anna,Smith\n"
      "John Brown,John,Brown\n";
  std::vector<FileProfile> files{scanned(csv, "school.csv")};
  reconcile(files);
  CHECK(column(files[0], "first_name").class_name == "person_name");
  CHECK(column(files[0], "last_name").class_name == "person_name");
  CHECK(column(files[0], "name").class_name == "organization");
}
