#include "policies/detect/detector.h"
#include "policies/detect/family.h"
#include "policies/detect/ids.h"
#include "policies/detect/special_ids.h"

namespace mlops::detect {

const std::vector<const Detector*>& built_in_detectors() {
  static const std::vector<const Detector*> kDetectors = [] {
    std::vector<const Detector*> all = {
        &us_ssn(),
        &email(),
        &phone(),
        &fax(),
        &date(),
        &birth_date(),
        &age(),
        &us_zip(),
        &geo(),
        &person_name(),
        &street_address(),
        &city_county(),
        &mrn(),
        &account(),
        &health_plan_id(),
        &drivers_license(),
        &passport(),
        &url(),
        &ipv4(),
        &ipv6(),
        &mac(),
        &credit_card(),
        &iban(),
        &postcode(),
        &certificate(),
    };
    const auto special = special_id_detectors();
    all.insert(all.end(), special.begin(), special.end());
    all.insert(all.end(), id_detectors().begin(), id_detectors().end());
    return all;
  }();
  return kDetectors;
}

const Detector* find_detector(std::string_view id) {
  for (const auto* list : {&built_in_detectors(), &optional_detectors(), &evidence_detectors()}) {
    for (const Detector* detector : *list) {
      if (detector->id() == id) return detector;
    }
  }
  return nullptr;
}

}  // namespace mlops::detect
