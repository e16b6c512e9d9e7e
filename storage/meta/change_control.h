// What controls a change beside plans: people's signing keys, reviews that must follow a break-glass promotion,
// releases an environment was rolled back from, and what requests with a key of idempotency led to. Errors: kNotFound
// "signing_key_not_found", "review_not_found"; kConflict "review_done", "signing_key_taken". Thread-safety: as its
// connection.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/meta/releases.h"
#include "storage/meta/store.h"

namespace mlops::meta {

struct SigningKeyRow {
  std::string id;  // core/crypto/sign.h key_id_of
  std::string principal_id;
  std::string principal_name;
  std::string name;
  std::string public_key;  // base64
  TimestampUs created_at_us = 0;
  std::optional<TimestampUs> expires_at_us;
  std::optional<TimestampUs> revoked_at_us;
  std::string revoked_reason;

  bool is_live(TimestampUs now_us) const { return !revoked_at_us && (!expires_at_us || *expires_at_us > now_us); }
};

Status insert_signing_key(WriteTx& tx, const SigningKeyRow& key);
Status revoke_signing_key(WriteTx& tx, const std::string& id, const std::string& reason);
Result<SigningKeyRow> get_signing_key(sql::Connection& connection, const std::string& id);
// Oldest first; of one principal, or of all when `principal_id` is empty.
Result<std::vector<SigningKeyRow>> list_signing_keys(sql::Connection& connection, const std::string& principal_id = {});
// Has the principal a token with that scope that is neither revoked nor expired?
Result<bool> holds_scope(sql::Connection& connection, const std::string& principal_id, model::Scope scope,
                         TimestampUs now_us);

struct ReviewRow {
  std::string deployment_id;
  std::string environment;
  std::string plan_id;
  std::string opened_by_id;
  std::string opened_by;   // name
  std::string overridden;  // JSON list of gate ids
  TimestampUs due_at_us = 0;
  TimestampUs created_at_us = 0;
  std::optional<TimestampUs> reviewed_at_us;
  std::string reviewed_by;
  std::string outcome;
  std::string note;
};

Status insert_review(WriteTx& tx, const ReviewRow& review);
Status close_review(WriteTx& tx, const ReviewRow& review);  // reviewed_by, outcome and note of it
// By deployment id, or a unique prefix of at least 8 characters.
Result<ReviewRow> find_review(sql::Connection& connection, const std::string& deployment_id);
Result<std::optional<ReviewRow>> find_review_of(sql::Connection& connection, const std::string& deployment_id);
struct ReviewFilter {
  std::string environment;  // empty: all
  bool open_only = false;
};
Result<std::vector<ReviewRow>> list_reviews(sql::Connection& connection, const ReviewFilter& filter);

struct RejectionRow {
  std::string id;
  std::string environment;
  std::string release_id;
  std::string release_name;
  std::int64_t release_number = 0;
  std::string deployment_id;
  std::string reason;
  std::string rejected_by;
  TimestampUs valid_from_us = 0;
  std::optional<TimestampUs> valid_to_us;
};

// Rolling back from it again renews nothing: the first rejection stands until it is lifted.
Status reject_release(WriteTx& tx, const RejectionRow& row);
Status lift_rejection(WriteTx& tx, const std::string& id);
// What the environment rejects now.
Result<std::vector<RejectionRow>> list_rejections(sql::Connection& connection, const std::string& environment);
Result<std::optional<RejectionRow>> find_rejection(sql::Connection& connection, const std::string& environment,
                                                   const std::string& release_id);

// Other running releases of the environment that hold one of the artifacts.
Result<std::vector<DeploymentRow>> running_with_artifacts(sql::Connection& connection, const std::string& environment,
                                                          const std::vector<std::string>& artifact_ids);

struct IdempotencyRow {
  std::string principal_id;
  std::string key;
  std::string request_digest;
  std::string plan_id;
  std::string deployment_id;  // empty: a plan was made
};

Result<std::optional<IdempotencyRow>> find_idempotency(sql::Connection& connection, const std::string& principal_id,
                                                       const std::string& key);
// Also forgets those that are older than `keep_us`.
Status insert_idempotency(WriteTx& tx, const IdempotencyRow& row, std::int64_t keep_us);

}  // namespace mlops::meta
