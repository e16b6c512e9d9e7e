// Receivers of events and how far each has got: the rows of webhooks (state, audited), webhook_progress and
// webhook_held (written by the sender alone). Errors: kNotFound "webhook_not_found". Thread-safety: as its connection.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/meta/store.h"

namespace mlops::meta {

struct SealedSecret {
  std::vector<std::uint8_t> bytes;  // empty: there is none
  std::string key_id;
};

struct WebhookRow {
  std::string id;
  std::string name;
  std::string url;
  std::string mode = "structured";
  std::string events;  // space-separated patterns
  std::string subject;
  std::string environment;
  std::string state = "active";
  SealedSecret secret;
  SealedSecret old_secret;
  TimestampUs old_secret_until_us = 0;
  TimestampUs created_at_us = 0;
  std::string created_by;
  TimestampUs changed_at_us = 0;
  std::string changed_by;
};

struct WebhookProgress {
  std::string webhook_id;
  std::int64_t cursor = 0;
  std::int64_t delivered = 0;
  std::int64_t failed = 0;
  TimestampUs resting_until_us = 0;
  std::int64_t last_status = 0;
  std::string last_error;
  TimestampUs last_attempt_at_us = 0;
  TimestampUs last_delivered_at_us = 0;
};

struct HeldEvent {
  std::int64_t seq = 0;
  std::string subject;
  std::string state = "held";
  std::int64_t attempts = 0;
  TimestampUs next_attempt_at_us = 0;
  std::int64_t last_status = 0;
  std::string last_error;
  TimestampUs changed_at_us = 0;
};

Result<std::vector<WebhookRow>> list_webhooks(sql::Connection& connection);  // by name
Result<WebhookRow> find_webhook(sql::Connection& connection, const std::string& name_or_id);
// These fill who and when.
Status insert_webhook(WriteTx& tx, WebhookRow& row);
Status update_webhook(WriteTx& tx, WebhookRow& row);
Status delete_webhook(WriteTx& tx, const std::string& id);

// Absent: a cursor at 0.
Result<WebhookProgress> find_progress(sql::Connection& connection, const std::string& webhook_id);
Status put_progress(WriteTx& tx, const WebhookProgress& progress);

Status put_held(WriteTx& tx, const std::string& webhook_id, const HeldEvent& event);
Status drop_held(WriteTx& tx, const std::string& webhook_id, std::int64_t seq);
// What lies beyond `after_seq` is forgotten: the cursor goes back there and will come to it again.
Status drop_held_after(WriteTx& tx, const std::string& webhook_id, std::int64_t after_seq);
// Dead letters are held again, at once; their number.
Result<std::int64_t> revive_dead(WriteTx& tx, const std::string& webhook_id);
// What is held is due at once.
Status make_due(WriteTx& tx, const std::string& webhook_id);

// The first held event of each lane that may be sent by now, oldest first.
Result<std::vector<HeldEvent>> due_lanes(sql::Connection& connection, const std::string& webhook_id, TimestampUs now_us,
                                         std::size_t limit);
// The held events of one lane in order.
Result<std::vector<HeldEvent>> lane(sql::Connection& connection, const std::string& webhook_id,
                                    const std::string& subject, std::size_t limit);
Result<bool> is_lane_held(sql::Connection& connection, const std::string& webhook_id, const std::string& subject);
Result<std::optional<HeldEvent>> find_held(sql::Connection& connection, const std::string& webhook_id,
                                           std::int64_t seq);
// By number, after `after_seq`.
Result<std::vector<HeldEvent>> list_held(sql::Connection& connection, const std::string& webhook_id,
                                         const std::string& state, std::int64_t after_seq, std::size_t limit);
// When the next held event of any lane may be sent; absent: none is held.
Result<std::optional<TimestampUs>> next_due(sql::Connection& connection, const std::string& webhook_id);

struct HeldCounts {
  std::int64_t lanes = 0;
  std::int64_t held = 0;
  std::int64_t dead = 0;
};
Result<HeldCounts> held_counts(sql::Connection& connection, const std::string& webhook_id);

}  // namespace mlops::meta
