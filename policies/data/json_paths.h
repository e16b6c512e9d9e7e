// Private to policies/data: the columns of JSON as a tree of the places met so far, looked up key by key.
//
// A place is created when it is first met and never moves; its name is made then, by a PathNaming. The lookup tries the
// key that followed the last one first, because records of a file tend to repeat their order. Bounded: places, and the
// bytes of their names. Thread-safety: one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "policies/data/record.h"

namespace mlops::data {

// What an object at a place is told apart by, so that its members get columns of their own (FHIR only).
enum class PathRole : std::uint8_t { kPlain, kResource, kExtension, kIdentifier, kContact };

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
template <class Value>
using TextMap = std::unordered_map<std::string, Value, TextHash, std::equal_to<>>;

struct PathNode {
  struct Child {
    std::string raw;  // the key as it is written
    PathNode* node = nullptr;
  };
  static constexpr std::size_t kNoColumn = SIZE_MAX;

  std::string path;
  std::string key;  // the last one, decoded; empty of an array's elements
  const PathNode* parent = nullptr;
  std::size_t column = kNoColumn;
  PathRole role = PathRole::kPlain;
  PathNode* element = nullptr;
  std::vector<Child> children;  // in the order met, a key more than once when it is written in several ways
  std::size_t expected = 0;     // of children
  std::size_t spellings = 0;    // of this place's key among its parent's children
  TextMap<std::size_t> by_raw;  // index of children
  TextMap<PathNode*> by_key;    // decoded
};

class PathNaming {
 public:
  virtual ~PathNaming() = default;
  virtual std::string child_name(const PathNode& parent, std::string_view key) const = 0;
  // Empty: elements belong to the array's own place.
  virtual std::string element_name(const PathNode& array) const = 0;
  virtual PathRole role(const PathNode& parent, std::string_view key) const = 0;
  virtual ColumnKind kind(const PathNode& node) const = 0;
  // The label that tells apart the object that begins at object[0] from others at this place; empty: none.
  // `said`: the text in the record that the label is made of, when it is free to be anything.
  virtual std::string label(PathRole role, std::string_view object, std::string& said) const = 0;
};

// JSON Pointers (RFC 6901) with `*` for every array position; a key that is "*" itself is written "~2".
class PointerNaming : public PathNaming {
 public:
  std::string child_name(const PathNode& parent, std::string_view key) const override;
  std::string element_name(const PathNode& array) const override { return array.path + "/*"; }
  PathRole role(const PathNode&, std::string_view) const override { return PathRole::kPlain; }
  ColumnKind kind(const PathNode&) const override { return ColumnKind::kPlain; }
  std::string label(PathRole, std::string_view, std::string&) const override { return {}; }
};

class JsonPaths {
 public:
  JsonPaths(std::unique_ptr<PathNaming> naming, std::size_t max_columns);

  PathNode& root() { return *root_; }
  // The place of a member; nullptr when there are too many, or the key is written wrongly.
  PathNode* child(PathNode& parent, std::string_view raw_key);
  PathNode* element(PathNode& array);
  // The place of the object that begins at object[0] at a place with a role.
  PathNode* specialise(PathNode& node, std::string_view object);
  // The place of records of one resource type.
  PathNode* resource(std::string_view type);
  std::size_t column(PathNode& node);

  const std::vector<std::string>& columns() const { return columns_; }
  ColumnKind kind(std::size_t column) const { return kinds_[column]; }
  bool is_full() const { return full_; }  // why a place was not created

  std::vector<std::string> new_keys;  // of the current record; whoever begins one clears it

 private:
  PathNode* search(PathNode& parent, std::string_view raw_key);
  PathNode* find_or_add(PathNode& parent, std::string_view key);
  PathNode* add(const PathNode* parent, std::string path, std::string_view key, PathRole role);

  std::unique_ptr<PathNaming> naming_;
  std::size_t max_columns_;
  std::deque<PathNode> nodes_;
  PathNode* root_;
  PathNode resources_;  // its children are the resource types
  std::size_t name_bytes_ = 0;
  bool full_ = false;
  std::vector<std::string> columns_;
  std::vector<ColumnKind> kinds_;
};

}  // namespace mlops::data
