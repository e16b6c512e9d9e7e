#include "cli/cmd/register_spec.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "cli/cmd/run.h"
#include "core/model/names.h"
#include "core/model/reference.h"

namespace mlops::cli {
namespace {

struct KeyValue {
  std::string key;
  std::string value;
};

Result<KeyValue> key_value(const std::string& text, std::string_view option) {
  const auto at = text.find('=');
  if (at == std::string::npos || at == 0) {
    return usage_error(fmt::format("--{} takes key=value", option), fmt::format("for example --{} epochs=20", option));
  }
  KeyValue pair{text.substr(0, at), text.substr(at + 1)};
  MLOPS_TRY(model::check_key(pair.key, option));
  return pair;
}

// The name of a metric of a group has a "=" of its own: auc{sex=F}=0.81.
Result<KeyValue> metric_value(const std::string& text) {
  const auto brace = text.find("}=");
  if (text.find('{') == std::string::npos || brace == std::string::npos) return key_value(text, "metric");
  KeyValue pair{text.substr(0, brace + 1), text.substr(brace + 2)};
  MLOPS_TRY(model::check_metric_name(pair.key));
  return pair;
}

Result<double> finite_number(const std::string& text, const std::string& key) {
  double value = 0;
  const auto* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != end || !std::isfinite(value)) {
    return usage_error(fmt::format("--metric {} is not a finite number", key), "for example --metric auc=0.81");
  }
  return value;
}

// A reference has its "=" nowhere, so whatever stands before one is a role.
InputSpec split_input(const std::string& text) {
  const auto at = text.find('=');
  if (at == std::string::npos) return {text, ""};
  return {text.substr(at + 1), text.substr(0, at)};
}

}  // namespace

Result<std::vector<InputSpec>> pair_inputs(const std::vector<std::string>& inputs,
                                           const std::vector<std::string>& roles) {
  std::vector<InputSpec> pairs;
  bool some_have_roles = false;
  for (const auto& text : inputs) {
    pairs.push_back(split_input(text));
    some_have_roles = some_have_roles || !pairs.back().role.empty();
    MLOPS_ASSIGN([[maybe_unused]] const auto reference, model::parse_version_reference(pairs.back().ref));
  }
  if (roles.empty()) return pairs;
  if (some_have_roles) return usage_error("--role and role=REF are two ways to say one thing", "use one of them");
  if (roles.size() != 1 && roles.size() != pairs.size()) {
    return usage_error(fmt::format("{} roles for {} inputs", roles.size(), pairs.size()),
                       "give one --role for each --input in the same order, or one for all, or write --input role=REF");
  }
  if (pairs.empty()) return usage_error("--role without --input", "for example --input patients@v1 --role train");
  for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i].role = roles[roles.size() == 1 ? 0 : i];
  return pairs;
}

Result<ArtifactManifest> manifest_of_flags(const Session& session) {
  ArtifactManifest flags;
  flags.description = session.option("--description").value_or("");
  flags.sensitivity = session.option("--sensitivity").value_or("");
  flags.git = session.option("--git").value_or("");
  MLOPS_ASSIGN(flags.inputs, pair_inputs(session.option_all("--input"), session.option_all("--role")));
  for (const auto& text : session.option_all("--param")) {
    MLOPS_ASSIGN(auto pair, key_value(text, "param"));
    flags.params[pair.key] = std::move(pair.value);
  }
  for (const auto& text : session.option_all("--label")) {
    MLOPS_ASSIGN(auto pair, key_value(text, "label"));
    flags.labels[pair.key] = std::move(pair.value);
  }
  for (const auto& text : session.option_all("--metric")) {
    MLOPS_ASSIGN(const auto pair, metric_value(text));
    MLOPS_ASSIGN(flags.metrics[pair.key], finite_number(pair.value, pair.key));
  }
  return flags;
}

Result<ArtifactManifest> merge(ArtifactManifest file, ArtifactManifest flags, model::ArtifactKind kind,
                               const std::string& name) {
  if ((file.kind && *file.kind != kind) || (!file.name.empty() && file.name != name)) {
    return fail(ErrorCode::kInvalid, "manifest_mismatch",
                fmt::format("the manifest describes {} {}, the command line {} {}",
                            file.kind ? model::to_word(*file.kind) : model::to_word(kind),
                            file.name.empty() ? name : file.name, model::to_word(kind), name),
                "correct one of them, or name another file with --manifest");
  }
  const auto prefer = [](std::string& from_file, std::string& from_flags) {
    if (!from_flags.empty()) from_file = std::move(from_flags);
  };
  prefer(file.description, flags.description);
  prefer(file.sensitivity, flags.sensitivity);
  prefer(file.git, flags.git);
  if (!flags.inputs.empty()) file.inputs = std::move(flags.inputs);
  for (auto& [key, value] : flags.params) file.params[key] = std::move(value);
  for (auto& [key, value] : flags.labels) file.labels[key] = std::move(value);
  for (const auto& [key, value] : flags.metrics) file.metrics[key] = value;
  return file;
}

Json register_body(const ArtifactManifest& manifest, model::ArtifactKind kind, const std::string& name) {
  const std::string default_role = kind == model::ArtifactKind::kModel ? "train" : "base";
  Json inputs = Json::array();
  for (const auto& input : manifest.inputs) {
    inputs.push_back({{"ref", input.ref}, {"role", input.role.empty() ? default_role : input.role}});
  }
  Json body = {{"kind", model::to_word(kind)},       {"name", name},
               {"inputs", std::move(inputs)},        {"params", manifest.params},
               {"metrics", manifest.metrics},        {"labels", manifest.labels},
               {"description", manifest.description}};
  if (!manifest.sensitivity.empty()) body["sensitivity"] = manifest.sensitivity;
  return body;
}

}  // namespace mlops::cli
