#include "daemon/domain/change_facts.h"

#include <algorithm>
#include <optional>

#include "storage/meta/lineage.h"
#include "storage/meta/releases.h"
#include "storage/meta/tenants.h"

namespace mlops::domain {
namespace {

constexpr std::size_t kHistoryLimit = 1000;

// The newest time without gap in which the environment ran one of these versions. Rows come newest first.
std::optional<model::SoakFact> newest_time(const std::string& environment,
                                           const std::vector<meta::DeploymentRow>& rows) {
  if (rows.empty()) return std::nullopt;
  model::SoakFact fact{environment, rows.front().valid_from_us, rows.front().valid_to_us.value_or(0)};
  for (const auto& row : rows) {
    const bool runs = !row.valid_to_us;
    if (!runs && *row.valid_to_us < fact.since_us) continue;
    fact.since_us = std::min(fact.since_us, row.valid_from_us);
    if (runs) fact.until_us = 0;
    if (fact.until_us != 0) fact.until_us = std::max(fact.until_us, *row.valid_to_us);
  }
  return fact;
}

Status add_soak(sql::Connection& connection, const model::Environment& environment, model::MemberFacts& member) {
  // A masked version goes on where what it was masked from has run, as in the gate of order.
  std::vector<std::string> ids{member.version.id};
  MLOPS_ASSIGN(const auto masking, meta::masking_runs_of_output(connection, member.version.id));
  for (const auto& run : masking) ids.push_back(run.source_version_id);
  for (const auto& before : environment.after) {
    std::vector<meta::DeploymentRow> rows;
    for (const auto& id : ids) {
      MLOPS_ASSIGN(auto some, meta::list_deployments(
                                  connection, {.environment = before, .version_id = id, .limit = kHistoryLimit}));
      rows.insert(rows.end(), std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
    }
    std::stable_sort(rows.begin(), rows.end(),
                     [](const auto& a, const auto& b) { return a.valid_from_us > b.valid_from_us; });
    if (auto fact = newest_time(before, rows)) member.soaked.push_back(std::move(*fact));
  }
  return {};
}

}  // namespace

Status add_change_facts(sql::Connection& connection, model::PromotionFacts& facts, const TimeZones& zones) {
  const auto& environment = facts.environment;
  for (auto& member : facts.members) {
    if (environment.soak_s > 0) MLOPS_TRY(add_soak(connection, environment, member));
    MLOPS_ASSIGN(const auto rows, meta::tenants_of(connection, member.version.id));
    for (const auto& row : rows) member.tenants.push_back({row.ref, row.tenant});
  }
  if (!environment.windows.empty() || !environment.freezes.empty()) {
    facts.calendar = model::calendar_at(environment.windows, environment.freezes, facts.decided_at_us, zones);
  }
  return {};
}

}  // namespace mlops::domain
