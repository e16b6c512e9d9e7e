#include "policies/data/decode.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "policies/data/codecs.h"
#include "policies/data/inflate.h"
#include "policies/data/json_bytes.h"
#include "policies/data/json_paths.h"
#include "policies/data/json_scanner.h"
#include "policies/data/utf8.h"

namespace mlops::data {
namespace {

using namespace std::literals;

constexpr std::size_t kShortestCell = 8;  // that may be base64 as a whole
constexpr std::size_t kPaddingMax = 2;
constexpr std::size_t kShortestRun = 16;      // of base64 inside other text
constexpr std::size_t kLooksAt = 32;          // bytes of a run decoded before the rest of it
constexpr std::size_t kFreeBytes = 4u << 10;  // inflated without regard to the ratio
constexpr std::size_t kJsonColumnsMax = 2'000;
constexpr std::size_t kJsonDepthMax = 64;

constexpr std::pair<LayerKind, std::string_view> kWords[] = {
    {LayerKind::kBase64, "base64"},
    {LayerKind::kGzip, "gzip"},
    {LayerKind::kZlib, "zlib"},
    {LayerKind::kPercent, "percent"},
    {LayerKind::kQuotedPrintable, "quoted-printable"},
    {LayerKind::kEntities, "entities"},
    {LayerKind::kJson, "json"},
};

// Containers and pictures: whatever they hold, it is not read here.
constexpr std::string_view kClosed[] = {
    "PK\x03\x04"sv,
    "PK\x05\x06"sv,
    "BZh"sv,
    "\xFD"
    "7zXZ"sv,
    "\x28\xB5\x2F\xFD"sv,
    "7z\xBC\xAF"sv,
    "Rar!"sv,
    "%PDF-"sv,
    "\x89PNG"sv,
    "GIF8"sv,
    "\xFF\xD8\xFF"sv,
    "\x04\x22\x4D\x18"sv,
    "II*\x00"sv,
    "MM\x00*"sv,
    "RIFF"sv,
    "OggS"sv,
    "\xD0\xCF\x11\xE0"sv,
};

// The first bytes of all that is known by them: kClosed, gzip, zlib.
constexpr char kFirstBytes[] = {'P',    'B',    '\xFD', '\x28', '7',    'R',    '%',    '\x89',
                                'G',    '\xFF', '\x04', 'I',    'M',    'O',    '\xD0', '\x1F',
                                '\x08', '\x18', '\x28', '\x38', '\x48', '\x58', '\x68', '\x78'};

// Which decodings are worth trying, by the bytes of the text.
enum Mark : unsigned { kPercentMark = 1, kEqualsMark = 2, kAmpersandMark = 4, kBracketMark = 8, kOtherMark = 16 };

constexpr std::array<std::uint8_t, 256> make_marks() {
  std::array<std::uint8_t, 256> marks{};
  marks.fill(kOtherMark);  // no base64
  for (char c = 'a'; c <= 'z'; ++c) marks[static_cast<std::size_t>(c)] = marks[static_cast<std::size_t>(c - 32)] = 0;
  for (char c = '0'; c <= '9'; ++c) marks[static_cast<std::size_t>(c)] = 0;
  for (const char c : {'+', '/', '-', '_', '\r', '\n'}) marks[static_cast<std::size_t>(c)] = 0;
  marks['%'] |= kPercentMark;
  marks['='] = kEqualsMark;
  marks['&'] |= kAmpersandMark;
  marks['{'] |= kBracketMark;
  marks['['] |= kBracketMark;
  return marks;
}
constexpr auto kMarks = make_marks();

unsigned marks_of(std::string_view text) {
  unsigned marks = 0;
  for (const char c : text) marks |= kMarks[static_cast<unsigned char>(c)];
  return marks;
}

bool are_worth_a_look(unsigned marks, std::size_t size) {
  if (marks & (kPercentMark | kEqualsMark | kAmpersandMark | kBracketMark)) return true;
  return size >= ((marks & kOtherMark) ? kShortestRun : kShortestCell);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_json_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_json_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool is_gzip(std::string_view bytes) {
  return bytes.starts_with("\x1F\x8B\x08"sv);
}

// RFC 1950: deflate with a window up to 32 KiB, no dictionary, and a check in the second byte.
bool is_zlib(std::string_view bytes) {
  if (bytes.size() < 8) return false;
  const auto first = static_cast<unsigned char>(bytes[0]);
  const auto second = static_cast<unsigned char>(bytes[1]);
  return (first & 0x0F) == 8 && first >> 4 <= 7 && (second & 0x20) == 0 && (first << 8 | second) % 31 == 0;
}

bool is_closed(std::string_view bytes) {
  return std::any_of(std::begin(kClosed), std::end(kClosed), [&](auto magic) { return bytes.starts_with(magic); });
}

bool has_controls(std::string_view bytes) {
  return std::any_of(bytes.begin(), bytes.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F;
  });
}

// UTF-8 without control bytes; `is_part`: its last character may be cut off.
bool is_readable(std::string_view bytes, bool is_part) {
  if (bytes.empty() || has_controls(bytes)) return false;
  const auto bad = first_invalid_utf8(bytes);
  return bad == std::string_view::npos || (is_part && bad + 3 >= bytes.size() && bad > 0);
}

class Decoder {
 public:
  Decoder(const DecodeLimits& limits, Decoded& result) : limits_(limits), result_(result) {}

  void run(std::string_view cell, unsigned marks) {
    take_apart(cell, marks, {0, cell.size()}, 0);
    // Layers grow while they are taken apart in turn.
    for (std::size_t i = 0; i < result_.layers.size() && !result_.refused; ++i) {
      const std::string text = result_.layers[i].text;
      take_apart(text, marks_of(text), {result_.layers[i].begin, result_.layers[i].end}, result_.layers[i].depth);
    }
  }

 private:
  struct Span {
    std::size_t begin = 0;
    std::size_t end = 0;
  };

  void take_apart(std::string_view text, unsigned marks, Span span, std::size_t depth) {
    depth_ = depth;
    if (marks & kPercentMark) add(LayerKind::kPercent, decode_percent(text), span);
    if (marks & kEqualsMark) add(LayerKind::kQuotedPrintable, decode_quoted_printable(text), span);
    if (marks & kAmpersandMark) add(LayerKind::kEntities, decode_entities(text), span);
    if (marks & kBracketMark) open_json(trimmed(text), span);
    find_base64(text, span, (marks & kOtherMark) == 0);
  }

  void add(LayerKind kind, std::optional<std::string> text, Span span) {
    if (!text || text->empty()) return;
    const auto& known = result_.layers;
    if (std::any_of(known.begin(), known.end(), [&](const Layer& layer) { return layer.text == *text; })) return;
    bytes_ += text->size();
    if (depth_ == limits_.max_depth || bytes_ > limits_.max_bytes || result_.layers.size() == limits_.max_layers) {
      result_.refused = true;
      return;
    }
    result_.layers.push_back({kind, std::move(*text), depth_ + 1, span.begin, span.end});
  }

  static bool looks_like_json(std::string_view text) {
    return text.size() > 2 &&
           ((text.front() == '{' && text.back() == '}') || (text.front() == '[' && text.back() == ']'));
  }

  void open_json(std::string_view text, Span span) {
    if (!looks_like_json(text)) return;
    JsonPaths paths(std::make_unique<PointerNaming>(), kJsonColumnsMax);
    JsonScanner scanner(paths, kJsonDepthMax);
    if (!scanner.scan(text, paths.root())) {
      if (paths.is_full() || scanner.problem().slug == "json_too_deep"sv) result_.refused = true;
      return;
    }
    std::string lines;
    for (const auto& cell : scanner.cells()) {
      if (cell.text.empty()) continue;
      lines += paths.columns()[cell.column];
      lines += ": ";
      lines += cell.text;
      lines += '\n';
    }
    add(LayerKind::kJson, std::move(lines), span);
    for (const auto& cell : scanner.cells()) {
      if (looks_like_json(trimmed(cell.text))) add(LayerKind::kJson, std::string(cell.text), span);
    }
  }

  // The text as a whole, in lines or not; then every run of base64 letters that is long enough. Inside a layer the
  // place in the cell is the layer's.
  void find_base64(std::string_view text, Span span, bool may_be_whole) {
    if (may_be_whole && text.size() >= kShortestCell && try_base64(text, span)) return;
    constexpr std::size_t kStretch = kShortestRun - kPaddingMax;
    for (std::size_t at = 0; at + kStretch <= text.size() && !result_.refused;) {
      // A run that covers this stretch holds its last byte: most stretches are settled from there.
      std::size_t begin = at + kStretch;
      while (begin > at && is_base64_byte(text[begin - 1])) --begin;
      if (begin > at) {
        at = begin;
        continue;
      }
      std::size_t end = at + kStretch;
      while (end < text.size() && (is_base64_byte(text[end]) || is_wrap(text, at, end))) ++end;
      for (std::size_t n = 0; n < kPaddingMax && end < text.size() && text[end] == '='; ++n) ++end;
      if (end - at >= kShortestRun) try_run(text.substr(at, end - at), depth_ == 0 ? Span{at, end} : span);
      at = end + 1;
    }
  }

  // The run, or its parts between signs that are also letters of base64 (paths, names in snake case).
  void try_run(std::string_view run, Span span) {
    if (try_base64(run, span)) return;
    for (std::size_t at = 0; at < run.size() && !result_.refused;) {
      const auto sign = std::min(run.find_first_of("/+-_", at), run.size());
      if (sign - at >= kShortestRun && sign - at < run.size()) try_base64(run.substr(at, sign - at), span);
      at = sign + 1;
    }
  }

  // A line end inside base64 in lines: full lines before it.
  static bool is_wrap(std::string_view text, std::size_t begin, std::size_t at) {
    constexpr std::size_t kShortestLine = 60;
    return (text[at] == '\n' || text[at] == '\r') && at - begin >= kShortestLine;
  }

  // Do the first three bytes rule out both text and what is known by its first bytes? Most words do.
  static bool is_hopeless(std::string_view run) {
    std::array<char, 3> first{};
    return !decode_base64_head(run, first) ||
           (!is_readable({first.data(), first.size()}, true) &&
            std::none_of(std::begin(kFirstBytes), std::end(kFirstBytes), [&](char c) { return c == first[0]; }));
  }

  // False: it is none.
  bool try_base64(std::string_view run, Span span) {
    if (is_hopeless(run)) return false;
    const auto head = decode_base64(run.substr(0, kLooksAt));
    if (!head) return false;
    const bool is_packed = is_gzip(*head) || is_zlib(*head);
    if (is_closed(*head)) {
      result_.refused = true;
      return true;
    }
    if (!is_packed && !is_readable(*head, run.size() > kLooksAt)) return false;
    auto bytes = decode_base64(run);
    if (!bytes) return false;
    if (is_packed) return unpack(*bytes, span);
    if (!is_readable(*bytes, false)) return false;
    add(LayerKind::kBase64, std::move(bytes), span);
    return true;
  }

  bool unpack(std::string_view packed, Span span) {
    const bool gzip = is_gzip(packed);
    const std::size_t room = limits_.max_bytes - std::min(bytes_, limits_.max_bytes);
    auto inflated = inflate_bytes(packed, std::min(room, kFreeBytes + limits_.max_ratio * packed.size()));
    // Bytes that look like zlib by chance do not inflate; a gzip header is no chance.
    if (inflated.end == InflateEnd::kTooLarge || (gzip && inflated.end == InflateEnd::kDamaged)) result_.refused = true;
    if (is_closed(inflated.bytes)) result_.refused = true;
    const bool by_chance = !gzip && inflated.end == InflateEnd::kDamaged && !is_readable(inflated.bytes, true);
    if (result_.refused || by_chance) return !by_chance;
    add(gzip ? LayerKind::kGzip : LayerKind::kZlib, to_text(std::move(inflated.bytes)), span);
    return true;
  }

  const DecodeLimits& limits_;
  Decoded& result_;
  std::size_t depth_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace

bool may_hold_layers(std::string_view text) {
  return are_worth_a_look(marks_of(text), text.size());
}

Decoded decode_layers(std::string_view text, const DecodeLimits& limits) {
  Decoded result;
  const auto marks = marks_of(text);
  if (are_worth_a_look(marks, text.size())) Decoder(limits, result).run(text, marks);
  return result;
}

std::string_view to_word(LayerKind kind) {
  for (const auto& [value, word] : kWords) {
    if (value == kind) return word;
  }
  return "base64";
}

}  // namespace mlops::data
