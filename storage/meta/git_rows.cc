#include "storage/meta/git_rows.h"

#include "storage/sql/rows.h"

namespace mlops::meta {
namespace {

#define MLOPS_OUTBOX_COLUMNS                                                                                    \
  "seq, deployment_id, environment, repository, path, renderer, state, attempts, next_at, commit_id, problem, " \
  "changed_at"

constexpr std::string_view kClearRepositories = "DELETE FROM git_repositories";
constexpr std::string_view kInsertRepository =
    "INSERT INTO git_repositories (name, url_key, branch, uses) VALUES ($1, $2, $3, $4)";
constexpr std::string_view kRepositories = "SELECT name, url_key, branch, uses FROM git_repositories ORDER BY name";

constexpr std::string_view kFindFact =
    "SELECT url_key, commit_id, state, branches, seen_at FROM code_facts WHERE url_key = $1 AND commit_id = $2";
constexpr std::string_view kFactsOf =
    "SELECT url_key, commit_id, state, branches, seen_at FROM code_facts WHERE url_key = $1 ORDER BY commit_id";
constexpr std::string_view kPutFact =
    "INSERT INTO code_facts (url_key, commit_id, state, branches, seen_at) VALUES ($1, $2, $3, $4, $5) "
    "ON CONFLICT (url_key, commit_id) DO UPDATE SET state = excluded.state, branches = excluded.branches, seen_at = "
    "excluded.seen_at";
constexpr std::string_view kOrigins =
    "SELECT git, created_at FROM versions WHERE created_at > $1 AND git IS NOT NULL ORDER BY created_at";

constexpr std::string_view kEnqueue =
    "INSERT INTO gitops_outbox (deployment_id, environment, repository, path, renderer, state, attempts, next_at, "
    "commit_id, problem, changed_at) VALUES ($1, $2, $3, $4, $5, 'pending', 0, $6, '', '', $6)";
constexpr std::string_view kPending = "SELECT " MLOPS_OUTBOX_COLUMNS
                                      " FROM gitops_outbox WHERE state = 'pending' AND repository = $1 ORDER BY seq "
                                      "LIMIT $2";
constexpr std::string_view kPendingRepositories =
    "SELECT DISTINCT repository FROM gitops_outbox WHERE state = 'pending' ORDER BY repository";
constexpr std::string_view kListOutbox =
    "SELECT " MLOPS_OUTBOX_COLUMNS
    " FROM gitops_outbox WHERE ($1 = '' OR environment = $1) AND ($2 = '' OR state = $2) AND "
    "($3 = '' OR seq < (SELECT seq FROM gitops_outbox WHERE deployment_id = $3)) ORDER BY seq DESC LIMIT $4";
constexpr std::string_view kFindOutbox = "SELECT " MLOPS_OUTBOX_COLUMNS " FROM gitops_outbox WHERE deployment_id = $1";
constexpr std::string_view kLaterDone =
    "SELECT 1 FROM gitops_outbox WHERE seq > $1 AND repository = $2 AND environment = $3 AND state = 'done' LIMIT 1";
constexpr std::string_view kUpdateOutbox =
    "UPDATE gitops_outbox SET state = $2, attempts = $3, next_at = $4, commit_id = $5, problem = $6, changed_at = $7 "
    "WHERE seq = $1";
constexpr std::string_view kCountOpen =
    "SELECT COUNT(*) FROM gitops_outbox WHERE state IN ('pending', 'failed') AND ($1 = '' OR environment = $1)";
constexpr std::string_view kRetry =
    "UPDATE gitops_outbox SET state = 'pending', next_at = $2, changed_at = $2 WHERE state IN ('pending', 'failed') "
    "AND ($1 = '' OR "
    "environment = $1)";

GitRepositoryRow read_repository(const sql::Cursor& cursor) {
  return {cursor.text(0), cursor.text(1), cursor.text(2), cursor.text(3)};
}

CodeFactRow read_fact(const sql::Cursor& cursor) {
  return {cursor.text(0), cursor.text(1), cursor.text(2), cursor.text(3), cursor.integer(4)};
}

OutboxRow read_outbox(const sql::Cursor& cursor) {
  return {cursor.integer(0), cursor.text(1),    cursor.text(2),    cursor.text(3), cursor.text(4),  cursor.text(5),
          cursor.text(6),    cursor.integer(7), cursor.integer(8), cursor.text(9), cursor.text(10), cursor.integer(11)};
}

}  // namespace

Status replace_git_repositories(WriteTx& tx, const std::vector<GitRepositoryRow>& repositories) {
  MLOPS_TRY(tx.sql().execute(kClearRepositories));
  for (const auto& row : repositories) {
    MLOPS_TRY(tx.sql().execute(kInsertRepository, {std::string_view(row.name), std::string_view(row.url_key),
                                                   std::string_view(row.branch), std::string_view(row.uses)}));
  }
  return {};
}

Result<std::vector<GitRepositoryRow>> list_git_repositories(sql::Connection& connection) {
  MLOPS_ASSIGN(auto cursor, connection.query(kRepositories));
  return sql::read_all(std::move(cursor), read_repository);
}

Result<std::optional<CodeFactRow>> find_code_fact(sql::Connection& connection, const std::string& url_key,
                                                  const std::string& commit) {
  MLOPS_ASSIGN(auto cursor, connection.query(kFindFact, {std::string_view(url_key), std::string_view(commit)}));
  MLOPS_ASSIGN(const bool found, cursor.next());
  if (!found) return std::optional<CodeFactRow>();
  return std::optional(read_fact(cursor));
}

Result<std::vector<CodeFactRow>> code_facts_of(sql::Connection& connection, const std::string& url_key) {
  MLOPS_ASSIGN(auto cursor, connection.query(kFactsOf, {std::string_view(url_key)}));
  return sql::read_all(std::move(cursor), read_fact);
}

Status put_code_fact(WriteTx& tx, const CodeFactRow& fact) {
  return tx.sql().execute(kPutFact, {std::string_view(fact.url_key), std::string_view(fact.commit),
                                     std::string_view(fact.state), std::string_view(fact.branches), fact.seen_at_us});
}

Result<RecordedOrigins> origins_since(sql::Connection& connection, TimestampUs since_us) {
  MLOPS_ASSIGN(auto cursor, connection.query(kOrigins, {since_us}));
  RecordedOrigins origins;
  origins.newest_us = since_us;
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return origins;
    origins.git.push_back(cursor.text(0));
    origins.newest_us = cursor.integer(1);
  }
}

Status enqueue_outbox(WriteTx& tx, const OutboxRow& row) {
  return tx.sql().execute(kEnqueue, {std::string_view(row.deployment_id), std::string_view(row.environment),
                                     std::string_view(row.repository), std::string_view(row.path),
                                     std::string_view(row.renderer), tx.now_us()});
}

Result<std::vector<OutboxRow>> pending_outbox(sql::Connection& connection, const std::string& repository,
                                              std::size_t limit) {
  MLOPS_ASSIGN(auto cursor,
               connection.query(kPending, {std::string_view(repository), static_cast<std::int64_t>(limit)}));
  return sql::read_all(std::move(cursor), read_outbox);
}

Result<std::vector<std::string>> outbox_repositories(sql::Connection& connection) {
  MLOPS_ASSIGN(auto cursor, connection.query(kPendingRepositories));
  return sql::read_texts(std::move(cursor));
}

Result<std::vector<OutboxRow>> list_outbox(sql::Connection& connection, const OutboxFilter& filter) {
  MLOPS_ASSIGN(auto cursor,
               connection.query(kListOutbox, {std::string_view(filter.environment), std::string_view(filter.state),
                                              std::string_view(filter.after_deployment_id),
                                              static_cast<std::int64_t>(filter.limit)}));
  return sql::read_all(std::move(cursor), read_outbox);
}

Result<std::optional<OutboxRow>> find_outbox(sql::Connection& connection, const std::string& deployment_id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kFindOutbox, {std::string_view(deployment_id)}));
  MLOPS_ASSIGN(const bool found, cursor.next());
  return found ? std::optional<OutboxRow>(read_outbox(cursor)) : std::nullopt;
}

Result<bool> is_later_done(sql::Connection& connection, const OutboxRow& row) {
  MLOPS_ASSIGN(auto cursor, connection.query(kLaterDone, {row.seq, std::string_view(row.repository),
                                                          std::string_view(row.environment)}));
  return cursor.next();
}

Status update_outbox(WriteTx& tx, const OutboxRow& row) {
  return tx.sql().execute(kUpdateOutbox, {row.seq, std::string_view(row.state), row.attempts, row.next_at_us,
                                          std::string_view(row.commit), std::string_view(row.problem), tx.now_us()});
}

Result<std::int64_t> retry_outbox(WriteTx& tx, const std::string& environment) {
  MLOPS_ASSIGN(auto cursor, tx.sql().query(kCountOpen, {std::string_view(environment)}));
  MLOPS_TRY(cursor.next());
  const auto count = cursor.integer(0);
  MLOPS_TRY(tx.sql().execute(kRetry, {std::string_view(environment), tx.now_us()}));
  return count;
}

}  // namespace mlops::meta
