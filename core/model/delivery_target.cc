#include "core/model/delivery_target.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <utility>

#include "core/base/text.h"
#include "core/model/names.h"

namespace mlops::model {
namespace {

constexpr std::array<std::pair<DeliveryLayout, std::string_view>, 3> kLayouts{{
    {DeliveryLayout::kPlain, "plain"},
    {DeliveryLayout::kTriton, "triton"},
    {DeliveryLayout::kTensorflowServing, "tensorflow_serving"},
}};
constexpr std::array<std::pair<DeliverySwitch, std::string_view>, 2> kSwitches{{
    {DeliverySwitch::kSymlink, "symlink"},
    {DeliverySwitch::kExchange, "exchange"},
}};

template <class Table>
auto from_word(const Table& table, std::string_view word) -> std::optional<decltype(table[0].first)> {
  for (const auto& [value, text] : table) {
    if (text == word) return value;
  }
  return std::nullopt;
}

template <class Table, class Value>
std::string_view word_of(const Table& table, Value value) {
  for (const auto& [known, text] : table) {
    if (known == value) return text;
  }
  return {};
}

Failure at(const YamlNode& node, const std::string& origin, const std::string& message, std::string hint = {}) {
  return fail(yaml_error(origin, node.mark, "environment_invalid", message, std::move(hint)));
}

// A member of `node` that is one of a table's words.
template <class Table, class Value>
Status read_word(const YamlNode& node, const std::string& origin, const Table& table, std::string_view key,
                 Value& out) {
  const auto* value = node.find(key);
  if (!value) return {};
  MLOPS_ASSIGN(const auto word, yaml_string(*value, origin, key));
  const auto known = from_word(table, word);
  if (known) {
    out = *known;
    return {};
  }
  std::vector<std::string> words;
  for (const auto& row : table) words.emplace_back(row.second);
  return at(*value, origin, fmt::format("\"{}\" is not a `{}`", printable(word), key), "use " + join(words, " or "));
}

Failure damaged() {
  return fail(ErrorCode::kCorrupt, "bad_environment", "a stored environment has an unreadable target");
}

}  // namespace

std::string_view to_word(DeliveryLayout layout) {
  return word_of(kLayouts, layout);
}
std::string_view to_word(DeliverySwitch how) {
  return word_of(kSwitches, how);
}

std::string DeliveryTarget::text() const {
  return path.empty() ? root : root + "/" + path;
}

bool DeliveryTarget::overlaps(const DeliveryTarget& other) const {
  const auto mine = text() + "/";
  const auto theirs = other.text() + "/";
  return is_set() && other.is_set() && (mine.starts_with(theirs) || theirs.starts_with(mine));
}

Status check_root_name(std::string_view name) {
  MLOPS_TRY(check_artifact_name(name));
  if (name.find('/') == std::string_view::npos) return {};
  return fail(ErrorCode::kInvalid, "bad_name", fmt::format("root \"{}\" is a name, not a path", printable(name)),
              "delivery.roots of mlopsd's configuration says which directory it is");
}

Result<DeliveryTarget> read_delivery_target(const YamlNode& environment, const std::string& origin) {
  DeliveryTarget out;
  const auto* node = environment.find("target");
  if (!node || node->is_null()) return out;
  if (!node->is_map()) return at(*node, origin, "`target` is a map with `directory`");
  MLOPS_TRY(yaml_only_known_keys(*node, origin, {"directory", "path", "layout", "switch"}));
  const auto* root = node->find("directory");
  if (!root) return at(*node, origin, "`directory` is missing", "name one of mlopsd's delivery.roots");
  MLOPS_ASSIGN(out.root, yaml_string(*root, origin, "directory"));
  if (auto checked = check_root_name(out.root); !checked) {
    return at(*root, origin, checked.error().message, checked.error().hint);
  }
  out.mark = root->mark;
  if (const auto* path = node->find("path")) {
    MLOPS_ASSIGN(out.path, yaml_string(*path, origin, "path"));
    if (auto checked = check_artifact_name(out.path); !checked) {
      return at(*path, origin, fmt::format("`path`: {}", checked.error().message), checked.error().hint);
    }
  }
  MLOPS_TRY(read_word(*node, origin, kLayouts, "layout", out.layout));
  MLOPS_TRY(read_word(*node, origin, kSwitches, "switch", out.how));
  if (out.layout != DeliveryLayout::kPlain && out.path.empty()) {
    return at(*node, origin, fmt::format("layout {} needs a `path`", to_word(out.layout)),
              "the serving process takes every directory it finds for a model, so it gets one of its own");
  }
  return out;
}

Json to_json(const DeliveryTarget& target) {
  return {{"directory", target.root},
          {"path", target.path},
          {"layout", to_word(target.layout)},
          {"switch", to_word(target.how)}};
}

Result<DeliveryTarget> delivery_target_from_json(const Json& environment) {
  DeliveryTarget out;
  if (!environment.contains("target")) return out;
  const auto& json = environment.at("target");
  if (!json.is_object()) return damaged();
  const auto text = [&json](const char* key) {
    const auto it = json.find(key);
    return it != json.end() && it->is_string() ? it->get<std::string>() : std::string();
  };
  out.root = text("directory");
  out.path = text("path");
  const auto layout = from_word(kLayouts, text("layout"));
  const auto how = from_word(kSwitches, text("switch"));
  // Checked again: from here the words go to a file opener.
  if (!check_root_name(out.root) || !(out.path.empty() || check_artifact_name(out.path)) || !layout || !how) {
    return damaged();
  }
  out.layout = *layout;
  out.how = *how;
  return out;
}

}  // namespace mlops::model
