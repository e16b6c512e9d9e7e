// What is known about an artifact besides its bytes, and its file form mlops.yaml (docs/format/mlops-yaml.md).
//
// Errors of parse: kInvalid with origin:line:column. Thread-safety: values and pure functions.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/model/kind.h"

namespace mlops::cli {

inline constexpr std::string_view kManifestName = "mlops.yaml";

struct InputSpec {
  std::string ref;
  std::string role;  // empty: the kind's default
  bool operator==(const InputSpec&) const = default;
};

struct ArtifactManifest {
  std::string name;  // empty: not said
  std::optional<model::ArtifactKind> kind;
  std::string description;
  std::string sensitivity;
  std::string git;  // directory, relative to the manifest
  std::vector<InputSpec> inputs;
  std::map<std::string, std::string> params;
  std::map<std::string, double> metrics;
  std::map<std::string, std::string> labels;
};

Result<ArtifactManifest> parse_artifact_manifest(std::string_view yaml, const std::string& origin);

// Where the manifest of an artifact at `path` would be: inside a directory, beside a file.
std::string manifest_path_for(const std::string& path, bool is_directory);

}  // namespace mlops::cli
