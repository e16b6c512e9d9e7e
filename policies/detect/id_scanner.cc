#include "policies/detect/id_scanner.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>

#include "policies/detect/family.h"
#include "policies/detect/id_index.h"
#include "policies/detect/number_rows.h"
#include "policies/detect/scan.h"

namespace mlops::detect {
namespace {

constexpr double kNotWorthTelling = 0.2;
// A code of letters and digits that this share of all such codes passes is a product's or a problem's just as well.
constexpr double kLoose = 0.05;

char to_upper(char c) {
  return is_lower(c) ? static_cast<char>(c - ('a' - 'A')) : c;
}

// One character of a shape. `separator` is the one chosen so far, '\0' none.
bool fits(char slot, char c, char& separator) {
  switch (slot) {
    case '9':
      return is_digit(c);
    case 'A':
      return is_alpha(c);
    case 'N':
      return is_alnum(c);
    case 'P':
      return c == '-' || c == '+';
    case 'S':
      return std::string_view("-+ABCDEFUVWXYabcdefuvwxy").find(c) != std::string_view::npos;
    case '_':
      if (c != ' ' && c != '-' && c != '.') return false;
      if (separator != '\0' && separator != c) return false;
      separator = c;
      return true;
    default:
      return to_upper(c) == to_upper(slot);
  }
}

struct Match {
  std::array<char, 32> compact;
  std::size_t size = 0;
  bool upper = true;  // no lower-case letter
  bool letter = false;
  std::string_view view() const { return {compact.data(), size}; }
};

std::optional<Match> match_shape(std::string_view text, std::size_t at, std::string_view pattern) {
  if (text.size() - at < pattern.size()) return std::nullopt;
  Match match;
  char separator = '\0';
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = text[at + i];
    if (!fits(pattern[i], c, separator)) return std::nullopt;
    if (is_lower(c)) match.upper = false;
    if (is_alpha(c)) match.letter = true;
    if (is_slot(pattern[i]) || pattern[i] == 'P' || pattern[i] == 'S') match.compact[match.size++] = to_upper(c);
  }
  return match;
}

// The next digit at or after `at`; text.size() without one. Eight bytes at a time.
std::size_t next_digit(std::string_view text, std::size_t at) {
  constexpr std::uint64_t kHigh = 0x8080808080808080u;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, 8);
    const std::uint64_t low = word ^ 0x3030303030303030u;  // digits become 0–9
    const std::uint64_t others = ((low & ~kHigh) + 0x7676767676767676u) | low;
    const std::uint64_t digits = ~others & kHigh;
    if (digits == 0) continue;
    if constexpr (std::endian::native == std::endian::little) {
      return at + static_cast<std::size_t>(std::countr_zero(digits)) / 8;
    }
    break;
  }
  while (at < text.size() && !is_digit(text[at])) ++at;
  return at;
}

bool may_begin(std::string_view text, std::size_t at) {
  if (at == 0) return true;
  const char before = text[at - 1];
  if (is_alnum(before)) return false;
  if (before == '.') return at >= 2 && is_alpha(text[at - 2]);
  const bool thousands = before == ',' && digits_at(text, at) == 3;
  const bool joins = thousands || before == '-' || before == '/' || before == ':';
  return !joins || at < 2 || !is_digit(text[at - 2]);
}
bool may_end(std::string_view text, std::size_t end) {
  const char after = at_or_nul(text, end);
  if (is_alnum(after) || after == '%') return false;
  const bool joins = after == '.' || after == '-' || after == '/' || after == ':' || after == '+';
  return !joins || !is_alnum(at_or_nul(text, end + 1));
}
// A group of digits beside groups of digits is a row of a table.
bool among_numbers(std::string_view text, std::size_t begin, std::size_t end) {
  const bool before = begin >= 2 && is_blank(text[begin - 1]) && is_digit(text[begin - 2]);
  return before || (is_blank(at_or_nul(text, end)) && is_digit(at_or_nul(text, end + 1)));
}

class Pass {
 public:
  Pass(std::string_view text, std::span<const double> column, std::vector<IdSpan>& out)
      : text_(text), column_(column), out_(out), window_(text) {}

  void run() {
    const auto& index = id_index();
    whole_cell(index);
    for (std::size_t at = next_digit(text_, 0); at < text_.size(); at = next_digit(text_, at)) {
      std::size_t begin = at;
      while (begin > past_ && is_alnum(text_[begin - 1])) --begin;
      std::size_t end = at;
      while (end < text_.size() && is_alnum(text_[end])) ++end;
      candidates(begin, end, index);
      led(begin, end, index);
      // Ids that begin with one or two groups of letters: "AB 12 34 56 C", "X-1234567-L".
      for (std::size_t start = begin, groups = 0; groups < 2 && start >= 2; ++groups) {
        const char separator = text_[start - 1];
        if (separator != ' ' && separator != '-' && separator != '.') break;
        std::size_t letters = start - 1;
        while (letters > past_ && start - letters <= 4 && is_alpha(text_[letters - 1])) --letters;
        if (letters == start - 1 || start - letters > 4 || (letters > 0 && is_alnum(text_[letters - 1]))) break;
        candidates(letters, start - 1, index);
        start = letters;
      }
      past_ = end;
      at = end;
    }
  }

 private:
  // Tries the shapes whose first run is the run [begin, end).
  void candidates(std::size_t begin, std::size_t end, const IdIndex& index) {
    constexpr std::size_t kFewest = 6;  // of a run without a fixed length: Finland's
    constexpr std::size_t kMost = 11;
    const std::size_t run = end - begin;
    if (run > kLongestRun || run == 0 || !may_begin(text_, begin)) return;
    nearby_.reset();
    const auto first = text_.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto digits = std::count_if(first, first + static_cast<std::ptrdiff_t>(run), is_digit);
    const unsigned kinds =
        (digits > 0 ? Shape::kDigits : 0) | (digits < static_cast<std::ptrdiff_t>(run) ? Shape::kLetters : 0);
    const char next = at_or_nul(text_, end);
    shapes(begin, index.by_run[run], kinds, next);
    if (run >= kFewest && run <= kMost) shapes(begin, index.by_run[0], kinds, next);
  }

  void shapes(std::size_t begin, const std::vector<Shape>& list, unsigned kinds, char next) {
    std::size_t done = kMostIdRows;  // a longer shape of this row was found here
    for (const auto& shape : list) {
      if ((kinds & shape.needs) != shape.needs || (kinds & ~shape.allows) != 0 || shape.row == done) continue;
      if (shape.next == '_' ? next != ' ' && next != '-' && next != '.' : shape.next != '\0' && next != shape.next) {
        continue;
      }
      const auto match = match_shape(text_, begin, shape.pattern);
      if (!match) continue;
      const std::size_t end = begin + shape.pattern.size();
      if (!may_end(text_, end)) continue;
      if (rate(shape, *match, begin, end)) done = shape.row;
    }
  }

  // Rows without a shape take the whole cell of a column of theirs.
  void whole_cell(const IdIndex& index) {
    constexpr std::size_t kLongestValue = 64;
    constexpr double kNamed = 0.9;
    if (column_.empty()) return;
    const Range whole = trimmed(text_);
    if (whole.end == whole.begin || whole.end - whole.begin > kLongestValue || is_masked_already(text_)) return;
    for (const std::size_t row : index.led) {
      if (column_[row] >= kAgrees) out_.push_back({row, whole.begin, whole.end, kNamed});
    }
  }

  // Is the token around the run [begin, end) what a keyword right before it says?
  void led(std::size_t begin, std::size_t end, const IdIndex& index) {
    constexpr std::size_t kFewestDigits = 3;
    constexpr double kLed = 0.8;
    const auto joins = [&](std::size_t at) {
      const char c = at_or_nul(text_, at);
      return (c == '-' || c == '/' || c == '.') && is_alnum(at_or_nul(text_, at + 1));
    };
    while (begin > 1 && joins(begin - 1) && is_alnum(text_[begin - 2])) {  // "PM-4471023"
      if (begin - 1 <= past_) return;                                      // the token's first number was looked at
      --begin;
      while (begin > past_ && is_alnum(text_[begin - 1])) --begin;
    }
    if (!may_be_led(begin)) return;
    while (end < text_.size() && (is_alnum(text_[end]) || joins(end))) ++end;
    const auto digits = std::count_if(text_.begin() + static_cast<std::ptrdiff_t>(begin),
                                      text_.begin() + static_cast<std::ptrdiff_t>(end), is_digit);
    if (digits < static_cast<std::ptrdiff_t>(kFewestDigits)) return;
    const Nearby nearby = window_.look(begin, end);
    for (const std::size_t row : index.led) {
      const auto& [least, most] = index.rows[row]->led;
      const bool named = !column_.empty() && column_[row] >= kAgrees;
      if (nearby.governs.test(row) && !named && end - begin >= least && end - begin <= most) {
        out_.push_back({row, begin, end, kLed});
      }
    }
  }

  // A word that may be the end of a keyword, or between one and its number, stands before it.
  bool may_be_led(std::size_t begin) const {
    constexpr std::size_t kMostPunctuation = 6;
    constexpr std::size_t kLongestWord = 40;
    std::size_t end = begin;
    while (end > 0 && begin - end < kMostPunctuation && !is_alnum(text_[end - 1]) && !is_high(text_[end - 1])) {
      if (text_[--end] == '\n') return false;
    }
    std::size_t from = end;
    while (from > 0 && end - from < kLongestWord && (is_alnum(text_[from - 1]) || is_high(text_[from - 1]))) --from;
    if (from == end || end == begin) return false;
    WordHash hash;
    for (std::size_t i = from; i < end; ++i) hash.add(text_[i]);
    return id_index().may_govern.test(hash.slot());
  }

  bool rate(const Shape& shape, const Match& match, std::size_t begin, std::size_t end) {
    const IdRow& row = *id_index().rows[shape.row];
    // Places for letters that all hold digits make a number like any other.
    const Structure numeric = shape.separated ? Structure::kGroupedDigits : Structure::kBareDigits;
    const bool mixed = shape.structure == Structure::kMixed && match.letter;
    IdEvidence evidence{mixed || shape.structure != Structure::kMixed ? shape.structure : numeric, CheckOutcome::kNone,
                        row.false_positive};
    if (row.holds) evidence.check = row.holds(match.view()) ? CheckOutcome::kHolds : CheckOutcome::kFails;
    evidence.context = context_of(shape.row, begin, end);
    if (evidence.context == IdContext::kNone) {
      if (evidence.check == CheckOutcome::kFails && row.on_failed == OnFailedCheck::kVetoes) return false;
      if (mixed && !match.upper) return false;
      if (!mixed && among_numbers(text_, begin, end)) return false;
    }
    double score = id_score(evidence);
    if (evidence.context == IdContext::kNone && score > kMostAmongNumbers) {
      const bool loose = mixed && !shape.separated && row.false_positive > kLoose;
      const auto holds = [&](std::string_view line) { return id_holds(row, line); };
      if (loose || in_number_table(text_, begin, end, holds)) score = kMostAmongNumbers;
    }
    if (score < kNotWorthTelling) return false;
    out_.push_back({shape.row, begin, end, score});
    return true;
  }

  IdContext context_of(std::size_t row, std::size_t begin, std::size_t end) {
    if (!column_.empty() && column_[row] >= kAgrees) return IdContext::kColumn;
    if (!nearby_) nearby_ = window_.look(begin, end);
    return nearby_->leads.test(row) ? IdContext::kLeads : nearby_->near.test(row) ? IdContext::kNear : IdContext::kNone;
  }

  std::string_view text_;
  std::span<const double> column_;
  std::vector<IdSpan>& out_;
  Window window_;
  std::optional<Nearby> nearby_;  // of the candidate being looked at
  std::size_t past_ = 0;          // what ended here was looked at
};

struct ColumnScores {
  std::string column;
  bool known = false;
  std::array<double, kMostIdRows> scores{};
};

}  // namespace

const std::vector<const IdRow*>& id_rows() {
  return id_index().rows;
}

std::span<const double> id_column_scores(std::string_view column) {
  if (column.empty()) return {};
  thread_local const auto own = std::make_unique<std::array<ColumnScores, 64>>();
  auto& slots = *own;
  auto& slot = slots[std::hash<std::string_view>{}(column) % slots.size()];
  if (!slot.known || slot.column != column) {
    const auto& index = id_index();
    for (std::size_t i = 0; i < index.rows.size(); ++i) slot.scores[i] = header_score(index.headers[i], column);
    slot.column.assign(column);
    slot.known = true;
  }
  return slot.scores;
}

void find_ids(std::string_view folded, std::string_view column, std::vector<IdSpan>& out) {
  Pass(folded, id_column_scores(column), out).run();
}

bool id_holds(const IdRow& row, std::string_view value) {
  const Range whole = trimmed(value);
  const std::string_view text = value.substr(whole.begin, whole.end - whole.begin);
  for (const auto pattern : alternatives(row.shapes)) {
    if (pattern.size() != text.size()) continue;
    const auto match = match_shape(text, 0, pattern);
    if (match && (!row.holds || row.holds(match->view()))) return true;
  }
  return false;
}

}  // namespace mlops::detect
