// One table of a test, masked in memory. Private to policies/engine. Thread-safety: free functions.
#pragma once

#include <string>

#include "policies/engine/policy.h"

namespace mlops::policy {

struct TrialTable {
  std::string text;
  std::string path;  // its ending tells the format
};

// The masked text, or the refusal.
Result<std::string> mask_trial(const Policy& policy, const TrialTable& table);

}  // namespace mlops::policy
