#include "cli/cmd/fields.h"

#include <fmt/format.h>

#include "core/base/text.h"

namespace mlops::cli {

const Json& member(const Json& object, std::string_view key) {
  static const Json kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(std::string(key));
  return found == object.end() ? kNull : *found;
}

const Json& array_of(const Json& object, std::string_view key) {
  static const Json kEmpty = Json::array();
  const auto& value = member(object, key);
  return value.is_array() ? value : kEmpty;
}

std::string text_of(const Json& object, std::string_view key) {
  const auto& value = member(object, key);
  if (value.is_string()) return value.get<std::string>();
  return value.is_primitive() && !value.is_null() ? value.dump() : std::string();
}

std::int64_t int_of(const Json& object, std::string_view key) {
  const auto& value = member(object, key);
  return value.is_number_integer() ? value.get<std::int64_t>() : 0;
}

bool bool_of(const Json& object, std::string_view key) {
  const auto& value = member(object, key);
  return value.is_boolean() && value.get<bool>();
}

std::vector<std::string> strings_of(const Json& object, std::string_view key) {
  std::vector<std::string> texts;
  for (const auto& item : array_of(object, key)) {
    if (item.is_string()) texts.push_back(item.get<std::string>());
  }
  return texts;
}

std::string brief(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null()) return "none";
  if (value.is_primitive()) return value.dump();
  std::vector<std::string> parts;
  for (const auto& [key, item] : value.items()) {
    parts.push_back(value.is_object() ? key + "=" + brief(item) : brief(item));
  }
  return parts.empty() ? "none" : join(parts, ", ");
}

std::string short_digest(std::string_view digest) {
  constexpr std::size_t kShown = std::string_view("sha256:").size() + 12;
  return std::string(digest.starts_with("sha256:") ? digest.substr(0, kShown) : digest);
}

std::string counted(std::int64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", grouped(count), count == 1 ? one : many);
}

std::string grouped(std::int64_t number) {
  auto digits = std::to_string(number);
  const std::size_t first = digits.starts_with('-') ? 1 : 0;
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > static_cast<std::ptrdiff_t>(first); at -= 3) {
    digits.insert(static_cast<std::size_t>(at), 1, ',');
  }
  return digits;
}

// 18 characters of a UUIDv7 hold its whole time and the first counter group; the first 8 alone repeat within a minute.
std::string short_id(std::string_view id) {
  return std::string(id.substr(0, 18));
}

}  // namespace mlops::cli
