// Expectations of data quality on what was measured of a dataset.
#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "policies/gate/evidence_gates.h"

namespace mlops::gate {
namespace {

using model::ProfileFact;

struct Verdicts {
  std::vector<std::string> reasons;
  std::vector<std::string> remedies;
  bool is_missing = false;
  Json measured = Json::array();

  void miss(const std::string& what) {
    is_missing = true;
    reasons.push_back(what);
  }
};

void check_one(const policy::QualityCheck& check, const ProfileFact& profile, Verdicts& out) {
  const auto text = policy::measure_text(check.measure);
  const auto found = profile.counts.find(policy::measure_key(check.measure));
  Json one = {{"check", text}, {"bound", check.bound_text()}};
  const bool is_known = found != profile.counts.end() && (!check.is_percent || found->second.rows > 0);
  if (!is_known) {
    out.measured.push_back(std::move(one));
    out.miss(found != profile.counts.end() ? fmt::format("{}: there are no records", text)
                                           : fmt::format("{}: the data have no such column", text));
    out.remedies.push_back("the data have the column, and records");
    return;
  }
  const auto count = static_cast<double>(found->second.count);
  const double value = check.is_percent ? 100 * count / static_cast<double>(found->second.rows) : count;
  one["value"] = value;
  one["rows"] = found->second.rows;
  out.measured.push_back(std::move(one));
  if (check.holds(value)) return;
  out.reasons.push_back(
      fmt::format("{} is {:.6g}{}, {}", text, value, check.is_percent ? " percent" : "", check.bound_text()));
  out.remedies.push_back(fmt::format("{} {}", text, check.bound_text()));
}

void check_freshness(const policy::FreshnessCheck& check, const ProfileFact& profile, TimestampUs now_us,
                     Verdicts& out) {
  const auto what = check.column.empty() ? std::string("the version") : "the newest " + check.column;
  TimestampUs newest_us = profile.registered_at_us;
  if (!check.column.empty()) {
    const auto found = profile.counts.find(policy::measure_key(check.measure()));
    newest_us = found == profile.counts.end() ? 0 : found->second.count;
  }
  if (newest_us == 0 || now_us == 0) {
    out.miss(fmt::format("{}: no date is known", what));
    out.remedies.push_back("the column has dates");
    return;
  }
  out.measured.push_back({{"check", what}, {"at", format_rfc3339(newest_us)}, {"max_age", check.max_age.to_string()}});
  if (policy::add(newest_us, check.max_age) >= now_us) return;
  out.reasons.push_back(fmt::format("{} is of {}, older than {}", what, format_rfc3339(newest_us).substr(0, 10),
                                    check.max_age.to_string()));
  out.remedies.push_back(fmt::format("{} is at most {} old", what, check.max_age.to_string()));
}

void check_schema(const policy::SchemaCheck& schema, const ProfileFact& profile, Verdicts& out) {
  std::vector<std::string> gaps;
  for (const auto& [name, type] : schema.columns) {
    const auto found = profile.types.find(name);
    if (found == profile.types.end()) {
      gaps.push_back(fmt::format("there is no column {}", name));
      continue;
    }
    const auto& types = found->second;
    if (type.empty() || std::find(types.begin(), types.end(), type) != types.end()) continue;
    gaps.push_back(fmt::format("not every value of {} is {}", name, type));
  }
  // How others are called stays out of the record: keys of JSON can be anybody's data.
  const auto known = std::count_if(schema.columns.begin(), schema.columns.end(),
                                   [&](const auto& column) { return profile.types.contains(column.first); });
  const auto extra = profile.columns - known;
  if (schema.refuses_extra && extra > 0) {
    gaps.push_back(
        fmt::format("there {} {} column{} beyond those", extra == 1 ? "is" : "are", extra, extra == 1 ? "" : "s"));
  }
  out.measured.push_back({{"check", "schema"}, {"columns", schema.columns.size()}, {"gaps", gaps.size()}});
  if (gaps.empty()) return;
  out.reasons.push_back(join(gaps, ", "));
  out.remedies.push_back("the data have the columns and types that the policy lists");
}

model::GateResult judge_profile(const GateHead& head, const policy::QualityGate& gate, const ProfileFact& profile,
                                const model::MemberFacts& member, TimestampUs now_us) {
  Json facts = {
      {"member", member.version.ref()}, {"dataset", profile.ref}, {"role", profile.role}, {"digest", profile.digest}};
  const auto what =
      profile.role.empty() ? "dataset " + profile.ref : fmt::format("the {} data {}", profile.role, profile.ref);
  if (!profile.missing_because.empty()) {
    return refuse(head, fmt::format("evidence missing: {}: {}", what, profile.missing_because),
                  fmt::format("{} is measured: mlopsctl profile {} --to ENV", what, member.version.ref()),
                  std::move(facts));
  }
  Verdicts verdicts;
  for (const auto& check : gate.checks) check_one(check, profile, verdicts);
  for (const auto& check : gate.freshness) check_freshness(check, profile, now_us, verdicts);
  for (const auto& schema : gate.schemas) check_schema(schema, profile, verdicts);
  facts["checks"] = std::move(verdicts.measured);
  if (verdicts.reasons.empty()) return pass(head, fmt::format("{} is as expected", what), std::move(facts));
  return refuse(
      head,
      fmt::format("{}{}: {}", verdicts.is_missing ? "evidence missing: " : "", what, join(verdicts.reasons, "; ")),
      fmt::format("{}: {}", what, join(verdicts.remedies, "; ")), std::move(facts));
}

}  // namespace

void judge_quality(const GateHead& head, const policy::QualityGate& gate, const Members& members,
                   const model::PromotionFacts& facts, Results& results) {
  for (const auto* member : members) {
    std::size_t found = 0;
    for (const auto& profile : member->evidence.profiles) {
      if (profile.role != gate.role) continue;
      ++found;
      results.push_back(judge_profile(head, gate, profile, *member, facts.decided_at_us));
    }
    if (found > 0) continue;
    const auto ref = shown(member->version);
    if (gate.role.empty()) {
      results.push_back(refuse(head, fmt::format("evidence missing: {} was not measured", ref),
                               fmt::format("it is measured: mlopsctl profile {} --to ENV", member->version.ref()),
                               {{"member", member->version.ref()}}));
      continue;
    }
    results.push_back(refuse(head, fmt::format("evidence missing: {} has no input with role {}", ref, gate.role),
                             fmt::format("{} is registered with --input REF --role {}", ref, gate.role),
                             {{"member", member->version.ref()}, {"role", gate.role}}));
  }
}

}  // namespace mlops::gate
