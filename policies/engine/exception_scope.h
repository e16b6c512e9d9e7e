// Whether the exceptions a policy leans on while it masks speak about the dataset at hand. Thread-safety: pure
// function.
#pragma once

#include <string_view>

#include "policies/engine/policy.h"

namespace mlops::policy {

// Exceptions about rules and settings ("class:us_ssn", "column:note", "residual.max_findings") loosen every run of the
// policy, so each must cover the dataset; those about gates and requirements are asked at a promotion. `typed_name`:
// "dataset:pilot". `digest`: of the version, empty when it has none yet: then no scope with a digest covers it.
// Errors: kRefused "exception_out_of_scope" with the exceptions in `detail`.
Status check_exception_scope(const Policy& policy, std::string_view typed_name, std::string_view digest);

}  // namespace mlops::policy
