// Detectors find spans of personal data in one cell of text, and say how sure they are.
//
// A checksum or range is evidence, not a verdict: score = prior of the shape, moved by validation and by context (the
// column's name, a keyword within 30 characters). One room per family; kDetectors is the table of all. Matching is
// linear-time (RE2 or hand-written); a finding carries positions, never the value.
// Thread-safety: detectors are immutable; a Context is a value.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace mlops::detect {

struct Span {
  std::size_t begin = 0;  // byte offsets into the cell, [begin, end)
  std::size_t end = 0;
  double score = 0;  // 0–1
};

struct Context {
  std::string_view column;  // header text; may be empty
};

class Detector {
 public:
  virtual ~Detector() = default;
  virtual std::string_view id() const = 0;  // "us_ssn"
  // Appends what it finds. REQUIRES: nothing of `cell` (any bytes).
  virtual void find(std::string_view cell, const Context& context, std::vector<Span>& out) const = 0;
  // How strongly the column's name alone says "this is mine", 0–1 ("SSN", "social_security_no" → 0.9).
  virtual double column_name_score(std::string_view column) const = 0;
  // True when cell values alone can decide (SSN, e-mail); false when the column's name must agree (person name, MRN).
  virtual bool decides_by_value() const = 0;
  // False for what tells about a person without identifying one (a diagnosis code): evidence that a dataset holds
  // health data, never redacted as an identifier.
  virtual bool identifies() const { return true; }
};

// The policy class of a detector's findings: "national_id" for "uk_nhs", the id itself for most.
std::string_view class_of_detector(std::string_view id);

// The detectors built in: us_ssn, email, phone, date, birth_date, us_zip, person_name, mrn, street_address, and the
// others the table lists (url, ipv4, …).
const std::vector<const Detector*>& built_in_detectors();
// Quasi-identifiers, which a policy must ask for by name: year, age_any, sex, kinship, profession, country,
// organization. Their findings stay below 0.5: they identify only in combination and refuse nothing.
const std::vector<const Detector*>& optional_detectors();
// Those that tell of somebody's health and identify nobody, asked for by name too: icd10, snomed.
const std::vector<const Detector*>& evidence_detectors();
const Detector* find_detector(std::string_view id);  // of all three; nullptr: unknown

// A detector from a policy's own patterns (RE2). `column_pattern` and `value_pattern` may be empty, not both.
// Errors: kInvalid "bad_pattern" with RE2's reason.
Result<std::unique_ptr<Detector>> make_pattern_detector(std::string id, const std::string& column_pattern,
                                                        const std::string& value_pattern);

}  // namespace mlops::detect
