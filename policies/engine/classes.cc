#include "policies/engine/classes.h"

#include <algorithm>
#include <utility>

#include "policies/detect/detector.h"

namespace mlops::policy {
namespace {

using enum ClassKind;

constexpr ClassRow kRows[] = {
    {"person_name", kIdentifier, Spread::kEverywhere, "names of people"},
    {"username", kIdentifier, Spread::kEverywhere, "account and login names"},
    {"street_address", kIdentifier, Spread::kEverywhere, "street, PO box, unit"},
    {"organization", kIdentifier, Spread::kText, "employer, hospital, school"},
    {"city", kIdentifier, Spread::kText, "city or town"},
    {"county", kIdentifier, Spread::kText, "county or district"},
    {"city_county", kIdentifier, Spread::kText, "city, county, precinct"},
    {"us_zip", kIdentifier, Spread::kText, "US ZIP code"},
    {"postcode", kIdentifier, Spread::kText, "postcode outside the US"},
    {"geo", kIdentifier, Spread::kEverywhere, "latitude, longitude, geohash"},
    {"date", kIdentifier, Spread::kText, "a date related to a person"},
    {"birth_date", kIdentifier, Spread::kText, "date of birth"},
    {"death_date", kIdentifier, Spread::kText, "date of death"},
    {"age", kIdentifier, Spread::kNone, "age in years (above 89 identifies)"},
    {"phone", kIdentifier, Spread::kEverywhere, "telephone number"},
    {"fax", kIdentifier, Spread::kEverywhere, "fax number"},
    {"email", kIdentifier, Spread::kEverywhere, "e-mail address"},
    {"us_ssn", kIdentifier, Spread::kEverywhere, "US social security number"},
    {"us_itin", kIdentifier, Spread::kEverywhere, "US individual taxpayer number"},
    {"us_ein", kIdentifier, Spread::kEverywhere, "US employer number"},
    {"mrn", kIdentifier, Spread::kEverywhere, "medical record number"},
    {"patient_id", kIdentifier, Spread::kEverywhere, "any other key of a patient"},
    {"us_mbi", kIdentifier, Spread::kEverywhere, "Medicare beneficiary identifier"},
    {"health_plan_id", kIdentifier, Spread::kEverywhere, "health plan beneficiary number"},
    {"account", kIdentifier, Spread::kEverywhere, "account number"},
    {"bank_account", kIdentifier, Spread::kEverywhere, "bank account number"},
    {"iban", kIdentifier, Spread::kEverywhere, "international bank account number"},
    {"credit_card", kIdentifier, Spread::kEverywhere, "payment card number"},
    {"certificate", kIdentifier, Spread::kEverywhere, "certificate or licence number"},
    {"drivers_license", kIdentifier, Spread::kEverywhere, "driver's licence number"},
    {"passport", kIdentifier, Spread::kEverywhere, "passport number"},
    {"us_npi", kIdentifier, Spread::kEverywhere, "US national provider identifier"},
    {"us_dea", kIdentifier, Spread::kEverywhere, "US DEA registration number"},
    {"vin", kIdentifier, Spread::kEverywhere, "vehicle identification number"},
    {"plate", kIdentifier, Spread::kEverywhere, "licence plate"},
    {"device_id", kIdentifier, Spread::kEverywhere, "identifier of a person's device"},
    {"device_serial", kIdentifier, Spread::kEverywhere, "serial number of a medical device"},
    {"udi", kIdentifier, Spread::kEverywhere, "unique device identifier"},
    {"imei", kIdentifier, Spread::kEverywhere, "phone hardware number"},
    {"url", kIdentifier, Spread::kEverywhere, "web address"},
    {"ipv4", kIdentifier, Spread::kEverywhere, "IPv4 address"},
    {"ipv6", kIdentifier, Spread::kEverywhere, "IPv6 address"},
    {"mac", kIdentifier, Spread::kEverywhere, "hardware network address"},
    {"biometric", kIdentifier, Spread::kNone, "finger, voice, face, iris, gait"},
    {"photo_ref", kIdentifier, Spread::kEverywhere, "photograph or a reference to one"},
    {"audio_ref", kIdentifier, Spread::kEverywhere, "a voice recording or a reference to one"},
    {"cookie_id", kIdentifier, Spread::kEverywhere, "persistent identifier of a browser or app"},
    {"genetic", kIdentifier, Spread::kNone, "genetic data"},
    {"national_id", kIdentifier, Spread::kEverywhere, "national identity number"},
    {"secret", kIdentifier, Spread::kEverywhere, "password, key or token"},
    {"identifier", kIdentifier, Spread::kEverywhere, "any other unique number, characteristic or code"},
    {kFreeText, kText, Spread::kNone, "notes and other text that may hold anything"},
    {"clinical", kPlain, Spread::kNone, "measured or observed about the patient, identifies nobody alone"},
    {"measurement", kPlain, Spread::kNone, "a number with a unit"},
    {"code", kPlain, Spread::kNone, "a code from a code system (ICD, LOINC, SNOMED)"},
    {"category", kPlain, Spread::kNone, "one of a few words"},
    {"demographic", kPlain, Spread::kNone, "sex, race, marital status: identifies only in combination"},
    {"quasi", kPlain, Spread::kNone, "any other value that identifies only in combination"},
    {"state", kPlain, Spread::kNone, "state, country or region, larger than a county"},
    {"count", kPlain, Spread::kNone, "a count"},
    {"cost", kPlain, Spread::kNone, "an amount of money"},
    {"duration", kPlain, Spread::kNone, "a length of time, not a date"},
    {"feature", kPlain, Spread::kNone, "a derived input of a model"},
    {"label", kPlain, Spread::kNone, "what a model learns to predict"},
    {"flag", kPlain, Spread::kNone, "yes or no"},
    {"consent", kPlain, Spread::kNone, "the id of a consent: names a document, not a person"},
    {"health", kPlain, Spread::kNone, "about somebody's health (GDPR Article 9)"},
    {"icd10", kPlain, Spread::kNone, "diagnosis code, ICD-10"},
    {"snomed", kPlain, Spread::kNone, "clinical concept, SNOMED CT"},
    {"ethnicity", kPlain, Spread::kNone, "racial or ethnic origin (GDPR Article 9)"},
    {"political", kPlain, Spread::kNone, "political opinion (GDPR Article 9)"},
    {"religion", kPlain, Spread::kNone, "religious or philosophical belief (GDPR Article 9)"},
    {"union_membership", kPlain, Spread::kNone, "trade union membership (GDPR Article 9)"},
    {"orientation", kPlain, Spread::kNone, "sex life or sexual orientation (GDPR Article 9)"},
    {"criminal", kPlain, Spread::kNone, "convictions and offences (GDPR Article 10)"},
};

// In the order in which a conflict is decided (suppress > redact > tokenize > encrypt > pseudonymize > fpe > generalize
// > mask > keep). What can be linked or undone by who holds the key stands with pseudonymize; noise and shifts with
// mask.
constexpr std::pair<std::string_view, int> kStrengths[] = {
    {"suppress", 9},     {"redact", 8},     {"replace", 8},
    {"tokenize", 7},     {"encrypt", 6},    {"encrypt_deterministic", 5},
    {"pseudonymize", 5}, {"surrogate", 5},  {"remap_id", 5},
    {"fpe", 4},          {"generalize", 3}, {"date_truncate", 3},
    {"date_shift", 2},   {"perturb", 2},    {"mask", 2},
    {"keep", 0},
};

constexpr std::pair<std::string_view, std::string_view> kBroader[] = {
    {"udi_gs1", "udi"},           {"udi_hibc", "udi"},
    {"udi_iccbba", "udi"},        {"aba_routing", "bank_account"},
    {"handle", "username"},       {"postcode_intl", "postcode"},
    {"crypto_wallet", "account"}, {"organization", "identifier"},
};

}  // namespace

const std::vector<ClassRow>& classes() {
  static const std::vector<ClassRow> rows(std::begin(kRows), std::end(kRows));
  return rows;
}

ClassRow class_of(std::string_view name) {
  for (const auto& row : classes()) {
    if (row.name == name) return row;
  }
  if (name == kUnknownClass) return {name, kPlain, Spread::kNone, {}};
  if (const auto broader = broader_class(name); !broader.empty()) {
    auto row = class_of(broader);
    row.name = name;
    return row;
  }
  return {name, kIdentifier, Spread::kEverywhere, {}};
}

bool is_listed_class(std::string_view name) {
  const auto& rows = classes();
  return std::any_of(rows.begin(), rows.end(), [&](const ClassRow& row) { return row.name == name; });
}

std::string_view broader_class(std::string_view name) {
  for (const auto& [narrow, broad] : kBroader) {
    if (narrow == name) return broad;
  }
  if (is_listed_class(name) || !detect::find_detector(name)) return {};
  const auto of_detector = detect::class_of_detector(name);
  return of_detector == name ? "identifier" : of_detector;
}

int transform_strength(std::string_view transform) {
  for (const auto& [name, strength] : kStrengths) {
    if (name == transform) return strength;
  }
  return 0;
}

}  // namespace mlops::policy
