#include "policies/mask/spans.h"

#include <algorithm>

namespace mlops::mask {

std::vector<LabelledSpan> unite_spans(std::vector<LabelledSpan> spans) {
  std::stable_sort(spans.begin(), spans.end(),
                   [](const LabelledSpan& a, const LabelledSpan& b) { return a.span.begin < b.span.begin; });
  std::vector<LabelledSpan> united;
  for (const auto& next : spans) {
    if (next.span.begin >= next.span.end) continue;
    if (united.empty() || next.span.begin >= united.back().span.end) {
      united.push_back(next);
      continue;
    }
    auto& last = united.back();
    last.span.end = std::max(last.span.end, next.span.end);
    if (next.span.score > last.span.score) {
      last.span.score = next.span.score;
      last.label = next.label;
    }
  }
  return united;
}

std::string replace_spans(std::string_view text, const std::vector<LabelledSpan>& united) {
  std::string out;
  out.reserve(text.size());
  std::size_t at = 0;
  for (const auto& [span, label] : united) {
    out.append(text.substr(at, span.begin - at));
    out.append(label);
    at = span.end;
  }
  out.append(text.substr(at));
  return out;
}

}  // namespace mlops::mask
