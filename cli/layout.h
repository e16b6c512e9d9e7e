// Text on a terminal grid: display widths, wrapping, padding. Widths are columns, as a terminal counts them.
// Thread-safety: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mlops::cli {

// Columns of one code point: 0 (combining, zero-width), 1, or 2 (East Asian wide, emoji). Control characters count 0.
int code_point_width(char32_t code_point);
// Columns of UTF-8 text; an invalid byte counts 1, a mark of paint() nothing.
std::size_t display_width(std::string_view text);

// Words of `text` in lines of at most `width` columns, each after `indent` spaces; a longer word stands alone.
std::vector<std::string> wrap(std::string_view text, std::size_t width, std::size_t indent = 0);
// As wrap, paragraph by paragraph: blank lines stay, lines that begin with a space (examples) are kept as they are.
std::vector<std::string> wrap_prose(std::string_view text, std::size_t width, std::size_t indent = 0);
// Term and explanation in two columns; the second is wrapped under itself.
std::vector<std::string> two_columns(const std::vector<std::pair<std::string, std::string>>& rows, std::size_t width);

}  // namespace mlops::cli
