// Decision records: the facts that plans, promotions, rollbacks and refusals were decided on. Rows are only added.
// Errors: kNotFound "decision_not_found". Thread-safety: as its connection.
#pragma once

#include <functional>
#include <string>

#include "storage/meta/store.h"

namespace mlops::meta {

struct DecisionRow {
  std::string id;
  std::string plan_id;
  std::string occasion;  // plan, promote, rollback, refuse
  std::string environment;
  std::string target;
  std::string verdict;
  std::string facts_digest;
  std::string record_digest;
  std::string policies;  // JSON
  std::string facts;     // canonical JSON
  TimestampUs decided_at_us = 0;
};

Status insert_decision(WriteTx& tx, const DecisionRow& row);

struct DecisionFilter {
  std::string environment;  // empty: all
  std::string plan_id;      // empty: all
  TimestampUs since_us = 0;
  bool deployments_only = false;  // promotions and rollbacks that happened
};
// Oldest first, one at a time: there can be many. `take` returning false ends it.
Status each_decision(sql::Connection& connection, const DecisionFilter& filter,
                     const std::function<Result<bool>(const DecisionRow&)>& take);
// The newest of a plan's decisions.
Result<DecisionRow> decision_of_plan(sql::Connection& connection, const std::string& plan_id);

}  // namespace mlops::meta
