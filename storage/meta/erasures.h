// Subject keys, erasures with their approvals and items, and the bytes that must not come back.
//
// An erasure is named by id or a unique prefix of at least 8 characters of its id or digest. Errors: kInvalid "bad_id";
// kNotFound "erasure_not_found"; kConflict "id_ambiguous". Thread-safety: as its connection.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/model/erasure.h"
#include "core/model/version.h"
#include "storage/meta/store.h"

namespace mlops::meta {

struct SubjectKeyRow {
  std::string id;
  std::string artifact_id;
  model::ArtifactKind kind = model::ArtifactKind::kDataset;
  std::string name;  // the artifact's
  std::string column;
  std::string name_space;
  std::string set_by;
  TimestampUs valid_from_us = 0;
};
Result<std::vector<SubjectKeyRow>> list_subject_keys(sql::Connection& connection);  // in force, by name and column
Status insert_subject_key(WriteTx& tx, const SubjectKeyRow& key);
Status close_subject_key(WriteTx& tx, const std::string& id);

struct ErasureRow {
  std::string id;
  std::string state;  // open, rejected, stale, applying, done
  std::string digest;
  std::string body;  // JSON
  std::string reason;
  std::string requested_by_id;
  std::string requested_by;
  TimestampUs created_at_us = 0;
  TimestampUs expires_at_us = 0;
  std::int64_t approvals_needed = 0;
  std::string applied_by;  // empty: nobody yet
  std::optional<TimestampUs> started_at_us;
  std::optional<TimestampUs> finished_at_us;
  std::string receipt;  // JSON; empty: none yet
};
struct ErasureFilter {
  std::string after_id;  // cursor: erasures older than this one
  std::size_t limit = 100;
};
Result<std::vector<ErasureRow>> list_erasures(sql::Connection& connection,
                                              const ErasureFilter& filter);  // newest first
Result<ErasureRow> find_erasure(sql::Connection& connection, const std::string& id_or_prefix);
Status insert_erasure(WriteTx& tx, const ErasureRow& erasure);
// State, who applied it, when, and the receipt.
Status update_erasure(WriteTx& tx, const ErasureRow& erasure);

Result<std::vector<model::ErasureApproval>> erasure_approvals_of(sql::Connection& connection,
                                                                 const std::string& erasure_id);
// Of who changes it; a later word replaces the earlier one.
Status upsert_erasure_approval(WriteTx& tx, const std::string& erasure_id, const std::string& digest,
                               const std::string& decision, const std::string& reason);

struct ErasureItemRow {
  std::string id;
  std::string erasure_id;
  std::int64_t position = 0;
  std::string version_id;
  model::ErasureAction action = model::ErasureAction::kDecide;
  std::string state;           // pending, done, kept, undecided, retrained, assessed, accepted
  std::string replacement_id;  // empty: none
  std::string detail = "{}";   // JSON
  std::string settled_by;
  std::optional<TimestampUs> settled_at_us;
};
Result<std::vector<ErasureItemRow>> erasure_items_of(sql::Connection& connection, const std::string& erasure_id);
// Over all erasures.
Result<std::vector<ErasureItemRow>> erasure_items_of_version(sql::Connection& connection,
                                                             const std::string& version_id);
Status insert_erasure_item(WriteTx& tx, const ErasureItemRow& item);
// State, replacement and detail, settled now by who changes it.
Status settle_erasure_item(WriteTx& tx, const ErasureItemRow& item);
// Versions whose bytes an erasure took: nothing but a hold keeps them.
Result<std::set<std::string>> erased_versions(sql::Connection& connection);

Result<bool> is_erased_file(sql::Connection& connection, const crypto::Digest& file);
Result<std::vector<crypto::Digest>> erased_files_of(sql::Connection& connection, const std::string& erasure_id);
// Once is enough, whoever did it first.
Status insert_erased_file(WriteTx& tx, const crypto::Digest& file, const std::string& erasure_id);

}  // namespace mlops::meta
