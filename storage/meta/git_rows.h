// Bookkeeping around Git that no audit entry covers: the configured repositories, what is known about commits, and
// which deployments wait to be committed to a GitOps repository. Made again from configuration, mirrors and
// deployments. Thread-safety: as its connection.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/meta/store.h"

namespace mlops::meta {

struct GitRepositoryRow {
  std::string name;
  std::string url_key;
  std::string branch;
  std::string uses;  // "policies gitops provenance", those it is for
};
// In the place of all that were there.
Status replace_git_repositories(WriteTx& tx, const std::vector<GitRepositoryRow>& repositories);
Result<std::vector<GitRepositoryRow>> list_git_repositories(sql::Connection& connection);

struct CodeFactRow {
  std::string url_key;
  std::string commit;
  std::string state;     // found, missing, unreachable
  std::string branches;  // JSON array
  TimestampUs seen_at_us = 0;
};
Result<std::optional<CodeFactRow>> find_code_fact(sql::Connection& connection, const std::string& url_key,
                                                  const std::string& commit);
Result<std::vector<CodeFactRow>> code_facts_of(sql::Connection& connection, const std::string& url_key);
Status put_code_fact(WriteTx& tx, const CodeFactRow& fact);
// The origins recorded with versions since then, as JSON; and the newest moment there is.
struct RecordedOrigins {
  std::vector<std::string> git;
  TimestampUs newest_us = 0;
};
Result<RecordedOrigins> origins_since(sql::Connection& connection, TimestampUs since_us);

struct OutboxRow {
  std::int64_t seq = 0;
  std::string deployment_id;
  std::string environment;
  std::string repository;
  std::string path;
  std::string renderer;
  std::string state;  // pending, done, failed, superseded
  std::int64_t attempts = 0;
  TimestampUs next_at_us = 0;
  std::string commit;
  std::string problem;
  TimestampUs changed_at_us = 0;
};
Status enqueue_outbox(WriteTx& tx, const OutboxRow& row);  // seq, state and the rest are set here
// Pending ones of a repository, in order; all of them, due or not: order is kept.
Result<std::vector<OutboxRow>> pending_outbox(sql::Connection& connection, const std::string& repository,
                                              std::size_t limit);
Result<std::vector<std::string>> outbox_repositories(sql::Connection& connection);  // that have pending ones
struct OutboxFilter {
  std::string environment;
  std::string state;
  std::string after_deployment_id;  // of the row before the first
  std::size_t limit = 100;
};
Result<std::vector<OutboxRow>> list_outbox(sql::Connection& connection, const OutboxFilter& filter);  // newest first
Result<std::optional<OutboxRow>> find_outbox(sql::Connection& connection, const std::string& deployment_id);
// Is something later of its environment committed?
Result<bool> is_later_done(sql::Connection& connection, const OutboxRow& row);
// State, attempts, next_at, commit and problem.
Status update_outbox(WriteTx& tx, const OutboxRow& row);
// Failed ones are pending again, and pending ones are due now; how many.
Result<std::int64_t> retry_outbox(WriteTx& tx, const std::string& environment);

}  // namespace mlops::meta
