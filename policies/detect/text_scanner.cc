#include "policies/detect/text_scanner.h"

#include <algorithm>
#include <map>

#include "policies/detect/fold.h"
#include "policies/detect/id_scanner.h"
#include "policies/detect/ids.h"
#include "policies/detect/landmarks.h"
#include "policies/detect/reading.h"
#include "policies/detect/scan.h"
#include "policies/detect/source_weights.h"

namespace mlops::detect {
namespace {

constexpr std::size_t kPartBytes = 1 << 20;

bool needs_whole_text(Needs needs) {
  return needs == Needs::kNothing || needs == Needs::kLetter;
}

// Where the part beginning at `begin` ends: behind a line, of very long lines behind a blank.
std::size_t part_end(std::string_view text, std::size_t begin) {
  if (text.size() - begin <= kPartBytes) return text.size();
  const std::size_t middle = begin + kPartBytes / 2;
  for (const char c : {'\n', ' '}) {
    const std::size_t found = text.rfind(c, begin + kPartBytes - 1);
    if (found != std::string_view::npos && found >= middle) return found + 1;
  }
  std::size_t end = begin + kPartBytes;
  while (end > middle && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // not inside a character
  return end;
}

bool names_people_or_places(const Detector* detector) {
  return detector == &person_name() || detector == &city_county() || detector == &street_address();
}

// The names of people and places in the name of an institution say nothing of their own: "Hospital Ramon y Cajal" is
// one finding, and the street of "Hospital de Cruces. Plaza de Cruces, 12" begins behind it. Of those among out[from…]
// only what lies outside of `institutions` stays: together they hide what they hid. REQUIRES: `text` is what was
// searched, and the institutions are among the findings.
void give_way_to(std::vector<Span> institutions, std::string_view text, std::size_t from, std::vector<TypedSpan>& out) {
  if (institutions.empty()) return;
  std::sort(institutions.begin(), institutions.end(), [](const Span& a, const Span& b) { return a.begin < b.begin; });
  const auto cut = [&](TypedSpan& one) {
    if (!names_people_or_places(one.detector)) return;
    const auto next = std::upper_bound(institutions.begin(), institutions.end(), one.span.begin,
                                       [](std::size_t at, const Span& span) { return at < span.begin; });
    if (next == institutions.begin() || std::prev(next)->end <= one.span.begin) return;
    one.span.begin = std::min(std::prev(next)->end, one.span.end);
    while (one.span.begin < one.span.end && !is_word(text[one.span.begin])) ++one.span.begin;
  };
  const auto first = out.begin() + static_cast<std::ptrdiff_t>(from);
  std::for_each(first, out.end(), cut);
  out.erase(std::remove_if(first, out.end(), [](const TypedSpan& one) { return one.span.begin >= one.span.end; }),
            out.end());
}

}  // namespace

TextScanner::TextScanner(const std::vector<const Detector*>& detectors) {
  for (const Detector* detector : detectors) {
    const auto* family = dynamic_cast<const Family*>(detector);
    if (const auto row = row_of(*detector)) {
      by_row_.resize(id_rows().size());
      by_row_[*row] = detector;
      continue;
    }
    if (!family) {
      foreign_.push_back(detector);
      continue;
    }
    if (family->field()) clue_takers_.push_back(family);
    const auto needs = family->spec().needs;
    const auto digits = family->spec().min_digits;
    if (needs_whole_text(needs) || family->spec().reads == Reads::kToo) readers_.push_back(family);
    if (needs_whole_text(needs)) continue;
    auto group = std::find_if(groups_.begin(), groups_.end(),
                              [&](const Group& one) { return one.needs == needs && one.min_digits == digits; });
    if (group == groups_.end()) group = groups_.insert(groups_.end(), Group{needs, digits, {}});
    group->families.push_back(family);
  }
}

void TextScanner::search_folded(std::string_view text, std::vector<TypedSpan>& out) const {
  const std::size_t before = out.size();
  std::vector<Span> found, institutions;
  const auto take = [&](const Family* family, std::size_t offset) {
    for (const Span& span : found) out.push_back({{span.begin + offset, span.end + offset, span.score}, family});
    found.clear();
  };
  Landmarks landmarks;
  landmarks.read(text);
  std::vector<Range> windows;
  for (const Group& group : groups_) {
    windows.clear();
    landmarks.windows(group.needs, group.min_digits, windows);
    for (const Range& window : windows) {
      for (const Family* family : group.families) {
        family->search_window(text.substr(window.begin, window.end - window.begin), found);
        take(family, window.begin);
      }
    }
  }
  if (!by_row_.empty()) {
    std::vector<IdSpan> ids;
    find_ids(text, {}, ids);
    for (const IdSpan& one : ids) {
      if (by_row_[one.row]) out.push_back({{one.begin, one.end, one.score}, by_row_[one.row]});
    }
  }
  if (readers_.empty() && clue_takers_.empty()) return;
  const Reading reading(text);
  for (const Family* family : readers_) {
    family->search_reading(reading, found);
    take(family, 0);
  }
  if (clue_takers_.empty()) return;
  Clues clues;
  find_clues(reading, clues);
  for (const Clue& clue : clues) {
    for (const Family* family : clue_takers_) {
      if (family->field() != clue.field) continue;
      out.push_back({clue.span, family});
      if (clue.field == Field::kOrganization) institutions.push_back(clue.span);
    }
  }
  give_way_to(std::move(institutions), text, before, out);
}

void TextScanner::scan_part(std::string_view part, std::size_t offset, std::vector<TypedSpan>& out) const {
  const std::size_t before = out.size();
  if (is_ascii(part)) {
    search_folded(part, out);
  } else {
    const Folded folded = fold(part);
    search_folded(folded.text, out);
    for (std::size_t i = before; i < out.size(); ++i) out[i].span = folded.to_original(out[i].span);
  }
  for (std::size_t i = before; i < out.size(); ++i) {
    out[i].span.begin += offset;
    out[i].span.end += offset;
  }
}

void TextScanner::scan(std::string_view text, std::vector<TypedSpan>& out) const {
  const std::size_t before = out.size();
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = part_end(text, begin);
    scan_part(text.substr(begin, end - begin), begin, out);
    begin = end;
  }
  weigh_by_kind(text, before, out);
  std::vector<Span> found;
  for (const Detector* detector : foreign_) {
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
