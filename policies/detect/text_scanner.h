// All detectors over one text at once: what free text is searched with.
//
// scan() gives every finding, overlapping ones of several detectors included: masking hides their union. resolve()
// picks one type a place, for reports. Thread-safety: immutable; scan() may run on several threads at a time.
#pragma once

#include <string_view>
#include <vector>

#include "policies/detect/detector.h"

namespace mlops::detect {

struct TypedSpan {
  Span span;
  const Detector* detector = nullptr;  // its id is the type
};

class TextScanner {
 public:
  explicit TextScanner(std::vector<const Detector*> detectors = built_in_detectors());

  // Appends what the detectors find, in the order of the detectors.
  void scan(std::string_view text, std::vector<TypedSpan>& out) const;
  const std::vector<const Detector*>& detectors() const { return detectors_; }

 private:
  std::vector<const Detector*> detectors_;
};

// Sorted by position and disjoint: of overlapping findings the most certain stays, of equally certain ones the longer,
// then the earlier.
std::vector<TypedSpan> resolve(std::vector<TypedSpan> spans);

}  // namespace mlops::detect
