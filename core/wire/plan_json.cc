#include <fmt/format.h>

#include "core/wire/views_json.h"

namespace mlops::wire {
namespace {

Json policy_json(const model::PinnedPolicy& policy) {
  return {{"revision_id", policy.revision_id}, {"name", policy.name}, {"digest", policy.digest}};
}

model::PinnedPolicy policy_from(const Json& json) {
  return {json.at("revision_id"), json.at("name"), json.at("digest")};
}

template <class Enum>
Enum known(std::optional<Enum> value) {
  // Converted with every other shape error by plan_from_body.
  return value ? *value : throw Json::other_error::create(501, "unknown word", nullptr);
}

model::PlanMember member_from(const Json& json) {
  model::PlanMember member;
  member.version_id = json.at("version_id");
  member.ref = json.at("ref");
  member.kind = known(model::artifact_kind_from_word(json.at("kind").get<std::string>()));
  member.name = json.at("name");
  member.digest = json.at("digest");
  member.sensitivity = known(model::sensitivity_from_word(json.at("sensitivity").get<std::string>()));
  return member;
}

Failure bad_plan() {
  return fail(ErrorCode::kCorrupt, "bad_plan", "a stored plan cannot be read", "run `mlopsctl audit verify`");
}

Json approval_json(const model::PlanApproval& approval) {
  Json json = {{"by", approval.by},
               {"decision", approval.decision},
               {"reason", approval.reason},
               {"at", format_rfc3339(approval.at_us)},
               {"meaning", approval.meaning},
               {"key", approval.key_id.empty() ? Json(nullptr) : Json(approval.key_id)},
               {"void_because", approval.void_because.empty() ? Json(nullptr) : Json(approval.void_because)}};
  if (!approval.signature.empty()) {
    json["statement"] = approval.statement;
    json["signature"] = approval.signature;
  }
  return json;
}

// Plans of before 0.3 have none of these.
void take_terms(const Json& body, model::Plan& plan) {
  if (body.contains("release")) {
    const auto& release = body.at("release");
    plan.release_kind = release.at("kind");
    plan.release_name = release.at("name");
    plan.release_number = release.at("number");
    plan.release_id = release.at("id");
  }
  plan.facts_digest = body.value("facts_digest", std::string());
  plan.expires_at_us = body.value("expires_at_us", TimestampUs{0});
  plan.is_break_glass = body.value("break_glass", false);
  plan.accepts_rejected = body.value("accepts_rejected", false);
  if (body.contains("overrides")) plan.overrides = body.at("overrides").get<std::vector<std::string>>();
  if (!body.contains("restores")) return;
  for (const auto& restored : body.at("restores")) {
    plan.restores.push_back({restored.at("release_id"), restored.at("ref")});
  }
}

Json gates_json(const model::Plan& plan) {
  Json gates = Json::array();
  for (const auto& gate : plan.gates) gates.push_back(model::to_json(gate));
  return gates;
}

Json shadows_json(const model::Plan& plan) {
  Json shadows = Json::array();
  for (const auto& shadow : plan.shadows) shadows.push_back(model::to_json(shadow));
  return shadows;
}

Json restored_refs(const model::Plan& plan) {
  Json refs = Json::array();
  for (const auto& restored : plan.restores) refs.push_back(restored.ref);
  return refs;
}

}  // namespace

Json to_json(const model::Plan& plan) {
  Json members = Json::array();
  for (const auto& member : plan.members) {
    members.push_back({{"ref", member.ref}, {"digest", member.digest}, {"sensitivity", to_word(member.sensitivity)}});
  }
  Json policies = Json::array();
  for (const auto& policy : plan.policies) policies.push_back({{"name", policy.name}, {"digest", policy.digest}});
  Json approvals = Json::array();
  for (const auto& approval : plan.approvals) {
    approvals.push_back(approval_json(approval));
  }
  Json masking = nullptr;
  if (plan.masking) {
    masking = {{"policy", plan.masking->policy.name},
               {"policy_digest", plan.masking->policy.digest},
               {"source", plan.masking->source_ref},
               {"output", plan.masking->output_name}};
  }
  const auto& first = plan.members.front();
  return {{"id", plan.id},
          {"digest", plan.digest},
          {"kind", plan.kind},
          {"state", plan.state},
          {"verdict", to_word(plan.verdict)},
          {"environment", plan.environment},
          {"release",
           {{"name", plan.release_name.empty() ? first.name : plan.release_name},
            {"kind", plan.release_kind.empty() ? std::string(to_word(first.kind)) : plan.release_kind},
            {"number", plan.release_number == 0 ? Json(nullptr) : Json(plan.release_number)},
            {"members", std::move(members)}}},
          {"running", plan.running_ref.empty() ? Json(nullptr) : Json(plan.running_ref)},
          {"reason", plan.reason},
          {"requested_by", plan.requested_by},
          {"requested_at", format_rfc3339(plan.requested_at_us)},
          {"gates", gates_json(plan)},
          {"masking", std::move(masking)},
          {"policies", std::move(policies)},
          {"shadow", shadows_json(plan)},
          {"approvals", std::move(approvals)},
          {"approvals_needed", plan.approvals_needed},
          {"break_glass", plan.is_break_glass},
          {"overrides", plan.overrides},
          {"restores", restored_refs(plan)},
          {"expires_at", plan.expires_at_us == 0 ? Json(nullptr) : Json(format_rfc3339(plan.expires_at_us))},
          {"pins", model::plan_pins(plan)}};
}

Json plan_body(const model::Plan& plan) {
  Json members = Json::array();
  for (const auto& member : plan.members) {
    members.push_back({{"version_id", member.version_id},
                       {"ref", member.ref},
                       {"kind", to_word(member.kind)},
                       {"name", member.name},
                       {"digest", member.digest},
                       {"sensitivity", to_word(member.sensitivity)}});
  }
  Json policies = Json::array();
  for (const auto& policy : plan.policies) policies.push_back(policy_json(policy));
  Json masking = nullptr;
  if (plan.masking) {
    masking = {{"policy", policy_json(plan.masking->policy)},
               {"source_version_id", plan.masking->source_version_id},
               {"source_ref", plan.masking->source_ref},
               {"output_name", plan.masking->output_name}};
  }
  Json body = {{"environment_digest", plan.environment_digest},
               {"members", std::move(members)},
               {"policies", std::move(policies)},
               {"masking", std::move(masking)},
               {"running_ref", plan.running_ref},
               {"running_deployment_id", plan.running_deployment_id},
               {"reason", plan.reason},
               {"requested_by", plan.requested_by},
               {"verdict", to_word(plan.verdict)},
               {"gates", gates_json(plan)},
               {"shadow", shadows_json(plan)},
               {"approvals_needed", plan.approvals_needed},
               {"release",
                {{"kind", plan.release_kind},
                 {"name", plan.release_name},
                 {"number", plan.release_number},
                 {"id", plan.release_id}}},
               {"facts_digest", plan.facts_digest},
               {"expires_at_us", plan.expires_at_us}};
  if (plan.is_break_glass) body["break_glass"] = true;
  if (plan.accepts_rejected) body["accepts_rejected"] = true;
  if (!plan.overrides.empty()) body["overrides"] = plan.overrides;
  for (const auto& restored : plan.restores) {
    body["restores"].push_back({{"release_id", restored.release_id}, {"ref", restored.ref}});
  }
  return body;
}

Result<model::Plan> plan_from_body(const Json& body) {
  try {
    model::Plan plan;
    plan.environment_digest = body.at("environment_digest");
    for (const auto& member : body.at("members")) plan.members.push_back(member_from(member));
    for (const auto& policy : body.at("policies")) plan.policies.push_back(policy_from(policy));
    if (const auto& masking = body.at("masking"); !masking.is_null()) {
      plan.masking = model::PlannedMasking{policy_from(masking.at("policy")), masking.at("source_version_id"),
                                           masking.at("source_ref"), masking.at("output_name")};
    }
    plan.running_ref = body.at("running_ref");
    plan.running_deployment_id = body.at("running_deployment_id");
    plan.reason = body.at("reason");
    plan.requested_by = body.at("requested_by");
    plan.verdict = known(model::verdict_from_word(body.at("verdict").get<std::string>()));
    for (const auto& gate : body.at("gates")) {
      auto result = model::gate_result_from_json(gate);
      if (!result) return bad_plan();
      plan.gates.push_back(std::move(*result));
    }
    for (const auto& shadow : body.value("shadow", Json::array())) {
      auto result = model::shadow_result_from_json(shadow);
      if (!result) return bad_plan();
      plan.shadows.push_back(std::move(*result));
    }
    plan.approvals_needed = body.at("approvals_needed");
    take_terms(body, plan);
    return plan;
  } catch (const Json::exception&) {
    return bad_plan();
  }
}

}  // namespace mlops::wire
