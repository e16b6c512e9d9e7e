// The policy parser: an error, or a policy that has a name; what loads has no error for lint.
#include "policies/engine/policy.h"
#include "tests/fuzz/fuzz.h"

using namespace mlops;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text_of(data, size);
  const auto policy = policy::load_policy(text, "policy.yaml");
  const auto findings = policy::lint_policy(text, "policy.yaml");
  bool has_error = false;
  for (const auto& finding : findings) has_error |= finding.is_error;
  fuzz::must(policy.has_value() != has_error, "load and lint agree");
  return 0;
}
