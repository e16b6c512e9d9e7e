// Blocks of text for people, made without a terminal: presenters give Lines, commands print them.
//
// Style carries what depends on the terminal (colour, how times read), so presenters stay pure functions that unit
// tests call with plain_style(). Widths are terminal columns (cli/layout.h). Thread-safety: pure functions and values.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/session.h"

namespace mlops::cli {

using Lines = std::vector<std::string>;

struct Style {
  std::function<std::string(Tone, std::string_view)> paint;
  std::function<std::string(std::string_view)> time;  // an RFC 3339 time for reading
};

// REQUIRES: `session` outlives the style.
Style style_of(const Session& session);
// No colour, times as they are.
Style plain_style();

void print_lines(Session& session, const Lines& lines);  // stdout
void say_lines(Session& session, const Lines& lines);    // stderr
void append(Lines& lines, Lines more);

// `text` filled with blanks to `width` columns.
std::string pad(std::string_view text, std::size_t width);

// "key   value" lines; a value that is empty is left out.
class KeyValues {
 public:
  void add(std::string key, std::string value, Tone tone = Tone::kPlain);
  Lines lines(const Style& style, std::size_t indent = 0) const;

 private:
  struct Row {
    std::string key;
    std::string value;
    Tone tone;
  };
  std::vector<Row> rows_;
};

// A small aligned table inside a block. Columns named in `right` are aligned right.
Lines aligned(const std::vector<std::string>& headings, const std::vector<std::vector<std::string>>& rows,
              const std::vector<std::size_t>& right, const Style& style, std::size_t indent = 0);

}  // namespace mlops::cli
