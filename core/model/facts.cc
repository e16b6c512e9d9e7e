#include "core/model/facts.h"

#include <array>

namespace mlops::model {
namespace {
constexpr std::array<std::string_view, 3> kVerdictWords{"pass", "pending", "fail"};
}  // namespace

std::string_view to_word(Verdict verdict) {
  return kVerdictWords[static_cast<std::size_t>(verdict)];
}

std::optional<Verdict> verdict_from_word(std::string_view word) {
  for (std::size_t i = 0; i < kVerdictWords.size(); ++i) {
    if (kVerdictWords[i] == word) return static_cast<Verdict>(i);
  }
  return std::nullopt;
}

Json to_json(const GateResult& result) {
  return {{"id", result.id},
          {"kind", result.kind},
          {"verdict", to_word(result.verdict)},
          {"rule", result.rule},
          {"reason", result.reason},
          {"would_pass_if", result.would_pass_if},
          {"facts", result.facts.is_null() ? Json::object() : result.facts}};
}

Result<GateResult> gate_result_from_json(const Json& json) {
  GateResult result;
  MLOPS_ASSIGN(result.id, require_string(json, "id"));
  MLOPS_ASSIGN(result.kind, require_string(json, "kind"));
  MLOPS_ASSIGN(const auto verdict, require_string(json, "verdict"));
  const auto known = verdict_from_word(verdict);
  if (!known) return fail(ErrorCode::kCorrupt, "bad_gate_result", "a stored gate result has an unknown verdict");
  result.verdict = *known;
  MLOPS_ASSIGN(result.rule, require_string(json, "rule"));
  MLOPS_ASSIGN(result.reason, require_string(json, "reason"));
  MLOPS_ASSIGN(result.would_pass_if, require_string(json, "would_pass_if"));
  result.facts = json.value("facts", Json::object());
  return result;
}

Json to_json(const ShadowResult& result) {
  Json gates = Json::array();
  for (const auto& gate : result.gates) gates.push_back(to_json(gate));
  return {{"policy", result.policy},  {"digest", result.digest},
          {"beside", result.beside},  {"verdict", to_word(result.verdict)},
          {"flips", result.flips},    {"gates", std::move(gates)},
          {"problem", result.problem}};
}

Result<ShadowResult> shadow_result_from_json(const Json& json) {
  ShadowResult result;
  MLOPS_ASSIGN(result.policy, require_string(json, "policy"));
  MLOPS_ASSIGN(result.digest, require_string(json, "digest"));
  MLOPS_ASSIGN(result.beside, require_string(json, "beside"));
  MLOPS_ASSIGN(result.problem, require_string(json, "problem"));
  MLOPS_ASSIGN(const auto verdict, require_string(json, "verdict"));
  const auto known = verdict_from_word(verdict);
  if (!known) return fail(ErrorCode::kCorrupt, "bad_plan", "a stored plan has an unknown verdict");
  result.verdict = *known;
  result.flips = json.value("flips", false);
  for (const auto& gate : json.value("gates", Json::array())) {
    MLOPS_ASSIGN(auto read, gate_result_from_json(gate));
    result.gates.push_back(std::move(read));
  }
  return result;
}

}  // namespace mlops::model
