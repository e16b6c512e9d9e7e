#include "core/net/destination.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "core/base/text.h"

namespace mlops::net {
namespace {

constexpr std::string_view kKindWords[] = {"public", "loopback", "private network", "link-local", "shared", "reserved"};

struct Range {
  std::uint32_t first;
  unsigned prefix_bits;
  AddressKind kind;
};
constexpr Range kRanges[] = {
    {0x00000000, 8, AddressKind::kReserved},    // this network
    {0x0a000000, 8, AddressKind::kPrivate},     // 10/8
    {0x64400000, 10, AddressKind::kShared},     // 100.64/10, carrier-grade NAT
    {0x7f000000, 8, AddressKind::kLoopback},    // 127/8
    {0xa9fe0000, 16, AddressKind::kLinkLocal},  // 169.254/16, metadata services of clouds among them
    {0xac100000, 12, AddressKind::kPrivate},    // 172.16/12
    {0xc0000000, 24, AddressKind::kReserved},   // 192.0.0/24, protocol assignments
    {0xc0000200, 24, AddressKind::kReserved},   // 192.0.2/24, documentation
    {0xc0586300, 24, AddressKind::kReserved},   // 192.88.99/24, 6to4 relays
    {0xc0a80000, 16, AddressKind::kPrivate},    // 192.168/16
    {0xc6120000, 15, AddressKind::kReserved},   // 198.18/15, benchmarks
    {0xc6336400, 24, AddressKind::kReserved},   // 198.51.100/24, documentation
    {0xcb007100, 24, AddressKind::kReserved},   // 203.0.113/24, documentation
    {0xe0000000, 3, AddressKind::kReserved},    // multicast, future use, broadcast
};

AddressKind kind_of_v4(std::uint32_t address) {
  for (const auto& range : kRanges) {
    if ((address >> (32 - range.prefix_bits)) == (range.first >> (32 - range.prefix_bits))) return range.kind;
  }
  return AddressKind::kPublic;
}

using Bytes = std::array<std::uint8_t, 16>;

std::uint32_t v4_at(const Bytes& bytes, std::size_t at) {
  return std::uint32_t{bytes[at]} << 24 | std::uint32_t{bytes[at + 1]} << 16 | std::uint32_t{bytes[at + 2]} << 8 |
         bytes[at + 3];
}

bool begins_with(const Bytes& bytes, std::initializer_list<std::uint8_t> prefix) {
  return std::equal(prefix.begin(), prefix.end(), bytes.begin());
}

// 12 bytes before an IPv4 address.
constexpr std::initializer_list<std::uint8_t> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::initializer_list<std::uint8_t> kZeros{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
constexpr std::initializer_list<std::uint8_t> kNat64{0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0};

AddressKind kind_of_v6(const Bytes& bytes) {
  if (begins_with(bytes, kZeros)) {
    const auto low = v4_at(bytes, 12);
    if (low == 1) return AddressKind::kLoopback;
    return kind_of_v4(low);  // "::" is 0.0.0.0, reserved
  }
  if (begins_with(bytes, kNat64)) return kind_of_v4(v4_at(bytes, 12));
  if (begins_with(bytes, {0x20, 0x02})) return kind_of_v4(v4_at(bytes, 2));
  if ((bytes[0] & 0xfe) == 0xfc) return AddressKind::kPrivate;
  if (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80) return AddressKind::kLinkLocal;
  if (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0xc0) return AddressKind::kPrivate;      // site-local, as it was
  if (begins_with(bytes, {0x20, 0x01}) && bytes[2] < 2) return AddressKind::kReserved;  // 2001::/23: Teredo, ORCHID
  if (begins_with(bytes, {0x20, 0x01, 0x0d, 0xb8})) return AddressKind::kReserved;      // documentation
  if (begins_with(bytes, {0x3f, 0xff}) && bytes[2] < 0x10) return AddressKind::kReserved;
  return (bytes[0] & 0xe0) == 0x20 ? AddressKind::kPublic : AddressKind::kReserved;  // 2000::/3 alone is global
}

Address from_v4(const in_addr& v4) {
  Address address;
  std::copy(kMapped.begin(), kMapped.end(), address.bytes.begin());
  std::memcpy(address.bytes.data() + 12, &v4, 4);
  return address;
}

std::optional<Address> address_of(const sockaddr* from) {
  if (from->sa_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, from, sizeof v4);
    return from_v4(v4.sin_addr);
  }
  if (from->sa_family != AF_INET6) return std::nullopt;
  sockaddr_in6 v6;
  std::memcpy(&v6, from, sizeof v6);
  Address address;
  std::memcpy(address.bytes.data(), &v6.sin6_addr, 16);
  return address;
}

Failure bad_destination(std::string_view text) {
  return fail(ErrorCode::kInvalid, "bad_destination", fmt::format("\"{}\" is not a destination", printable(text)),
              "write a host, host:port, an address or a network such as 10.1.0.0/16");
}

}  // namespace

std::string_view to_word(AddressKind kind) {
  return kKindWords[static_cast<std::size_t>(kind)];
}

std::optional<Address> Address::parse(std::string_view text) {
  const std::string copy(text);
  in_addr v4{};
  if (::inet_pton(AF_INET, copy.c_str(), &v4) == 1) return from_v4(v4);
  Address address;
  if (::inet_pton(AF_INET6, copy.c_str(), address.bytes.data()) == 1) return address;
  return std::nullopt;
}

std::string Address::to_string() const {
  char text[INET6_ADDRSTRLEN] = {};
  if (is_v4()) {
    ::inet_ntop(AF_INET, bytes.data() + 12, text, sizeof text);
  } else {
    ::inet_ntop(AF_INET6, bytes.data(), text, sizeof text);
  }
  return text;
}

bool Address::is_v4() const {
  return begins_with(bytes, kMapped);
}

AddressKind Address::kind() const {
  return is_v4() ? kind_of_v4(v4_at(bytes, 12)) : kind_of_v6(bytes);
}

Result<std::vector<Address>> resolve(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(error == 0 ? found : nullptr, ::freeaddrinfo);
  std::vector<Address> addresses;
  for (const auto* at = owned.get(); at; at = at->ai_next) {
    if (const auto address = address_of(at->ai_addr)) addresses.push_back(*address);
  }
  if (!addresses.empty()) return addresses;
  return fail(ErrorCode::kUnavailable, "name_not_resolved", fmt::format("the host {} has no address", printable(host)),
              "is the name right, and does this machine's name service know it?");
}

Result<Destinations::Allowed> Destinations::parse_allowed(std::string_view text) {
  Allowed entry;
  if (const auto whole = Address::parse(text)) {
    entry.network = whole;
    return entry;
  }
  if (const auto slash = text.find('/'); slash != text.npos) {
    entry.network = Address::parse(text.substr(0, slash));
    const auto bits = parse_int(text.substr(slash + 1));
    if (!entry.network || !bits) return bad_destination(text);
    const bool is_v4 = entry.network->is_v4();
    if (*bits < 0 || *bits > (is_v4 ? 32 : 128)) return bad_destination(text);
    entry.prefix_bits = static_cast<unsigned>(*bits) + (is_v4 ? 96 : 0);
    return entry;
  }
  const auto colon = text.find_last_of(':');
  const auto bracket = text.find_last_of(']');
  const bool has_port = colon != text.npos && (bracket == text.npos || colon > bracket);
  const auto url = parse_url("https://" + std::string(text));
  if (!url || !url->path.empty()) return bad_destination(text);
  entry.port = has_port ? url->port : 0;
  entry.host = url->host;
  entry.network = Address::parse(url->host);
  if (entry.network) entry.host.clear();
  return entry;
}

Result<Destinations> Destinations::create(Private private_ones, const std::vector<std::string>& allowed) {
  Destinations destinations;
  destinations.private_ = private_ones;
  for (const auto& text : allowed) {
    MLOPS_ASSIGN(auto entry, parse_allowed(text));
    destinations.allowed_.push_back(std::move(entry));
  }
  return destinations;
}

bool Destinations::covers(const Allowed& entry, const Url& url, const Address& address) {
  if (entry.port != 0 && entry.port != url.port) return false;
  if (!entry.network) return entry.host == url.host;
  for (unsigned bit = 0; bit < entry.prefix_bits; ++bit) {
    const unsigned shift = 7 - bit % 8;
    if (((entry.network->bytes[bit / 8] ^ address.bytes[bit / 8]) >> shift & 1) != 0) return false;
  }
  return true;
}

bool Destinations::is_allowed(const Url& url, const Address& address) const {
  if (private_ == Private::kAllow) return true;
  return std::any_of(allowed_.begin(), allowed_.end(),
                     [&](const Allowed& entry) { return covers(entry, url, address); });
}

Result<Address> Destinations::judge(const Url& url, const std::vector<Address>& addresses) const {
  for (const auto& address : addresses) {
    if (is_allowed(url, address)) continue;
    if (const auto kind = address.kind(); kind != AddressKind::kPublic) {
      return fail(ErrorCode::kRefused, "private_destination",
                  fmt::format("{} is at {}, a {} address", url.host, address.to_string(), to_word(kind)),
                  "the operator can allow it: events.allowed_destinations in mlopsd's configuration");
    }
    if (!url.is_tls()) {
      return fail(ErrorCode::kRefused, "plaintext_destination", "events leave this network over https only",
                  "use an https URL, or let the operator allow it: events.allowed_destinations");
    }
  }
  if (addresses.empty()) {
    return fail(ErrorCode::kUnavailable, "name_not_resolved", fmt::format("the host {} has no address", url.host));
  }
  return addresses.front();
}

Result<Address> Destinations::admit(const Url& url) const {
  MLOPS_ASSIGN(const auto addresses, resolve(url.host));
  return judge(url, addresses);
}

}  // namespace mlops::net
