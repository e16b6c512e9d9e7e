// Releases, plans, approvals and deployments: what moves, why it may, who said so, and where it ran when.
//
// A deployment is an interval: an environment ran a release under a name from valid_from to valid_to.
// Errors: kNotFound "plan_not_found", "deployment_not_found"; kConflict "plan_ambiguous". Thread-safety: as its
// connection.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/model/version.h"
#include "storage/meta/store.h"

namespace mlops::meta {

// What moves has the name and the kind of its first member, or a name of its own and this kind.
inline constexpr std::string_view kNamedRelease = "release";

struct ReleaseRow {
  std::string id;
  std::string kind;  // model, dataset, release
  std::string name;
  std::int64_t number = 0;
  std::string digest;
  TimestampUs created_at_us = 0;
};

struct PlanRow {
  std::string id;
  std::string digest;
  std::string kind;   // promote, rollback
  std::string state;  // open, executed, rejected, stale
  std::string environment;
  std::string body;  // JSON
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
  std::string decision;  // approve, reject, withdrawn
  std::string reason;
  TimestampUs created_at_us = 0;
  std::string meaning;
  std::string statement;  // empty: not signed, as the two below
  std::string key_id;
  std::string signature;
};

struct DeploymentRow {
  std::string id;
  std::string environment;
  std::string kind;  // as of its release
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
// A release with a name of its own: each member in a role, and revisions of policies that move along.
struct NamedRelease {
  std::string name;
  std::vector<model::Version> members;
  std::vector<std::string> roles;  // one a member
  std::vector<std::string> policy_revision_ids;
};
struct MadeRelease {
  ReleaseRow row;
  bool is_new = false;  // false: the same content is a release of that name already
};
Result<MadeRelease> make_named_release(WriteTx& tx, const NamedRelease& wanted);
// Errors: kNotFound "release_not_found".
Result<ReleaseRow> find_named_release(sql::Connection& connection, const std::string& name, std::int64_t number);
Result<ReleaseRow> get_release(sql::Connection& connection, const std::string& id);
struct ReleaseFilter {
  std::string name;      // empty: all
  std::string after_id;  // cursor: older than this one
  std::size_t limit = 100;
};
Result<std::vector<ReleaseRow>> list_named_releases(sql::Connection& connection, const ReleaseFilter& filter);
// By position; empty words for a release without a name of its own.
Result<std::vector<std::string>> release_roles(sql::Connection& connection, const std::string& release_id);
Result<std::vector<std::string>> release_policies(sql::Connection& connection, const std::string& release_id);
// The release of exactly these versions under their first one's name; empty: there was none.
Result<std::string> find_release_id(sql::Connection& connection, const std::vector<model::Version>& members);
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
  std::string id;
  std::string environment;
  std::string kind;
  std::string name;
  std::string release_id;
  std::string plan_id;
  std::string version_id;  // deployments of releases that hold it
  std::string created_by;
  bool running_only = false;
  TimestampUs as_of_us = 0;     // with running_only: running then; else: started by then
  TimestampUs known_at_us = 0;  // as it was known then, before later corrections; 0: as it is known now
  std::string after_id;
  std::size_t limit = 100;
};
Result<std::vector<DeploymentRow>> list_deployments(sql::Connection& connection, const DeploymentFilter& filter);
Result<DeploymentRow> get_deployment(sql::Connection& connection, const std::string& id);
// Names of the environments whose running release holds the version at that moment, sorted.
Result<std::vector<std::string>> environments_of(sql::Connection& connection, const std::string& version_id,
                                                 TimestampUs as_of_us = 0);
// Names of the environments that run it or ever ran it, sorted.
Result<std::vector<std::string>> environments_ever(sql::Connection& connection, const std::string& version_id);
Status close_deployment(WriteTx& tx, const std::string& id);
Status insert_deployment(WriteTx& tx, const DeploymentRow& deployment);

// Corrects when a deployment began, and with it when the one before it in its line ended; the belief of before is kept.
// Errors: kNotFound "deployment_not_found", "deployment_ambiguous"; kInvalid "bad_correction".
struct Correction {
  std::string deployment_id;  // or a unique prefix of at least 8 characters
  TimestampUs valid_from_us = 0;
  std::string reason;
};
Result<DeploymentRow> correct_deployment(WriteTx& tx, const Correction& correction);

}  // namespace mlops::meta
