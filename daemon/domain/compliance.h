// Environments and policies as declared, and masking runs.
//
// Errors: kInvalid with origin:line:column for bad YAML ("environment_invalid", "policy_invalid"), kNotFound,
// kRefused from masking ("columns_unmatched", "columns_unknown", "residual_findings", "not_maskable", "risk_too_high").
// Thread-safety: thread-safe. Keys come from the ring by their name; no name reaches a path.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/model/environment.h"
#include "core/model/manifest.h"
#include "core/model/version.h"
#include "daemon/domain/key_ring.h"
#include "daemon/domain/store_vault.h"
#include "policies/engine/mask_dataset.h"
#include "policies/engine/policy.h"
#include "storage/cas/content_store.h"
#include "storage/meta/revisions.h"
#include "storage/meta/store.h"

namespace mlops::domain {

struct EnvironmentRevision {
  meta::RevisionRow row;
  model::Environment environment;
};

struct PolicyRevision {
  meta::RevisionRow row;
  policy::Policy policy;
};

struct MaskedFiles {
  std::vector<model::FileEntry> files;
  Json evidence;
  std::string policy_revision_id;  // what really masked them, from what
  std::string source_version_id;
  std::map<std::string, std::uint64_t> key_cells;  // by key id: how many cells were masked with it
};

// The store's time, which no change of the machine's clock sets back.
class StoreClock final : public Clock {
 public:
  explicit StoreClock(const meta::Store& store) : store_(store) {}
  TimestampUs now_us() const override { return store_.now_us(); }

 private:
  const meta::Store& store_;
};

class Compliance {
 public:
  Compliance(meta::Store& store, cas::ContentStore& content, KeyRing& keys)
      : store_(store), content_(content), keys_(keys), vault_(store), clock_(store) {}

  // Whether releases can be delivered to where an environment says. Without it, environments name no directory.
  using TargetCheck = std::function<Status(const model::DeliveryTarget&)>;
  void check_targets_with(TargetCheck check) { check_target_ = std::move(check); }
  // What a Git source owns is changed there: kRefused "owned_by_source", unless there is a reason to override it.
  Result<std::vector<meta::Applied>> apply_environments(const meta::Actor& actor, const std::string& yaml,
                                                        const std::string& origin, meta::Commit commit,
                                                        const std::optional<std::string>& override_reason = {});
  Result<std::vector<EnvironmentRevision>> environments(TimestampUs as_of_us);
  Result<EnvironmentRevision> environment(sql::Connection& connection, const std::string& name,
                                          TimestampUs as_of_us = 0);

  // kCandidate: kept for policies that name it as their shadow, never in force.
  enum class PolicyUse { kInForce, kCandidate };
  Result<meta::Applied> apply_policy(const meta::Actor& actor, const std::string& yaml, const std::string& origin,
                                     meta::Commit commit, PolicyUse use = PolicyUse::kInForce,
                                     const std::optional<std::string>& override_reason = {});
  Result<std::vector<PolicyRevision>> policies(TimestampUs as_of_us);
  Result<PolicyRevision> policy_revision(sql::Connection& connection, const std::string& id);
  // As it was applied; the compiled form is cached by revision.
  Result<PolicyRevision> policy(sql::Connection& connection, const std::string& name, TimestampUs as_of_us = 0);
  // As `enforcement.shadow` names it: with a version also one that is not in force. Errors: kInvalid "shadow_unknown".
  Result<PolicyRevision> shadow_policy(sql::Connection& connection, const std::string& named);

  // Masks every file of a dataset into the content store. Nothing refers to the new blobs yet, so a refusal or a crash
  // leaves no trace in the registry. `context` binds pseudonyms to the dataset.
  Result<MaskedFiles> mask(const policy::Policy& policy, const std::vector<model::FileEntry>& files,
                           const std::string& context);
  // What mask() would have counted or refused under a policy in shadow. Never fails, keeps nothing:
  // {"policy", "digest", "verdict": pass | fail | none, "refused_by", and the counts of evidence}.
  Json try_mask(const policy::Policy& policy, const std::vector<model::FileEntry>& files, const std::string& context);
  KeyRing& keys() { return keys_; }
  StoreVault& vault() { return vault_; }

 private:
  Result<policy::Policy> compiled(const meta::RevisionRow& row);
  Result<policy::FilePlan> plan_file(policy::DatasetPlanner& planner, const model::FileEntry& file);
  Result<policy::MaskEvidence> mask_into(const policy::Policy& policy, const policy::FilePlan& plan,
                                         const model::FileEntry& file, data::Sink& sink,
                                         const mask::RunSecrets& secrets, const std::string& context);
  Result<policy::MaskEvidence> try_files(const policy::Policy& policy, const std::vector<model::FileEntry>& files,
                                         const std::string& context);
  Result<model::FileEntry> mask_file(const policy::Policy& policy, const policy::FilePlan& plan,
                                     const model::FileEntry& file, const mask::KeySource& keys,
                                     const std::string& context, policy::MaskEvidence& evidence);
  // Measures the risk of the masked files; those that lose records are stored again without them.
  Status limit_risk(const policy::Policy& policy, const std::vector<policy::FilePlan>& plans,
                    std::vector<model::FileEntry>& masked, policy::MaskEvidence& evidence);

  meta::Store& store_;
  cas::ContentStore& content_;
  KeyRing& keys_;
  StoreVault vault_;
  TargetCheck check_target_;
  StoreClock clock_;  // of `today` in compiled policies
  std::mutex mutex_;
  std::map<std::string, policy::Policy> compiled_;  // by revision id
};

// Every environment in force and each of `wanted` in its namesake's place: what they come after is declared, without a
// cycle, and so are their policies and repositories. Errors: kInvalid "environment_invalid".
Status check_environment_links(sql::Connection& connection, const std::vector<model::Environment>& wanted);

// The row of an environment that is to be applied.
meta::RevisionRow environment_row(const model::Environment& environment);

}  // namespace mlops::domain
