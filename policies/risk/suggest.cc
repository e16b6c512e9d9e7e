#include "policies/risk/suggest.h"

#include <algorithm>
#include <cmath>

#include "policies/risk/assess.h"

namespace mlops::risk {
namespace {

// Combinations times classes: beyond it the search goes step by step.
constexpr double kMostWork = 2e7;

std::uint64_t distinct_of(const std::vector<Code>& codes) {
  Code most = 0;
  for (const auto code : codes) most = std::max(most, code);
  return codes.empty() ? 0 : std::uint64_t{most} + 1;
}

double separation_of(const RiskTable& table, const Partition& classes, std::size_t column) {
  std::vector<double> counts(table.quasi_values(column).size());
  double records = 0;
  for (const auto& group : classes.groups) {
    counts[table.class_values(group.class_id)[column]] += group.count;
    records += group.count;
  }
  double alike = 0;
  for (const auto count : counts) alike += count * (count - 1);
  return records < 2 ? 0 : 1 - alike / (records * (records - 1));
}

// One column's ways to be coarser, each with its codes and its loss.
struct Choice {
  Generalization how;
  std::vector<Code> codes;
  double loss = 0;
};

Result<std::vector<Choice>> choices_of(const RiskTable& table, std::size_t column, const Hierarchy* hierarchy) {
  const auto& values = table.quasi_values(column);
  const double all = std::log(static_cast<double>(std::max<std::size_t>(values.size(), 2)));
  std::vector<Choice> list;
  for (const auto& how : choices(values, hierarchy)) {
    MLOPS_ASSIGN(auto codes, generalized(values, how, hierarchy));
    const auto distinct = distinct_of(codes);
    // A step that joins nothing is none; dropping says what a level with one value says.
    const bool is_idle = !list.empty() && how.kind != Generalization::Kind::kDrop &&
                         (distinct == distinct_of(list.back().codes) || distinct <= 1);
    if (is_idle) continue;
    list.push_back(
        {how, std::move(codes), 1 - std::log(static_cast<double>(std::max<std::uint64_t>(distinct, 1))) / all});
  }
  return list;
}

class Search {
 public:
  Search(const RiskTable& table, const RiskRequirement& requirement, std::size_t version)
      : table_(table), requirement_(requirement), version_(version) {
    requirement_.on_fail = OnFail::kSuppressRecords;
  }

  Status prepare() {
    for (std::size_t i = 0; i < requirement_.quasi.size(); ++i) {
      const auto found = requirement_.hierarchies.find(requirement_.quasi[i]);
      MLOPS_ASSIGN(auto list,
                   choices_of(table_, i, found == requirement_.hierarchies.end() ? nullptr : &found->second));
      columns_.push_back(std::move(list));
    }
    return {};
  }

  Result<std::optional<Suggestion>> run() {
    double work = static_cast<double>(table_.class_count());
    for (const auto& column : columns_) work *= static_cast<double>(column.size());
    return work <= kMostWork ? look_at_all() : step_by_step();
  }

 private:
  using State = std::vector<std::size_t>;  // the choice of each column

  double loss(const State& state) const {
    double sum = 0;
    for (std::size_t i = 0; i < state.size(); ++i) sum += columns_[i][state[i]].loss;
    return sum / static_cast<double>(state.size());
  }

  Result<RiskReport> look(const State& state) {
    for (std::size_t i = 0; i < state.size(); ++i)
      requirement_.generalize[requirement_.quasi[i]] = columns_[i][state[i]].how;
    return assess(table_, requirement_, {version_, {}, {}});
  }

  Suggestion suggestion(const State& state, const RiskReport& report) const {
    Suggestion result;
    for (std::size_t i = 0; i < state.size(); ++i)
      result.columns.emplace_back(requirement_.quasi[i], columns_[i][state[i]].how);
    result.loss = loss(state);
    result.suppress_records = report.suppress_records;
    result.classes = report.table.sizes.classes;
    return result;
  }

  // Counts through all combinations, cheapest first, so that the first that holds is the answer.
  Result<std::optional<Suggestion>> look_at_all() {
    std::vector<State> states;
    for (State state(columns_.size(), 0);;) {
      states.push_back(state);
      std::size_t at = 0;
      while (at < state.size() && ++state[at] == columns_[at].size()) state[at++] = 0;
      if (at == state.size()) break;
    }
    std::stable_sort(states.begin(), states.end(),
                     [this](const State& a, const State& b) { return loss(a) < loss(b); });
    for (const auto& state : states) {
      MLOPS_ASSIGN(const auto report, look(state));
      if (report.is_met()) return std::optional(suggestion(state, report));
    }
    return std::optional<Suggestion>();
  }

  Result<std::optional<Suggestion>> step_by_step() {
    State state(columns_.size(), 0);
    MLOPS_ASSIGN(auto report, look(state));
    while (!report.is_met()) {
      MLOPS_ASSIGN(const auto next, best_step(state, report));
      if (next == columns_.size()) return std::optional<Suggestion>();
      ++state[next];
      MLOPS_ASSIGN(report, look(state));
    }
    for (std::size_t i = 0; i < state.size(); ++i) {
      while (state[i] > 0) {
        --state[i];
        MLOPS_ASSIGN(auto finer, look(state));
        if (!finer.is_met()) {
          ++state[i];
          break;
        }
        report = std::move(finer);
      }
    }
    return std::optional(suggestion(state, report));
  }

  // The column whose next choice saves most records for its loss; columns_.size() when none is left.
  Result<std::size_t> best_step(State state, const RiskReport& report) {
    std::size_t best = columns_.size();
    double best_gain = -1;
    for (std::size_t i = 0; i < state.size(); ++i) {
      if (state[i] + 1 == columns_[i].size()) continue;
      const double cost = columns_[i][state[i] + 1].loss - columns_[i][state[i]].loss;
      ++state[i];
      MLOPS_ASSIGN(const auto then, look(state));
      --state[i];
      const double saved = static_cast<double>(report.suppress_records) - static_cast<double>(then.suppress_records);
      const double gain = std::max(0.0, saved) / std::max(cost, 1e-9);
      if (gain > best_gain) {
        best_gain = gain;
        best = i;
      }
    }
    return best;
  }

  const RiskTable& table_;
  RiskRequirement requirement_;
  std::size_t version_;
  std::vector<std::vector<Choice>> columns_;
};

}  // namespace

Result<std::vector<Contribution>> contributions(const RiskTable& table, const RiskRequirement& requirement,
                                                std::size_t version) {
  std::vector<Contribution> list;
  const auto classes = partition(table, version, identity_map(table));
  for (std::size_t i = 0; i < requirement.quasi.size(); ++i) {
    auto without = requirement;
    without.l.clear();
    without.t.clear();
    without.on_fail = OnFail::kDeny;
    without.generalize[requirement.quasi[i]] = {Generalization::Kind::kDrop, 0};
    MLOPS_ASSIGN(const auto report, assess(table, without, {version, {}, {}}));
    Contribution one;
    one.column = requirement.quasi[i];
    one.distinct = table.quasi_values(i).size();
    one.distinction =
        classes.records == 0 ? 0 : static_cast<double>(one.distinct) / static_cast<double>(classes.records);
    one.separation = separation_of(table, classes, i);
    one.unique_without = report.table.sizes.unique;
    one.below_k_without = report.table.sizes.below_k;
    list.push_back(std::move(one));
  }
  std::stable_sort(list.begin(), list.end(), [](const Contribution& a, const Contribution& b) {
    return std::pair(a.unique_without, a.below_k_without) < std::pair(b.unique_without, b.below_k_without);
  });
  return list;
}

Result<std::optional<Suggestion>> suggest(const RiskTable& table, const RiskRequirement& requirement,
                                          std::size_t version) {
  Search search(table, requirement, version);
  MLOPS_TRY(search.prepare());
  return search.run();
}

}  // namespace mlops::risk
