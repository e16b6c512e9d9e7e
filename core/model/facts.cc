#include "core/model/facts.h"

#include <array>

namespace mlops::model {
namespace {
constexpr std::array<std::string_view, 3> kVerdictWords{"pass", "pending", "fail"};
}  // namespace

std::string_view to_word(Verdict verdict) { return kVerdictWords[static_cast<std::size_t>(verdict)]; }

std::optional<Verdict> verdict_from_word(std::string_view word) {
  for (std::size_t i = 0; i < kVerdictWords.size(); ++i) {
    if (kVerdictWords[i] == word) return static_cast<Verdict>(i);
  }
  return std::nullopt;
}

Json to_json(const GateResult& result) {
  return {{"id", result.id},         {"kind", result.kind},
          {"verdict", to_word(result.verdict)}, {"rule", result.rule},
          {"reason", result.reason}, {"would_pass_if", result.would_pass_if},
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

}  // namespace mlops::model
