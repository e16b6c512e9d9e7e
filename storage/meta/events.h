// Changes as their audience needs them: audit entries, in order, with what was moved where. Only fields that somebody
// outside may see are taken out of an entry: no addresses, no request ids, no row digests.
// Thread-safety: as its connection.
#pragma once

#include <string>
#include <vector>

#include "storage/meta/store.h"

namespace mlops::meta {

struct EventMember {
  std::string ref;  // "hospital/readmission@v3"
  std::string kind;
  std::string digest;
};

struct Event {
  std::int64_t seq = 0;
  std::string id;      // seq and the beginning of the entry's hash: another history (a restored backup) has other ids
  std::string at;      // RFC 3339
  std::string action;  // "release.promote"
  std::string target;
  std::string actor;
  std::string reason;
  std::string policy_digest;
  // The lane whose order is kept: of a plan or a move "hospital/readmission#prod", else the target.
  std::string subject;
  // Of plans and moves; empty elsewhere. Of a change of an environment its name.
  std::string environment;
  std::string plan_id;
  std::string plan_digest;
  std::string deployment_id;
  std::vector<EventMember> members;  // of the release, or the one version
  std::vector<std::string> rows;     // "plans/0193…", as the entry names what it changed
};

Result<std::int64_t> last_seq(sql::Connection& connection);
// The number before the first entry at or after that moment.
Result<std::int64_t> seq_before(sql::Connection& connection, TimestampUs since_us);
// Entries after `after_seq`, oldest first, without what complete() adds.
Result<std::vector<Event>> list_events(sql::Connection& connection, std::int64_t after_seq, std::size_t limit);
// Absent: kNotFound "event_not_found".
Result<Event> find_event(sql::Connection& connection, std::int64_t seq);
// Adds subject, environment, plan, deployment and members from the rows that the entry changed. What it reads never
// changes, so that an event looks the same whenever it is sent.
Status complete(sql::Connection& connection, Event& event);

}  // namespace mlops::meta
