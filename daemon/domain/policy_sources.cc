#include "daemon/domain/policy_sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/model/names.h"

namespace mlops::domain {
namespace {

constexpr std::size_t kFlipsMax = 100;     // that a plan keeps; the rest is counted
constexpr std::size_t kCommitsMax = 1000;  // whose authors are looked at
constexpr std::size_t kPlansShown = 20;

std::string shorten(const std::string& commit) {
  return commit.substr(0, 12);
}

std::string move_text(const meta::SourceRow& source, const std::string& target) {
  return fmt::format("{} → {}@{}", source.name, source.repository, shorten(target));
}

Failure stale(const std::string& plan_id) {
  return fail(ErrorCode::kConflict, "stale_plan",
              fmt::format("the plan {} is stale: the source, its repository or what it changes has moved on", plan_id),
              "make a new one: mlopsctl policy source sync");
}

Status check_open(const meta::SourcePlanRow& plan) {
  if (plan.state == "open") return {};
  return fail(ErrorCode::kConflict, plan.state == "stale" ? "stale_plan" : "plan_closed",
              fmt::format("the plan {} is {}", plan.id, plan.state), "make a new one: mlopsctl policy source sync");
}

Status check_path(const std::string& path) {
  if (path.empty() || path == ".") return {};
  return model::check_file_path(path);
}

std::string without_slashes(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

// A source of environments changes environments, whoever syncs it.
Status check_scope(const meta::Actor& actor, const meta::SourceRow& source) {
  if (source.environments_path.empty() || actor.principal.has(model::Scope::kEnvironmentWrite)) return {};
  return fail(ErrorCode::kDenied, "environment_scope",
              fmt::format("the source {} changes environments, and {} may not", source.name, actor.principal.name),
              "it needs the scope environment:write too");
}

bool is_author(const GitRemotes& remotes, const Json& body, const std::string& principal) {
  const auto authors = body.find("authors");
  if (authors == body.end() || !authors->is_array()) return false;
  const auto known = [&](std::string_view name) {
    return std::find(authors->begin(), authors->end(), Json(remotes.fingerprint(name))) != authors->end();
  };
  return known(principal) || known(std::string_view(principal).substr(0, principal.find('@')));
}

Json flip_json(const std::string& policy, const Flip& flip) {
  Json gates = Json::array();
  for (const auto& gate : flip.gates) gates.push_back({{"id", gate.id}, {"reason", gate.reason}});
  return {{"policy", policy},
          {"decision", flip.decision.id},
          {"plan", flip.decision.plan_id},
          {"occasion", flip.decision.occasion},
          {"target", flip.decision.target},
          {"environment", flip.decision.environment},
          {"decided_at", format_rfc3339(flip.decision.decided_at_us)},
          {"before", flip.decision.verdict},
          {"after", to_word(flip.after)},
          {"runs_now", flip.runs_now},
          {"gates", std::move(gates)}};
}

}  // namespace

Result<meta::SourceRow> PolicySources::add(const meta::Actor& actor, const SourceWish& wish, meta::Commit commit) {
  MLOPS_TRY(model::check_artifact_name(wish.name));
  MLOPS_TRY(remotes_.repository(wish.repository, GitUse::kPolicies));
  meta::SourceRow row;
  row.name = wish.name;
  row.repository = wish.repository;
  row.branch = wish.branch.empty() ? remotes_.find(wish.repository)->branch : wish.branch;
  row.policies_path = without_slashes(wish.policies_path);
  row.environments_path = wish.environments_path;
  row.approvals_needed = wish.approvals_needed;
  row.created_by = actor.principal.name;
  if (row.policies_path.empty() && row.environments_path.empty()) {
    return fail(ErrorCode::kInvalid, "missing_field", "the source names neither policies nor environments",
                "give --path policies/ or --environments environments.yaml");
  }
  MLOPS_TRY(check_path(row.policies_path));
  MLOPS_TRY(check_path(row.environments_path));
  MLOPS_TRY(check_path(row.branch));
  MLOPS_TRY(check_scope(actor, row));
  return store_.write<meta::SourceRow>(actor, commit, [&](meta::WriteTx& tx) -> Result<meta::SourceRow> {
    if (meta::find_source(tx.sql(), row.name)) {
      return fail(ErrorCode::kAlreadyExists, "source_exists",
                  fmt::format("there is a policy source {} already", row.name),
                  fmt::format("mlopsctl policy source show {}", row.name));
    }
    row.id = tx.new_id();
    row.created_at_us = tx.now_us();
    tx.begin_entry("source.add", row.name, fmt::format("repository {}, branch {}", row.repository, row.branch));
    MLOPS_TRY(meta::insert_source(tx, row));
    return row;
  });
}

Result<meta::SourceRow> PolicySources::remove(const meta::Actor& actor, const std::string& name,
                                              const std::string& reason, meta::Commit commit) {
  MLOPS_TRY(model::check_free_text(reason, "reason"));
  return store_.write<meta::SourceRow>(actor, commit, [&](meta::WriteTx& tx) -> Result<meta::SourceRow> {
    MLOPS_ASSIGN(auto source, meta::find_source(tx.sql(), name));
    tx.begin_entry("source.remove", name, reason);
    MLOPS_TRY(meta::remove_source(tx, source.id));
    return source;
  });
}

Result<std::vector<meta::SourceRow>> PolicySources::list() {
  using Rows = std::vector<meta::SourceRow>;
  return store_.read<Rows>([](sql::Connection& connection) { return meta::list_sources(connection); });
}

Result<SourceView> PolicySources::show(const std::string& name) {
  return store_.read<SourceView>([&](sql::Connection& connection) -> Result<SourceView> {
    SourceView view;
    MLOPS_ASSIGN(view.source, meta::find_source(connection, name));
    MLOPS_ASSIGN(view.items, meta::items_of(connection, view.source.id));
    MLOPS_ASSIGN(view.plans, meta::plans_of_source(connection, view.source.id, kPlansShown));
    return view;
  });
}

// The commit to go to, once the history is the one that is known.
Result<std::string> PolicySources::target_of(git::GitRepository& repository, const meta::SourceRow& source,
                                             const SyncWish& wish) {
  MLOPS_TRY(repository.fetch());
  MLOPS_ASSIGN(const auto head, repository.head_of(source.branch));
  const auto& pinned = source.pinned_commit;
  if (!pinned.empty() && wish.rewrite == SyncWish::Rewrite::kRefuse) {
    MLOPS_ASSIGN(const bool leads, repository.is_ancestor(pinned, head));
    if (!leads) {
      return fail(ErrorCode::kRefused, "history_rewritten",
                  fmt::format("the history of {} in {} was rewritten: its newest commit {} does not lead back to {}, "
                              "which is applied",
                              source.branch, source.repository, shorten(head), shorten(pinned)),
                  "restore the branch; or, having looked at both: --accept-rewrite --reason TEXT");
    }
  }
  if (wish.commit.empty()) return head;
  MLOPS_ASSIGN(const bool exists, repository.has_commit(wish.commit));
  if (!exists) {
    return fail(ErrorCode::kNotFound, "commit_missing",
                fmt::format("the git repository {} has no commit {}", source.repository, printable(wish.commit)),
                "give the 40 digits of a commit that was pushed: git rev-parse HEAD");
  }
  MLOPS_ASSIGN(const bool on_branch, repository.is_ancestor(wish.commit, head));
  if (on_branch) return wish.commit;
  return fail(ErrorCode::kRefused, "commit_not_on_branch",
              fmt::format("commit {} is not on the branch {} of {}, whose newest is {}", shorten(wish.commit),
                          source.branch, source.repository, shorten(head)),
              "merge it first");
}

Result<PolicySources::Draft> PolicySources::draft(git::GitRepository& repository, meta::SourceRow source,
                                                  const std::string& target) {
  Draft made;
  made.target = target;
  MLOPS_ASSIGN(made.content, read_source(repository, source, target));
  using Changes = std::vector<SourceChange>;
  MLOPS_ASSIGN(made.changes, store_.read<Changes>([&](sql::Connection& connection) {
    return changes_of(connection, source, made.content);
  }));
  made.digest = source_plan_digest(source, target, made.changes);
  made.source = std::move(source);
  return made;
}

// What `policy replay` says of every policy that changes.
Result<Json> PolicySources::flips_of(const Draft& made) {
  Json flips = Json::array();
  std::uint64_t total = 0;
  std::uint64_t decisions = 0;
  for (const auto& text : made.content.policies) {
    const bool changes = std::any_of(made.changes.begin(), made.changes.end(), [&](const SourceChange& change) {
      return change.kind == meta::RevisionKind::kPolicy && change.name == text.policy.name() &&
             change.change == "changed";
    });
    if (!changes) continue;
    ReplayRequest request;
    request.candidate = {text.yaml, text.origin};
    MLOPS_ASSIGN(const auto replay, decisions_.replay(request));
    decisions += replay.governed;
    total += replay.flips.size();
    for (const auto& flip : replay.flips) {
      if (flips.size() < kFlipsMax) flips.push_back(flip_json(replay.policy, flip));
    }
  }
  return Json{{"governed", decisions}, {"total", total}, {"first", std::move(flips)}};
}

Result<Json> PolicySources::body_of(git::GitRepository& repository, const Draft& made) {
  Json changes = Json::array();
  for (const auto& change : made.changes) changes.push_back(to_json(change));
  MLOPS_ASSIGN(auto flips, flips_of(made));
  MLOPS_ASSIGN(const auto commits, repository.log(made.source.pinned_commit, made.target, kCommitsMax));
  std::set<std::string> authors;
  for (const auto& commit : commits) {
    const std::string_view address = commit.author_email;
    for (const auto name : {address, address.substr(0, address.find('@')), std::string_view(commit.author_name)}) {
      if (!trim(name).empty()) authors.insert(remotes_.fingerprint(name));
    }
  }
  return Json{
      {"changes", std::move(changes)}, {"flips", std::move(flips)}, {"commits", commits.size()}, {"authors", authors}};
}

Result<SourcePlanView> PolicySources::sync(const meta::Actor& actor, const SyncWish& wish, meta::Commit commit) {
  MLOPS_TRY(model::check_free_text(wish.reason, "reason"));
  MLOPS_ASSIGN(auto source, store_.read<meta::SourceRow>([&](sql::Connection& connection) {
    return meta::find_source(connection, wish.source);
  }));
  MLOPS_TRY(check_scope(actor, source));
  const bool accepts = wish.rewrite == SyncWish::Rewrite::kAccept;
  if (accepts && trim(wish.reason).empty()) {
    return fail(ErrorCode::kInvalid, "reason_needed", "accepting a rewritten history needs a reason", "give --reason");
  }
  MLOPS_ASSIGN(auto* repository, remotes_.repository(source.repository, GitUse::kPolicies));
  MLOPS_ASSIGN(const auto target, target_of(*repository, source, wish));
  MLOPS_ASSIGN(const auto made, draft(*repository, std::move(source), target));
  SourcePlanView view;
  view.source = made.source;
  view.row.source_id = made.source.id;
  view.row.digest = made.digest;
  view.row.state = "open";
  view.row.base_commit = made.source.pinned_commit;
  view.row.target_commit = target;
  view.row.reason = wish.reason;
  view.row.requested_by_id = actor.principal.id;
  view.row.requested_by = actor.principal.name;
  MLOPS_ASSIGN(const auto body, body_of(*repository, made));
  view.row.body = canonical_dump(body);
  if (made.changes.empty() && target == made.source.pinned_commit) {
    view.row.state = "unchanged";
    return view;
  }
  return store_.write<SourcePlanView>(actor, commit, [&](meta::WriteTx& tx) -> Result<SourcePlanView> {
    auto kept = view;
    kept.row.id = tx.new_id();
    kept.row.created_at_us = tx.now_us();
    if (accepts) {
      tx.begin_entry("source.rewrite", move_text(made.source, target), wish.reason);
    }
    tx.begin_entry("source.plan", move_text(made.source, target), wish.reason);
    MLOPS_TRY(meta::insert_source_plan(tx, kept.row));
    if (made.source.approvals_needed > 0) return kept;
    MLOPS_TRY(execute(tx, made, kept.row));
    kept.row.state = "applied";
    kept.source.pinned_commit = target;
    return kept;
  });
}

// Decided again inside the transaction: exactly what was planned, or nothing.
Status PolicySources::execute(meta::WriteTx& tx, const Draft& made, const meta::SourcePlanRow& plan) {
  MLOPS_ASSIGN(const auto now, meta::source_of_id(tx.sql(), made.source.id));
  MLOPS_ASSIGN(const auto changes, changes_of(tx.sql(), now, made.content));
  const bool same = now.pinned_commit == plan.base_commit && plan.target_commit == made.target &&
                    source_plan_digest(now, made.target, changes) == plan.digest;
  if (!same) return stale(plan.id);
  MLOPS_TRY(apply_source(tx, now, made.target, made.content, changes));
  tx.begin_entry("source.apply", move_text(now, made.target), plan.reason);
  MLOPS_TRY(meta::pin_source(tx, now.id, made.target));
  return meta::set_source_plan_state(tx, plan.id, "applied");
}

Result<SourcePlanView> PolicySources::plan(const std::string& id) {
  return store_.read<SourcePlanView>([&](sql::Connection& connection) -> Result<SourcePlanView> {
    SourcePlanView view;
    MLOPS_ASSIGN(view.row, meta::find_source_plan(connection, id));
    MLOPS_ASSIGN(view.source, meta::source_of_id(connection, view.row.source_id));
    MLOPS_ASSIGN(view.approvals, meta::source_approvals(connection, view.row.id));
    return view;
  });
}

Result<SourcePlanView> PolicySources::approve(const meta::Actor& actor, const std::string& plan_id,
                                              const std::string& reason, meta::Commit commit) {
  MLOPS_TRY(model::check_free_text(reason, "reason"));
  const auto& who = actor.principal;
  return store_.write<SourcePlanView>(actor, commit, [&](meta::WriteTx& tx) -> Result<SourcePlanView> {
    SourcePlanView view;
    MLOPS_ASSIGN(view.row, meta::find_source_plan(tx.sql(), plan_id));
    MLOPS_TRY(check_open(view.row));
    MLOPS_ASSIGN(view.source, meta::source_of_id(tx.sql(), view.row.source_id));
    if (view.source.pinned_commit != view.row.base_commit) return stale(view.row.id);
    if (view.row.requested_by_id == who.id) {
      return fail(ErrorCode::kDenied, "own_plan", fmt::format("{} requested this plan and cannot approve it", who.name),
                  "a second person approves it");
    }
    if (!who.is_human) {
      return fail(ErrorCode::kDenied, "not_a_person", fmt::format("{} is a service; a person approves", who.name));
    }
    MLOPS_ASSIGN(const auto body, parse_json(view.row.body));
    if (is_author(remotes_, body, who.name)) {
      return fail(ErrorCode::kDenied, "own_commit",
                  fmt::format("{} wrote a commit of this plan and cannot approve it", who.name),
                  "somebody who wrote none of it approves");
    }
    MLOPS_ASSIGN(view.approvals, meta::source_approvals(tx.sql(), view.row.id));
    for (const auto& one : view.approvals) {
      if (one.principal_id != who.id) continue;
      return fail(ErrorCode::kConflict, "already_approved", fmt::format("{} approved this plan already", who.name));
    }
    tx.begin_entry("source.approve", move_text(view.source, view.row.target_commit), reason);
    view.approvals.push_back({tx.new_id(), view.row.id, view.row.digest, who.id, who.name, reason, tx.now_us()});
    MLOPS_TRY(meta::insert_source_approval(tx, view.approvals.back()));
    return view;
  });
}

void PolicySources::mark_stale(const meta::Actor& actor, const std::string& plan_id) {
  const auto marked = store_.write<bool>(actor, meta::Commit::kKeep, [&](meta::WriteTx& tx) -> Result<bool> {
    MLOPS_ASSIGN(const auto row, meta::find_source_plan(tx.sql(), plan_id));
    if (row.state != "open") return true;
    tx.begin_entry("source.stale", row.id);
    MLOPS_TRY(meta::set_source_plan_state(tx, row.id, "stale"));
    return true;
  });
  if (!marked) log::warn("source_plan_not_marked_stale", {{"slug", std::string_view(marked.error().slug)}});
}

Result<SourcePlanView> PolicySources::apply(const meta::Actor& actor, const std::string& plan_id, meta::Commit commit) {
  MLOPS_ASSIGN(auto view, plan(plan_id));
  MLOPS_TRY(check_open(view.row));
  MLOPS_TRY(check_scope(actor, view.source));
  const auto have =
      static_cast<std::int64_t>(std::count_if(view.approvals.begin(), view.approvals.end(),
                                              [&](const auto& one) { return one.plan_digest == view.row.digest; }));
  if (have < view.source.approvals_needed) {
    return fail(ErrorCode::kRefused, "source_approvals_pending",
                fmt::format("the plan {} has {} of {} approvals", view.row.id, have, view.source.approvals_needed),
                fmt::format("a second person runs: mlopsctl policy source approve {}", view.row.id));
  }
  MLOPS_ASSIGN(auto* repository, remotes_.repository(view.source.repository, GitUse::kPolicies));
  MLOPS_TRY(repository->fetch());
  MLOPS_ASSIGN(const auto head, repository->head_of(view.source.branch));
  MLOPS_ASSIGN(const bool on_branch, repository->is_ancestor(view.row.target_commit, head));
  if (!on_branch || view.source.pinned_commit != view.row.base_commit) {
    if (commit == meta::Commit::kKeep) mark_stale(actor, view.row.id);
    if (on_branch) return stale(view.row.id);
    return fail(ErrorCode::kConflict, "stale_plan",
                fmt::format("the history of {} in {} was rewritten: its newest commit {} does not lead back to {}, "
                            "which was planned",
                            view.source.branch, view.source.repository, shorten(head), shorten(view.row.target_commit)),
                "make a new plan: mlopsctl policy source sync");
  }
  MLOPS_ASSIGN(const auto made, draft(*repository, view.source, view.row.target_commit));
  auto applied = store_.write<SourcePlanView>(actor, commit, [&](meta::WriteTx& tx) -> Result<SourcePlanView> {
    MLOPS_ASSIGN(const auto now, meta::find_source_plan(tx.sql(), view.row.id));
    MLOPS_TRY(check_open(now));
    MLOPS_TRY(execute(tx, made, now));
    auto done = view;
    done.row.state = "applied";
    done.source.pinned_commit = now.target_commit;
    return done;
  });
  if (!applied && applied.error().slug == "stale_plan" && commit == meta::Commit::kKeep) mark_stale(actor, view.row.id);
  return applied;
}

}  // namespace mlops::domain
