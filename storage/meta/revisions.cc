#include "storage/meta/revisions.h"

#include <fmt/format.h>

#include "core/base/text.h"
#include "storage/meta/interval.h"
#include "storage/sql/rows.h"

namespace mlops::meta {
namespace {

// The two tables differ in one column; each kind has its own statements, written out.
struct Statements {
  std::string_view table;
  std::string_view word;
  std::string_view list;
  std::string_view find;
  std::string_view by_id;
  std::string_view last;  // number of the newest one ever
  std::string_view close;
  std::string_view insert;
  std::string_view all;
};
constexpr Statements kStatements[] = {
    {"environments", "environment",
     "SELECT id, name, revision, digest, '', body, applied_by, valid_from FROM environments WHERE valid_from <= $1 AND "
     "(valid_to IS NULL OR valid_to > $1) ORDER BY name",
     "SELECT id, name, revision, digest, '', body, applied_by, valid_from FROM environments WHERE name = $1 AND "
     "valid_from <= $2 AND (valid_to IS NULL OR valid_to > $2)",
     "SELECT id, name, revision, digest, '', body, applied_by, valid_from FROM environments WHERE id = $1",
     "SELECT COALESCE(MAX(revision), 0) FROM environments WHERE name = $1",
     "UPDATE environments SET valid_to = $2 WHERE id = $1",
     "INSERT INTO environments (id, name, revision, digest, body, applied_by, valid_from) "
     "VALUES ($1, $2, $3, $4, $5, $6, $7)",
     "SELECT id, name, revision, digest, '', body, applied_by, valid_from FROM environments WHERE name = $1 ORDER BY "
     "revision DESC"},
    {"policies", "policy",
     "SELECT id, name, revision, digest, origin, body, applied_by, valid_from FROM policies WHERE valid_from <= $1 AND "
     "(valid_to IS NULL OR valid_to > $1) ORDER BY name",
     "SELECT id, name, revision, digest, origin, body, applied_by, valid_from FROM policies WHERE name = $1 AND "
     "valid_from <= $2 AND (valid_to IS NULL OR valid_to > $2)",
     "SELECT id, name, revision, digest, origin, body, applied_by, valid_from FROM policies WHERE id = $1",
     "SELECT COALESCE(MAX(revision), 0) FROM policies WHERE name = $1",
     "UPDATE policies SET valid_to = $2 WHERE id = $1",
     "INSERT INTO policies (id, name, revision, digest, body, applied_by, valid_from, origin) "
     "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
     "SELECT id, name, revision, digest, origin, body, applied_by, valid_from FROM policies WHERE name = $1 ORDER BY "
     "revision DESC"},
};
constexpr std::string_view kInsertCandidate =
    "INSERT INTO policies (id, name, revision, digest, body, applied_by, valid_from, origin, valid_to) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $7)";

const Statements& statements_of(RevisionKind kind) {
  return kStatements[static_cast<std::size_t>(kind)];
}

RevisionRow read_revision(const sql::Cursor& cursor) {
  return {cursor.text(0), cursor.text(1), cursor.integer(2), cursor.text(3),
          cursor.text(4), cursor.text(5), cursor.text(6),    cursor.integer(7)};
}

Result<std::optional<RevisionRow>> read_one(sql::Cursor cursor) {
  MLOPS_ASSIGN(const bool found, cursor.next());
  if (!found) return std::optional<RevisionRow>();
  return std::optional(read_revision(cursor));
}

Result<std::vector<RevisionRow>> read_all(sql::Cursor cursor) {
  return sql::read_all(std::move(cursor), read_revision);
}

// Also after candidates, which are not in force, and after a removal.
Result<std::int64_t> last_revision(sql::Connection& connection, const Statements& statements, const std::string& name) {
  MLOPS_ASSIGN(auto cursor, connection.query(statements.last, {std::string_view(name)}));
  MLOPS_TRY(cursor.next());
  return cursor.integer(0);
}

}  // namespace

std::string_view to_word(Change change) {
  constexpr std::string_view kWords[] = {"created", "updated", "unchanged"};
  return kWords[static_cast<std::size_t>(change)];
}

Result<std::vector<RevisionRow>> list_revisions(sql::Connection& connection, RevisionKind kind, TimestampUs as_of_us) {
  MLOPS_ASSIGN(auto cursor, connection.query(statements_of(kind).list, {moment(as_of_us)}));
  return read_all(std::move(cursor));
}

Result<std::vector<RevisionRow>> revisions_of(sql::Connection& connection, RevisionKind kind, const std::string& name) {
  MLOPS_ASSIGN(auto cursor, connection.query(statements_of(kind).all, {std::string_view(name)}));
  return read_all(std::move(cursor));
}

Result<std::optional<RevisionRow>> find_revision(sql::Connection& connection, RevisionKind kind,
                                                 const std::string& name, TimestampUs as_of_us) {
  MLOPS_ASSIGN(auto cursor, connection.query(statements_of(kind).find, {std::string_view(name), moment(as_of_us)}));
  return read_one(std::move(cursor));
}

Result<RevisionRow> get_revision(sql::Connection& connection, RevisionKind kind, const std::string& name,
                                 TimestampUs as_of_us) {
  MLOPS_ASSIGN(auto found, find_revision(connection, kind, name, as_of_us));
  if (found) return std::move(*found);
  MLOPS_ASSIGN(const auto rows, list_revisions(connection, kind, as_of_us));
  std::vector<std::string> names;
  for (const auto& row : rows) names.push_back(row.name);
  const auto word = statements_of(kind).word;
  const auto near = nearest_word(name, names);
  const auto known = names.empty() ? fmt::format("none is declared yet") : fmt::format("known: {}", join(names, ", "));
  return fail(ErrorCode::kNotFound, fmt::format("{}_not_found", word),
              fmt::format("there is no {} \"{}\"", word, printable(name)),
              near ? fmt::format("did you mean \"{}\"?", *near) : known);
}

Result<RevisionRow> get_revision_by_id(sql::Connection& connection, RevisionKind kind, const std::string& id) {
  MLOPS_ASSIGN(auto cursor, connection.query(statements_of(kind).by_id, {std::string_view(id)}));
  MLOPS_ASSIGN(auto found, read_one(std::move(cursor)));
  if (found) return std::move(*found);
  return fail(ErrorCode::kCorrupt, "revision_missing",
              fmt::format("a {} revision is missing", statements_of(kind).word));
}

Result<Applied> apply_revision(WriteTx& tx, RevisionKind kind, RevisionRow row) {
  MLOPS_ASSIGN(auto current, find_revision(tx.sql(), kind, row.name));
  if (current && current->digest == row.digest) {
    auto body = current->body;
    return Applied{Change::kUnchanged, std::move(*current), std::move(body)};
  }
  return replace_revision(tx, kind, std::move(row));
}

Result<Applied> replace_revision(WriteTx& tx, RevisionKind kind, RevisionRow row) {
  const auto& statements = statements_of(kind);
  MLOPS_ASSIGN(auto current, find_revision(tx.sql(), kind, row.name));
  MLOPS_ASSIGN(const auto last, last_revision(tx.sql(), statements, row.name));
  tx.begin_entry(fmt::format("{}.apply", statements.word), row.name, {},
                 kind == RevisionKind::kPolicy ? row.digest : std::string());
  row.id = tx.new_id();
  row.revision = last + 1;
  row.valid_from_us = tx.now_us();
  row.applied_by = tx.actor().principal.name;
  if (current) {
    MLOPS_TRY(tx.touch(statements.table, current->id));
    MLOPS_TRY(tx.sql().execute(statements.close, {std::string_view(current->id), tx.now_us()}));
  }
  MLOPS_TRY(tx.touch(statements.table, row.id));
  std::vector<sql::Value> values{
      std::string_view(row.id),   std::string_view(row.name),       row.revision,     std::string_view(row.digest),
      std::string_view(row.body), std::string_view(row.applied_by), row.valid_from_us};
  if (kind == RevisionKind::kPolicy) values.emplace_back(std::string_view(row.origin));
  MLOPS_ASSIGN(auto cursor, tx.sql().query(statements.insert, values));
  MLOPS_TRY(cursor.next());
  return Applied{current ? Change::kUpdated : Change::kCreated, std::move(row),
                 current ? std::move(current->body) : std::string()};
}

Result<Applied> keep_candidate(WriteTx& tx, RevisionRow row) {
  MLOPS_ASSIGN(auto known, revisions_of(tx.sql(), RevisionKind::kPolicy, row.name));
  for (auto& one : known) {
    if (one.digest == row.digest) return Applied{Change::kUnchanged, std::move(one)};
  }
  tx.begin_entry("policy.candidate", row.name, {}, row.digest);
  row.id = tx.new_id();
  row.revision = known.empty() ? 1 : known.front().revision + 1;
  row.valid_from_us = tx.now_us();
  row.applied_by = tx.actor().principal.name;
  MLOPS_TRY(tx.touch(statements_of(RevisionKind::kPolicy).table, row.id));
  MLOPS_TRY(tx.sql().execute(
      kInsertCandidate,
      {std::string_view(row.id), std::string_view(row.name), row.revision, std::string_view(row.digest),
       std::string_view(row.body), std::string_view(row.applied_by), row.valid_from_us, std::string_view(row.origin)}));
  return Applied{Change::kCreated, std::move(row)};
}

Status close_revision(WriteTx& tx, RevisionKind kind, const RevisionRow& row) {
  const auto& statements = statements_of(kind);
  tx.begin_entry(fmt::format("{}.remove", statements.word), row.name, {},
                 kind == RevisionKind::kPolicy ? row.digest : std::string());
  MLOPS_TRY(tx.touch(statements.table, row.id));
  return tx.sql().execute(statements.close, {std::string_view(row.id), tx.now_us()});
}

}  // namespace mlops::meta
