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
Made make_tokenize(const YamlNode& value, const TransformContext& context);
Made make_fpe(const YamlNode& value, const TransformContext& context);
Made make_encrypt(const YamlNode& value, const TransformContext& context);
Made make_encrypt_deterministic(const YamlNode& value, const TransformContext& context);
Made make_date_shift(const YamlNode& value, const TransformContext& context);
Made make_date_truncate(const YamlNode& value, const TransformContext& context);
Made make_generalize(const YamlNode& value, const TransformContext& context);
Made make_hierarchy(const YamlNode& value, const TransformContext& context);  // of generalize
Made make_perturb(const YamlNode& value, const TransformContext& context);
Made make_surrogate(const YamlNode& value, const TransformContext& context);
Made make_remap_id(const YamlNode& value, const TransformContext& context);

// What stands where a cell could not be treated as the rule says: nothing of it may pass.
inline constexpr std::string_view kRedacted = "[REDACTED]";
inline constexpr std::string_view kColumnPrefix = "column:";  // of an option that names a column

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

// One of `words` (its index), the first when absent.
Result<std::size_t> word_option(const YamlNode& value, const TransformContext& context, std::string_view transform,
                                std::string_view name, const std::vector<std::string_view>& words);
// The name of a key of transforms.keys, which `transform` cannot do without.
Result<std::string> key_option(const YamlNode& value, const TransformContext& context, std::string_view transform);
// `scope: column | dataset | shared`.
Result<KeyScope> scope_option(const YamlNode& value, const TransformContext& context, std::string_view transform);
// `name: column:NAME`; empty when absent.
Result<std::string> column_option(const YamlNode& value, const TransformContext& context, std::string_view transform,
                                  std::string_view name);

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
