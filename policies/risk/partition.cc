#include "policies/risk/partition.h"

#include <algorithm>
#include <iterator>
#include <numeric>

namespace mlops::risk {
namespace {

std::uint64_t member_of(Code class_id, Code subject) {
  return std::uint64_t{class_id} << 32 | subject;
}

void sort_distinct(std::vector<std::uint64_t>& members) {
  std::sort(members.begin(), members.end());
  members.erase(std::unique(members.begin(), members.end()), members.end());
}

// Sizes and the sum of records from groups and members.
void count(Partition& part, bool by_subject) {
  part.sizes.assign(part.class_count, 0);
  part.records = 0;
  for (const auto& group : part.groups) {
    part.records += group.count;
    if (!by_subject) part.sizes[group.class_id] += group.count;
  }
  for (const auto member : part.members) ++part.sizes[member >> 32];
}

// Sorted keys (class << 32 | joint) → groups.
std::vector<Partition::Group> groups_from(std::vector<std::uint64_t>& keys) {
  std::sort(keys.begin(), keys.end());
  std::vector<Partition::Group> groups;
  for (const auto key : keys) {
    const auto class_id = static_cast<Code>(key >> 32);
    const auto joint = static_cast<Code>(key);
    if (!groups.empty() && groups.back().class_id == class_id && groups.back().joint == joint) {
      ++groups.back().count;
    } else {
      groups.push_back({class_id, joint, 1});
    }
  }
  return groups;
}

bool by_class_and_joint(const Partition::Group& a, const Partition::Group& b) {
  return std::pair(a.class_id, a.joint) < std::pair(b.class_id, b.joint);
}

// Both lists side by side; `keep(a, b)` gives the count of a group from its counts in each.
template <class Keep>
std::vector<Partition::Group> zip_groups(const std::vector<Partition::Group>& a, const std::vector<Partition::Group>& b,
                                         const Keep& keep) {
  std::vector<Partition::Group> out;
  const auto put = [&](const Partition::Group& group, std::uint32_t in_a, std::uint32_t in_b) {
    const auto count = keep(in_a, in_b);
    if (count > 0) out.push_back({group.class_id, group.joint, count});
  };
  auto at_b = b.begin();
  for (const auto& group : a) {
    for (; at_b != b.end() && by_class_and_joint(*at_b, group); ++at_b) put(*at_b, 0, at_b->count);
    const bool in_both = at_b != b.end() && !by_class_and_joint(group, *at_b);
    put(group, group.count, in_both ? at_b->count : 0);
    if (in_both) ++at_b;
  }
  for (; at_b != b.end(); ++at_b) put(*at_b, 0, at_b->count);
  return out;
}

bool has_members(const Partition& a, const Partition& b) {
  return !a.members.empty() || !b.members.empty();
}

}  // namespace

std::span<const Partition::Group> Partition::groups_of(Code class_id, std::size_t& at) const {
  const auto begin = at;
  while (at < groups.size() && groups[at].class_id == class_id) ++at;
  return {groups.data() + begin, at - begin};
}

ClassMap identity_map(const RiskTable& table) {
  ClassMap map{std::vector<Code>(table.class_count()), table.class_count()};
  std::iota(map.to.begin(), map.to.end(), Code{0});
  return map;
}

Partition partition(const RiskTable& table, std::size_t version, const ClassMap& map) {
  const auto& records = table.version(version);
  Partition part;
  part.class_count = map.count;
  std::vector<std::uint64_t> keys;
  keys.reserve(records.class_of.size());
  for (std::size_t i = 0; i < records.class_of.size(); ++i) {
    const auto to = map.to[records.class_of[i]];
    if (to == kNoCode) continue;
    keys.push_back(member_of(to, records.joint_of[i]));
    if (table.has_subject()) part.members.push_back(member_of(to, records.subject_of[i]));
  }
  part.groups = groups_from(keys);
  sort_distinct(part.members);
  count(part, table.has_subject());
  return part;
}

Partition regroup(const Partition& from, const ClassMap& map) {
  Partition part;
  part.class_count = map.count;
  for (const auto& group : from.groups) {
    const auto to = map.to[group.class_id];
    if (to != kNoCode) part.groups.push_back({to, group.joint, group.count});
  }
  std::sort(part.groups.begin(), part.groups.end(), by_class_and_joint);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < part.groups.size(); ++i) {
    auto& last = part.groups[kept == 0 ? 0 : kept - 1];
    if (kept > 0 && last.class_id == part.groups[i].class_id && last.joint == part.groups[i].joint) {
      last.count += part.groups[i].count;
    } else {
      part.groups[kept++] = part.groups[i];
    }
  }
  part.groups.resize(kept);
  for (const auto member : from.members) {
    const auto to = map.to[member >> 32];
    if (to != kNoCode) part.members.push_back(member_of(to, static_cast<Code>(member)));
  }
  sort_distinct(part.members);
  count(part, !from.members.empty());
  return part;
}

Partition union_of(const Partition& a, const Partition& b) {
  Partition part;
  part.class_count = a.class_count;
  part.groups = zip_groups(a.groups, b.groups, [](std::uint32_t x, std::uint32_t y) { return std::max(x, y); });
  std::set_union(a.members.begin(), a.members.end(), b.members.begin(), b.members.end(),
                 std::back_inserter(part.members));
  count(part, has_members(a, b));
  return part;
}

Partition difference_of(const Partition& a, const Partition& b) {
  Partition part;
  part.class_count = a.class_count;
  part.groups = zip_groups(a.groups, b.groups, [](std::uint32_t x, std::uint32_t y) { return x > y ? x - y : 0; });
  std::set_difference(a.members.begin(), a.members.end(), b.members.begin(), b.members.end(),
                      std::back_inserter(part.members));
  count(part, has_members(a, b));
  return part;
}

}  // namespace mlops::risk
