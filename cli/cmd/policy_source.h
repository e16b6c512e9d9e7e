// Policies named on the command line: files, and packs by name; and what lint says of them, as lines.
// Errors: those of files and of policy::load_policy. Thread-safety: free functions.
#pragma once

#include <string>

#include "cli/cmd/lines.h"
#include "cli/cmd/query.h"
#include "core/base/json.h"
#include "policies/engine/policy.h"

namespace mlops::cli {

// A file's text, or that of the pack "pack/NAME" (or NAME, where no such file is).
Result<NamedText> read_policy_text(const std::string& name);
Result<policy::Policy> load_named_policy(const std::string& name);

// `finding`: {"file","line","column","level","slug","message","hint"}; the form that editors and CI systems jump from:
// file:line:column: error: message.
Lines finding_lines(const Json& finding, const Style& style);

}  // namespace mlops::cli
