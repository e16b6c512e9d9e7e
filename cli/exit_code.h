// Exit codes of mlopsctl: one table, printed in every help and in the man page.
#pragma once

#include <span>
#include <string_view>

#include "core/base/error.h"

namespace mlops::cli {

enum ExitCode : int {
  kExitDone = 0,
  kExitFailed = 1,          // the server or the machine failed
  kExitUsage = 2,           // the command line or an input is wrong
  kExitRefused = 3,         // the answer is no: a gate denied, findings, a difference
  kExitAuthentication = 4,  // not authenticated, or not allowed
  kExitNotFound = 5,
  kExitConflict = 6,
  kExitWaitTimedOut = 7,
  kExitIntegrity = 8,  // stored bytes or the audit log fail their check
};

// Total.
ExitCode exit_code_of(ErrorCode code);

struct ExitCodeRow {
  ExitCode code;
  std::string_view meaning;
};
// All of them, ascending.
std::span<const ExitCodeRow> exit_code_rows();

}  // namespace mlops::cli
