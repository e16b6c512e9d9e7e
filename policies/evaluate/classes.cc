#include "policies/evaluate/classes.h"

#include <algorithm>

namespace mlops::evaluate {
namespace {

struct Row {
  std::string_view from;
  std::string_view to;
};

// Labels of presidio-research, of MEDDOCAN, and of the JSON Lines people write by hand (our own ids).
constexpr Row kLabels[] = {
    {"PERSON", "person_name"},
    {"PREFIX", "person_name"},
    {"NAME", "person_name"},
    {"STREET_ADDRESS", "location"},
    {"ADDRESS", "location"},
    {"GPE", "location"},
    {"LOCATION", "location"},
    {"ZIP_CODE", "location"},
    {"PHONE_NUMBER", "phone"},
    {"EMAIL_ADDRESS", "email"},
    {"CREDIT_CARD", "credit_card"},
    {"IBAN_CODE", "iban"},
    {"US_SSN", "us_ssn"},
    {"US_DRIVER_LICENSE", "drivers_license"},
    {"IP_ADDRESS", "ip"},
    {"DOMAIN_NAME", "url"},
    {"URL", "url"},
    {"DATE_TIME", "date"},
    {"DATE", "date"},
    {"AGE", "age"},
    {"NOMBRE_SUJETO_ASISTENCIA", "person_name"},
    {"NOMBRE_PERSONAL_SANITARIO", "person_name"},
    {"CALLE", "location"},
    {"TERRITORIO", "location"},
    {"PAIS", "location"},
    {"FECHAS", "date"},
    {"EDAD_SUJETO_ASISTENCIA", "age"},
    {"SEXO_SUJETO_ASISTENCIA", "sex"},
    {"FAMILIARES_SUJETO_ASISTENCIA", "kinship"},
    {"PROFESION", "profession"},
    {"HOSPITAL", "organization"},
    {"INSTITUCION", "organization"},
    {"CENTRO_SALUD", "organization"},
    {"NUMERO_TELEFONO", "phone"},
    {"NUMERO_FAX", "phone"},
    {"CORREO_ELECTRONICO", "email"},
    {"URL_WEB", "url"},
    {"DIREC_PROT_INTERNET", "ip"},
    {"ID_SUJETO_ASISTENCIA", "record_id"},
    {"ID_ASEGURAMIENTO", "record_id"},
    {"ID_CONTACTO_ASISTENCIAL", "record_id"},
    {"ID_TITULACION_PERSONAL_SANITARIO", "record_id"},
    {"ID_EMPLEO_PERSONAL_SANITARIO", "record_id"},
    {"NUMERO_BENEF_PLAN_SALUD", "record_id"},
    {"IDENTIF_VEHICULOS_NRSERIE_PLACAS", "record_id"},
    {"IDENTIF_DISPOSITIVOS_NRSERIE", "record_id"},
};

constexpr Row kDetectors[] = {
    {"street_address", "location"},
    {"city_county", "location"},
    {"us_zip", "location"},
    {"postcode_intl", "location"},
    {"country", "location"},
    {"year", "date"},
    {"postcode", "location"},
    {"birth_date", "date"},
    {"death_date", "date"},
    {"fax", "phone"},
    {"ipv4", "ip"},
    {"ipv6", "ip"},
    {"age_any", "age"},
    {"mrn", "record_id"},
    {"account", "record_id"},
    {"bank_account", "record_id"},
    {"health_plan_id", "record_id"},
    {"us_mbi", "record_id"},
    {"us_npi", "record_id"},
    {"us_dea", "record_id"},
    {"certificate", "record_id"},
    {"labelled_licence", "record_id"},
    {"passport", "record_id"},
    {"device_serial", "record_id"},
    {"vin", "record_id"},
    {"plate", "record_id"},
};

// "es_dni": a register of a country other than the one that has classes of its own above.
bool is_national(std::string_view id) {
  return id.size() > 3 && id[2] == '_' && !id.starts_with("us_");
}

}  // namespace

std::string_view class_of_label(std::string_view type) {
  const auto* row =
      std::find_if(std::begin(kLabels), std::end(kLabels), [&](const Row& one) { return one.from == type; });
  if (row != std::end(kLabels)) return row->to;
  const bool own_word = std::all_of(type.begin(), type.end(), [](char c) { return c < 'A' || c > 'Z'; });
  return own_word ? class_of_detector(type) : std::string_view();
}

std::string_view class_of_detector(std::string_view id) {
  const auto* row =
      std::find_if(std::begin(kDetectors), std::end(kDetectors), [&](const Row& one) { return one.from == id; });
  if (row != std::end(kDetectors)) return row->to;
  return is_national(id) ? std::string_view("record_id") : id;
}

}  // namespace mlops::evaluate
