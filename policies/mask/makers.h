// Private to policies/mask: the factory of each transform, and how they read their options.
// Errors: kInvalid "bad_option", "missing_option", "unknown_key" with origin:line:column.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "policies/mask/transform.h"

namespace mlops::mask {

using Made = Result<std::unique_ptr<Transform>>;

Made make_suppress(const YamlNode& value, const TransformContext& context);
Made make_keep(const YamlNode& value, const TransformContext& context);
Made make_redact(const YamlNode& value, const TransformContext& context);
Made make_replace(const YamlNode& value, const TransformContext& context);
Made make_mask(const YamlNode& value, const TransformContext& context);
Made make_pseudonymize(const YamlNode& value, const TransformContext& context);
Made make_date_truncate(const YamlNode& value, const TransformContext& context);
Made make_generalize(const YamlNode& value, const TransformContext& context);

// A map with no keys but `known`, or nothing at all.
inline Status check_options(const YamlNode& value, const TransformContext& context, std::string_view transform,
                            const std::vector<std::string_view>& known) {
  if (value.is_null()) return {};
  if (!value.is_map()) {
    return fail(
        yaml_error(context.origin, value.mark, "bad_option", fmt::format("{} takes a map of options", transform)));
  }
  return yaml_only_known_keys(value, context.origin, known);
}

// The option as text, `fallback` when absent.
inline Result<std::string> text_option(const YamlNode& value, const TransformContext& context, std::string_view name,
                                       std::string fallback) {
  const YamlNode* node = value.find(name);
  return node ? yaml_string(*node, context.origin, name) : Result<std::string>(std::move(fallback));
}

struct IntRange {
  std::int64_t min = 0;
  std::int64_t max = 0;
};
inline Result<std::int64_t> int_option(const YamlNode& value, const TransformContext& context, std::string_view name,
                                       std::int64_t fallback, IntRange range) {
  const YamlNode* node = value.find(name);
  return node ? yaml_int(*node, context.origin, name, range.min, range.max) : Result<std::int64_t>(fallback);
}

inline Failure missing_option(const YamlNode& value, const TransformContext& context, std::string_view transform,
                              std::string_view name, std::string hint) {
  return fail(yaml_error(context.origin, value.mark, "missing_option", fmt::format("{} needs `{}`", transform, name),
                         std::move(hint)));
}

}  // namespace mlops::mask
