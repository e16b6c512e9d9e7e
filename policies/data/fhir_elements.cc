#include "policies/data/fhir_elements.h"

#include <array>

namespace mlops::data {
namespace {

// clang-format off
constexpr FhirElement kElements[] = {
    // Narrative, keys and links
    {"text.div", "free_text"},
    {"text.status", "code"},
    {"resourceType", "code"},
    {"id", "identifier"},
    {"reference", "identifier"},
    {"fullUrl", "identifier"},
    {"Bundle.entry.request.url", "identifier"},
    {"Bundle.entry.request.ifNoneExist", "identifier"},
    {"Bundle.entry.request.ifModifiedSince", "date"},
    {"Bundle.entry.request.*", "code"},
    {"Bundle.entry.response.location", "identifier"},
    {"Bundle.entry.response.etag", "code"},
    {"Bundle.entry.search.score", "measurement"},
    {"Bundle.entry.search.mode", "code"},
    {"Bundle.link.url", "identifier"},
    {"Bundle.link.relation", "code"},
    {"Bundle.entry.link.url", "identifier"},
    {"Bundle.entry.link.relation", "code"},
    {"Bundle.total", "count"},

    // Meta
    {"meta.versionId", "code"},
    {"meta.source", "url"},
    {"meta.profile", "code"},
    {"implicitRules", "code"},

    // Names of definitions and of code systems
    {"extension.url", "code"},
    {"coding.system", "code"},
    {"valueCoding.system", "code"},

    // Extensions that are known by name
    {"extension[us-core-race].extension.**", "demographic"},
    {"extension[us-core-ethnicity].extension.**", "demographic"},
    {"extension[us-core-birthsex].*", "demographic"},
    {"extension[us-core-sex].*", "demographic"},
    {"extension[us-core-genderIdentity].**", "demographic"},
    {"extension[patient-genderIdentity].**", "demographic"},
    {"extension[patient-religion].**", "demographic"},
    {"extension[patient-nationality].**", "demographic"},
    {"extension[patient-citizenship].**", "demographic"},
    {"extension[patient-disability].**", "clinical"},
    {"extension[patient-mothersMaidenName].valueString", "person_name"},
    {"extension[patient-congregation].valueString", "identifier"},
    {"extension[patient-birthTime].valueDateTime", "birth_date"},
    {"extension[humanname-own-name].valueString", "person_name"},
    {"extension[humanname-own-prefix].valueString", "person_name"},
    {"extension[humanname-partner-name].valueString", "person_name"},
    {"extension[humanname-partner-prefix].valueString", "person_name"},
    {"extension[humanname-mothers-family].valueString", "person_name"},
    {"extension[humanname-fathers-family].valueString", "person_name"},
    {"extension[latitude].*", "geo"},
    {"extension[longitude].*", "geo"},
    {"extension[iso21090-ADXP-*].valueString", "street_address"},
    {"extension[data-absent-reason].*", "code"},

    // HumanName
    {"name.family", "person_name"},
    {"name.given", "person_name"},
    {"name.text", "person_name"},
    {"name.prefix", "person_name"},
    {"name.suffix", "person_name"},
    {"name.use", "code"},
    {"valueHumanName.use", "code"},
    {"valueHumanName.*", "person_name"},
    {"FamilyMemberHistory.name", "person_name"},
    {"Patient.contact.name", "person_name"},
    {"contact.name", "person_name"},
    {"author.name", "person_name"},
    {"editor.name", "person_name"},
    {"reviewer.name", "person_name"},
    {"endorser.name", "person_name"},
    {"authorString", "person_name"},

    // Names of organisations and places: they place the patient, and an organisation may be the employer
    {"Organization.name", "identifier"},
    {"Organization.alias", "identifier"},
    {"Location.name", "identifier"},
    {"Location.alias", "identifier"},
    {"HealthcareService.name", "identifier"},
    {"Endpoint.name", "identifier"},
    {"Endpoint.address", "url"},
    {"CareTeam.name", "free_text"},

    // Address and position
    {"address.text", "street_address"},
    {"valueAddress.text", "street_address"},
    {"locationAddress.text", "street_address"},
    {"line", "street_address"},
    {"city", "city"},
    {"district", "county"},
    {"state", "state"},
    {"postalCode", "us_zip"},
    {"country", "state"},
    {"address.use", "code"},
    {"address.type", "code"},
    {"position.latitude", "geo"},
    {"position.longitude", "geo"},
    {"position.altitude", "geo"},

    // ContactPoint
    {"telecom[phone].value", "phone"},
    {"telecom[sms].value", "phone"},
    {"telecom[pager].value", "phone"},
    {"telecom[fax].value", "fax"},
    {"telecom[email].value", "email"},
    {"telecom[url].value", "url"},
    {"telecom[other].value", "identifier"},
    {"telecom.value", "phone"},
    {"valueContactPoint[email].value", "email"},
    {"valueContactPoint[fax].value", "fax"},
    {"valueContactPoint[url].value", "url"},
    {"valueContactPoint.value", "phone"},
    {"telecom.rank", "count"},

    // Identifier, by HL7 table 0203 and known systems
    {"*dentifier[SS].value", "us_ssn"},
    {"*dentifier[SB].value", "us_ssn"},
    {"*dentifier[MR].value", "mrn"},
    {"*dentifier[MRT].value", "mrn"},
    {"*dentifier[PI].value", "patient_id"},
    {"*dentifier[PT].value", "patient_id"},
    {"*dentifier[ANON].value", "patient_id"},
    {"*dentifier[DL].value", "drivers_license"},
    {"*dentifier[PPN].value", "passport"},
    {"*dentifier[NPI].value", "us_npi"},
    {"*dentifier[DEA].value", "us_dea"},
    {"*dentifier[TAX].value", "national_id"},
    {"*dentifier[NI].value", "national_id"},
    {"*dentifier[NH].value", "national_id"},
    {"*dentifier[CZ].value", "national_id"},
    {"*dentifier[MC].value", "us_mbi"},
    {"*dentifier[MCN].value", "health_plan_id"},
    {"*dentifier[MA].value", "health_plan_id"},
    {"*dentifier[MB].value", "health_plan_id"},
    {"*dentifier[SN].value", "health_plan_id"},
    {"*dentifier[AN].value", "account"},
    {"*dentifier[BA].value", "bank_account"},
    {"*dentifier[BCT].value", "certificate"},
    {"*dentifier[BR].value", "certificate"},
    {"*dentifier[LN].value", "certificate"},
    {"*dentifier[MD].value", "certificate"},
    {"*dentifier[SNO].value", "device_serial"},
    {"*dentifier[UDI].value", "udi"},
    {"*dentifier[VIN].value", "vin"},
    {"*dentifier.value", "identifier"},
    {"requisition.value", "identifier"},
    {"*dentifier.type.text", "code"},
    {"subscriberId", "health_plan_id"},
    {"Coverage.policyHolder.display", "person_name"},
    {"Coverage.class.value", "health_plan_id"},
    {"Coverage.order", "count"},
    {"Coverage.network", "identifier"},
    {"Coverage.payor.display", "identifier"},
    {"Coverage.type.text", "free_text"},
    {"policyNumber", "health_plan_id"},
    {"preAuthRef", "identifier"},
    {"accessionNumber", "identifier"},

    // The person
    {"birthDate", "birth_date"},
    {"bornDate", "birth_date"},
    {"bornPeriod.*", "birth_date"},
    {"bornString", "free_text"},
    {"deceasedDateTime", "death_date"},
    {"deceasedDate", "death_date"},
    {"deceasedString", "free_text"},
    {"gender", "demographic"},
    {"maritalStatus.**", "demographic"},
    {"multipleBirthInteger", "count"},
    {"communication.language.**", "demographic"},
    {"FamilyMemberHistory.sex.**", "demographic"},
    {"photo.contentType", "code"},
    {"photo.language", "code"},
    {"photo.size", "count"},
    {"photo.creation", "date"},
    {"photo.title", "free_text"},
    {"photo.*", "photo_ref"},

    // Ages
    {"*Age.value", "age"},
    {"*Age.low.value", "age"},
    {"*Age.high.value", "age"},
    {"*AgeRange.low.value", "age"},
    {"*AgeRange.high.value", "age"},
    {"ageRange.low.value", "age"},
    {"ageRange.high.value", "age"},
    {"onsetRange.low.value", "age"},
    {"onsetRange.high.value", "age"},
    {"abatementRange.low.value", "age"},
    {"abatementRange.high.value", "age"},

    // Devices
    {"udiCarrier.**", "udi"},
    {"serialNumber", "device_serial"},
    {"lotNumber", "device_serial"},
    {"distinctIdentifier", "identifier"},
    {"Device.deviceName.name", "code"},
    {"Device.manufacturer", "code"},
    {"Device.modelNumber", "code"},
    {"Device.partNumber", "code"},
    {"Device.url", "url"},
    {"Device.version.value", "code"},

    // Attachment, Annotation, Signature
    {"valueSampledData.data", "measurement"},
    {"signature.data", "biometric"},
    {"valueSignature.data", "biometric"},
    {"data", "free_text"},
    {"contentType", "code"},
    {"hash", "identifier"},
    {"size", "count"},
    {"title", "free_text"},
    {"content.url", "url"},
    {"attachment.url", "url"},
    {"presentedForm.url", "url"},
    {"valueAttachment.url", "url"},
    {"contentAttachment.url", "url"},
    {"note.text", "free_text"},
    {"valueAnnotation.text", "free_text"},

    // Urls of extensions and of definitions
    {"modifierExtension.url", "code"},
    {"url", "url"},

    // Reference.display: of what is no person, then of whoever it is
    {"coding.display", "code"},
    {"*Coding.display", "code"},
    {"class.display", "code"},
    {"location.display", "identifier"},
    {"facility.display", "identifier"},
    {"organization.display", "identifier"},
    {"*Organization.display", "identifier"},
    {"serviceProvider.display", "identifier"},
    {"custodian.display", "identifier"},
    {"insurer.display", "identifier"},
    {"payor.display", "identifier"},
    {"coverage.display", "identifier"},
    {"assigner.display", "identifier"},
    {"reasonReference.display", "free_text"},
    {"result.display", "free_text"},
    {"condition.display", "free_text"},
    {"addresses.display", "free_text"},
    {"diagnosisReference.display", "free_text"},
    {"procedureReference.display", "free_text"},
    {"medicationReference.display", "free_text"},
    {"itemReference.display", "free_text"},
    {"outcomeReference.display", "free_text"},
    {"hasMember.display", "free_text"},
    {"derivedFrom.display", "free_text"},
    {"basedOn.display", "free_text"},
    {"partOf.display", "free_text"},
    {"goal.display", "free_text"},
    {"specimen.display", "free_text"},
    {"display", "person_name"},

    // Dates and times
    {"*eriod.start", "date"},
    {"*eriod.end", "date"},
    {"*DateTime", "date"},
    {"*Date", "date"},
    {"*Instant", "date"},
    {"*Time", "date"},
    {"date", "date"},
    {"time", "date"},
    {"issued", "date"},
    {"created", "date"},
    {"creation", "date"},
    {"authored", "date"},
    {"authoredOn", "date"},
    {"recorded", "date"},
    {"timestamp", "date"},
    {"lastUpdated", "date"},
    {"lastModified", "date"},
    {"dateAsserted", "date"},
    {"dateRecorded", "date"},
    {"sent", "date"},
    {"received", "date"},
    {"when", "date"},
    {"whenPrepared", "date"},
    {"whenHandedOver", "date"},
    {"started", "date"},
    {"start", "date"},
    {"end", "date"},
    {"timing.event", "date"},
    {"*Timing.event", "date"},
    {"executionPeriod.*", "date"},

    // Money, quantities, counts, flags
    {"net.value", "cost"},
    {"total.value", "cost"},
    {"amount.value", "cost"},
    {"unitPrice.value", "cost"},
    {"*Money.value", "cost"},
    {"total*.value", "cost"},
    {"currency", "code"},
    {"numerator.value", "measurement"},
    {"denominator.value", "measurement"},
    {"low.value", "measurement"},
    {"high.value", "measurement"},
    {"*uantity.value", "measurement"},
    {"*Duration.value", "duration"},
    {"length.value", "duration"},
    {"daysSupply.value", "duration"},
    {"expectedSupplyDuration.value", "duration"},
    {"*Distance.value", "measurement"},
    {"*Count.value", "count"},
    {"origin.value", "measurement"},
    {"*Decimal", "measurement"},
    {"factor", "measurement"},
    {"comparator", "code"},
    {"*Integer", "count"},
    {"*UnsignedInt", "count"},
    {"*PositiveInt", "count"},
    {"sequence", "count"},
    {"*Sequence", "count"},
    {"doseNumber*", "count"},
    {"seriesDoses*", "count"},
    {"numberOf*", "count"},
    {"repeat.count", "count"},
    {"repeat.countMax", "count"},
    {"repeat.frequency", "count"},
    {"repeat.frequencyMax", "count"},
    {"repeat.duration", "duration"},
    {"repeat.period", "duration"},
    {"repeat.*", "code"},
    {"*Boolean", "flag"},
    {"active", "flag"},
    {"preferred", "flag"},
    {"primarySource", "flag"},
    {"focal", "flag"},
    {"doNotPerform", "flag"},
    {"inactive", "flag"},
    {"responsible", "flag"},
    {"isSubpotent", "flag"},
    {"reported", "flag"},
    {"required", "flag"},
    {"userSelected", "flag"},
    {"excludedStructure", "flag"},

    // Codes
    {"code", "code"},
    {"system", "code"},
    {"version", "code"},
    {"status", "code"},
    {"*Status", "code"},
    {"use", "code"},
    {"intent", "code"},
    {"priority", "code"},
    {"mode", "code"},
    {"type", "code"},
    {"kind", "code"},
    {"category", "code"},
    {"criticality", "code"},
    {"severity", "code"},
    {"outcome", "code"},
    {"unit", "code"},
    {"language", "code"},
    {"method", "code"},
    {"modality", "code"},
    {"disposition", "code"},
    {"fhirVersion", "code"},
    {"versionId", "code"},
    {"instantiatesCanonical", "code"},
    {"*Canonical", "code"},
    {"valueCode", "code"},
    {"daysOfWeek", "code"},
    {"availableDays", "code"},

    // Values of extensions, parameters and answers that nothing else is known of
    {"valueUri", "identifier"},
    {"valueUrl", "url"},
    {"valueOid", "identifier"},
    {"valueUuid", "identifier"},
    {"valueId", "identifier"},
    {"valueBase64Binary", "free_text"},
    {"value*.text", "free_text"},

    // Texts
    {"text", "free_text"},
    {"*String", "free_text"},
    {"*Markdown", "free_text"},
    {"comment", "free_text"},
    {"comments", "free_text"},
    {"description", "free_text"},
    {"conclusion", "free_text"},
    {"summary", "free_text"},
    {"details", "free_text"},
    {"diagnostics", "free_text"},
    {"purpose", "free_text"},
    {"name", "free_text"},
    {"label", "free_text"},
    {"patientInstruction", "free_text"},
    {"*nstructions", "free_text"},
    {"*Text", "free_text"},
    {"contentString", "free_text"},
};
// clang-format on

constexpr std::size_t kMostSegments = 128;

struct Segments {
  std::array<std::string_view, kMostSegments> list;
  std::size_t size = 0;
  bool is_whole = true;  // false: there were more
};

// At the dots outside brackets.
Segments split_path(std::string_view path) {
  Segments segments;
  std::size_t begin = 0;
  bool in_brackets = false;
  for (std::size_t i = 0; i <= path.size(); ++i) {
    const char c = i < path.size() ? path[i] : '.';
    if (c == '[') in_brackets = true;
    if (c == ']') in_brackets = false;
    if (c != '.' || (in_brackets && i < path.size())) continue;
    if (segments.size == kMostSegments) {
      segments.is_whole = false;
      break;
    }
    segments.list[segments.size++] = path.substr(begin, i - begin);
    begin = i + 1;
  }
  return segments;
}

// `*` in the middle or at the ends of a word.
bool word_fits(std::string_view pattern, std::string_view word) {
  const auto star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == word;
  const auto head = pattern.substr(0, star);
  const auto tail = pattern.substr(star + 1);
  return word.size() >= head.size() + tail.size() && word.starts_with(head) && word.ends_with(tail);
}

bool segment_fits(std::string_view pattern, std::string_view segment) {
  if (pattern.find('[') != std::string_view::npos) return word_fits(pattern, segment);
  return word_fits(pattern, segment.substr(0, segment.find('[')));
}

// The segments of `path` from `from` on.
bool path_fits(const Segments& pattern, const Segments& path, std::size_t from) {
  for (std::size_t i = 0; i < pattern.size; ++i) {
    if (pattern.list[i] == "**") return from + i < path.size;
    if (from + i == path.size || !segment_fits(pattern.list[i], path.list[from + i])) return false;
  }
  return from + pattern.size == path.size;
}

bool fits(std::string_view pattern_text, const Segments& path) {
  const auto pattern = split_path(pattern_text);
  const bool is_anchored = pattern_text[0] >= 'A' && pattern_text[0] <= 'Z';
  if (is_anchored) return path_fits(pattern, path, 0);
  for (std::size_t from = 1; from < path.size; ++from) {
    if (path_fits(pattern, path, from)) return true;
  }
  return false;
}

}  // namespace

std::span<const FhirElement> fhir_elements() {
  return kElements;
}

std::optional<std::string_view> fhir_class(std::string_view column) {
  const auto path = split_path(column);
  if (!path.is_whole) return std::nullopt;
  for (const auto& row : kElements) {
    if (fits(row.pattern, path)) return row.class_name;
  }
  return std::nullopt;
}

}  // namespace mlops::data
