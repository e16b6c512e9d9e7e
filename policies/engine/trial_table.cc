#include "policies/engine/trial_table.h"

#include "policies/data/records.h"
#include "policies/engine/mask_dataset.h"
#include "policies/mask/memory_vault.h"

namespace mlops::policy {
namespace {

constexpr std::string_view kDatasetName = "test";

// The same pseudonyms every time, and those of nobody's key.
class TrialKeys : public mask::KeySource {
 public:
  Result<mask::NamedKey> current(const std::string& name) const override { return by_id(mask::to_string({name, 1})); }
  Result<mask::NamedKey> by_id(const std::string& id) const override {
    const auto parsed = mask::parse_key_id(id);
    if (!parsed || parsed->version != 1) return fail(ErrorCode::kNotFound, "unknown_key_id", "tests have one version");
    return mask::NamedKey{id, mask::derive_key(std::vector<std::uint8_t>(32, 1), parsed->name)};
  }
};

}  // namespace

Result<std::string> mask_trial(const Policy& policy, const TrialTable& table) {
  const auto name = table.path.substr(0, table.path.find('.'));
  data::StringSource first(table.text);
  MLOPS_ASSIGN(const auto reader, data::open_records(first, {.path = table.path}));
  DatasetPlanner planner(policy);
  MLOPS_ASSIGN(const auto plan, planner.plan(name, *reader));
  MLOPS_TRY(planner.finish());
  data::StringSource second(table.text);
  MLOPS_ASSIGN(const auto again, data::open_records(second, {.path = table.path}));
  data::StringSink sink;
  const TrialKeys keys;
  mask::MemoryVault vault;
  MLOPS_ASSIGN([[maybe_unused]] const auto evidence,
               mask_file(policy, plan, *again, sink, {keys, &vault}, std::string(kDatasetName)));
  return sink.text;
}

}  // namespace mlops::policy
