#include "cli/output.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "cli/layout.h"

namespace mlops::cli {
namespace {

constexpr std::array<std::pair<std::string_view, OutputFormat>, 5> kFormats{{
    {"table", OutputFormat::kTable},
    {"wide", OutputFormat::kWide},
    {"json", OutputFormat::kJson},
    {"yaml", OutputFormat::kYaml},
    {"name", OutputFormat::kName},
}};

struct Cell {
  std::string text;  // as it is written
  std::size_t width = 0;
};

Cell make_cell(const std::string& content, const Palette& palette, Colors colors) {
  return {palette.render(content, colors), display_width(palette.render(content, Colors::kOff))};
}

std::string join_row(const std::vector<Cell>& cells, const std::vector<std::size_t>& widths,
                     const std::vector<const Column*>& columns) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string padding(widths[i] - cells[i].width, ' ');
    if (i > 0) line += "  ";
    line += columns[i]->align_right ? padding + cells[i].text : cells[i].text + padding;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace

std::optional<OutputFormat> output_format_of(std::string_view word) {
  for (const auto& [name, format] : kFormats) {
    if (name == word) return format;
  }
  return std::nullopt;
}

std::string json_text(const Json& value) {
  const auto text = value.dump(2, ' ', false, Json::error_handler_t::replace);
  // JSON escapes C0 itself; DEL and the C1 controls (C2 80 … C2 9F, among them the one-byte CSI) are legal in it.
  std::string safe;
  safe.reserve(text.size() + 1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0u;
    if (byte == 0x7F) {
      safe += "\\u007f";
    } else if (byte == 0xC2 && next >= 0x80 && next <= 0x9F) {
      safe += fmt::format("\\u{:04x}", next);
      ++i;
    } else {
      safe += text[i];
    }
  }
  return safe + '\n';
}

std::vector<std::string> table_lines(const Json& rows, const std::vector<Column>& columns, OutputFormat format,
                                     const Palette& palette, Colors colors) {
  std::vector<const Column*> shown;
  for (const auto& column : columns) {
    if (!column.wide_only || format == OutputFormat::kWide) shown.push_back(&column);
  }
  std::vector<std::vector<Cell>> grid(1);
  for (const auto* column : shown) {
    grid.front().push_back(make_cell(palette.paint(Tone::kBold, column->heading), palette, colors));
  }
  for (const auto& row : rows) {
    auto& cells = grid.emplace_back();
    for (const auto* column : shown) cells.push_back(make_cell(column->cell(row), palette, colors));
  }
  std::vector<std::size_t> widths(shown.size(), 0);
  for (const auto& cells : grid) {
    for (std::size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], cells[i].width);
  }
  std::vector<std::string> lines;
  for (const auto& cells : grid) lines.push_back(join_row(cells, widths, shown));
  return lines;
}

}  // namespace mlops::cli
