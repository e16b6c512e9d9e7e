#include "daemon/domain/gitops.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/wire/views_json.h"
#include "daemon/domain/identity.h"
#include "daemon/domain/promotion.h"
#include "storage/git/git_writer.h"
#include "storage/meta/versions.h"

namespace mlops::domain {
namespace {

constexpr std::size_t kBatchMax = 64;
constexpr std::size_t kLinesMax = 1000;  // of one environment
constexpr const char* kSuperseded = "superseded";
constexpr int kConflictsMax = 8;           // in a row, before it waits like after any other trouble
constexpr std::size_t kHistoryMax = 5000;  // commits that are searched for a delivery that was cut off
constexpr TimestampUs kFirstPauseUs = 1'000'000;
constexpr TimestampUs kLongestPauseUs = 300'000'000;

TimestampUs pause_after(std::int64_t attempts) {
  auto pause_us = kFirstPauseUs;
  for (std::int64_t i = 1; i < attempts && pause_us < kLongestPauseUs; ++i) pause_us *= 2;
  return std::min(pause_us, kLongestPauseUs);
}

std::string problem_of(const Error& error) {
  return error.message + (error.hint.empty() ? "" : " (" + error.hint + ")");
}

// The deployments whose commits lie on the branch, with the commits.
std::map<std::string, std::string> deployments_in(const std::vector<git::CommitInfo>& commits) {
  std::map<std::string, std::string> ids;
  for (const auto& commit : commits) {
    for (const auto line : split(std::string_view(commit.message), '\n')) {
      if (line.starts_with(kDeploymentTrailer))
        ids.emplace(trim(line.substr(kDeploymentTrailer.size())), commit.commit);
    }
  }
  return ids;
}

Result<std::vector<GitopsMember>> members_of(sql::Connection& connection, const meta::DeploymentRow& deployment) {
  MLOPS_ASSIGN(auto versions, meta::release_members(connection, deployment.release_id));
  if (versions.empty()) {
    return fail(ErrorCode::kCorrupt, "bad_release", "a release has no members", "run `mlopsctl audit verify`");
  }
  MLOPS_ASSIGN(auto roles, meta::release_roles(connection, deployment.release_id));
  roles.resize(versions.size());
  std::vector<GitopsMember> members;
  for (std::size_t i = 0; i < versions.size(); ++i) {
    MLOPS_ASSIGN(auto labels, meta::labels_of(connection, versions[i].id));
    members.push_back({std::move(versions[i]), std::move(roles[i]), std::move(labels)});
  }
  return members;
}

enum class Models { kAll, kServed };

// Where the files of a deployment lie in the repository; nullopt: in none, or in another.
Result<std::optional<ReleasePlaces>> places_of(sql::Connection& connection, const meta::DeploymentRow& deployment,
                                               const std::string& repository, Models models) {
  using Found = std::optional<ReleasePlaces>;
  MLOPS_ASSIGN(const auto row, meta::find_outbox(connection, deployment.id));
  if (!row || row->repository != repository) return Found();
  ReleasePlaces places{row->path, deployment.kind, deployment.name, {}};
  MLOPS_ASSIGN(const auto members, meta::release_members(connection, deployment.release_id));
  MLOPS_ASSIGN(auto roles, meta::release_roles(connection, deployment.release_id));
  roles.resize(members.size());
  for (std::size_t i = 0; i < members.size(); ++i) {
    const bool is_model = members[i].kind == model::ArtifactKind::kModel;
    if (!is_model || (models == Models::kServed && !is_served(deployment.kind, members[i], roles[i]))) continue;
    places.models.push_back(members[i].name);
  }
  return Found(std::move(places));
}

Status add_places(sql::Connection& connection, const meta::OutboxRow& row, GitopsSubject& subject) {
  MLOPS_ASSIGN(const auto ended, ended_by(connection, subject.deployment));
  for (const auto& one : ended) {
    MLOPS_ASSIGN(auto places, places_of(connection, one, row.repository, Models::kAll));
    if (places) subject.ended.push_back(std::move(*places));
  }
  MLOPS_ASSIGN(
      const auto running,
      meta::list_deployments(connection, {.environment = row.environment, .running_only = true, .limit = kLinesMax}));
  for (const auto& one : running) {
    MLOPS_ASSIGN(auto places, places_of(connection, one, row.repository, Models::kServed));
    if (places) subject.running.push_back(std::move(*places));
  }
  return {};
}

}  // namespace

Status enqueue_gitops(meta::WriteTx& tx, const meta::DeploymentRow& deployment, const model::Environment& environment) {
  if (!environment.gitops) return {};
  meta::OutboxRow row;
  row.deployment_id = deployment.id;
  row.environment = deployment.environment;
  row.repository = environment.gitops->repository;
  row.path = environment.gitops->path;
  row.renderer = environment.gitops->renderer;
  return meta::enqueue_outbox(tx, row);
}

Result<std::vector<meta::OutboxRow>> Gitops::status(const meta::OutboxFilter& filter) {
  using Rows = std::vector<meta::OutboxRow>;
  return store_.read<Rows>([&](sql::Connection& connection) { return meta::list_outbox(connection, filter); });
}

Result<std::int64_t> Gitops::retry(const meta::Actor& actor, const std::string& environment, meta::Commit commit) {
  return store_.write<std::int64_t>(actor, commit, [&](meta::WriteTx& tx) -> Result<std::int64_t> {
    tx.begin_entry("gitops.retry", environment.empty() ? "every environment" : environment);
    return meta::retry_outbox(tx, environment);
  });
}

void Gitops::deliver() {
  const auto generation = store_.generation();
  const bool is_due = next_due_us_ != 0 && store_.now_us() >= next_due_us_;
  if (generation == seen_generation_ && !is_due) return;
  seen_generation_ = generation;
  next_due_us_ = 0;
  using Names = std::vector<std::string>;
  const auto names =
      store_.read<Names>([](sql::Connection& connection) { return meta::outbox_repositories(connection); });
  if (!names) return log::warn("gitops_failed", {{"slug", std::string_view(names.error().slug)}});
  for (const auto& name : *names) {
    if (auto done = deliver_to(name); !done) {
      log::warn("gitops_failed",
                {{"repository", std::string_view(name)}, {"slug", std::string_view(done.error().slug)}});
    }
  }
}

// In order: as long as the first cannot be delivered, nothing behind it is.
Status Gitops::deliver_to(const std::string& name) {
  using Rows = std::vector<meta::OutboxRow>;
  while (true) {
    Batch batch;
    MLOPS_ASSIGN(batch.rows, store_.read<Rows>([&](sql::Connection& connection) {
      return meta::pending_outbox(connection, name, kBatchMax);
    }));
    if (batch.rows.empty()) return {};
    const auto due_us = batch.rows.front().next_at_us;
    if (due_us > store_.now_us()) {
      next_due_us_ = next_due_us_ == 0 ? due_us : std::min(next_due_us_, due_us);
      return {};
    }
    auto first = batch.rows.front();
    const auto repository = remotes_.repository(name, GitUse::kGitops);
    auto done = repository ? push_batch(**repository, *remotes_.find(name), batch) : fail(repository.error());
    if (done) continue;
    first.commit = batch.rows.front().commit;
    put_off(first, done.error());
    return fail(std::move(done.error()));
  }
}

void Gitops::put_off(meta::OutboxRow row, const Error& error) {
  row.attempts += 1;
  row.next_at_us = store_.now_us() + pause_after(row.attempts);
  row.problem = problem_of(error);
  if (auto kept = keep({row}); !kept) log::warn("gitops_failed", {{"slug", std::string_view(kept.error().slug)}});
  next_due_us_ = next_due_us_ == 0 ? row.next_at_us : std::min(next_due_us_, row.next_at_us);
}

Status Gitops::push_batch(git::GitRepository& repository, const GitRemoteConfig& config, Batch& batch) {
  git::GitWriter writer(repository);
  const auto rows = batch.rows;
  for (int conflicts = 0;; ++conflicts) {
    batch = Batch{rows, {}, {}};
    MLOPS_TRY(repository.fetch());
    const auto head = repository.head_of(config.branch);
    if (!head && head.error().slug != "branch_missing") return fail(head.error());
    const auto base = head ? *head : std::string();
    batch.tip = base;
    // Cut off after a push, or restored from a backup of before it: the row cannot know.
    if (!base.empty()) {
      MLOPS_ASSIGN(const auto history, repository.log({}, base, kHistoryMax));
      batch.committed = deployments_in(history);
    }
    MLOPS_TRY(build(repository, batch));
    // From here on it may be on the branch, whatever becomes of this process.
    MLOPS_TRY(keep(batch.rows));
    if (batch.tip != base) {
      auto pushed = writer.push(config.branch, batch.tip, base);
      if (!pushed && pushed.error().slug == "push_conflict" && conflicts < kConflictsMax) continue;
      if (!pushed) return pushed;
    }
    return finish(batch);
  }
}

// A commit for every row that is not on the branch yet, each on the one before.
Status Gitops::build(git::GitRepository& repository, Batch& batch) {
  git::GitWriter writer(repository);
  const auto& options = remotes_.options();
  for (auto& row : batch.rows) {
    row.attempts += 1;
    if (const auto found = batch.committed.find(row.deployment_id); found != batch.committed.end()) {
      row.commit = found->second;
      continue;
    }
    MLOPS_ASSIGN(const auto subject, subject_of(row));
    MLOPS_ASSIGN(const bool is_late, is_overtaken(row, subject.deployment));
    if (is_late) {
      row.state = kSuperseded;
      row.problem = "it has ended, and what came after it is committed";
      continue;
    }
    auto rendered = render_files(subject, row.path, row.renderer);
    if (!rendered) {
      row.state = "failed";
      row.problem = problem_of(rendered.error());
      continue;
    }
    git::CommitWish wish;
    wish.parent = batch.tip;
    wish.files = std::move(rendered->files);
    wish.removed = std::move(rendered->removed);
    wish.message = render_message(subject);
    wish.author_name = options.author_name;
    wish.author_email = options.author_email;
    wish.time_s = subject.deployment.valid_from_us / 1'000'000;
    MLOPS_ASSIGN(row.commit, writer.commit(wish));
    batch.tip = row.commit;
  }
  return {};
}

// What was tried again after its time would undo what has been committed since.
Result<bool> Gitops::is_overtaken(const meta::OutboxRow& row, const meta::DeploymentRow& deployment) {
  if (!deployment.valid_to_us) return false;
  return store_.read<bool>([&](sql::Connection& connection) { return meta::is_later_done(connection, row); });
}

Result<GitopsSubject> Gitops::subject_of(const meta::OutboxRow& row) {
  return store_.read<GitopsSubject>([&](sql::Connection& connection) -> Result<GitopsSubject> {
    GitopsSubject subject;
    MLOPS_ASSIGN(subject.deployment, meta::get_deployment(connection, row.deployment_id));
    MLOPS_ASSIGN(subject.members, members_of(connection, subject.deployment));
    MLOPS_TRY(add_places(connection, row, subject));
    MLOPS_ASSIGN(auto environment,
                 compliance_.environment(connection, row.environment, subject.deployment.valid_from_us));
    subject.environment = std::move(environment.environment);
    // Labels that a renderer reads may be mended after the fact; where it goes was fixed with the deployment.
    if (auto now = compliance_.environment(connection, row.environment)) {
      subject.environment.labels = std::move(now->environment.labels);
    }
    MLOPS_ASSIGN(const auto plan, meta::find_plan(connection, subject.deployment.plan_id));
    MLOPS_ASSIGN(const auto body, parse_json(plan.body));
    MLOPS_ASSIGN(subject.plan, wire::plan_from_body(body));
    subject.plan.id = plan.id;
    subject.plan.digest = plan.digest;
    MLOPS_ASSIGN(const auto approvals, meta::approvals_of(connection, plan.id));
    subject.plan.approvals.clear();
    for (const auto& one : approvals) {
      subject.plan.approvals.push_back({one.principal_name, one.decision, one.reason, one.created_at_us});
    }
    return subject;
  });
}

Status Gitops::keep(const std::vector<meta::OutboxRow>& rows) {
  return store_
      .write<bool>(daemon_actor(), meta::Commit::kKeep,
                   [&](meta::WriteTx& tx) -> Result<bool> {
                     for (const auto& row : rows) MLOPS_TRY(meta::update_outbox(tx, row));
                     return true;
                   })
      .map([](bool) {});
}

Status Gitops::finish(const Batch& batch) {
  return store_
      .write<bool>(daemon_actor(), meta::Commit::kKeep,
                   [&](meta::WriteTx& tx) -> Result<bool> {
                     for (auto row : batch.rows) {
                       if (row.state == "failed" || row.state == kSuperseded) continue;
                       row.state = "done";
                       row.problem.clear();
                       MLOPS_TRY(meta::update_outbox(tx, row));
                       tx.begin_entry(
                           "gitops.commit", row.environment,
                           fmt::format("deployment {} is {}@{}", row.deployment_id, row.repository, row.commit));
                     }
                     return true;
                   })
      .map([](bool) {});
}

}  // namespace mlops::domain
