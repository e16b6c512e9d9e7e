#include "cli/exit_code.h"

#include <array>
#include <utility>

namespace mlops::cli {
namespace {

constexpr std::array<ExitCodeRow, 9> kRows{{
    {kExitDone, "done"},
    {kExitFailed, "failed: the server, the network or this machine"},
    {kExitUsage, "the command line or an input is wrong"},
    {kExitRefused, "refused, the answer is no: a gate denied, findings, a difference"},
    {kExitAuthentication, "not authenticated, or not allowed"},
    {kExitNotFound, "not found"},
    {kExitConflict, "conflict: the state moved on, or the name is taken"},
    {kExitWaitTimedOut, "timed out"},
    {kExitIntegrity, "stored bytes or the audit log fail their check"},
}};

constexpr std::array<std::pair<ErrorCode, ExitCode>, 12> kByError{{
    {ErrorCode::kInvalid, kExitUsage},
    {ErrorCode::kNotFound, kExitNotFound},
    {ErrorCode::kAlreadyExists, kExitConflict},
    {ErrorCode::kConflict, kExitConflict},
    {ErrorCode::kDenied, kExitAuthentication},
    {ErrorCode::kUnauthenticated, kExitAuthentication},
    {ErrorCode::kRefused, kExitRefused},
    {ErrorCode::kUnavailable, kExitFailed},
    {ErrorCode::kTimeout, kExitWaitTimedOut},
    {ErrorCode::kCorrupt, kExitIntegrity},
    {ErrorCode::kExhausted, kExitFailed},
    {ErrorCode::kInternal, kExitFailed},
}};

}  // namespace

ExitCode exit_code_of(ErrorCode code) {
  for (const auto& [error, exit] : kByError) {
    if (error == code) return exit;
  }
  return kExitFailed;
}

std::span<const ExitCodeRow> exit_code_rows() {
  return kRows;
}

}  // namespace mlops::cli
