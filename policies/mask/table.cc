#include "policies/mask/makers.h"

namespace mlops::mask {

const std::vector<TransformRow>& transforms() {
  static const std::vector<TransformRow> kTransforms = {
      {"suppress", "drops the column", make_suppress},
      {"redact", "replaces the cell, or what detectors find in it, by a placeholder", make_redact},
      {"replace", "replaces the cell by a constant", make_replace},
      {"pseudonymize", "replaces the cell by a keyed pseudonym (HMAC-SHA-256), equal for equal values",
       make_pseudonymize},
      {"tokenize", "replaces the cell by a random token, kept in a vault", make_tokenize},
      {"remap_id", "replaces the id in an id or FHIR reference by a keyed pseudonym, alike in a whole dataset",
       make_remap_id},
      {"fpe", "encrypts letters or digits into as many others (FF1)", make_fpe},
      {"encrypt", "encrypts the cell (AES-256-GCM), bound to dataset, column and record", make_encrypt},
      {"encrypt_deterministic", "encrypts the cell (AES-SIV), equal for equal values of a column",
       make_encrypt_deterministic},
      {"date_shift", "moves the dates of a subject by one secret number of days", make_date_shift},
      {"date_truncate", "keeps the year, or year and month, of a date; caps the age it shows", make_date_truncate},
      {"generalize", "coarsens: zip3, age_cap, bucket or hierarchy", make_generalize},
      {"perturb", "adds keyed noise to a number", make_perturb},
      {"surrogate", "replaces the cell by a made-up value of the same kind", make_surrogate},
      {"mask", "replaces the cell by mask characters of constant length", make_mask},
      {"keep", "leaves the cell as it is", make_keep},
  };
  return kTransforms;
}

const TransformRow* find_transform(std::string_view id) {
  for (const auto& row : transforms()) {
    if (row.id == id) return &row;
  }
  return nullptr;
}

}  // namespace mlops::mask
