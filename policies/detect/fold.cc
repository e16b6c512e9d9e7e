#include "policies/detect/fold.h"

#include <algorithm>
#include <cstring>

namespace mlops::detect {
namespace {

struct Interval {
  char32_t first;
  char32_t last;
};

// General category Cf, variation selectors, and the combining marks used on Latin letters. Sorted.
constexpr Interval kInvisible[] = {
    {0x00AD, 0x00AD},   {0x0300, 0x036F},   {0x0600, 0x0605},   {0x061C, 0x061C},   {0x06DD, 0x06DD},
    {0x070F, 0x070F},   {0x0890, 0x0891},   {0x08E2, 0x08E2},   {0x115F, 0x1160},   {0x17B4, 0x17B5},
    {0x180B, 0x180F},   {0x1AB0, 0x1ACE},   {0x1DC0, 0x1DFF},   {0x200B, 0x200F},   {0x202A, 0x202E},
    {0x2060, 0x206F},   {0x20D0, 0x20F0},   {0x3164, 0x3164},   {0xFE00, 0xFE0F},   {0xFE20, 0xFE2F},
    {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0},   {0xFFF0, 0xFFFB},   {0x110BD, 0x110BD}, {0x110CD, 0x110CD},
    {0x13430, 0x1343F}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},
};

// The zero of each decimal-digit block (general category Nd). Sorted.
constexpr char32_t kZeros[] = {
    0x0660,  0x06F0,  0x07C0,  0x0966,  0x09E6,  0x0A66,  0x0AE6,  0x0B66,  0x0BE6,  0x0C66,  0x0CE6,  0x0D66,
    0x0DE6,  0x0E50,  0x0ED0,  0x0F20,  0x1040,  0x1090,  0x17E0,  0x1810,  0x1946,  0x19D0,  0x1A80,  0x1A90,
    0x1B50,  0x1BB0,  0x1C40,  0x1C50,  0xA620,  0xA8D0,  0xA900,  0xA9D0,  0xA9F0,  0xAA50,  0xABF0,  0xFF10,
    0x104A0, 0x10D30, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0, 0x11730,
    0x118E0, 0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x11F50, 0x16A60, 0x16AC0, 0x16B50, 0x1D7CE, 0x1D7D8, 0x1D7E2,
    0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E4F0, 0x1E950, 0x1FBF0,
};

struct Alike {
  char32_t from;
  char to;
};

// Dashes, blanks, quotes, and the Greek and Cyrillic letters drawn like Latin ones. Sorted.
constexpr Alike kAlikes[] = {
    {0x00A0, ' '},  {0x02BC, '\''}, {0x0391, 'A'}, {0x0392, 'B'}, {0x0395, 'E'}, {0x0396, 'Z'},  {0x0397, 'H'},
    {0x0399, 'I'},  {0x039A, 'K'},  {0x039C, 'M'}, {0x039D, 'N'}, {0x039F, 'O'}, {0x03A1, 'P'},  {0x03A4, 'T'},
    {0x03A5, 'Y'},  {0x03A7, 'X'},  {0x03BD, 'v'}, {0x03BF, 'o'}, {0x0405, 'S'}, {0x0406, 'I'},  {0x0408, 'J'},
    {0x0410, 'A'},  {0x0412, 'B'},  {0x0415, 'E'}, {0x041A, 'K'}, {0x041C, 'M'}, {0x041D, 'H'},  {0x041E, 'O'},
    {0x0420, 'P'},  {0x0421, 'C'},  {0x0422, 'T'}, {0x0423, 'Y'}, {0x0425, 'X'}, {0x0430, 'a'},  {0x0435, 'e'},
    {0x043E, 'o'},  {0x0440, 'p'},  {0x0441, 'c'}, {0x0443, 'y'}, {0x0445, 'x'}, {0x0455, 's'},  {0x0456, 'i'},
    {0x0458, 'j'},  {0x04BB, 'h'},  {0x0501, 'd'}, {0x2000, ' '}, {0x2001, ' '}, {0x2002, ' '},  {0x2003, ' '},
    {0x2004, ' '},  {0x2005, ' '},  {0x2006, ' '}, {0x2007, ' '}, {0x2008, ' '}, {0x2009, ' '},  {0x200A, ' '},
    {0x2010, '-'},  {0x2011, '-'},  {0x2012, '-'}, {0x2013, '-'}, {0x2014, '-'}, {0x2015, '-'},  {0x2018, '\''},
    {0x2019, '\''}, {0x201A, '\''}, {0x201C, '"'}, {0x201D, '"'}, {0x2024, '.'}, {0x2028, '\n'}, {0x2029, '\n'},
    {0x202F, ' '},  {0x2043, '-'},  {0x2044, '/'}, {0x205F, ' '}, {0x2212, '-'}, {0x2215, '/'},  {0x2236, ':'},
    {0x3000, ' '},  {0x3002, '.'},  {0xFE58, '-'}, {0xFE63, '-'}, {0xFE6B, '@'}, {0xFF61, '.'},
};

// U+00C0 … U+017F without accents; '?' = not a letter with one Latin base, left alone.
constexpr std::string_view kLatin =
    "AAAAAA?CEEEEIIII?NOOOOO?OUUUUY??"
    "aaaaaa?ceeeeiiii?nooooo?ouuuuy?y"
    "AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIi??JjKk?LlLlLlL"
    "lLlNnNnNn???OoOoOo??RrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs";
static_assert(kLatin.size() == 0x180 - 0xC0);

struct Decoded {
  char32_t code_point = 0;
  std::size_t length = 1;
  bool valid = false;
};

Decoded decode(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 0;
  if (length == 0 || lead > 0xF4 || at + length > text.size()) return {};
  char32_t code_point = lead & (0xFFu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(text[at + i]);
    if ((next & 0xC0) != 0x80) return {};
    code_point = (code_point << 6) | (next & 0x3F);
  }
  return {code_point, length, true};
}

bool is_invisible(char32_t c) {
  const auto* it = std::upper_bound(std::begin(kInvisible), std::end(kInvisible), c,
                                    [](char32_t value, const Interval& row) { return value < row.first; });
  return it != std::begin(kInvisible) && c <= (it - 1)->last;
}

// The ASCII character drawn or meant by `c`, '\0' when there is none.
char plain_of(char32_t c) {
  if (c >= 0xC0 && c < 0x180) {
    const char base = kLatin[c - 0xC0];
    return base == '?' ? '\0' : base;
  }
  const auto* zero = std::upper_bound(std::begin(kZeros), std::end(kZeros), c);
  if (zero != std::begin(kZeros) && c - *(zero - 1) < 10) return static_cast<char>('0' + (c - *(zero - 1)));
  if (c >= 0xFF01 && c <= 0xFF5E) return static_cast<char>(c - 0xFF01 + '!');
  if (c >= 0x1D400 && c < 0x1D6A4) {
    const char32_t letter = (c - 0x1D400) % 52;
    return static_cast<char>(letter < 26 ? 'A' + letter : 'a' + letter - 26);
  }
  const auto* alike = std::lower_bound(std::begin(kAlikes), std::end(kAlikes), c,
                                       [](const Alike& row, char32_t value) { return row.from < value; });
  return alike != std::end(kAlikes) && alike->from == c ? alike->to : '\0';
}

}  // namespace

bool is_ascii(std::string_view text) {
  std::size_t at = 0;
  for (std::uint64_t word = 0; at + sizeof word <= text.size(); at += sizeof word) {
    std::memcpy(&word, text.data() + at, sizeof word);
    if ((word & 0x8080808080808080u) != 0) return false;
  }
  for (; at < text.size(); ++at) {
    if (static_cast<unsigned char>(text[at]) >= 0x80) return false;
  }
  return true;
}

Folded fold(std::string_view text) {
  Folded folded;
  folded.text.reserve(text.size());
  folded.begin_of.reserve(text.size());
  folded.end_of.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Decoded decoded = decode(text, at);
    const std::size_t end = at + decoded.length;
    const auto put = [&](char c) {
      folded.text.push_back(c);
      folded.begin_of.push_back(static_cast<std::uint32_t>(at));
      folded.end_of.push_back(static_cast<std::uint32_t>(end));
    };
    if (!decoded.valid || decoded.code_point < 0x80) {
      put(text[at]);
    } else if (!is_invisible(decoded.code_point)) {
      if (const char plain = plain_of(decoded.code_point); plain != '\0') {
        put(plain);
      } else {
        for (std::size_t i = at; i < end; ++i) put(text[i]);
      }
    }
    at = end;
  }
  return folded;
}

}  // namespace mlops::detect
