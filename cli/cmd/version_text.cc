#include "cli/cmd/version_text.h"

#include <fmt/format.h>

#include "cli/cmd/fields.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

std::string size_text(const Json& object, std::string_view key) {
  return human_size(static_cast<std::uint64_t>(int_of(object, key)));
}

std::string git_text(const Json& git) {
  if (!git.is_object()) return {};
  std::string text = text_of(git, "commit").substr(0, 12);
  if (const auto branch = text_of(git, "branch"); !branch.empty()) text += " on " + branch;
  if (const auto remote = text_of(git, "remote"); !remote.empty()) text += ", " + remote;
  return bool_of(git, "dirty") ? text + ", with uncommitted changes" : text;
}

void add_map(KeyValues& rows, const Json& map, const std::string& heading) {
  if (!map.is_object()) return;
  bool first = true;
  for (const auto& [key, value] : map.items()) {
    rows.add(first ? heading : " ", key + " = " + brief(value));
    first = false;
  }
}

// "age integer, sex string (optional)".
void add_schema(KeyValues& rows, const Json& schema, const std::string& heading) {
  std::vector<std::string> columns;
  for (const auto& column : array_of(schema, "columns")) {
    auto text = text_of(column, "name") + " " + text_of(column, "type");
    if (text_of(column, "type") == "tensor") text += "(" + text_of(column, "dtype") + ")";
    columns.push_back(text + (bool_of(column, "required") ? "" : " (optional)"));
  }
  rows.add(heading, join(columns, ", "));
}

void add_lifecycle(KeyValues& rows, const Json& version, const Style& style) {
  rows.add("deprecated", text_of(version, "deprecated"), Tone::kWarn);
  const auto& deleted = member(version, "deleted");
  if (deleted.is_object()) {
    rows.add("deleted", style.time(text_of(deleted, "at")) + ": " + text_of(deleted, "reason"), Tone::kBad);
  }
}

Lines file_lines(const Json& version, const Style& style) {
  const auto& files = array_of(version, "files");
  if (files.empty()) return {};
  std::vector<std::vector<std::string>> rows;
  for (const auto& file : files) {
    rows.push_back({text_of(file, "path"), size_text(file, "size_bytes"), short_digest(text_of(file, "digest"))});
  }
  Lines lines = aligned({"FILE", "SIZE", "DIGEST"}, rows, {1}, style, 2);
  if (bool_of(version, "files_truncated")) {
    lines.push_back(
        fmt::format("  … and {} more", int_of(version, "file_count") - static_cast<std::int64_t>(files.size())));
  }
  return lines;
}

void add_file_changes(Lines& lines, const Json& files, const Style& style) {
  const auto one_sided = [&](const char* key, const char* sign, Tone tone) {
    for (const auto& file : array_of(files, key)) {
      lines.push_back(style.paint(tone, fmt::format("  {} {}", sign, text_of(file, "path"))) + "  " +
                      size_text(file, "size_bytes"));
    }
  };
  one_sided("added", "+", Tone::kGood);
  one_sided("removed", "-", Tone::kBad);
  for (const auto& file : array_of(files, "changed")) {
    lines.push_back(style.paint(Tone::kWarn, "  ~ " + text_of(file, "path")) + "  " + size_text(file, "a_size_bytes") +
                    " → " + size_text(file, "b_size_bytes"));
  }
  if (const auto unchanged = int_of(files, "unchanged"); unchanged > 0) {
    lines.push_back(style.paint(Tone::kDim, "    " + counted(unchanged, "file is", "files are") + " the same"));
  }
}

}  // namespace

std::string sensitivity_text(const Json& version) {
  const auto label = text_of(version, "sensitivity");
  if (bool_of(version, "sensitivity_assumed")) return label + " (assumed: nobody declared it)";
  const auto own = text_of(version, "own_sensitivity");
  return own.empty() || own == label ? label : label + " (inherited from its inputs; its own is " + own + ")";
}

std::string lifecycle_word(const Json& version) {
  if (member(version, "deleted").is_object()) return "deleted";
  return text_of(version, "deprecated").empty() ? "" : "deprecated";
}

Lines version_lines(const Json& version, const Style& style) {
  Lines lines{style.paint(Tone::kBold, text_of(version, "kind") + " " + text_of(version, "ref"))};
  KeyValues rows;
  add_lifecycle(rows, version, style);
  rows.add("description", text_of(version, "description"));
  rows.add("digest", text_of(version, "digest"));
  rows.add("content",
           counted(int_of(version, "file_count"), "file", "files") + ", " + size_text(version, "size_bytes"));
  rows.add("sensitivity", sensitivity_text(version));
  rows.add("runs in", join(strings_of(version, "environments"), ", "));
  rows.add("aliases", join(strings_of(version, "aliases"), ", "));
  rows.add("created", style.time(text_of(version, "created_at")) + " by " + text_of(version, "created_by"));
  rows.add("git", git_text(member(version, "git")));
  rows.add("masked from", text_of(version, "masked_from"));
  for (const auto& input : array_of(version, "inputs")) {
    rows.add("input", fmt::format("{} {}  {}", text_of(input, "role"), text_of(input, "ref"),
                                  short_digest(text_of(input, "digest"))));
  }
  add_schema(rows, member(member(version, "schemas"), "input"), "takes");
  add_schema(rows, member(member(version, "schemas"), "output"), "gives");
  add_map(rows, member(version, "metrics"), "metrics");
  add_map(rows, member(version, "params"), "params");
  add_map(rows, member(version, "labels"), "labels");
  append(lines, rows.lines(style, 2));
  append(lines, file_lines(version, style));
  return lines;
}

Lines diff_lines(const Json& diff, const Style& style) {
  const auto a = text_of(diff, "a");
  const auto b = text_of(diff, "b");
  if (bool_of(diff, "same")) return {style.paint(Tone::kGood, "✔") + " " + a + " and " + b + " are the same"};
  Lines lines{style.paint(Tone::kBold, a + " → " + b)};
  Lines files;
  add_file_changes(files, member(diff, "files"), style);
  if (!files.empty()) lines.push_back(style.paint(Tone::kDim, "files"));
  append(lines, std::move(files));
  std::vector<std::vector<std::string>> rows;
  for (const auto& field : array_of(diff, "metadata")) {
    rows.push_back({text_of(field, "field"), brief(member(field, "a")), brief(member(field, "b"))});
  }
  if (!rows.empty()) {
    lines.push_back(style.paint(Tone::kDim, "metadata"));
    append(lines, aligned({"FIELD", "A", "B"}, rows, {}, style, 2));
  }
  const auto& lineage = member(diff, "lineage");
  if (!array_of(lineage, "added").empty() || !array_of(lineage, "removed").empty()) {
    lines.push_back(style.paint(Tone::kDim, "made from"));
    for (const auto& input : array_of(lineage, "added")) {
      lines.push_back(style.paint(Tone::kGood, "  + " + text_of(input, "role") + " " + text_of(input, "ref")));
    }
    for (const auto& input : array_of(lineage, "removed")) {
      lines.push_back(style.paint(Tone::kBad, "  - " + text_of(input, "role") + " " + text_of(input, "ref")));
    }
  }
  return lines;
}

}  // namespace mlops::cli
