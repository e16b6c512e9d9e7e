#include "daemon/domain/gitops_render.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/base/yaml.h"
#include "core/crypto/digest.h"

namespace mlops::domain {
namespace {

constexpr std::size_t kNameMax = 50;  // KServe makes longer names of it, and those end at 63
constexpr std::string_view kModelFormat = "model_format";

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
  for (const auto& member : subject.members) {
    members.push_back({{"ref", member.ref()},
                       {"kind", to_word(member.kind)},
                       {"digest", member.digest.to_string()},
                       {"size_bytes", member.size_bytes}});
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
Result<std::string> storage_uri(const GitopsSubject& subject) {
  const auto found = subject.environment.labels.find(model::kStorageUriLabel);
  if (found == subject.environment.labels.end() || found->second.empty()) {
    return cannot_render(
        fmt::format("environment {} has no label {}", subject.environment.name, model::kStorageUriLabel),
        "add it and retry: mlopsctl gitops retry");
  }
  const auto& version = subject.members.front();
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
Result<std::string> model_format(const GitopsSubject& subject) {
  const std::string key(kModelFormat);
  for (const auto* values : {&subject.members.front().params, &subject.labels, &subject.environment.labels}) {
    const auto found = values->find(key);
    if (found != values->end() && !found->second.empty()) return found->second;
  }
  return cannot_render(
      fmt::format("nothing says the format of {}", subject.members.front().ref()),
      fmt::format("mlopsctl label {} model_format=sklearn, then mlopsctl gitops retry", subject.members.front().ref()));
}

std::string label_or(const GitopsSubject& subject, const std::string& name) {
  const auto found = subject.environment.labels.find(name);
  return found == subject.environment.labels.end() ? std::string() : found->second;
}

Result<Json> inference_service(const GitopsSubject& subject) {
  const auto& version = subject.members.front();
  MLOPS_ASSIGN(const auto uri, storage_uri(subject));
  MLOPS_ASSIGN(const auto format, model_format(subject));
  Json model = {{"modelFormat", {{"name", format}}}, {"storageUri", uri}};
  if (const auto runtime = label_or(subject, "kserve_runtime"); !runtime.empty()) model["runtime"] = runtime;
  if (const auto protocol = label_or(subject, "kserve_protocol"); !protocol.empty())
    model["protocolVersion"] = protocol;
  Json metadata = {{"name", kubernetes_name(subject.deployment.name)},
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

Result<std::vector<git::TreeFile>> render_files(const GitopsSubject& subject, const std::string& path,
                                                const std::string& renderer) {
  const bool is_model = subject.deployment.kind == to_word(model::ArtifactKind::kModel);
  const auto file = subject.deployment.name + ".yaml";
  std::vector<git::TreeFile> files;
  files.push_back({below(path, is_model ? file : "_datasets/" + file), json_to_yaml(manifest_of(subject))});
  if (renderer == model::kKserveRenderer && is_model) {
    MLOPS_ASSIGN(const auto service, inference_service(subject));
    files.push_back({below(path, "_kserve/" + file), json_to_yaml(service)});
  }
  for (auto& one : files) {
    if (!one.content.ends_with('\n')) one.content += '\n';
  }
  return files;
}

std::string render_message(const GitopsSubject& subject) {
  const auto& deployment = subject.deployment;
  const auto& namesake = subject.members.front();
  const auto verb = deployment.action == "rollback" ? "Roll back to" : "Promote";
  auto text = deployment.action == "rollback"
                  ? fmt::format("{} {} in {}\n\n", verb, namesake.ref(), deployment.environment)
                  : fmt::format("{} {} to {}\n\n", verb, namesake.ref(), deployment.environment);
  const auto reason = one_line(deployment.reason);
  text += reason.empty() ? std::string("No reason was given.\n") : fmt::format("Reason: {}\n", reason);
  text += who_text(subject) + "\n";
  for (const auto& member : subject.members) {
    text += fmt::format("  {} {} {}\n", to_word(member.kind), member.ref(), member.digest.to_string());
  }
  text += fmt::format("\nMlops-Environment: {}\nMlops-Plan: {}\nMlops-Plan-Digest: {}\n{}{}\n", deployment.environment,
                      deployment.plan_id, subject.plan.digest, kDeploymentTrailer, deployment.id);
  return text;
}

}  // namespace mlops::domain
