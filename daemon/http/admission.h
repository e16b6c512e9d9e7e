// What a request head alone decides: host, route, caller, scope and the kind of body. Private to daemon/http.
//
// Order: draining → host → form of the message → target → route (404, 405) → token (401) → scope (403) → body.
// Nothing of a body is read before all of these have passed. Thread-safety: pure but for Authenticate.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "daemon/http/request_parser.h"
#include "daemon/http/server_core.h"

namespace mlops::http {

enum class AfterAnswer { kKeepAlive, kClose };

struct Refusal {
  Error error;
  AfterAnswer after = AfterAnswer::kClose;
  const Route* route = nullptr;  // when one had been found
  std::vector<std::pair<std::string, std::string>> headers;
};

struct Admitted {
  const Route* route = nullptr;
  Request request;  // all but its body
};

// REQUIRES: `head` passed RequestParser. Takes the headers out of it.
std::variant<Admitted, Refusal> admit(const ServerCore& core, Head& head, const std::string& peer_ip,
                                      const std::string& request_id);

// The name in a Host header without its port and brackets, in lower case; "" when it is malformed.
std::string host_name(std::string_view host_header);

}  // namespace mlops::http
