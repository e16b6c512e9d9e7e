// street_address: whole cells of a column named so, and postal addresses in text (address_finder.h).
#include "policies/detect/address_finder.h"
#include "policies/detect/family.h"
#include "policies/detect/scan.h"

namespace mlops::detect {
namespace {

constexpr HeaderRule kHeaders[] = {
    {"address", HeaderMatch::kAny, 0.9},        {"addr", HeaderMatch::kAny, 0.85},
    {"street", HeaderMatch::kAny, 0.9},         {"addresses", HeaderMatch::kAny, 0.8},
    {"residence", HeaderMatch::kExact, 0.7},    {"po box", HeaderMatch::kAny, 0.9},
    {"apt", HeaderMatch::kSole, 0.6},           {"apartment", HeaderMatch::kSole, 0.6},
    {"streetaddress", HeaderMatch::kAny, 0.95}, {"email address", HeaderMatch::kAny, 0},
    {"ip address", HeaderMatch::kAny, 0},       {"mac address", HeaderMatch::kAny, 0},
    {"e mail address", HeaderMatch::kAny, 0},   {"web address", HeaderMatch::kAny, 0},
    {"ip addr", HeaderMatch::kAny, 0},          {"mac addr", HeaderMatch::kAny, 0},
    {"homeaddress", HeaderMatch::kAny, 0.95},
};

class StreetAddress : public Family {
 public:
  StreetAddress() : Family({"street_address", kHeaders, Needs::kLetter, true}) {}

 protected:
  void search(std::string_view text, double column_score, std::vector<Span>& out) const override {
    if (column_score >= kAgrees && text.size() <= 500) {
      const Range whole = trimmed(text);
      if (!is_masked_already(text) && text.find('@') == std::string_view::npos)
        out.push_back({whole.begin, whole.end, 0.9});
      return;
    }
    search_reading(Reading(text), out);
  }

 public:
  void search_reading(const Reading& reading, std::vector<Span>& out) const override { find_addresses(reading, out); }
};

}  // namespace

const Detector& street_address() {
  static const StreetAddress kDetector;
  return kDetector;
}

}  // namespace mlops::detect
