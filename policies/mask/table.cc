#include "policies/mask/makers.h"

namespace mlops::mask {

const std::vector<TransformRow>& transforms() {
  static const std::vector<TransformRow> kTransforms = {
      {"suppress", "drops the column", make_suppress},
      {"redact", "replaces the cell, or what detectors find in it, by a placeholder", make_redact},
      {"replace", "replaces the cell by a constant", make_replace},
      {"pseudonymize", "replaces the cell by a keyed pseudonym (HMAC-SHA-256), equal for equal values",
       make_pseudonymize},
      {"date_truncate", "keeps the year, or year and month, of a date; caps the age it shows", make_date_truncate},
      {"generalize", "coarsens: zip3, age_cap or bucket", make_generalize},
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
