#include "daemon/domain/gitops_render.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/base/yaml.h"
#include "core/crypto/digest.h"

namespace mlops::domain {
namespace {

constexpr std::size_t kNameMax = 50;  // KServe makes longer names of it, and those end at 63
constexpr std::string_view kModelFormat = "model_format";
constexpr std::string_view kServedRole = "model";

std::vector<std::string> approvers(const model::Plan& plan) {
  std::vector<std::string> names;
  for (const auto& approval : plan.approvals) {
    if (approval.decision == "approve") names.push_back(approval.by);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string below(const std::string& path, const std::string& file) {
  return path.empty() ? file : path + "/" + file;
}

Json manifest_of(const GitopsSubject& subject) {
  const auto& deployment = subject.deployment;
  Json members = Json::array();
  for (const auto& [version, role, labels] : subject.members) {
    members.push_back({{"ref", version.ref()},
                       {"kind", to_word(version.kind)},
                       {"digest", version.digest.to_string()},
                       {"size_bytes", version.size_bytes}});
    if (!role.empty()) members.back()["role"] = role;
  }
  Json policies = Json::array();
  for (const auto& policy : subject.plan.policies)
    policies.push_back({{"name", policy.name}, {"digest", policy.digest}});
  return {{"apiVersion", "mlops/v1"},
          {"kind", "Release"},
          {"metadata", {{"name", deployment.name}, {"environment", deployment.environment}}},
          {"spec",
           {{"release", deployment.release_number},
            {"action", deployment.action},
            {"deployment", deployment.id},
            {"started_at", format_rfc3339(deployment.valid_from_us)},
            {"members", std::move(members)},
            {"plan", {{"id", deployment.plan_id}, {"digest", subject.plan.digest}}},
            {"policies", std::move(policies)},
            {"requested_by", subject.plan.requested_by},
            {"approved_by", approvers(subject.plan)},
            {"executed_by", deployment.created_by}}}};
}

Failure cannot_render(const std::string& what, const std::string& hint) {
  return fail(ErrorCode::kRefused, "cannot_render", what, hint);
}

// "{name}", "{version}", "{digest}" (sha256:…), "{hex}" of the template; any other word in braces is an error.
Result<std::string> storage_uri(const GitopsSubject& subject, const model::Version& version) {
  const auto found = subject.environment.labels.find(model::kStorageUriLabel);
  if (found == subject.environment.labels.end() || found->second.empty()) {
    return cannot_render(
        fmt::format("environment {} has no label {}", subject.environment.name, model::kStorageUriLabel),
        "add it and retry: mlopsctl gitops retry");
  }
  const std::map<std::string, std::string> values = {{"name", version.name},
                                                     {"version", fmt::format("v{}", version.number)},
                                                     {"digest", version.digest.to_string()},
                                                     {"hex", version.digest.hex()}};
  std::string uri;
  std::string_view rest = found->second;
  while (true) {
    const auto open = rest.find('{');
    uri += rest.substr(0, open);
    if (open == rest.npos) return uri;
    const auto close = rest.find('}', open);
    const auto value =
        close == rest.npos ? values.end() : values.find(std::string(rest.substr(open + 1, close - open - 1)));
    if (value == values.end()) {
      return cannot_render(fmt::format("the label {} of {} has an unknown place in braces", model::kStorageUriLabel,
                                       subject.environment.name),
                           "use {name}, {version}, {digest} or {hex}");
    }
    uri += value->second;
    rest.remove_prefix(close + 1);
  }
}

// What the version says of its own format, or else its labels, or else the environment.
Result<std::string> model_format(const GitopsSubject& subject, const GitopsMember& member) {
  const std::string key(kModelFormat);
  for (const auto* values : {&member.version.params, &member.labels, &subject.environment.labels}) {
    const auto found = values->find(key);
    if (found != values->end() && !found->second.empty()) return found->second;
  }
  return cannot_render(
      fmt::format("nothing says the format of {}", member.version.ref()),
      fmt::format("mlopsctl label {} model_format=sklearn, then mlopsctl gitops retry", member.version.ref()));
}

std::string label_or(const GitopsSubject& subject, const std::string& name) {
  const auto found = subject.environment.labels.find(name);
  return found == subject.environment.labels.end() ? std::string() : found->second;
}

Result<Json> inference_service(const GitopsSubject& subject, const GitopsMember& member) {
  const auto& version = member.version;
  MLOPS_ASSIGN(const auto uri, storage_uri(subject, version));
  MLOPS_ASSIGN(const auto format, model_format(subject, member));
  Json model = {{"modelFormat", {{"name", format}}}, {"storageUri", uri}};
  if (const auto runtime = label_or(subject, "kserve_runtime"); !runtime.empty()) model["runtime"] = runtime;
  if (const auto protocol = label_or(subject, "kserve_protocol"); !protocol.empty())
    model["protocolVersion"] = protocol;
  Json metadata = {{"name", kubernetes_name(version.name)},
                   {"labels", {{"app.kubernetes.io/managed-by", "mlopsd"}}},
                   {"annotations",
                    {{"mlops/deployment", subject.deployment.id},
                     {"mlops/digest", version.digest.to_string()},
                     {"mlops/ref", version.ref()},
                     {"mlops/environment", subject.deployment.environment},
                     {"mlops/plan-digest", subject.plan.digest}}}};
  if (const auto place = label_or(subject, "kserve_namespace"); !place.empty()) metadata["namespace"] = place;
  return Json{{"apiVersion", "serving.kserve.io/v1beta1"},
              {"kind", "InferenceService"},
              {"metadata", std::move(metadata)},
              {"spec", {{"predictor", {{"model", std::move(model)}}}}}};
}

// One line, so that nobody's reason can look like a trailer.
std::string one_line(const std::string& text) {
  std::string out;
  for (const char c : text) out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  return std::string(trim(out));
}

std::string who_text(const GitopsSubject& subject) {
  const auto approved = approvers(subject.plan);
  auto text = fmt::format("Requested by {}", subject.plan.requested_by);
  if (!approved.empty()) text += fmt::format(", approved by {}", join(approved, ", "));
  return text + fmt::format(", executed by {}.", subject.deployment.created_by);
}

std::set<std::string> as_set(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

std::string manifest_path(const std::string& path, std::string_view kind, const std::string& name) {
  const auto file = name + ".yaml";
  if (kind == to_word(model::ArtifactKind::kModel)) return below(path, file);
  return below(path, (kind == meta::kNamedRelease ? "_releases/" : "_datasets/") + file);
}

std::string service_path(const std::string& path, const std::string& model) {
  return below(path, "_kserve/" + model + ".yaml");
}

std::vector<std::string> paths_of(const ReleasePlaces& places) {
  std::vector<std::string> paths{manifest_path(places.path, places.kind, places.name)};
  for (const auto& model : places.models) paths.push_back(service_path(places.path, model));
  return paths;
}

// Of what ended, but for what is written now and what belongs to a release that runs.
std::vector<std::string> removed_paths(const GitopsSubject& subject, const std::string& path,
                                       const std::vector<git::TreeFile>& written) {
  std::set<std::string> gone;
  for (const auto& ended : subject.ended) gone.merge(as_set(paths_of(ended)));
  // In earlier versions named releases lay among the datasets.
  if (subject.deployment.kind == meta::kNamedRelease) {
    gone.insert(manifest_path(path, to_word(model::ArtifactKind::kDataset), subject.deployment.name));
  }
  for (const auto& file : written) gone.erase(file.path);
  for (const auto& running : subject.running) {
    for (const auto& kept : paths_of(running)) gone.erase(kept);
  }
  return {gone.begin(), gone.end()};
}

std::string name_of(const GitopsSubject& subject) {
  const auto& deployment = subject.deployment;
  if (deployment.kind != meta::kNamedRelease) return subject.members.front().version.ref();
  return fmt::format("release:{}@r{}", deployment.name, deployment.release_number);
}

}  // namespace

std::string kubernetes_name(const std::string& artifact) {
  std::string name;
  for (const char c : artifact) name += (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : '-';
  const bool begins_well = name.front() >= 'a' && name.front() <= 'z';
  if (name == artifact && begins_well && name.size() <= kNameMax) return name;
  if (!begins_well) name = "m" + name;
  name = name.substr(0, kNameMax - 9);
  while (name.ends_with('-')) name.pop_back();
  return fmt::format("{}-{}", name, crypto::sha256(artifact).hex().substr(0, 8));
}

bool is_served(std::string_view release_kind, const model::Version& version, std::string_view role) {
  if (version.kind != model::ArtifactKind::kModel) return false;
  return release_kind != meta::kNamedRelease || role == kServedRole;
}

Result<Rendering> render_files(const GitopsSubject& subject, const std::string& path, const std::string& renderer) {
  Rendering out;
  out.files.push_back(
      {manifest_path(path, subject.deployment.kind, subject.deployment.name), json_to_yaml(manifest_of(subject))});
  for (const auto& member : subject.members) {
    const bool is_namesake = &member == &subject.members.front();
    const bool may_lack = subject.deployment.kind != meta::kNamedRelease && !is_namesake;
    if (renderer != model::kKserveRenderer || !is_served(subject.deployment.kind, member.version, member.role))
      continue;
    const auto service = inference_service(subject, member);
    if (!service && may_lack) continue;
    if (!service) return fail(service.error());
    out.files.push_back({service_path(path, member.version.name), json_to_yaml(*service)});
  }
  for (auto& one : out.files) {
    if (!one.content.ends_with('\n')) one.content += '\n';
  }
  out.removed = removed_paths(subject, path, out.files);
  return out;
}

std::string render_message(const GitopsSubject& subject) {
  const auto& deployment = subject.deployment;
  const auto name = name_of(subject);
  const auto verb = deployment.action == "rollback" ? "Roll back to" : "Promote";
  auto text = deployment.action == "rollback" ? fmt::format("{} {} in {}\n\n", verb, name, deployment.environment)
                                              : fmt::format("{} {} to {}\n\n", verb, name, deployment.environment);
  const auto reason = one_line(deployment.reason);
  text += reason.empty() ? std::string("No reason was given.\n") : fmt::format("Reason: {}\n", reason);
  text += who_text(subject) + "\n";
  for (const auto& member : subject.members) {
    const auto& version = member.version;
    text += fmt::format("  {} {} {}\n", to_word(version.kind), version.ref(), version.digest.to_string());
  }
  for (const auto& ended : subject.ended) {
    const bool goes_on = ended.kind == deployment.kind && ended.name == deployment.name;
    if (!goes_on) text += fmt::format("Takes the place of {} {}.\n", ended.kind, ended.name);
  }
  text += fmt::format("\nMlops-Environment: {}\nMlops-Plan: {}\nMlops-Plan-Digest: {}\n{}{}\n", deployment.environment,
                      deployment.plan_id, subject.plan.digest, kDeploymentTrailer, deployment.id);
  return text;
}

}  // namespace mlops::domain
