// Gates on evidence that is collected for them alone (core/model/evidence.h). Thread-safety: values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "policies/engine/quality.h"

namespace mlops::policy {

// A metric recorded by group, `auc{sex=F}`: against floors of its own, and how far apart the groups may be. At least
// one of the fields beside `by` is set.
struct Subgroups {
  std::string by;
  std::optional<double> min;
  std::optional<double> max;
  std::optional<double> max_gap;
  std::optional<double> not_below_current_by;
  std::vector<std::string> require;  // groups that must be recorded
};

// What the inputs of these roles may have in common.
struct IndependenceGate {
  std::vector<std::string> roles;
  std::int64_t max_overlap = 0;  // people; of identical files none is allowed
};

// What a residual scan may have left in datasets.
struct ResidualGate {
  std::int64_t max_findings = 0;
  std::vector<std::string> of;  // "dataset": the member itself; any other word: inputs of that role
};

// Signatures over the member, of different people.
struct SignaturesGate {
  std::int64_t count = 1;
  std::vector<std::string> roles;  // empty: any
};

// The answer of a server of the team's own, which mlopsd's configuration names.
struct ExternalGate {
  std::string name;
  std::int64_t timeout_ms = 0;
};

// Declared schemas of the members, where the built-in gate would let pass what nobody declared.
struct CompatGate {};

}  // namespace mlops::policy
