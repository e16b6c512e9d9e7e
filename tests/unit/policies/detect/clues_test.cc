#include "policies/detect/clues.h"

#include <algorithm>
#include <set>
#include <string>

#include "tests/unit/catch.h"
#include "tests/unit/policies/detect/detect_helpers.h"

using namespace mlops::detect;

namespace {

// Invented; the layout of a discharge letter.
constexpr std::string_view kLetter =
    "Nombre: Aitana .\n"
    "Apellidos: Qwertz Zuloaga.\n"
    "NHC: 4960926.\n"
    "NASS: 36 47656743 36.\n"
    "Domicilio: Calle de las Hilanderas, 5, 2 B.\n"
    "Localidad/ Provincia: Cuenca.\n"
    "CP: 16001.\n"
    "País: España.\n"
    "Edad: 49 años Sexo: M.\n"
    "Fecha de Ingreso: 23-10-2016.\n"
    "Médico: Iker Xyzabal Ruiz NºCol: 16 16 36002.\n"
    "Episodio: 7833365.\n"
    "Historia Actual: Mujer de 49 años, natural de Girona, que acude con su hermana mayor. Qwertz trabaja como "
    "azafata.\n"
    "Remitido por: Dra. Nekane Xyzabal Servicio de Urología. Hospital Virgen del Molino. C/ Tres Fuentes, 12, 1º A. "
    "16002 Cuenca (España). Tfno: 969 22 41 00 E-mail: nekane@example.org\n";

Texts all_of(std::string_view id, std::string_view text = kLetter) {
  return found(id, text);
}
bool holds(const Texts& texts, std::string_view text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

}  // namespace

TEST_CASE("clues: the fields of a Spanish letter") {
  CHECK(holds(all_of("person_name"), "Aitana"));
  CHECK(holds(all_of("person_name"), "Qwertz Zuloaga"));
  CHECK(holds(all_of("person_name"), "Iker Xyzabal Ruiz"));
  CHECK(all_of("mrn") == Texts{"4960926"});
  CHECK(all_of("health_plan_id") == Texts{"36 47656743 36"});
  CHECK(all_of("labelled_licence") == Texts{"16 16 36002"});
  CHECK(all_of("account") == Texts{"7833365"});
  CHECK(holds(all_of("street_address"), "Calle de las Hilanderas, 5, 2 B"));
  CHECK(all_of("postcode") == Texts{"16001", "16002"});
  CHECK(holds(all_of("city_county"), "Cuenca"));
}

TEST_CASE("clues: Spanish prose and letterheads") {
  CHECK(holds(all_of("person_name"), "Nekane Xyzabal"));
  CHECK(holds(all_of("person_name"), "Qwertz"));  // a part of a labelled name further on
  CHECK(holds(all_of("organization"), "Hospital Virgen del Molino"));
  CHECK(holds(all_of("street_address"), "C/ Tres Fuentes, 12, 1º A"));
  CHECK(holds(all_of("city_county"), "Girona"));
  CHECK(holds(all_of("phone"), "969 22 41 00"));
  CHECK(all_of("age_any") == Texts{"49 años", "49 años"});
  CHECK(all_of("sex") == Texts{"M", "Mujer"});
  CHECK(all_of("kinship") == Texts{"hermana mayor"});
  CHECK(all_of("profession") == Texts{"azafata"});
  CHECK(holds(all_of("country"), "España"));
}

TEST_CASE("clues: ages are no courses of a disease") {
  CHECK(all_of("age_any", "Varón fumador, de treinta y dos años de edad") == Texts{"treinta y dos años"});
  CHECK(all_of("age_any", "niña de 3 años y 8 meses") == Texts{"3 años y 8 meses"});
  CHECK(all_of("age_any", "a 45-year-old man") == Texts{"45-year-old"});
  for (const auto* text : {"dolor de 3 años de evolución", "durante 2 meses de tratamiento", "hace 5 años ingresó",
                           "gestación de 38 semanas", "a los 2 años de la cirugía", "falleció al cabo de 2 años"}) {
    INFO(text);
    CHECK(all_of("age_any", text).empty());
  }
}

TEST_CASE("clues: dates as Spanish has them") {
  CHECK(holds(all_of("date", "ingresó en mayo del 2003 por dolor"), "mayo del 2003"));
  CHECK(holds(all_of("date", "Fecha de Ingreso: 26708/2017."), "26708/2017"));
  CHECK(all_of("year", "operado en 1984 de hernia") == Texts{"1984"});
  CHECK(all_of("year", "recibió 2000 mg al día").empty());
}

TEST_CASE("clues: labels of other languages") {
  CHECK(holds(all_of("person_name", "Patient name: Zzyx Qwertz\nMRN: 123456"), "Zzyx Qwertz"));
  CHECK(holds(all_of("person_name", "Nachname: Qwertz\nVorname: Zzyx"), "Zzyx"));
  CHECK(holds(all_of("date", "Geburtsdatum: 31.12.1961"), "31.12.1961"));
  CHECK(holds(all_of("postcode", "PLZ: 80331 Wohnort: München"), "80331"));
  CHECK(holds(all_of("city_county", "PLZ: 80331 Wohnort: München"), "München"));
  CHECK(holds(all_of("street_address", "Adresse : 12 rue des Lilas"), "12 rue des Lilas"));
}

TEST_CASE("clues: settings, logs and masked fields are none") {
  for (const auto* text : {"name: redis-master", "address: 0x7ffe0000", "ip address: 10.0.0.1", "status: ok",
                           "at 12:30:05 level: info", "Nombre: [NAME]\nDomicilio: ********\nNHC: ---", "Apellidos: -",
                           "Name: Status", "CP: 080", "La AV es de 0,7 en OD", "leucocitos 17850 Neutrofilos 86%"}) {
    INFO(text);
    Clues clues;
    find_clues(Reading(text), clues);
    CHECK(clues.empty());
  }
}

TEST_CASE("clues: quasi-identifiers must be asked for") {
  for (const auto* detector : optional_detectors()) {
    INFO(detector->id());
    CHECK_FALSE(detector->identifies());
    CHECK(find_detector(detector->id()) == detector);
    const auto& all = built_in_detectors();
    CHECK(std::find(all.begin(), all.end(), detector) == all.end());
    CHECK(field_of(detector->id()).has_value());
  }
  CHECK(optional_detectors().size() == 7);
}

TEST_CASE("clues: every field has a detector that takes it") {
  std::set<Field> taken;
  for (const auto* all : {&built_in_detectors(), &optional_detectors()}) {
    for (const auto* detector : *all) {
      if (const auto field = field_of(detector->id())) taken.insert(*field);
    }
  }
  CHECK(taken.size() == static_cast<std::size_t>(Field::kOrganization) + 1);
}

TEST_CASE("quasi-identifiers stay below what counts, hospitals too") {
  const std::string_view note =
      "Paciente var\u00F3n de 45 a\u00F1os, alba\u00F1il, ingresado en el Hospital Universitario La Paz desde 2014. "
      "Organization: Acme Health. Pa\u00EDs: Espa\u00F1a. Sexo: H.";
  CHECK(found("organization", note).size() >= 1);
  for (const auto* detector : optional_detectors()) {
    INFO(detector->id());
    CHECK(score(detector->id(), note) < 0.5);
    CHECK(score(detector->id(), "Hospital General de Segovia", "hospital") < 0.5);
  }
}

TEST_CASE("acronyms of clinical prose are no persons; names in capitals are") {
  for (const auto* text : {"Ingres\u00F3 en la UCI por insuficiencia respiratoria",
                           "anticuerpos antinucleares (ANA) negativos", "dolor valorado con EVA de 7 puntos",
                           "se determina por ELISA en el suero", "ambos ojos (AO), sin descenso de la agudeza"}) {
    INFO(text);
    CHECK(found("person_name", text).empty());
  }
  CHECK(found("person_name", "Dr. RUIZ will see the patient") == Texts{"RUIZ"});
  CHECK_FALSE(found("person_name", "Nombre: ANA\nApellidos: RUIZ LOPEZ").empty());
  CHECK_FALSE(found("person_name", "the report was signed by JOHN SMITH yesterday").empty());
}

TEST_CASE("a unit is no driver's licence") {
  for (const auto* text :
       {"hemoglobina 13,2 g/dL 12345", "glucosa 98 mg/dl, 45678 plaquetas", "creatinina dL 123456", "1 dl 12345678"}) {
    INFO(text);
    CHECK(found("drivers_license", text).empty());
  }
  CHECK(found("drivers_license", "DL S1234567") == Texts{"S1234567"});
  CHECK(found("drivers_license", "dl# 12345678") == Texts{"12345678"});
  CHECK(found("drivers_license", "DL number: 12345678") == Texts{"12345678"});
}
