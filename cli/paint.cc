#include "cli/paint.h"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <random>

#include "core/base/text.h"

namespace mlops::cli {
namespace {

struct ToneRow {
  Tone tone;
  char letter;
  std::string_view sequence;
};

constexpr std::array<ToneRow, 6> kTones{{
    {Tone::kPlain, 'p', ""},
    {Tone::kGood, 'g', "\x1b[32m"},
    {Tone::kBad, 'b', "\x1b[31m"},
    {Tone::kWarn, 'w', "\x1b[33m"},
    {Tone::kDim, 'd', "\x1b[2m"},
    {Tone::kBold, 'B', "\x1b[1m"},
}};
constexpr std::string_view kReset = "\x1b[0m";
constexpr char kEndLetter = '/';

// The sequence of a mark's letter; empty for an unknown one.
std::string_view sequence_of(char letter) {
  if (letter == kEndLetter) return kReset;
  for (const auto& row : kTones) {
    if (row.letter == letter) return row.sequence;
  }
  return "";
}

}  // namespace

Variables process_variables() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  };
}

Colors choose_colors(ColorWhen when, bool is_tty, const Variables& variables) {
  if (when != ColorWhen::kAuto) return when == ColorWhen::kAlways ? Colors::kOn : Colors::kOff;
  if (!variables("NO_COLOR").value_or("").empty()) return Colors::kOff;
  const auto force = variables("CLICOLOR_FORCE").value_or("");
  if (!force.empty() && force != "0") return Colors::kOn;
  if (variables("TERM").value_or("") == "dumb" || variables("CLICOLOR").value_or("") == "0") return Colors::kOff;
  return is_tty ? Colors::kOn : Colors::kOff;
}

Palette::Palette(Colors colors) : colors_(colors) {
  if (colors_ == Colors::kOff) return;
  std::random_device random;
  static_assert(kPaintSecretBytes == 2 * 8);
  secret_ = fmt::format("{:08x}{:08x}", random(), random());
}

std::string Palette::paint(Tone tone, std::string_view text) const {
  if (colors_ == Colors::kOff || tone == Tone::kPlain || text.empty()) return std::string(text);
  char letter = 'p';
  for (const auto& row : kTones) {
    if (row.tone == tone) letter = row.letter;
  }
  return fmt::format("{}{}{}{}{}{}{}", kPaintMark, secret_, letter, text, kPaintMark, secret_, kEndLetter);
}

std::string Palette::render(std::string_view line, Colors colors) const {
  if (colors_ == Colors::kOff) return printable(line);
  const std::string mark = kPaintMark + secret_;
  std::string rendered;
  std::size_t start = 0;
  while (start < line.size()) {
    const auto found = line.find(mark, start);
    const auto plain_end = std::min(found, line.size());
    rendered += printable(line.substr(start, plain_end - start));
    if (found == std::string_view::npos || found + mark.size() >= line.size()) break;
    if (colors == Colors::kOn) rendered += sequence_of(line[found + mark.size()]);
    start = found + mark.size() + 1;
  }
  return rendered;
}

}  // namespace mlops::cli
