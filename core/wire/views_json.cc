#include "core/wire/views_json.h"

#include <fmt/format.h>

namespace mlops::wire {
namespace {

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json inputs_json(const std::vector<model::VersionInput>& inputs, bool with_digest) {
  Json out = Json::array();
  for (const auto& input : inputs) {
    Json item = {{"ref", input.ref}, {"role", input.role}};
    if (with_digest) item["digest"] = input.digest;
    out.push_back(std::move(item));
  }
  return out;
}

template <class T>
Json list_json(const std::vector<T>& items) {
  Json out = Json::array();
  for (const auto& item : items) out.push_back(to_json(item));
  return out;
}

Json members_json(const std::vector<model::ReleaseMember>& members) {
  Json out = Json::array();
  for (const auto& member : members) {
    out.push_back({{"ref", member.ref}, {"digest", member.digest}, {"sensitivity", to_word(member.sensitivity)}});
    if (!member.role.empty()) out.back()["role"] = member.role;
  }
  return out;
}

// The command that goes back to what ran before.
Json undo_of(const model::PromotionView& view) {
  const auto& at = *view.deployment;
  // Going on to and fro would take what each of them took: people say where to.
  if (!view.took_places.empty() && at.action == "rollback") return nullptr;
  if (!view.took_places.empty()) {
    return fmt::format("mlopsctl rollback {}{} --env {} --reason \"…\"", at.kind == "release" ? "release:" : "",
                       at.name, at.environment);
  }
  if (view.replaced_ref.empty()) return nullptr;
  // By its number: after a rollback, "the release before" is no longer the one to go back to.
  const auto split_at = view.replaced_ref.rfind('@');
  return fmt::format("mlopsctl rollback {} --env {} --to {} --reason \"…\"", view.replaced_ref.substr(0, split_at),
                     at.environment, view.replaced_ref.substr(split_at + 1));
}

}  // namespace

Json to_json(const model::FileEntry& file) {
  return {{"path", file.path}, {"digest", file.digest.to_string()}, {"size_bytes", file.size_bytes}};
}

Json to_json(const model::VersionView& view) {
  const auto& v = view.version;
  Json git = nullptr;
  if (v.git) {
    git = {{"commit", v.git->commit}, {"branch", v.git->branch}, {"remote", v.git->remote}, {"dirty", v.git->dirty}};
  }
  Json deleted = nullptr;
  if (v.deleted_at_us != 0) deleted = {{"at", format_rfc3339(v.deleted_at_us)}, {"reason", v.deleted_reason}};
  Json out = {{"ref", v.ref()},
              {"id", v.id},
              {"kind", to_word(v.kind)},
              {"name", v.name},
              {"version", v.number},
              {"digest", v.digest.to_string()},
              {"size_bytes", v.size_bytes},
              {"file_count", v.file_count},
              {"sensitivity", to_word(v.sensitivity)},
              {"own_sensitivity", to_word(v.own_sensitivity)},
              {"sensitivity_assumed", v.sensitivity_assumed},
              {"params", v.params},
              {"metrics", v.metrics},
              {"labels", view.labels},
              {"description", v.description},
              {"git", std::move(git)},
              {"inputs", inputs_json(view.inputs, true)},
              {"masked_from", text_or_null(view.masked_from)},
              {"aliases", view.aliases},
              {"environments", view.environments},
              {"created_at", format_rfc3339(v.created_at_us)},
              {"created_by", v.created_by},
              {"deprecated", text_or_null(v.deprecated_reason)},
              {"deleted", std::move(deleted)}};
  if (!view.schemas.is_empty()) out["schemas"] = model::to_json(view.schemas);
  if (view.files) {
    out["files"] = list_json(*view.files);
    if (view.files_truncated) out["files_truncated"] = true;
  }
  return out;
}

Json to_json(const model::ArtifactView& view) {
  return {{"kind", to_word(view.kind)},          {"name", view.name},       {"versions", view.versions},
          {"latest", text_or_null(view.latest)}, {"aliases", view.aliases}, {"environments", view.environments}};
}

Json to_json(const model::ReviewView& view) {
  return {{"deployment", view.deployment_id},
          {"environment", view.environment},
          {"opened_by", view.opened_by},
          {"overridden", view.overridden},
          {"opened_at", format_rfc3339(view.opened_at_us)},
          {"due_at", format_rfc3339(view.due_at_us)},
          {"reviewed_at", view.reviewed_at_us ? Json(format_rfc3339(*view.reviewed_at_us)) : Json(nullptr)},
          {"reviewed_by", text_or_null(view.reviewed_by)},
          {"outcome", text_or_null(view.outcome)},
          {"note", text_or_null(view.note)}};
}

Json to_json(const model::ReleaseView& view) {
  Json policies = Json::array();
  for (const auto& policy : view.policies) policies.push_back({{"name", policy.name}, {"digest", policy.digest}});
  return {{"name", view.name},
          {"number", view.number},
          {"ref", fmt::format("release:{}@r{}", view.name, view.number)},
          {"digest", view.digest},
          {"created_at", format_rfc3339(view.created_at_us)},
          {"members", members_json(view.members)},
          {"policies", std::move(policies)}};
}

Json to_json(const model::DeploymentView& view) {
  Json out = {{"id", view.id},
              {"environment", view.environment},
              {"name", view.name},
              {"kind", view.kind},
              {"release", view.release},
              {"members", members_json(view.members)},
              {"ref", view.members.empty() ? Json(nullptr) : Json(view.members.front().ref)},
              {"action", view.action},
              {"by", view.by},
              {"reason", view.reason},
              {"plan", view.plan_id},
              {"started_at", format_rfc3339(view.started_at_us)},
              {"ended_at", view.ended_at_us ? Json(format_rfc3339(*view.ended_at_us)) : Json(nullptr)}};
  if (view.review) out["review"] = to_json(*view.review);
  return out;
}

Json to_json(const model::MaskingView& view) {
  Json out = view.evidence.is_object() ? view.evidence : Json::object();
  out["id"] = view.id;
  out["source"] = view.source_ref;
  out["output"] = view.output_ref;
  out["policy"] = view.policy;
  out["policy_digest"] = view.policy_digest;
  out["at"] = format_rfc3339(view.at_us);
  return out;
}

Json to_json(const model::PromotionView& view) {
  Json undo = nullptr;
  if (view.deployment && !view.unchanged) undo = undo_of(view);
  Json out = {{"deployment", view.deployment ? to_json(*view.deployment) : Json(nullptr)},
              {"plan", to_json(view.plan)},
              {"masking", view.masking ? to_json(*view.masking) : Json(nullptr)},
              {"replaced", text_or_null(view.replaced_ref)},
              {"undo", std::move(undo)}};
  if (!view.took_places.empty()) out["took_places"] = view.took_places;
  if (!view.restored.empty()) {
    out["restored"] = Json::array();
    for (const auto& one : view.restored) out["restored"].push_back(to_json(one));
  }
  if (view.unchanged) out["unchanged"] = true;
  if (view.is_replayed) out["replayed"] = true;
  return out;
}

Json to_json(const model::DiffView& view) {
  const auto sized = [](const std::vector<model::FileEntry>& files) {
    Json out = Json::array();
    for (const auto& file : files) out.push_back({{"path", file.path}, {"size_bytes", file.size_bytes}});
    return out;
  };
  Json changed = Json::array();
  for (const auto& file : view.changed) {
    changed.push_back({{"path", file.path}, {"a_size_bytes", file.a_size_bytes}, {"b_size_bytes", file.b_size_bytes}});
  }
  Json metadata = Json::array();
  for (const auto& field : view.metadata) metadata.push_back({{"field", field.field}, {"a", field.a}, {"b", field.b}});
  return {{"a", view.a_ref},
          {"b", view.b_ref},
          {"same", view.same},
          {"files",
           {{"added", sized(view.added)},
            {"removed", sized(view.removed)},
            {"changed", std::move(changed)},
            {"unchanged", view.unchanged}}},
          {"metadata", std::move(metadata)},
          {"lineage",
           {{"added", inputs_json(view.inputs_added, false)}, {"removed", inputs_json(view.inputs_removed, false)}}}};
}

Json to_json(const model::LineageView& view) {
  Json nodes = Json::array();
  for (const auto& node : view.nodes) {
    Json item = {{"id", node.id}, {"type", node.type}, {"label", node.label}};
    if (!node.ref.empty()) item["ref"] = node.ref;
    if (!node.sensitivity.empty()) item["sensitivity"] = node.sensitivity;
    if (node.at_us != 0) item["at"] = format_rfc3339(node.at_us);
    nodes.push_back(std::move(item));
  }
  Json edges = Json::array();
  for (const auto& edge : view.edges) edges.push_back({{"from", edge.from}, {"to", edge.to}, {"role", edge.role}});
  return {{"root", view.root}, {"direction", view.direction}, {"nodes", std::move(nodes)}, {"edges", std::move(edges)}};
}

}  // namespace mlops::wire
