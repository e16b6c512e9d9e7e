// Private to policies/detect: what a column's name says, by its words.
//
// A header is cut into lower-case words at anything but letters and digits, at camelCase humps and between letters and
// digits: "patientDOB" → patient, dob; "ZIP5" → zip, 5. A rule names words in any order; a header whose words run
// together ("DATEOFBIRTH") matches a rule of one such word. Some words (count, flag, cost …) say that the column is
// about the thing, not the thing, and veto every rule. Thread-safety: free functions.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mlops::detect {

enum class HeaderMatch {
  kAny,    // the words are among the header's
  kExact,  // … and beside them only whose it is (patient, mother …), number words and digits
  kSole,   // … and beside them only patient and digits
};

struct HeaderRule {
  std::string_view words;  // separated by one blank
  HeaderMatch match = HeaderMatch::kAny;
  double score = 0;  // 0 is a veto: this rule's words mean something else
};

std::vector<std::string> header_words(std::string_view column);
// The best score of the rules, 0 without one.
double header_score(std::span<const HeaderRule> rules, std::string_view column);

}  // namespace mlops::detect
