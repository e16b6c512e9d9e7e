// Where this program may send on somebody's word: the public internet, and beyond it only what the operator allows.
//
// A name is resolved once and the address that was judged is the one to connect to, so that a name that resolves
// differently a moment later (DNS rebinding) leads nowhere else. When one address of a name is refused, the name is.
// Ranges: the special-purpose registries of RFC 6890 (as of 2024), RFC 6598 (shared), RFC 6052 (NAT64), RFC 3056
// (6to4). Errors: kRefused "private_destination", "plaintext_destination"; kUnavailable "name_not_resolved"; kInvalid
// "bad_destination" for a setting. Thread-safety: values and free functions; resolving blocks.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/net/url.h"

namespace mlops::net {

enum class AddressKind { kPublic, kLoopback, kPrivate, kLinkLocal, kShared, kReserved };
std::string_view to_word(AddressKind kind);

// An IPv6 address; one of IPv4 is kept as ::ffff:a.b.c.d.
struct Address {
  std::array<std::uint8_t, 16> bytes{};

  // The strict numeric forms only: dotted decimal, or IPv6. Decimal, octal and hexadecimal hosts go through resolve().
  static std::optional<Address> parse(std::string_view text);
  std::string to_string() const;
  bool is_v4() const;
  // Of the IPv4 address inside, where one is embedded: mapped, compatible, NAT64, 6to4.
  AddressKind kind() const;
  auto operator<=>(const Address&) const = default;
};

// Every address of a host name, or what the host's digits mean to connect(2).
Result<std::vector<Address>> resolve(const std::string& host);

class Destinations {
 public:
  enum class Private { kRefuse, kAllow };
  // `allowed`: "hooks.internal", "hooks.internal:8443", "10.1.0.0/16", "192.168.3.4", "[fd00::5]:443".
  static Result<Destinations> create(Private private_ones, const std::vector<std::string>& allowed);
  // Refuses every private destination.
  Destinations() = default;

  // The address to connect to for this URL.
  Result<Address> admit(const Url& url) const;
  // The same when the addresses are known.
  Result<Address> judge(const Url& url, const std::vector<Address>& addresses) const;

 private:
  struct Allowed {
    std::string host;  // empty: `network`
    std::optional<Address> network;
    unsigned prefix_bits = 128;
    std::uint16_t port = 0;  // 0: any
  };
  static Result<Allowed> parse_allowed(std::string_view text);
  static bool covers(const Allowed& entry, const Url& url, const Address& address);
  bool is_allowed(const Url& url, const Address& address) const;

  Private private_ = Private::kRefuse;
  std::vector<Allowed> allowed_;
};

}  // namespace mlops::net
