#include "policies/gate/verdicts.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/text.h"

namespace mlops::gate {
namespace {

bool has_role(const model::ApprovalFact& approval, const std::vector<std::string>& roles) {
  if (roles.empty()) return true;
  return std::any_of(approval.roles.begin(), approval.roles.end(), [&](const std::string& role) {
    return std::find(roles.begin(), roles.end(), role) != roles.end();
  });
}

constexpr std::int64_t kMicrosPerHour = 3'600'000'000;

bool counts(const model::ApprovalFact& approval, const model::PromotionFacts& facts, const ApprovalTerms& terms) {
  if (!approval.is_human || approval.principal == facts.requested_by || !has_role(approval, terms.roles)) return false;
  if (terms.are_signed && approval.key_id.empty()) return false;
  if (terms.need_meaning && approval.meaning.empty()) return false;
  return terms.max_age_us == 0 || approval.at_us + terms.max_age_us > facts.decided_at_us;
}

Json taint_facts(const model::MemberFacts& member) {
  Json steps = Json::array();
  for (const auto& step : member.taint_path) {
    steps.push_back({{"ref", step.ref}, {"sensitivity", to_word(step.sensitivity)}, {"role", step.role}});
  }
  return steps;
}

// What lowers a label: masking for data, retraining on masked data for what was made from it.
std::string remedy(const model::MemberFacts& member, const std::string& environment) {
  const auto label = to_word(member.version.sensitivity);
  const auto raise = fmt::format("raise the clearance of {} to {}", environment, label);
  if (member.version.kind == model::ArtifactKind::kDataset) {
    return fmt::format(
        "mask {} (promote it to an environment whose policy masks) and promote the masked version, or {}",
        member.version.ref(), raise);
  }
  if (member.taint_path.size() > 1) {
    return fmt::format(
        "mask {} (promote it to an environment whose policy masks), retrain on the masked version, or {}",
        member.taint_path.back().ref, raise);
  }
  if (member.version.sensitivity_assumed) {
    return fmt::format(
        "register it again with its inputs (--input REF --role train) or its own label (--sensitivity), or {}", raise);
  }
  return raise;
}

}  // namespace

std::string shown(const model::Version& version) {
  return fmt::format("{} {}", to_word(version.kind), version.ref());
}

std::string taint_path(const model::MemberFacts& member) {
  std::string text = shown(member.version);
  for (std::size_t i = 1; i < member.taint_path.size(); ++i) {
    const auto& step = member.taint_path[i];
    text += step.role.empty() ? fmt::format(" ← {}", step.ref) : fmt::format(" ← {}: {}", step.role, step.ref);
  }
  const auto label = member.taint_path.empty() ? member.version.sensitivity : member.taint_path.back().sensitivity;
  return text + fmt::format(" ({})", to_word(label));
}

model::GateResult judge_clearance(const GateHead& head, const model::MemberFacts& member, model::Sensitivity most,
                                  const std::string& whose, const std::string& environment) {
  const auto& version = member.version;
  Json facts = {{"member", version.ref()},
                {"sensitivity", to_word(version.sensitivity)},
                {"clearance", to_word(most)},
                {"assumed", version.sensitivity_assumed},
                {"taint_path", taint_facts(member)}};
  if (version.sensitivity <= most) {
    return pass(
        head, fmt::format("{} is {}, {} clears {}", shown(version), to_word(version.sensitivity), whose, to_word(most)),
        std::move(facts));
  }
  auto reason = fmt::format("{} is {} but {} clears at most {}: {}", shown(version), to_word(version.sensitivity),
                            whose, to_word(most), taint_path(member));
  if (version.sensitivity_assumed) reason += "; nobody declared its label, so the safe one was assumed";
  return refuse(head, std::move(reason), remedy(member, environment), std::move(facts));
}

model::GateResult judge_approvals(const GateHead& head, const model::PromotionFacts& facts,
                                  const ApprovalTerms& terms) {
  std::set<std::string> counted;
  for (const auto& approval : facts.approvals) {
    if (counts(approval, facts, terms)) counted.insert(approval.principal);
  }
  const auto have = static_cast<std::int64_t>(counted.size());
  Json looked_at = {{"have", have},
                    {"need", terms.needed},
                    {"roles", terms.roles},
                    {"approved_by", std::vector<std::string>(counted.begin(), counted.end())},
                    {"given", facts.approvals.size()}};
  if (terms.are_signed) looked_at["signed"] = true;
  if (terms.need_meaning) looked_at["meaning"] = "required";
  if (terms.max_age_us != 0) looked_at["max_age_hours"] = terms.max_age_us / kMicrosPerHour;
  if (terms.needed <= 0) return pass(head, "no approvals are needed", std::move(looked_at));
  if (have >= terms.needed) {
    return pass(head, fmt::format("{} of {} approvals are given", have, terms.needed), std::move(looked_at));
  }
  const auto missing = terms.needed - have;
  const auto who = terms.roles.empty() ? std::string("a person") : "a person with role " + join(terms.roles, " or ");
  return wait_for(
      head, fmt::format("{} of {} approvals are given", have, terms.needed),
      fmt::format("{} more{} approval{} by {} other than {}{}", missing, terms.are_signed ? " signed" : "",
                  missing == 1 ? "" : "s", who, facts.requested_by, terms.need_meaning ? ", with a meaning" : ""),
      std::move(looked_at));
}

}  // namespace mlops::gate
