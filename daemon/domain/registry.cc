#include "daemon/domain/registry.h"

#include <fmt/format.h>

#include <cmath>

#include "core/base/text.h"
#include "core/model/names.h"
#include "storage/meta/releases.h"

namespace mlops::domain {
namespace {

constexpr std::size_t kTreeLimitBytes = 256u << 20;
constexpr std::size_t kEntriesLimit = 1000;

Status check_metadata(const NewVersion& wanted) {
  MLOPS_TRY(model::check_artifact_name(wanted.name));
  MLOPS_TRY(model::check_free_text(wanted.description, "description"));
  if (wanted.params.size() + wanted.metrics.size() + wanted.labels.size() + wanted.inputs.size() > kEntriesLimit) {
    return fail(ErrorCode::kExhausted, "too_many_entries",
                fmt::format("more than {} params, metrics, labels and inputs", kEntriesLimit));
  }
  for (const auto& [key, value] : wanted.params) {
    MLOPS_TRY(model::check_key(key, "param"));
    MLOPS_TRY(model::check_free_text(value, fmt::format("param {}", key)));
  }
  for (const auto& [key, value] : wanted.labels) {
    MLOPS_TRY(model::check_key(key, "label"));
    MLOPS_TRY(model::check_free_text(value, fmt::format("label {}", key)));
  }
  for (const auto& [key, value] : wanted.metrics) {
    MLOPS_TRY(model::check_key(key, "metric"));
    if (!std::isfinite(value)) return fail(ErrorCode::kInvalid, "bad_metric", fmt::format("metric {} is not finite", key));
  }
  return {};
}

struct ResolvedInput {
  model::Version version;
  std::string role;
};

Result<std::vector<ResolvedInput>> resolve_inputs(sql::Connection& connection, const NewVersion& wanted) {
  std::vector<ResolvedInput> inputs;
  for (const auto& input : wanted.inputs) {
    MLOPS_TRY(model::check_key(input.role, "role"));
    if (input.role == "masked") {
      return fail(ErrorCode::kInvalid, "reserved_role", "the role \"masked\" is for masking runs of the server");
    }
    MLOPS_ASSIGN(const auto reference, model::parse_version_reference(input.ref));
    MLOPS_ASSIGN(auto version, meta::resolve(connection, reference));
    if (version.deleted_at_us != 0) {
      return fail(ErrorCode::kNotFound, "version_deleted", fmt::format("the input {} was deleted", version.ref()));
    }
    inputs.push_back({std::move(version), input.role});
  }
  return inputs;
}

// Own label: declared, or the safe default (what nobody classified, from nobody knows what, may hold personal data). Effective: the highest
// of own and inputs, fixed for ever because neither changes.
void set_sensitivity(model::Version& version, const NewVersion& wanted, const std::vector<ResolvedInput>& inputs) {
  version.sensitivity_assumed = !wanted.sensitivity && inputs.empty();
  version.own_sensitivity = wanted.sensitivity.value_or(version.sensitivity_assumed ? model::Sensitivity::kPersonal
                                                                                    : model::Sensitivity::kNone);
  version.sensitivity = version.own_sensitivity;
  for (const auto& input : inputs) version.sensitivity = std::max(version.sensitivity, input.version.sensitivity);
}

// A copy under another name does not lose its label: a file brings along the highest label its bytes have anywhere.
// Only files that are a tenth of their version, or 4 KiB, take part, so that a short licence text taints nobody.
bool carries_label(const model::FileEntry& file, const model::Manifest& manifest) {
  constexpr std::uint64_t kAlwaysBytes = 4096;
  if (file.size_bytes == 0) return false;
  return file.size_bytes >= kAlwaysBytes || file.size_bytes * 10 >= manifest.content_size_bytes;
}

Status raise_by_content(sql::Connection& connection, const model::Manifest& manifest, model::Version& version) {
  for (const auto& file : manifest.files) {
    if (!carries_label(file, manifest)) continue;
    MLOPS_ASSIGN(const auto known, meta::content_label(connection, file.digest));
    if (!known || *known <= version.sensitivity) continue;
    version.own_sensitivity = *known;
    version.sensitivity = *known;
    version.sensitivity_assumed = false;
  }
  return {};
}

Status record_content(meta::WriteTx& tx, const model::Manifest& manifest, const model::Version& version) {
  for (const auto& file : manifest.files) {
    if (!carries_label(file, manifest)) continue;
    MLOPS_TRY(meta::raise_content_label(tx, file.digest, version.sensitivity));
  }
  return {};
}

std::string unchanged_note(const NewVersion& wanted, const model::VersionView& view,
                           const std::vector<ResolvedInput>& inputs) {
  auto note = fmt::format("the same bytes are already {}", view.version.ref());
  bool inputs_differ = inputs.size() != view.inputs.size();
  for (std::size_t i = 0; i < inputs.size() && !inputs_differ; ++i) {
    inputs_differ = inputs[i].version.id != view.inputs[i].version_id || inputs[i].role != view.inputs[i].role;
  }
  if ((!wanted.params.empty() && wanted.params != view.version.params) ||
      (!wanted.metrics.empty() && wanted.metrics != view.version.metrics) || (!inputs.empty() && inputs_differ)) {
    note += "; the params, metrics or inputs given differ from its recorded ones and were not applied";
  }
  return note;
}

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

Status Registry::check_bytes(const model::Manifest& manifest) const {
  Json missing = Json::array();
  for (const auto& file : manifest.files) {
    if (!content_.has(file.digest, file.size_bytes)) missing.push_back(file.digest.to_string());
  }
  if (missing.empty()) return {};
  const auto count = missing.size();
  return fail(ErrorCode::kConflict, "blobs_missing",
              fmt::format("{} of {} files are not in the store", count, manifest.files.size()),
              "upload them first (POST /api/v1/blobs)", canonical_dump({{"missing", std::move(missing)}}));
}

Result<Registered> Registry::register_version(const meta::Actor& actor, const NewVersion& wanted, meta::Commit commit) {
  MLOPS_TRY(check_metadata(wanted));
  MLOPS_ASSIGN(const auto manifest, model::make_manifest(wanted.kind, wanted.files));
  MLOPS_TRY(check_bytes(manifest));
  if (manifest.is_tree && commit == meta::Commit::kKeep) MLOPS_TRY(content_.put(model::tree_bytes(manifest)));
  const auto body = model::manifest_bytes(manifest);
  const auto digest = crypto::sha256(body);
  return store_.write<Registered>(actor, commit, [&](meta::WriteTx& tx) -> Result<Registered> {
    MLOPS_ASSIGN(const auto inputs, resolve_inputs(tx.sql(), wanted));
    MLOPS_ASSIGN(const auto artifact, meta::find_artifact(tx.sql(), wanted.kind, wanted.name));
    if (artifact) {
      MLOPS_ASSIGN(const bool masked, meta::holds_masked_versions(tx.sql(), artifact->id));
      if (masked) {
        return fail(ErrorCode::kConflict, "reserved_name",
                    fmt::format("{} holds datasets that the server masked; only masking adds to it", wanted.name),
                    "register under another name");
      }
      MLOPS_ASSIGN(auto existing, meta::find_by_content(tx.sql(), artifact->id, digest));
      if (existing && wanted.sensitivity && *wanted.sensitivity > existing->sensitivity) {
        return fail(ErrorCode::kConflict, "sensitivity_differs",
                    fmt::format("the same bytes are already {}, labelled {}; a version's label does not change",
                                existing->ref(), to_word(existing->sensitivity)),
                    fmt::format("delete {} and register again, so that the higher label stands", existing->ref()));
      }
      if (existing) {
        MLOPS_ASSIGN(auto view, view_of(tx.sql(), std::move(*existing), 0));
        auto note = unchanged_note(wanted, view, inputs);
        return Registered{false, std::move(view), std::move(note)};
      }
    }
    model::Version version;
    version.kind = wanted.kind;
    version.name = wanted.name;
    version.digest = digest;
    version.size_bytes = manifest.content_size_bytes;
    version.file_count = manifest.file_count;
    version.params = wanted.params;
    version.metrics = wanted.metrics;
    version.description = wanted.description;
    version.git = wanted.git;
    version.created_by = actor.principal.name;
    set_sensitivity(version, wanted, inputs);
    MLOPS_TRY(raise_by_content(tx.sql(), manifest, version));
    const auto next = artifact ? artifact->last_number + 1 : 1;
    tx.begin_entry("version.register", fmt::format("{}:{}@v{}", to_word(wanted.kind), wanted.name, next));
    MLOPS_ASSIGN(const auto row, meta::upsert_artifact(tx, wanted.kind, wanted.name));
    version.artifact_id = row.id;
    MLOPS_TRY(meta::insert_version(tx, version, body));
    MLOPS_TRY(record_content(tx, manifest, version));
    for (const auto& input : inputs) MLOPS_TRY(meta::insert_edge(tx, input.version.id, version.id, input.role));
    for (const auto& [name, value] : wanted.labels) MLOPS_TRY(meta::set_label(tx, version.id, name, value));
    MLOPS_ASSIGN(auto view, view_of(tx.sql(), std::move(version), 0));
    return Registered{true, std::move(view), {}};
  });
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
  MLOPS_ASSIGN(auto shown, store_.read<Shown>([&](sql::Connection& connection) -> Result<Shown> {
    MLOPS_ASSIGN(auto version, meta::resolve(connection, reference, as_of_us));
    MLOPS_ASSIGN(auto body, meta::manifest_body(connection, version.digest));
    MLOPS_ASSIGN(auto view, view_of(connection, std::move(version), as_of_us));
    return Shown{std::move(view), std::move(body)};
  }, meta::Patience::kInstant));
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
      MLOPS_ASSIGN(const auto newest, meta::list_versions(connection, {.kind = row.kind, .name = row.name, .limit = 1}));
      if (!newest.empty()) view.latest = newest.front().ref();
      MLOPS_ASSIGN(const auto aliases, meta::aliases_of_artifact(connection, row.id));
      for (const auto& [alias, version_id] : aliases) {
        MLOPS_ASSIGN(const auto version, meta::get_version(connection, version_id));
        view.aliases[alias] = version.ref();
      }
      MLOPS_ASSIGN(const auto running, meta::list_deployments(connection, {.name = row.name, .running_only = true}));
      for (const auto& deployment : running) {
        if (deployment.kind != row.kind) continue;
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
