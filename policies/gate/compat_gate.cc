// Whether the members of a release fit together, by the schemas they declare:
//
//   dataset → preprocessing → model → thresholds      without preprocessing: dataset → model
//
// A dataset gives its output schema, else its only one. Members without a role in a named release count as the model
// when they are the namesake, and as the dataset by their kind.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/base/text.h"
#include "policies/gate/evidence_gates.h"

namespace mlops::gate {
namespace {

using model::MemberFacts;
using model::PromotionFacts;

std::string role_of(const MemberFacts& member, const PromotionFacts& facts) {
  if (!member.role.empty()) return member.role;
  if (member.version.kind == model::ArtifactKind::kDataset) return "dataset";
  return &member == &facts.members.front() ? "model" : "";
}

std::vector<const MemberFacts*> with_role(const PromotionFacts& facts, std::string_view role) {
  std::vector<const MemberFacts*> found;
  for (const auto& member : facts.members) {
    if (role_of(member, facts) == role) found.push_back(&member);
  }
  return found;
}

const std::optional<model::Schema>& gives(const MemberFacts& member) {
  const auto& schemas = member.evidence.schemas;
  const bool is_dataset = member.version.kind == model::ArtifactKind::kDataset;
  return is_dataset && !schemas.output ? schemas.input : schemas.output;
}

void judge_pair(const GateHead& head, CompatMode mode, const MemberFacts& giver, const MemberFacts& taker,
                Results& results) {
  const auto& given = gives(giver);
  const auto& needed = taker.evidence.schemas.input;
  const auto pair = fmt::format("{} → {}", shown(giver.version), shown(taker.version));
  Json facts = {{"from", giver.version.ref()},
                {"to", taker.version.ref()},
                {"from_declares", given.has_value()},
                {"to_declares", needed.has_value()}};
  if (!given || !needed) {
    std::vector<std::string> silent;
    if (!given)
      silent.push_back(fmt::format("{} declares no {}", shown(giver.version),
                                   giver.version.kind == model::ArtifactKind::kDataset ? "schema" : "output schema"));
    if (!needed) silent.push_back(fmt::format("{} declares no input schema", shown(taker.version)));
    if (mode == CompatMode::kDeclared) {
      results.push_back(pass(head, fmt::format("{}: not compared, {}", pair, join(silent, " and ")), std::move(facts)));
      return;
    }
    results.push_back(refuse(head, fmt::format("evidence missing: {}", join(silent, " and ")),
                             "it is registered with --input-schema or --output-schema (once more, with the same bytes)",
                             std::move(facts)));
    return;
  }
  const auto gaps = model::schema_gaps(*given, *needed);
  facts["gaps"] = gaps;
  if (gaps.empty()) {
    results.push_back(pass(head, fmt::format("{} gives what {} takes", shown(giver.version), shown(taker.version)),
                           std::move(facts)));
    return;
  }
  results.push_back(refuse(
      head,
      fmt::format("{} does not give what {} takes: {}", shown(giver.version), shown(taker.version), join(gaps, "; ")),
      fmt::format("the release holds a {} that fits {}, or the other way round", to_word(giver.version.kind),
                  taker.version.ref()),
      std::move(facts)));
}

}  // namespace

void judge_compat(const GateHead& head, CompatMode mode, const PromotionFacts& facts, Results& results) {
  const auto first = results.size();
  const bool has_steps = !with_role(facts, "preprocessing").empty();
  const std::array<std::pair<std::string_view, std::string_view>, 3> pairs{
      {{"dataset", has_steps ? "preprocessing" : "model"}, {"preprocessing", "model"}, {"model", "thresholds"}}};
  for (const auto& [from, to] : pairs) {
    for (const auto* giver : with_role(facts, from)) {
      for (const auto* taker : with_role(facts, to)) judge_pair(head, mode, *giver, *taker, results);
    }
  }
  if (results.size() != first) return;
  results.push_back(
      pass(head, "no two members of the release follow one another", {{"members", facts.members.size()}}));
}

void judge_compat(const PromotionFacts& facts, Results& results) {
  const bool declares = std::any_of(facts.members.begin(), facts.members.end(),
                                    [](const MemberFacts& member) { return !member.evidence.schemas.is_empty(); });
  if (facts.members.size() < 2 || !declares) return;
  judge_compat({"compat", "compat", std::string(kBuiltIn)}, CompatMode::kDeclared, facts, results);
}

}  // namespace mlops::gate
