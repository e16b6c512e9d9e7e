#include "storage/meta/erasures.h"

#include <fmt/format.h>

#include "core/base/text.h"
#include "storage/meta/optional_time.h"
#include "storage/sql/rows.h"

namespace mlops::meta {
namespace {

#define MLOPS_ERASURE_COLUMNS                                                                                    \
  "id, state, digest, body, reason, requested_by, requested_by_name, created_at, expires_at, approvals_needed, " \
  "applied_by, started_at, finished_at, receipt"
#define MLOPS_ITEM_COLUMNS \
  "id, erasure_id, position, version_id, action, state, replacement_id, detail, settled_by, settled_at"

constexpr std::string_view kKeys =
    "SELECT k.id, k.artifact_id, a.kind, a.name, k.column_name, k.name_space, k.set_by, k.valid_from FROM subject_keys "
    "k "
    "JOIN artifacts a ON a.id = k.artifact_id WHERE k.valid_to IS NULL ORDER BY a.name, k.column_name";
constexpr std::string_view kInsertKey =
    "INSERT INTO subject_keys (id, artifact_id, column_name, name_space, set_by, valid_from) "
    "VALUES ($1, $2, $3, $4, $5, $6)";
constexpr std::string_view kCloseKey = "UPDATE subject_keys SET valid_to = $2 WHERE id = $1";

constexpr std::string_view kErasures = "SELECT " MLOPS_ERASURE_COLUMNS " FROM erasures ORDER BY id DESC LIMIT $1";
constexpr std::string_view kErasuresAfter =
    "SELECT " MLOPS_ERASURE_COLUMNS " FROM erasures WHERE id < $2 ORDER BY id DESC LIMIT $1";
constexpr std::string_view kFindErasure =
    "SELECT " MLOPS_ERASURE_COLUMNS
    " FROM erasures WHERE (id >= $1 AND id < $2) OR (digest >= $3 AND digest < $4) "
    "ORDER BY id LIMIT 2";
constexpr std::string_view kInsertErasure =
    "INSERT INTO erasures (id, state, digest, body, reason, requested_by, requested_by_name, created_at, expires_at, "
    "approvals_needed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
constexpr std::string_view kUpdateErasure =
    "UPDATE erasures SET state = $2, applied_by = $3, started_at = $4, finished_at = $5, receipt = $6 WHERE id = $1";

constexpr std::string_view kApprovals =
    "SELECT e.principal_id, p.name, p.is_human, e.decision, e.reason, e.created_at, e.erasure_digest "
    "FROM erasure_approvals e JOIN principals p ON p.id = e.principal_id WHERE e.erasure_id = $1 ORDER BY e.id";
constexpr std::string_view kApprovalOf = "SELECT id FROM erasure_approvals WHERE erasure_id = $1 AND principal_id = $2";
constexpr std::string_view kInsertApproval =
    "INSERT INTO erasure_approvals (id, erasure_id, erasure_digest, principal_id, decision, reason, created_at) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7)";
constexpr std::string_view kUpdateApproval =
    "UPDATE erasure_approvals SET erasure_digest = $2, decision = $3, reason = $4, created_at = $5 WHERE id = $1";

constexpr std::string_view kItems =
    "SELECT " MLOPS_ITEM_COLUMNS " FROM erasure_items WHERE erasure_id = $1 ORDER BY position";
constexpr std::string_view kItemsOfVersion =
    "SELECT " MLOPS_ITEM_COLUMNS " FROM erasure_items WHERE version_id = $1 ORDER BY id";
constexpr std::string_view kInsertItem =
    "INSERT INTO erasure_items (id, erasure_id, position, version_id, action, state, detail) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7)";
constexpr std::string_view kSettleItem =
    "UPDATE erasure_items SET state = $2, replacement_id = $3, detail = $4, settled_by = $5, settled_at = $6 "
    "WHERE id = $1";
constexpr std::string_view kErasedVersions =
    "SELECT DISTINCT version_id FROM erasure_items WHERE state = 'done' AND action IN ('rewrite', 'remask', 'shred')";

constexpr std::string_view kErasedFile = "SELECT 1 FROM erased_files WHERE id = $1";
constexpr std::string_view kErasedFilesOf = "SELECT id FROM erased_files WHERE erasure_id = $1 ORDER BY id";
constexpr std::string_view kInsertErasedFile =
    "INSERT INTO erased_files (id, erasure_id, erased_at) VALUES ($1, $2, $3)";

sql::Value text_or_null(const std::string& text) {
  if (text.empty()) return sql::Null{};
  return std::string_view(text);
}

Failure bad_row() {
  return fail(ErrorCode::kCorrupt, "bad_row", "a row of an erasure cannot be read", "run `mlopsctl audit verify`");
}

Result<SubjectKeyRow> read_key(const sql::Cursor& cursor) {
  const auto kind = model::artifact_kind_from_word(cursor.text_view(2));
  if (!kind) return bad_row();
  return SubjectKeyRow{cursor.text(0), cursor.text(1), *kind,          cursor.text(3),
                       cursor.text(4), cursor.text(5), cursor.text(6), cursor.integer(7)};
}

Result<ErasureRow> read_erasure(const sql::Cursor& cursor) {
  return ErasureRow{cursor.text(0),           cursor.text(1),    cursor.text(2),  cursor.text(3),
                    cursor.text(4),           cursor.text(5),    cursor.text(6),  cursor.integer(7),
                    cursor.integer(8),        cursor.integer(9), cursor.text(10), time_or_none(cursor, 11),
                    time_or_none(cursor, 12), cursor.text(13)};
}

Result<ErasureItemRow> read_item(const sql::Cursor& cursor) {
  const auto action = model::erasure_action_from_word(cursor.text_view(4));
  if (!action) return bad_row();
  return ErasureItemRow{cursor.text(0), cursor.text(1), cursor.integer(2), cursor.text(3), *action,
                        cursor.text(5), cursor.text(6), cursor.text(7),    cursor.text(8), time_or_none(cursor, 9)};
}

Result<bool> has_row(sql::Cursor cursor) {
  return cursor.next();
}

}  // namespace

Result<std::vector<SubjectKeyRow>> list_subject_keys(sql::Connection& connection) {
  MLOPS_ASSIGN(auto cursor, connection.query(kKeys));
  return sql::read_all(std::move(cursor), read_key);
}

Status insert_subject_key(WriteTx& tx, const SubjectKeyRow& key) {
  MLOPS_TRY(tx.touch("subject_keys", key.id));
  return tx.sql().execute(kInsertKey,
                          {std::string_view(key.id), std::string_view(key.artifact_id), std::string_view(key.column),
                           std::string_view(key.name_space), std::string_view(tx.actor().principal.name), tx.now_us()});
}

Status close_subject_key(WriteTx& tx, const std::string& id) {
  MLOPS_TRY(tx.touch("subject_keys", id));
  return tx.sql().execute(kCloseKey, {std::string_view(id), tx.now_us()});
}

Result<std::vector<ErasureRow>> list_erasures(sql::Connection& connection, const ErasureFilter& filter) {
  const auto limit = static_cast<std::int64_t>(filter.limit);
  if (filter.after_id.empty()) {
    MLOPS_ASSIGN(auto cursor, connection.query(kErasures, {limit}));
    return sql::read_all(std::move(cursor), read_erasure);
  }
  MLOPS_ASSIGN(auto cursor, connection.query(kErasuresAfter, {limit, std::string_view(filter.after_id)}));
  return sql::read_all(std::move(cursor), read_erasure);
}

Result<ErasureRow> find_erasure(sql::Connection& connection, const std::string& id_or_prefix) {
  constexpr std::size_t kShortest = 8;
  constexpr std::string_view kHint = "`mlopsctl erase list` shows all";
  constexpr std::string_view kDigestHead = "sha256:";
  const bool is_digest = id_or_prefix.starts_with(kDigestHead);
  if (id_or_prefix.size() < kShortest + (is_digest ? kDigestHead.size() : 0)) {
    return fail(ErrorCode::kInvalid, "bad_id",
                fmt::format("an erasure is named by at least {} characters of its id or digest", kShortest),
                std::string(kHint));
  }
  const auto digest = is_digest ? id_or_prefix : std::string(kDigestHead) + id_or_prefix;
  const auto id_end = id_or_prefix + "g";  // after every hex digit
  const auto digest_end = digest + "g";
  MLOPS_ASSIGN(auto cursor, connection.query(kFindErasure, {std::string_view(id_or_prefix), std::string_view(id_end),
                                                            std::string_view(digest), std::string_view(digest_end)}));
  MLOPS_ASSIGN(auto rows, sql::read_all(std::move(cursor), read_erasure));
  if (rows.size() == 1) return std::move(rows.front());
  if (rows.empty()) {
    return fail(ErrorCode::kNotFound, "erasure_not_found",
                fmt::format("there is no erasure \"{}\"", printable(id_or_prefix.substr(0, 80))), std::string(kHint));
  }
  return fail(ErrorCode::kConflict, "id_ambiguous",
              fmt::format("\"{}\" could be several: {}, {}", printable(id_or_prefix), rows[0].id, rows[1].id),
              "write more characters");
}

Status insert_erasure(WriteTx& tx, const ErasureRow& erasure) {
  MLOPS_TRY(tx.touch("erasures", erasure.id));
  return tx.sql().execute(
      kInsertErasure,
      {std::string_view(erasure.id), std::string_view(erasure.state), std::string_view(erasure.digest),
       std::string_view(erasure.body), std::string_view(erasure.reason), std::string_view(erasure.requested_by_id),
       std::string_view(erasure.requested_by), erasure.created_at_us, erasure.expires_at_us, erasure.approvals_needed});
}

Status update_erasure(WriteTx& tx, const ErasureRow& erasure) {
  MLOPS_TRY(tx.touch("erasures", erasure.id));
  return tx.sql().execute(kUpdateErasure, {std::string_view(erasure.id), std::string_view(erasure.state),
                                           text_or_null(erasure.applied_by), time_or_null(erasure.started_at_us),
                                           time_or_null(erasure.finished_at_us), text_or_null(erasure.receipt)});
}

Result<std::vector<model::ErasureApproval>> erasure_approvals_of(sql::Connection& connection,
                                                                 const std::string& erasure_id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kApprovals, {std::string_view(erasure_id)}));
  std::vector<model::ErasureApproval> approvals;
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return approvals;
    approvals.push_back({cursor.text(0), cursor.text(1), cursor.integer(2) != 0, cursor.text(3), cursor.text(4),
                         cursor.integer(5), cursor.text(6)});
  }
}

Status upsert_erasure_approval(WriteTx& tx, const std::string& erasure_id, const std::string& digest,
                               const std::string& decision, const std::string& reason) {
  const auto& who = tx.actor().principal.id;
  std::string known;
  {
    MLOPS_ASSIGN(auto cursor, tx.sql().query(kApprovalOf, {std::string_view(erasure_id), std::string_view(who)}));
    MLOPS_ASSIGN(const bool found, cursor.next());
    if (found) known = cursor.text(0);
  }
  const auto id = known.empty() ? tx.new_id() : known;
  MLOPS_TRY(tx.touch("erasure_approvals", id));
  if (!known.empty()) {
    return tx.sql().execute(kUpdateApproval, {std::string_view(id), std::string_view(digest),
                                              std::string_view(decision), std::string_view(reason), tx.now_us()});
  }
  return tx.sql().execute(kInsertApproval,
                          {std::string_view(id), std::string_view(erasure_id), std::string_view(digest),
                           std::string_view(who), std::string_view(decision), std::string_view(reason), tx.now_us()});
}

Result<std::vector<ErasureItemRow>> erasure_items_of(sql::Connection& connection, const std::string& erasure_id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kItems, {std::string_view(erasure_id)}));
  return sql::read_all(std::move(cursor), read_item);
}

Result<std::vector<ErasureItemRow>> erasure_items_of_version(sql::Connection& connection,
                                                             const std::string& version_id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kItemsOfVersion, {std::string_view(version_id)}));
  return sql::read_all(std::move(cursor), read_item);
}

Status insert_erasure_item(WriteTx& tx, const ErasureItemRow& item) {
  MLOPS_TRY(tx.touch("erasure_items", item.id));
  return tx.sql().execute(kInsertItem, {std::string_view(item.id), std::string_view(item.erasure_id), item.position,
                                        std::string_view(item.version_id), to_word(item.action),
                                        std::string_view(item.state), std::string_view(item.detail)});
}

Status settle_erasure_item(WriteTx& tx, const ErasureItemRow& item) {
  MLOPS_TRY(tx.touch("erasure_items", item.id));
  return tx.sql().execute(kSettleItem,
                          {std::string_view(item.id), std::string_view(item.state), text_or_null(item.replacement_id),
                           std::string_view(item.detail), std::string_view(tx.actor().principal.name), tx.now_us()});
}

Result<std::set<std::string>> erased_versions(sql::Connection& connection) {
  MLOPS_ASSIGN(auto cursor, connection.query(kErasedVersions));
  std::set<std::string> ids;
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return ids;
    ids.insert(cursor.text(0));
  }
}

Result<bool> is_erased_file(sql::Connection& connection, const crypto::Digest& file) {
  const auto hex = file.hex();
  MLOPS_ASSIGN(auto cursor, connection.query(kErasedFile, {std::string_view(hex)}));
  return has_row(std::move(cursor));
}

Result<std::vector<crypto::Digest>> erased_files_of(sql::Connection& connection, const std::string& erasure_id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kErasedFilesOf, {std::string_view(erasure_id)}));
  std::vector<crypto::Digest> files;
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return files;
    MLOPS_ASSIGN(const auto digest, crypto::Digest::parse_hex(cursor.text_view(0)));
    files.push_back(digest);
  }
}

Status insert_erased_file(WriteTx& tx, const crypto::Digest& file, const std::string& erasure_id) {
  MLOPS_ASSIGN(const bool known, is_erased_file(tx.sql(), file));
  if (known) return {};
  const auto hex = file.hex();
  MLOPS_TRY(tx.touch("erased_files", hex));
  return tx.sql().execute(kInsertErasedFile, {std::string_view(hex), std::string_view(erasure_id), tx.now_us()});
}

}  // namespace mlops::meta
