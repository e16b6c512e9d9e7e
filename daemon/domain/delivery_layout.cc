#include "daemon/domain/delivery_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "core/base/text.h"
#include "core/model/names.h"

namespace mlops::domain {
namespace {

using model::DeliveryLayout;
using model::FileEntry;

constexpr std::string_view kTritonConfig = "config.pbtxt";

bool is_numeric(std::string_view word) {
  return !word.empty() && word.find_first_not_of("0123456789") == std::string_view::npos;
}

// "1/" when every file that lies in a directory lies in that one; empty: the version is no model directory.
std::string numeric_directory(const std::vector<FileEntry>& files) {
  std::string found;
  for (const auto& file : files) {
    const auto slash = file.path.find('/');
    if (slash == std::string::npos) continue;
    const auto first = file.path.substr(0, slash + 1);
    if (!is_numeric(std::string_view(first).substr(0, slash)) || (!found.empty() && found != first)) return {};
    found = first;
  }
  return found;
}

// Where one file of a model lies below the model's directory.
std::string model_path(const std::string& path, const std::string& numeric, std::int64_t number,
                       DeliveryLayout layout) {
  if (!numeric.empty()) {
    return path.starts_with(numeric) ? fmt::format("{}/{}", number, path.substr(numeric.size())) : path;
  }
  if (layout == DeliveryLayout::kTriton && path == kTritonConfig) return path;
  return fmt::format("{}/{}", number, path);
}

// The directory of each member among several.
Result<std::vector<std::string>> member_directories(const DeliveredRelease& release, DeliveryLayout layout) {
  std::vector<std::string> out;
  std::set<std::string> taken;
  for (const auto& member : release.members) {
    const bool in_models = layout != DeliveryLayout::kPlain && member.version.kind == model::ArtifactKind::kModel;
    auto name = visible_name(member.role.empty() ? member.version.name : member.role);
    if (in_models) name = "models/" + name;
    if (!taken.insert(name).second) {
      name = fmt::format("{}.{}", name, model::to_word(member.version.kind));
      if (!taken.insert(name).second) {
        return fail(ErrorCode::kConflict, "name_taken", fmt::format("two members of the release are called {}", name),
                    "give each a role of its own");
      }
    }
    out.push_back(std::move(name));
  }
  return out;
}

Status check_places(std::vector<FileEntry>& files) {
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  std::string_view before;
  for (const auto& file : files) {
    MLOPS_TRY(model::check_file_path(file.path));
    if (file.path == before || file.path == kReleaseFile) {
      return fail(ErrorCode::kConflict, "name_taken", fmt::format("two files would lie at {}", printable(file.path)),
                  fmt::format("{} is mlopsd's own; rename the other", kReleaseFile));
    }
    before = file.path;
  }
  return {};
}

Json release_json(const DeliveredRelease& release, DeliveryLayout layout, const std::vector<std::string>& directories,
                  const std::vector<FileEntry>& files) {
  Json members = Json::array();
  for (std::size_t i = 0; i < release.members.size(); ++i) {
    const auto& member = release.members[i];
    members.push_back({{"ref", member.version.typed_ref()},
                       {"digest", member.version.digest.to_string()},
                       {"role", member.role},
                       {"directory", directories[i]}});
  }
  Json list = Json::array();
  for (const auto& file : files) {
    list.push_back({{"path", file.path}, {"digest", file.digest.to_string()}, {"size_bytes", file.size_bytes}});
  }
  const auto& deployment = release.deployment;
  return {{"deployment", deployment.id},      {"environment", deployment.environment}, {"name", deployment.name},
          {"kind", deployment.kind},          {"release", deployment.release_number},  {"plan", release.plan_digest},
          {"layout", model::to_word(layout)}, {"members", std::move(members)},         {"files", std::move(list)}};
}

}  // namespace

std::string visible_name(const std::string& name) {
  auto out = name;
  std::replace(out.begin(), out.end(), '/', '.');
  return out;
}

bool is_deliverable(const meta::DeploymentRow& deployment, DeliveryLayout layout) {
  return layout == DeliveryLayout::kPlain || deployment.kind != model::to_word(model::ArtifactKind::kDataset);
}

Result<Placement> place_release(const DeliveredRelease& release, DeliveryLayout layout) {
  Placement out;
  out.deployment_id = release.deployment.id;
  std::vector<std::string> directories{""};
  if (release.members.size() > 1) {
    MLOPS_ASSIGN(directories, member_directories(release, layout));
  }
  for (std::size_t i = 0; i < release.members.size(); ++i) {
    const auto& member = release.members[i];
    const bool is_model = layout != DeliveryLayout::kPlain && member.version.kind == model::ArtifactKind::kModel;
    const auto numeric = is_model ? numeric_directory(member.files) : std::string();
    const auto prefix = directories[i].empty() ? std::string() : directories[i] + "/";
    for (const auto& file : member.files) {
      auto path = is_model ? model_path(file.path, numeric, member.version.number, layout) : file.path;
      out.files.push_back({prefix + path, file.digest, file.size_bytes});
    }
  }
  MLOPS_TRY(check_places(out.files));
  out.release_json = canonical_dump(release_json(release, layout, directories, out.files));
  return out;
}

}  // namespace mlops::domain
