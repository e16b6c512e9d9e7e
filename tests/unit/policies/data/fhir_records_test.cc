#include "policies/data/fhir_records.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "policies/data/fhir_elements.h"
#include "policies/data/records.h"
#include "tests/unit/policies/data/data_helpers.h"

using namespace mlops;
using namespace mlops::data;

namespace {

OpenReader fhir(Format format = Format::kFhir) {
  return [=](Source& source) { return open_fhir_records(source, {}, format); };
}

using Lines = std::vector<std::string>;

Lines columns_of(std::string_view text, Format format = Format::kFhir) {
  StringSource source(text);
  const auto reader = *open_fhir_records(source, {}, format);
  while (*reader->next()) {
  }
  return reader->columns();
}

const std::string kBundle = R"({
  "resourceType": "Bundle", "id": "b1",
  "entry": [
    {"fullUrl": "urn:uuid:7", "resource": {"resourceType": "Patient", "id": "7", "name": [{"given": ["Ann", "B"]}]},
     "request": {"method": "POST", "url": "Patient"}},
    {"resource": {"id": "8", "contained": [{"name": "Clinic", "resourceType": "Organization"}], "resourceType": "Claim"}}
  ],
  "link": [{"relation": "self", "url": "Patient?name=Roe"}]
}
)";

}  // namespace

TEST_CASE("fhir: an entry is a record, and what the bundle says of itself too") {
  CHECK(*read_records(fhir(), kBundle) ==
        Lines{"Bundle.resourceType=Bundle Bundle.id=b1",
              "Bundle.entry.fullUrl=urn:uuid:7 Patient.resourceType=Patient Patient.id=7 Patient.name.given=Ann "
              "Patient.name.given=B Bundle.entry.request.method=POST Bundle.entry.request.url=Patient",
              "Claim.id=8 Organization.name=Clinic Organization.resourceType=Organization Claim.resourceType=Claim",
              "Bundle.link.relation=self Bundle.link.url=Patient?name=Roe"});
  for (std::size_t step = 1; step < 9; ++step) CHECK(*rewrite_records(fhir(), kBundle, {}, {}, step) == kBundle);
}

TEST_CASE("fhir: a bundle whose parts come in another order, lists and lines are read as well") {
  const std::string late = R"({"entry":[{"resource":{"resourceType":"Patient","id":"7"}}],"resourceType":"Bundle"})";
  CHECK(*read_records(fhir(), late) == Lines{"Patient.resourceType=Patient Patient.id=7 Bundle.resourceType=Bundle"});
  const std::string list = R"({"resourceType":"List","entry":[{"item":{"reference":"Patient/1"}}]})";
  CHECK(*read_records(fhir(), list) == Lines{"List.resourceType=List List.entry.item.reference=Patient/1"});
  CHECK(*read_records(fhir(Format::kFhirLines), list + "\n" + late + "\n") ==
        Lines{"List.resourceType=List List.entry.item.reference=Patient/1",
              "Patient.resourceType=Patient Patient.id=7 Bundle.resourceType=Bundle"});
  const std::string empty = R"({"resourceType":"Bundle","entry":[ ] } )";
  CHECK(*read_records(fhir(), empty) == Lines{"Bundle.resourceType=Bundle", ""});
  CHECK(*rewrite_records(fhir(), empty + kBundle + late) == empty + kBundle + late);
  CHECK(*read_records(fhir(), R"({"id":"1"})") == Lines{"Resource.id=1"});
}

TEST_CASE("fhir: extensions, contact points and identifiers are told apart") {
  const std::string patient = R"({"resourceType":"Patient",
    "extension":[{"url":"http:\/\/hl7.org\/us-core-race","extension":[{"valueString":"x","url":"text"}]},
                 {"url":"urn:oid:1.2"},{"valueCode":"F"}],
    "_birthDate":{"extension":[{"url":"http://x/patient-birthTime","valueDateTime":"1970-01-01"}]},
    "telecom":[{"system":"phone","value":"1"},{"value":"2"},{"system":"Jane","value":"3"}],
    "identifier":[{"type":{"coding":[{"system":"x","code":"SS"}]},"value":"4"},
                  {"system":"http://hl7.org/fhir/sid/us-npi","value":"5"},{"type":{"text":"SS"},"value":"6"}]})";
  CHECK(columns_of(patient) ==
        Lines{"Patient.resourceType", "Patient.extension[us-core-race].url",
              "Patient.extension[us-core-race].extension[text].valueString",
              "Patient.extension[us-core-race].extension[text].url", "Patient.extension[1_2].url",
              "Patient.extension.valueCode", "Patient._birthDate.extension[patient-birthTime].url",
              "Patient._birthDate.extension[patient-birthTime].valueDateTime", "Patient.telecom[phone].system",
              "Patient.telecom[phone].value", "Patient.telecom.value", "Patient.telecom.system",
              "Patient.identifier[SS].type.coding.system", "Patient.identifier[SS].type.coding.code",
              "Patient.identifier[SS].value", "Patient.identifier[NPI].system", "Patient.identifier[NPI].value",
              "Patient.identifier.type.text", "Patient.identifier.value"});
}

TEST_CASE("fhir: keys, links and narratives are marked") {
  StringSource source(R"({"resourceType":"Bundle","id":"b","entry":[{"fullUrl":"u","resource":
    {"resourceType":"Patient","id":"1","text":{"div":"<div/>"},"link":[{"id":"l","other":{"reference":"#1"}}]},
    "request":{"url":"Patient/1"}}]})");
  const auto reader = *open_fhir_records(source);
  std::string marked;
  while (*reader->next()) {
  }
  for (std::size_t i = 0; i < reader->columns().size(); ++i) {
    if (reader->column_kind(i) == ColumnKind::kReference) marked += reader->columns()[i] + " ";
    if (reader->column_kind(i) == ColumnKind::kMarkup) marked += "<" + reader->columns()[i] + "> ";
  }
  CHECK(marked ==
        "Bundle.id Bundle.entry.fullUrl Patient.id <Patient.text.div> Patient.link.other.reference "
        "Bundle.entry.request.url ");
}

TEST_CASE("fhir: nothing empty is left behind") {
  const auto without = [](std::vector<std::string> columns) {
    return *rewrite_records(fhir(), kBundle, [=](std::string_view name, const Cell&) {
      return std::find(columns.begin(), columns.end(), name) != columns.end() ? drop() : keep();
    });
  };
  const auto swap = [](std::string text, std::string_view from, std::string_view to) {
    return text.replace(text.find(from), from.size(), to);
  };
  CHECK(without({"Patient.name.given"}) == swap(kBundle, R"(, "name": [{"given": ["Ann", "B"]}])", ""));
  CHECK(without({"Bundle.id"}) == swap(kBundle, R"(, "id": "b1")", ""));
  CHECK(without({"Bundle.resourceType", "Bundle.id"}) ==
        swap(kBundle, "\n  \"resourceType\": \"Bundle\", \"id\": \"b1\",", ""));
  CHECK(without({"Bundle.link.url", "Bundle.link.relation"}) ==
        swap(kBundle, ",\n  \"link\": [{\"relation\": \"self\", \"url\": \"Patient?name=Roe\"}]", ""));
  CHECK(without({"Organization.name", "Organization.resourceType"}) ==
        swap(kBundle, R"( "contained": [{"name": "Clinic", "resourceType": "Organization"}],)", ""));
  const std::string two = R"({"resourceType":"Patient","contact":[{"gender":"f"},{"name":{"text":"x"}}]})";
  CHECK(*rewrite_records(fhir(), two, [](std::string_view name, const Cell&) {
    return name == "Patient.contact.gender" ? drop() : keep();
  }) == R"({"resourceType":"Patient","contact":[{"name":{"text":"x"}}]})");
}

TEST_CASE("fhir elements: datatypes decide, wherever the element stands") {
  CHECK(fhir_class("Patient.name.family") == "person_name");
  CHECK(fhir_class("Patient.contact.name.given") == "person_name");
  CHECK(fhir_class("Condition.onsetRange.low.value") == "age");
  CHECK(fhir_class("Condition.abatementRange.high.value") == "age");
  CHECK(fhir_class("Organization.name") == "identifier");
  CHECK(fhir_class("Patient.contact.address.postalCode") == "us_zip");
  CHECK(fhir_class("Patient.telecom[email].value") == "email");
  CHECK(fhir_class("Patient.identifier[SS].value") == "us_ssn");
  CHECK(fhir_class("Patient.identifier.value") == "identifier");
  CHECK(fhir_class("Patient.deceasedDateTime") == "death_date");
  CHECK(fhir_class("Observation.effectiveDateTime") == "date");
  CHECK(fhir_class("Observation.note.text") == "free_text");
  CHECK(fhir_class("Observation.text.div") == "free_text");
  CHECK(fhir_class("Observation.subject.display") == "person_name");
  CHECK(fhir_class("Observation.valueQuantity.value") == "measurement");
  CHECK(fhir_class("Patient.extension[us-core-race].extension[text].valueString") == "demographic");
  CHECK(fhir_class("Patient.extension[patient-mothersMaidenName].valueString") == "person_name");
  CHECK(fhir_class("Patient._birthDate.extension[patient-birthTime].valueDateTime") == "birth_date");
  CHECK(fhir_class("Media.content.data") == "free_text");
  CHECK(fhir_class("Patient.photo.data") == "photo_ref");
  CHECK_FALSE(fhir_class("Patient.shoeSize"));
  CHECK_FALSE(fhir_class(""));
}

TEST_CASE("fhir elements: every element of Synthea's bundles has a class, and they come back byte for byte") {
  const auto folder = std::filesystem::path(MLOPS_SOURCE_DIR) / "../shared/data/synthea-fhir";
  if (!std::filesystem::exists(folder)) {
    WARN("skipped: ../shared/data/synthea-fhir is not there");
    return;
  }
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    std::stringstream stream;
    stream << std::ifstream(file.path()).rdbuf();
    const std::string text = stream.str();
    for (const auto& column : columns_of(text)) {
      INFO(column);
      CHECK(fhir_class(column));
    }
    StringSource source(text);
    CHECK((*open_records(source, {.path = file.path().string()}))->format() == Format::kFhir);
    CHECK(*rewrite_records(fhir(), text, {}, {}, 4096) == text);
  }
}
