// The detectors whose findings are clues alone (clues.h): a column named so, and what labels and phrases tell in text.
#include "policies/detect/clues.h"
#include "policies/detect/family.h"
#include "policies/detect/scan.h"

namespace mlops::detect {
namespace {

constexpr HeaderRule kPostcode[] = {
    {"codigo postal", HeaderMatch::kAny, 0.9}, {"cp", HeaderMatch::kSole, 0.7},
    {"plz", HeaderMatch::kAny, 0.9},           {"code postal", HeaderMatch::kAny, 0.9},
    {"cap", HeaderMatch::kSole, 0.5},          {"postleitzahl", HeaderMatch::kAny, 0.9},
};
constexpr HeaderRule kCertificate[] = {
    {"colegiado", HeaderMatch::kAny, 0.8},
    {"certificate number", HeaderMatch::kAny, 0.8},
    {"certificate no", HeaderMatch::kAny, 0.8},
};
constexpr HeaderRule kYear[] = {{"year", HeaderMatch::kSole, 0.8}, {"ano", HeaderMatch::kSole, 0.7}};
constexpr HeaderRule kAge[] = {{"age", HeaderMatch::kExact, 0.9}, {"edad", HeaderMatch::kExact, 0.9}};
constexpr HeaderRule kSex[] = {
    {"sex", HeaderMatch::kExact, 0.9},
    {"gender", HeaderMatch::kExact, 0.9},
    {"sexo", HeaderMatch::kExact, 0.9},
    {"geschlecht", HeaderMatch::kExact, 0.9},
};
constexpr HeaderRule kKinship[] = {{"relationship", HeaderMatch::kSole, 0.8}, {"parentesco", HeaderMatch::kSole, 0.9}};
constexpr HeaderRule kProfession[] = {
    {"occupation", HeaderMatch::kExact, 0.9},
    {"profession", HeaderMatch::kExact, 0.9},
    {"profesion", HeaderMatch::kExact, 0.9},
    {"job title", HeaderMatch::kAny, 0.9},
};
constexpr HeaderRule kCountryHeaders[] = {
    {"country", HeaderMatch::kExact, 0.9},
    {"pais", HeaderMatch::kExact, 0.9},
    {"nationality", HeaderMatch::kExact, 0.9},
};
constexpr HeaderRule kOrganization[] = {
    {"hospital", HeaderMatch::kSole, 0.8},
    {"organization", HeaderMatch::kSole, 0.8},
    {"employer", HeaderMatch::kExact, 0.8},
    {"facility", HeaderMatch::kSole, 0.7},
};

constexpr double kSure = 0.85, kQuasi = 0.45;  // of a column named so

class ClueFamily : public Family {
 public:
  // Quasi-identifiers identify only in combination: a whole column of them is certain, but no residual finding.
  ClueFamily(std::string_view id, std::span<const HeaderRule> headers, double column)
      : Family({id, headers, Needs::kNothing, false}), column_(column) {}
  bool identifies() const override { return column_ >= kSure; }
  void search_reading(const Reading& /*reading*/, std::vector<Span>& /*out*/) const override {}

 protected:
  void search(std::string_view text, double column_score, std::vector<Span>& out) const override {
    if (column_score < kAgrees || text.size() > 120) return;
    const Range whole = trimmed(text);
    if (!is_masked_already(text)) out.push_back({whole.begin, whole.end, column_});
  }

 private:
  double column_;
};

}  // namespace

const Detector& postcode() {
  static const ClueFamily kDetector("postcode", kPostcode, kSure);
  return kDetector;
}
const Detector& certificate() {
  static const ClueFamily kDetector("labelled_licence", kCertificate, kSure);
  return kDetector;
}

const std::vector<const Detector*>& optional_detectors() {
  static const ClueFamily kYearFamily("year", kYear, kQuasi), kAgeFamily("age_any", kAge, kQuasi),
      kSexFamily("sex", kSex, kQuasi), kKinshipFamily("kinship", kKinship, kQuasi),
      kProfessionFamily("profession", kProfession, kQuasi), kCountryFamily("country", kCountryHeaders, kQuasi),
      kOrganizationFamily("organization", kOrganization, kQuasi);
  static const std::vector<const Detector*> kDetectors = {
      &kYearFamily,       &kAgeFamily,     &kSexFamily,          &kKinshipFamily,
      &kProfessionFamily, &kCountryFamily, &kOrganizationFamily,
  };
  return kDetectors;
}

}  // namespace mlops::detect
