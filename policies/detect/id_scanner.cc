#include "policies/detect/id_scanner.h"

#include <algorithm>
#include <array>
#include <bit>
#include <bitset>
#include <cstring>
#include <functional>
#include <optional>
#include <unordered_map>

#include "policies/detect/family.h"
#include "policies/detect/fold.h"
#include "policies/detect/scan.h"

namespace mlops::detect {
namespace {

using RowSet = std::bitset<kMostIdRows>;

constexpr std::size_t kLongestRun = 24;      // of a shape
constexpr std::size_t kLongestKeyword = 40;  // whole words around the window are kept
constexpr std::size_t kLeadGap = 16;         // a keyword leads to a number that comes this soon
constexpr double kNotWorthTelling = 0.2;

std::vector<std::string_view> split(std::string_view list, char at) {
  std::vector<std::string_view> parts;
  while (!list.empty()) {
    const std::size_t bar = list.find(at);
    parts.push_back(list.substr(0, bar));
    list.remove_prefix(bar == std::string_view::npos ? list.size() : bar + 1);
  }
  return parts;
}

struct Shape {
  std::string_view pattern;
  std::size_t row = 0;
  Structure structure = Structure::kBareDigits;
  bool blanks = false;  // may have blanks inside
};

// Slots of a shape whose character belongs to the compact form.
bool is_slot(char c) {
  return c == '9' || c == 'A' || c == 'N';
}
bool is_in_run(char slot) {
  return is_alnum(slot) && slot != 'P' && slot != 'S';
}

std::size_t first_run(std::string_view pattern) {
  std::size_t size = 0;
  while (size < pattern.size() && is_in_run(pattern[size])) ++size;
  // The signs of Finland may be letters: the run of such a shape has no fixed end.
  return size < pattern.size() && pattern[size] == 'S' ? 0 : size;
}

Structure structure_of(std::string_view pattern) {
  const bool digits = pattern.find_first_of("AN") == std::string_view::npos;
  const bool one_letter = pattern[0] == 'A' && pattern.find_first_not_of('9', 1) == std::string_view::npos;
  if (one_letter) return Structure::kBareDigits;  // half of all codes look like that
  if (!digits) return Structure::kMixed;
  return first_run(pattern) == pattern.size() ? Structure::kBareDigits : Structure::kGroupedDigits;
}

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
      return to_upper(c) == slot;
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

// --- keywords -------------------------------------------------------------------------------------------------------

struct Keyword {
  std::vector<std::string> rest;  // the words after the first
  std::size_t row = 0;
};

std::vector<std::string> words_of(std::string_view phrase) {
  std::vector<std::string> words;
  bool open = false;
  for (const char c : fold(phrase).text) {
    if (!is_alnum(c) && !is_high(c)) {
      open = false;
      continue;
    }
    if (!open) words.emplace_back();
    open = true;
    words.back().push_back(to_lower(c));
  }
  return words;
}

struct Index {
  std::vector<const IdRow*> rows;
  std::vector<std::vector<HeaderRule>> headers;
  std::array<std::vector<Shape>, kLongestRun + 1> by_run;  // [0]: runs without a fixed length
  std::unordered_map<std::string, std::vector<Keyword>> keywords;
  std::size_t longest_first_word = 0;
};

Index make_index() {
  Index index;
  for (const auto& row : national_id_rows()) index.rows.push_back(&row);
  for (const auto& row : other_id_rows()) index.rows.push_back(&row);
  for (std::size_t i = 0; i < index.rows.size(); ++i) {
    const IdRow& row = *index.rows[i];
    for (const auto pattern : split(row.shapes, '|')) {
      const Shape shape{pattern, i, structure_of(pattern), pattern.find_first_of("_ ") != std::string_view::npos};
      index.by_run[first_run(pattern)].push_back(shape);
    }
    for (const auto phrase : split(row.words, '|')) {
      auto words = words_of(phrase);
      if (words.empty()) continue;
      std::string first = std::move(words.front());
      words.erase(words.begin());
      index.longest_first_word = std::max(index.longest_first_word, first.size());
      index.keywords[first].push_back({std::move(words), i});
    }
    auto& rules = index.headers.emplace_back();
    for (const auto words : split(row.headers, '|')) {
      const bool short_word = words.size() <= 4 && words.find(' ') == std::string_view::npos;
      rules.push_back({words, short_word ? HeaderMatch::kExact : HeaderMatch::kAny, 0.9});
    }
  }
  for (auto& shapes : index.by_run) {
    std::stable_sort(shapes.begin(), shapes.end(), [](const Shape& a, const Shape& b) {
      return a.row != b.row ? a.row < b.row : a.pattern.size() > b.pattern.size();
    });
  }
  return index;
}

const Index& the_index() {
  static const Index kIndex = make_index();
  return kIndex;
}

struct Nearby {
  RowSet near;
  RowSet leads;
};

// Which rows have a keyword within kKeywordWindow of [begin, end), and which one that leads to it.
class Window {
 public:
  explicit Window(std::string_view text) : text_(text) {}

  Nearby look(std::size_t begin, std::size_t end) {
    Nearby nearby;
    constexpr std::size_t kReach = kKeywordWindow + kLongestKeyword;
    const std::size_t from = begin > kReach ? begin - kReach : 0;
    cut(from, begin);
    for (std::size_t i = 0; i < words_.size(); ++i) visit(i, begin, nearby, true);
    cut(end, std::min(text_.size(), end + kKeywordWindow));
    for (std::size_t i = 0; i < words_.size(); ++i) visit(i, begin, nearby, false);
    return nearby;
  }

 private:
  struct Word {
    std::string lower;
    std::size_t end = 0;
  };

  void cut(std::size_t from, std::size_t to) {
    words_.clear();
    bool open = from > 0 && is_word_byte(text_[from - 1]);
    const bool partial = open;
    for (std::size_t i = from; i < to; ++i) {
      const char c = text_[i];
      if (!is_word_byte(c)) {
        open = false;
        continue;
      }
      if (!open) words_.emplace_back();
      open = true;
      if (words_.empty()) {
        if (partial) continue;
        words_.emplace_back();
      }
      words_.back().lower.push_back(to_lower(c));
      words_.back().end = i + 1;
    }
  }
  static bool is_word_byte(char c) { return is_alnum(c) || is_high(c); }

  void visit(std::size_t at, std::size_t begin, Nearby& nearby, bool before) {
    const auto& index = the_index();
    const std::string& first = words_[at].lower;
    if (first.size() > index.longest_first_word) return;
    const auto known = index.keywords.find(first);
    if (known == index.keywords.end()) return;
    for (const auto& keyword : known->second) {
      if (at + keyword.rest.size() >= words_.size()) continue;
      bool same = true;
      for (std::size_t i = 0; same && i < keyword.rest.size(); ++i) same = words_[at + 1 + i].lower == keyword.rest[i];
      if (!same) continue;
      const std::size_t end = words_[at + keyword.rest.size()].end;
      if (before && begin - end > kKeywordWindow) continue;
      nearby.near.set(keyword.row);
      if (before && begin - end <= kLeadGap && !has_digit(text_.substr(end, begin - end))) {
        nearby.leads.set(keyword.row);
      }
    }
  }
  static bool has_digit(std::string_view text) { return std::any_of(text.begin(), text.end(), is_digit); }

  std::string_view text_;
  std::vector<Word> words_;
};

// --- the pass -------------------------------------------------------------------------------------------------------

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
    const auto& index = the_index();
    for (std::size_t at = next_digit(text_, 0); at < text_.size(); at = next_digit(text_, at)) {
      std::size_t begin = at;
      while (begin > past_ && is_alnum(text_[begin - 1])) --begin;
      std::size_t end = at;
      while (end < text_.size() && is_alnum(text_[end])) ++end;
      candidates(begin, end, index);
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
  void candidates(std::size_t begin, std::size_t end, const Index& index) {
    nearby_.reset();
    const std::size_t run = end - begin;
    if (run <= kLongestRun && run > 0) shapes(begin, index.by_run[run]);
    if (run >= 6 && run <= 11) shapes(begin, index.by_run[0]);
  }

  void shapes(std::size_t begin, const std::vector<Shape>& list) {
    std::size_t done = kMostIdRows;  // a longer shape of this row was found here
    for (const auto& shape : list) {
      if (shape.row == done) continue;
      const auto match = match_shape(text_, begin, shape.pattern);
      if (!match) continue;
      const std::size_t end = begin + shape.pattern.size();
      if (!may_end(text_, end) || !may_begin(text_, begin)) continue;
      if (rate(shape, *match, begin, end)) done = shape.row;
    }
  }

  bool rate(const Shape& shape, const Match& match, std::size_t begin, std::size_t end) {
    const IdRow& row = *the_index().rows[shape.row];
    // Places for letters that all hold digits make a number like any other.
    const Structure numeric = shape.blanks ? Structure::kGroupedDigits : Structure::kBareDigits;
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
    const double score = id_score(evidence);
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
  return the_index().rows;
}

std::span<const double> id_column_scores(std::string_view column) {
  if (column.empty()) return {};
  thread_local std::array<ColumnScores, 64> slots;
  auto& slot = slots[std::hash<std::string_view>{}(column) % slots.size()];
  if (!slot.known || slot.column != column) {
    const auto& index = the_index();
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
  for (const auto pattern : split(row.shapes, '|')) {
    if (pattern.size() != text.size()) continue;
    const auto match = match_shape(text, 0, pattern);
    if (match && (!row.holds || row.holds(match->view()))) return true;
  }
  return false;
}

}  // namespace mlops::detect
