// What a dataset that is being registered seems to hold, from a bounded sample of its records: labels that say so, and
// the least sensitivity that fits. Findings are words for classes, never values.
//
//   contains-pii   classes that identify people ("email person_name"), found in values, not by a column's name alone
//   contains-phi   the same, beside health data: FHIR, diagnoses, identifiers of patients (45 CFR 160.103; GDPR Art. 9)
//
// What is declared may be raised by a scan, never lowered: a sample that shows nothing proves nothing. Versions that
// are made from others take their labels over; masking takes away the classes that it treated. Files that cannot be
// read as records say nothing. Errors: those of the store. Thread-safety: free functions.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/model/kind.h"
#include "core/model/manifest.h"
#include "storage/cas/content_store.h"

namespace mlops::domain {

inline constexpr std::string_view kContainsPii = "contains-pii";
inline constexpr std::string_view kContainsPhi = "contains-phi";

struct LabelScanOptions {
  enum class Mode { kOff, kLabel, kRaise };  // kLabel: labels only; kRaise: the sensitivity, too
  Mode mode = Mode::kOff;
  std::uint64_t records_max = 1000;   // of each file
  std::uint64_t bytes_max = 1 << 20;  // of each file
  std::size_t files_max = 8;          // spread evenly over the version's
};
std::optional<LabelScanOptions::Mode> scan_mode_from_word(std::string_view word);  // "off", "label", "raise"

struct LabelScan {
  std::set<std::string> classes;  // that identify people
  bool has_health = false;
  std::uint64_t files = 0;    // that could be read as records
  std::uint64_t records = 0;  // that were looked at

  model::Sensitivity least() const;
  std::map<std::string, std::string> labels() const;
};
Result<LabelScan> scan_labels(cas::ContentStore& content, const std::vector<model::FileEntry>& files,
                              const LabelScanOptions& options);

using Labels = std::map<std::string, std::string>;
// Adds to `into` what the labels of an input say about what is in it.
void inherit_labels(Labels& into, const Labels& input);
// What is left of such labels after a masking run, by its evidence.
Labels labels_after_masking(const Labels& source, const Json& evidence);

}  // namespace mlops::domain
