#include "policies/detect/id_index.h"

#include <algorithm>
#include <iterator>

#include "policies/detect/family.h"
#include "policies/detect/fold.h"

namespace mlops::detect {
namespace {

constexpr std::size_t kLongestKeyword = 40;  // whole words around the window are kept
constexpr std::size_t kLeadGap = 16;         // a keyword leads to a number that comes this soon
constexpr std::size_t kAbbreviation = 3;     // letters
constexpr std::string_view kFillers[] = {"number", "no",  "num",  "nr",     "nbr",    "id",     "is",  "was",
                                         "code",   "of",  "the",  "issued", "numero", "nummer", "n",   "ist",
                                         "es",     "est", "card", "ending", "value",  "as",     "and", "type"};

bool is_in_run(char slot) {
  return is_alnum(slot) && slot != 'P' && slot != 'S';
}
bool is_word_byte(char c) {
  return is_alnum(c) || is_high(c);
}

std::size_t first_run(std::string_view pattern) {
  std::size_t size = 0;
  while (size < pattern.size() && is_in_run(pattern[size])) ++size;
  // The signs of Finland may be letters: the run of such a shape has no fixed end.
  return size < pattern.size() && pattern[size] == 'S' ? 0 : size;
}

Structure structure_of(std::string_view pattern) {
  const bool one_letter = pattern[0] == 'A' && pattern.find_first_not_of('9', 1) == std::string_view::npos;
  if (one_letter) return Structure::kBareDigits;  // half of all codes look like that
  if (pattern.find_first_of("AN") != std::string_view::npos) return Structure::kMixed;
  return first_run(pattern) == pattern.size() ? Structure::kBareDigits : Structure::kGroupedDigits;
}

Shape shape_of(std::string_view pattern, std::size_t row) {
  Shape shape;
  shape.pattern = pattern;
  shape.row = row;
  shape.structure = structure_of(pattern);
  shape.separated = pattern.find_first_of("_ -./P") != std::string_view::npos;
  const std::size_t run = first_run(pattern);
  if (run == 0) return shape;
  const std::string_view slots = pattern.substr(0, run);
  if (slots.find('9') != std::string_view::npos) shape.needs |= Shape::kDigits;
  if (slots.find_first_not_of("9N") != std::string_view::npos) shape.needs |= Shape::kLetters;
  if (slots.find('N') == std::string_view::npos) shape.allows = shape.needs;
  const char next = at_or_nul(pattern, run);
  if (next != 'P' && next != 'S') shape.next = next;
  return shape;
}

std::vector<std::string> words_of(std::string_view phrase) {
  std::vector<std::string> words;
  bool open = false;
  for (const char c : fold(phrase).text) {
    if (!is_word_byte(c)) {
      open = false;
      continue;
    }
    if (!open) words.emplace_back();
    open = true;
    words.back().push_back(to_lower(c));
  }
  return words;
}

std::size_t slot_of(std::string_view word) {
  WordHash hash;
  for (const char c : word) hash.add(c);
  return hash.slot();
}

void add_row(IdIndex& index, const IdRow& row) {
  const std::size_t number = index.rows.size();
  index.rows.push_back(&row);
  for (const auto pattern : alternatives(row.shapes)) {
    index.by_run[first_run(pattern)].push_back(shape_of(pattern, number));
  }
  if (row.led.most > 0) index.led.push_back(number);
  for (const auto phrase : alternatives(row.words)) {
    auto words = words_of(phrase);
    if (words.empty()) continue;
    if (row.led.most > 0) index.may_govern.set(slot_of(words.back()));
    auto& slot = index.keywords[slot_of(words.front())];
    std::size_t letters = 0;
    for (const auto& word : words) letters += word.size();
    slot.push_back({std::move(words), letters, number});
  }
  auto& rules = index.headers.emplace_back();
  for (const auto words : alternatives(row.headers)) {
    const bool short_word = words.size() <= 4 && words.find(' ') == std::string_view::npos;
    rules.push_back({words, short_word ? HeaderMatch::kExact : HeaderMatch::kAny, 0.9});
  }
}

IdIndex make_index() {
  IdIndex index;
  for (const auto filler : kFillers) index.may_govern.set(slot_of(filler));
  for (const auto rows : {national_id_rows(), other_id_rows()}) {
    for (const auto& row : rows) add_row(index, row);
  }
  for (auto& shapes : index.by_run) {
    std::stable_sort(shapes.begin(), shapes.end(), [](const Shape& a, const Shape& b) {
      return a.row != b.row ? a.row < b.row : a.pattern.size() > b.pattern.size();
    });
  }
  return index;
}

bool has_digit(std::string_view text) {
  return std::any_of(text.begin(), text.end(), is_digit);
}

}  // namespace

const IdIndex& id_index() {
  static const IdIndex kIndex = make_index();
  return kIndex;
}

std::vector<std::string_view> alternatives(std::string_view list) {
  std::vector<std::string_view> parts;
  while (!list.empty()) {
    const std::size_t bar = list.find('|');
    parts.push_back(list.substr(0, bar));
    list.remove_prefix(bar == std::string_view::npos ? list.size() : bar + 1);
  }
  return parts;
}

Nearby Window::look(std::size_t begin, std::size_t end) {
  constexpr std::size_t kReach = kKeywordWindow + kLongestKeyword;
  read(begin > kReach ? begin - kReach : 0, std::min(text_.size(), end + kKeywordWindow));
  Nearby nearby;
  for (auto hit = hits_.rbegin(); hit != hits_.rend() && hit->begin + kReach >= begin; ++hit) {
    if (hit->end > begin) {
      if (hit->begin >= end && hit->end <= end + kKeywordWindow) nearby.near.set(hit->row);
      continue;
    }
    const std::string_view gap = text_.substr(hit->end, begin - hit->end);
    if (gap.size() > kKeywordWindow) continue;
    nearby.near.set(hit->row);
    if (gap.size() <= kLeadGap && !has_digit(gap)) nearby.leads.set(hit->row);
    if (governs(*hit, begin)) nearby.governs.set(hit->row);
  }
  return nearby;
}

void Window::read(std::size_t from, std::size_t to) {
  const auto& index = id_index();
  std::size_t at = std::max(from, read_);
  while (at < to && at > 0 && is_word_byte(text_[at - 1]) && is_word_byte(text_[at])) ++at;
  while (at < to) {
    if (!is_word_byte(text_[at])) {
      ++at;
      continue;
    }
    const std::size_t begin = at;
    WordHash hash;
    while (at < text_.size() && is_word_byte(text_[at])) hash.add(text_[at++]);
    for (const auto& keyword : index.keywords[hash.slot()]) {
      const std::size_t end = end_of(keyword, begin);
      if (end > begin) hits_.push_back({begin, end, keyword.row, keyword.letters <= kAbbreviation});
    }
  }
  read_ = std::max(read_, at);
}

// Where the keyword ends when its words begin at `at`, `at` itself when they do not.
std::size_t Window::end_of(const Keyword& keyword, std::size_t at) const {
  std::size_t next = at;
  for (const auto& word : keyword.words) {
    while (next > at && next < text_.size() && !is_word_byte(text_[next]) && text_[next] != '\n') ++next;
    if (!has_at(text_, next, word)) return at;
    next += word.size();
    if (next < text_.size() && is_word_byte(text_[next])) return at;
  }
  return next;
}

bool Window::governs(const Hit& hit, std::size_t begin) const {
  const std::string_view gap = text_.substr(hit.end, begin - hit.end);
  if (gap.find('\n') != std::string_view::npos) return false;
  // An abbreviation as short as "s/n" is also a Spanish house without a number.
  if (hit.abbreviation && gap.find_first_of(":#=") == std::string_view::npos) return false;
  for (std::size_t at = 0; at < gap.size();) {
    std::size_t end = at;
    while (end < gap.size() && is_word_byte(gap[end])) ++end;
    const std::string_view word = gap.substr(at, end - at);
    const bool filler = std::any_of(std::begin(kFillers), std::end(kFillers),
                                    [&](std::string_view known) { return equals_ignoring_case(word, known); });
    if (!word.empty() && !filler) return false;
    at = end + 1;
  }
  return true;
}

}  // namespace mlops::detect
