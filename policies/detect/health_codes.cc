// icd10, snomed: codes of diagnoses and findings. They tell that a dataset holds health data and identify nobody:
// identifies() is false, and no rule of Safe Harbor redacts them.
#include <algorithm>

#include "policies/detect/family.h"
#include "policies/detect/id_checks.h"
#include "policies/detect/scan.h"
#include "policies/detect/score.h"
#include "policies/detect/special_ids.h"

namespace mlops::detect {
namespace {

constexpr HeaderRule kIcdHeaders[] = {
    {"icd", HeaderMatch::kAny, 0.95},
    {"icd10", HeaderMatch::kAny, 0.95},
    {"diagnosis code", HeaderMatch::kAny, 0.9},
    {"dx code", HeaderMatch::kAny, 0.9},
    {"diagnosis", HeaderMatch::kExact, 0.6},
    {"icd code", HeaderMatch::kAny, 0.95},
    {"diagnoseschlussel", HeaderMatch::kAny, 0.9},
    {"cie", HeaderMatch::kExact, 0.8},
    {"cim", HeaderMatch::kExact, 0.8},
};
constexpr HeaderRule kSnomedHeaders[] = {
    {"snomed", HeaderMatch::kAny, 0.95},    {"sct", HeaderMatch::kExact, 0.7},     {"sctid", HeaderMatch::kAny, 0.95},
    {"concept id", HeaderMatch::kAny, 0.6}, {"snomedct", HeaderMatch::kAny, 0.95},
};
constexpr std::string_view kIcdWords[] = {"icd",       "icd-10", "icd10",    "icd-10-cm",   "diagnosis",
                                          "diagnoses", "dx",     "diagnose", "diagnostico", "diagnostic",
                                          "cie-10",    "cim-10", "code"};
constexpr std::string_view kSnomedWords[] = {"snomed", "sct", "sctid", "snomed-ct", "concept"};

class HealthCode : public Family {
 public:
  using Family::Family;
  bool identifies() const override { return false; }
};

class Icd10 : public HealthCode {
 public:
  Icd10() : HealthCode({"icd10", kIcdHeaders, Needs::kDigit, true}) {}

 protected:
  // A letter, a digit, a digit or A or B; behind a dot up to four more.
  void search(std::string_view text, double column_score, std::vector<Span>& out) const override {
    for (std::size_t at = 0; at + 3 <= text.size(); ++at) {
      if (!is_upper(text[at]) || text[at] == 'U' || is_word(before_or_nul(text, at))) continue;
      if (!is_digit(text[at + 1]) || !(is_digit(text[at + 2]) || text[at + 2] == 'A' || text[at + 2] == 'B')) continue;
      std::size_t end = at + 3;
      const bool dot =
          at_or_nul(text, end) == '.' && (is_digit(at_or_nul(text, end + 1)) || is_upper(at_or_nul(text, end + 1)));
      if (dot) ++end;
      const std::size_t tail = end;
      while (end < text.size() && end - tail < 4 && (is_digit(text[end]) || is_upper(text[end]))) ++end;
      if (is_word(at_or_nul(text, end))) continue;
      const bool context = column_score >= kAgrees || keyword_near(text, at, end, kIcdWords);
      out.push_back({at, end, context ? 0.9 : dot ? 0.5 : 0.2});
      at = end - 1;
    }
  }
};

class Snomed : public HealthCode {
 public:
  Snomed() : HealthCode({"snomed", kSnomedHeaders, Needs::kDigit, true, 6}) {}

 protected:
  // 6 to 18 digits; the two before the last say what part of the terminology it is (00, 01, 02, 10, 11, 12).
  void search(std::string_view text, double column_score, std::vector<Span>& out) const override {
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t digits = digits_at(text, at);
      if (digits == 0) {
        ++at;
        continue;
      }
      if (digits >= 6 && digits <= 18 && number_may_begin(text, at) && number_may_end(text, at + digits)) {
        const std::string_view code = text.substr(at, digits);
        const int part = two_digits(code, digits - 3);
        if (code[0] != '0' && part % 10 <= 2 && part < 20 && verhoeff_holds(code)) {
          const IdContext context = column_score >= kAgrees                             ? IdContext::kColumn
                                    : keyword_near(text, at, at + digits, kSnomedWords) ? IdContext::kLeads
                                                                                        : IdContext::kNone;
          out.push_back({at, at + digits, id_score({Structure::kBareDigits, CheckOutcome::kHolds, 0.006, context})});
        }
      }
      at += digits;
    }
  }
};

}  // namespace

const Detector& icd10() {
  static const Icd10 kDetector;
  return kDetector;
}
const Detector& snomed() {
  static const Snomed kDetector;
  return kDetector;
}

std::vector<const Detector*> special_id_detectors() {
  return {&udi_gs1(), &udi_hibc(), &udi_iccbba(), &passport_mrz(), &crypto_wallet(),
          &secret(),  &username(), &photo_ref(),  &biometric(),    &genetic()};
}

const std::vector<const Detector*>& evidence_detectors() {
  static const std::vector<const Detector*> kDetectors = {&icd10(), &snomed()};
  return kDetectors;
}

}  // namespace mlops::detect
