#include "policies/mask/zip3_rule.h"

#include <algorithm>
#include <array>

#include "core/base/text.h"
#include "policies/detect/zip3.h"

namespace mlops::mask {
namespace {

// A bit per census that counts 20,000 people or fewer under the prefix: 2000 and 2010 as published in guidance, 2020
// counted from its ZIP Code Tabulation Areas.
constexpr unsigned k20 = 1;
constexpr unsigned k10 = 2;
constexpr unsigned k00 = 4;

struct SmallPrefix {
  int prefix;
  unsigned censuses;
};
constexpr SmallPrefix kSmall[] = {
    {36, k20 | k10 | k00},
    {59, k20 | k10 | k00},
    {63, k00},
    {102, k20 | k10 | k00},
    {202, k20},
    {203, k20 | k10 | k00},
    {204, k20},
    {205, k20 | k10},
    {369, k20 | k10},
    {556, k20 | k10 | k00},
    {692, k20 | k10 | k00},
    {753, k20},
    {772, k20},
    {790, k00},
    {821, k20 | k10 | k00},
    {823, k20 | k10 | k00},
    {830, k00},
    {831, k00},
    {878, k20 | k10 | k00},
    {879, k20 | k10 | k00},
    {884, k20 | k10 | k00},
    {890, k00},
    {893, k20 | k10 | k00},
};

struct CensusWord {
  std::string_view word;
  Census census;
  unsigned bits;
};
constexpr CensusWord kCensuses[] = {
    {"union", Census::kUnion, k20 | k10 | k00},
    {"2020", Census::k2020, k20},
    {"2010", Census::k2010, k10},
    {"2000", Census::k2000, k00},
};

// By prefix: the censuses that count few people.
constexpr auto kSmallIn = [] {
  std::array<std::uint8_t, 1000> censuses{};
  for (const auto& entry : kSmall) censuses[static_cast<std::size_t>(entry.prefix)] |= entry.censuses;
  return censuses;
}();

bool may_show(int prefix, Census census) {
  const auto* row = std::find_if(std::begin(kCensuses), std::end(kCensuses),
                                 [&](const CensusWord& word) { return word.census == census; });
  const bool small = (kSmallIn[static_cast<std::size_t>(prefix)] & row->bits) != 0;
  return !small && detect::zip3_is_populated(prefix);
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// The five digits of a ZIP code, empty when the cell is none.
std::string five_digits(std::string_view cell) {
  if (cell.ends_with(".0")) cell.remove_suffix(2);
  if (cell.size() > 5 && (cell[cell.size() - 5] == '-' || cell[cell.size() - 5] == ' ')) {  // +4
    if (!all_digits(cell.substr(cell.size() - 4))) return {};
    cell.remove_suffix(5);
  } else if (cell.size() >= 7 && cell.size() <= 9 && all_digits(cell)) {
    cell.remove_suffix(4);
  }
  if (cell.size() < 3 || cell.size() > 5 || !all_digits(cell)) return {};
  return std::string(5 - cell.size(), '0') + std::string(cell);
}

}  // namespace

std::optional<Census> census_from_word(std::string_view word) {
  for (const auto& row : kCensuses) {
    if (row.word == word) return row.census;
  }
  return std::nullopt;
}

std::string zip3_of(std::string_view cell, Census census) {
  cell = trim(cell);
  if (cell.empty()) return {};
  const std::string zip = five_digits(cell);
  if (zip.empty()) return "000";
  const int prefix = (zip[0] - '0') * 100 + (zip[1] - '0') * 10 + (zip[2] - '0');
  return may_show(prefix, census) ? zip.substr(0, 3) : "000";
}

}  // namespace mlops::mask
