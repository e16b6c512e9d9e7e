#include "core/model/erasure.h"

#include <algorithm>
#include <array>
#include <set>

#include "core/base/json.h"
#include "core/crypto/digest.h"

namespace mlops::model {
namespace {

constexpr std::array<std::string_view, 5> kActions{"rewrite", "remask", "shred", "decide", "keep"};

}  // namespace

std::string_view to_word(ErasureAction action) {
  return kActions[static_cast<std::size_t>(action)];
}

std::optional<ErasureAction> erasure_action_from_word(std::string_view word) {
  const auto found = std::find(kActions.begin(), kActions.end(), word);
  if (found == kActions.end()) return std::nullopt;
  return static_cast<ErasureAction>(found - kActions.begin());
}

std::string erasure_digest(const ErasurePlan& plan) {
  Json subject = Json::array();
  for (const auto& one : plan.subject) subject.push_back({one.name_space, one.hex});
  std::vector<const ErasureStep*> steps;
  for (const auto& step : plan.steps) steps.push_back(&step);
  std::sort(steps.begin(), steps.end(), [](const auto* a, const auto* b) { return a->version_id < b->version_id; });
  Json pins = Json::array();
  for (const auto* step : steps) {
    pins.push_back({{"version", step->version_id},
                    {"digest", step->digest},
                    {"action", to_word(step->action)},
                    {"rows", step->rows},
                    {"source", step->source_version_id},
                    {"policy", step->policy_revision_id},
                    {"holds", step->holds}});
  }
  return crypto::sha256(canonical_dump({{"subject", std::move(subject)}, {"steps", std::move(pins)}})).to_string();
}

std::int64_t counted_approvals(const std::vector<ErasureApproval>& approvals, std::string_view digest,
                               std::string_view requester_id, std::string_view executor_id) {
  std::set<std::string_view> people;
  for (const auto& one : approvals) {
    const bool counts = one.decision == "approve" && one.is_human && one.digest == digest &&
                        one.principal_id != requester_id && one.principal_id != executor_id;
    if (counts) people.insert(one.principal_id);
  }
  return static_cast<std::int64_t>(people.size());
}

}  // namespace mlops::model
