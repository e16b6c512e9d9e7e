#include "policies/detect/text_scanner.h"

#include <algorithm>
#include <map>

namespace mlops::detect {

TextScanner::TextScanner(std::vector<const Detector*> detectors) : detectors_(std::move(detectors)) {}

void TextScanner::scan(std::string_view text, std::vector<TypedSpan>& out) const {
  std::vector<Span> found;
  for (const Detector* detector : detectors_) {
    found.clear();
    detector->find(text, {}, found);
    for (const Span& span : found) out.push_back({span, detector});
  }
}

std::vector<TypedSpan> resolve(std::vector<TypedSpan> spans) {
  const auto length = [](const TypedSpan& one) { return one.span.end - one.span.begin; };
  std::stable_sort(spans.begin(), spans.end(), [&](const TypedSpan& a, const TypedSpan& b) {
    if (a.span.score != b.span.score) return a.span.score > b.span.score;
    if (length(a) != length(b)) return length(a) > length(b);
    return a.span.begin < b.span.begin;
  });
  std::map<std::size_t, TypedSpan> taken;  // by begin; disjoint
  for (const TypedSpan& one : spans) {
    if (one.span.begin >= one.span.end) continue;
    const auto next = taken.lower_bound(one.span.begin);
    if (next != taken.end() && next->first < one.span.end) continue;
    if (next != taken.begin() && std::prev(next)->second.span.end > one.span.begin) continue;
    taken.emplace(one.span.begin, one);
  }
  std::vector<TypedSpan> disjoint;
  disjoint.reserve(taken.size());
  for (const auto& [begin, one] : taken) disjoint.push_back(one);
  return disjoint;
}

}  // namespace mlops::detect
