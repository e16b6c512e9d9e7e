// Drafting a plan: what is wished, the facts it is decided on, the gates' verdicts. Reads only.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/text.h"
#include "core/model/names.h"
#include "core/model/reference.h"
#include "daemon/domain/erasure.h"
#include "daemon/domain/lineage.h"
#include "daemon/domain/promotion.h"
#include "daemon/domain/provenance.h"
#include "policies/gate/gate.h"
#include "storage/meta/lineage.h"
#include "storage/meta/versions.h"

namespace mlops::domain {
namespace {

constexpr std::size_t kTreeLimitBytes = 256u << 20;
constexpr std::size_t kHistoryLimit = 1000;

Result<model::Version> resolve_live(sql::Connection& connection, const std::string& ref) {
  MLOPS_ASSIGN(const auto reference, model::parse_version_reference(ref));
  MLOPS_ASSIGN(auto version, meta::resolve(connection, reference));
  if (version.deleted_at_us != 0) {
    return fail(ErrorCode::kNotFound, "version_deleted",
                fmt::format("{} was deleted: {}", version.ref(), version.deleted_reason));
  }
  return version;
}

model::PlanMember plan_member(const model::Version& version) {
  return {version.id, version.ref(), version.kind, version.name, version.digest.to_string(), version.sensitivity};
}

// The release a rollback goes to by default: the newest one in this name's history that is not the running one and was
// not itself rolled back from.
Result<meta::DeploymentRow> rollback_target(const std::vector<meta::DeploymentRow>& newest_first,
                                            const RollbackRequest& request) {
  std::set<std::string> not_again{newest_first.front().release_id};
  for (std::size_t i = 0; i < newest_first.size(); ++i) {
    const auto& row = newest_first[i];
    if (!not_again.contains(row.release_id)) return row;
    if (row.action == "rollback" && i + 1 < newest_first.size()) not_again.insert(newest_first[i + 1].release_id);
  }
  return fail(ErrorCode::kNotFound, "no_earlier_release",
              fmt::format("{} never ran another release of {} to go back to", request.environment, request.name),
              "`mlopsctl history` shows what ran");
}

Result<meta::DeploymentRow> deployment_of_number(sql::Connection& connection,
                                                 const std::vector<meta::DeploymentRow>& newest_first,
                                                 const RollbackRequest& request) {
  for (const auto& row : newest_first) {
    MLOPS_ASSIGN(const auto members, meta::release_members(connection, row.release_id));
    if (!members.empty() && members.front().number == request.to_number) return row;
  }
  return fail(ErrorCode::kNotFound, "never_ran_here",
              fmt::format("{}@v{} never ran in {}", request.name, request.to_number, request.environment),
              "a rollback goes to what ran there before; use promote for anything else");
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

Result<Promotion::Wish> Promotion::wish_of(sql::Connection& connection, const meta::Actor& actor,
                                           const PlanRequest& request) {
  MLOPS_TRY(model::check_environment_name(request.environment));
  MLOPS_TRY(model::check_free_text(request.reason, "reason"));
  Wish wish;
  wish.environment = request.environment;
  wish.reason = request.reason;
  wish.requested_by = actor.principal.name;
  wish.requested_by_id = actor.principal.id;
  std::set<std::string> names;
  for (const auto& ref : request.refs) {
    MLOPS_ASSIGN(const auto version, resolve_live(connection, ref));
    if (!names.insert(fmt::format("{}:{}", to_word(version.kind), version.name)).second) {
      return fail(ErrorCode::kInvalid, "duplicate_member",
                  fmt::format("the release would hold two versions of {}", version.name));
    }
    wish.version_ids.push_back(version.id);
  }
  if (wish.version_ids.empty()) return fail(ErrorCode::kInvalid, "missing_field", "no version was named", "give a REF");
  return wish;
}

Result<Promotion::Wish> Promotion::wish_of_plan(sql::Connection& connection, const std::string& plan_id) {
  MLOPS_ASSIGN(const auto row, meta::find_plan(connection, plan_id));
  if (row.state != "open") {
    return fail(ErrorCode::kConflict, row.state == "stale" ? "stale_plan" : "plan_closed",
                fmt::format("the plan {} is {}", row.id, row.state), "make a new one: mlopsctl plan");
  }
  MLOPS_ASSIGN(const auto body, parse_json(row.body));
  Wish wish;
  wish.kind = row.kind;
  wish.environment = row.environment;
  wish.requested_by_id = row.requested_by_id;
  wish.plan_id = row.id;
  wish.requested_at_us = row.created_at_us;
  wish.plan_digest = row.digest;
  try {
    for (const auto& member : body.at("members")) wish.version_ids.push_back(member.at("version_id"));
    wish.requested_by = body.at("requested_by");
    wish.reason = body.at("reason");
  } catch (const Json::exception&) {
    return fail(ErrorCode::kCorrupt, "bad_plan", "a stored plan cannot be read", "run `mlopsctl audit verify`");
  }
  return wish;
}

Result<Promotion::Wish> Promotion::wish_of_rollback(sql::Connection& connection, const meta::Actor& actor,
                                                    const RollbackRequest& request) {
  MLOPS_TRY(model::check_environment_name(request.environment));
  MLOPS_TRY(model::check_free_text(request.reason, "reason"));
  MLOPS_ASSIGN(const auto reference, model::parse_reference(request.name));
  if (reference.selector != model::Reference::Selector::kBare) {
    return fail(ErrorCode::kInvalid, "bad_reference", "a rollback names the artifact alone", "give --to v3 for a version");
  }
  MLOPS_ASSIGN(const auto artifact, meta::the_artifact(connection, reference.kind, reference.name));
  MLOPS_TRY(compliance_.environment(connection, request.environment));
  MLOPS_ASSIGN(auto history, meta::list_deployments(connection, {.environment = request.environment,
                                                                 .name = artifact.name,
                                                                 .limit = kHistoryLimit}));
  std::erase_if(history, [&](const auto& row) { return row.kind != artifact.kind; });
  if (history.empty()) {
    return fail(ErrorCode::kNotFound, "nothing_runs",
                fmt::format("{} runs no {}", request.environment, artifact.name), "`mlopsctl status` shows what runs where");
  }
  auto target = request.to_number == 0 ? rollback_target(history, request)
                                       : deployment_of_number(connection, history, request);
  if (!target) return fail(std::move(target.error()));
  MLOPS_ASSIGN(const auto members, meta::release_members(connection, target->release_id));
  Wish wish;
  wish.kind = "rollback";
  wish.environment = request.environment;
  wish.reason = request.reason;
  wish.requested_by = actor.principal.name;
  wish.requested_by_id = actor.principal.id;
  // The plan that was approved is that of the promotion, however often the release was rolled back to since.
  for (const auto& row : history) {
    if (row.release_id != target->release_id || row.action != "promote") continue;
    wish.earlier_plan_id = row.plan_id;
    break;
  }
  for (const auto& member : members) wish.version_ids.push_back(member.id);
  return wish;
}

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
    MLOPS_ASSIGN(const auto rows,
                 meta::list_deployments(connection, {.version_id = version_id, .limit = kHistoryLimit}));
    for (const auto& row : rows) ran_in.insert(row.environment);
    return {};
  };
  MLOPS_TRY(add_environments(version.id));
  MLOPS_ASSIGN(const auto masking, meta::masking_runs_of_output(connection, version.id));
  for (const auto& run : masking) MLOPS_TRY(add_environments(run.source_version_id));
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
    const auto masks = [](const PolicyRevision& revision) {
      return revision.policy.masks() && revision.policy.selects(model::ArtifactKind::kDataset);
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
  }
  return {};
}

Status Promotion::add_running(sql::Connection& connection, Draft& draft) {
  const auto& namesake = draft.facts.members.front().version;
  MLOPS_ASSIGN(const auto rows, meta::list_deployments(connection, {.environment = draft.plan.environment,
                                                                    .name = namesake.name,
                                                                    .running_only = true}));
  for (const auto& row : rows) {
    if (row.kind != namesake.kind) continue;
    draft.running = row;
    MLOPS_ASSIGN(const auto members, meta::release_members(connection, row.release_id));
    draft.plan.running_deployment_id = row.id;
    draft.plan.running_ref = members.front().ref();
    draft.facts.current_ref = members.front().ref();
    draft.facts.current_metrics = members.front().metrics;
  }
  return {};
}

// Approvals are bound to the digest they were given for. A rollback brings along those its release had when it ran
// here before: going back in an incident must not wait, and today's gate still counts them.
Status Promotion::add_approvals(sql::Connection& connection, const Wish& wish, Draft& draft) {
  const auto& plan_id = wish.kind == "rollback" && wish.plan_id.empty() ? wish.earlier_plan_id : wish.plan_id;
  if (plan_id.empty()) return {};
  MLOPS_ASSIGN(const auto rows, meta::approvals_of(connection, plan_id));
  for (const auto& row : rows) {
    draft.plan.approvals.push_back({row.principal_name, row.decision, row.reason, row.created_at_us});
    const bool same_plan = wish.plan_id.empty() || row.plan_digest == wish.plan_digest;
    const bool own = row.principal_id == wish.requested_by_id || row.principal_id == wish.executed_by_id;
    if (row.decision != "approve" || !same_plan || own) continue;
    model::ApprovalFact fact{row.principal_name, {}, row.is_human};
    for (const auto role : split(row.roles, ' ')) fact.roles.emplace_back(role);
    draft.facts.approvals.push_back(std::move(fact));
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
  for (const auto& name : environment.environment.policies) {
    MLOPS_ASSIGN(auto revision, compliance_.policy(connection, name));
    plan.policies.push_back({revision.row.id, revision.row.name, revision.row.digest});
    out.policies.push_back(std::move(revision));
  }
  if (wish.candidate) try_out(*wish.candidate, out);
  for (const auto& id : wish.version_ids) {
    MLOPS_ASSIGN(auto version, meta::get_version(connection, id));
    MLOPS_ASSIGN(auto facts, member_facts(connection, version));
    out.members.push_back(std::move(version));
    out.facts.members.push_back(std::move(facts));
  }
  MLOPS_TRY(plan_masking(connection, out));
  MLOPS_TRY(add_provenance(connection, environment.row.id, out.facts));
  for (const auto& member : out.members) plan.members.push_back(plan_member(member));
  MLOPS_TRY(add_running(connection, out));
  MLOPS_TRY(add_approvals(connection, wish, out));
  std::vector<policy::Policy> policies;
  for (const auto& revision : out.policies) policies.push_back(revision.policy);
  plan.gates = gate::evaluate(policies, out.facts);
  plan.verdict = gate::overall(plan.gates);
  plan.approvals_needed = gate::approvals_needed(policies, out.facts);
  plan.digest = model::plan_digest(plan);
  return out;
}

}  // namespace mlops::domain
