// Holds and retention rules: what keeps the bytes of versions that somebody deletes.
//
// A hold names one version, also a deleted one, under a case; several may overlap, and each ends only by its release.
// While it lasts the version cannot be deleted, and nothing collects its bytes; what lies in the trash comes back. A
// rule keeps whatever is deleted for so long. Errors: kInvalid "reason_needed", "bad_subject", "bad_duration";
// kAlreadyExists "hold_exists"; kConflict "hold_released"; kNotFound "hold_not_found", "rule_not_found",
// "environment_not_found"; those of meta. Thread-safety: thread-safe.
#pragma once

#include <string>
#include <vector>

#include "daemon/domain/gc.h"
#include "storage/meta/retention.h"
#include "storage/meta/store.h"

namespace mlops::domain {

struct HoldWish {
  std::string ref;
  std::string case_id;
  std::string reason;
};

struct HoldView {
  meta::HoldRow row;
  std::string ref;
  TimestampUs deleted_at_us = 0;           // of the version; 0: not deleted
  bool is_whole = true;                    // of a new hold: its bytes are all here
  std::vector<std::string> restored_runs;  // of a new hold: what came back from the trash for it
};

class Retention {
 public:
  Retention(meta::Store& store, cas::ContentStore& content, Gc& gc) : store_(store), content_(content), gc_(gc) {}

  Result<HoldView> hold(const meta::Actor& actor, const HoldWish& wish, meta::Commit commit);
  // By id or a unique prefix.
  Result<HoldView> release(const meta::Actor& actor, const std::string& id, const std::string& reason,
                           meta::Commit commit);
  Result<std::vector<HoldView>> holds(meta::HoldsShown shown);

  Result<std::vector<meta::RetentionRule>> rules();
  // `subject`: "kind:model", "kind:dataset" or "env:<name>".
  Result<meta::RetentionRule> set_rule(const meta::Actor& actor, const std::string& subject, std::int64_t keep_s,
                                       const std::string& reason, meta::Commit commit);
  // Gives the rule that was in force.
  Result<meta::RetentionRule> remove_rule(const meta::Actor& actor, const std::string& subject,
                                          const std::string& reason, meta::Commit commit);

 private:
  meta::Store& store_;
  cas::ContentStore& content_;
  Gc& gc_;
};

}  // namespace mlops::domain
