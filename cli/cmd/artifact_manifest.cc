#include "cli/cmd/artifact_manifest.h"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>

#include "core/base/text.h"
#include "core/base/yaml.h"
#include "core/model/names.h"
#include "core/model/reference.h"

namespace mlops::cli {
namespace {

// One reading of one file: keeps the origin for messages.
class Reader {
 public:
  explicit Reader(const std::string& origin) : origin_(origin) {}

  Status text(const YamlNode& node, std::string_view what, std::string& out) {
    MLOPS_ASSIGN(out, yaml_string(node, origin_, what));
    if (const auto checked = model::check_free_text(out, what); !checked) return at(node, checked.error());
    return {};
  }

  Status reference(const YamlNode& node, std::string& out) {
    MLOPS_ASSIGN(out, yaml_string(node, origin_, "ref"));
    if (const auto parsed = model::parse_version_reference(out); !parsed) return at(node, parsed.error());
    return {};
  }

  Status inputs(const YamlNode& node, std::vector<InputSpec>& out) {
    if (!node.is_sequence())
      return expected(node, "inputs is a list of references, e.g. [{ref: patients@v1, role: train}]");
    for (const auto& item : node.items) {
      InputSpec input;
      if (item.is_map()) {
        MLOPS_TRY(yaml_only_known_keys(item, origin_, {"ref", "role"}));
        const auto* ref = item.find("ref");
        if (!ref) return expected(item, "an input needs ref");
        MLOPS_TRY(reference(*ref, input.ref));
        if (const auto* role = item.find("role")) MLOPS_TRY(text(*role, "role", input.role));
      } else {
        MLOPS_TRY(reference(item, input.ref));
      }
      out.push_back(std::move(input));
    }
    return {};
  }

  template <class Value, class Read>
  Status map(const YamlNode& node, std::string_view what, std::map<std::string, Value>& out, Read read) {
    if (node.is_null()) return {};
    if (!node.is_map()) return expected(node, fmt::format("{} is a map of keys to values", what));
    for (const auto& [key, value] : node.entries) {
      if (const auto checked = model::check_key(key.scalar, what); !checked) return at(key, checked.error());
      MLOPS_TRY(read(value, out[key.scalar]));
    }
    return {};
  }

  Status texts(const YamlNode& node, std::string_view what, std::map<std::string, std::string>& out) {
    return map(node, what, out, [&](const YamlNode& value, std::string& into) { return text(value, what, into); });
  }

  Status numbers(const YamlNode& node, std::string_view what, std::map<std::string, double>& out) {
    return map(node, what, out, [&](const YamlNode& value, double& into) -> Status {
      MLOPS_ASSIGN(into, yaml_double(value, origin_, what));
      if (!std::isfinite(into)) return expected(value, fmt::format("{} are finite numbers", what));
      return {};
    });
  }

  Status kind(const YamlNode& node, std::optional<model::ArtifactKind>& out) {
    MLOPS_ASSIGN(const auto word, yaml_string(node, origin_, "kind"));
    out = model::artifact_kind_from_word(word);
    if (!out) return expected(node, "kind is model or dataset");
    return {};
  }

  Status sensitivity(const YamlNode& node, std::string& out) {
    MLOPS_ASSIGN(out, yaml_string(node, origin_, "sensitivity"));
    if (!model::sensitivity_from_word(out)) {
      return expected(node, fmt::format("sensitivity is one of {}", join(model::sensitivity_words(), ", ")));
    }
    return {};
  }

 private:
  Failure expected(const YamlNode& node, const std::string& message) const {
    return fail(yaml_error(origin_, node.mark, "manifest_invalid", message));
  }
  Failure at(const YamlNode& node, const Error& error) const {
    return fail(yaml_error(origin_, node.mark, error.slug, error.message, error.hint));
  }

  const std::string& origin_;
};

using Field = Status (*)(Reader&, const YamlNode&, ArtifactManifest&);
struct FieldRow {
  std::string_view key;
  Field read;
};

const FieldRow kFields[] = {
    {"kind", [](Reader& r, const YamlNode& n, ArtifactManifest& m) { return r.kind(n, m.kind); }},
    {"name", [](Reader& r, const YamlNode& n, ArtifactManifest& m) { return r.text(n, "name", m.name); }},
    {"description",
     [](Reader& r, const YamlNode& n, ArtifactManifest& m) { return r.text(n, "description", m.description); }},
    {"sensitivity", [](Reader& r, const YamlNode& n, ArtifactManifest& m) { return r.sensitivity(n, m.sensitivity); }},
    {"git", [](Reader& r, const YamlNode& n, ArtifactManifest& m) { return r.text(n, "git", m.git); }},
    {"inputs", [](Reader& r, const YamlNode& n, ArtifactManifest& m) { return r.inputs(n, m.inputs); }},
    {"params", [](Reader& r, const YamlNode& n, ArtifactManifest& m) { return r.texts(n, "params", m.params); }},
    {"metrics", [](Reader& r, const YamlNode& n, ArtifactManifest& m) { return r.numbers(n, "metrics", m.metrics); }},
    {"labels", [](Reader& r, const YamlNode& n, ArtifactManifest& m) { return r.texts(n, "labels", m.labels); }},
};

}  // namespace

Result<ArtifactManifest> parse_artifact_manifest(std::string_view yaml, const std::string& origin) {
  MLOPS_ASSIGN(const auto root, parse_yaml(yaml, origin));
  ArtifactManifest manifest;
  if (root.is_null()) return manifest;
  if (!root.is_map()) {
    return fail(yaml_error(origin, root.mark, "manifest_invalid", "a manifest is a map of fields"));
  }
  std::vector<std::string_view> known;
  for (const auto& row : kFields) known.push_back(row.key);
  MLOPS_TRY(yaml_only_known_keys(root, origin, known));
  Reader reader(origin);
  for (const auto& row : kFields) {
    if (const auto* node = root.find(row.key)) MLOPS_TRY(row.read(reader, *node, manifest));
  }
  return manifest;
}

std::string manifest_path_for(const std::string& path, bool is_directory) {
  const std::filesystem::path at(path);
  return ((is_directory ? at : at.parent_path()) / kManifestName).string();
}

}  // namespace mlops::cli
