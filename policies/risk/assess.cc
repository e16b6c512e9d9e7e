#include "policies/risk/assess.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/text.h"
#include "policies/risk/lens.h"

namespace mlops::risk {
namespace {

using Kind = DiversityRequirement::Kind;

// Figures that miss a bound only by the last bits of a double have not missed it.
constexpr double kRounding = 1e-9;

double have_of(const DiversityRequirement& rule, const Diversity& diversity) {
  if (rule.kind == Kind::kDistinct) return static_cast<double>(diversity.distinct);
  return rule.kind == Kind::kEntropy ? diversity.entropy : diversity.recursive_c;
}

double need_of(const DiversityRequirement& rule) {
  return rule.kind == Kind::kRecursive ? rule.c : rule.min;
}

bool is_diverse(const DiversityRequirement& rule, const Diversity& diversity) {
  const auto have = have_of(rule, diversity);
  // (c,l): the most frequent count is less than c times the tail.
  return rule.kind == Kind::kRecursive ? have < rule.c : have >= rule.min - kRounding;
}

bool is_close(const ClosenessRequirement& rule, double distance) {
  return distance <= rule.max + kRounding;
}

// Marks classes of `part` that fail l or t.
void mark_sensitive(const Lens& lens, const RiskRequirement& requirement, const Partition& part,
                    std::vector<bool>& bad) {
  for (std::size_t i = 0; i < requirement.l.size(); ++i) {
    const auto& rule = requirement.l[i];
    const auto measures = lens.measure_l(i, part);
    for (std::size_t id = 0; id < measures.size(); ++id) {
      const auto& one = measures[id];
      if (part.sizes[id] > 0 && !is_diverse(rule, {one.distinct, one.entropy, one.recursive_c})) bad[id] = true;
    }
  }
  for (std::size_t i = 0; i < requirement.t.size(); ++i) {
    const auto measures = lens.measure_t(i, part);
    for (std::size_t id = 0; id < measures.size(); ++id) {
      if (part.sizes[id] > 0 && !is_close(requirement.t[i], measures[id].distance)) bad[id] = true;
    }
  }
}

bool is_few(std::uint32_t size, std::uint64_t k) {
  return size > 0 && size < k;
}

// Both versions have the class, and one has a few that the other lacks: they are told apart from the rest.
std::vector<bool> isolating(const Partition& now, const Partition& before, std::uint64_t k) {
  const auto added = difference_of(now, before);
  const auto removed = difference_of(before, now);
  std::vector<bool> marks(now.class_count);
  for (std::size_t id = 0; id < marks.size(); ++id) {
    marks[id] =
        now.sizes[id] > 0 && before.sizes[id] > 0 && (is_few(added.sizes[id], k) || is_few(removed.sizes[id], k));
  }
  return marks;
}

std::vector<bool> failing(const Lens& lens, const RiskRequirement& requirement, const Partition& now,
                          const Partition* before) {
  std::vector<bool> bad(now.class_count);
  if (before) {
    bad = isolating(now, *before, requirement.k);
    mark_sensitive(lens, requirement, union_of(now, *before), bad);
  }
  for (std::size_t id = 0; id < bad.size(); ++id) {
    if (now.sizes[id] < requirement.k) bad[id] = true;
  }
  mark_sensitive(lens, requirement, now, bad);
  for (std::size_t id = 0; id < bad.size(); ++id) bad[id] = bad[id] && now.sizes[id] > 0;
  return bad;
}

struct Kept {
  std::vector<bool> gone;  // by class of the lens
  Partition part;
};

Kept suppress(const Lens& lens, const RiskRequirement& requirement, const Partition& now, const Partition* before) {
  Kept kept{std::vector<bool>(now.class_count), now};
  while (true) {
    const auto bad = failing(lens, requirement, kept.part, before);
    if (std::find(bad.begin(), bad.end(), true) == bad.end()) return kept;
    ClassMap map{std::vector<Code>(now.class_count), now.class_count};
    for (Code id = 0; id < map.to.size(); ++id) {
      kept.gone[id] = kept.gone[id] || bad[id];
      map.to[id] = kept.gone[id] ? kNoCode : id;
    }
    kept.part = regroup(kept.part, map);
  }
}

void check_sensitive(const RiskRequirement& requirement, const PartReport& part, const std::string& prefix,
                     std::vector<Shortfall>& out) {
  for (std::size_t i = 0; i < requirement.l.size(); ++i) {
    const auto& rule = requirement.l[i];
    const auto& diversity = part.diversity[i].diversity;
    if (!is_diverse(rule, diversity)) out.push_back({prefix + "l", rule.attr, need_of(rule), have_of(rule, diversity)});
  }
  for (std::size_t i = 0; i < requirement.t.size(); ++i) {
    const auto& rule = requirement.t[i];
    const auto distance = part.closeness[i].distance;
    if (!is_close(rule, distance)) out.push_back({prefix + "t", rule.attr, rule.max, distance});
  }
}

VersionsReport compare(const Lens& lens, const RiskRequirement& requirement, const Partition& now,
                       const Partition& before, std::vector<Shortfall>& shortfalls) {
  const auto k = requirement.k;
  const auto both = union_of(now, before);
  const auto added = difference_of(now, before);
  const auto removed = difference_of(before, now);
  VersionsReport report;
  report.whole_union = lens.report(both);
  report.added = lens.report(added);
  report.removed = lens.report(removed);
  const auto marks = isolating(now, before, k);
  ClassMap here{std::vector<Code>(now.class_count, kNoCode), now.class_count};
  for (Code id = 0; id < now.class_count; ++id) {
    if (now.sizes[id] > 0) here.to[id] = id;
    report.shrunk_classes += before.sizes[id] >= k && is_few(now.sizes[id], k);
    report.isolating_classes += marks[id];
    if (!marks[id]) continue;
    if (is_few(added.sizes[id], k)) report.isolated += added.sizes[id];
    if (is_few(removed.sizes[id], k)) report.isolated += removed.sizes[id];
  }
  if (report.shrunk_classes > 0) shortfalls.push_back({"shrunk", {}, 0, static_cast<double>(report.shrunk_classes)});
  if (report.isolating_classes > 0)
    shortfalls.push_back({"isolated", {}, 0, static_cast<double>(report.isolating_classes)});
  // What only the earlier version has is out already; the new one answers for the classes it speaks about, against the
  // distribution of the whole union.
  check_sensitive(requirement, lens.report_of(both, here), "union_", shortfalls);
  return report;
}

}  // namespace

Result<RiskReport> assess(const RiskTable& table, const RiskRequirement& requirement, const Versions& versions) {
  MLOPS_ASSIGN(const auto lens, Lens::create(table, requirement));
  auto now = partition(table, versions.now, lens.map());
  std::optional<Partition> before;
  if (versions.before) before = partition(table, *versions.before, lens.map());
  RiskReport report;
  report.requirement = requirement;
  auto kept = suppress(lens, requirement, now, before ? &*before : nullptr);
  report.suppress_records = now.records - kept.part.records;
  if (requirement.on_fail == OnFail::kSuppressRecords) {
    const auto share =
        now.records == 0 ? 0.0 : static_cast<double>(report.suppress_records) / static_cast<double>(now.records);
    if (share > requirement.max_suppressed) {
      report.shortfalls.push_back({"suppression", {}, requirement.max_suppressed, share});
    }
    now = std::move(kept.part);
    report.is_suppressed = true;
  }
  report.table = lens.report(now);
  if (report.table.sizes.smallest < requirement.k) {
    report.shortfalls.push_back(
        {"k", {}, static_cast<double>(requirement.k), static_cast<double>(report.table.sizes.smallest)});
  }
  check_sensitive(requirement, report.table, "", report.shortfalls);
  if (versions.population) {
    const auto population = partition(table, *versions.population, lens.map());
    report.journalist = journalist_risk(now, population, requirement.k);
  }
  if (before) report.versions = compare(lens, requirement, now, *before, report.shortfalls);
  return report;
}

Result<std::vector<bool>> suppression(const RiskTable& table, const RiskRequirement& requirement,
                                      const Versions& versions) {
  MLOPS_ASSIGN(const auto lens, Lens::create(table, requirement));
  const auto now = partition(table, versions.now, lens.map());
  std::optional<Partition> before;
  if (versions.before) before = partition(table, *versions.before, lens.map());
  const auto kept = suppress(lens, requirement, now, before ? &*before : nullptr);
  const auto& classes = table.version(versions.now).class_of;
  std::vector<bool> flags(classes.size());
  for (std::size_t i = 0; i < classes.size(); ++i) flags[i] = kept.gone[lens.map().to[classes[i]]];
  return flags;
}

}  // namespace mlops::risk
