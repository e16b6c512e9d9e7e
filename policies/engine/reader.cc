#include "policies/engine/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/text.h"

namespace mlops::policy {

std::string suggestion(std::string_view word, const std::vector<std::string>& candidates) {
  if (const auto near = nearest_word(word, candidates)) return fmt::format("did you mean '{}'?", *near);
  if (candidates.empty()) return {};
  constexpr std::size_t kMostShown = 16;
  if (candidates.size() > kMostShown) return "docs/policies.md lists the words known here";
  return "known: " + join(candidates, ", ");
}

template <class T>
std::optional<T> Reader::take(Result<T> result, YamlMark mark) {
  if (result) return std::move(*result);
  findings_.add(result.error(), mark);
  return std::nullopt;
}

bool Reader::map(const YamlNode& node, std::string_view what, const std::vector<std::string>& known) {
  if (!node.is_map()) {
    findings_.error(node.mark, "wrong_type", fmt::format("{} must be a map", what));
    return false;
  }
  for (const auto& [key, value] : node.entries) {
    if (std::find(known.begin(), known.end(), key.scalar) != known.end()) continue;
    findings_.error(key.mark, "unknown_key", fmt::format("{} has no key '{}'", what, printable(key.scalar)),
                    suggestion(key.scalar, known));
  }
  return true;
}

const std::vector<YamlNode>& Reader::sequence(const YamlNode& node, std::string_view what) {
  static const std::vector<YamlNode> none;
  if (node.is_sequence()) return node.items;
  if (!node.is_null()) findings_.error(node.mark, "wrong_type", fmt::format("{} must be a list", what));
  return none;
}

std::optional<std::string> Reader::text(const YamlNode& node, std::string_view what) {
  if (node.is_scalar() && !node.quoted &&
      (to_lower_ascii(node.scalar) == "true" || to_lower_ascii(node.scalar) == "false")) {
    findings_.error(node.mark, "bool_word", fmt::format("{} must be text, {} is a truth value", what, node.scalar),
                    fmt::format("write \"{}\"", node.scalar));
    return std::nullopt;
  }
  return take(yaml_string(node, findings_.origin(), what), node.mark);
}

std::optional<TimestampUs> Reader::date(const YamlNode& node, std::string_view what) {
  const auto value = text(node, what);
  if (!value) return std::nullopt;
  if (const auto time = parse_rfc3339(*value)) return *time;
  findings_.error(node.mark, "bad_date", fmt::format("{} must be a date, 2026-01-31", what));
  return std::nullopt;
}

std::optional<Period> Reader::period(const YamlNode& node, std::string_view what) {
  const auto value = text(node, what);
  if (!value) return std::nullopt;
  if (const auto period = parse_period(*value)) return period;
  findings_.error(node.mark, "bad_period", fmt::format("{} must be an ISO 8601 duration", what), "P6Y, P30D, PT12H");
  return std::nullopt;
}

std::optional<double> Reader::number(const YamlNode& node, std::string_view what, double min, double max) {
  const auto value = take(yaml_double(node, findings_.origin(), what), node.mark);
  if (!value) return std::nullopt;
  if (std::isfinite(*value) && *value >= min && *value <= max) return value;
  findings_.error(node.mark, "out_of_range", fmt::format("{} must be a number from {} to {}", what, min, max));
  return std::nullopt;
}

std::optional<std::int64_t> Reader::integer(const YamlNode& node, std::string_view what, std::int64_t min,
                                            std::int64_t max) {
  return take(yaml_int(node, findings_.origin(), what, min, max), node.mark);
}

std::optional<bool> Reader::flag(const YamlNode& node, std::string_view what) {
  return take(yaml_bool(node, findings_.origin(), what), node.mark);
}

std::vector<Marked<std::string>> Reader::marked_texts(const YamlNode& node, std::string_view what) {
  std::vector<Marked<std::string>> list;
  for (const auto& item : sequence(node, what)) {
    if (auto value = text(item, what)) list.push_back({std::move(*value), item.mark});
  }
  return list;
}

std::vector<std::string> Reader::texts(const YamlNode& node, std::string_view what) {
  std::vector<std::string> list;
  for (auto& item : marked_texts(node, what)) list.push_back(std::move(item.value));
  return list;
}

std::optional<std::size_t> Reader::word(const YamlNode& node, std::string_view what,
                                        const std::vector<std::string>& words) {
  const auto value = text(node, what);
  if (!value) return std::nullopt;
  const auto found = std::find(words.begin(), words.end(), *value);
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  findings_.error(node.mark, "unknown_word", fmt::format("'{}' is not a word for {}", printable(*value), what),
                  suggestion(*value, words));
  return std::nullopt;
}

std::vector<model::ArtifactKind> Reader::kinds(const YamlNode& node) {
  static const std::vector<std::string> words{std::string(to_word(model::ArtifactKind::kModel)),
                                              std::string(to_word(model::ArtifactKind::kDataset))};
  std::vector<model::ArtifactKind> list;
  for (const auto& item : sequence(node, "kinds")) {
    if (const auto index = word(item, "kinds", words)) list.push_back(*model::artifact_kind_from_word(words[*index]));
  }
  return list;
}

std::optional<model::Sensitivity> Reader::sensitivity(const YamlNode& node, std::string_view what) {
  const auto& words = model::sensitivity_words();
  const auto index = word(node, what, words);
  if (!index) return std::nullopt;
  return model::sensitivity_from_word(words[*index]);
}

}  // namespace mlops::policy
