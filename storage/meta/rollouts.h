// Promotions to several environments in waves, and their steps. What they mean is in daemon/domain/rollouts.
// A rollout is named by id or a unique prefix of at least 8 characters. Errors: kInvalid "bad_id"; kNotFound
// "rollout_not_found"; kConflict "id_ambiguous". Thread-safety: as its connection.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/meta/store.h"

namespace mlops::meta {

struct RolloutStepRow {
  std::string id;
  std::string rollout_id;
  std::int64_t position = 0;
  std::int64_t wave = 1;
  std::string environment;
  std::string state = "waiting";
  std::string plan_id;
  std::string deployment_id;
  std::string detail;
  TimestampUs changed_at_us = 0;
};

struct RolloutRow {
  std::string id;
  std::string state = "running";
  std::string state_reason;
  std::string selector;
  std::vector<std::string> refs;  // exact; the first is the release's namesake, or a named release alone
  bool accepts_rejected = false;  // also where an environment was rolled back from it
  std::string reason;
  std::int64_t waves = 1;
  std::int64_t pause_s = 0;  // -1: until somebody continues
  std::string on_failure = "stop";
  std::string token_id;
  std::string created_by;
  TimestampUs created_at_us = 0;
  TimestampUs changed_at_us = 0;
  std::optional<TimestampUs> resume_at_us;
};

Status insert_rollout(WriteTx& tx, const RolloutRow& row);
// State, its reason, resume_at, token and changed_at.
Status update_rollout(WriteTx& tx, const RolloutRow& row);
Result<RolloutRow> find_rollout(sql::Connection& connection, const std::string& id_or_prefix);
struct RolloutFilter {
  std::string state;
  std::string after_id;  // cursor: rollouts older than this one
  std::size_t limit = 100;
};
Result<std::vector<RolloutRow>> list_rollouts(sql::Connection& connection,
                                              const RolloutFilter& filter);  // newest first
// Those with something to do, now or later by themselves, oldest first.
Result<std::vector<RolloutRow>> open_rollouts(sql::Connection& connection);

Status insert_step(WriteTx& tx, const RolloutStepRow& row);
// State, plan, deployment, detail and changed_at.
Status update_step(WriteTx& tx, const RolloutStepRow& row);
// Who started the rollout that made the plan; empty: it belongs to none.
Result<std::string> rollout_starter(sql::Connection& connection, const std::string& plan_id);
Result<std::vector<RolloutStepRow>> steps_of(sql::Connection& connection, const std::string& rollout_id);  // in order

}  // namespace mlops::meta
