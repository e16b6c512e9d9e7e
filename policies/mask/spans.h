// Replacing spans of a text: overlapping spans are one, and all of their union goes. Thread-safety: free functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policies/detect/detector.h"

namespace mlops::mask {

struct LabelledSpan {
  detect::Span span;
  std::string_view label;  // "[PHONE]"
};

// Sorted, disjoint; each with the label of the most certain span it swallowed (the first one of equals).
std::vector<LabelledSpan> unite_spans(std::vector<LabelledSpan> spans);
// REQUIRES: `united` is sorted and disjoint, within `text`.
std::string replace_spans(std::string_view text, const std::vector<LabelledSpan>& united);

}  // namespace mlops::mask
