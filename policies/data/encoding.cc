#include "policies/data/encoding.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "core/base/text.h"
#include "policies/data/utf8.h"

namespace mlops::data {
namespace {

using namespace std::literals;

constexpr std::size_t kChunkBytes = 16u << 10;
constexpr std::string_view kHint = "say which it is: --encoding utf-8, utf-16le, utf-16be, latin-1 or cp1252";

constexpr std::pair<Encoding, std::string_view> kWords[] = {
    {Encoding::kUtf8, "utf-8"},     {Encoding::kUtf16Le, "utf-16le"},  {Encoding::kUtf16Be, "utf-16be"},
    {Encoding::kLatin1, "latin-1"}, {Encoding::kCp1252, "cp1252"},     {Encoding::kUtf8, "utf8"},
    {Encoding::kLatin1, "latin1"},  {Encoding::kLatin1, "iso-8859-1"}, {Encoding::kCp1252, "windows-1252"},
};

// The code points of the bytes 0x80 to 0x9F; the five that have none stand for themselves.
constexpr std::array<std::uint16_t, 32> kCp1252High = {
    0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x008D, 0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178,
};

// Bytes beside letters that Western European texts do use: € … ' ' " " • – — ™ nbsp ¡ § ª « ° ² ³ ´ · º » ¿ ½ £ ©.
constexpr std::string_view kPunctuation =
    "\x80\x85\x91\x92\x93\x94\x95\x96\x97\x99\xA0\xA1\xA3\xA7\xA9\xAA\xAB\xB0\xB2\xB3\xB4\xB5\xB7\xBA\xBB\xBD\xBF"sv;

bool is_ascii_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_high_letter(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0xC0 && byte != 0xD7 && byte != 0xF7;
}

std::uint32_t code_of(Encoding encoding, unsigned char byte) {
  const bool is_mapped = encoding == Encoding::kCp1252 && byte >= 0x80 && byte < 0xA0;
  return is_mapped ? kCp1252High[byte - 0x80] : byte;
}

// The byte of a code point; -1 when there is none.
int byte_of(Encoding encoding, std::uint32_t code) {
  if (encoding == Encoding::kCp1252) {
    const auto found = std::find(kCp1252High.begin(), kCp1252High.end(), code);
    if (found != kCp1252High.end()) return 0x80 + static_cast<int>(found - kCp1252High.begin());
    if (code >= 0x80 && code < 0xA0) return -1;
  }
  return code < 0x100 ? static_cast<int>(code) : -1;
}

// A sequence of UTF-8 of several bytes at `at`.
bool is_utf8_sequence(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  if (lead < 0xC2 || lead > 0xF4) return false;
  const std::size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  return at + size <= text.size() && first_invalid_utf8(text.substr(at, size)) == std::string_view::npos;
}

Failure undecidable(std::string_view head, std::size_t offset, std::string_view what) {
  const auto before = head.substr(0, offset);
  const auto lines = std::count(before.begin(), before.end(), '\n');
  const auto column = lines == 0 ? offset + 1 : offset - before.rfind('\n');
  return fail(ErrorCode::kInvalid, "text_encoding", fmt::format("{}:{}: {}", lines + 1, column, what),
              std::string(kHint));
}

// Are all bytes above ASCII those of a Western European text: letters that touch letters, and its punctuation?
bool looks_western(std::string_view text) {
  std::size_t letters = 0;
  std::size_t high = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    letters += is_ascii_letter(text[i]) ? 1 : 0;
    if (static_cast<unsigned char>(text[i]) < 0x80) continue;
    if (is_utf8_sequence(text, i)) return false;
    ++high;
    const bool touches =
        (i > 0 && is_ascii_letter(text[i - 1])) || (i + 1 < text.size() && is_ascii_letter(text[i + 1]));
    if (is_high_letter(text[i]) ? !touches : kPunctuation.find(text[i]) == std::string_view::npos) return false;
  }
  return high * 3 < letters;
}

// Every second byte of ASCII text in UTF-16 is zero.
bool looks_like_utf16(std::string_view head) {
  std::size_t zeros[2] = {0, 0};
  for (std::size_t i = 0; i < head.size(); ++i) zeros[i % 2] += head[i] == '\0' ? 1 : 0;
  return std::max(zeros[0], zeros[1]) * 3 > head.size() && std::min(zeros[0], zeros[1]) * 20 < head.size();
}

std::uint32_t unit_at(std::string_view raw, std::size_t at, Encoding encoding) {
  const auto first = static_cast<unsigned char>(raw[at]);
  const auto second = static_cast<unsigned char>(raw[at + 1]);
  return static_cast<std::uint32_t>(encoding == Encoding::kUtf16Le ? second << 8 | first : first << 8 | second);
}

bool is_high_half(std::uint32_t unit) {
  return unit >= 0xD800 && unit < 0xDC00;
}
bool is_low_half(std::uint32_t unit) {
  return unit >= 0xDC00 && unit < 0xE000;
}

void append_unit(std::string& out, std::uint32_t unit, Encoding encoding) {
  const char low = static_cast<char>(unit & 0xFF);
  const char high = static_cast<char>(unit >> 8);
  out.push_back(encoding == Encoding::kUtf16Le ? low : high);
  out.push_back(encoding == Encoding::kUtf16Le ? high : low);
}

std::size_t sequence_size(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

// REQUIRES: one well-formed sequence.
std::uint32_t code_point(std::string_view sequence) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(sequence[i])); };
  if (sequence.size() == 1) return byte(0);
  std::uint32_t code = byte(0) & (0x7Fu >> sequence.size());
  for (std::size_t i = 1; i < sequence.size(); ++i) code = code << 6 | (byte(i) & 0x3F);
  return code;
}

}  // namespace

std::string_view to_word(Encoding encoding) {
  for (const auto& [value, word] : kWords) {
    if (value == encoding) return word;
  }
  return "utf-8";
}

std::optional<Encoding> encoding_from_word(std::string_view word) {
  const auto lower = to_lower_ascii(word);
  for (const auto& [value, name] : kWords) {
    if (name == lower) return value;
  }
  return std::nullopt;
}

Result<Encoding> detect_encoding(std::string_view head, bool is_whole) {
  if (head.starts_with("\xFF\xFE"sv)) return Encoding::kUtf16Le;
  if (head.starts_with("\xFE\xFF"sv)) return Encoding::kUtf16Be;
  if (looks_like_utf16(head)) return undecidable(head, 0, "looks like UTF-16 without a byte order mark");
  const auto bad = first_invalid_utf8(head);
  constexpr std::size_t kCutOffMax = 3;
  const bool is_cut_off = !is_whole && bad != std::string_view::npos && bad + kCutOffMax >= head.size();
  if (bad == std::string_view::npos || is_cut_off) return Encoding::kUtf8;
  if (!looks_western(head)) return undecidable(head, bad, "neither UTF-8 nor surely anything else");
  return Encoding::kCp1252;
}

std::string decode_head(std::string_view head, Encoding encoding) {
  if (encoding == Encoding::kUtf8) return std::string(head);
  StringSource source(head);
  DecodingSource decoding(source, encoding, Trust::kDeclared);
  std::string text(4 * head.size(), '\0');
  std::size_t size = 0;
  while (true) {
    const auto count = decoding.read({text.data() + size, text.size() - size});
    if (!count || *count == 0) break;
    size += *count;
  }
  text.resize(size);
  return text;
}

Failure DecodingSource::error_here(std::string slug, std::string message) const {
  return fail(ErrorCode::kInvalid, std::move(slug), fmt::format("{}:{}: {}", line_, column_, message),
              std::string(kHint));
}

void DecodingSource::put(std::uint32_t code) {
  append_code_point(decoded_, code);
  line_ += code == '\n' ? 1 : 0;
  column_ = code == '\n' ? 1 : column_ + 1;
}

Result<std::size_t> DecodingSource::read(std::span<char> into) {
  while (given_ == decoded_.size()) {
    if (ended_ && raw_.empty()) return std::size_t{0};
    decoded_.clear();
    given_ = 0;
    MLOPS_TRY(decode_more());
  }
  const std::size_t count = std::min(into.size(), decoded_.size() - given_);
  std::memcpy(into.data(), decoded_.data() + given_, count);
  given_ += count;
  return count;
}

Status DecodingSource::decode_more() {
  const std::size_t before = raw_.size();
  if (!ended_) {
    raw_.resize(before + kChunkBytes);
    auto count = source_.read({raw_.data() + before, kChunkBytes});
    raw_.resize(before + (count ? *count : 0));
    if (!count) return fail(std::move(count.error()));
    ended_ = *count == 0;
  }
  const bool has_units = encoding_ == Encoding::kUtf16Le || encoding_ == Encoding::kUtf16Be;
  return has_units ? decode_units() : decode_bytes();
}

Status DecodingSource::decode_bytes() {
  std::size_t size = raw_.size();
  // A sequence of UTF-8 may be cut off at the end: the last bytes wait for what follows them.
  constexpr std::size_t kWait = 3;
  if (!ended_) size -= std::min(size, kWait);
  for (std::size_t i = 0; i < size; ++i) {
    const auto byte = static_cast<unsigned char>(raw_[i]);
    if (byte >= 0x80 && trust_ == Trust::kDetected && is_utf8_sequence(raw_, i)) {
      return error_here("text_mixed", "UTF-8 inside a text that was taken for CP1252");
    }
    put(code_of(encoding_, byte));
  }
  raw_.erase(0, size);
  return {};
}

Status DecodingSource::decode_units() {
  std::size_t at = 0;
  while (at + 2 <= raw_.size()) {
    const auto unit = unit_at(raw_, at, encoding_);
    if (is_low_half(unit)) return error_here("text_encoding", "half a surrogate pair");
    if (is_high_half(unit)) {
      if (at + 4 > raw_.size()) break;
      const auto low = unit_at(raw_, at + 2, encoding_);
      if (!is_low_half(low)) return error_here("text_encoding", "half a surrogate pair");
      put(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00));
      at += 4;
      continue;
    }
    put(unit);
    at += 2;
  }
  raw_.erase(0, at);
  if (ended_ && !raw_.empty()) return error_here("text_encoding", "UTF-16 that ends inside a character");
  return {};
}

Status EncodingSink::write(std::string_view bytes) {
  pending_.append(bytes);
  std::string out;
  std::size_t at = 0;
  while (at < pending_.size()) {
    const std::size_t size = sequence_size(pending_[at]);
    if (at + size > pending_.size()) break;
    const auto sequence = std::string_view(pending_).substr(at, size);
    if (first_invalid_utf8(sequence) != std::string_view::npos) {
      return fail(ErrorCode::kInvalid, "text_masked_encoding", "a new value is not valid UTF-8");
    }
    at += size;
    const auto code = code_point(sequence);
    if (encoding_ == Encoding::kUtf16Le || encoding_ == Encoding::kUtf16Be) {
      if (code >= 0x10000) append_unit(out, 0xD800 + ((code - 0x10000) >> 10), encoding_);
      append_unit(out, code >= 0x10000 ? 0xDC00 + ((code - 0x10000) & 0x3FF) : code, encoding_);
      continue;
    }
    const int byte = byte_of(encoding_, code);
    if (byte < 0) {
      return fail(ErrorCode::kInvalid, "text_masked_encoding",
                  fmt::format("a new value has a character that {} has not", to_word(encoding_)),
                  "write ASCII in its place, or save the file as UTF-8 text");
    }
    out.push_back(static_cast<char>(byte));
  }
  pending_.erase(0, at);
  return sink_.write(out);
}

Status EncodingSink::finish() {
  if (pending_.empty()) return {};
  return fail(ErrorCode::kInvalid, "text_masked_encoding", "a new value is not valid UTF-8");
}

}  // namespace mlops::data
