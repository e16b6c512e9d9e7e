// What a deployment looks like in a GitOps repository: files, and the commit that brings them. The same deployment
// always gives the same bytes. Thread-safety: pure functions.
//
//   PATH/NAME.yaml             the release manifest: members by digest, the plan and who stood for it
//   PATH/_kserve/NAME.yaml     renderer kserve, of models: an InferenceService (serving.kserve.io/v1beta1)
// A dataset NAME lies in _datasets/NAME.yaml: no artifact's name begins with '_', so no two releases share a file. A
// folder for Argo CD or Flux holds Kubernetes objects alone: PATH/_kserve.
// Errors: kRefused "cannot_render" saying what the version or the environment lacks.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/model/environment.h"
#include "core/model/plan.h"
#include "storage/git/git_repository.h"
#include "storage/meta/releases.h"

namespace mlops::domain {

struct GitopsSubject {
  meta::DeploymentRow deployment;
  std::vector<model::Version> members;        // the first is the release's namesake
  std::map<std::string, std::string> labels;  // of the namesake
  model::Environment environment;             // as it was then
  model::Plan plan;
};

inline constexpr std::string_view kDeploymentTrailer = "Mlops-Deployment: ";

Result<std::vector<git::TreeFile>> render_files(const GitopsSubject& subject, const std::string& path,
                                                const std::string& renderer);
// A subject line, why, who, and trailers that name the deployment, its plan and the plan's digest.
std::string render_message(const GitopsSubject& subject);
// A Kubernetes name for an artifact's: its own where that is one, else made fit and told apart by a digest.
std::string kubernetes_name(const std::string& artifact);

}  // namespace mlops::domain
