// A loaded policy: parsed, its packs merged, its patterns compiled, ready to classify, mask and gate.
//
// The YAML is described in docs/policies.md. Errors of load: kInvalid "policy_invalid" with origin:line:column in the
// message and all findings in `detail` ([{"line","column","slug","message","hint"}]). Thread-safety: a Policy is
// immutable and may be shared.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/crypto/digest.h"
#include "core/model/facts.h"
#include "policies/engine/terms.h"

namespace mlops::policy {

struct LintFinding {
  bool is_error = true;  // false: a warning
  int line = 0;
  int column = 0;
  std::string slug;
  std::string message;
  std::string hint;
};

class Policy {
 public:
  struct Body;  // private to policies/engine
  explicit Policy(std::shared_ptr<const Body> body);

  const std::string& name() const;
  const std::string& version() const;
  const crypto::Digest& digest() const;  // of the YAML text and of every pack it extends
  bool masks() const;                    // has transforms
  bool selects(model::ArtifactKind kind) const;
  // Of its kinds, and with each of its select.labels.
  bool selects(const model::MemberFacts& member) const;
  std::vector<std::string> gate_ids() const;
  std::vector<std::string> key_names() const;  // of transforms.keys, those that its rules use; sorted
  // Name of the masked dataset made from `name` (output.name, default "{name}-deid").
  std::string output_name(const std::string& name) const;
  model::Sensitivity output_sensitivity() const;  // of a clean masking run
  const Terms& terms() const;                     // retention, residency, purpose, erasure, exceptions, …
  const Body& body() const { return *body_; }

 private:
  std::shared_ptr<const Body> body_;
};

// What makes the policy unusable at a moment, as sentences: not yet in force, an exception it leans on or an expert
// determination that has run out, a statement that has expired. Empty: in force.
std::vector<std::string> not_in_force(const Policy& policy, TimestampUs at);
// kRefused "policy_not_in_force" with those sentences.
Status check_in_force(const Policy& policy, TimestampUs at);

Result<Policy> load_policy(std::string_view yaml, const std::string& origin);
// Every error and warning, in the order of the text; empty: clean.
std::vector<LintFinding> lint_policy(std::string_view yaml, const std::string& origin);
// Beside them what has run out or is not yet in force at a date.
std::vector<LintFinding> lint_policy(std::string_view yaml, const std::string& origin, TimestampUs at);

struct PackInfo {
  std::string_view name;  // "hipaa-safe-harbor"
  std::string_view yaml;
};
// The packs embedded in the binary.
const std::vector<PackInfo>& packs();

}  // namespace mlops::policy
