// Verification of the chain and of the state against it. Reads every entry once and every audited row once.
#include <fmt/format.h>

#include <unordered_map>

#include "storage/audit/audit_log.h"
#include "storage/audit/row_digest.h"

namespace mlops::audit {
namespace {

constexpr std::string_view kEntries =
    "SELECT a.seq, a.hash, a.body, i.at, i.actor, i.action, i.target FROM audit a LEFT JOIN audit_index i ON i.seq = "
    "a.seq ORDER BY a.seq";
constexpr std::string_view kIndexCount = "SELECT COUNT(*) FROM audit_index";

// "table/id" → the digest the row must have now.
using Expected = std::unordered_map<std::string, std::string>;

Failure broken_entry(std::int64_t seq, const std::string& problem) {
  return fail(ErrorCode::kCorrupt, "audit_broken", fmt::format("audit entry {} is broken: {}", seq, problem),
              "keep this data directory as evidence and restore a backup",
              canonical_dump({{"seq", seq}, {"problem", problem}}));
}

Failure broken_row(const std::string& row, const std::string& problem) {
  return fail(ErrorCode::kCorrupt, "audit_broken",
              fmt::format("the row {} does not match the audit log: {}", row, problem),
              "keep this data directory as evidence and restore a backup",
              canonical_dump({{"row", row}, {"problem", problem}}));
}

std::string text_or_empty(const Json& value) {
  return value.is_string() ? value.get<std::string>() : std::string();
}

Status replay_changes(const Json& entry, std::int64_t seq, Expected& expected) {
  for (const auto& change : entry.at("changes")) {
    const auto row = change.at("row").get<std::string>();
    const auto before = text_or_empty(change.at("before"));
    const auto after = text_or_empty(change.at("after"));
    const auto it = expected.find(row);
    const std::string known = it == expected.end() ? std::string() : it->second;
    if (known != before) return broken_entry(seq, fmt::format("{} was in another state before it", row));
    if (after.empty()) {
      expected.erase(row);
    } else {
      expected[row] = after;
    }
  }
  return {};
}

Status check_entry(sql::Cursor& cursor, std::int64_t seq, const std::string& previous, Expected& expected) {
  const auto body = cursor.text_view(2);
  if (crypto::sha256(body).hex() != cursor.text_view(1)) return broken_entry(seq, "its hash does not fit its content");
  auto entry = parse_json(body);
  if (!entry) return broken_entry(seq, "its content is not JSON");
  try {
    if (entry->at("seq").get<std::int64_t>() != seq) return broken_entry(seq, "it carries another number");
    if (entry->at("previous").get<std::string>() != previous) {
      return broken_entry(seq, "it does not follow the entry before");
    }
    const bool index_fits = entry->at("actor").get<std::string>() == cursor.text_view(4) &&
                            entry->at("action").get<std::string>() == cursor.text_view(5) &&
                            entry->at("target").get<std::string>() == cursor.text_view(6) &&
                            entry->at("at").get<std::string>() == format_rfc3339(cursor.integer(3));
    if (!index_fits) return broken_entry(seq, "its index row differs from it");
    return replay_changes(*entry, seq, expected);
  } catch (const Json::exception&) {
    return broken_entry(seq, "a member is missing or has the wrong type");
  }
}

Result<VerifyReport> check_chain(sql::Connection& connection, Expected& expected) {
  VerifyReport report;
  report.head = std::string(64, '0');
  MLOPS_ASSIGN(auto cursor, connection.query(kEntries));
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return report;
    const auto seq = report.entries + 1;
    if (cursor.integer(0) != seq) return broken_entry(seq, "it is missing");
    MLOPS_TRY(check_entry(cursor, seq, report.head, expected));
    report.head = cursor.text(1);
    report.entries = seq;
  }
}

Result<std::int64_t> check_table(sql::Connection& connection, std::string_view table, Expected& expected) {
  std::int64_t rows = 0;
  MLOPS_ASSIGN(auto cursor, connection.query_text(fmt::format("SELECT * FROM {}", table), {}));
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return rows;
    const auto row = fmt::format("{}/{}", table, cursor.text_view(0));
    const auto it = expected.find(row);
    if (it == expected.end()) return broken_row(row, "no entry created it");
    if (digest_of_current_row(cursor).to_string() != it->second) {
      return broken_row(row, "its content was changed outside the log");
    }
    expected.erase(it);
    ++rows;
  }
}

}  // namespace

Result<VerifyReport> verify(sql::Connection& connection) {
  Expected expected;
  MLOPS_ASSIGN(auto report, check_chain(connection, expected));
  MLOPS_ASSIGN(auto index, connection.query(kIndexCount));
  MLOPS_TRY(index.next());
  if (index.integer(0) != report.entries) {
    return broken_entry(report.entries + 1, "the index has entries that the log has not");
  }
  for (const auto table : audited_tables()) {
    MLOPS_ASSIGN(const auto rows, check_table(connection, table, expected));
    report.rows += rows;
  }
  if (!expected.empty()) return broken_row(expected.begin()->first, "the log knows it, the table does not");
  return report;
}

}  // namespace mlops::audit
