// A policy's own gates as data: what policies/gate evaluates. Thread-safety: values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/base/yaml.h"
#include "core/model/kind.h"
#include "policies/cel/program.h"
#include "policies/engine/evidence_rule.h"
#include "policies/engine/policy.h"

namespace mlops::policy {

// A recorded metric of the version against thresholds of its own unit. At least one threshold is set, or subgroups.
struct MetricGate {
  std::string name;
  std::optional<double> min;
  std::optional<double> max;
  std::optional<double> not_below_current_by;  // may fall by this much below what runs now
  std::optional<Subgroups> subgroups;
};

// What must be recorded about where a version came from.
struct LineageGate {
  bool is_complete = false;        // has inputs, each of them a registered version
  std::vector<std::string> roles;  // each of these roles has an input
  bool git_clean = false;          // made from a recorded commit without local changes
};

struct ApprovalsGate {
  std::int64_t count = 0;
  std::vector<std::string> roles;  // empty: any approver
  bool are_signed = false;         // only those signed with an approver's key count
  bool need_meaning = false;       // only those that say what they stand for
  std::int64_t max_age_us = 0;     // 0: any age
};

// Tighter than the environment's own clearance.
struct ClearanceGate {
  model::Sensitivity max = model::Sensitivity::kNone;
};

// An expression over the facts of a promotion that must be true, compiled against assert_declarations().
struct AssertGate {
  cel::Program program;
};

// The recorded commit is in a configured repository, on an allowed branch, made without local changes.
struct ProvenanceGate {
  std::vector<std::string> repositories;  // names of the server's configuration; empty: any of them
  std::vector<std::string> branches;      // '*' stands for any characters; empty: any branch
  bool clean = true;
};

struct GateRule {
  std::string id;
  std::vector<model::ArtifactKind> kinds;  // empty: every kind the policy selects
  std::variant<std::monostate, MetricGate, LineageGate, ApprovalsGate, ClearanceGate, AssertGate, ProvenanceGate,
               IndependenceGate, QualityGate, ResidualGate, SignaturesGate, ExternalGate, CompatGate>
      body;
  std::string origin;
  YamlMark mark;
  std::string cite;  // the clause the gate follows

  std::string where() const { return origin + ":" + std::to_string(mark.line); }
};

// In the order of the text, a pack's gates last.
const std::vector<GateRule>& gate_rules(const Policy& policy);
// Does the gate speak about this version?
bool applies_to(const Policy& policy, const GateRule& gate, const model::MemberFacts& member);

}  // namespace mlops::policy
