// What a deployment looks like in a GitOps repository.
#include "daemon/domain/gitops_render.h"

#include "core/base/text.h"
#include "core/base/yaml.h"
#include "core/crypto/digest.h"
#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::domain;

namespace {

GitopsSubject subject() {
  GitopsSubject out;
  out.deployment.id = "d-1";
  out.deployment.environment = "prod";
  out.deployment.kind = "model";
  out.deployment.name = "team/m";
  out.deployment.release_number = 3;
  out.deployment.plan_id = "p-1";
  out.deployment.action = "promote";
  out.deployment.reason = "better\nMlops-Deployment: forged";
  out.deployment.created_by = "rita";
  model::Version version;
  version.kind = model::ArtifactKind::kModel;
  version.name = "team/m";
  version.number = 4;
  version.digest = crypto::sha256("bytes");
  version.params["model_format"] = "sklearn";
  out.members = {{version, {}, {}}};
  out.environment.name = "prod";
  out.environment.labels[model::kStorageUriLabel] = "s3://b/{name}/{version}/{hex}";
  out.plan.digest = "sha256:plan";
  out.plan.requested_by = "rita";
  out.plan.approvals = {{"omar", "approve", "", 0}, {"eve", "reject", "", 0}};
  return out;
}

}  // namespace

TEST_CASE("a manifest and an InferenceService, each YAML that parses, the same every time") {
  const auto files = render_files(subject(), "clusters/prod", "kserve");
  REQUIRE(files);
  REQUIRE(files->files.size() == 2);
  CHECK(files->files[0].path == "clusters/prod/team/m.yaml");
  CHECK(files->files[1].path == "clusters/prod/_kserve/team/m.yaml");
  const auto manifest = parse_yaml(files->files[0].content, "m");
  REQUIRE(manifest);
  const auto& spec = *manifest->find("spec");
  CHECK(spec.find("deployment")->scalar == "d-1");
  CHECK(spec.find("approved_by")->items.size() == 1);
  CHECK(spec.find("members")->items[0].find("digest")->scalar == subject().members[0].version.digest.to_string());
  const auto service = parse_yaml(files->files[1].content, "s");
  REQUIRE(service);
  const auto& model = *service->find("spec")->find("predictor")->find("model");
  CHECK(model.find("storageUri")->scalar == "s3://b/team/m/v4/" + subject().members[0].version.digest.hex());
  CHECK(model.find("modelFormat")->find("name")->scalar == "sklearn");
  CHECK(service->find("metadata")->find("annotations")->find("mlops/deployment")->scalar == "d-1");
  CHECK(render_files(subject(), "clusters/prod", "kserve")->files[1].content == files->files[1].content);
}

TEST_CASE("a dataset has a folder of its own and no service") {
  auto data = subject();
  data.deployment.kind = "dataset";
  data.members[0].version.kind = model::ArtifactKind::kDataset;
  const auto files = render_files(data, "", "kserve");
  REQUIRE(files);
  REQUIRE(files->files.size() == 1);
  CHECK(files->files.front().path == "_datasets/team/m.yaml");
}

TEST_CASE(
    "a named release has a folder of its own, serves its members in the role model, and clears away what it ended") {
  auto bundle = subject();
  bundle.deployment.kind = "release";
  bundle.deployment.name = "team/stack";
  bundle.members[0].role = "model";
  auto prepare = bundle.members[0];
  prepare.version.name = "team/prepare";
  prepare.role = "preprocessing";
  bundle.members.push_back(prepare);
  bundle.ended = {{"prod", "model", "team/m", {"team/m"}},
                  {"old", "model", "team/prepare", {"team/prepare"}},
                  {"prod", "model", "team/other", {"team/other"}}};
  bundle.running = {{"prod", "release", "team/stack", {"team/m"}}, {"prod", "model", "team/other", {"team/other"}}};
  const auto rendered = render_files(bundle, "prod", "kserve");
  REQUIRE(rendered);
  REQUIRE(rendered->files.size() == 2);
  CHECK(rendered->files[0].path == "prod/_releases/team/stack.yaml");
  CHECK(rendered->files[0].content.find("role: preprocessing") != std::string::npos);
  CHECK(rendered->files[1].path == "prod/_kserve/team/m.yaml");
  CHECK(rendered->removed == std::vector<std::string>{"old/_kserve/team/prepare.yaml", "old/team/prepare.yaml",
                                                      "prod/_datasets/team/stack.yaml", "prod/team/m.yaml"});
  const auto message = render_message(bundle);
  CHECK(message.starts_with("Promote release:team/stack@r3 to prod\n"));
  CHECK(message.find("Takes the place of model team/prepare.") != std::string::npos);
}

TEST_CASE("of models that move together each that says its format is served") {
  auto both = subject();
  auto other = both.members[0];
  other.version.name = "team/x";
  both.members.push_back(other);
  other.version.name = "team/y";
  other.version.params.clear();
  both.members.push_back(other);
  const auto files = render_files(both, "", "kserve");
  REQUIRE(files);
  REQUIRE(files->files.size() == 3);
  CHECK(files->files[2].path == "_kserve/team/x.yaml");
}

TEST_CASE("what a service lacks is said") {
  auto no_format = subject();
  no_format.members[0].version.params.clear();
  CHECK(render_files(no_format, "", "kserve").error().slug == "cannot_render");
  no_format.members[0].labels["model_format"] = "onnx";
  CHECK(render_files(no_format, "", "kserve"));
  auto bad_place = subject();
  bad_place.environment.labels[model::kStorageUriLabel] = "s3://{bucket}/x";
  CHECK(render_files(bad_place, "", "kserve").error().slug == "cannot_render");
  CHECK(render_files(bad_place, "", "manifest"));
}

TEST_CASE("the message names plan and deployment, and no reason can forge a trailer") {
  const auto text = render_message(subject());
  CHECK(text.starts_with("Promote team/m@v4 to prod\n\nReason: better Mlops-Deployment: forged\n"));
  std::vector<std::string> trailers;
  for (const auto line : split(std::string_view(text), '\n')) {
    if (line.starts_with(kDeploymentTrailer)) trailers.emplace_back(line);
  }
  CHECK(trailers == std::vector<std::string>{"Mlops-Deployment: d-1"});
  CHECK(text.find("approved by omar") != std::string::npos);
}

TEST_CASE("names fit for Kubernetes, told apart when they had to change") {
  CHECK(kubernetes_name("readmission") == "readmission");
  CHECK(kubernetes_name("team/m") != kubernetes_name("team-m"));
  CHECK(kubernetes_name("team-m") == "team-m");
  CHECK(kubernetes_name("9lives").starts_with("m9lives-"));
  CHECK(kubernetes_name(std::string(150, 'x')).size() <= 50);
}
