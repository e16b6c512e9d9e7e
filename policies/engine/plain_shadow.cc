#include "policies/engine/plain_shadow.h"

#include <array>
#include <string>

namespace mlops::policy {
namespace {

// Greek and Cyrillic capitals made small, each in as many bytes as before. Before anything is read as the Latin letter
// it looks like: the capital В does, the small one does not.
std::string small_letters(std::string_view text) {
  struct Range {
    unsigned first;
    unsigned last;
    unsigned step;
  };
  constexpr std::array<Range, 7> kRanges{{{0x386, 0x386, 38},
                                          {0x388, 0x38A, 37},
                                          {0x38C, 0x38C, 64},
                                          {0x38E, 0x38F, 63},
                                          {0x391, 0x3AB, 32},
                                          {0x400, 0x40F, 80},
                                          {0x410, 0x42F, 32}}};
  constexpr unsigned kFinalSigma = 0x3C2;
  std::string small(text);
  for (std::size_t i = 0; i + 1 < small.size(); ++i) {
    const auto lead = static_cast<unsigned char>(small[i]);
    const auto next = static_cast<unsigned char>(small[i + 1]);
    if (lead < 0xCD || lead > 0xD0 || (next & 0xC0U) != 0x80U) continue;
    auto letter = (lead & 0x1FU) << 6 | (next & 0x3FU);
    if (letter == kFinalSigma) ++letter;
    for (const auto& range : kRanges) {
      if (letter < range.first || letter > range.last) continue;
      letter += range.step;
      break;
    }
    small[i] = static_cast<char>(0xC0U | letter >> 6);
    small[++i] = static_cast<char>(0x80U | (letter & 0x3FU));
  }
  return small;
}

}  // namespace

PlainShadow::PlainShadow(std::string_view text) : text_(text) {
  if (!detect::is_ascii(text)) folded_ = detect::fold(small_letters(text));
}

void PlainShadow::to_original(std::size_t& begin, std::size_t& end) const {
  if (!folded_) return;
  const auto span = folded_->to_original({begin, end, 0});
  begin = span.begin;
  end = span.end;
}

}  // namespace mlops::policy
