#include "storage/audit/audit_log.h"

#include <fmt/format.h>

#include <array>

#include "storage/audit/row_digest.h"

namespace mlops::audit {
namespace {

// Column order is the order of declaration, so `SELECT *` is the row's canonical form; one statement a table.
struct TableRow {
  std::string_view table;
  std::string_view select;
};
constexpr std::array<TableRow, 45> kTables{{
    {"principals", "SELECT * FROM principals WHERE id = $1"},
    {"tokens", "SELECT * FROM tokens WHERE id = $1"},
    {"artifacts", "SELECT * FROM artifacts WHERE id = $1"},
    {"versions", "SELECT * FROM versions WHERE id = $1"},
    {"version_labels", "SELECT * FROM version_labels WHERE id = $1"},
    {"aliases", "SELECT * FROM aliases WHERE id = $1"},
    {"masking_runs", "SELECT * FROM masking_runs WHERE id = $1"},
    {"edges", "SELECT * FROM edges WHERE id = $1"},
    {"environments", "SELECT * FROM environments WHERE id = $1"},
    {"policies", "SELECT * FROM policies WHERE id = $1"},
    {"releases", "SELECT * FROM releases WHERE id = $1"},
    {"release_members", "SELECT * FROM release_members WHERE id = $1"},
    {"plans", "SELECT * FROM plans WHERE id = $1"},
    {"approvals", "SELECT * FROM approvals WHERE id = $1"},
    {"deployments", "SELECT * FROM deployments WHERE id = $1"},
    {"holds", "SELECT * FROM holds WHERE id = $1"},
    {"retention_rules", "SELECT * FROM retention_rules WHERE id = $1"},
    {"decisions", "SELECT * FROM decisions WHERE id = $1"},
    {"gc_runs", "SELECT * FROM gc_runs WHERE id = $1"},
    {"subject_keys", "SELECT * FROM subject_keys WHERE id = $1"},
    {"erasures", "SELECT * FROM erasures WHERE id = $1"},
    {"erasure_approvals", "SELECT * FROM erasure_approvals WHERE id = $1"},
    {"erasure_items", "SELECT * FROM erasure_items WHERE id = $1"},
    {"erased_files", "SELECT * FROM erased_files WHERE id = $1"},
    {"key_rings", "SELECT * FROM key_rings WHERE id = $1"},
    {"mask_keys", "SELECT * FROM mask_keys WHERE id = $1"},
    {"signing_keys", "SELECT * FROM signing_keys WHERE id = $1"},
    {"approval_statements", "SELECT * FROM approval_statements WHERE id = $1"},
    {"release_parts", "SELECT * FROM release_parts WHERE id = $1"},
    {"release_policies", "SELECT * FROM release_policies WHERE id = $1"},
    {"break_glass_reviews", "SELECT * FROM break_glass_reviews WHERE id = $1"},
    {"deployment_beliefs", "SELECT * FROM deployment_beliefs WHERE id = $1"},
    {"rejected_releases", "SELECT * FROM rejected_releases WHERE id = $1"},
    {"rollouts", "SELECT * FROM rollouts WHERE id = $1"},
    {"rollout_steps", "SELECT * FROM rollout_steps WHERE id = $1"},
    {"policy_sources", "SELECT * FROM policy_sources WHERE id = $1"},
    {"source_items", "SELECT * FROM source_items WHERE id = $1"},
    {"source_plans", "SELECT * FROM source_plans WHERE id = $1"},
    {"source_approvals", "SELECT * FROM source_approvals WHERE id = $1"},
    {"revision_sources", "SELECT * FROM revision_sources WHERE id = $1"},
    {"webhooks", "SELECT * FROM webhooks WHERE id = $1"},
    {"version_signatures", "SELECT * FROM version_signatures WHERE id = $1"},
    {"version_schemas", "SELECT * FROM version_schemas WHERE id = $1"},
    {"version_scans", "SELECT * FROM version_scans WHERE id = $1"},
    {"profiles", "SELECT * FROM profiles WHERE id = $1"},
}};

constexpr std::string_view kHead = "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1";
constexpr std::string_view kInsert = "INSERT INTO audit (seq, hash, body) VALUES ($1, $2, $3)";
constexpr std::string_view kInsertIndex =
    "INSERT INTO audit_index (seq, at, actor, action, target) VALUES ($1, $2, $3, $4, $5)";

Json digest_or_null(const std::optional<crypto::Digest>& digest) {
  return digest ? Json(digest->to_string()) : Json(nullptr);
}

Json entry_body(const model::Principal& actor, const model::Origin& origin, const Entry& entry, TimestampUs at_us,
                std::int64_t seq, const std::string& previous) {
  Json changes = Json::array();
  for (const auto& change : entry.changes) {
    changes.push_back({{"row", fmt::format("{}/{}", change.row.table, change.row.id)},
                       {"before", digest_or_null(change.before)},
                       {"after", digest_or_null(change.after)}});
  }
  return {{"seq", seq},
          {"at", format_rfc3339(at_us)},
          {"actor", actor.name},
          {"actor_id", actor.id},
          {"action", entry.action},
          {"target", entry.target},
          {"source_ip", origin.source_ip},
          {"request_id", origin.request_id},
          {"reason", entry.reason},
          {"policy_digest", entry.policy_digest.empty() ? Json(nullptr) : Json(entry.policy_digest)},
          {"changes", std::move(changes)},
          {"previous", previous}};
}

}  // namespace

const std::vector<std::string_view>& audited_tables() {
  static const std::vector<std::string_view> tables = [] {
    std::vector<std::string_view> out;
    for (const auto& row : kTables) out.push_back(row.table);
    return out;
  }();
  return tables;
}

crypto::Digest digest_of_current_row(sql::Cursor& cursor) {
  crypto::Hasher hasher;
  std::string head;
  for (int i = 0; i < cursor.column_count(); ++i) {
    struct Feed {
      crypto::Hasher& hasher;
      std::string& head;
      std::string_view name;
      void operator()(sql::Null) const { write("null", {}); }
      void operator()(std::int64_t v) const { write("integer", fmt::format("{}", v)); }
      void operator()(double v) const { write("real", fmt::format("{}", v)); }
      void operator()(std::string_view v) const { write("text", v); }
      void operator()(ByteView v) const { write("blob", {reinterpret_cast<const char*>(v.data()), v.size()}); }
      void write(std::string_view type, std::string_view bytes) const {
        head = fmt::format("{}{}{} {}{}", name, '\0', type, bytes.size(), '\0');
        hasher.update(head);
        hasher.update(bytes);
      }
    };
    std::visit(Feed{hasher, head, cursor.column_name(i)}, cursor.value(i));
  }
  return hasher.finish();
}

Result<std::optional<crypto::Digest>> row_digest(sql::Connection& connection, const RowKey& row) {
  for (const auto& table : kTables) {
    if (table.table != row.table) continue;
    MLOPS_ASSIGN(auto cursor, connection.query(table.select, {std::string_view(row.id)}));
    MLOPS_ASSIGN(const bool found, cursor.next());
    if (!found) return std::optional<crypto::Digest>();
    return std::optional(digest_of_current_row(cursor));
  }
  return fail(ErrorCode::kInternal, "table_not_audited", fmt::format("the table {} is not audited", row.table));
}

Result<AuditLog> AuditLog::open(sql::Connection& connection) {
  AuditLog log;
  log.head_.hash = std::string(64, '0');
  MLOPS_ASSIGN(auto cursor, connection.query(kHead));
  MLOPS_ASSIGN(const bool any, cursor.next());
  if (any) log.head_ = {cursor.integer(0), cursor.text(1)};
  return log;
}

Status AuditLog::append(sql::Connection& connection, const model::Principal& actor, const model::Origin& origin,
                        const Entry& entry, TimestampUs at_us) {
  const auto seq = head_.seq + 1;
  const auto body = canonical_dump(entry_body(actor, origin, entry, at_us, seq, head_.hash));
  const auto hash = crypto::sha256(body).hex();
  MLOPS_TRY(connection.execute(kInsert, {seq, hash, body}));
  MLOPS_TRY(connection.execute(kInsertIndex, {seq, at_us, actor.name, entry.action, entry.target}));
  head_ = {seq, hash};
  return {};
}

Result<std::vector<Json>> list_entries(sql::Connection& connection, const Filter& filter) {
  std::string where = "SELECT a.body, a.hash FROM audit_index i JOIN audit a ON a.seq = i.seq WHERE i.seq > $1";
  std::vector<sql::Value> values{filter.after_seq};
  const auto add = [&](std::string_view clause, sql::Value value) {
    values.push_back(value);
    where += fmt::format(fmt::runtime(clause), values.size());
  };
  if (!filter.actor.empty()) add(" AND i.actor = ${}", std::string_view(filter.actor));
  std::string action_end;
  if (!filter.action.empty() && filter.action.back() == '.') {
    action_end = filter.action.substr(0, filter.action.size() - 1) + "/";  // '/' follows '.' in ASCII
    add(" AND i.action >= ${}", std::string_view(filter.action));
    add(" AND i.action < ${}", std::string_view(action_end));
  } else if (!filter.action.empty()) {
    add(" AND i.action = ${}", std::string_view(filter.action));
  }
  if (!filter.target.empty()) add(" AND i.target = ${}", std::string_view(filter.target));
  if (filter.since_us) add(" AND i.at >= ${}", *filter.since_us);
  if (filter.until_us) add(" AND i.at < ${}", *filter.until_us);
  add(" ORDER BY i.seq LIMIT ${}", static_cast<std::int64_t>(filter.limit));
  MLOPS_ASSIGN(auto cursor, connection.query_text(where, values));
  std::vector<Json> entries;
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return entries;
    MLOPS_ASSIGN(auto body, parse_json(cursor.text_view(0)));
    body["hash"] = cursor.text(1);
    entries.push_back(std::move(body));
  }
}

}  // namespace mlops::audit
