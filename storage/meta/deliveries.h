// How far running releases have come to the directories of their environments. Derived, not audited
// (migrations/0011_delivery.sql). Errors: those of sql::Connection. Thread-safety: as its connection.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/meta/store.h"

namespace mlops::meta {

struct DeliveryRow {
  std::string deployment_id;
  std::string environment;
  std::string place;  // ROOT/PATH/NAME
  std::string state;  // delivered, failed, drifted
  std::int64_t attempts = 0;
  std::string error;  // slug; empty: none
  std::string message;
  TimestampUs since_us = 0;
  std::optional<TimestampUs> next_attempt_at_us;
  std::optional<TimestampUs> delivered_at_us;
  std::optional<TimestampUs> verified_at_us;
};

Status put_delivery(WriteTx& tx, const DeliveryRow& row);
// Absent is not an error: nothing has been tried yet.
Result<std::optional<DeliveryRow>> find_delivery(sql::Connection& connection, const std::string& deployment_id);

// Declared environments whose body says `target`: name and body, by name.
struct TargetedEnvironment {
  std::string name;
  std::string body;  // canonical JSON
};
Result<std::vector<TargetedEnvironment>> targeted_environments(sql::Connection& connection);

}  // namespace mlops::meta
