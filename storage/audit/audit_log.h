// The audit log: one hash-chained entry a change, written in the transaction of the change (docs/format/audit.md).
//
//   entry body = canonical JSON {seq, at, actor, actor_id, action, target, source_ip, request_id, reason,
//                policy_digest, changes: [{row: "table/id", before, after}], previous}
//   entry hash = SHA-256(body); previous = hash of the entry before, 64 zeros for the first
//   row digest = SHA-256 over "column\0type length\0bytes" of every column in declaration order
//
// The row digests tie the log to the state: replaying the entries gives the digest every audited row must have.
// Thread-safety: an AuditLog belongs to the writer thread; verify runs on any reader connection.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/crypto/digest.h"
#include "core/model/principal.h"
#include "storage/sql/connection.h"

namespace mlops::audit {

// A state row by table and `id`.
struct RowKey {
  std::string_view table;  // one of audited_tables(), static storage
  std::string id;
};

struct Change {
  RowKey row;
  std::optional<crypto::Digest> before;  // absent: the row did not exist
  std::optional<crypto::Digest> after;   // absent: the row is gone
};

struct Entry {
  std::string action;  // "version.register"
  std::string target;  // what a person would name: a reference, an environment, a plan
  std::string reason;
  std::string policy_digest;  // empty: none
  std::vector<Change> changes;
};

const std::vector<std::string_view>& audited_tables();

// The digest of a row as it now is; nullopt: no such row. REQUIRES: table is audited.
Result<std::optional<crypto::Digest>> row_digest(sql::Connection& connection, const RowKey& row);

class AuditLog {
 public:
  // Reads the head of the chain.
  static Result<AuditLog> open(sql::Connection& connection);

  Status append(sql::Connection& connection, const model::Principal& actor, const model::Origin& origin,
                const Entry& entry, TimestampUs at_us);

  // The head, to be restored when the surrounding transaction is rolled back.
  struct Mark {
    std::int64_t seq = 0;
    std::string hash;
  };
  Mark mark() const { return head_; }
  void rewind(const Mark& mark) { head_ = mark; }

 private:
  Mark head_;
};

struct Filter {
  std::string actor;
  std::string action;  // a whole action, or a prefix ending in "."
  std::string target;
  std::optional<TimestampUs> since_us;
  std::optional<TimestampUs> until_us;
  std::int64_t after_seq = 0;
  std::size_t limit = 100;
};

// Entries as stored (JSON with their hash), oldest first.
Result<std::vector<Json>> list_entries(sql::Connection& connection, const Filter& filter);

struct VerifyReport {
  std::int64_t entries = 0;
  std::int64_t rows = 0;
  std::string head;  // hash of the last entry, hex
};
// Recomputes the chain and compares it with the state. Errors: kCorrupt "audit_broken" naming the first broken entry
// or row, `detail` {"seq"|"row", "problem"}. REQUIRES: called inside one read transaction.
Result<VerifyReport> verify(sql::Connection& connection);

}  // namespace mlops::audit
