#include "daemon/domain/compliance.h"

#include <fmt/format.h>

#include <functional>
#include <set>

#include "core/base/text.h"
#include "core/model/names.h"
#include "daemon/domain/blob_streams.h"
#include "daemon/domain/delivery_targets.h"
#include "daemon/domain/git_origin.h"
#include "policies/data/file_place.h"
#include "policies/data/records.h"
#include "policies/engine/load_at.h"
#include "policies/engine/release_risk.h"
#include "policies/mask/pinned_keys.h"
#include "storage/meta/git_rows.h"
#include "storage/meta/sources.h"

namespace mlops::domain {

namespace {

Status check_gitops(sql::Connection& connection, const model::Environment& environment) {
  MLOPS_ASSIGN(const auto repositories, meta::list_git_repositories(connection));
  std::vector<std::string> names;
  for (const auto& row : repositories) {
    const auto uses = split(row.uses, ' ');
    if (std::find(uses.begin(), uses.end(), "gitops") == uses.end()) continue;
    if (row.name == environment.gitops->repository) return {};
    names.push_back(row.name);
  }
  return fail(ErrorCode::kInvalid, "environment_invalid",
              fmt::format("environment {} commits to the git repository \"{}\", which mlopsd is not configured with",
                          environment.name, printable(environment.gitops->repository)),
              names.empty() ? "git.repositories_file names them, with use: [gitops]" : "known: " + join(names, ", "));
}

}  // namespace

Status check_environment_links(sql::Connection& connection, const std::vector<model::Environment>& wanted) {
  std::map<std::string, std::vector<std::string>> graph;
  MLOPS_ASSIGN(const auto known, meta::list_revisions(connection, meta::RevisionKind::kEnvironment));
  for (const auto& row : known) {
    MLOPS_ASSIGN(const auto json, parse_json(row.body));
    MLOPS_ASSIGN(const auto environment, model::environment_from_json(json));
    graph[environment.name] = environment.after;
  }
  for (const auto& environment : wanted) graph[environment.name] = environment.after;
  for (const auto& environment : wanted) {
    for (const auto& before : environment.after) {
      if (graph.contains(before)) continue;
      return fail(ErrorCode::kInvalid, "environment_invalid",
                  fmt::format("environment {} comes after \"{}\", which is not declared", environment.name, before),
                  "declare it in the same file or earlier");
    }
    if (environment.gitops) MLOPS_TRY(check_gitops(connection, environment));
    for (const auto& name : environment.policies) {
      MLOPS_ASSIGN(const auto policy, meta::find_revision(connection, meta::RevisionKind::kPolicy, name));
      if (policy) continue;
      return fail(ErrorCode::kInvalid, "environment_invalid",
                  fmt::format("environment {} names the policy \"{}\", which is not applied", environment.name, name),
                  "apply it first: mlopsctl policy apply FILE");
    }
  }
  // One file cannot show a cycle that goes through environments declared earlier.
  std::set<std::string> done;
  std::set<std::string> path;
  std::function<bool(const std::string&)> cyclic = [&](const std::string& name) {
    if (done.contains(name)) return false;
    if (!path.insert(name).second) return true;
    for (const auto& before : graph[name]) {
      if (cyclic(before)) return true;
    }
    path.erase(name);
    done.insert(name);
    return false;
  };
  for (const auto& environment : wanted) {
    if (cyclic(environment.name)) {
      return fail(ErrorCode::kInvalid, "environment_invalid",
                  fmt::format("the promotion order has a cycle through {}", environment.name));
    }
  }
  return {};
}

meta::RevisionRow environment_row(const model::Environment& environment) {
  meta::RevisionRow row;
  row.name = environment.name;
  row.body = canonical_dump(model::to_json(environment));
  row.digest = crypto::sha256(row.body).to_string();
  return row;
}

namespace {

// By hand only what no source owns, or with a reason that is kept.
Status check_owner(meta::WriteTx& tx, meta::RevisionKind kind, const meta::RevisionRow& row,
                   const std::optional<std::string>& override_reason) {
  MLOPS_ASSIGN(const auto owner, meta::owner_of(tx.sql(), kind, row.name));
  if (!owner) return {};
  MLOPS_ASSIGN(const auto current, meta::find_revision(tx.sql(), kind, row.name));
  if (current && current->digest == row.digest) return {};
  const std::string what = kind == meta::RevisionKind::kPolicy ? "policy" : "environment";
  if (override_reason) {
    tx.begin_entry(what + ".override", row.name, *override_reason);
    return {};
  }
  return fail(
      ErrorCode::kRefused, "owned_by_source",
      fmt::format("the {} {} comes from {}", what, row.name,
                  git_origin(owner->repository, owner->commit.substr(0, 12), owner->path)),
      fmt::format("change it there, then: mlopsctl policy source sync {}; or --override --reason TEXT", owner->source));
}

}  // namespace

Result<std::vector<meta::Applied>> Compliance::apply_environments(const meta::Actor& actor, const std::string& yaml,
                                                                  const std::string& origin, meta::Commit commit,
                                                                  const std::optional<std::string>& override_reason) {
  MLOPS_ASSIGN(const auto wanted, model::parse_environments(yaml, origin));
  MLOPS_TRY(check_delivery_targets(wanted, origin, check_target_));
  using Changes = std::vector<meta::Applied>;
  return store_.write<Changes>(actor, commit, [&](meta::WriteTx& tx) -> Result<Changes> {
    MLOPS_TRY(check_environment_links(tx.sql(), wanted));
    MLOPS_TRY(check_delivery_overlaps(tx.sql(), wanted, origin));
    Changes changes;
    for (const auto& environment : wanted) {
      auto row = environment_row(environment);
      MLOPS_TRY(check_owner(tx, meta::RevisionKind::kEnvironment, row, override_reason));
      MLOPS_ASSIGN(auto applied, meta::apply_revision(tx, meta::RevisionKind::kEnvironment, std::move(row)));
      changes.push_back(std::move(applied));
    }
    return changes;
  });
}

Result<std::vector<EnvironmentRevision>> Compliance::environments(TimestampUs as_of_us) {
  using Rows = std::vector<EnvironmentRevision>;
  return store_.read<Rows>([&](sql::Connection& connection) -> Result<Rows> {
    MLOPS_ASSIGN(auto rows, meta::list_revisions(connection, meta::RevisionKind::kEnvironment, as_of_us));
    Rows out;
    for (auto& row : rows) {
      MLOPS_ASSIGN(const auto json, parse_json(row.body));
      MLOPS_ASSIGN(auto environment, model::environment_from_json(json));
      out.push_back({std::move(row), std::move(environment)});
    }
    return out;
  });
}

Result<EnvironmentRevision> Compliance::environment(sql::Connection& connection, const std::string& name,
                                                    TimestampUs as_of_us) {
  MLOPS_TRY(model::check_environment_name(name));
  MLOPS_ASSIGN(auto row, meta::get_revision(connection, meta::RevisionKind::kEnvironment, name, as_of_us));
  MLOPS_ASSIGN(const auto json, parse_json(row.body));
  MLOPS_ASSIGN(auto environment, model::environment_from_json(json));
  return EnvironmentRevision{std::move(row), std::move(environment)};
}

Result<meta::Applied> Compliance::apply_policy(const meta::Actor& actor, const std::string& yaml,
                                               const std::string& origin, meta::Commit commit, PolicyUse use,
                                               const std::optional<std::string>& override_reason) {
  MLOPS_ASSIGN(const auto policy, policy::load_policy(yaml, origin));
  MLOPS_TRY(model::check_artifact_name(policy.name()));
  meta::RevisionRow row;
  row.name = policy.name();
  row.digest = policy.digest().to_string();
  row.origin = origin;
  row.body = yaml;
  return store_.write<meta::Applied>(actor, commit, [&](meta::WriteTx& tx) -> Result<meta::Applied> {
    const auto& shadow = policy.terms().enforcement.shadow.policy.value;
    if (!shadow.empty()) MLOPS_TRY(shadow_policy(tx.sql(), shadow));
    if (use == PolicyUse::kCandidate) return meta::keep_candidate(tx, row);
    MLOPS_TRY(check_owner(tx, meta::RevisionKind::kPolicy, row, override_reason));
    return meta::apply_revision(tx, meta::RevisionKind::kPolicy, row);
  });
}

Result<PolicyRevision> Compliance::shadow_policy(sql::Connection& connection, const std::string& named) {
  const auto wanted = policy::parse_policy_name(named);
  MLOPS_ASSIGN(const auto current, meta::find_revision(connection, meta::RevisionKind::kPolicy, wanted.name));
  std::vector<meta::RevisionRow> rows;
  if (!wanted.version.empty()) {
    MLOPS_ASSIGN(rows, meta::revisions_of(connection, meta::RevisionKind::kPolicy, wanted.name));
  } else if (current) {
    rows.push_back(*current);
  }
  for (auto& row : rows) {
    // One of an earlier release that this one does not load any more is none.
    auto policy = compiled(row);
    if (policy && (wanted.version.empty() || policy->version() == wanted.version)) {
      return PolicyRevision{std::move(row), std::move(*policy)};
    }
  }
  return fail(ErrorCode::kInvalid, "shadow_unknown",
              fmt::format("enforcement.shadow names {}, which this server does not have", printable(named)),
              "give it to the server first: mlopsctl policy apply FILE --candidate");
}

Result<policy::Policy> Compliance::compiled(const meta::RevisionRow& row) {
  std::lock_guard lock(mutex_);
  const auto it = compiled_.find(row.id);
  if (it != compiled_.end()) return it->second;
  MLOPS_ASSIGN(auto policy, policy::load_policy_at(row.body, row.origin, clock_));
  compiled_.emplace(row.id, policy);
  return policy;
}

Result<std::vector<PolicyRevision>> Compliance::policies(TimestampUs as_of_us) {
  using Rows = std::vector<PolicyRevision>;
  return store_.read<Rows>([&](sql::Connection& connection) -> Result<Rows> {
    MLOPS_ASSIGN(auto rows, meta::list_revisions(connection, meta::RevisionKind::kPolicy, as_of_us));
    Rows out;
    for (auto& row : rows) {
      MLOPS_ASSIGN(auto policy, compiled(row));
      out.push_back({std::move(row), std::move(policy)});
    }
    return out;
  });
}

Result<PolicyRevision> Compliance::policy(sql::Connection& connection, const std::string& name, TimestampUs as_of_us) {
  MLOPS_ASSIGN(auto row, meta::get_revision(connection, meta::RevisionKind::kPolicy, name, as_of_us));
  MLOPS_ASSIGN(auto policy, compiled(row));
  return PolicyRevision{std::move(row), std::move(policy)};
}

Result<PolicyRevision> Compliance::policy_revision(sql::Connection& connection, const std::string& id) {
  MLOPS_ASSIGN(auto row, meta::get_revision_by_id(connection, meta::RevisionKind::kPolicy, id));
  MLOPS_ASSIGN(auto policy, compiled(row));
  return PolicyRevision{std::move(row), std::move(policy)};
}

namespace {

// A format nobody can read record by record is a refusal on record, not an error of the request.
Result<std::unique_ptr<data::RecordReader>> open_for_masking(data::Source& source, const model::FileEntry& file) {
  auto reader = data::open_records(source, {.path = file.path});
  if (reader || reader.error().slug != "format_unknown") return reader;
  return fail(ErrorCode::kRefused, "not_maskable", "the file is of no format that is read record by record",
              "register the dataset as CSV, JSON, JSON Lines, FHIR or text");
}

}  // namespace

Result<policy::FilePlan> Compliance::plan_file(policy::DatasetPlanner& planner, const model::FileEntry& file) {
  MLOPS_ASSIGN(const auto blob, content_.open_blob(file.digest));
  BlobSource source(*blob, file);
  MLOPS_ASSIGN(const auto reader, open_for_masking(source, file));
  MLOPS_ASSIGN(auto plan, planner.plan(data::table_name(file.path), *reader));
  MLOPS_TRY(source.check_digest());
  return plan;
}

Result<policy::MaskEvidence> Compliance::mask_into(const policy::Policy& policy, const policy::FilePlan& plan,
                                                   const model::FileEntry& file, data::Sink& sink,
                                                   const mask::RunSecrets& secrets, const std::string& context) {
  MLOPS_ASSIGN(const auto blob, content_.open_blob(file.digest));
  BlobSource source(*blob, file);
  MLOPS_ASSIGN(const auto reader, open_for_masking(source, file));
  MLOPS_ASSIGN(auto found, policy::mask_file(policy, plan, *reader, sink, secrets, context));
  MLOPS_TRY(source.check_digest());
  return found;
}

Result<model::FileEntry> Compliance::mask_file(const policy::Policy& policy, const policy::FilePlan& plan,
                                               const model::FileEntry& file, const mask::KeySource& keys,
                                               const std::string& context, policy::MaskEvidence& evidence) {
  MLOPS_ASSIGN(auto upload, content_.start_upload());
  UploadSink sink(upload);
  MLOPS_ASSIGN(const auto found, mask_into(policy, plan, file, sink, {keys, &vault_}, context));
  MLOPS_ASSIGN(const auto stored, upload.finish());
  policy::merge_evidence(evidence, found);
  return model::FileEntry{file.path, stored.digest, stored.size_bytes};
}

Status Compliance::limit_risk(const policy::Policy& policy, const std::vector<policy::FilePlan>& plans,
                              std::vector<model::FileEntry>& masked, policy::MaskEvidence& evidence) {
  policy::ReleaseRisk risk(policy);
  if (!risk.is_asked()) return {};
  for (std::size_t i = 0; i < masked.size(); ++i) {
    MLOPS_ASSIGN(const auto blob, content_.open_blob(masked[i].digest));
    BlobSource source(*blob, masked[i]);
    MLOPS_ASSIGN(const auto reader, open_for_masking(source, masked[i]));
    MLOPS_TRY(risk.read(plans[i], *reader));
  }
  MLOPS_TRY(risk.judge(evidence));
  for (std::size_t i = 0; i < masked.size(); ++i) {
    if (!risk.suppresses_in(i)) continue;
    MLOPS_ASSIGN(const auto blob, content_.open_blob(masked[i].digest));
    BlobSource source(*blob, masked[i]);
    MLOPS_ASSIGN(const auto reader, open_for_masking(source, masked[i]));
    MLOPS_ASSIGN(auto upload, content_.start_upload());
    UploadSink sink(upload);
    MLOPS_TRY(risk.write_kept(i, *reader, sink));
    MLOPS_TRY(source.check_digest());
    MLOPS_ASSIGN(const auto stored, upload.finish());
    masked[i].digest = stored.digest;
    masked[i].size_bytes = stored.size_bytes;
  }
  return {};
}

Result<MaskedFiles> Compliance::mask(const policy::Policy& policy, const std::vector<model::FileEntry>& files,
                                     const std::string& context) {
  policy::DatasetPlanner planner(policy);
  std::vector<policy::FilePlan> plans;
  for (const auto& file : files) {
    auto plan = plan_file(planner, file);
    if (!plan) return fail(data::at_file(plan.error(), file.path));
    plan->published = file.path;
    plans.push_back(std::move(*plan));
  }
  MLOPS_TRY(planner.finish());
  MaskedFiles masked;
  policy::MaskEvidence evidence;
  const mask::PinnedKeys keys(keys_);  // tables masked before and after a rotation would not join
  for (std::size_t i = 0; i < files.size(); ++i) {
    auto entry = mask_file(policy, plans[i], files[i], keys, context, evidence);
    if (!entry) return fail(data::at_file(entry.error(), files[i].path));
    masked.files.push_back(std::move(*entry));
  }
  MLOPS_TRY(limit_risk(policy, plans, masked.files, evidence));
  for (const auto& column : evidence.columns) {
    if (!column.key_id.empty()) masked.key_cells[column.key_id] += column.cells;
  }
  MLOPS_TRY(vault_.flush());  // no token may be registered that nobody can lead back
  for (const auto& [key_id, _] : masked.key_cells) {
    if (keys_.by_id(key_id)) continue;
    return fail(ErrorCode::kConflict, "key_destroyed",
                fmt::format("the key {} was destroyed while the dataset was masked under it", key_id), "try again");
  }
  masked.evidence = policy::to_json(evidence);
  return masked;
}

}  // namespace mlops::domain
