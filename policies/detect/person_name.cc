// person_name: whole cells of a column named so, and names in text (name_finder.h).
#include <algorithm>

#include "policies/detect/family.h"
#include "policies/detect/name_finder.h"
#include "policies/detect/reading.h"
#include "policies/detect/scan.h"

namespace mlops::detect {
namespace {

constexpr HeaderRule kHeaders[] = {
    {"first", HeaderMatch::kSole, 0.8},
    {"last", HeaderMatch::kSole, 0.8},
    {"middle", HeaderMatch::kSole, 0.8},
    {"maiden", HeaderMatch::kSole, 0.9},
    {"prefix", HeaderMatch::kSole, 0.6},
    {"suffix", HeaderMatch::kSole, 0.5},
    {"name", HeaderMatch::kExact, 0.8},
    {"names", HeaderMatch::kExact, 0.7},
    {"surname", HeaderMatch::kAny, 0.95},
    {"forename", HeaderMatch::kAny, 0.95},
    {"firstname", HeaderMatch::kAny, 0.95},
    {"lastname", HeaderMatch::kAny, 0.95},
    {"middlename", HeaderMatch::kAny, 0.95},
    {"maidenname", HeaderMatch::kAny, 0.95},
    {"fullname", HeaderMatch::kAny, 0.95},
    {"patientname", HeaderMatch::kAny, 0.95},
    {"fname", HeaderMatch::kAny, 0.9},
    {"lname", HeaderMatch::kAny, 0.9},
    {"mname", HeaderMatch::kAny, 0.9},
    {"given name", HeaderMatch::kAny, 0.95},
    {"family name", HeaderMatch::kAny, 0.95},
    {"first name", HeaderMatch::kAny, 0.95},
    {"last name", HeaderMatch::kAny, 0.95},
    {"maiden name", HeaderMatch::kAny, 0.95},
    {"middle name", HeaderMatch::kAny, 0.95},
    {"full name", HeaderMatch::kAny, 0.95},
    {"nickname", HeaderMatch::kAny, 0.8},
    {"alias", HeaderMatch::kSole, 0.6},
    {"initials", HeaderMatch::kExact, 0.7},
    {"middle initial", HeaderMatch::kAny, 0.8},
    {"given", HeaderMatch::kSole, 0.6},
    {"patient", HeaderMatch::kSole, 0.4},
    {"physician", HeaderMatch::kSole, 0.5},
    {"doctor", HeaderMatch::kSole, 0.5},
    {"attending physician", HeaderMatch::kExact, 0.6},
    {"username", HeaderMatch::kAny, 0.6},
    {"next kin", HeaderMatch::kExact, 0.7},
    {"emergency contact", HeaderMatch::kExact, 0.6},
    {"maiden surname", HeaderMatch::kAny, 0.9},
};

// A key in a column of names ("PATIENT" of an encounter) is none.
bool looks_like_key(std::string_view text) {
  return std::count_if(text.begin(), text.end(), is_digit) > 4;
}

class PersonName : public Family {
 public:
  PersonName() : Family({"person_name", kHeaders, Needs::kLetter, false}) {}

 protected:
  void search(std::string_view text, double column_score, std::vector<Span>& out) const override {
    if (column_score >= kAgrees && text.size() <= 200) {
      const Range whole = trimmed(text);
      if (!is_masked_already(text) && !looks_like_key(text)) out.push_back({whole.begin, whole.end, 0.9});
      return;
    }
    search_reading(Reading(text), out);
  }

 public:
  void search_reading(const Reading& reading, std::vector<Span>& out) const override { find_names(reading, out); }
};

}  // namespace

const Detector& person_name() {
  static const PersonName kDetector;
  return kDetector;
}

}  // namespace mlops::detect
