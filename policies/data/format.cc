#include "policies/data/format.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/text.h"

namespace mlops::data {
namespace {

using namespace std::literals;

constexpr std::pair<Format, std::string_view> kWords[] = {
    {Format::kCsv, "csv"},         {Format::kTsv, "tsv"},         {Format::kJson, "json"},
    {Format::kJsonLines, "jsonl"}, {Format::kFhir, "fhir"},       {Format::kFhirLines, "fhir-ndjson"},
    {Format::kText, "text"},       {Format::kUnknown, "unknown"},
};

enum class Family { kCsv, kTsv, kJson, kText };

constexpr std::pair<std::string_view, Family> kEndings[] = {
    {".csv", Family::kCsv},   {".tsv", Family::kTsv},    {".tab", Family::kTsv},     {".json", Family::kJson},
    {".fhir", Family::kJson}, {".jsonl", Family::kJson}, {".ndjson", Family::kJson}, {".geojson", Family::kJson},
    {".txt", Family::kText},  {".text", Family::kText},  {".log", Family::kText},    {".md", Family::kText},
};

constexpr std::string_view kForeign[] = {
    "PK\x03\x04"sv,
    "\x1F\x8B"sv,
    "BZh"sv,
    "\xFD"
    "7zXZ"sv,
    "\x28\xB5\x2F\xFD"sv,
    "PAR1"sv,
    "%PDF-"sv,
    "\x89PNG"sv,
    "GIF8"sv,
    "\xFF\xD8\xFF"sv,
    "\x89HDF"sv,
    "ORC"sv,
    "Obj\x01"sv,
    "ARROW1"sv,
    "\x93NUMPY"sv,
    "SQLite format 3"sv,
    "\x80\x04"sv,
    "\x7F"
    "ELF"sv,
};
constexpr std::size_t kDicomPrefixBytes = 128;
constexpr std::size_t kLinesLookedAt = 8;

std::string_view skip_blanks(std::string_view text) {
  const auto at = text.find_first_not_of(" \t\r\n");
  return at == std::string_view::npos ? std::string_view{} : text.substr(at);
}

// The brackets of the first line close, so that it is a value of its own, and another one follows.
bool is_lines(std::string_view head) {
  const auto end = head.find('\n');
  if (end == std::string_view::npos) return false;
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < end; ++i) {
    const char c = head[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
  }
  if (depth != 0 || in_string) return false;
  const auto rest = skip_blanks(head.substr(end));
  return rest.starts_with('{') || rest.starts_with('[');
}

bool has_resource_type(std::string_view head) {
  const auto at = head.find("\"resourceType\"");
  if (at == std::string_view::npos) return false;
  return skip_blanks(head.substr(at + "\"resourceType\""sv.size())).starts_with(':');
}

Format json_of(std::string_view path, std::string_view head) {
  const bool named_lines = path.ends_with(".jsonl") || path.ends_with(".ndjson");
  const bool lines = named_lines || is_lines(head);
  if (head.starts_with('{') && has_resource_type(head)) return lines ? Format::kFhirLines : Format::kFhir;
  return lines ? Format::kJsonLines : Format::kJson;
}

// The delimiter occurs equally often in each of the first lines.
bool is_table(std::string_view head, char delimiter) {
  std::ptrdiff_t expected = 0;
  std::size_t lines = 0;
  while (lines < kLinesLookedAt) {
    const auto end = head.find('\n');
    if (end == std::string_view::npos) break;
    const auto line = head.substr(0, end);
    const auto count = std::count(line.begin(), line.end(), delimiter);
    if (lines == 0) expected = count;
    if (count == 0 || count != expected) return false;
    ++lines;
    head.remove_prefix(end + 1);
  }
  return lines >= 2;
}

}  // namespace

bool has_foreign_magic(std::string_view head) {
  for (const auto magic : kForeign) {
    if (head.starts_with(magic)) return true;
  }
  return head.size() > kDicomPrefixBytes && head.substr(kDicomPrefixBytes).starts_with("DICM");
}

Format format_of(std::string_view path, std::string_view head) {
  if (head.starts_with("\xEF\xBB\xBF")) head.remove_prefix(3);
  if (has_foreign_magic(head)) return Format::kUnknown;
  const auto name = to_lower_ascii(path);
  const auto text = skip_blanks(head);
  for (const auto& [ending, family] : kEndings) {
    if (!name.ends_with(ending)) continue;
    if (family == Family::kJson) return json_of(name, text);
    return family == Family::kCsv ? Format::kCsv : family == Family::kTsv ? Format::kTsv : Format::kText;
  }
  if (head.find('\0') != std::string_view::npos) return Format::kUnknown;
  if (text.starts_with('{') || text.starts_with('[')) {
    const auto next = skip_blanks(text.substr(1));
    const bool opens = next.empty() || std::string_view("\"{[]}-0123456789tfn").find(next[0]) != std::string_view::npos;
    if (opens) return json_of(name, text);
  }
  if (is_table(head, '\t')) return Format::kTsv;
  for (const char delimiter : {',', ';', '|'}) {
    if (is_table(head, delimiter)) return Format::kCsv;
  }
  return text.empty() ? Format::kUnknown : Format::kText;
}

std::string_view to_word(Format format) {
  for (const auto& [value, word] : kWords) {
    if (value == format) return word;
  }
  return "unknown";
}

std::optional<Format> format_from_word(std::string_view word) {
  for (const auto& [value, name] : kWords) {
    if (name == word && value != Format::kUnknown) return value;
  }
  return std::nullopt;
}

}  // namespace mlops::data
