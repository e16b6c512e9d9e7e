#include "core/wire/erasure_json.h"

namespace mlops::wire {
namespace {

Json step_json(const model::ErasureStep& step) {
  Json unsearched = Json::array();
  for (const auto& file : step.unsearched) unsearched.push_back({{"path", file.path}, {"why", file.why}});
  return {{"version_id", step.version_id},
          {"ref", step.ref},
          {"digest", step.digest},
          {"action", to_word(step.action)},
          {"why", step.why},
          {"rows", step.rows},
          {"of_rows", step.of_rows},
          {"source_version_id", step.source_version_id},
          {"policy_revision_id", step.policy_revision_id},
          {"holds", step.holds},
          {"environments", step.environments},
          {"aliases", step.aliases},
          {"unsearched", std::move(unsearched)}};
}

Failure bad_erasure() {
  return fail(ErrorCode::kCorrupt, "bad_erasure", "a stored erasure cannot be read", "run `mlopsctl audit verify`");
}

model::ErasureStep read_step(const Json& json, bool& is_known) {
  model::ErasureStep step;
  step.version_id = json.at("version_id");
  step.ref = json.at("ref");
  step.digest = json.at("digest");
  const auto action = model::erasure_action_from_word(json.at("action").get<std::string>());
  is_known = is_known && action;
  step.action = action.value_or(model::ErasureAction::kKeep);
  step.why = json.at("why");
  step.rows = json.at("rows");
  step.of_rows = json.at("of_rows");
  step.source_version_id = json.at("source_version_id");
  step.policy_revision_id = json.at("policy_revision_id");
  step.holds = json.at("holds").get<std::vector<std::string>>();
  step.environments = json.at("environments").get<std::vector<std::string>>();
  step.aliases = json.at("aliases").get<std::vector<std::string>>();
  for (const auto& file : json.at("unsearched")) step.unsearched.push_back({file.at("path"), file.at("why")});
  return step;
}

}  // namespace

Json to_json(const model::ErasurePlan& plan) {
  Json subject = Json::array();
  for (const auto& one : plan.subject) subject.push_back({{"namespace", one.name_space}, {"fingerprint", one.hex}});
  Json steps = Json::array();
  for (const auto& step : plan.steps) steps.push_back(step_json(step));
  Json backups = Json::array();
  for (const auto& one : plan.backups) backups.push_back({{"id", one.id}, {"at", one.at}, {"by", one.by}});
  return {{"subject", std::move(subject)},         {"steps", std::move(steps)},
          {"backups", std::move(backups)},         {"versions_searched", plan.versions_searched},
          {"files_searched", plan.files_searched}, {"trash_runs", plan.trash_runs},
          {"vault_tokens", plan.vault_tokens},     {"notes", plan.notes}};
}

Result<model::ErasurePlan> erasure_plan_from_json(const Json& json) {
  try {
    model::ErasurePlan plan;
    bool is_known = true;
    for (const auto& one : json.at("subject")) plan.subject.push_back({one.at("namespace"), one.at("fingerprint")});
    for (const auto& step : json.at("steps")) plan.steps.push_back(read_step(step, is_known));
    for (const auto& one : json.at("backups")) plan.backups.push_back({one.at("id"), one.at("at"), one.at("by")});
    plan.versions_searched = json.at("versions_searched");
    plan.files_searched = json.at("files_searched");
    plan.trash_runs = json.at("trash_runs");
    plan.vault_tokens = json.value("vault_tokens", std::uint64_t{0});
    plan.notes = json.at("notes").get<std::vector<std::string>>();
    if (!is_known) return bad_erasure();
    return plan;
  } catch (const Json::exception&) {
    return bad_erasure();
  }
}

}  // namespace mlops::wire
