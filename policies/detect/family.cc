#include "policies/detect/family.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <functional>
#include <memory>
#include <string>

#include "policies/detect/fold.h"
#include "policies/detect/reading.h"
#include "policies/detect/scan.h"

namespace mlops::detect {
namespace {

bool has_what_it_needs(std::string_view text, Needs needs) {
  switch (needs) {
    case Needs::kNothing:
      return true;
    case Needs::kAt:
      return text.find('@') != std::string_view::npos || text.find("at") != std::string_view::npos ||
             text.find("AT") != std::string_view::npos;
    case Needs::kDotOrColon:
      return text.find_first_of(".:-") != std::string_view::npos;
    case Needs::kDigit:
      for (const char c : text) {
        if (is_digit(c)) return true;
      }
      return false;
    case Needs::kLetter:
      for (const char c : text) {
        if (is_alpha(c) || is_high(c)) return true;
      }
      return false;
  }
  return true;
}

// The scores of one column's name, by Family::ordinal(); negative: not asked for yet.
struct ColumnScores {
  std::string column;
  std::array<double, Family::kMostFamilies> scores;
};

// Scoring a header cuts and compares words, and a scan asks the same few headers for every cell, each detector in turn:
// the column asked for last is remembered, the others are in a direct-mapped table. Bounded, per thread.
ColumnScores& scores_of(std::string_view column) {
  thread_local const auto own = std::make_unique<std::array<ColumnScores, 256>>();
  auto& slots = *own;
  thread_local ColumnScores* last = nullptr;
  if (last && last->column == column) return *last;
  last = &slots[std::hash<std::string_view>{}(column) % slots.size()];
  if (last->column != column) {
    last->column.assign(column);
    last->scores.fill(-1);
  }
  return *last;
}

bool has_keyword(std::string_view window, std::span<const std::string_view> keywords) {
  for (std::size_t i = 0; i < window.size(); ++i) {
    if (!is_alpha(window[i]) || is_word(before_or_nul(window, i))) continue;
    const char first = to_lower(window[i]);
    for (const std::string_view keyword : keywords) {
      if (first != keyword[0] || !has_at(window, i, keyword)) continue;
      const std::size_t end = i + keyword.size();
      const std::size_t digits = digits_at(window, end);  // "phone2", "tel5550123", not "cc93", "cc9f"
      if ((digits < 2 || digits > 4) && !is_alpha(at_or_nul(window, end + digits))) return true;
    }
  }
  return false;
}

}  // namespace

Family::Family(const FamilySpec& spec) : spec_(spec), field_(field_of(spec.id)) {
  static std::atomic<std::size_t> next{0};
  ordinal_ = next++;
  assert(ordinal_ < kMostFamilies);
}

void Family::find(std::string_view cell, const Context& context, std::vector<Span>& out) const {
  const auto column_score = [&] {
    if (context.column.empty()) return 0.0;
    double& score = scores_of(context.column).scores[ordinal_];
    if (score < 0) score = column_name_score(context.column);
    return score;
  };
  if (is_ascii(cell)) return find_folded(cell, column_score(), out);
  const Folded folded = fold(cell);
  const std::size_t before = out.size();
  find_folded(folded.text, column_score(), out);
  for (std::size_t i = before; i < out.size(); ++i) out[i] = folded.to_original(out[i]);
}

void Family::find_folded(std::string_view text, double column_score, std::vector<Span>& out) const {
  const std::size_t before = out.size();
  if (has_what_it_needs(text, spec_.needs)) search(text, column_score, out);
  if (!field_ || column_score >= kAgrees) return;
  for (const Clue& clue : clues_of(text)) {
    if (clue.field != *field_) continue;
    const auto same = std::find_if(out.begin() + static_cast<std::ptrdiff_t>(before), out.end(), [&](const Span& span) {
      return span.begin == clue.span.begin && span.end == clue.span.end;
    });
    if (same == out.end())
      out.push_back(clue.span);
    else
      same->score = std::max(same->score, clue.span.score);
  }
}

void Family::search_reading(const Reading& reading, std::vector<Span>& out) const {
  search(reading.text(), 0, out);
}

bool keyword_before(std::string_view text, std::size_t begin, std::span<const std::string_view> keywords) {
  // The keyword itself may lie wholly outside the window: only the gap is measured, so widen by the longest word.
  constexpr std::size_t kLongest = 24;
  const std::size_t from = begin > kKeywordWindow + kLongest ? begin - kKeywordWindow - kLongest : 0;
  return has_keyword(text.substr(from, begin - from), keywords);
}

bool keyword_near(std::string_view text, std::size_t begin, std::size_t end,
                  std::span<const std::string_view> keywords) {
  return keyword_before(text, begin, keywords) || has_keyword(text.substr(end, kKeywordWindow), keywords);
}

bool is_masked_already(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '[') {
      std::size_t end = i + 1;
      while (end < text.size() && (is_upper(text[end]) || text[end] == '_' || is_digit(text[end]))) ++end;
      if (at_or_nul(text, end) != ']') return false;
      i = end;
    } else if (is_word(text[i])) {
      return false;
    }
  }
  return true;
}

}  // namespace mlops::detect
