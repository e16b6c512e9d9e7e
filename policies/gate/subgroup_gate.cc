// A metric by group of people: recorded as "auc{sex=F}" beside "auc".
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/text.h"
#include "policies/gate/evidence_gates.h"

namespace mlops::gate {
namespace {

using Groups = std::map<std::string, double>;

// What misses a threshold only by the last bits of a double has not missed it.
constexpr double kRounding = 1e-12;

Groups groups_of(const std::map<std::string, double>& metrics, const std::string& metric, const std::string& by) {
  const auto head = fmt::format("{}{{{}=", metric, by);
  Groups groups;
  for (auto at = metrics.lower_bound(head); at != metrics.end() && at->first.starts_with(head); ++at) {
    const bool is_whole = at->first.size() > head.size() + 1 && at->first.back() == '}';
    if (!is_whole || !std::isfinite(at->second)) continue;
    groups[at->first.substr(head.size(), at->first.size() - head.size() - 1)] = at->second;
  }
  return groups;
}

// What is wrong, and what would be right; in the same order.
struct Gaps {
  std::vector<std::string> reasons;
  std::vector<std::string> remedies;
  bool is_missing = false;

  void add(std::string reason, std::string remedy) {
    reasons.push_back(std::move(reason));
    remedies.push_back(std::move(remedy));
  }
  void missing(const std::string& ref, const std::string& metric, const std::string& by, const std::string& group) {
    is_missing = true;
    add(fmt::format("{} has no metric '{}{{{}={}}}'", ref, metric, by, group),
        fmt::format("{} is registered with --metric '{}{{{}={}}}=…'", ref, metric, by, group));
  }
};

model::GateResult conclude(const GateHead& head, const Gaps& gaps, const std::string& held, Json facts) {
  if (gaps.reasons.empty()) return pass(head, held, std::move(facts));
  return refuse(head, (gaps.is_missing ? "evidence missing: " : "") + join(gaps.reasons, "; "),
                join(gaps.remedies, " and "), std::move(facts));
}

void check_floors(const policy::Subgroups& gate, const std::string& name, const Groups& groups, Gaps& gaps) {
  for (const auto& [group, value] : groups) {
    const auto what = fmt::format("{} of {}={}", name, gate.by, group);
    if (gate.min && value < *gate.min - kRounding) {
      gaps.add(fmt::format("{} is {}, below {}", what, value, *gate.min),
               fmt::format("{} is at least {}", what, *gate.min));
    }
    if (gate.max && value > *gate.max + kRounding) {
      gaps.add(fmt::format("{} is {}, above {}", what, value, *gate.max),
               fmt::format("{} is at most {}", what, *gate.max));
    }
  }
}

void check_gap(const policy::Subgroups& gate, const std::string& name, const Groups& groups, Json& facts, Gaps& gaps) {
  if (!gate.max_gap || groups.empty()) return;
  const auto by_value = [](const auto& a, const auto& b) { return a.second < b.second; };
  const auto [low, high] = std::minmax_element(groups.begin(), groups.end(), by_value);
  const double gap = high->second - low->second;
  facts["gap"] = gap;
  if (gap <= *gate.max_gap + kRounding) return;
  gaps.add(
      fmt::format("{} is {} for {}={} and {} for {}={}: {:.6g} apart, more than {}", name, high->second, gate.by,
                  high->first, low->second, gate.by, low->first, gap, *gate.max_gap),
      fmt::format("{} of {}={} is within {} of {}={}", name, gate.by, low->first, *gate.max_gap, gate.by, high->first));
}

model::GateResult judge_groups(const GateHead& head, const policy::MetricGate& metric,
                               const model::MemberFacts& member) {
  const auto& gate = *metric.subgroups;
  const auto groups = groups_of(member.version.metrics, metric.name, gate.by);
  Json facts = {{"member", member.version.ref()}, {"metric", metric.name}, {"by", gate.by}, {"groups", groups}};
  if (gate.min) facts["min"] = *gate.min;
  if (gate.max) facts["max"] = *gate.max;
  if (gate.max_gap) facts["max_gap"] = *gate.max_gap;
  const auto ref = shown(member.version);
  Gaps gaps;
  for (const auto& group : gate.require) {
    if (!groups.contains(group)) gaps.missing(ref, metric.name, gate.by, group);
  }
  if (groups.empty() && gate.require.empty()) gaps.missing(ref, metric.name, gate.by, "GROUP");
  // A gap needs two groups to be one.
  if (gate.max_gap && groups.size() == 1 && gate.require.empty()) {
    gaps.is_missing = true;
    gaps.add(fmt::format("{} of {} is recorded for one group by {} only", metric.name, ref, gate.by),
             "it is recorded for every group");
  }
  check_floors(gate, metric.name, groups, gaps);
  check_gap(gate, metric.name, groups, facts, gaps);
  return conclude(
      head, gaps,
      fmt::format("{} of {} is within its limits in {} groups by {}", metric.name, ref, groups.size(), gate.by),
      std::move(facts));
}

model::GateResult judge_against_current(const GateHead& head, const policy::MetricGate& metric,
                                        const model::MemberFacts& member, const model::PromotionFacts& facts) {
  const auto& gate = *metric.subgroups;
  const double slack = *gate.not_below_current_by;
  const auto groups = groups_of(member.version.metrics, metric.name, gate.by);
  const auto current = groups_of(facts.current_metrics, metric.name, gate.by);
  Json looked_at = {{"member", member.version.ref()},
                    {"metric", metric.name},
                    {"by", gate.by},
                    {"groups", groups},
                    {"current_groups", current},
                    {"not_below_current_by", slack},
                    {"current", facts.current_ref.empty() ? Json() : Json(facts.current_ref)}};
  if (facts.is_rollback) {
    return pass(head, "not applicable to a rollback, which goes back to what ran before", std::move(looked_at));
  }
  if (facts.current_ref.empty()) {
    return pass(head,
                fmt::format("nothing runs in {} yet, so there is nothing to compare with", facts.environment.name),
                std::move(looked_at));
  }
  Gaps gaps;
  if (current.empty()) gaps.missing(facts.current_ref + ", which runs now,", metric.name, gate.by, "GROUP");
  for (const auto& [group, was] : current) {
    const auto is = groups.find(group);
    if (is == groups.end()) {
      gaps.missing(shown(member.version), metric.name, gate.by, group);
    } else if (is->second < was - slack - kRounding) {
      const auto what = fmt::format("{} of {}={}", metric.name, gate.by, group);
      gaps.add(fmt::format("{} is {}, of {} now running {}: worse by more than {}", what, is->second, facts.current_ref,
                           was, slack),
               fmt::format("{} is at least {:.6g}", what, was - slack));
    }
  }
  return conclude(head, gaps, fmt::format("no group by {} is worse off than with {}", gate.by, facts.current_ref),
                  std::move(looked_at));
}

}  // namespace

void judge_subgroups(const GateHead& head, const policy::MetricGate& gate, const Members& members,
                     const model::PromotionFacts& facts, Results& results) {
  if (!gate.subgroups) return;
  const auto& groups = *gate.subgroups;
  const bool has_limits = groups.min || groups.max || groups.max_gap || !groups.require.empty();
  for (const auto* member : members) {
    if (has_limits) results.push_back(judge_groups(head, gate, *member));
  }
  if (groups.not_below_current_by) results.push_back(judge_against_current(head, gate, *members.front(), facts));
}

}  // namespace mlops::gate
