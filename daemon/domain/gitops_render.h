// What a deployment looks like in a GitOps repository: files, and the commit that brings them. The same deployment
// always gives the same bytes. Thread-safety: pure functions.
//
//   PATH/NAME.yaml             the release manifest: members by digest, the plan and who stood for it
//   PATH/_kserve/MODEL.yaml    renderer kserve: an InferenceService (serving.kserve.io/v1beta1)
// A service is made of the model that moves, with it of each other model that says its format, or of those in the role
// `model` of a named release. A dataset NAME lies in _datasets/NAME.yaml, a named release in _releases/NAME.yaml: no
// artifact's name begins with '_', so no two releases share a file, and an artifact runs once in an environment, so no
// two services do. Files of what a deployment ended go with its commit, but for those of what runs. A folder for Argo
// CD or Flux holds Kubernetes objects alone: PATH/_kserve. Errors: kRefused "cannot_render" saying what the version or
// the environment lacks.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/model/environment.h"
#include "core/model/plan.h"
#include "storage/git/git_repository.h"
#include "storage/meta/releases.h"

namespace mlops::domain {

struct GitopsMember {
  model::Version version;
  std::string role;  // in a named release
  std::map<std::string, std::string> labels;
};

// Where the files of a release lie.
struct ReleasePlaces {
  std::string path;
  std::string kind;
  std::string name;
  std::vector<std::string> models;  // names of those that may have a service
};

struct GitopsSubject {
  meta::DeploymentRow deployment;
  std::vector<GitopsMember> members;  // the first is the release's namesake
  model::Environment environment;     // as it was then
  model::Plan plan;
  std::vector<ReleasePlaces> ended;    // when this one began
  std::vector<ReleasePlaces> running;  // now
};

struct Rendering {
  std::vector<git::TreeFile> files;
  std::vector<std::string> removed;  // paths that may be there
};

// Has a member of such a release a service of its own?
bool is_served(std::string_view release_kind, const model::Version& version, std::string_view role);

inline constexpr std::string_view kDeploymentTrailer = "Mlops-Deployment: ";

Result<Rendering> render_files(const GitopsSubject& subject, const std::string& path, const std::string& renderer);
// A subject line, why, who, and trailers that name the deployment, its plan and the plan's digest.
std::string render_message(const GitopsSubject& subject);
// A Kubernetes name for an artifact's: its own where that is one, else made fit and told apart by a digest.
std::string kubernetes_name(const std::string& artifact);

}  // namespace mlops::domain
