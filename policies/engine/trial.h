// Trying a policy on rows and tables its author wrote: the tests in its text, and case files (tests/cases).
//
// A row is masked as a table of one record with every declared column, the others empty; keys are fixed and no key of
// anybody. Problems show expected and got: all values are the author's own. Thread-safety: free functions.
#pragma once

#include <string>
#include <string_view>

#include "policies/engine/inline_test.h"
#include "policies/engine/policy.h"

namespace mlops::policy {

// REQUIRES: test.is_of_row(). `result` is completed.
void try_row(const Policy& policy, const InlineTest& test, TestResult& result);

// A case file: {note, policy | (old, policy), file, input, at, want}; see docs/policies.md. Errors: kInvalid when it is
// not of that form.
Result<TestResult> try_case(std::string_view yaml, const std::string& origin);

}  // namespace mlops::policy
