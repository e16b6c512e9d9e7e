#include "policies/detect/fold.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "policies/detect/fold_table.h"
#include "policies/detect/scan.h"

namespace mlops::detect {
namespace {

// What becomes of a code point: kStays, kVanishes, an ASCII character, or kSequence + its number.
using Fate = std::uint16_t;
constexpr Fate kStays = 0;
constexpr Fate kVanishes = 1;
constexpr Fate kSequence = 0x80;

class Fates {
 public:
  Fates() {
    pages_.emplace_back();  // of blocks where everything stays
    for (const auto& [first, last] : fold_dropped()) {
      for (char32_t c = first; c <= last; ++c) at(c) = kVanishes;
    }
    for (const auto& [first, text] : fold_runs()) {
      for (std::size_t i = 0; i < text.size(); ++i) at(first + static_cast<char32_t>(i)) = static_cast<Fate>(text[i]);
    }
    Fate next = kSequence;
    for (const auto& row : fold_sequences()) at(row.first) = next++;
  }

  // REQUIRES: a code point of Unicode.
  Fate of(char32_t c) const { return pages_[page_of_[c >> kPageBits]][c & (kPageSize - 1)]; }

 private:
  static constexpr unsigned kPageBits = 7;
  static constexpr std::size_t kPageSize = 1u << kPageBits;

  Fate& at(char32_t c) {
    auto& page = page_of_[c >> kPageBits];
    if (page == 0) {
      page = static_cast<std::uint16_t>(pages_.size());
      pages_.emplace_back();
    }
    return pages_[page][c & (kPageSize - 1)];
  }

  std::array<std::uint16_t, 0x110000 / kPageSize> page_of_{};
  std::vector<std::array<Fate, kPageSize>> pages_;
};

const Fates& fates() {
  static const Fates kFates;
  return kFates;
}

struct Decoded {
  char32_t code_point = 0;
  std::size_t length = 1;
  bool valid = false;
};

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

// REQUIRES: a byte above ASCII at `at`.
Decoded decode(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 0;
  if (length == 0 || lead > 0xF4 || at + length > text.size()) return {};
  char32_t code_point = lead & (0xFFu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if (!is_continuation(text[at + i])) return {};
    code_point = (code_point << 6) | (static_cast<unsigned char>(text[at + i]) & 0x3F);
  }
  if (code_point > 0x10FFFF) return {};
  return {code_point, length, true};
}

// The first byte above ASCII at or after `at`; text.size() without one. Eight bytes at a time.
std::size_t skip_ascii(std::string_view text, std::size_t at) {
  for (std::uint64_t word = 0; at + sizeof word <= text.size(); at += sizeof word) {
    std::memcpy(&word, text.data() + at, sizeof word);
    if ((word & 0x8080808080808080u) != 0) break;
  }
  while (at < text.size() && !is_high(text[at])) ++at;
  return at;
}

}  // namespace

bool is_ascii(std::string_view text) {
  return skip_ascii(text, 0) == text.size();
}

void Folded::add(const Piece& piece) {
  if (pieces_.back().begin == piece.begin)
    pieces_.back() = piece;
  else
    pieces_.push_back(piece);
}

std::size_t Folded::piece_of(std::size_t at) const {
  const auto next = std::upper_bound(pieces_.begin(), pieces_.end(), at,
                                     [](std::size_t value, const Piece& piece) { return value < piece.begin; });
  return static_cast<std::size_t>(next - pieces_.begin()) - 1;
}

Span Folded::to_original(const Span& span) const {
  const std::size_t first = piece_of(span.begin);
  const std::size_t last = piece_of(span.end - 1);
  std::size_t begin = span.begin;
  while (begin > pieces_[first].begin && is_continuation(text[begin])) --begin;
  std::size_t end = span.end;
  while (end < pieces_[last + 1].begin && is_continuation(text[end])) ++end;
  Span original{pieces_[first].original(), pieces_[last + 1].original(), span.score};
  if (!pieces_[first].whole()) original.begin += begin - pieces_[first].begin;
  if (end < pieces_[last + 1].begin && !pieces_[last].whole()) {
    original.end = pieces_[last].original() + (end - pieces_[last].begin);
  }
  return original;
}

Folded fold(std::string_view text) {
  const Fates& known = fates();
  Folded folded;
  folded.text.reserve(text.size());
  folded.pieces_.reserve(16);
  folded.pieces_.emplace_back(0, 0, false);
  std::size_t copied = 0;  // bytes before this one are in the shadow, or have vanished
  for (std::size_t at = skip_ascii(text, 0); at < text.size(); at = is_high(text[at]) ? at : skip_ascii(text, at)) {
    const Decoded decoded = decode(text, at);
    const Fate fate = decoded.valid ? known.of(decoded.code_point) : kStays;
    const std::size_t end = at + decoded.length;
    if (fate != kStays) {
      if (at > copied) folded.text.append(text.data() + copied, at - copied);
      copied = end;
    }
    if (fate > kVanishes) {
      folded.add({folded.text.size(), at, true});
      if (fate < kSequence)
        folded.text.push_back(static_cast<char>(fate));
      else
        folded.text.append(fold_sequences()[fate - kSequence].text);
    }
    if (fate != kStays) folded.add({folded.text.size(), end, false});
    at = end;
    if (at == text.size()) break;
  }
  folded.text.append(text.substr(copied));
  folded.add({folded.text.size(), text.size(), false});
  return folded;
}

}  // namespace mlops::detect
