// Colour without letting data drive the terminal: paint() wraps text in marks that carry a secret of this process, and
// only render() turns such marks into terminal sequences. Everything else in a line, escape bytes of a hostile name
// included, goes through printable(). Thread-safety: immutable once built.
#pragma once

#include <string>
#include <string_view>

#include "cli/session.h"

namespace mlops::cli {

enum class ColorWhen { kAuto, kAlways, kNever };
enum class Colors { kOff, kOn };

// The value of a variable of the environment; nullopt when it is unset. A seam for tests.
using Variables = std::function<std::optional<std::string>(std::string_view name)>;
// The real environment of the process.
Variables process_variables();

// --color, then NO_COLOR, CLICOLOR_FORCE, TERM=dumb, CLICOLOR=0, then whether the stream is a TTY.
Colors choose_colors(ColorWhen when, bool is_tty, const Variables& variables);

// A mark is this byte, the secret and a letter.
inline constexpr char kPaintMark = '\x02';
inline constexpr std::size_t kPaintSecretBytes = 16;
inline constexpr std::size_t kPaintMarkBytes = 1 + kPaintSecretBytes + 1;

class Palette {
 public:
  // Off: paint gives the text unchanged.
  explicit Palette(Colors colors);

  std::string paint(Tone tone, std::string_view text) const;
  // One line, safe for a terminal; marks become colours, or vanish when `colors` is off.
  std::string render(std::string_view line, Colors colors) const;

 private:
  Colors colors_;
  std::string secret_;
};

}  // namespace mlops::cli
