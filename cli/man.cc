#include "cli/man.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/args.h"
#include "cli/exit_code.h"
#include "cli/help.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

// Of the release, not of the build: the page is reproducible.
constexpr std::string_view kReleaseDate = "2026-11-23";

void term(std::string& page, std::string_view name, std::string_view text) {
  page += fmt::format(".TP\n\\fB{}\\fR\n{}\n", roff_text(name), roff_text(text));
}

void options(std::string& page, const std::vector<Option>& rows) {
  for (const auto& option : rows) {
    const auto names = join(option_spellings(option), ", ");
    const auto value = is_flag(option) ? std::string() : fmt::format(" \\fI{}\\fR", roff_text(option.value_name));
    page += fmt::format(".TP\n\\fB{}\\fR{}\n{}\n", roff_text(names), value, roff_text(option_text(option)));
  }
}

// Prose with its indented example lines kept as they are.
void prose(std::string& page, std::string_view text) {
  bool example = false;
  bool wants_break = false;
  for (const auto line : split(text, '\n')) {
    if (trim(line).empty()) {
      wants_break = true;
      continue;
    }
    const bool indented = line.front() == ' ';
    if (example && !indented) page += ".EE\n";
    if (wants_break || indented != example) page += ".PP\n";
    if (indented && !example) page += ".EX\n";
    page += roff_text(line) + "\n";
    example = indented;
    wants_break = false;
  }
  if (example) page += ".EE\n";
}

std::vector<Option> own_options(const Command& command) {
  auto all = effective_options(command);
  std::erase_if(all, [&](const Option& option) {
    for (const auto& global : global_options()) {
      const bool own = std::any_of(command.options.begin(), command.options.end(),
                                   [&](const Option& each) { return option_key(each) == option_key(option); });
      if (!own && option_key(global) == option_key(option)) return true;
    }
    return false;
  });
  return all;
}

void command_entry(std::string& page, const Command& command) {
  page += fmt::format(".SS {}\n{}.\n.PP\n.B {}\n", roff_text(command.path), roff_text(command.summary),
                      roff_text(usage_line(command)));
  for (const auto& operand : command.operands) term(page, operand.name, operand_text(operand));
  options(page, own_options(command));
  if (!trim(command.description).empty()) {
    page += ".PP\n";
    prose(page, command.description);
  }
}

void front_matter(std::string& page, std::string_view version) {
  page += fmt::format(".TH MLOPSCTL 1 \"{}\" \"mlopsctl {}\" \"User Commands\"\n", kReleaseDate, version);
  page += ".SH NAME\nmlopsctl \\- register, mask, promote, roll back, trace and audit models and datasets\n";
  page += ".SH SYNOPSIS\n.B mlopsctl\n.I COMMAND\n[\\fIWORD\\fR]... [\\fIOPTION\\fR]...\n";
  page += ".SH DESCRIPTION\n";
  prose(
      page,
      "mlopsctl is the command line of the mlopsd server. Data goes to standard output, talk to standard error. "
      "Options stand in any order after the command's words; -- ends them.\n\n"
      "A version is named by a reference: name@v3, name@sha256:DIGEST (8 or more digits), name@alias, or name#env for "
      "what an environment runs. Nothing ever falls back to the latest version.");
}

void back_matter(std::string& page) {
  page += ".SH ENVIRONMENT\n";
  for (const auto& [name, text] : environment_variables()) term(page, name, text);
  page += ".SH FILES\n";
  term(page, "$XDG_CONFIG_HOME/mlops/config.yaml", "contexts: servers and where their tokens are");
  term(page, ".mlops.yaml", "in the working directory or above: names the project's context");
  page += ".SH EXIT STATUS\n";
  for (const auto& row : exit_code_rows()) term(page, fmt::format("{}", int(row.code)), row.meaning);
  page += ".SH SEE ALSO\n.BR mlopsd (8)\n";
}

void append_code_point(std::string& roff, std::string_view bytes) {
  static constexpr unsigned kLeadMask[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
  unsigned value = static_cast<unsigned char>(bytes.front()) & kLeadMask[bytes.size()];
  for (const char byte : bytes.substr(1)) value = (value << 6) | (static_cast<unsigned char>(byte) & 0x3Fu);
  roff += fmt::format("\\[u{:04X}]", value);
}

}  // namespace

std::string roff_text(std::string_view text) {
  std::string roff;
  if (!text.empty() && (text.front() == '.' || text.front() == '\'')) roff += "\\&";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0xC2) {
      const std::size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
      append_code_point(roff, text.substr(i, length));
      i += length - 1;
      continue;
    }
    switch (text[i]) {
      case '\\':
        roff += "\\e";
        break;
      case '-':
        roff += "\\-";
        break;
      case '^':
        roff += "\\(ha";
        break;
      case '~':
        roff += "\\(ti";
        break;
      case '`':
        roff += "\\(ga";
        break;
      case '\'':
        roff += "\\(aq";
        break;
      case '"':
        roff += "\\(dq";
        break;
      default:
        roff += text[i];
    }
  }
  return roff;
}

std::string man_page(const CommandTable& table, std::string_view version) {
  std::string page;
  front_matter(page, version);
  page += ".SH OPTIONS\nEvery command takes these.\n";
  options(page, global_options());
  for (const auto group : table.groups()) {
    std::string heading(group);
    std::transform(heading.begin(), heading.end(), heading.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    page += fmt::format(".SH {}\n", roff_text(heading));
    for (const auto* row : table.rows()) {
      if (row->group == group) command_entry(page, *row);
    }
  }
  back_matter(page);
  return page;
}

}  // namespace mlops::cli
