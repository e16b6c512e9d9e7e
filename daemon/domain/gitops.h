// Promotions and rollbacks as commits of a GitOps repository, so that Argo CD or Flux deploys what was decided here.
//
// enqueue_gitops() writes a row in the transaction of the deployment; a thread delivers the rows of each repository in
// their order:
//
//   pending ─ fetch, build every commit anew on the branch as it is, note the commits, push ─→ done
//      │  the branch moved: again at once · no answer, or a refusal: again after a while (1 s … 5 min, doubling)
//      └ nothing can be rendered ─→ failed, until `gitops retry`
//
// A delivery that was cut off is found again: the branch's commits are searched for the deployment's trailer first, so
// that nothing is committed twice. Each delivery is an audit entry "gitops.commit".
// Errors: those of the store and of GitRemotes. Thread-safety: thread-safe; deliver() runs on one thread at a time.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/model/environment.h"
#include "daemon/domain/compliance.h"
#include "daemon/domain/git_remotes.h"
#include "daemon/domain/gitops_render.h"
#include "storage/meta/git_rows.h"
#include "storage/meta/releases.h"

namespace mlops::domain {

// Nothing to do for an environment without `gitops`. REQUIRES: the deployment is inserted in this transaction.
Status enqueue_gitops(meta::WriteTx& tx, const meta::DeploymentRow& deployment, const model::Environment& environment);

class Gitops {
 public:
  Gitops(meta::Store& store, GitRemotes& remotes, Compliance& compliance)
      : store_(store), remotes_(remotes), compliance_(compliance) {}

  // Delivers what is pending and due; returns at once when nothing was committed to the database since the last time
  // and nothing is due.
  void deliver();

  Result<std::vector<meta::OutboxRow>> status(const meta::OutboxFilter& filter);
  // What failed is tried again, what waits is tried now; how many.
  Result<std::int64_t> retry(const meta::Actor& actor, const std::string& environment, meta::Commit commit);

 private:
  struct Batch {
    std::vector<meta::OutboxRow> rows;
    std::map<std::string, std::string> committed;  // deployments that are on the branch already, with their commits
    std::string tip;
  };

  Status deliver_to(const std::string& repository);
  Status push_batch(git::GitRepository& repository, const GitRemoteConfig& config, Batch& batch);
  Status build(git::GitRepository& repository, Batch& batch);
  Result<bool> is_overtaken(const meta::OutboxRow& row, const meta::DeploymentRow& deployment);
  Result<GitopsSubject> subject_of(const meta::OutboxRow& row);
  Status keep(const std::vector<meta::OutboxRow>& rows);
  Status finish(const Batch& batch);
  void put_off(meta::OutboxRow row, const Error& error);

  meta::Store& store_;
  GitRemotes& remotes_;
  Compliance& compliance_;
  std::uint64_t seen_generation_ = 0;
  TimestampUs next_due_us_ = 0;  // 0: nothing waits
};

}  // namespace mlops::domain
