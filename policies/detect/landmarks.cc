#include "policies/detect/landmarks.h"

#include <algorithm>
#include <array>

namespace mlops::detect {
namespace {

// A keyword may end kKeywordWindow before a value and be 24 bytes long (family.cc).
constexpr std::size_t kMargin = 64;
constexpr std::size_t kSignMargin = 320;  // either side of an @ is up to 255 bytes
constexpr std::size_t kLongestToken = 1024;
constexpr std::size_t kClusterGap = 3;

enum Mark : std::uint8_t { kPlain, kNumber, kSign, kDot, kColon, kDash, kLetterD };

constexpr std::array<std::uint8_t, 256> kMarks = [] {
  std::array<std::uint8_t, 256> marks{};
  for (int c = '0'; c <= '9'; ++c) marks[static_cast<std::size_t>(c)] = kNumber;
  marks['@'] = kSign;
  marks['.'] = kDot;
  marks[':'] = kColon;
  marks['-'] = kDash;
  marks['d'] = marks['D'] = kLetterD;
  return marks;
}();

// AB-CD- or -AB-CD: a hardware address written with dashes.
bool joins_hex_pairs(std::string_view text, std::size_t at) {
  const auto hex = [&](std::size_t i) { return is_hex(at_or_nul(text, i)); };
  if (at < 2 || !hex(at - 2) || !hex(at - 1) || !hex(at + 1) || !hex(at + 2)) return false;
  return at_or_nul(text, at + 3) == '-' || before_or_nul(text, at - 2) == '-';
}

}  // namespace

void Landmarks::read(std::string_view text) {
  text_ = text;
  numbers_.clear();
  signs_.clear();
  punctuation_.clear();
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::uint8_t mark = kMarks[static_cast<unsigned char>(text[at])];
    if (mark == kPlain) continue;
    const auto position = static_cast<std::uint32_t>(at);
    switch (mark) {
      case kNumber: {
        const std::size_t digits = digits_at(text, at);
        const auto end = static_cast<std::uint32_t>(at + digits);
        if (!numbers_.empty() && at - numbers_.back().end <= kClusterGap) {
          numbers_.back().end = end;
          numbers_.back().digits += static_cast<std::uint32_t>(digits);
        } else {
          numbers_.push_back({position, end, static_cast<std::uint32_t>(digits)});
        }
        at += digits - 1;
        break;
      }
      case kSign:
        signs_.push_back(position);
        break;
      case kLetterD:  // john at example dot com
        if (has_at(text, at, "dot") && !is_word(before_or_nul(text, at)) && !is_word(at_or_nul(text, at + 3)))
          signs_.push_back(position);
        break;
      case kDot:
        if (is_word(before_or_nul(text, at)) && is_word(at_or_nul(text, at + 1))) punctuation_.push_back(position);
        break;
      case kColon: {
        const char next = at_or_nul(text, at + 1);
        if (is_hex(next) || next == '/' || next == ':') punctuation_.push_back(position);
        break;
      }
      default:
        if (joins_hex_pairs(text, at)) punctuation_.push_back(position);
    }
  }
}

void Landmarks::add(std::size_t begin, std::size_t end, std::size_t margin, std::vector<Range>& out) const {
  if (!out.empty() && end + margin <= out.back().end) return;
  std::size_t from = begin > margin ? begin - margin : 0;
  std::size_t to = std::min(text_.size(), end + margin);
  const std::size_t furthest = from > kLongestToken ? from - kLongestToken : 0;
  while (from > furthest && !is_blank(text_[from - 1])) --from;
  const std::size_t last = std::min(text_.size(), to + kLongestToken);
  while (to < last && !is_blank(text_[to])) ++to;
  if (!out.empty() && from <= out.back().end)
    out.back().end = std::max(out.back().end, to);
  else
    out.push_back({from, to});
}

void Landmarks::windows(Needs needs, unsigned min_digits, std::vector<Range>& out) const {
  switch (needs) {
    case Needs::kNothing:
    case Needs::kLetter:
      if (!text_.empty()) out.push_back({0, text_.size()});
      return;
    case Needs::kDigit:
      for (const Cluster& number : numbers_) {
        if (number.digits >= min_digits) add(number.begin, number.end, kMargin, out);
      }
      return;
    case Needs::kAt:
      for (const std::uint32_t at : signs_) add(at, at + 1, kSignMargin, out);
      return;
    case Needs::kDotOrColon:
      for (const std::uint32_t at : punctuation_) add(at, at + 1, kMargin, out);
      return;
  }
}

}  // namespace mlops::detect
