// Registering a version: its bytes are looked for, its label found, its rows written.
#include <fmt/format.h>

#include <cmath>

#include "core/base/text.h"
#include "core/model/names.h"
#include "daemon/domain/registry.h"
#include "daemon/domain/viewer.h"
#include "storage/meta/erasures.h"
#include "storage/meta/evidence.h"

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
    MLOPS_TRY(model::check_metric_name(key));
    if (!std::isfinite(value))
      return fail(ErrorCode::kInvalid, "bad_metric", fmt::format("metric {} is not finite", key));
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
    if (input.role == "masked" || input.role == "erased") {
      return fail(ErrorCode::kInvalid, "reserved_role",
                  fmt::format("the role \"{}\" is for what the server makes itself", input.role));
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

// Own label: declared, or the safe default (what nobody classified, from nobody knows what, may hold personal data).
// Effective: the highest of own and inputs, fixed for ever because neither changes.
void set_sensitivity(model::Version& version, const NewVersion& wanted, const std::vector<ResolvedInput>& inputs) {
  version.sensitivity_assumed = !wanted.sensitivity && inputs.empty();
  version.own_sensitivity = wanted.sensitivity.value_or(version.sensitivity_assumed ? model::Sensitivity::kPersonal
                                                                                    : model::Sensitivity::kNone);
  version.sensitivity = version.own_sensitivity;
  for (const auto& input : inputs) version.sensitivity = std::max(version.sensitivity, input.version.sensitivity);
}

// Declared truth may be raised by what a scan found, never lowered.
// Gives what a person should know; empty: nothing was raised.
std::string raise_by_scan(const LabelScan& scan, model::Version& version) {
  const auto least = scan.least();
  if (least <= version.sensitivity) return {};
  auto note =
      fmt::format("a sample holds {}{}: labelled {}, not {}", join({scan.classes.begin(), scan.classes.end()}, ", "),
                  scan.has_health ? " beside health data" : "", to_word(least), to_word(version.sensitivity));
  version.own_sensitivity = least;
  version.sensitivity = least;
  version.sensitivity_assumed = false;
  return note;
}

// What the scan found, what the inputs hold, and over both what whoever registers it says.
Result<std::map<std::string, std::string>> labels_for(sql::Connection& connection, const NewVersion& wanted,
                                                      const std::vector<ResolvedInput>& inputs, const LabelScan& scan) {
  auto labels = scan.labels();
  for (const auto& input : inputs) {
    MLOPS_ASSIGN(const auto theirs, meta::labels_of(connection, input.version.id));
    inherit_labels(labels, theirs);
  }
  for (const auto& [name, value] : wanted.labels) labels[name] = value;
  return labels;
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

// What was erased does not come back by registering it again.
Status check_not_erased(sql::Connection& connection, const model::Manifest& manifest) {
  for (const auto& file : manifest.files) {
    MLOPS_ASSIGN(const bool erased, meta::is_erased_file(connection, file.digest));
    if (!erased) continue;
    return fail(ErrorCode::kRefused, "bytes_erased",
                fmt::format("the file {} holds records of a person that were erased", printable(file.path)),
                "register it without them: `mlopsctl lineage` of the erased version shows what replaced it");
  }
  return {};
}

// What was looked at, and the words for what was found.
meta::ScanRow scan_row(const std::string& version_id, const LabelScan& scan) {
  return {version_id, static_cast<std::int64_t>(scan.classes.size()),
          canonical_dump({{"files", scan.files}, {"records", scan.records}, {"classes", scan.classes}})};
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

Result<Registered> insert(meta::WriteTx& tx, const NewVersion& wanted, const model::Manifest& manifest,
                          const std::string& body, const std::vector<ResolvedInput>& inputs, const LabelScan& scan,
                          LabelScanOptions::Mode mode) {
  MLOPS_ASSIGN(const auto artifact, meta::find_artifact(tx.sql(), wanted.kind, wanted.name));
  model::Version version;
  version.kind = wanted.kind;
  version.name = wanted.name;
  version.digest = crypto::sha256(body);
  version.size_bytes = manifest.content_size_bytes;
  version.file_count = manifest.file_count;
  version.params = wanted.params;
  version.metrics = wanted.metrics;
  version.description = wanted.description;
  version.git = wanted.git;
  version.created_by = tx.actor().principal.name;
  set_sensitivity(version, wanted, inputs);
  auto note = mode == LabelScanOptions::Mode::kRaise ? raise_by_scan(scan, version) : std::string();
  MLOPS_TRY(raise_by_content(tx.sql(), manifest, version));
  const auto next = artifact ? artifact->last_number + 1 : 1;
  tx.begin_entry("version.register", fmt::format("{}:{}@v{}", to_word(wanted.kind), wanted.name, next));
  MLOPS_ASSIGN(const auto row, meta::upsert_artifact(tx, wanted.kind, wanted.name));
  version.artifact_id = row.id;
  MLOPS_TRY(meta::insert_version(tx, version, body));
  MLOPS_TRY(record_content(tx, manifest, version));
  for (const auto& input : inputs) MLOPS_TRY(meta::insert_edge(tx, input.version.id, version.id, input.role));
  if (!wanted.schemas.is_empty()) MLOPS_TRY(meta::declare_schemas(tx, version.id, wanted.schemas));
  if (scan.files > 0) MLOPS_TRY(meta::insert_scan(tx, scan_row(version.id, scan)));
  MLOPS_ASSIGN(const auto labels, labels_for(tx.sql(), wanted, inputs, scan));
  for (const auto& [name, value] : labels) MLOPS_TRY(meta::set_label(tx, version.id, name, value));
  MLOPS_ASSIGN(auto view, view_of(tx.sql(), std::move(version), 0));
  return Registered{true, std::move(view), std::move(note)};
}

Failure blobs_missing(Json missing, std::size_t of) {
  const auto count = missing.size();
  return fail(ErrorCode::kConflict, "blobs_missing", fmt::format("{} of {} files are not in the store", count, of),
              "upload them first (POST /api/v1/blobs)", canonical_dump({{"missing", std::move(missing)}}));
}

// The manifest as far as its identity goes: of a tree only what names it.
Result<model::Manifest> described_manifest(const NewVersion& wanted) {
  if (!wanted.tree) return model::make_manifest(wanted.kind, wanted.files);
  model::Manifest manifest;
  manifest.kind = wanted.kind;
  manifest.is_tree = true;
  manifest.tree_digest = wanted.tree->digest;
  manifest.tree_size_bytes = wanted.tree->size_bytes;
  manifest.file_count = wanted.tree->file_count;
  manifest.content_size_bytes = wanted.tree->content_size_bytes;
  return manifest;
}

}  // namespace

// The files of a tree that was pushed, after making sure that it is the one tree of these files.
Status Registry::load_tree(model::Manifest& manifest, cas::OwnerTag viewer) {
  if (!content_.has(manifest.tree_digest, manifest.tree_size_bytes, viewer)) {
    return blobs_missing(Json::array({manifest.tree_digest.to_string()}), manifest.file_count + 1);
  }
  MLOPS_ASSIGN(const auto bytes, content_.read(manifest.tree_digest, kTreeLimitBytes));
  auto files = model::parse_tree(bytes);
  auto made =
      files ? model::make_manifest(manifest.kind, std::move(*files)) : Result<model::Manifest>(fail(files.error()));
  const bool is_same = made && made->is_tree && made->tree_digest == manifest.tree_digest &&
                       made->file_count == manifest.file_count &&
                       made->content_size_bytes == manifest.content_size_bytes;
  if (!is_same) {
    return fail(ErrorCode::kInvalid, "bad_tree", "the tree does not list the files that its description says",
                "docs/format/manifest.md has the format; mlopsctl register makes it");
  }
  manifest = std::move(*made);
  return {};
}

Status Registry::check_bytes(const model::Manifest& manifest, cas::OwnerTag viewer) const {
  Json missing = Json::array();
  for (const auto& file : manifest.files) {
    if (!content_.has(file.digest, file.size_bytes, viewer)) missing.push_back(file.digest.to_string());
  }
  return missing.empty() ? Status{} : Status(blobs_missing(std::move(missing), manifest.files.size()));
}

// The version that has these bytes already, or nothing. Errors: those that registering them again has.
Result<std::optional<Registered>> Registry::find_registered(sql::Connection& connection, const NewVersion& wanted,
                                                            const crypto::Digest& digest) {
  MLOPS_ASSIGN(const auto artifact, meta::find_artifact(connection, wanted.kind, wanted.name));
  if (!artifact) return std::optional<Registered>();
  MLOPS_ASSIGN(const bool masked, meta::holds_masked_versions(connection, artifact->id));
  if (masked) {
    return fail(ErrorCode::kConflict, "reserved_name",
                fmt::format("{} holds datasets that the server masked; only masking adds to it", wanted.name),
                "register under another name");
  }
  MLOPS_ASSIGN(auto existing, meta::find_by_content(connection, artifact->id, digest));
  if (!existing) return std::optional<Registered>();
  if (wanted.sensitivity && *wanted.sensitivity > existing->sensitivity) {
    return fail(ErrorCode::kConflict, "sensitivity_differs",
                fmt::format("the same bytes are already {}, labelled {}; a version's label does not change",
                            existing->ref(), to_word(existing->sensitivity)),
                fmt::format("delete {} and register again, so that the higher label stands", existing->ref()));
  }
  MLOPS_ASSIGN(const auto inputs, resolve_inputs(connection, wanted));
  MLOPS_ASSIGN(auto view, view_of(connection, std::move(*existing), 0));
  auto note = unchanged_note(wanted, view, inputs);
  return std::optional<Registered>(Registered{false, std::move(view), std::move(note)});
}

// Nothing for bytes that are registered already.
Result<LabelScan> Registry::scan(const NewVersion& wanted, const model::Manifest& manifest) const {
  if (scan_.mode == LabelScanOptions::Mode::kOff || wanted.kind != model::ArtifactKind::kDataset) return LabelScan();
  const auto digest = crypto::sha256(model::manifest_bytes(manifest));
  MLOPS_ASSIGN(const bool is_known, store_.read<bool>([&](sql::Connection& connection) -> Result<bool> {
    MLOPS_ASSIGN(const auto artifact, meta::find_artifact(connection, wanted.kind, wanted.name));
    if (!artifact) return false;
    MLOPS_ASSIGN(const auto existing, meta::find_by_content(connection, artifact->id, digest));
    return existing.has_value();
  }));
  if (is_known) return LabelScan();
  return scan_labels(content_, manifest.files, scan_);
}

Result<Registered> Registry::register_version(const meta::Actor& actor, const NewVersion& wanted, meta::Commit commit) {
  MLOPS_ASSIGN(auto registered, register_bytes(actor, wanted, commit));
  if (registered.created || wanted.schemas.is_empty()) return registered;
  // The same bytes once more may say what they take and give, if nobody said it before.
  const auto& version = registered.view.version;
  const auto declared_now = store_.write<bool>(actor, commit, [&](meta::WriteTx& tx) -> Result<bool> {
    MLOPS_ASSIGN(const auto declared, meta::schemas_of(tx.sql(), version.id));
    if (model::to_json(declared) == model::to_json(wanted.schemas)) return true;
    tx.begin_entry("version.schema", version.typed_ref());
    MLOPS_TRY(meta::declare_schemas(tx, version.id, wanted.schemas));
    return true;
  });
  if (!declared_now) return fail(declared_now.error());
  return registered;
}

Result<Registered> Registry::register_bytes(const meta::Actor& actor, const NewVersion& wanted, meta::Commit commit) {
  MLOPS_TRY(check_metadata(wanted));
  MLOPS_ASSIGN(auto manifest, described_manifest(wanted));
  const auto body = model::manifest_bytes(manifest);
  const auto digest = crypto::sha256(body);
  const auto viewer = viewer_of(actor.principal);
  const auto generation = content_.packs().generation();
  // Whoever registers an unchanged tree need not have its bytes looked for, one by one.
  if (wanted.tree) {
    using Found = std::optional<Registered>;
    MLOPS_ASSIGN(auto found, store_.read<Found>([&](sql::Connection& connection) -> Result<Found> {
      return find_registered(connection, wanted, digest);
    }));
    // After damage every file is looked for, so that pushing again heals.
    if (found && viewer == cas::kEveryone && !content_.packs().has_damage()) return std::move(*found);
    MLOPS_TRY(load_tree(manifest, viewer));
  }
  MLOPS_TRY(check_bytes(manifest, viewer));
  if (manifest.is_tree && commit == meta::Commit::kKeep && !wanted.tree) {
    MLOPS_TRY(content_.put(model::tree_bytes(manifest)));
  }
  // Before the writer is asked, so that a scan holds nobody up.
  MLOPS_ASSIGN(const auto scanned, scan(wanted, manifest));
  return store_.write<Registered>(actor, commit, [&](meta::WriteTx& tx) -> Result<Registered> {
    MLOPS_ASSIGN(const auto inputs, resolve_inputs(tx.sql(), wanted));
    MLOPS_ASSIGN(auto found, find_registered(tx.sql(), wanted, digest));
    if (found) return std::move(*found);
    MLOPS_TRY(check_not_erased(tx.sql(), manifest));
    // A collection condemns inside a closure of this same writer: what is here now stays while the version is there.
    if (content_.packs().generation() != generation) {
      MLOPS_TRY(check_bytes(manifest, viewer));
      const bool needs_tree = manifest.is_tree && commit == meta::Commit::kKeep;
      if (needs_tree && !content_.has(manifest.tree_digest, manifest.tree_size_bytes)) {
        return blobs_missing(Json::array({manifest.tree_digest.to_string()}), manifest.file_count + 1);
      }
    }
    return insert(tx, wanted, manifest, body, inputs, scanned, scan_.mode);
  });
}

}  // namespace mlops::domain
