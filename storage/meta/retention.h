// Holds, retention rules and the receipts of garbage collections. Whether a version's bytes may go is decided in
// daemon/domain/roots; these are the rows it is decided on.
//
// A hold and a run are named by id or a unique prefix of at least 8 characters. Errors: kInvalid "bad_id"; kNotFound
// "hold_not_found", "gc_run_not_found"; kConflict "id_ambiguous". Thread-safety: as its connection.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/meta/store.h"

namespace mlops::meta {

struct HoldRow {
  std::string id;
  std::string version_id;
  std::string case_id;
  std::string reason;
  TimestampUs placed_at_us = 0;
  std::string placed_by;
  std::optional<TimestampUs> released_at_us;
  std::string released_by;
  std::string released_reason;
};

enum class HoldsShown { kOpen, kAll };
Result<std::vector<HoldRow>> list_holds(sql::Connection& connection, HoldsShown shown);  // newest first
Result<std::vector<HoldRow>> open_holds_of(sql::Connection& connection, const std::string& version_id);
Result<HoldRow> find_hold(sql::Connection& connection, const std::string& id_or_prefix);
Status insert_hold(WriteTx& tx, const HoldRow& hold);
// By who changes it, now. REQUIRES: it is open.
Status release_hold(WriteTx& tx, const std::string& id, const std::string& reason);

struct RetentionRule {
  std::string id;
  std::string subject;  // "kind:model", "kind:dataset", "env:<name>"
  std::int64_t keep_s = 0;
  std::string set_by;
  TimestampUs valid_from_us = 0;
};
Result<std::vector<RetentionRule>> list_rules(sql::Connection& connection);  // in force, by subject
Result<std::optional<RetentionRule>> find_rule(sql::Connection& connection, const std::string& subject);
// Closes the rule in force and, with `keep_s`, opens the next.
Status set_rule(WriteTx& tx, const std::string& subject, std::optional<std::int64_t> keep_s);

struct GcRunRow {
  std::string id;
  std::string state;  // started, done, failed
  std::string reason;
  std::string started_by;
  TimestampUs started_at_us = 0;
  std::optional<TimestampUs> finished_at_us;
  std::string trash;    // empty: nothing was moved
  std::string receipt;  // JSON
  std::optional<TimestampUs> restored_at_us;
  std::optional<TimestampUs> swept_at_us;
};
struct GcRunFilter {
  std::string after_id;      // cursor: runs older than this one
  std::size_t limit = 1000;  // newest first
};
Result<std::vector<GcRunRow>> list_gc_runs(sql::Connection& connection, const GcRunFilter& filter = {});
Result<GcRunRow> find_gc_run(sql::Connection& connection, const std::string& id_or_prefix);
Status insert_gc_run(WriteTx& tx, const GcRunRow& run);
// Everything but id, reason and who started it when.
Status update_gc_run(WriteTx& tx, const GcRunRow& run);

}  // namespace mlops::meta
