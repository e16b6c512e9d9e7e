// What promotion must do, in as few words as possible: two environments, three versions, three approvers, one rule.
//
// `dev` takes everything; `prod` comes after dev, wants two approvals of people who may still give them, and a model
// that is good enough. Written from docs/adr/0020 and the issue, not from the code. Thread-safety: values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace mlops::sim {

inline constexpr int kVersions = 3;
inline constexpr int kApprovers = 3;
inline constexpr double kAuc[kVersions] = {0.60, 0.80, 0.95};

enum Place { kDev, kProd, kPlaces };

struct Interval {
  int version = 0;
  std::int64_t from_us = 0;
  std::int64_t to_us = 0;  // 0: runs
  bool by_rollback = false;
};

struct PlanModel {
  std::string id;
  int version = 0;
  Place place = kDev;
  std::string running;  // id of the deployment it was made beside
  double floor = 0;
  std::set<int> approvers;
  std::int64_t expires_at_us = 0;
  bool is_open = true;
};

enum class Answer { kDone, kUnchanged, kDenied, kPending, kStale, kExpired, kClosed, kNothing };

class PromotionModel {
 public:
  std::vector<Interval> history[kPlaces];  // oldest first
  std::string running_id[kPlaces];         // deployment id; empty: nothing runs
  std::set<int> rejected[kPlaces];
  double floor = 0.5;  // of prod's policy
  bool may_approve[kApprovers] = {true, true, true};

  const Interval* running(Place place) const {
    return history[place].empty() || history[place].back().to_us != 0 ? nullptr : &history[place].back();
  }

  bool ran_in(Place place, int version) const {
    for (const auto& one : history[place]) {
      if (one.version == version) return true;
    }
    return false;
  }

  // Gates but for approvals.
  bool is_allowed(Place place, int version, bool is_rollback) const {
    if (!is_rollback && rejected[place].contains(version)) return false;
    if (place == kDev) return true;
    return (is_rollback || ran_in(kDev, version)) && kAuc[version] >= floor;
  }

  int valid_approvals(const PlanModel& plan) const {
    int count = 0;
    for (const int who : plan.approvers) count += may_approve[who];
    return count;
  }

  Answer promote(Place place, int version) const {
    if (const auto* now = running(place); now && now->version == version) return Answer::kUnchanged;
    if (!is_allowed(place, version, false)) return Answer::kDenied;
    return place == kProd ? Answer::kPending : Answer::kDone;
  }

  Answer promote_plan(const PlanModel& plan, std::int64_t now_us) const {
    if (!plan.is_open) return Answer::kClosed;
    if (plan.expires_at_us <= now_us) return Answer::kExpired;
    if (plan.running != running_id[plan.place]) return Answer::kStale;
    if (plan.place == kProd && plan.floor != floor) return Answer::kStale;
    if (!is_allowed(plan.place, plan.version, false)) return Answer::kDenied;
    if (plan.place == kProd && valid_approvals(plan) < 2) return Answer::kPending;
    return Answer::kDone;
  }

  // The newest that neither runs nor was rolled back from since it last came in.
  std::optional<int> rollback_target(Place place) const {
    const auto& all = history[place];
    if (all.empty()) return std::nullopt;
    std::set<int> not_again = rejected[place];
    not_again.insert(all.back().version);
    for (std::size_t i = all.size(); i-- > 0;) {
      if (!not_again.contains(all[i].version)) return all[i].version;
      if (all[i].by_rollback && i > 0) not_again.insert(all[i - 1].version);
    }
    return std::nullopt;
  }

  void moved(Place place, int version, std::int64_t at_us, const std::string& deployment, bool by_rollback) {
    auto& all = history[place];
    if (!all.empty()) {
      if (by_rollback) rejected[place].insert(all.back().version);
      all.back().to_us = at_us;
    }
    rejected[place].erase(version);
    all.push_back({version, at_us, 0, by_rollback});
    running_id[place] = deployment;
  }

  // What ran then; −1: nothing.
  int at(Place place, std::int64_t time_us) const {
    for (const auto& one : history[place]) {
      if (one.from_us <= time_us && (one.to_us == 0 || one.to_us > time_us)) return one.version;
    }
    return -1;
  }
};

}  // namespace mlops::sim
