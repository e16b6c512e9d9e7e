// What a collection would do, and why. Reasons are found by marking on: what a version adds to the marks when
// everything before it is marked already is what this version alone holds.
#include <algorithm>

#include "daemon/domain/gc.h"

namespace mlops::domain {
namespace {

constexpr std::int64_t kSecondUs = 1'000'000;
// A summary looks at every object, so the larger the store, the fewer versions are listed one by one; the rest is told
// in one number.
std::size_t listed_in(const cas::CollectionSummary& sum) {
  constexpr std::uint64_t kLooks = 20'000'000;
  const auto objects = sum.live_objects + sum.dead_objects + sum.young_objects;
  return static_cast<std::size_t>(std::clamp<std::uint64_t>(kLooks / std::max<std::uint64_t>(objects, 1), 4, 64));
}

// Leases change meanwhile, so a count may shrink by itself.
std::uint64_t less(std::uint64_t a, std::uint64_t b) {
  return a > b ? a - b : 0;
}

GcAmount live_added(const cas::CollectionSummary& before, const cas::CollectionSummary& after) {
  return {less(after.live_objects, before.live_objects), less(after.live_bytes, before.live_bytes)};
}
GcAmount dead_removed(const cas::CollectionSummary& before, const cas::CollectionSummary& after) {
  return {less(before.dead_objects, after.dead_objects), less(before.dead_bytes, after.dead_bytes)};
}
GcAmount young_removed(const cas::CollectionSummary& before, const cas::CollectionSummary& after) {
  return {less(before.young_objects, after.young_objects), less(before.young_bytes, after.young_bytes)};
}

bool is_nothing(const GcGroup& group) {
  return group.dead.objects == 0 && group.young.objects == 0;
}

}  // namespace

Result<std::vector<std::string>> Gc::damaged_versions(const Marks& marks, const Roots& roots) {
  std::vector<std::string> names;
  if (marks.damaged_live().empty() && marks.incomplete_kept().empty()) return names;
  return store_.read<std::vector<std::string>>(
      [&](sql::Connection& connection) -> Result<std::vector<std::string>> {
        MLOPS_ASSIGN(const auto live, meta::live_versions(connection));
        for (const auto& version : live) {
          if (marks.damaged_live().contains(version.manifest)) names.push_back(version.typed_ref());
        }
        MLOPS_ASSIGN(const auto receipts, receipts_of(connection));
        for (const auto& kept : roots.kept) {
          // What an earlier collection took before the version was protected is no damage.
          if (!marks.incomplete_kept().contains(kept.version.id) || receipts.contains(kept.version.id)) continue;
          names.push_back(kept.version.typed_ref());
        }
        return names;
      },
      meta::Patience::kLong);
}

Result<GcPlan> Gc::plan(std::optional<std::int64_t> min_age_s) {
  GcPlan plan;
  plan.at_us = store_.clock().now_us();
  plan.min_age_s = min_age_s.value_or(options_.lease_s);
  MLOPS_ASSIGN(const auto roots,
               store_.read<Roots>([&](sql::Connection& connection) { return roots_at(connection, plan.at_us); },
                                  meta::Patience::kLong));
  MLOPS_ASSIGN(const auto collection, cas::Collection::start(content_, plan.min_age_s * kSecondUs));
  Marks marks(*collection, content_);
  Roots live;
  live.live = roots.live;
  MLOPS_TRY(marks.keep(manifest_reader(store_), live));
  MLOPS_TRY(add_kept(roots, marks, *collection, plan));
  MLOPS_ASSIGN(plan.damaged, damaged_versions(marks, roots));
  const auto sum = collection->summary();
  plan.live = {sum.live_objects, sum.live_bytes};
  plan.dead = {sum.dead_objects, sum.dead_bytes};
  plan.sparse = {sum.sparse_objects, sum.sparse_bytes};
  plan.young = {sum.young_objects, sum.young_bytes};
  MLOPS_TRY(add_loose(roots, marks, *collection, plan));
  return plan;
}

Status Gc::add_kept(const Roots& roots, Marks& marks, const cas::Collection& collection, GcPlan& plan) {
  const auto read = manifest_reader(store_);
  auto before = collection.summary();
  const auto listed = listed_in(before);
  GcKept rest;
  for (std::size_t i = 0; i < roots.kept.size(); ++i) {
    Roots one;
    one.kept = {roots.kept[i]};
    MLOPS_TRY(marks.keep(read, one));
    if (i >= listed) {
      ++rest.more;
      continue;
    }
    const auto after = collection.summary();
    GcKept kept;
    kept.deleted = roots.kept[i];
    kept.amount = live_added(before, after);
    kept.is_whole = !marks.incomplete_kept().contains(kept.deleted.version.id);
    plan.kept.push_back(std::move(kept));
    before = after;
  }
  if (rest.more == 0) return {};
  rest.amount = live_added(before, collection.summary());
  plan.kept.push_back(std::move(rest));
  return {};
}

Status Gc::add_loose(const Roots& roots, Marks& marks, const cas::Collection& collection, GcPlan& plan) {
  const auto read = manifest_reader(store_);
  auto before = collection.summary();
  const auto listed = listed_in(before);
  GcGroup rest;
  rest.why = GcGroup::Why::kMoreDeleted;
  for (const auto& loose : roots.loose) {
    // Most of the deleted ones are long gone: they must not cost a summary each.
    MLOPS_ASSIGN(const auto blobs, blobs_of(read, content_, loose.version.manifest));
    if (!has_any(content_, blobs)) continue;
    MLOPS_TRY(marks.keep(read, loose.version.manifest));
    if (plan.groups.size() >= listed) {
      ++rest.versions;
      continue;
    }
    const auto after = collection.summary();
    GcGroup group;
    group.why = GcGroup::Why::kDeleted;
    group.version = loose.version;
    group.dead = dead_removed(before, after);
    group.young = young_removed(before, after);
    if (!is_nothing(group)) plan.groups.push_back(std::move(group));
    before = after;
  }
  const auto last = collection.summary();
  rest.dead = dead_removed(before, last);
  rest.young = young_removed(before, last);
  if (rest.versions > 0) plan.groups.push_back(std::move(rest));
  GcGroup unregistered;
  unregistered.dead = {last.dead_objects, last.dead_bytes};
  unregistered.young = {last.young_objects, last.young_bytes};
  if (!is_nothing(unregistered)) plan.groups.push_back(std::move(unregistered));
  return {};
}

}  // namespace mlops::domain
