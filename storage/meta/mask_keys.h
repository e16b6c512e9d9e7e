// Rows of the masking key ring: names, versions, states, and key bytes sealed by who made them.
// Errors: kNotFound "unknown_key_id"; those of sql. Thread-safety: as its connection.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/meta/store.h"

namespace mlops::meta {

struct MaskKeyRow {
  std::string id;  // "research.1"
  std::string name;
  std::int64_t version = 0;
  std::string state;   // active, retired, destroyed
  std::string origin;  // random, derived
  std::string purpose;
  std::string check_digits;
  std::vector<std::uint8_t> sealed;  // empty once destroyed
  TimestampUs created_at_us = 0;
  std::string created_by;
  TimestampUs changed_at_us = 0;
  std::string changed_by;
  std::string reason;
};

struct KeyRingRow {
  std::string id;
  std::string master_check;
  std::string derived_check;
  TimestampUs created_at_us = 0;
};

// By name and version.
Result<std::vector<MaskKeyRow>> list_mask_keys(sql::Connection& connection);
// REQUIRES of both: an open audit entry. changed_at and changed_by are filled here.
Status insert_mask_key(WriteTx& tx, MaskKeyRow& row);
// State, seal and reason.
Status update_mask_key(WriteTx& tx, MaskKeyRow& row);

Result<std::optional<KeyRingRow>> find_key_ring(sql::Connection& connection, const std::string& id);
Status put_key_ring(WriteTx& tx, KeyRingRow row);

// Ids of keys ("research.1") that masking runs and the token vault name, and the texts of all policies there ever were:
// what keys were used before there was a ring.
struct UsedKeys {
  std::vector<std::string> ids;
  std::vector<std::string> policies;
  bool has_runs = false;
};
Result<UsedKeys> used_keys(sql::Connection& connection);

}  // namespace mlops::meta
