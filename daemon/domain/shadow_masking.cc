// Masking tried with a policy in shadow: everything but a result. Nothing is stored, no key comes into being, no token
// is remembered; what remains are counts, and the word that would have refused.
#include <mutex>

#include "core/crypto/seal.h"
#include "daemon/domain/compliance.h"
#include "policies/mask/memory_vault.h"

namespace mlops::domain {
namespace {

constexpr std::size_t kKeyBytes = 32;

// A key of its own for each name, forgotten with the run: how often cells change does not depend on it.
class PassingKeys : public mask::KeySource {
 public:
  Result<mask::NamedKey> current(const std::string& name) const override {
    std::lock_guard lock(mutex_);
    auto found = keys_.find(name);
    if (found == keys_.end()) {
      MLOPS_ASSIGN(auto bytes, crypto::random_bytes(kKeyBytes));
      found = keys_.emplace(name, crypto::SecretBytes(std::move(bytes))).first;
    }
    return mask::NamedKey{mask::to_string({name, 1}), found->second};
  }
  Result<mask::NamedKey> by_id(const std::string& id) const override {
    const auto parsed = mask::parse_key_id(id);
    if (parsed && parsed->version == 1) return current(parsed->name);
    return fail(ErrorCode::kNotFound, "unknown_key_id", "a trial has one version of each key");
  }

 private:
  mutable std::mutex mutex_;
  mutable std::map<std::string, crypto::SecretBytes> keys_;
};

class NoSink : public data::Sink {
 public:
  Status write(std::string_view) override { return {}; }
};

}  // namespace

Result<policy::MaskEvidence> Compliance::try_files(const policy::Policy& policy,
                                                   const std::vector<model::FileEntry>& files,
                                                   const std::string& context) {
  policy::DatasetPlanner planner(policy);
  std::vector<policy::FilePlan> plans;
  for (const auto& file : files) {
    MLOPS_ASSIGN(auto plan, plan_file(planner, file));
    plan.published = file.path;
    plans.push_back(std::move(plan));
  }
  MLOPS_TRY(planner.finish());
  const PassingKeys keys;
  mask::MemoryVault vault;
  policy::MaskEvidence evidence;
  for (std::size_t i = 0; i < files.size(); ++i) {
    NoSink nowhere;
    MLOPS_ASSIGN(const auto found, mask_into(policy, plans[i], files[i], nowhere, {keys, &vault}, context));
    policy::merge_evidence(evidence, found);
  }
  return evidence;
}

Json Compliance::try_mask(const policy::Policy& policy, const std::vector<model::FileEntry>& files,
                          const std::string& context) {
  Json json = {{"policy", policy.name() + "@" + policy.version()}, {"digest", policy.digest().to_string()}};
  if (!policy.masks()) {
    json["verdict"] = "none";
    return json;
  }
  auto evidence = try_files(policy, files, context);
  json["verdict"] = evidence ? "pass" : "fail";
  if (!evidence) {
    json["refused_by"] = evidence.error().slug;
    return json;
  }
  for (auto& column : evidence->columns) column.key_id.clear();  // no key of the server was used
  json.update(policy::to_json(*evidence));
  // Measuring it takes the masked files, and those of a trial are not kept.
  if (policy.terms().risk.is_set()) json["risk"] = "not measured";
  return json;
}

}  // namespace mlops::domain
