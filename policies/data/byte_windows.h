// Private to policies/data: where the bytes that matter stand in 64 bytes of a table, a bit a byte, the first lowest.
// Thread-safety: free functions. REQUIRES: 64 bytes are there.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace mlops::data {

inline constexpr std::size_t kWindowBytes = 64;

struct LineEnds {
  std::uint64_t feeds = 0;    // LF
  std::uint64_t returns = 0;  // CR
  std::uint64_t quotes = 0;
};

#if defined(__SSE2__)
// The bits of the bytes of which `test` makes 0xFF.
template <class Test>
std::uint64_t window_bits(const char* bytes, const Test& test) {
  constexpr std::size_t kStep = sizeof(__m128i);
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < kWindowBytes / kStep; ++i) {
    const auto step = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + i * kStep));
    bits |= static_cast<std::uint64_t>(static_cast<unsigned>(_mm_movemask_epi8(test(step)))) << (i * kStep);
  }
  return bits;
}

// Delimiters, quotes, line ends, NUL, bytes above ASCII, and a few control bytes that mean nothing.
inline std::uint64_t find_specials(const char* bytes, char delimiter) {
  const auto behind_controls = _mm_set1_epi8('\r' + 1), delimiters = _mm_set1_epi8(delimiter);
  const auto quotes = _mm_set1_epi8('"');
  return window_bits(bytes, [&](__m128i step) {
    const auto marks = _mm_or_si128(_mm_cmpeq_epi8(step, delimiters), _mm_cmpeq_epi8(step, quotes));
    return _mm_or_si128(marks, _mm_cmplt_epi8(step, behind_controls));  // signed: bytes above ASCII are below zero
  });
}

// Does one of four bytes stand in the text, of any length?
inline bool has_any_of(std::string_view text, const std::array<char, 4>& wanted) {
  constexpr std::size_t kStep = sizeof(__m128i);
  const auto a = _mm_set1_epi8(wanted[0]), b = _mm_set1_epi8(wanted[1]);
  const auto c = _mm_set1_epi8(wanted[2]), d = _mm_set1_epi8(wanted[3]);
  auto met = _mm_setzero_si128();
  const auto look = [&](std::size_t at) {
    const auto step = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    met = _mm_or_si128(met, _mm_or_si128(_mm_cmpeq_epi8(step, a), _mm_cmpeq_epi8(step, b)));
    met = _mm_or_si128(met, _mm_or_si128(_mm_cmpeq_epi8(step, c), _mm_cmpeq_epi8(step, d)));
  };
  std::size_t at = 0;
  for (; at + kStep <= text.size(); at += kStep) look(at);
  if (text.size() >= kStep) {
    look(text.size() - kStep);  // the rest, with some bytes a second time
    at = text.size();
  }
  bool has = _mm_movemask_epi8(met) != 0;
  for (; at < text.size(); ++at) has |= std::find(wanted.begin(), wanted.end(), text[at]) != wanted.end();
  return has;
}

inline std::uint64_t find_bytes(const char* bytes, char wanted) {
  const auto all = _mm_set1_epi8(wanted);
  return window_bits(bytes, [&](__m128i step) { return _mm_cmpeq_epi8(step, all); });
}
#else
inline std::uint64_t find_specials(const char* bytes, char delimiter) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < kWindowBytes; ++i) {
    const auto c = static_cast<unsigned char>(bytes[i]);
    const bool is_special = c <= '\r' || c >= 0x80 || c == '"' || bytes[i] == delimiter;
    bits |= std::uint64_t{is_special} << i;
  }
  return bits;
}

inline bool has_any_of(std::string_view text, const std::array<char, 4>& wanted) {
  return text.find_first_of(wanted.data(), 0, wanted.size()) != std::string_view::npos;
}

inline std::uint64_t find_bytes(const char* bytes, char wanted) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < kWindowBytes; ++i) bits |= std::uint64_t{bytes[i] == wanted} << i;
  return bits;
}
#endif

inline LineEnds find_line_ends(const char* bytes) {
  return {find_bytes(bytes, '\n'), find_bytes(bytes, '\r'), find_bytes(bytes, '"')};
}

}  // namespace mlops::data
