#include <algorithm>

#include "core/base/text.h"
#include "policies/mask/makers.h"

namespace mlops::mask {

Result<std::size_t> word_option(const YamlNode& value, const TransformContext& context, std::string_view transform,
                                std::string_view name, const std::vector<std::string_view>& words) {
  const YamlNode* node = value.find(name);
  if (!node) return std::size_t{0};
  MLOPS_ASSIGN(const auto text, yaml_string(*node, context.origin, name));
  const auto found = std::find(words.begin(), words.end(), text);
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  const std::vector<std::string> known(words.begin(), words.end());
  return fail(yaml_error(context.origin, node->mark, "bad_option",
                         fmt::format("{}.{} is one of {}", transform, name, join(known, ", "))));
}

Result<std::string> key_option(const YamlNode& value, const TransformContext& context, std::string_view transform) {
  MLOPS_ASSIGN(auto key, text_option(value, context, "key", {}));
  if (key.empty()) return missing_option(value, context, transform, "key", "name a key of transforms.keys");
  return key;
}

Result<KeyScope> scope_option(const YamlNode& value, const TransformContext& context, std::string_view transform) {
  constexpr KeyScope kScopes[] = {KeyScope::kColumn, KeyScope::kDataset, KeyScope::kShared};
  MLOPS_ASSIGN(const auto index, word_option(value, context, transform, "scope", {"column", "dataset", "shared"}));
  return kScopes[index];
}

Result<std::string> column_option(const YamlNode& value, const TransformContext& context, std::string_view transform,
                                  std::string_view name) {
  const YamlNode* node = value.find(name);
  if (!node) return std::string();
  MLOPS_ASSIGN(const auto text, yaml_string(*node, context.origin, name));
  if (text.starts_with(kColumnPrefix) && text.size() > kColumnPrefix.size()) return text.substr(kColumnPrefix.size());
  return fail(
      yaml_error(context.origin, node->mark, "bad_option", fmt::format("{}.{} is `column:NAME`", transform, name)));
}

}  // namespace mlops::mask
