// Reading gates on evidence: subgroups of a metric, independence, residual scans, signatures, external servers,
// schemas.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>

#include "core/base/text.h"
#include "core/model/names.h"
#include "policies/engine/evidence_gate.h"
#include "policies/engine/section.h"

namespace mlops::policy {
namespace {

constexpr double kHuge = std::numeric_limits<double>::max();
constexpr std::int64_t kMostSubjects = 1'000'000'000;
constexpr std::int64_t kMostSignatures = 20;
constexpr std::int64_t kShortestTimeoutMs = 50;
constexpr std::int64_t kLongestTimeoutMs = 30'000;
constexpr std::int64_t kTimeoutMs = 5'000;

void check_subgroups(const YamlNode& node, bool is_unit, const Subgroups& gate, Findings& findings) {
  const auto impossible = [&](const std::string& message) { findings.error(node.mark, "gate_impossible", message); };
  const auto idle = [&](const std::string& message) { findings.error(node.mark, "gate_cannot_fail", message); };
  if (gate.min && gate.max && *gate.min > *gate.max) impossible("subgroups: min is above max: nothing passes");
  if (is_unit && gate.min && *gate.min > 1) impossible("subgroups.min: the metric is never above 1: nothing passes");
  if (is_unit && gate.max && *gate.max < 0) impossible("subgroups.max: the metric is never below 0: nothing passes");
  if (is_unit && gate.min && *gate.min <= 0) idle("subgroups.min: the metric is never below 0: everything passes");
  if (is_unit && gate.max && *gate.max >= 1) idle("subgroups.max: the metric is never above 1: everything passes");
  if (gate.max_gap && *gate.max_gap < 0) impossible("subgroups.max_gap must not be negative: nothing passes");
  if (is_unit && gate.max_gap && *gate.max_gap >= 1) {
    idle("subgroups.max_gap: groups never differ by more than 1: everything passes");
  }
  if (gate.not_below_current_by && *gate.not_below_current_by < 0) {
    impossible("subgroups.not_below_current_by must not be negative");
  }
  const std::set<std::string> required(gate.require.begin(), gate.require.end());
  if (required.size() != gate.require.size()) {
    findings.warning(node.mark, "duplicate_item", "subgroups.require names a group twice");
  }
  const bool asks = gate.min || gate.max || gate.max_gap || gate.not_below_current_by || !gate.require.empty();
  if (!asks) {
    findings.error(node.mark, "gate_cannot_fail", "subgroups asks for nothing: everything passes",
                   "subgroups: {by: sex, min: 0.78, max_gap: 0.05, require: [F, M]}");
  }
}

}  // namespace

void read_subgroups(const YamlNode& node, bool is_unit_metric, MetricGate& metric, Reader& reader) {
  Section section(node, "subgroups", reader.findings(),
                  {"by", "min", "max", "max_gap", "not_below_current_by", "require"});
  if (!section) return;
  Subgroups gate;
  section.text("by", gate.by);
  section.number("min", -kHuge, kHuge, gate.min);
  section.number("max", -kHuge, kHuge, gate.max);
  section.number("max_gap", -kHuge, kHuge, gate.max_gap);
  section.number("not_below_current_by", -kHuge, kHuge, gate.not_below_current_by);
  section.texts("require", gate.require);
  if (gate.by.empty()) {
    reader.findings().error(node.mark, "missing_key", "subgroups needs `by`", "the metric is recorded as auc{sex=F}");
  }
  check_subgroups(node, is_unit_metric, gate, reader.findings());
  metric.subgroups = std::move(gate);
}

void read_independence(const YamlNode& node, GateRule& gate, Reader& reader) {
  Section section(node, "independence", reader.findings(), {"roles", "max_overlap"});
  if (!section) return;
  IndependenceGate independence;
  independence.roles = {"train", "test"};
  section.texts("roles", independence.roles);
  std::optional<std::int64_t> most;
  section.integer("max_overlap", -kMostSubjects, kMostSubjects, most);
  independence.max_overlap = most.value_or(0);
  if (independence.max_overlap < 0) {
    reader.findings().error(node.mark, "gate_impossible", "max_overlap must not be negative: nothing passes");
  }
  const std::set<std::string> different(independence.roles.begin(), independence.roles.end());
  if (different.size() < 2 || different.size() != independence.roles.size()) {
    reader.findings().error(node.mark, "gate_cannot_fail", "independence compares two or more different roles",
                            "independence: {roles: [train, test], max_overlap: 0}");
  }
  gate.body = std::move(independence);
  if (gate.kinds.empty()) gate.kinds = {model::ArtifactKind::kModel};
}

void read_residual(const YamlNode& node, GateRule& gate, Reader& reader) {
  Section section(node, "residual", reader.findings(), {"max_findings", "of"});
  if (!section) return;
  ResidualGate residual;
  residual.of = {"dataset"};
  std::optional<std::int64_t> most;
  section.integer("max_findings", -kMostSubjects, std::numeric_limits<std::int64_t>::max(), most);
  section.texts("of", residual.of);
  residual.max_findings = most.value_or(0);
  if (residual.max_findings < 0) {
    reader.findings().error(node.mark, "gate_impossible", "max_findings must not be negative: nothing passes");
  }
  if (residual.of.empty()) {
    reader.findings().error(node.mark, "gate_cannot_fail", "of is empty: everything passes",
                            "residual: {max_findings: 0, of: [dataset]}");
  }
  gate.body = std::move(residual);
}

void read_signatures(const YamlNode& node, GateRule& gate, Reader& reader) {
  Section section(node, "signatures", reader.findings(), {"count", "roles", "of"});
  if (!section) return;
  SignaturesGate signatures;
  if (const auto* count = section.find("count")) {
    signatures.count = reader.integer(*count, "signatures.count", -1'000'000, 1'000'000).value_or(1);
    if (signatures.count < 1) {
      reader.findings().error(count->mark, "gate_cannot_fail", "count below 1: everything passes");
    } else if (signatures.count > kMostSignatures) {
      reader.findings().error(count->mark, "gate_impossible", fmt::format("count must be at most {}", kMostSignatures));
    }
  }
  section.texts("roles", signatures.roles);
  if (const auto* of = section.find("of")) {
    if (!gate.kinds.empty()) {
      reader.findings().error(of->mark, "bad_gate", "`of` and `kinds` say the same thing", "use one of them");
    }
    gate.kinds = reader.kinds(*of);
  }
  gate.body = std::move(signatures);
}

void read_external(const YamlNode& node, GateRule& gate, Reader& reader) {
  Section section(node, "external", reader.findings(), {"name", "timeout", "input"});
  if (!section) return;
  ExternalGate external;
  section.text("name", external.name);
  if (external.name.empty()) {
    reader.findings().error(node.mark, "missing_key", "external needs `name`",
                            "of an endpoint in mlopsd's configuration, gates.external");
  } else if (!model::check_key(external.name, "external gate")) {
    reader.findings().error(node.mark, "bad_gate",
                            "the name of an external gate has letters, digits, '.', '_' and '-'");
  }
  external.timeout_ms = kTimeoutMs;
  if (const auto* timeout = section.find("timeout")) {
    if (const auto period = reader.period(*timeout, "external.timeout"))
      external.timeout_ms = period->mean_seconds() * 1000;
    if (external.timeout_ms < kShortestTimeoutMs || external.timeout_ms > kLongestTimeoutMs) {
      reader.findings().error(timeout->mark, "gate_impossible", "timeout must be from PT1S to PT30S",
                              "nobody waits longer for a promotion");
    }
  }
  if (const auto* input = section.find("input")) reader.word(*input, "external.input", {"facts"});
  gate.body = std::move(external);
}

void read_compat(const YamlNode& node, GateRule& gate, Reader& reader) {
  reader.word(node, "compat", {"required"});
  gate.body = CompatGate{};
}

}  // namespace mlops::policy
