#include "cli/cmd/lines.h"

#include <algorithm>

#include "cli/layout.h"
#include "cli/time.h"

namespace mlops::cli {
namespace {

std::string trimmed_right(std::string text) {
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

}  // namespace

Style style_of(const Session& session) {
  return {[&session](Tone tone, std::string_view text) { return session.paint(tone, text); },
          [&session](std::string_view time) { return show_time(session, time); }};
}

Style plain_style() {
  return {[](Tone, std::string_view text) { return std::string(text); },
          [](std::string_view time) { return std::string(time); }};
}

void print_lines(Session& session, const Lines& lines) {
  for (const auto& line : lines) session.print_line(line);
}

void say_lines(Session& session, const Lines& lines) {
  for (const auto& line : lines) session.say(line);
}

void append(Lines& lines, Lines more) {
  lines.insert(lines.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

std::string pad(std::string_view text, std::size_t width) {
  const auto shown = display_width(text);
  return std::string(text) + std::string(width > shown ? width - shown : 0, ' ');
}

void KeyValues::add(std::string key, std::string value, Tone tone) {
  if (!value.empty()) rows_.push_back({std::move(key), std::move(value), tone});
}

Lines KeyValues::lines(const Style& style, std::size_t indent) const {
  std::size_t width = 0;
  for (const auto& row : rows_) width = std::max(width, display_width(row.key));
  Lines lines;
  for (const auto& row : rows_) {
    lines.push_back(std::string(indent, ' ') + style.paint(Tone::kDim, pad(row.key, width)) + "  " +
                    style.paint(row.tone, row.value));
  }
  return lines;
}

Lines aligned(const std::vector<std::string>& headings, const std::vector<std::vector<std::string>>& rows,
              const std::vector<std::size_t>& right, const Style& style, std::size_t indent) {
  std::vector<std::size_t> widths;
  for (const auto& heading : headings) widths.push_back(display_width(heading));
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i]));
  }
  const auto line_of = [&](const std::vector<std::string>& row) {
    std::string line(indent, ' ');
    for (std::size_t i = 0; i < row.size(); ++i) {
      const auto gap = std::string(widths[i] - display_width(row[i]), ' ');
      const bool is_right = std::find(right.begin(), right.end(), i) != right.end();
      line += (i ? "  " : "") + (is_right ? gap + row[i] : row[i] + gap);
    }
    return trimmed_right(std::move(line));
  };
  Lines lines{style.paint(Tone::kDim, line_of(headings))};
  for (const auto& row : rows) lines.push_back(line_of(row));
  return lines;
}

}  // namespace mlops::cli
