// Drafting a plan: what is wished, the facts it is decided on, the gates' verdicts. Reads only.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/text.h"
#include "core/model/names.h"
#include "core/model/reference.h"
#include "daemon/domain/change_facts.h"
#include "daemon/domain/erasure.h"
#include "daemon/domain/lineage.h"
#include "daemon/domain/promotion.h"
#include "daemon/domain/provenance.h"
#include "policies/gate/gate.h"
#include "policies/gate/shadow.h"
#include "storage/meta/lineage.h"
#include "storage/meta/rollouts.h"
#include "storage/meta/versions.h"

namespace mlops::domain {
namespace {

constexpr std::size_t kTreeLimitBytes = 256u << 20;
constexpr std::int64_t kMicrosPerHour = 3'600'000'000;

model::PlanMember plan_member(const model::Version& version) {
  return {version.id, version.ref(), version.kind, version.name, version.digest.to_string(), version.sensitivity};
}

// The key versions a masking run wrote under, from its evidence.
Status add_keys(const std::string& evidence, std::set<std::string>& keys) {
  MLOPS_ASSIGN(const auto json, parse_json(evidence, {.size_bytes = 64u << 20, .nodes = 10'000'000}));
  for (const auto& column : json.value("columns", Json::array())) {
    const auto key = column.value("key", "");
    if (!key.empty()) keys.insert(key);
  }
  return {};
}

// Who registered a version, and what it was masked from.
Status add_authors(sql::Connection& connection, const model::Version& version, std::set<std::string>& authors) {
  authors.insert(version.created_by);
  MLOPS_ASSIGN(const auto runs, meta::masking_runs_of_output(connection, version.id));
  for (const auto& run : runs) {
    MLOPS_ASSIGN(const auto source, meta::get_version(connection, run.source_version_id));
    authors.insert(source.created_by);
  }
  return {};
}

// A candidate policy in the place of its namesake, or behind the others. It has no revision yet.
void try_out(const policy::Policy& candidate, Draft& draft) {
  PolicyRevision revision{{}, candidate};
  revision.row.name = candidate.name();
  revision.row.digest = candidate.digest().to_string();
  const model::PinnedPolicy pinned{{}, revision.row.name, revision.row.digest};
  for (std::size_t i = 0; i < draft.policies.size(); ++i) {
    if (draft.policies[i].row.name != candidate.name()) continue;
    draft.policies[i] = std::move(revision);
    draft.plan.policies[i] = pinned;
    return;
  }
  draft.policies.push_back(std::move(revision));
  draft.plan.policies.push_back(pinned);
}

}  // namespace

Result<std::vector<std::string>> Promotion::missing_blobs(sql::Connection& connection, const model::Version& version) {
  MLOPS_ASSIGN(const auto body, meta::manifest_body(connection, version.digest));
  MLOPS_ASSIGN(auto manifest, model::parse_manifest(body));
  std::vector<std::string> missing;
  if (manifest.is_tree) {
    auto tree = content_.read(manifest.tree_digest, kTreeLimitBytes);
    if (!tree) return std::vector<std::string>{manifest.tree_digest.to_string()};
    MLOPS_ASSIGN(manifest.files, model::parse_tree(*tree));
  }
  for (const auto& file : manifest.files) {
    if (!content_.has(file.digest, file.size_bytes)) missing.push_back(file.digest.to_string());
  }
  return missing;
}

Result<model::MemberFacts> Promotion::member_facts(sql::Connection& connection, const model::Version& version) {
  model::MemberFacts facts;
  facts.version = version;
  MLOPS_ASSIGN(facts.inputs, meta::inputs_of(connection, version.id));
  MLOPS_ASSIGN(facts.taint_path, taint_path(connection, version));
  MLOPS_ASSIGN(facts.missing_blobs, missing_blobs(connection, version));
  MLOPS_ASSIGN(facts.open_erasures, open_erasures(connection, version.id));
  std::set<std::string> ran_in;
  const auto add_environments = [&](const std::string& version_id) -> Status {
    MLOPS_ASSIGN(const auto names, meta::environments_ever(connection, version_id));
    ran_in.insert(names.begin(), names.end());
    return {};
  };
  MLOPS_TRY(add_environments(version.id));
  MLOPS_ASSIGN(facts.labels, meta::labels_of(connection, version.id));
  std::set<std::string> keys;
  MLOPS_ASSIGN(const auto masking, meta::masking_runs_of_output(connection, version.id));
  for (const auto& run : masking) {
    MLOPS_TRY(add_environments(run.source_version_id));
    MLOPS_TRY(add_keys(run.evidence, keys));
  }
  facts.keys.assign(keys.begin(), keys.end());
  facts.ran_in.assign(ran_in.begin(), ran_in.end());
  return facts;
}

// A dataset above the clearance is replaced by its masked version: one that exists under exactly this policy, or one
// that execution will make. Without a masking policy it stays, and the clearance gate refuses it.
Status Promotion::plan_masking(sql::Connection& connection, Draft& draft) {
  for (std::size_t i = 0; i < draft.members.size(); ++i) {
    const auto source = draft.members[i];
    if (source.kind != model::ArtifactKind::kDataset) continue;
    if (source.sensitivity <= draft.facts.environment.clearance) continue;
    const auto masks = [&](const PolicyRevision& revision) {
      return revision.policy.masks() && revision.policy.selects(draft.facts.members[i]) &&
             gate::speaks_for(revision.row.name, draft.facts, i);
    };
    const auto policy = std::find_if(draft.policies.begin(), draft.policies.end(), masks);
    if (policy == draft.policies.end()) continue;
    MLOPS_ASSIGN(const auto run, meta::find_masking_run(connection, source.id, policy->row.digest));
    if (run) {
      MLOPS_ASSIGN(draft.members[i], meta::get_version(connection, run->output_version_id));
      MLOPS_ASSIGN(draft.facts.members[i], member_facts(connection, draft.members[i]));
      continue;
    }
    if (draft.plan.masking) {
      return fail(ErrorCode::kInvalid, "two_maskings", "two datasets of this release need masking",
                  "promote each alone first, then the masked versions together");
    }
    const auto output_name = policy->policy.output_name(source.name);
    draft.plan.masking = model::PlannedMasking{
        {policy->row.id, policy->row.name, policy->row.digest}, source.id, source.ref(), output_name};
    MLOPS_ASSIGN(const auto output, meta::find_artifact(connection, model::ArtifactKind::kDataset, output_name));
    auto& facts = draft.facts.members[i];
    facts.version.name = output_name;
    facts.version.number = output ? output->last_number + 1 : 1;
    facts.version.own_sensitivity = policy->policy.output_sensitivity();
    facts.version.sensitivity = policy->policy.output_sensitivity();
    facts.taint_path.clear();
    for (const auto& name : policy->policy.key_names()) facts.keys.push_back(compliance_.keys().current_id(name));
  }
  return {};
}

// What stands in shadow changes nothing, so that it cannot be found does not, either.
Status Promotion::add_shadows(sql::Connection& connection, Draft& draft) {
  std::vector<policy::Policy> policies;
  std::vector<gate::ShadowPolicy> shadows;
  std::vector<model::ShadowResult> lost;
  for (const auto& revision : draft.policies) {
    policies.push_back(revision.policy);
    const auto& shadow = revision.policy.terms().enforcement.shadow;
    if (shadow.policy.value.empty() || !shadow.is_live(draft.facts.decided_at_us)) continue;
    auto found = compliance_.shadow_policy(connection, shadow.policy.value);
    if (!found) {
      model::ShadowResult result;
      result.policy = shadow.policy.value;
      result.beside = revision.row.name;
      result.problem = found.error().slug;
      lost.push_back(std::move(result));
      continue;
    }
    draft.plan.shadow_pins.push_back({{found->row.id, found->row.name, found->row.digest}, revision.row.name});
    shadows.push_back({found->policy, revision.row.name});
    draft.shadows.push_back(std::move(*found));
  }
  draft.plan.shadows = gate::evaluate_shadows(policies, shadows, draft.facts, draft.plan.verdict);
  draft.plan.shadows.insert(draft.plan.shadows.end(), lost.begin(), lost.end());
  return {};
}

Status Promotion::add_running(sql::Connection& connection, const Wish& wish, Draft& draft) {
  meta::DeploymentFilter filter{.environment = draft.plan.environment,
                                .kind = draft.plan.release_kind,
                                .name = draft.plan.release_name,
                                .running_only = true,
                                .limit = 1};
  if (!wish.restores.empty()) filter = {.id = wish.leaves_id, .running_only = true, .limit = 1};
  MLOPS_ASSIGN(const auto rows, meta::list_deployments(connection, filter));
  // Of a stored plan that has then come to its end: it pins another running release.
  if (rows.empty() && !wish.restores.empty() && wish.plan_id.empty()) {
    return fail(ErrorCode::kConflict, "running_changed", "what this goes back from does not run any more",
                "`mlopsctl status` shows what runs");
  }
  for (const auto& row : rows) {
    draft.running = row;
    MLOPS_ASSIGN(const auto members, meta::release_members(connection, row.release_id));
    draft.plan.running_deployment_id = row.id;
    draft.plan.running_ref = release_ref(row, members);
    draft.facts.current_ref = members.front().ref();
    draft.facts.current_metrics = members.front().metrics;
  }
  return {};
}

Result<Draft> Promotion::draft(sql::Connection& connection, const Wish& wish) {
  Draft out;
  MLOPS_ASSIGN(const auto environment, compliance_.environment(connection, wish.environment));
  out.facts.environment = environment.environment;
  out.facts.environment_digest = environment.row.digest;
  out.facts.requested_by = wish.requested_by;
  out.facts.reason = wish.reason;
  out.facts.is_rollback = wish.kind == "rollback";
  out.facts.decided_at_us = store_.now_us();
  auto& plan = out.plan;
  plan.id = wish.plan_id;
  plan.kind = wish.kind;
  plan.environment = wish.environment;
  plan.environment_digest = environment.row.digest;
  plan.reason = wish.reason;
  plan.requested_by = wish.requested_by;
  plan.requested_by_id = wish.requested_by_id;
  plan.requested_at_us = wish.requested_at_us != 0 ? wish.requested_at_us : store_.now_us();
  plan.expires_at_us = wish.expires_at_us;
  if (!wish.plan_id.empty()) {
    MLOPS_ASSIGN(out.rollout_by, meta::rollout_starter(connection, wish.plan_id));
  }
  if (wish.plan_id.empty()) {
    const auto hours = environment.environment.plan_valid_hours;
    plan.expires_at_us = plan.requested_at_us + (hours != 0 ? hours : model::kPlanValidHours) * kMicrosPerHour;
  }
  for (const auto& name : environment.environment.policies) {
    MLOPS_ASSIGN(auto revision, compliance_.policy(connection, name));
    plan.policies.push_back({revision.row.id, revision.row.name, revision.row.digest});
    out.policies.push_back(std::move(revision));
  }
  for (const auto& id : wish.version_ids) {
    MLOPS_ASSIGN(auto version, meta::get_version(connection, id));
    MLOPS_ASSIGN(auto facts, member_facts(connection, version));
    MLOPS_TRY(add_authors(connection, version, out.authors));
    out.members.push_back(std::move(version));
    out.facts.members.push_back(std::move(facts));
  }
  MLOPS_TRY(add_release_policies(connection, wish, out));
  if (wish.candidate) try_out(*wish.candidate, out);
  MLOPS_TRY(plan_masking(connection, out));
  for (const auto& member : out.members) MLOPS_TRY(add_authors(connection, member, out.authors));
  MLOPS_TRY(add_release(connection, wish, out));
  MLOPS_TRY(add_provenance(connection, environment.row.id, out.facts));
  for (const auto& member : out.members) plan.members.push_back(plan_member(member));
  MLOPS_TRY(add_change_facts(connection, out.facts));
  MLOPS_TRY(add_running(connection, wish, out));
  MLOPS_TRY(add_control_facts(connection, wish, out));
  MLOPS_TRY(add_approvals(connection, wish, out));
  MLOPS_TRY(add_evidence(connection, wish, out));
  std::vector<policy::Policy> policies;
  for (const auto& revision : out.policies) policies.push_back(revision.policy);
  plan.gates = gate::evaluate(policies, out.facts);
  plan.verdict = gate::overall(plan.gates);
  MLOPS_TRY(add_shadows(connection, out));
  plan.approvals_needed = gate::approvals_needed(policies, out.facts);
  plan.facts_digest = pinned_facts_digest(out.facts);
  plan.digest = model::plan_digest(plan);
  return out;
}

}  // namespace mlops::domain
