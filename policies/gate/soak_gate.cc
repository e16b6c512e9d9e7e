#include "policies/gate/soak_gate.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "core/model/duration.h"
#include "policies/gate/verdicts.h"

namespace mlops::gate {
namespace {

using model::GateResult;
using model::MemberFacts;
using model::PromotionFacts;
using model::SoakFact;

constexpr std::int64_t kMicros = 1'000'000;

// Of those that run still, the one that has run longest.
const SoakFact* longest_running(const MemberFacts& member) {
  const SoakFact* longest = nullptr;
  for (const auto& one : member.soaked) {
    if (one.until_us == 0 && (!longest || one.since_us < longest->since_us)) longest = &one;
  }
  return longest;
}

std::string ran_text(TimestampUs ran_us) {
  const auto seconds = std::max<std::int64_t>(0, ran_us / kMicros);
  if (seconds < 120) return fmt::format("{}s", seconds);
  if (seconds < 7200) return fmt::format("{}m", seconds / 60);
  return fmt::format("{}h {}m", seconds / 3600, seconds / 60 % 60);
}

GateResult judge_member(const MemberFacts& member, const PromotionFacts& facts) {
  const auto& environment = facts.environment;
  const GateHead head{"soak", "soak", "environment " + environment.name};
  const auto needed = model::duration_text(environment.soak_s);
  Json times = Json::array();
  for (const auto& one : member.soaked) {
    times.push_back({{"environment", one.environment},
                     {"since", format_rfc3339(one.since_us)},
                     {"until", one.until_us == 0 ? Json(nullptr) : Json(format_rfc3339(one.until_us))}});
  }
  Json seen = {{"member", member.version.ref()}, {"soak", needed}, {"ran", std::move(times)}};
  if (facts.is_rollback) return pass(head, "a rollback needs no soak time", std::move(seen));
  if (facts.decided_at_us == 0) {
    return refuse(head, "evidence missing: the moment of the decision is not known",
                  "the decision is made by a server that knows the time", std::move(seen));
  }
  const auto before = join(environment.after, " or ");
  const auto* running = longest_running(member);
  if (!running) {
    const bool ran = !member.soaked.empty();
    return refuse(
        head, fmt::format("{} {} in {}", shown(member.version), ran ? "does not run any more" : "does not run", before),
        fmt::format("it runs in {} for {} without a gap", before, needed), std::move(seen));
  }
  const auto ran_us = facts.decided_at_us - running->since_us;
  const auto needed_us = environment.soak_s * kMicros;
  if (ran_us >= needed_us) {
    return pass(head,
                fmt::format("{} has run in {} for {}, {} are needed", shown(member.version), running->environment,
                            ran_text(ran_us), needed),
                std::move(seen));
  }
  return refuse(head,
                fmt::format("{} has run in {} for {} only, {} are needed", shown(member.version), running->environment,
                            ran_text(ran_us), needed),
                fmt::format("it is promoted at or after {}, and runs in {} until then",
                            format_rfc3339(running->since_us + needed_us), running->environment),
                std::move(seen));
}

}  // namespace

void judge_soak(const PromotionFacts& facts, std::vector<GateResult>& results) {
  if (facts.environment.soak_s <= 0) return;
  for (const auto& member : facts.members) results.push_back(judge_member(member, facts));
}

}  // namespace mlops::gate
