// problem+json (RFC 9457) of the native API ⇄ Error. Thread-safety: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "cli/transport.h"
#include "core/base/json.h"
#include "core/base/result.h"

namespace mlops::cli {

// The error of an answer that is not 2xx: from its problem+json, else from its status alone (a proxy in between).
Error error_of_reply(const HttpReply& reply, std::string_view server_url);
// The same shape for errors of this side: what `-o json` prints on stderr. `request_id` may be empty.
Json problem_of(const Error& error, std::string_view request_id);

}  // namespace mlops::cli
