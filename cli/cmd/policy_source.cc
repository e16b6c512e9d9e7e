#include "cli/cmd/policy_source.h"

#include <fmt/format.h>

#include <filesystem>

#include "cli/cmd/fields.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

constexpr std::string_view kPackPrefix = "pack/";

}  // namespace

Result<NamedText> read_policy_text(const std::string& name) {
  std::error_code ignored;
  const bool is_file = name == "-" || std::filesystem::exists(name, ignored);
  for (const auto& pack : policy::packs()) {
    const auto full = std::string(kPackPrefix) + std::string(pack.name);
    if (name == full || (name == pack.name && !is_file)) return NamedText{std::string(pack.yaml), full};
  }
  if (!name.starts_with(kPackPrefix) || is_file) return read_named_text(name);
  std::vector<std::string> words;
  for (const auto& pack : policy::packs()) words.push_back(std::string(kPackPrefix) + std::string(pack.name));
  const auto near = nearest_word(name, words);
  return fail(ErrorCode::kNotFound, "pack_not_found", fmt::format("there is no pack '{}'", printable(name)),
              near ? "did you mean " + *near + "?" : "mlopsctl policy packs lists them");
}

Result<policy::Policy> load_named_policy(const std::string& name) {
  MLOPS_ASSIGN(const auto text, read_policy_text(name));
  return policy::load_policy(text.text, text.origin);
}

Lines finding_lines(const Json& finding, const Style& style) {
  const auto level = text_of(finding, "level");
  const auto file = text_of(finding, "file");
  Lines lines{fmt::format("{}{}:{}: {}: {} [{}]", file.empty() ? "" : file + ":", text_of(finding, "line"),
                          text_of(finding, "column"),
                          style.paint(level == "warning" ? Tone::kWarn : Tone::kBad, level.empty() ? "error" : level),
                          text_of(finding, "message"), text_of(finding, "slug"))};
  if (const auto hint = text_of(finding, "hint"); !hint.empty()) lines.push_back("    " + hint);
  return lines;
}

}  // namespace mlops::cli
