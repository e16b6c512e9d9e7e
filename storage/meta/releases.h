// Releases, plans, approvals and deployments: what moves, why it may, who said so, and where it ran when.
//
// A deployment is an interval: an environment ran a release under a name from valid_from to valid_to.
// Errors: kNotFound "plan_not_found", "deployment_not_found"; kConflict "plan_ambiguous". Thread-safety: as its connection.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/model/version.h"
#include "storage/meta/store.h"

namespace mlops::meta {

struct ReleaseRow {
  std::string id;
  model::ArtifactKind kind = model::ArtifactKind::kModel;
  std::string name;
  std::int64_t number = 0;
  std::string digest;
};

struct PlanRow {
  std::string id;
  std::string digest;
  std::string kind;   // promote, rollback
  std::string state;  // open, executed, rejected, stale
  std::string environment;
  std::string body;   // JSON
  std::string requested_by_id;
  TimestampUs created_at_us = 0;
};

struct ApprovalRow {
  std::string id;
  std::string plan_id;
  std::string plan_digest;
  std::string principal_id;
  std::string principal_name;
  bool is_human = true;
  std::string roles;     // space-separated words
  std::string decision;  // approve, reject
  std::string reason;
  TimestampUs created_at_us = 0;
};

struct DeploymentRow {
  std::string id;
  std::string environment;
  model::ArtifactKind kind = model::ArtifactKind::kModel;
  std::string name;
  std::string release_id;
  std::int64_t release_number = 0;
  std::string plan_id;
  std::string action;  // promote, rollback
  std::string reason;
  std::string created_by;
  TimestampUs valid_from_us = 0;
  std::optional<TimestampUs> valid_to_us;
};

// The release of exactly these versions, in this order; made when it does not exist.
Result<ReleaseRow> upsert_release(WriteTx& tx, const std::vector<model::Version>& members);
Result<std::vector<model::Version>> release_members(sql::Connection& connection, const std::string& release_id);

Status insert_plan(WriteTx& tx, const PlanRow& plan);
Status set_plan_state(WriteTx& tx, const std::string& plan_id, const std::string& state);
// Executed, with the verdicts it was executed on. REQUIRES: the pins in `body` are those of the stored one.
Status set_plan_executed(WriteTx& tx, const std::string& plan_id, const std::string& body);
// By id or digest, or a unique prefix of at least 8 characters of either.
Result<PlanRow> find_plan(sql::Connection& connection, const std::string& id_or_prefix);
struct PlanFilter {
  std::string state;
  std::string environment;
  std::string after_id;  // cursor: plans older than this one
  std::size_t limit = 100;
};
Result<std::vector<PlanRow>> list_plans(sql::Connection& connection, const PlanFilter& filter);  // newest first

Result<std::vector<ApprovalRow>> approvals_of(sql::Connection& connection, const std::string& plan_id);
// A principal's later word replaces the earlier one.
Status upsert_approval(WriteTx& tx, const ApprovalRow& approval);

struct DeploymentFilter {
  std::string environment;
  std::string name;
  std::string release_id;
  std::string version_id;  // deployments of releases that hold it
  bool running_only = false;
  TimestampUs as_of_us = 0;  // with running_only: running then; else: started by then
  std::string after_id;
  std::size_t limit = 100;
};
Result<std::vector<DeploymentRow>> list_deployments(sql::Connection& connection, const DeploymentFilter& filter);
Result<DeploymentRow> get_deployment(sql::Connection& connection, const std::string& id);
// Names of the environments whose running release holds the version at that moment, sorted.
Result<std::vector<std::string>> environments_of(sql::Connection& connection, const std::string& version_id,
                                                 TimestampUs as_of_us = 0);
Status close_deployment(WriteTx& tx, const std::string& id);
Status insert_deployment(WriteTx& tx, const DeploymentRow& deployment);

}  // namespace mlops::meta
