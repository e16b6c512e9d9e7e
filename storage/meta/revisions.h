// Declared things that change by revisions: environments and policies. A revision is never edited; applying other
// content closes the interval of the one before.
// Errors: kNotFound "environment_not_found", "policy_not_found" with the nearest name. Thread-safety: as its
// connection.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/meta/store.h"

namespace mlops::meta {

enum class RevisionKind { kEnvironment, kPolicy };

struct RevisionRow {
  std::string id;
  std::string name;
  std::int64_t revision = 0;
  std::string digest;  // "sha256:…"
  std::string origin;  // policies: the file's name as applied; empty for environments
  std::string body;    // environments: canonical JSON; policies: YAML
  std::string applied_by;
  TimestampUs valid_from_us = 0;
};

Result<std::vector<RevisionRow>> list_revisions(sql::Connection& connection, RevisionKind kind,
                                                TimestampUs as_of_us = 0);
Result<std::optional<RevisionRow>> find_revision(sql::Connection& connection, RevisionKind kind,
                                                 const std::string& name, TimestampUs as_of_us = 0);
Result<RevisionRow> get_revision(sql::Connection& connection, RevisionKind kind, const std::string& name,
                                 TimestampUs as_of_us = 0);
Result<RevisionRow> get_revision_by_id(sql::Connection& connection, RevisionKind kind, const std::string& id);

enum class Change { kCreated, kUpdated, kUnchanged };
std::string_view to_word(Change change);

struct Applied {
  Change change = Change::kUnchanged;
  RevisionRow row;
  std::string previous_body;  // of what it replaced, or of what it is the same as; empty: it is new
};
// All there ever were of a name, newest first.
Result<std::vector<RevisionRow>> revisions_of(sql::Connection& connection, RevisionKind kind, const std::string& name);
// REQUIRES: `row` carries name, digest, origin, body; the rest is filled here.
Result<Applied> apply_revision(WriteTx& tx, RevisionKind kind, RevisionRow row);
// A new revision also when the content is the same, because it comes from elsewhere now.
Result<Applied> replace_revision(WriteTx& tx, RevisionKind kind, RevisionRow row);
// From now on there is none; what was stays. REQUIRES: it is the one in force.
Status close_revision(WriteTx& tx, RevisionKind kind, const RevisionRow& row);

// Keeps a policy that is never in force: its interval is empty, and it is found by its name and version. What is kept
// already, in force or not, is unchanged. REQUIRES: as apply_revision.
Result<Applied> keep_candidate(WriteTx& tx, RevisionRow row);

}  // namespace mlops::meta
