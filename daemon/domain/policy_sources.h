// Policies and environments from Git: sources, what a commit of one would change, and the application of exactly that.
//
// sync() fetches, reads the source at a commit and plans: what is added, changed or removed, and which past decisions
// would come out otherwise. An unprotected source applies its plan at once; a protected one waits for approvals of
// other people than the requester and the commits' authors, whose names are kept as keyed fingerprints alone.
//   open ─ apply ─→ applied      open ─ (the source, or what it declares over, moved on) ─→ stale
// Errors: kRefused "history_rewritten" (the pinned commit is not on the branch any more), "commit_not_on_branch",
// "source_approvals_pending", "environment_scope"; kConflict "stale_plan", "plan_closed", "already_approved",
// "source_exists"; kDenied "own_plan", "own_commit", "not_a_person"; kNotFound "commit_missing" and those of
// git::GitRepository, source_content and meta. What fails changes nothing. Thread-safety: thread-safe.
#pragma once

#include <string>
#include <vector>

#include "daemon/domain/decisions.h"
#include "daemon/domain/git_remotes.h"
#include "daemon/domain/source_content.h"
#include "storage/meta/sources.h"

namespace mlops::domain {

struct SourceWish {
  std::string name;
  std::string repository;
  std::string branch;  // empty: the repository's
  std::string policies_path;
  std::string environments_path;
  std::int64_t approvals_needed = 0;
};

struct SyncWish {
  std::string source;
  std::string commit;  // empty: the branch's newest
  std::string reason;
  enum class Rewrite { kRefuse, kAccept } rewrite = Rewrite::kRefuse;
};

struct SourcePlanView {
  meta::SourceRow source;
  meta::SourcePlanRow row;  // id empty: nothing was kept (a dry run, or nothing to do)
  std::vector<meta::SourceApprovalRow> approvals;
};

struct SourceView {
  meta::SourceRow source;
  std::vector<meta::SourceItem> items;
  std::vector<meta::SourcePlanRow> plans;  // newest first
};

class PolicySources {
 public:
  PolicySources(meta::Store& store, GitRemotes& remotes, Decisions& decisions)
      : store_(store), remotes_(remotes), decisions_(decisions) {}

  Result<meta::SourceRow> add(const meta::Actor& actor, const SourceWish& wish, meta::Commit commit);
  // What it owned stays in force and is changed by hand from now on.
  Result<meta::SourceRow> remove(const meta::Actor& actor, const std::string& name, const std::string& reason,
                                 meta::Commit commit);
  Result<std::vector<meta::SourceRow>> list();
  Result<SourceView> show(const std::string& name);

  Result<SourcePlanView> sync(const meta::Actor& actor, const SyncWish& wish, meta::Commit commit);
  Result<SourcePlanView> plan(const std::string& id);
  Result<SourcePlanView> approve(const meta::Actor& actor, const std::string& plan_id, const std::string& reason,
                                 meta::Commit commit);
  Result<SourcePlanView> apply(const meta::Actor& actor, const std::string& plan_id, meta::Commit commit);

 private:
  // A plan in the making: what the commit declares, and what that changes.
  struct Draft {
    meta::SourceRow source;
    std::string target;
    SourceContent content;
    std::vector<SourceChange> changes;
    std::string digest;
  };

  Result<std::string> target_of(git::GitRepository& repository, const meta::SourceRow& source, const SyncWish& wish);
  Result<Draft> draft(git::GitRepository& repository, meta::SourceRow source, const std::string& target);
  Result<Json> body_of(git::GitRepository& repository, const Draft& draft);
  Result<Json> flips_of(const Draft& draft);
  Status execute(meta::WriteTx& tx, const Draft& draft, const meta::SourcePlanRow& plan);
  void mark_stale(const meta::Actor& actor, const std::string& plan_id);

  meta::Store& store_;
  GitRemotes& remotes_;
  Decisions& decisions_;
};

}  // namespace mlops::domain
