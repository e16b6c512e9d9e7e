// Which records `purpose.consent` keeps out of a masked copy. Private to policies/engine.
//
// A record needs a consent unless `min_age` is set and its age is a number not below it; an age that is not there or
// not a number counts as below. It has one when its column `field` holds something in every cell, and none of the words
// that say there is none. A copy is bound to no use, so the uses of `required_for` and `separate` free no record. The
// source's cells are asked, whatever masking makes of them. A `field` of one table ("patients.consent_id") speaks about
// that table only. Thread-safety: belongs to one thread. Sources: GDPR 7; 16 CFR 312.5.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "policies/engine/mask_dataset.h"
#include "policies/engine/terms.h"

namespace mlops::policy {

class ConsentCheck {
 public:
  // Both are borrowed. `consent`: nullptr: nobody asks for one.
  ConsentCheck(const Consent* consent, const FilePlan& plan);

  // Errors: kRefused "consent_not_by_record" for FHIR and text, whose records are not people.
  Status prepare(data::Format format) const;
  // Does the policy ask for one?
  bool is_asked() const { return consent_ != nullptr; }
  // Does a record with these cells lack the consent it needs? `columns`: the reader's.
  bool is_missing(const std::vector<std::string>& columns, std::span<const data::Cell> cells);
  // Does a record without it stay out, or refuse the run?
  bool excludes() const { return consent_->on_missing == OnMissingConsent::kExcludeRecord; }

 private:
  enum class Part { kOther, kField, kAge };
  void learn(const std::vector<std::string>& columns);

  const Consent* consent_;
  const FilePlan& plan_;
  std::vector<Part> parts_;  // by the reader's columns
};

// kRefused "consent_missing": a record lacks one and the policy denies, or none is left. Counts only.
Status check_consent(const Consent* consent, const FilePlan& plan, std::uint64_t missing, std::uint64_t written);

}  // namespace mlops::policy
