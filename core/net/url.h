// URLs of servers this program talks to: http and https only, no user information, no fragment.
// Thread-safety: plain values and free functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace mlops::net {

struct Url {
  std::string scheme;      // "http" or "https"
  std::string host;        // lower-case name or address; IPv6 without its brackets
  std::uint16_t port = 0;  // always set: the given one, or 80 and 443
  std::string path;        // with the query, "" or beginning with '/'

  bool is_tls() const { return scheme == "https"; }
  // This machine: localhost, 127.0.0.0/8 or ::1.
  bool is_loopback() const;
  // "https://host:8443", the port left out when it is the scheme's own; IPv6 in brackets.
  std::string origin() const;
  std::string to_string() const { return origin() + path; }
};

// Errors: kInvalid "bad_url"; the message never repeats the text, which may hold a password.
Result<Url> parse_url(std::string_view text);

// Whether `path` (with its query) may stand in a request line: begins with '/', visible ASCII only, no fragment.
bool is_request_path(std::string_view path);

// Everything but the unreserved characters of RFC 3986 as %XX: a whole reference becomes one path segment or query
// value.
std::string percent_encode(std::string_view text);

}  // namespace mlops::net
