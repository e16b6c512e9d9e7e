// All detectors over one text at once: what free text is searched with.
//
// The text is folded once, cut into words once, and each family sees only the surroundings of what it needs
// (landmarks.h), so that many detectors cost little more than one. Long texts are searched in parts cut at line ends.
// scan() gives every finding, overlapping ones of several detectors included: masking hides their union. resolve()
// picks one type a place, for reports. Thread-safety: immutable; scan() may run on several threads at a time.
#pragma once

#include <string_view>
#include <vector>

#include "policies/detect/detector.h"
#include "policies/detect/family.h"

namespace mlops::detect {

struct TypedSpan {
  Span span;
  const Detector* detector = nullptr;  // its id is the type
};

class TextScanner {
 public:
  explicit TextScanner(const std::vector<const Detector*>& detectors = built_in_detectors());

  // Appends what the detectors find; the order is no promise. REQUIRES: nothing of `text` (any bytes).
  void scan(std::string_view text, std::vector<TypedSpan>& out) const;

 private:
  // Families that are searched in the same windows.
  struct Group {
    Needs needs;
    unsigned min_digits;
    std::vector<const Family*> families;
  };
  void scan_part(std::string_view part, std::size_t offset, std::vector<TypedSpan>& out) const;
  void search_folded(std::string_view text, std::vector<TypedSpan>& out) const;

  std::vector<Group> groups_;
  std::vector<const Family*> readers_;      // need the whole text
  std::vector<const Family*> clue_takers_;  // have a field (clues.h)
  std::vector<const Detector*> by_row_;     // the identifiers of one pass (ids.h), by row; nullptr: not asked for
  std::vector<const Detector*> foreign_;    // a policy's own patterns: searched in the text as it is
};

// Sorted by position and disjoint: of overlapping findings the most certain stays, of equally certain ones the longer,
// then the earlier.
std::vector<TypedSpan> resolve(std::vector<TypedSpan> spans);

}  // namespace mlops::detect
