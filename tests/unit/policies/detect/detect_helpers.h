// What the detector tests share: the texts a detector finds, and the best score.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "policies/detect/detector.h"

namespace mlops::detect {

inline std::vector<Span> spans_of(std::string_view id, std::string_view cell, std::string_view column = {}) {
  std::vector<Span> spans;
  find_detector(id)->find(cell, {column}, spans);
  return spans;
}

// Found texts with at least `least`, in order.
inline std::vector<std::string> found(std::string_view id, std::string_view cell, std::string_view column = {},
                                      double least = 0.3) {
  auto spans = spans_of(id, cell, column);
  std::sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) { return a.begin < b.begin; });
  std::vector<std::string> texts;
  for (const auto& span : spans) {
    if (span.score >= least) texts.emplace_back(cell.substr(span.begin, span.end - span.begin));
  }
  return texts;
}

inline double score(std::string_view id, std::string_view cell, std::string_view column = {}) {
  double best = 0;
  for (const auto& span : spans_of(id, cell, column)) best = std::max(best, span.score);
  return best;
}

inline double header(std::string_view id, std::string_view column) {
  return find_detector(id)->column_name_score(column);
}

using Texts = std::vector<std::string>;

}  // namespace mlops::detect
