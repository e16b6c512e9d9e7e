// What tests of transforms share: rows, keys, and one cell through a transform. Thread-safety: one thread.
#pragma once

#include <map>
#include <string>

#include "policies/mask/transform.h"
#include "tests/unit/catch.h"
#include "tests/unit/policies/mask/fixed_keys.h"

namespace mlops::mask {

class Row : public RowView {
 public:
  Row(std::initializer_list<std::pair<const std::string, std::string>> cells = {}) : cells_(cells) {}
  std::optional<std::string_view> cell(std::string_view column) const override {
    const auto found = cells_.find(std::string(column));
    return found == cells_.end() ? std::nullopt : std::optional<std::string_view>(found->second);
  }

 private:
  std::map<std::string, std::string> cells_;
};

inline Result<std::unique_ptr<Transform>> make(std::string_view id, std::string_view yaml) {
  auto node = parse_yaml(yaml, "test.yaml");
  REQUIRE(node);
  return find_transform(id)->make(*node, {"test.yaml", detect::find_detector, detect::built_in_detectors()});
}

// Where a cell of a test stands.
struct Place {
  std::string dataset = "patients";
  std::string column = "id";
  std::uint64_t record = 4;
  std::uint32_t key_versions = 1;
  TokenVault* vault = nullptr;
};

inline ColumnKey key_for(const Transform& transform, const Place& place) {
  if (transform.key_name().empty()) return {};
  auto key = column_key(FixedKeys(place.key_versions), std::string(transform.key_name()),
                        {place.dataset, place.column, transform.key_scope()});
  REQUIRE(key);
  return std::move(*key);
}

inline std::string run(const Transform& transform, std::string_view cell, const Row& row = {},
                       const Place& place = {}) {
  const auto key = key_for(transform, place);
  auto out = transform.apply(cell, {row, key, place.dataset, place.column, place.record, place.vault, nullptr});
  REQUIRE(out);
  return std::move(*out);
}

inline Result<std::string> reveal(const Transform& transform, std::string_view cell, const Place& place = {}) {
  const auto key = key_for(transform, place);
  const Row row;
  return transform.reveal(cell, {row, key, place.dataset, place.column, place.record, place.vault, nullptr});
}

inline std::string apply(std::string_view id, std::string_view yaml, std::string_view cell, const Row& row = {},
                         const Place& place = {}) {
  auto transform = make(id, yaml);
  REQUIRE(transform);
  return run(**transform, cell, row, place);
}

}  // namespace mlops::mask
