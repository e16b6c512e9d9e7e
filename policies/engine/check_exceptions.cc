// Exceptions: each names something that exists and something the policy really does; without one, nothing is loosened.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "core/base/text.h"
#include "policies/engine/draft.h"
#include "policies/engine/reader.h"

namespace mlops::policy {
namespace {

constexpr std::array<std::string_view, 9> kSettings{
    "unknown_column",   "residual.min_score", "residual.max_findings", "residual.ignore_columns", "detectors",
    "enforcement.mode", "scan.free_text",     "scan.nested_depth",     "output.sensitivity"};
constexpr std::string_view kRequire = "require:";

// Everything an exception of this policy can name.
std::vector<std::string> targets_of(const Draft& draft) {
  std::vector<std::string> targets;
  for (const auto* document : draft.all()) {
    for (const auto& gate : document->gates) targets.push_back(gate.id);
    for (const auto& row : document->requirements) targets.push_back(std::string(kRequire) + row.path.value);
  }
  for (const auto& rule : draft.own.rules) targets.push_back(target_of(rule));
  targets.insert(targets.end(), kSettings.begin(), kSettings.end());
  return targets;
}

}  // namespace

void check_exceptions(const Draft& draft, Findings& findings) {
  const auto targets = targets_of(draft);
  std::set<std::string> seen;
  for (const auto& row : draft.own.exceptions) {
    if (!row.id.value.empty() && !seen.insert(row.id.value).second) {
      findings.error(row.id.mark, "duplicate_exception",
                     fmt::format("exception '{}' stands twice", printable(row.id.value)));
    }
    if (row.gate.value.empty()) continue;
    if (std::find(targets.begin(), targets.end(), row.gate.value) != targets.end()) continue;
    findings.error(row.gate.mark, "unknown_exception",
                   fmt::format("exception '{}' is about '{}', which is no gate, rule or setting here",
                               printable(row.id.value), printable(row.gate.value)),
                   suggestion(row.gate.value, targets));
  }
}

}  // namespace mlops::policy
