#include "daemon/domain/registry.h"

#include <fmt/format.h>

#include "core/base/text.h"
#include "core/model/names.h"
#include "storage/meta/evidence.h"
#include "storage/meta/releases.h"
#include "storage/meta/retention.h"

namespace mlops::domain {
namespace {

constexpr std::size_t kTreeLimitBytes = 256u << 20;

Failure deleted_version(const model::Version& version) {
  return fail(ErrorCode::kNotFound, "version_deleted",
              fmt::format("{} was deleted: {}", version.ref(), version.deleted_reason));
}

Result<model::Version> resolve_live(sql::Connection& connection, const std::string& ref) {
  MLOPS_ASSIGN(const auto reference, model::parse_version_reference(ref));
  MLOPS_ASSIGN(auto version, meta::resolve(connection, reference));
  if (version.deleted_at_us != 0) return deleted_version(version);
  return version;
}

Status check_manifest(const model::Version& version, const std::string& body) {
  if (crypto::sha256(body) == version.digest) return {};
  return fail(ErrorCode::kCorrupt, "manifest_damaged", fmt::format("the manifest of {} is damaged", version.ref()),
              "restore a backup");
}

Status check_not_held(sql::Connection& connection, const model::Version& version) {
  MLOPS_ASSIGN(const auto holds, meta::open_holds_of(connection, version.id));
  if (holds.empty()) return {};
  std::vector<std::string> cases;
  for (const auto& hold : holds) cases.push_back(hold.case_id);
  return fail(
      ErrorCode::kConflict, "version_held",
      fmt::format("{} is held for {} {}", version.ref(), cases.size() == 1 ? "case" : "cases", join(cases, ", ")),
      "deprecate it instead, or release the holds: `mlopsctl hold list`", canonical_dump({{"cases", cases}}));
}

Status check_not_in_use(sql::Connection& connection, const model::Version& version) {
  MLOPS_ASSIGN(const auto running,
               meta::list_deployments(connection, {.version_id = version.id, .running_only = true, .limit = 1}));
  if (!running.empty()) {
    return fail(ErrorCode::kConflict, "version_in_use",
                fmt::format("{} runs in {}", version.ref(), running.front().environment), "replace it there first");
  }
  MLOPS_ASSIGN(const auto effects, meta::edges_of(connection, version.id, meta::Direction::kDown));
  for (const auto& edge : effects) {
    MLOPS_ASSIGN(const auto effect, meta::get_version(connection, edge.to_version_id));
    if (effect.deleted_at_us != 0) continue;
    return fail(ErrorCode::kConflict, "version_in_use",
                fmt::format("{} was made from {} ({})", effect.ref(), version.ref(), edge.role),
                "deprecate it instead, or delete what was made from it first");
  }
  return {};
}

}  // namespace

Result<model::VersionView> view_of(sql::Connection& connection, model::Version version, TimestampUs as_of_us) {
  model::VersionView view;
  MLOPS_ASSIGN(view.labels, meta::labels_of(connection, version.id, as_of_us));
  MLOPS_ASSIGN(view.aliases, meta::aliases_of(connection, version.id, as_of_us));
  MLOPS_ASSIGN(view.inputs, meta::inputs_of(connection, version.id));
  MLOPS_ASSIGN(view.environments, meta::environments_of(connection, version.id, as_of_us));
  MLOPS_ASSIGN(const auto masking, meta::masking_runs_of_output(connection, version.id));
  if (!masking.empty()) {
    MLOPS_ASSIGN(const auto source, meta::get_version(connection, masking.front().source_version_id));
    view.masked_from = source.ref();
  }
  // Seen from before its deletion, a version was not deleted.
  if (as_of_us != 0 && version.deleted_at_us > as_of_us) {
    version.deleted_at_us = 0;
    version.deleted_reason.clear();
  }
  view.version = std::move(version);
  return view;
}

Result<std::vector<model::FileEntry>> Registry::files_of(const model::Version& version,
                                                         const std::string& manifest_body) {
  MLOPS_TRY(check_manifest(version, manifest_body));
  MLOPS_ASSIGN(auto manifest, model::parse_manifest(manifest_body));
  if (!manifest.is_tree) return std::move(manifest.files);
  MLOPS_ASSIGN(const auto tree, content_.read(manifest.tree_digest, kTreeLimitBytes));
  return model::parse_tree(tree);
}

Result<model::VersionView> Registry::show(const std::string& ref, TimestampUs as_of_us) {
  MLOPS_ASSIGN(const auto reference, model::parse_version_reference(ref));
  struct Shown {
    model::VersionView view;
    std::string manifest_body;
  };
  MLOPS_ASSIGN(auto shown, store_.read<Shown>(
                               [&](sql::Connection& connection) -> Result<Shown> {
                                 MLOPS_ASSIGN(auto version, meta::resolve(connection, reference, as_of_us));
                                 MLOPS_ASSIGN(auto body, meta::manifest_body(connection, version.digest));
                                 MLOPS_ASSIGN(auto view, view_of(connection, std::move(version), as_of_us));
                                 MLOPS_ASSIGN(view.schemas, meta::schemas_of(connection, view.version.id));
                                 return Shown{std::move(view), std::move(body)};
                               },
                               meta::Patience::kInstant));
  MLOPS_TRY(check_manifest(shown.view.version, shown.manifest_body));
  MLOPS_ASSIGN(auto manifest, model::parse_manifest(shown.manifest_body));
  shown.view.files_truncated = manifest.is_tree;
  shown.view.files = std::move(manifest.files);
  return std::move(shown.view);
}

Result<std::string> Registry::manifest(const std::string& ref) {
  MLOPS_ASSIGN(const auto reference, model::parse_version_reference(ref));
  return store_.read<std::string>([&](sql::Connection& connection) -> Result<std::string> {
    MLOPS_ASSIGN(const auto version, meta::resolve(connection, reference));
    if (version.deleted_at_us != 0) return deleted_version(version);
    return meta::manifest_body(connection, version.digest);
  });
}

Result<std::vector<model::FileEntry>> Registry::files(const std::string& ref) {
  using Pair = std::pair<model::Version, std::string>;
  MLOPS_ASSIGN(const auto found, store_.read<Pair>([&](sql::Connection& connection) -> Result<Pair> {
    MLOPS_ASSIGN(auto version, resolve_live(connection, ref));
    MLOPS_ASSIGN(auto body, meta::manifest_body(connection, version.digest));
    return Pair{std::move(version), std::move(body)};
  }));
  return files_of(found.first, found.second);
}

Result<std::vector<model::VersionView>> Registry::list(const meta::VersionFilter& filter) {
  using Views = std::vector<model::VersionView>;
  return store_.read<Views>([&](sql::Connection& connection) -> Result<Views> {
    MLOPS_ASSIGN(auto versions, meta::list_versions(connection, filter));
    Views views;
    for (auto& version : versions) {
      MLOPS_ASSIGN(auto view, view_of(connection, std::move(version), filter.as_of_us));
      views.push_back(std::move(view));
    }
    return views;
  });
}

Result<std::vector<model::ArtifactView>> Registry::list_artifacts(const meta::ArtifactFilter& filter) {
  using Views = std::vector<model::ArtifactView>;
  return store_.read<Views>([&](sql::Connection& connection) -> Result<Views> {
    MLOPS_ASSIGN(const auto rows, meta::list_artifacts(connection, filter));
    Views views;
    for (const auto& row : rows) {
      model::ArtifactView view;
      view.kind = row.kind;
      view.name = row.name;
      MLOPS_ASSIGN(view.versions, meta::count_versions(connection, row.id));
      MLOPS_ASSIGN(const auto newest,
                   meta::list_versions(connection, {.kind = row.kind, .name = row.name, .limit = 1}));
      if (!newest.empty()) view.latest = newest.front().ref();
      MLOPS_ASSIGN(const auto aliases, meta::aliases_of_artifact(connection, row.id));
      for (const auto& [alias, version_id] : aliases) {
        MLOPS_ASSIGN(const auto version, meta::get_version(connection, version_id));
        view.aliases[alias] = version.ref();
      }
      MLOPS_ASSIGN(const auto running, meta::list_deployments(connection, {.name = row.name, .running_only = true}));
      for (const auto& deployment : running) {
        if (deployment.kind != to_word(row.kind)) continue;
        MLOPS_ASSIGN(const auto members, meta::release_members(connection, deployment.release_id));
        if (!members.empty()) view.environments[deployment.environment] = members.front().ref();
      }
      views.push_back(std::move(view));
    }
    return views;
  });
}

Result<model::VersionView> Registry::label(const meta::Actor& actor, const std::string& ref,
                                           const std::map<std::string, std::string>& set,
                                           const std::vector<std::string>& remove, meta::Commit commit) {
  if (set.empty() && remove.empty()) {
    return fail(ErrorCode::kInvalid, "nothing_to_do", "no label was given", "write key=value to set, key- to remove");
  }
  for (const auto& [name, value] : set) {
    MLOPS_TRY(model::check_key(name, "label"));
    MLOPS_TRY(model::check_free_text(value, fmt::format("label {}", name)));
  }
  return store_.write<model::VersionView>(actor, commit, [&](meta::WriteTx& tx) -> Result<model::VersionView> {
    MLOPS_ASSIGN(auto version, resolve_live(tx.sql(), ref));
    tx.begin_entry("version.label", version.typed_ref());
    for (const auto& [name, value] : set) MLOPS_TRY(meta::set_label(tx, version.id, name, value));
    for (const auto& name : remove) MLOPS_TRY(meta::set_label(tx, version.id, name, std::nullopt));
    return view_of(tx.sql(), std::move(version), 0);
  });
}

Result<Registry::AliasChange> Registry::set_alias(const meta::Actor& actor, const std::string& ref,
                                                  const std::string& alias, meta::Commit commit) {
  MLOPS_TRY(model::check_alias(alias));
  return store_.write<AliasChange>(actor, commit, [&](meta::WriteTx& tx) -> Result<AliasChange> {
    MLOPS_ASSIGN(const auto version, resolve_live(tx.sql(), ref));
    AliasChange change{alias, version.ref(), {}};
    MLOPS_ASSIGN(const auto current, meta::alias_target(tx.sql(), version.artifact_id, alias));
    if (current) {
      MLOPS_ASSIGN(const auto previous, meta::get_version(tx.sql(), *current));
      change.previous = previous.ref();
      if (previous.id == version.id) return change;
    }
    tx.begin_entry("alias.set", fmt::format("{}:{}@{}", to_word(version.kind), version.name, alias), change.ref);
    MLOPS_TRY(meta::set_alias(tx, version.artifact_id, alias, version.id));
    return change;
  });
}

Result<Registry::AliasChange> Registry::remove_alias(const meta::Actor& actor, const std::string& name,
                                                     const std::string& alias, meta::Commit commit) {
  MLOPS_ASSIGN(const auto reference, model::parse_reference(name));
  if (reference.selector != model::Reference::Selector::kBare) {
    return fail(ErrorCode::kInvalid, "bad_reference", "an alias is removed from an artifact: give its bare name");
  }
  MLOPS_TRY(model::check_alias(alias));
  return store_.write<AliasChange>(actor, commit, [&](meta::WriteTx& tx) -> Result<AliasChange> {
    MLOPS_ASSIGN(const auto artifact, meta::the_artifact(tx.sql(), reference.kind, reference.name));
    MLOPS_ASSIGN(const auto current, meta::alias_target(tx.sql(), artifact.id, alias));
    if (!current) {
      return fail(ErrorCode::kNotFound, "alias_not_found", fmt::format("{} has no alias {}", artifact.name, alias));
    }
    MLOPS_ASSIGN(const auto previous, meta::get_version(tx.sql(), *current));
    tx.begin_entry("alias.remove", fmt::format("{}:{}@{}", to_word(artifact.kind), artifact.name, alias));
    MLOPS_TRY(meta::set_alias(tx, artifact.id, alias, std::nullopt));
    return AliasChange{alias, {}, previous.ref()};
  });
}

Result<model::VersionView> Registry::deprecate(const meta::Actor& actor, const std::string& ref,
                                               const std::string& reason, meta::Commit commit) {
  MLOPS_TRY(model::check_free_text(reason, "reason"));
  return store_.write<model::VersionView>(actor, commit, [&](meta::WriteTx& tx) -> Result<model::VersionView> {
    MLOPS_ASSIGN(auto version, resolve_live(tx.sql(), ref));
    if (version.deprecated_reason != reason) {
      tx.begin_entry("version.deprecate", version.typed_ref(), reason);
      MLOPS_TRY(meta::set_deprecated(tx, version.id, reason));
      version.deprecated_reason = reason;
    }
    return view_of(tx.sql(), std::move(version), 0);
  });
}

Result<model::VersionView> Registry::remove(const meta::Actor& actor, const std::string& ref, const std::string& reason,
                                            meta::Commit commit) {
  MLOPS_TRY(model::check_free_text(reason, "reason"));
  if (trim(reason).empty()) {
    return fail(ErrorCode::kInvalid, "reason_needed", "deleting a version needs a reason", "give --reason");
  }
  return store_.write<model::VersionView>(actor, commit, [&](meta::WriteTx& tx) -> Result<model::VersionView> {
    MLOPS_ASSIGN(auto version, resolve_live(tx.sql(), ref));
    MLOPS_TRY(check_not_held(tx.sql(), version));
    MLOPS_TRY(check_not_in_use(tx.sql(), version));
    tx.begin_entry("version.delete", version.typed_ref(), reason);
    MLOPS_ASSIGN(const auto aliases, meta::aliases_of(tx.sql(), version.id));
    for (const auto& alias : aliases) MLOPS_TRY(meta::set_alias(tx, version.artifact_id, alias, std::nullopt));
    MLOPS_TRY(meta::set_deleted(tx, version.id, reason));
    version.deleted_at_us = tx.now_us();
    version.deleted_reason = reason;
    return view_of(tx.sql(), std::move(version), 0);
  });
}

}  // namespace mlops::domain
