// Typed reading of single nodes: every error names origin:line:column, what was expected, and never the text found.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/base/text.h"
#include "core/base/yaml.h"
#include "core/base/yaml_scalar.h"

namespace mlops {
namespace {

constexpr std::array<std::string_view, 4> kKindWords{"nothing", "a single value", "a list", "a map"};

Failure wrong_type(const YamlNode& node, const std::string& origin, std::string_view what, std::string_view wanted,
                   std::string hint = {}) {
  const std::string_view found =
      node.is_scalar() && node.quoted ? "quoted text" : kKindWords[static_cast<std::size_t>(node.kind)];
  return fail(yaml_error(origin, node.mark, "yaml_type", fmt::format("{} must be {}, found {}", what, wanted, found),
                         std::move(hint)));
}

bool is_plain(const YamlNode& node) {
  return node.is_scalar() && !node.quoted;
}

}  // namespace

Result<std::string> yaml_string(const YamlNode& node, const std::string& origin, std::string_view what) {
  if (!node.is_scalar()) return wrong_type(node, origin, what, "text");
  return node.scalar;
}

Result<std::int64_t> yaml_int(const YamlNode& node, const std::string& origin, std::string_view what, std::int64_t min,
                              std::int64_t max) {
  const std::string wanted = fmt::format("an integer from {} to {}", min, max);
  const auto value = is_plain(node) ? plain_integer(node.scalar) : std::nullopt;
  if (!value) return wrong_type(node, origin, what, wanted);
  const bool above_int64 = value->is_number_unsigned() && value->get<std::uint64_t>() > std::uint64_t{INT64_MAX};
  const auto number = value->get<std::int64_t>();
  if (above_int64 || number < min || number > max) {
    return fail(yaml_error(origin, node.mark, "yaml_range", fmt::format("{} must be {}", what, wanted)));
  }
  return number;
}

Result<double> yaml_double(const YamlNode& node, const std::string& origin, std::string_view what) {
  const auto value = is_plain(node) ? plain_double(node.scalar) : std::nullopt;
  if (!value) return wrong_type(node, origin, what, "a number");
  return *value;
}

Result<bool> yaml_bool(const YamlNode& node, const std::string& origin, std::string_view what) {
  const auto value = is_plain(node) ? plain_bool(node.scalar) : std::nullopt;
  if (!value) return wrong_type(node, origin, what, "true or false");
  return *value;
}

Result<std::vector<std::string>> yaml_strings(const YamlNode& node, const std::string& origin, std::string_view what) {
  if (!node.is_sequence()) return wrong_type(node, origin, what, "a list", "write [a, b] or one '- item' a line");
  std::vector<std::string> texts;
  texts.reserve(node.items.size());
  for (const auto& item : node.items) {
    MLOPS_ASSIGN(texts.emplace_back(), yaml_string(item, origin, fmt::format("every item of {}", what)));
  }
  return texts;
}

Status yaml_only_known_keys(const YamlNode& node, const std::string& origin,
                            const std::vector<std::string_view>& known) {
  for (const auto& [key, value] : node.entries) {
    if (std::find(known.begin(), known.end(), key.scalar) != known.end()) continue;
    const std::vector<std::string> words(known.begin(), known.end());
    const auto near = nearest_word(key.scalar, words);
    return fail(yaml_error(
        origin, key.mark, "unknown_key", fmt::format("unknown key '{}'", printable(key.scalar.substr(0, 64))),
        near ? fmt::format("did you mean '{}'?", *near) : fmt::format("known here: {}", join(words, ", "))));
  }
  return {};
}

}  // namespace mlops
