#include "policies/data/json_paths.h"

#include <algorithm>

#include "policies/data/json_bytes.h"

namespace mlops::data {
namespace {

constexpr std::size_t kFew = 12;                  // children that are searched one by one
constexpr std::size_t kMostSpellings = 8;         // of one key that are remembered
constexpr std::size_t kNameBytesMax = 16u << 20;  // all names together
constexpr std::size_t kPlacesPerColumn = 4;

}  // namespace

std::string PointerNaming::child_name(const PathNode& parent, std::string_view key) const {
  std::string name = parent.path + '/';
  if (key == "*") return name + "~2";
  for (const char c : key) {
    if (c == '~') {
      name += "~0";
    } else if (c == '/') {
      name += "~1";
    } else {
      name += c;
    }
  }
  return name;
}

JsonPaths::JsonPaths(std::unique_ptr<PathNaming> naming, std::size_t max_columns)
    : naming_(std::move(naming)), max_columns_(max_columns) {
  root_ = add(nullptr, {}, {}, naming_->role(resources_, {}));
}

PathNode* JsonPaths::add(const PathNode* parent, std::string path, std::string_view key, PathRole role) {
  name_bytes_ += path.size() + 2 * key.size();
  if (nodes_.size() > max_columns_ * kPlacesPerColumn || name_bytes_ > kNameBytesMax) {
    full_ = true;
    return nullptr;
  }
  auto& node = nodes_.emplace_back();
  node.path = std::move(path);
  node.key = std::string(key);
  node.parent = parent;
  node.role = role;
  return &node;
}

PathNode* JsonPaths::child(PathNode& parent, std::string_view raw_key) {
  auto& children = parent.children;
  if (parent.expected >= children.size()) parent.expected = 0;
  if (!children.empty() && children[parent.expected].raw == raw_key) return children[parent.expected++].node;
  return search(parent, raw_key);
}

PathNode* JsonPaths::search(PathNode& parent, std::string_view raw_key) {
  if (parent.children.size() <= kFew) {
    for (std::size_t i = 0; i < parent.children.size(); ++i) {
      if (parent.children[i].raw != raw_key) continue;
      parent.expected = i + 1;
      return parent.children[i].node;
    }
  } else if (const auto known = parent.by_raw.find(raw_key); known != parent.by_raw.end()) {
    parent.expected = known->second + 1;
    return parent.children[known->second].node;
  }
  std::string decoded;
  if (!decode_json_string(raw_key, decoded)) return nullptr;
  PathNode* const node = find_or_add(parent, decoded);
  if (!node || node->spellings == kMostSpellings) return node;
  ++node->spellings;
  parent.by_raw.emplace(raw_key, parent.children.size());
  parent.children.push_back({std::string(raw_key), node});
  parent.expected = parent.children.size();
  return node;
}

PathNode* JsonPaths::find_or_add(PathNode& parent, std::string_view key) {
  if (const auto known = parent.by_key.find(key); known != parent.by_key.end()) return known->second;
  PathNode* const node = add(&parent, naming_->child_name(parent, key), key, naming_->role(parent, key));
  if (!node) return nullptr;
  parent.by_key.emplace(node->key, node);
  new_keys.push_back(node->key);
  return node;
}

PathNode* JsonPaths::element(PathNode& array) {
  if (array.element) return array.element;
  auto name = naming_->element_name(array);
  array.element = name.empty() ? &array : add(&array, std::move(name), {}, PathRole::kPlain);
  return array.element;
}

PathNode* JsonPaths::resource(std::string_view type) {
  if (const auto known = resources_.by_key.find(type); known != resources_.by_key.end()) return known->second;
  PathNode* const node = add(nullptr, std::string(type), type, PathRole::kPlain);
  if (node) resources_.by_key.emplace(node->key, node);
  return node;
}

PathNode* JsonPaths::specialise(PathNode& node, std::string_view object) {
  std::string said;
  const auto label = naming_->label(node.role, object, said);
  if (label.empty()) return &node;
  if (node.role == PathRole::kResource) return resource(label);
  const auto key = '[' + label + ']';
  if (const auto known = node.by_key.find(key); known != node.by_key.end()) return known->second;
  PathNode* const labelled = add(node.parent, node.path + key, key, PathRole::kPlain);
  if (!labelled) return nullptr;
  node.by_key.emplace(labelled->key, labelled);
  if (!said.empty()) new_keys.push_back(std::move(said));
  return labelled;
}

std::size_t JsonPaths::column(PathNode& node) {
  if (node.column != PathNode::kNoColumn) return node.column;
  if (columns_.size() == max_columns_) {
    full_ = true;
    return PathNode::kNoColumn;
  }
  node.column = columns_.size();
  columns_.push_back(node.path);
  kinds_.push_back(naming_->kind(node));
  return node.column;
}

}  // namespace mlops::data
