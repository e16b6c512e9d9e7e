#include "core/net/url.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "core/base/text.h"

namespace mlops::net {
namespace {

struct Scheme {
  std::string_view name;
  std::uint16_t port;
};
constexpr std::array<Scheme, 2> kSchemes{{{"http", 80}, {"https", 443}}};
constexpr std::size_t kHostLimitBytes = 253;  // the longest name DNS has

const Scheme* find_scheme(std::string_view name) {
  const auto found = std::find_if(kSchemes.begin(), kSchemes.end(), [&](auto& row) { return row.name == name; });
  return found == kSchemes.end() ? nullptr : found;
}

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool consists_of(std::string_view text, std::string_view further) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [&](char c) { return is_alnum(c) || further.find(c) != further.npos; });
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == text.npos;
  const auto port = digits ? parse_int(text) : std::nullopt;
  if (!port || *port < 1 || *port > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(*port);
}

Failure bad_url(std::string_view problem) {
  return fail(ErrorCode::kInvalid, "bad_url", fmt::format("not a usable URL: {}", problem),
              "write http://host:port or https://host:port");
}

// Splits "host", "host:port" or "[v6]:port" into `url`; the problem, or nothing.
std::optional<std::string_view> read_authority(std::string_view authority, Url& url) {
  if (authority.find('@') != authority.npos) return "a user name or password in it";
  std::string_view port;
  bool has_port = false;
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    if (end == authority.npos) return "'[' without ']'";
    const std::string_view host = authority.substr(1, end - 1);
    if (host.find(':') == host.npos || host.find_first_not_of("0123456789abcdefABCDEF:.") != host.npos) {
      return "no IPv6 address between the brackets";
    }
    url.host = to_lower_ascii(host);
    port = authority.substr(end + 1);
    has_port = !port.empty();
    if (has_port && port[0] != ':') return "text after ']'";
    if (has_port) port.remove_prefix(1);
  } else {
    const std::size_t colon = authority.find(':');
    const std::string_view host = authority.substr(0, colon);
    if (!consists_of(host, "-._") || host.size() > kHostLimitBytes) return "the host name";
    url.host = to_lower_ascii(host);
    has_port = colon != authority.npos;
    if (has_port) port = authority.substr(colon + 1);
  }
  if (!has_port) return std::nullopt;
  const auto number = parse_port(port);
  if (!number) return "the port (1 to 65535)";
  url.port = *number;
  return std::nullopt;
}

}  // namespace

bool Url::is_loopback() const {
  const bool is_v4 = host.find_first_not_of("0123456789.") == host.npos;  // not 127.example.org
  return host == "localhost" || host == "::1" || (is_v4 && host.starts_with("127."));
}

std::string Url::origin() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  std::string text = scheme + "://" + (is_v6 ? "[" + host + "]" : host);
  const Scheme* const row = find_scheme(scheme);
  if (!row || row->port != port) text += ":" + std::to_string(port);
  return text;
}

Result<Url> parse_url(std::string_view text) {
  const std::size_t mark = text.find("://");
  if (mark == text.npos) return bad_url("it does not begin with http:// or https://");
  Url url;
  url.scheme = to_lower_ascii(text.substr(0, mark));
  const Scheme* const scheme = find_scheme(url.scheme);
  if (!scheme) return bad_url("only http and https are supported");
  url.port = scheme->port;

  const std::string_view rest = text.substr(mark + 3);
  const std::size_t path_start = std::min(rest.find_first_of("/?#"), rest.size());
  if (const auto problem = read_authority(rest.substr(0, path_start), url)) return bad_url(*problem);
  url.path = rest.substr(path_start);
  if (url.path.starts_with('?')) url.path.insert(0, 1, '/');
  if (!url.path.empty() && !is_request_path(url.path)) {
    return bad_url("a space, a control or non-ASCII byte, or a fragment in its path");
  }
  return url;
}

bool is_request_path(std::string_view path) {
  return path.starts_with('/') &&
         std::all_of(path.begin(), path.end(), [](char c) { return c > ' ' && c < 0x7f && c != '#'; });
}

std::string percent_encode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<std::uint8_t>(c));
    }
  }
  return out;
}

}  // namespace mlops::net
