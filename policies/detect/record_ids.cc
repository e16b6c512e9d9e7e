// Numbers without a shape of their own, found by the column's name or a keyword right before them: medical record,
// account, health plan, driver's licence, passport.
#include "policies/detect/family.h"
#include "policies/detect/scan.h"

namespace mlops::detect {
namespace {

constexpr HeaderRule kMrnHeaders[] = {
    {"mrn", HeaderMatch::kAny, 0.95},
    {"medical record", HeaderMatch::kAny, 0.95},
    {"med rec", HeaderMatch::kAny, 0.95},
    {"medrec", HeaderMatch::kAny, 0.95},
    {"medicalrecord", HeaderMatch::kAny, 0.95},
    {"medicalrecordnumber", HeaderMatch::kAny, 0.95},
    {"chart number", HeaderMatch::kAny, 0.8},
    {"chart no", HeaderMatch::kAny, 0.8},
    {"hospital number", HeaderMatch::kAny, 0.7},
    {"patient number", HeaderMatch::kAny, 0.6},
    {"patient id", HeaderMatch::kAny, 0.6},
    {"patientid", HeaderMatch::kAny, 0.6},
    {"record number", HeaderMatch::kExact, 0.6},
    {"mrns", HeaderMatch::kAny, 0.9},
    {"pt id", HeaderMatch::kAny, 0.6},
    {"emr id", HeaderMatch::kAny, 0.7},
    {"ehr id", HeaderMatch::kAny, 0.7},
    {"chart id", HeaderMatch::kAny, 0.8},
};
constexpr std::string_view kMrnWords[] = {"mrn",
                                          "medical record number",
                                          "medical record no",
                                          "medical record",
                                          "med rec",
                                          "medrec",
                                          "mr#",
                                          "mr #",
                                          "chart number",
                                          "chart no",
                                          "chart #",
                                          "patient id",
                                          "patient number",
                                          "hospital number",
                                          "pt id"};
constexpr HeaderRule kAccountHeaders[] = {
    {"account number", HeaderMatch::kAny, 0.9}, {"account no", HeaderMatch::kAny, 0.9},
    {"account num", HeaderMatch::kAny, 0.9},    {"account id", HeaderMatch::kAny, 0.8},
    {"acct", HeaderMatch::kAny, 0.8},           {"account", HeaderMatch::kExact, 0.7},
    {"bank account", HeaderMatch::kAny, 0.95},  {"accountnumber", HeaderMatch::kAny, 0.9},
    {"routing number", HeaderMatch::kAny, 0.8}, {"certificate number", HeaderMatch::kAny, 0.7},
};
constexpr std::string_view kAccountWords[] = {
    "account number", "account no",         "account",     "acct", "acct no", "acct #", "a/c",
    "routing number", "certificate number", "bank account"};
constexpr HeaderRule kPlanHeaders[] = {
    {"member id", HeaderMatch::kAny, 0.9},
    {"member number", HeaderMatch::kAny, 0.9},
    {"member no", HeaderMatch::kAny, 0.9},
    {"memberid", HeaderMatch::kAny, 0.9},
    {"policy number", HeaderMatch::kAny, 0.8},
    {"policy no", HeaderMatch::kAny, 0.8},
    {"group number", HeaderMatch::kAny, 0.7},
    {"subscriber id", HeaderMatch::kAny, 0.9},
    {"subscriber number", HeaderMatch::kAny, 0.9},
    {"insurance id", HeaderMatch::kAny, 0.9},
    {"insurance number", HeaderMatch::kAny, 0.9},
    {"health plan id", HeaderMatch::kAny, 0.95},
    {"health plan number", HeaderMatch::kAny, 0.95},
    {"beneficiary id", HeaderMatch::kAny, 0.9},
    {"beneficiary number", HeaderMatch::kAny, 0.9},
    {"medicare id", HeaderMatch::kAny, 0.9},
    {"medicare number", HeaderMatch::kAny, 0.9},
    {"medicaid id", HeaderMatch::kAny, 0.9},
    {"medicaid number", HeaderMatch::kAny, 0.9},
    {"mbi", HeaderMatch::kSole, 0.9},
    {"hicn", HeaderMatch::kSole, 0.9},
    {"plan member", HeaderMatch::kAny, 0.8},
    {"policyholder", HeaderMatch::kAny, 0.8},
};
constexpr std::string_view kPlanWords[] = {"member id",
                                           "member number",
                                           "member #",
                                           "policy number",
                                           "policy no",
                                           "policy #",
                                           "policy",
                                           "group number",
                                           "group #",
                                           "subscriber id",
                                           "insurance id",
                                           "insurance number",
                                           "beneficiary number",
                                           "medicare number",
                                           "medicare id",
                                           "medicare",
                                           "medicaid id",
                                           "medicaid",
                                           "mbi",
                                           "hicn",
                                           "health plan",
                                           "member"};
constexpr HeaderRule kLicenceHeaders[] = {
    {"drivers", HeaderMatch::kSole, 0.9},
    {"driver license", HeaderMatch::kAny, 0.95},
    {"driver licence", HeaderMatch::kAny, 0.95},
    {"drivers license", HeaderMatch::kAny, 0.95},
    {"drivers licence", HeaderMatch::kAny, 0.95},
    {"driverslicense", HeaderMatch::kAny, 0.95},
    {"driverlicense", HeaderMatch::kAny, 0.95},
    {"driving licence", HeaderMatch::kAny, 0.95},
    {"dl number", HeaderMatch::kAny, 0.8},
    {"dl no", HeaderMatch::kAny, 0.8},
    {"dln", HeaderMatch::kSole, 0.7},
    {"dl", HeaderMatch::kSole, 0.6},
    {"license number", HeaderMatch::kAny, 0.7},
    {"licence number", HeaderMatch::kAny, 0.7},
    {"license no", HeaderMatch::kAny, 0.7},
    {"driving license", HeaderMatch::kAny, 0.95},
};
constexpr std::string_view kLicenceWords[] = {"driver's license",
                                              "drivers license",
                                              "driver license",
                                              "driver's licence",
                                              "driving licence",
                                              "license number",
                                              "license no",
                                              "licence number",
                                              "license #",
                                              "dl",
                                              "dl#",
                                              "license"};
constexpr HeaderRule kPassportHeaders[] = {{"passport", HeaderMatch::kAny, 0.95},
                                           {"passports", HeaderMatch::kAny, 0.9},
                                           {"passportnumber", HeaderMatch::kAny, 0.95},
                                           {"passportno", HeaderMatch::kAny, 0.95}};
constexpr std::string_view kPassportWords[] = {"passport", "passport number", "passport no", "passport #"};

// Words that may stand between a keyword and its number: "MRN: ", "account number is # ", "policy no. ".
constexpr std::string_view kFillers[] = {"number", "no", "num", "id", "is", "was", "card", "ending", "in"};

// "13.2 g/dL", "5 dl": a tenth of a litre, no driver's licence.
bool is_unit(std::string_view text, std::size_t at) {
  if (text[at] == 'd' && at_or_nul(text, at + 1) == 'L') return true;
  const char before = before_or_nul(text, at);
  return before == '/' || (before == ' ' && at >= 2 && is_digit(text[at - 2]));
}

// The keyword must lead straight to the number: of everything near a medical record number, "MRN" says nothing.
bool leads_to(std::string_view text, std::size_t at, std::span<const std::string_view> keywords) {
  for (std::size_t end = at; at - end <= kKeywordWindow;) {
    while (end > 0 && !is_word(text[end - 1]) && text[end - 1] != '\n' && at - end <= kKeywordWindow) --end;
    for (const std::string_view keyword : keywords) {
      const bool symbol = !is_word(keyword.back());  // "mr #" ends in what was skipped
      const std::size_t from = symbol ? keyword.substr(0, keyword.find_last_not_of(" #") + 1).size() : keyword.size();
      if (end < from || !has_at(text, end - from, keyword.substr(0, from)) || is_word(before_or_nul(text, end - from)))
        continue;
      if (keyword == "dl" && is_unit(text, end - from)) continue;
      if (!symbol || text.substr(end, at - end).find('#') != std::string_view::npos) return true;
    }
    std::size_t begin = end;
    while (begin > 0 && is_word(text[begin - 1])) --begin;
    const std::string_view word = text.substr(begin, end - begin);
    bool filler = false;
    for (const std::string_view known : kFillers) filler = filler || equals_ignoring_case(word, known);
    if (!filler) return false;
    end = begin;
  }
  return false;
}

struct NumberSpec {
  FamilySpec family;
  std::span<const std::string_view> words;
  std::size_t min_size;  // of the token, keyword context
  std::size_t max_size;
};

class RecordId : public Family {
 public:
  explicit RecordId(const NumberSpec& spec) : Family(spec.family), spec_(spec) {}

 protected:
  void search(std::string_view text, double column_score, std::vector<Span>& out) const override {
    if (column_score >= kAgrees) {
      const Range whole = trimmed(text);
      if (!is_masked_already(text) && whole.end - whole.begin <= 64) {
        out.push_back({whole.begin, whole.end, 0.9});
        return;
      }
    }
    for (std::size_t at = 0; at < text.size();) {
      if (!is_digit(text[at])) {
        ++at;
        continue;
      }
      while (at > 0 && (is_alnum(text[at - 1]) || (text[at - 1] == '-' && at > 1 && is_alnum(text[at - 2])))) --at;
      std::size_t end = at;
      std::size_t digits = 0;
      while (is_alnum(at_or_nul(text, end)) || (at_or_nul(text, end) == '-' && is_alnum(at_or_nul(text, end + 1)))) {
        digits += is_digit(text[end]) ? 1 : 0;
        ++end;
      }
      const std::size_t size = end - at;
      if (digits >= 3 && at > 1 && size >= spec_.min_size && size <= spec_.max_size &&
          leads_to(text, at, spec_.words)) {
        out.push_back({at, end, 0.8});
      }
      at = end;
    }
  }

 private:
  NumberSpec spec_;
};

}  // namespace

const Detector& mrn() {
  static const RecordId kDetector({{"mrn", kMrnHeaders, Needs::kDigit, true, 3}, kMrnWords, 4, 20});
  return kDetector;
}
const Detector& account() {
  static const RecordId kDetector({{"account", kAccountHeaders, Needs::kDigit, false, 3}, kAccountWords, 4, 24});
  return kDetector;
}
const Detector& health_plan_id() {
  static const RecordId kDetector({{"health_plan_id", kPlanHeaders, Needs::kDigit, true, 3}, kPlanWords, 5, 20});
  return kDetector;
}
const Detector& drivers_license() {
  static const RecordId kDetector(
      {{"drivers_license", kLicenceHeaders, Needs::kDigit, false, 3}, kLicenceWords, 5, 20});
  return kDetector;
}
const Detector& passport() {
  static const RecordId kDetector({{"passport", kPassportHeaders, Needs::kDigit, false, 3}, kPassportWords, 6, 12});
  return kDetector;
}

}  // namespace mlops::detect
