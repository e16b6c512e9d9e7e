// Git sources of policies and environments: the sources, what each owns, the plans of their changes with approvals, and
// which commit a revision came from.
//
// A source is named by its name, a plan by its id or a unique prefix of at least 8 characters. Errors: kInvalid
// "bad_id"; kNotFound "source_not_found", "source_plan_not_found"; kConflict "id_ambiguous". Thread-safety: as its
// connection.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/meta/revisions.h"
#include "storage/meta/store.h"

namespace mlops::meta {

struct SourceRow {
  std::string id;
  std::string name;
  std::string repository;
  std::string branch;
  std::string policies_path;
  std::string environments_path;
  std::int64_t approvals_needed = 0;
  std::string pinned_commit;  // empty: nothing applied yet
  TimestampUs created_at_us = 0;
  std::string created_by;
  TimestampUs applied_at_us = 0;  // 0: never
  std::string applied_by;
};
Result<std::vector<SourceRow>> list_sources(sql::Connection& connection);  // in use, by name
Result<SourceRow> find_source(sql::Connection& connection, const std::string& name);
Result<SourceRow> source_of_id(sql::Connection& connection, const std::string& id);
Status insert_source(WriteTx& tx, const SourceRow& source);
// The commit that is applied now, by whom.
Status pin_source(WriteTx& tx, const std::string& id, const std::string& commit);
// It owns nothing any more.
Status remove_source(WriteTx& tx, const std::string& id);

struct SourceItem {
  std::string id;
  std::string source_id;
  RevisionKind kind = RevisionKind::kPolicy;
  std::string name;
  std::string path;
};
Result<std::vector<SourceItem>> items_of(sql::Connection& connection, const std::string& source_id);
struct Owner {
  std::string source;
  std::string repository;
  std::string commit;
  std::string path;
};
// The source that a policy or an environment comes from.
Result<std::optional<Owner>> owner_of(sql::Connection& connection, RevisionKind kind, const std::string& name);
// Errors: kConflict "constraint" when another source owns it.
Status insert_item(WriteTx& tx, const SourceItem& item);
Status delete_item(WriteTx& tx, const std::string& id);

struct SourcePlanRow {
  std::string id;
  std::string source_id;
  std::string digest;
  std::string state;  // open, applied, stale
  std::string base_commit;
  std::string target_commit;
  std::string body;  // JSON
  std::string reason;
  std::string requested_by_id;
  std::string requested_by;
  TimestampUs created_at_us = 0;
  TimestampUs applied_at_us = 0;  // 0: not applied
};
Result<SourcePlanRow> find_source_plan(sql::Connection& connection, const std::string& id_or_prefix);
Result<std::vector<SourcePlanRow>> plans_of_source(sql::Connection& connection, const std::string& source_id,
                                                   std::size_t limit);  // newest first
Status insert_source_plan(WriteTx& tx, const SourcePlanRow& plan);
Status set_source_plan_state(WriteTx& tx, const std::string& id, const std::string& state);

struct SourceApprovalRow {
  std::string id;
  std::string plan_id;
  std::string plan_digest;
  std::string principal_id;
  std::string principal;
  std::string reason;
  TimestampUs created_at_us = 0;
};
Result<std::vector<SourceApprovalRow>> source_approvals(sql::Connection& connection, const std::string& plan_id);
// Errors: kConflict "constraint" when the principal approved it before.
Status insert_source_approval(WriteTx& tx, const SourceApprovalRow& approval);

struct RevisionSource {
  std::string revision_id;
  std::string source_id;
  std::string source;
  std::string repository;
  std::string commit;
  std::string path;
};
Result<std::optional<RevisionSource>> source_of_revision(sql::Connection& connection, const std::string& revision_id);
Status insert_revision_source(WriteTx& tx, const RevisionSource& source);

}  // namespace mlops::meta
