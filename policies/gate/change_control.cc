#include "policies/gate/change_control.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/base/text.h"
#include "policies/gate/verdicts.h"

namespace mlops::gate {
namespace {

using model::GateResult;
using model::PromotionFacts;
using model::Verdict;

// Kinds of gates that only order how people work.
constexpr std::array<std::string_view, 8> kProcedure{"approvals", "order",  "soak",     "window",
                                                     "freeze",    "review", "rejected", "external"};
// Kinds nobody passes over: law, other people's data, and bytes that are not there.
constexpr std::array<std::string_view, 11> kNeverPassedOver{"integrity", "clearance", "erasure", "residency",
                                                            "purpose",   "consent",   "tenant",  "overlap",
                                                            "in-force",  "retention", "residual"};
// Kinds only those on call pass over, by breaking the glass: a rollback brings its approvals along, or waits for some.
constexpr std::array<std::string_view, 2> kNotByRollback{"approvals", "external"};

template <std::size_t N>
bool is_among(const std::array<std::string_view, N>& kinds, const std::string& kind) {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

GateResult judge_reviews(const PromotionFacts& facts) {
  const GateHead head{"review", "review", std::string(kBuiltIn)};
  const auto& first = facts.open_reviews.front();
  Json open = Json::array();
  for (const auto& review : facts.open_reviews) {
    open.push_back(
        {{"deployment", review.deployment_id}, {"by", review.by}, {"due_at", format_rfc3339(review.due_at_us)}});
  }
  Json looked_at = {{"open", std::move(open)}};
  const bool is_overdue = facts.decided_at_us > first.due_at_us;
  const auto reason =
      fmt::format("the break-glass promotion {} by {} has not been reviewed; the review {} due {}", first.deployment_id,
                  printable(first.by), is_overdue ? "was" : "is", format_rfc3339(first.due_at_us));
  if (facts.is_rollback) {
    return pass(head, "a rollback does not wait for reviews: " + reason, std::move(looked_at));
  }
  return refuse(head, reason,
                fmt::format("another person than {} reviews it: mlopsctl review close {}", printable(first.by),
                            first.deployment_id),
                std::move(looked_at));
}

GateResult judge_rejected(const PromotionFacts& facts) {
  const GateHead head{"rejected", "rejected", std::string(kBuiltIn)};
  const auto& rejected = *facts.rejected;
  Json looked_at = {{"release", rejected.release}, {"by", rejected.by}, {"at", format_rfc3339(rejected.at_us)}};
  const auto what = fmt::format("{} was rolled back from {} on {} by {}: {}", facts.environment.name, rejected.release,
                                format_rfc3339(rejected.at_us), printable(rejected.by), printable(rejected.reason));
  if (facts.accepts_rejected || facts.is_rollback) {
    return pass(head, what + "; the request says that it is promoted all the same", std::move(looked_at));
  }
  return refuse(head, what, "the request says so: --even-rejected", std::move(looked_at));
}

GateResult judge_overlap(const PromotionFacts& facts, const model::OverlapFact& overlap) {
  const GateHead head{"overlap", "overlap", std::string(kBuiltIn)};
  Json looked_at = {{"deployment", overlap.deployment_id}, {"release", overlap.release}, {"missing", overlap.missing}};
  if (overlap.missing.empty()) {
    return pass(
        head,
        fmt::format("this release takes the place of {}, which runs in {}", overlap.release, facts.environment.name),
        std::move(looked_at));
  }
  return refuse(head,
                fmt::format("{} runs {}, and this release would tear it apart: it lacks {}", facts.environment.name,
                            overlap.release, join(overlap.missing, ", ")),
                fmt::format("the release names {}, too, or a new {} is made and promoted", join(overlap.missing, ", "),
                            overlap.release.substr(0, overlap.release.find(' '))),
                std::move(looked_at));
}

void pass_over(GateResult& result, std::string_view by) {
  result.facts["passed_over_by"] = by;
  result.facts["verdict"] = to_word(result.verdict);
  result.reason = fmt::format("passed over by {}: {}", by, result.reason);
  result.verdict = Verdict::kPass;
  result.would_pass_if.clear();
}

}  // namespace

void judge_change_control(const PromotionFacts& facts, std::vector<GateResult>& results) {
  if (!facts.open_reviews.empty()) results.push_back(judge_reviews(facts));
  if (facts.rejected) results.push_back(judge_rejected(facts));
  for (const auto& overlap : facts.overlaps) results.push_back(judge_overlap(facts, overlap));
}

void apply_overrides(const PromotionFacts& facts, std::vector<GateResult>& results) {
  if (!facts.is_break_glass && facts.overrides.empty()) return;
  for (auto& result : results) {
    if (result.verdict == Verdict::kPass) continue;
    if (facts.is_break_glass && is_among(kProcedure, result.kind)) {
      pass_over(result, "break-glass");
      continue;
    }
    const bool named = std::find(facts.overrides.begin(), facts.overrides.end(), result.id) != facts.overrides.end();
    if (!named || !facts.is_rollback) continue;
    const bool is_deleted = result.facts.value("deleted", false);
    if (is_deleted || is_among(kNeverPassedOver, result.kind) || is_among(kNotByRollback, result.kind)) {
      result.would_pass_if += "; a rollback cannot pass over this gate";
      continue;
    }
    pass_over(result, "the rollback's --override");
  }
}

}  // namespace mlops::gate
