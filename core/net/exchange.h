// What the HTTP clients of this room share: the checks of what they send, and the errors of the way (http_client.h).
// Thread-safety: free functions without state.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/net/http_client.h"
#include "core/net/url.h"

namespace mlops::net {

// The server that `options` name, its path without a slash at the end. Errors: kInvalid "bad_url", "bad_request" (a
// token or user agent that no header can carry).
Result<Url> server_of(const HttpClientOptions& options);

// Errors: kInvalid "bad_request".
Status check_request(const HttpRequest& request);

// `server` is an origin. Each is one slug, but for "tls_failed" and "connection_lost", which say more in the message.
Failure server_unreachable(std::string_view server);
Failure server_timeout(std::string_view server, std::int64_t timeout_ms);
Failure server_too_slow(std::string_view server, std::int64_t timeout_ms);  // "server_timeout": it dripped
Failure connection_lost(std::string_view server);
Failure bad_answer(std::string_view server);        // "connection_lost": what came is not HTTP/1.1
Failure connection_ended(std::string_view server);  // "connection_lost": this side gave up
Failure no_tls(std::string_view server);
Failure unusable_ca_file();
Failure untrusted_certificate(std::string_view server);
Failure response_too_large(std::string_view server, std::size_t limit_bytes);
Failure source_too_short();
Failure source_too_long();

}  // namespace mlops::net
