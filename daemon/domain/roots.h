// What keeps bytes: the manifests of every version that is not deleted, and of a deleted one while something protects
// it.
//
//   a hold               until it is released; it beats everything below
//   retention of a kind  so long after the deletion
//   retention of an      so long after the end of the version's last deployment there; while it runs there, for ever
//   environment
//   a deployment, a plan  one that is open names it
//
// Of a version that an erasure took, only a hold keeps the bytes.
//
// What protects a deleted version is computed from the rows as they are now: a rule that is set today also protects
// what was deleted before. Errors: those of meta; kCorrupt "bad_plan". Thread-safety: pure functions over a connection.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "storage/meta/retention.h"
#include "storage/meta/stored_versions.h"

namespace mlops::domain {

struct Protection {
  enum class Kind { kHold, kRetention, kEnvironment, kDeployment, kPlan };
  Kind kind = Kind::kHold;
  std::string what;          // a case id, a rule's subject, an environment, a plan's id
  TimestampUs until_us = 0;  // 0: no end is known
};
std::string_view to_word(Protection::Kind kind);  // "hold", "retention", "environment", "deployment", "plan"

struct DeletedVersion {
  meta::StoredVersion version;
  std::vector<Protection> protections;  // empty: its bytes may go
};

struct Roots {
  std::vector<crypto::Digest> live;   // manifests, sorted
  std::vector<DeletedVersion> kept;   // protected ones, in the order of deletion
  std::vector<DeletedVersion> loose;  // the others
};
Result<Roots> roots_at(sql::Connection& connection, TimestampUs now_us);

// The collections that took bytes of deleted versions and were not restored, newest first; without their receipts'
// text.
using Receipts = std::map<std::string, std::vector<meta::GcRunRow>>;  // by version id
Result<Receipts> receipts_of(sql::Connection& connection);
// The versions that one receipt names, by id.
Result<std::vector<std::string>> versions_in(const meta::GcRunRow& run);

}  // namespace mlops::domain
