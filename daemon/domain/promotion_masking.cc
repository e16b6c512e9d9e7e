// A dataset above the clearance on its way: masked outside the writer, registered inside it with its evidence.
#include <fmt/format.h>

#include <algorithm>

#include "daemon/domain/label_scan.h"
#include "daemon/domain/promotion.h"
#include "policies/engine/exception_scope.h"
#include "storage/meta/lineage.h"
#include "storage/meta/versions.h"

namespace mlops::domain {
namespace {

// Masked versions live in artifacts of their own: beside versions that anybody registered, a rollback could bring raw
// data back under the masked name.
Status check_output_artifact(sql::Connection& connection, const meta::ArtifactRow& artifact) {
  if (artifact.last_number == 0) return {};
  MLOPS_ASSIGN(const bool masked, meta::holds_masked_versions(connection, artifact.id));
  if (masked) return {};
  return fail(ErrorCode::kConflict, "output_name_taken",
              fmt::format("the masked dataset would be called {}, and others have registered versions under that name",
                          artifact.name),
              "give the policy another output.name");
}

}  // namespace

Result<std::optional<MaskedFiles>> Promotion::mask_if_planned(const Draft& drafted) {
  if (!drafted.plan.masking) return std::optional<MaskedFiles>();
  const auto& planned = *drafted.plan.masking;
  std::vector<model::FileEntry> files;
  std::string source_digest;
  std::string source_name;  // the context: the same person gets the same pseudonym in every version of one dataset
  for (const auto& member : drafted.members) {
    if (member.id != planned.source_version_id) continue;
    source_name = member.name;
    source_digest = member.digest.to_string();
    MLOPS_ASSIGN(const auto body, store_.read<std::string>([&](sql::Connection& connection) {
      return meta::manifest_body(connection, member.digest);
    }));
    MLOPS_ASSIGN(auto manifest, model::parse_manifest(body));
    if (manifest.is_tree) {
      MLOPS_ASSIGN(const auto tree, content_.read(manifest.tree_digest, 256u << 20));
      MLOPS_ASSIGN(manifest.files, model::parse_tree(tree));
    }
    files = std::move(manifest.files);
  }
  for (const auto& revision : drafted.policies) {
    if (revision.row.id != planned.policy.revision_id) continue;
    MLOPS_TRY(policy::check_exception_scope(revision.policy, "dataset:" + source_name, source_digest));
    MLOPS_ASSIGN(auto masked, compliance_.mask(revision.policy, files, source_name));
    if (auto shadow = masked_in_shadow(drafted, revision, files, source_name); !shadow.is_null()) {
      masked.evidence["shadow"] = std::move(shadow);
    }
    masked.policy_revision_id = planned.policy.revision_id;
    masked.source_version_id = planned.source_version_id;
    return std::optional(std::move(masked));
  }
  return fail(ErrorCode::kInternal, "masking_policy_lost", "the masking policy of the plan is not among its policies");
}

// Null: nothing stands in the policy's shadow.
Json Promotion::masked_in_shadow(const Draft& drafted, const PolicyRevision& policy,
                                 const std::vector<model::FileEntry>& files, const std::string& context) {
  for (std::size_t i = 0; i < drafted.shadows.size(); ++i) {
    if (drafted.plan.shadow_pins[i].beside != policy.row.name) continue;
    return compliance_.try_mask(drafted.shadows[i].policy, files, context);
  }
  return nullptr;
}

Result<model::MaskingView> Promotion::register_masked(meta::WriteTx& tx, Draft& drafted, const MaskedFiles& masked) {
  const auto planned = *drafted.plan.masking;
  const auto member = std::find_if(drafted.members.begin(), drafted.members.end(),
                                   [&](const auto& version) { return version.id == planned.source_version_id; });
  MLOPS_ASSIGN(const auto manifest, model::make_manifest(model::ArtifactKind::kDataset, masked.files));
  const auto body = model::manifest_bytes(manifest);
  if (manifest.is_tree) MLOPS_TRY(content_.put(model::tree_bytes(manifest)));
  // They were stored before this transaction, and a collection that heeds no leases may have run since.
  for (const auto& file : manifest.files) {
    if (content_.has(file.digest, file.size_bytes)) continue;
    return fail(ErrorCode::kUnavailable, "store_changed", "masked bytes were collected before they were registered",
                "try again");
  }
  for (const auto& [key_id, cells] : masked.key_cells) {
    tx.begin_entry("key.use", key_id, fmt::format("{} cells of {}", cells, planned.source_ref), planned.policy.digest);
  }
  tx.begin_entry("dataset.mask", fmt::format("{} → {}", planned.source_ref, planned.output_name),
                 fmt::format("policy {}", planned.policy.name), planned.policy.digest);
  MLOPS_ASSIGN(const auto artifact, meta::upsert_artifact(tx, model::ArtifactKind::kDataset, planned.output_name));
  MLOPS_TRY(check_output_artifact(tx.sql(), artifact));
  model::Version output;
  MLOPS_ASSIGN(auto existing, meta::find_by_content(tx.sql(), artifact.id, crypto::sha256(body)));
  model::Sensitivity label = model::Sensitivity::kPersonal;
  for (const auto& revision : drafted.policies) {
    if (revision.row.id == planned.policy.revision_id) label = revision.policy.output_sensitivity();
  }
  if (existing && existing->sensitivity != label) {
    return fail(ErrorCode::kConflict, "masked_label_differs",
                fmt::format("the same masked bytes are already {}, labelled {}", existing->ref(),
                            to_word(existing->sensitivity)),
                "delete that version, or give the policy another output name");
  }
  if (existing) {
    output = std::move(*existing);
  } else {
    output.artifact_id = artifact.id;
    output.kind = model::ArtifactKind::kDataset;
    output.name = planned.output_name;
    output.digest = crypto::sha256(body);
    output.size_bytes = manifest.content_size_bytes;
    output.file_count = manifest.file_count;
    output.description = fmt::format("{} masked under policy {}", planned.source_ref, planned.policy.name);
    output.own_sensitivity = label;
    output.sensitivity = label;
    output.created_by = tx.actor().principal.name;
    MLOPS_TRY(meta::insert_version(tx, output, body));
    MLOPS_ASSIGN(const auto labels, meta::labels_of(tx.sql(), planned.source_version_id));
    for (const auto& [name, value] : labels_after_masking(labels, masked.evidence)) {
      MLOPS_TRY(meta::set_label(tx, output.id, name, value));
    }
  }
  MLOPS_TRY(meta::insert_edge(tx, planned.source_version_id, output.id, "masked"));
  const meta::MaskingRunRow run{
      tx.new_id(), planned.source_version_id, output.id, planned.policy.revision_id, canonical_dump(masked.evidence),
      tx.now_us(), tx.actor().principal.name};
  MLOPS_TRY(meta::insert_masking_run(tx, run));
  auto& facts = drafted.facts.members[static_cast<std::size_t>(member - drafted.members.begin())];
  facts.keys.clear();  // what was used, where the plan said what would be
  for (const auto& [key_id, _] : masked.key_cells) facts.keys.push_back(key_id);
  *member = output;
  return model::MaskingView{
      run.id,          planned.source_ref, output.ref(), planned.policy.name, planned.policy.digest,
      masked.evidence, run.created_at_us};
}

}  // namespace mlops::domain
