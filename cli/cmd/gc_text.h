// What garbage collection tells a person: plans, runs, and why something stays. Thread-safety: pure functions.
#pragma once

#include "cli/cmd/lines.h"
#include "core/base/json.h"

namespace mlops::cli {

Lines gc_plan_lines(const Json& plan, const Style& style);
Lines gc_run_lines(const Json& run, const Style& style);
Lines gc_why_lines(const Json& why, const Style& style);

// "done, in the trash until …", "restored", "swept" …
std::string gc_run_state(const Json& run, const Style& style);
// "case 2026-17", "retention kind:model until 2032-11-23".
std::string protection_text(const Json& protection, const Style& style);

}  // namespace mlops::cli
