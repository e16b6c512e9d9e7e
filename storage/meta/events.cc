#include "storage/meta/events.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>

#include "core/base/json.h"

namespace mlops::meta {
namespace {

constexpr std::string_view kLastSeq = "SELECT COALESCE(MAX(seq), 0) FROM audit";
constexpr std::string_view kSeqBefore = "SELECT COALESCE(MAX(seq), 0) FROM audit_index WHERE at < $1";
constexpr std::string_view kList = "SELECT seq, body, hash FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2";
constexpr std::string_view kFind = "SELECT seq, body, hash FROM audit WHERE seq = $1";
constexpr std::string_view kPlan = "SELECT digest, environment, body FROM plans WHERE id = $1";
constexpr std::string_view kVersion =
    "SELECT a.name || '@v' || v.number, a.kind, 'sha256:' || v.digest FROM versions v "
    "JOIN artifacts a ON a.id = v.artifact_id WHERE v.id = $1";
constexpr std::string_view kDeployed =
    "SELECT a.name || '@v' || v.number, a.kind, 'sha256:' || v.digest FROM deployments d "
    "JOIN release_members m ON m.release_id = d.release_id JOIN versions v ON v.id = m.version_id "
    "JOIN artifacts a ON a.id = v.artifact_id WHERE d.id = $1 ORDER BY m.position";
constexpr std::string_view kEnvironment = "SELECT name FROM environments WHERE id = $1";

constexpr std::size_t kHashDigits = 12;

// How a changed row leads to the plan it is about.
struct PlanRule {
  std::string_view table;
  std::string_view query;  // empty: the row is the plan
};
constexpr PlanRule kPlanRules[] = {
    {"plans", {}},
    {"deployments", "SELECT plan_id FROM deployments WHERE id = $1"},
    {"approvals", "SELECT plan_id FROM approvals WHERE id = $1"},
    {"decisions", "SELECT plan_id FROM decisions WHERE id = $1"},
};

std::string text_or_empty(const Json& body, const char* key) {
  const auto found = body.find(key);
  return found != body.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Result<Event> read_event(const sql::Cursor& cursor) {
  MLOPS_ASSIGN(const auto body, parse_json(cursor.text_view(1)));
  Event event;
  event.seq = cursor.integer(0);
  event.id = fmt::format("{}-{}", event.seq, cursor.text_view(2).substr(0, kHashDigits));
  event.at = text_or_empty(body, "at");
  event.action = text_or_empty(body, "action");
  event.target = text_or_empty(body, "target");
  event.actor = text_or_empty(body, "actor");
  event.reason = text_or_empty(body, "reason");
  event.policy_digest = text_or_empty(body, "policy_digest");
  event.subject = event.target;
  if (const auto changes = body.find("changes"); changes != body.end()) {
    for (const auto& change : *changes) event.rows.push_back(text_or_empty(change, "row"));
  }
  return event;
}

// The one text a query gives; "" when it gives none.
Result<std::string> one_text(sql::Connection& connection, std::string_view query, std::string_view id) {
  MLOPS_ASSIGN(auto cursor, connection.query(query, {id}));
  MLOPS_ASSIGN(const bool found, cursor.next());
  return found ? cursor.text(0) : std::string();
}

Status add_plan(sql::Connection& connection, Event& event) {
  MLOPS_ASSIGN(auto cursor, connection.query(kPlan, {std::string_view(event.plan_id)}));
  MLOPS_ASSIGN(const bool found, cursor.next());
  if (!found) return {};
  event.plan_digest = cursor.text(0);
  event.environment = cursor.text(1);
  MLOPS_ASSIGN(const auto body, parse_json(cursor.text_view(2)));
  const auto members = body.find("members");
  if (members == body.end() || !members->is_array() || members->empty()) return {};
  event.subject = fmt::format("{}#{}", text_or_empty(members->front(), "name"), event.environment);
  if (!event.members.empty()) {
    // One of several that a plan brought back.
    const auto& ref = event.members.front().ref;
    if (body.contains("restores"))
      event.subject = fmt::format("{}#{}", ref.substr(0, ref.rfind('@')), event.environment);
    return {};
  }
  for (const auto& member : *members) {
    event.members.push_back(
        {text_or_empty(member, "ref"), text_or_empty(member, "kind"), text_or_empty(member, "digest")});
  }
  return {};
}

Status add_members(sql::Connection& connection, Event& event, std::string_view query, std::string_view id) {
  MLOPS_ASSIGN(auto cursor, connection.query(query, {id}));
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return {};
    event.members.push_back({cursor.text(0), cursor.text(1), cursor.text(2)});
  }
}

// The rows of an entry that lead somewhere, as "table" → id; of several of a table the last: a promotion closes the
// deployment before and opens its own after it.
std::map<std::string, std::string, std::less<>> last_rows(const Event& event) {
  std::map<std::string, std::string, std::less<>> rows;
  for (const auto& row : event.rows) {
    const auto slash = row.find('/');
    if (slash != std::string::npos) rows[row.substr(0, slash)] = row.substr(slash + 1);
  }
  return rows;
}

// What the entry's deployment brought, and those that the same plan began with it; not what it ended.
Status add_deployed(sql::Connection& connection, Event& event) {
  constexpr std::string_view kTable = "deployments/";
  const auto plan_query = std::find_if(std::begin(kPlanRules), std::end(kPlanRules), [](const auto& rule) {
                            return rule.table == "deployments";
                          })->query;
  MLOPS_ASSIGN(const auto plan_id, one_text(connection, plan_query, event.deployment_id));
  for (const auto& row : event.rows) {
    if (!row.starts_with(kTable)) continue;
    const auto id = row.substr(kTable.size());
    MLOPS_ASSIGN(const auto of_row, one_text(connection, plan_query, id));
    if (of_row == plan_id) MLOPS_TRY(add_members(connection, event, kDeployed, id));
  }
  return {};
}

}  // namespace

Result<std::int64_t> last_seq(sql::Connection& connection) {
  MLOPS_ASSIGN(auto cursor, connection.query(kLastSeq));
  MLOPS_TRY(cursor.next());
  return cursor.integer(0);
}

Result<std::int64_t> seq_before(sql::Connection& connection, TimestampUs since_us) {
  MLOPS_ASSIGN(auto cursor, connection.query(kSeqBefore, {since_us}));
  MLOPS_TRY(cursor.next());
  return cursor.integer(0);
}

Result<std::vector<Event>> list_events(sql::Connection& connection, std::int64_t after_seq, std::size_t limit) {
  MLOPS_ASSIGN(auto cursor, connection.query(kList, {after_seq, static_cast<std::int64_t>(limit)}));
  std::vector<Event> events;
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return events;
    MLOPS_ASSIGN(auto event, read_event(cursor));
    events.push_back(std::move(event));
  }
}

Result<Event> find_event(sql::Connection& connection, std::int64_t seq) {
  MLOPS_ASSIGN(auto cursor, connection.query(kFind, {seq}));
  MLOPS_ASSIGN(const bool found, cursor.next());
  if (found) return read_event(cursor);
  return fail(ErrorCode::kNotFound, "event_not_found", fmt::format("there is no event {}", seq),
              "events have the numbers of `mlopsctl audit log`");
}

Status complete(sql::Connection& connection, Event& event) {
  const auto rows = last_rows(event);
  for (const auto& rule : kPlanRules) {
    const auto row = rows.find(rule.table);
    if (row == rows.end() || !event.plan_id.empty()) continue;
    event.plan_id = row->second;
    if (!rule.query.empty()) {
      MLOPS_ASSIGN(event.plan_id, one_text(connection, rule.query, row->second));
    }
  }
  if (const auto row = rows.find("deployments"); row != rows.end()) {
    event.deployment_id = row->second;
    MLOPS_TRY(add_deployed(connection, event));
  }
  if (const auto row = rows.find("environments"); row != rows.end()) {
    MLOPS_ASSIGN(event.environment, one_text(connection, kEnvironment, row->second));
  }
  if (!event.plan_id.empty()) return add_plan(connection, event);
  const auto version = rows.find("versions");
  if (version == rows.end() || !event.members.empty()) return {};
  return add_members(connection, event, kVersion, version->second);
}

}  // namespace mlops::meta
