// Where an environment's releases are laid down as files for a serving process on mlopsd's host: `target:` of an
// environment.
//
//   target: {directory: ROOT, path: prod/readmission, layout: plain, switch: symlink}
//
// `directory` is the name of a root in mlopsd's configuration and never a path; `path` is relative to it, of the
// segments of an artifact name. Errors: kInvalid "environment_invalid" with origin:line:column. Thread-safety: values
// and pure functions.
#pragma once

#include <string>
#include <string_view>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/base/yaml.h"

namespace mlops::model {

enum class DeliveryLayout { kPlain, kTriton, kTensorflowServing };
enum class DeliverySwitch { kSymlink, kExchange };  // a link is replaced, or two directories change places

std::string_view to_word(DeliveryLayout layout);
std::string_view to_word(DeliverySwitch how);

struct DeliveryTarget {
  std::string root;  // empty: nothing is delivered
  std::string path;  // below the root; empty: the root itself
  DeliveryLayout layout = DeliveryLayout::kPlain;
  DeliverySwitch how = DeliverySwitch::kSymlink;
  YamlMark mark;  // where it was declared; not stored

  bool is_set() const { return !root.empty(); }
  // "ROOT" or "ROOT/PATH", as messages and lists show it.
  std::string text() const;
  // Whether one of the two lies in the other, or both are the same.
  bool overlaps(const DeliveryTarget& other) const;
};

// A root's name: one segment of a-z, 0-9, '.', '_', '-'.
Status check_root_name(std::string_view name);
// The `target` of an environment's map; an unset target when there is none.
Result<DeliveryTarget> read_delivery_target(const YamlNode& environment, const std::string& origin);
Json to_json(const DeliveryTarget& target);
// `environment` as stored. Errors: kCorrupt "bad_environment".
Result<DeliveryTarget> delivery_target_from_json(const Json& environment);

}  // namespace mlops::model
