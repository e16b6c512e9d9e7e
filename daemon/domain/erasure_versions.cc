// One version leaves: replaced by what remains of it, or without a replacement.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "daemon/domain/erasure_application.h"
#include "storage/meta/lineage.h"
#include "storage/meta/releases.h"
#include "storage/meta/retention.h"
#include "storage/meta/versions.h"

namespace mlops::domain {
namespace {

constexpr std::string_view kErasedRole = "erased";
constexpr std::string_view kMaskedRole = "masked";

std::string reason_of(const std::string& erasure_id) {
  return "erasure " + erasure_id;
}

// A hold that came after the plan: the version stays.
Result<bool> keep_if_held(meta::WriteTx& tx, const model::Version& version, meta::ErasureItemRow& item) {
  MLOPS_ASSIGN(const auto holds, meta::open_holds_of(tx.sql(), version.id));
  if (holds.empty()) return false;
  Json cases = Json::array();
  for (const auto& hold : holds) cases.push_back(hold.case_id);
  MLOPS_ASSIGN(auto detail, parse_json(item.detail));
  detail["holds"] = std::move(cases);
  item.state = "kept";
  item.detail = canonical_dump(detail);
  tx.begin_entry("erasure.keep", version.typed_ref(), reason_of(item.erasure_id));
  MLOPS_TRY(meta::settle_erasure_item(tx, item));
  return true;
}

// What runs the version runs its replacement, under the plan that brought it there; without one it runs no more.
Result<std::vector<std::string>> move_deployments(meta::WriteTx& tx, const model::Version& old,
                                                  const model::Version* fresh, const std::string& reason) {
  MLOPS_ASSIGN(const auto running,
               meta::list_deployments(tx.sql(), {.version_id = old.id, .running_only = true, .limit = 10'000}));
  std::vector<std::string> environments;
  for (const auto& row : running) {
    environments.push_back(row.environment);
    MLOPS_TRY(meta::close_deployment(tx, row.id));
    if (fresh == nullptr) continue;
    MLOPS_ASSIGN(auto members, meta::release_members(tx.sql(), row.release_id));
    for (auto& member : members) {
      if (member.id == old.id) member = *fresh;
    }
    MLOPS_ASSIGN(const auto release, meta::upsert_release(tx, members));
    auto next = row;
    next.id = tx.new_id();
    next.release_id = release.id;
    next.release_number = release.number;
    next.action = "erase";
    next.reason = reason;
    next.created_by = tx.actor().principal.name;
    next.valid_from_us = tx.now_us();
    next.valid_to_us.reset();
    MLOPS_TRY(meta::insert_deployment(tx, next));
  }
  return environments;
}

Result<std::vector<std::string>> move_aliases(meta::WriteTx& tx, const model::Version& old,
                                              const model::Version* fresh) {
  MLOPS_ASSIGN(const auto aliases, meta::aliases_of(tx.sql(), old.id));
  for (const auto& alias : aliases) {
    MLOPS_TRY(meta::set_alias(tx, old.artifact_id, alias, fresh ? std::optional(fresh->id) : std::nullopt));
  }
  return aliases;
}

Status mark_erased(meta::WriteTx& tx, const std::vector<crypto::Digest>& files, const std::string& erasure_id) {
  for (const auto& file : files) MLOPS_TRY(meta::insert_erased_file(tx, file, erasure_id));
  return {};
}

// The old version's metadata over other bytes.
Result<model::Version> insert_fresh(meta::WriteTx& tx, const model::Version& old, const model::Manifest& manifest,
                                    const std::string& body) {
  MLOPS_ASSIGN(auto existing, meta::find_by_content(tx.sql(), old.artifact_id, crypto::sha256(body)));
  if (existing) return std::move(*existing);
  auto fresh = old;
  fresh.id.clear();
  fresh.number = 0;
  fresh.digest = crypto::sha256(body);
  fresh.size_bytes = manifest.content_size_bytes;
  fresh.file_count = manifest.file_count;
  fresh.created_by = tx.actor().principal.name;
  fresh.deprecated_reason.clear();
  MLOPS_TRY(meta::insert_version(tx, fresh, body));
  MLOPS_ASSIGN(const auto labels, meta::labels_of(tx.sql(), old.id));
  for (const auto& [name, value] : labels) MLOPS_TRY(meta::set_label(tx, fresh.id, name, value));
  if (!old.deprecated_reason.empty()) MLOPS_TRY(meta::set_deprecated(tx, fresh.id, old.deprecated_reason));
  return fresh;
}

}  // namespace

Result<Erasure::Replacement> Erasure::remask(Application& work, const model::ErasureStep& step) {
  MLOPS_ASSIGN(const auto source_files, clean_files(work, step.source_version_id));
  struct Made {
    PolicyRevision policy;
    std::string context;
  };
  MLOPS_ASSIGN(const auto made, store_.read<Made>([&](sql::Connection& connection) -> Result<Made> {
    MLOPS_ASSIGN(auto policy, compliance_.policy_revision(connection, step.policy_revision_id));
    MLOPS_ASSIGN(const auto source, meta::get_version(connection, step.source_version_id));
    return Made{std::move(policy), source.name};
  }));
  Replacement replacement;
  auto masked = compliance_.mask(made.policy.policy, source_files, made.context);
  if (!masked && masked.error().code == ErrorCode::kRefused) {
    replacement.refused_because = masked.error().slug;
    return replacement;
  }
  if (!masked) return fail(masked.error());
  replacement.files = std::move(masked->files);
  replacement.evidence = std::move(masked->evidence);
  replacement.key_cells = std::move(masked->key_cells);
  return replacement;
}

Status Erasure::replace(Application& work, const model::ErasureStep& step, const meta::ErasureItemRow& item) {
  Replacement replacement;
  if (step.action == model::ErasureAction::kRemask) {
    MLOPS_ASSIGN(replacement, remask(work, step));
    if (!replacement.refused_because.empty()) {
      return shred(work, step, item, "masking it again was refused: " + replacement.refused_because);
    }
  } else {
    MLOPS_ASSIGN(replacement.files, clean_files(work, step.version_id));
  }
  auto done = store_.write<bool>(work.actor, meta::Commit::kKeep, [&](meta::WriteTx& tx) -> Result<bool> {
    MLOPS_TRY(put_replacement(tx, step, item, replacement));
    return true;
  });
  return done ? Status{} : Status(fail(done.error()));
}

Status Erasure::put_replacement(meta::WriteTx& tx, const model::ErasureStep& step, meta::ErasureItemRow item,
                                const Replacement& replacement) {
  MLOPS_ASSIGN(const auto old, meta::get_version(tx.sql(), step.version_id));
  MLOPS_ASSIGN(const bool is_held, keep_if_held(tx, old, item));
  if (is_held) return {};
  MLOPS_ASSIGN(const auto before, blobs_of(manifest_reader(tx.sql()), content_, old.digest));
  MLOPS_ASSIGN(const auto manifest, model::make_manifest(old.kind, replacement.files));
  for (const auto& file : manifest.files) {
    if (content_.has(file.digest, file.size_bytes)) continue;
    return fail(ErrorCode::kUnavailable, "store_changed", "rewritten bytes were collected before they were registered",
                "apply again");
  }
  if (manifest.is_tree) MLOPS_TRY(content_.put(model::tree_bytes(manifest)));
  std::set<crypto::Digest> kept;
  for (const auto& file : manifest.files) kept.insert(file.digest);
  std::vector<crypto::Digest> gone;
  std::set<crypto::Digest> former;
  for (const auto& file : before.files) {
    former.insert(file.digest);
    if (!kept.contains(file.digest)) gone.push_back(file.digest);
  }
  for (const auto& [key_id, cells] : replacement.key_cells) {
    tx.begin_entry("key.use", key_id, fmt::format("{} cells of {}", cells, old.typed_ref()));
  }
  tx.begin_entry("version.erase", old.typed_ref(), reason_of(item.erasure_id));
  MLOPS_ASSIGN(const auto fresh, insert_fresh(tx, old, manifest, model::manifest_bytes(manifest)));
  for (const auto& file : manifest.files) {
    if (!former.contains(file.digest)) MLOPS_TRY(meta::raise_content_label(tx, file.digest, fresh.sensitivity));
  }
  MLOPS_TRY(meta::insert_edge(tx, old.id, fresh.id, std::string(kErasedRole)));
  if (step.action == model::ErasureAction::kRemask)
    MLOPS_TRY(put_masking(tx, step, item.erasure_id, fresh, replacement));
  MLOPS_ASSIGN(const auto aliases, move_aliases(tx, old, &fresh));
  MLOPS_ASSIGN(const auto environments, move_deployments(tx, old, &fresh, reason_of(item.erasure_id)));
  if (old.deleted_at_us == 0) MLOPS_TRY(meta::set_deleted(tx, old.id, reason_of(item.erasure_id)));
  MLOPS_TRY(mark_erased(tx, gone, item.erasure_id));
  item.state = "done";
  item.replacement_id = fresh.id;
  item.detail = canonical_dump({{"before", step.digest},
                                {"after", fresh.digest.to_string()},
                                {"rows", step.rows},
                                {"files", gone.size()},
                                {"aliases", aliases},
                                {"environments", environments}});
  return meta::settle_erasure_item(tx, item);
}

// A run of its own: the evidence is of what is there now. A source that a hold keeps has no clean version to name.
Status Erasure::put_masking(meta::WriteTx& tx, const model::ErasureStep& step, const std::string& erasure_id,
                            const model::Version& fresh, const Replacement& replacement) {
  MLOPS_ASSIGN(const auto items, meta::erasure_items_of(tx.sql(), erasure_id));
  const auto source = std::find_if(items.begin(), items.end(), [&](const auto& item) {
    return item.version_id == step.source_version_id && !item.replacement_id.empty();
  });
  if (source == items.end()) return {};
  MLOPS_TRY(meta::insert_edge(tx, source->replacement_id, fresh.id, std::string(kMaskedRole)));
  return meta::insert_masking_run(tx, {tx.new_id(), source->replacement_id, fresh.id, step.policy_revision_id,
                                       canonical_dump(replacement.evidence), tx.now_us(), tx.actor().principal.name});
}

Status Erasure::shred(Application& work, const model::ErasureStep& step, meta::ErasureItemRow item,
                      const std::string& why) {
  auto done = store_.write<bool>(work.actor, meta::Commit::kKeep, [&](meta::WriteTx& tx) -> Result<bool> {
    MLOPS_ASSIGN(const auto old, meta::get_version(tx.sql(), step.version_id));
    MLOPS_ASSIGN(const bool is_held, keep_if_held(tx, old, item));
    if (is_held) return true;
    MLOPS_ASSIGN(const auto before, blobs_of(manifest_reader(tx.sql()), content_, old.digest));
    std::vector<crypto::Digest> gone;
    for (const auto& file : before.files) {
      const bool is_masked = !step.source_version_id.empty();
      if (is_masked || work.found.files.contains(file.digest)) gone.push_back(file.digest);
    }
    tx.begin_entry("version.erase", old.typed_ref(), reason_of(item.erasure_id));
    MLOPS_ASSIGN(const auto aliases, move_aliases(tx, old, nullptr));
    MLOPS_ASSIGN(const auto environments, move_deployments(tx, old, nullptr, reason_of(item.erasure_id)));
    if (old.deleted_at_us == 0) MLOPS_TRY(meta::set_deleted(tx, old.id, reason_of(item.erasure_id)));
    MLOPS_TRY(mark_erased(tx, gone, item.erasure_id));
    item.state = "done";
    item.detail = canonical_dump({{"before", step.digest},
                                  {"rows", step.rows},
                                  {"files", gone.size()},
                                  {"why", why},
                                  {"aliases", aliases},
                                  {"environments", environments}});
    MLOPS_TRY(meta::settle_erasure_item(tx, item));
    return true;
  });
  return done ? Status{} : Status(fail(done.error()));
}

}  // namespace mlops::domain
