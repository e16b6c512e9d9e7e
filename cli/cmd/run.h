// The frame of a verb: its body gives an exit code or an Error, which is printed once, here.
#pragma once

#include "cli/exit_code.h"
#include "cli/session.h"
#include "core/base/result.h"

namespace mlops::cli {

template <Result<int> (*Body)(Session&)>
int run_body(Session& session) {
  auto outcome = Body(session);
  return outcome ? *outcome : session.fail(outcome.error());
}

// A wrong command line that the row's own declaration cannot see.
inline Failure usage_error(std::string message, std::string hint = {}) {
  return fail(ErrorCode::kInvalid, "usage", std::move(message), std::move(hint));
}

}  // namespace mlops::cli
