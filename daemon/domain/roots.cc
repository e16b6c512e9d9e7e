#include "daemon/domain/roots.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/json.h"
#include "core/wire/views_json.h"
#include "storage/meta/erasures.h"
#include "storage/meta/releases.h"

namespace mlops::domain {
namespace {

constexpr std::string_view kKindPrefix = "kind:";
constexpr std::string_view kEnvironmentPrefix = "env:";
constexpr std::int64_t kSecondUs = 1'000'000;
constexpr std::size_t kPlansAtOnce = 1000;
constexpr JsonLimits kReceiptLimits{.size_bytes = 64u << 20, .nodes = 10'000'000};

// By version id.
using Protections = std::map<std::string, std::vector<Protection>>;

// A rule's seconds may be centuries: the sum must not wrap.
TimestampUs after(TimestampUs time_us, std::int64_t keep_s) {
  constexpr std::int64_t kLongestS = 400ll * 366 * 86400;
  return time_us + std::min(keep_s, kLongestS) * kSecondUs;
}

// What a plan still to be decided names: its members, and the dataset that it would mask.
Status add_plan(const meta::PlanRow& row, Protections& protections) {
  MLOPS_ASSIGN(const auto body, parse_json(row.body));
  MLOPS_ASSIGN(const auto plan, wire::plan_from_body(body));
  std::set<std::string> ids;
  for (const auto& member : plan.members) ids.insert(member.version_id);
  if (plan.masking) ids.insert(plan.masking->source_version_id);
  for (const auto& id : ids) protections[id].push_back({Protection::Kind::kPlan, row.id, 0});
  return {};
}

Status add_plans(sql::Connection& connection, Protections& protections) {
  meta::PlanFilter filter;
  filter.state = "open";
  filter.limit = kPlansAtOnce;
  while (true) {
    MLOPS_ASSIGN(const auto plans, meta::list_plans(connection, filter));
    for (const auto& plan : plans) MLOPS_TRY(add_plan(plan, protections));
    if (plans.size() < kPlansAtOnce) return {};
    filter.after_id = plans.back().id;
  }
}

using Rules = std::map<std::string, std::int64_t>;  // seconds by subject

Status add_stays(sql::Connection& connection, const Rules& rules, TimestampUs now_us, Protections& protections) {
  MLOPS_ASSIGN(const auto stays, meta::stays_of_deleted(connection));
  for (const auto& stay : stays) {
    if (stay.ended_at_us == 0) {
      protections[stay.version_id].push_back({Protection::Kind::kDeployment, stay.environment, 0});
      continue;
    }
    const auto rule = rules.find(std::string(kEnvironmentPrefix) + stay.environment);
    if (rule == rules.end()) continue;
    const auto until_us = after(stay.ended_at_us, rule->second);
    if (until_us > now_us) {
      protections[stay.version_id].push_back({Protection::Kind::kEnvironment, stay.environment, until_us});
    }
  }
  return {};
}

}  // namespace

std::string_view to_word(Protection::Kind kind) {
  constexpr std::string_view kWords[] = {"hold", "retention", "environment", "deployment", "plan"};
  return kWords[static_cast<std::size_t>(kind)];
}

Result<Roots> roots_at(sql::Connection& connection, TimestampUs now_us) {
  Roots roots;
  Protections protections;
  MLOPS_ASSIGN(const auto holds, meta::list_holds(connection, meta::HoldsShown::kOpen));
  for (auto hold = holds.rbegin(); hold != holds.rend(); ++hold) {
    protections[hold->version_id].push_back({Protection::Kind::kHold, hold->case_id, 0});
  }
  Rules rules;
  MLOPS_ASSIGN(const auto rule_rows, meta::list_rules(connection));
  for (const auto& row : rule_rows) rules[row.subject] = row.keep_s;
  MLOPS_TRY(add_stays(connection, rules, now_us, protections));
  MLOPS_TRY(add_plans(connection, protections));

  MLOPS_ASSIGN(roots.live, meta::live_manifests(connection));
  MLOPS_ASSIGN(const auto erased, meta::erased_versions(connection));
  MLOPS_ASSIGN(auto deleted, meta::deleted_versions(connection));
  for (auto& version : deleted) {
    DeletedVersion found{std::move(version), {}};
    const auto named = protections.find(found.version.id);
    if (named != protections.end()) found.protections = named->second;
    const auto subject = std::string(kKindPrefix) + std::string(to_word(found.version.kind));
    if (const auto rule = rules.find(subject); rule != rules.end()) {
      const auto until_us = after(found.version.deleted_at_us, rule->second);
      if (until_us > now_us) found.protections.push_back({Protection::Kind::kRetention, subject, until_us});
    }
    // A person's right ends every retention; only a hold stands above it.
    if (erased.contains(found.version.id)) {
      std::erase_if(found.protections, [](const auto& one) { return one.kind != Protection::Kind::kHold; });
    }
    (found.protections.empty() ? roots.loose : roots.kept).push_back(std::move(found));
  }
  return roots;
}

Result<std::vector<std::string>> versions_in(const meta::GcRunRow& run) {
  MLOPS_ASSIGN(const auto receipt, parse_json(run.receipt, kReceiptLimits));
  std::vector<std::string> ids;
  if (!receipt.contains("versions")) return ids;
  for (const auto& version : receipt.at("versions")) ids.push_back(version.value("id", ""));
  return ids;
}

Result<Receipts> receipts_of(sql::Connection& connection) {
  Receipts receipts;
  meta::GcRunFilter filter;
  while (true) {
    MLOPS_ASSIGN(const auto runs, meta::list_gc_runs(connection, filter));
    for (const auto& run : runs) {
      if (run.restored_at_us) continue;
      MLOPS_ASSIGN(const auto ids, versions_in(run));
      auto slim = run;
      slim.receipt.clear();
      for (const auto& id : ids) receipts[id].push_back(slim);
    }
    if (runs.size() < filter.limit) return receipts;
    filter.after_id = runs.back().id;
  }
}

}  // namespace mlops::domain
