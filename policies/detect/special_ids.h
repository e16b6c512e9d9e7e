// Private to policies/detect: identifiers that no shape of fixed length describes, a family each.
// Thread-safety: immutable.
#pragma once

#include <vector>

#include "policies/detect/detector.h"

namespace mlops::detect {

const Detector& udi_gs1();
const Detector& udi_hibc();
const Detector& udi_iccbba();
const Detector& passport_mrz();
const Detector& crypto_wallet();
const Detector& secret();
const Detector& username();
const Detector& photo_ref();
const Detector& biometric();
const Detector& genetic();
const Detector& icd10();   // identifies() is false
const Detector& snomed();  // identifies() is false

// All of them that identify.
std::vector<const Detector*> special_id_detectors();

}  // namespace mlops::detect
