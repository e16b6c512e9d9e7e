// Which addresses are private, in every spelling, and what a setting allows.
#include "core/net/destination.h"

#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::net;

namespace {

AddressKind kind_of(const std::string& text) {
  const auto address = Address::parse(text);
  REQUIRE(address);
  return address->kind();
}

std::string verdict(const Destinations& destinations, const std::string& url, const std::string& at) {
  const auto parsed = parse_url(url);
  REQUIRE(parsed);
  const auto judged = destinations.judge(*parsed, {Address::parse(at).value()});
  return judged ? judged->to_string() : judged.error().slug;
}

Destinations allowing(const std::vector<std::string>& list) {
  auto made = Destinations::create(Destinations::Private::kRefuse, list);
  REQUIRE(made);
  return *made;
}

}  // namespace

TEST_CASE("addresses are told apart by range, at its first and last address") {
  const std::pair<const char*, AddressKind> rows[] = {
      {"8.8.8.8", AddressKind::kPublic},
      {"0.0.0.0", AddressKind::kReserved},
      {"9.255.255.255", AddressKind::kPublic},
      {"10.0.0.0", AddressKind::kPrivate},
      {"10.255.255.255", AddressKind::kPrivate},
      {"11.0.0.0", AddressKind::kPublic},
      {"100.63.255.255", AddressKind::kPublic},
      {"100.64.0.0", AddressKind::kShared},
      {"100.127.255.255", AddressKind::kShared},
      {"100.128.0.0", AddressKind::kPublic},
      {"127.0.0.1", AddressKind::kLoopback},
      {"127.255.255.254", AddressKind::kLoopback},
      {"169.254.169.254", AddressKind::kLinkLocal},
      {"172.15.255.255", AddressKind::kPublic},
      {"172.16.0.1", AddressKind::kPrivate},
      {"172.31.255.255", AddressKind::kPrivate},
      {"172.32.0.0", AddressKind::kPublic},
      {"192.168.0.1", AddressKind::kPrivate},
      {"192.0.2.1", AddressKind::kReserved},
      {"198.18.0.1", AddressKind::kReserved},
      {"198.20.0.0", AddressKind::kPublic},
      {"224.0.0.1", AddressKind::kReserved},
      {"255.255.255.255", AddressKind::kReserved},
      {"::", AddressKind::kReserved},
      {"::1", AddressKind::kLoopback},
      {"fe80::1", AddressKind::kLinkLocal},
      {"febf::1", AddressKind::kLinkLocal},
      {"fec0::1", AddressKind::kPrivate},
      {"fc00::1", AddressKind::kPrivate},
      {"fd00:ec2::254", AddressKind::kPrivate},
      {"ff02::1", AddressKind::kReserved},
      {"2001:db8::1", AddressKind::kReserved},
      {"2001::1", AddressKind::kReserved},
      {"2606:4700::1111", AddressKind::kPublic},
      {"4000::1", AddressKind::kReserved},
  };
  for (const auto& [text, kind] : rows) {
    INFO(text);
    CHECK(kind_of(text) == kind);
  }
}

TEST_CASE("an IPv4 address inside an IPv6 one is judged as itself") {
  CHECK(kind_of("::ffff:127.0.0.1") == AddressKind::kLoopback);
  CHECK(kind_of("::ffff:10.0.0.1") == AddressKind::kPrivate);
  CHECK(kind_of("::ffff:8.8.8.8") == AddressKind::kPublic);
  CHECK(kind_of("::127.0.0.1") == AddressKind::kLoopback);
  CHECK(kind_of("64:ff9b::169.254.169.254") == AddressKind::kLinkLocal);
  CHECK(kind_of("64:ff9b::8.8.8.8") == AddressKind::kPublic);
  CHECK(kind_of("2002:7f00:1::") == AddressKind::kLoopback);
  CHECK(kind_of("2002:808:808::") == AddressKind::kPublic);
}

TEST_CASE("other spellings of a host are judged by what they connect to") {
  for (const char* host : {"localhost", "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "0x7f000001", "::1", "0"}) {
    INFO(host);
    const auto addresses = resolve(host);
    REQUIRE(addresses);
    for (const auto& address : *addresses) CHECK(address.kind() != AddressKind::kPublic);
  }
  Url url{"https", "2852039166", 443, ""};
  const auto judged = Destinations().admit(url);
  REQUIRE_FALSE(judged);
  CHECK(judged.error().slug == "private_destination");
  CHECK(judged.error().message.find("169.254.169.254") != std::string::npos);
}

TEST_CASE("a public address needs TLS, a private one needs leave") {
  const Destinations none;
  CHECK(verdict(none, "https://hooks.example.org/x", "8.8.8.8") == "8.8.8.8");
  CHECK(verdict(none, "http://hooks.example.org/x", "8.8.8.8") == "plaintext_destination");
  CHECK(verdict(none, "https://hooks.example.org/x", "10.0.0.1") == "private_destination");
  const auto all = Destinations::create(Destinations::Private::kAllow, {});
  CHECK(verdict(*all, "http://hooks.example.org/x", "127.0.0.1") == "127.0.0.1");
}

TEST_CASE("what is allowed is one host, one port, one network") {
  const auto host = allowing({"hooks.internal"});
  CHECK(verdict(host, "http://hooks.internal:9000/", "10.0.0.1") == "10.0.0.1");
  CHECK(verdict(host, "http://other.internal/", "10.0.0.1") == "private_destination");
  const auto port = allowing({"hooks.internal:8443"});
  CHECK(verdict(port, "https://hooks.internal:8443/", "10.0.0.1") == "10.0.0.1");
  CHECK(verdict(port, "https://hooks.internal/", "10.0.0.1") == "private_destination");
  const auto network = allowing({"10.1.0.0/16", "fd00::/8", "[::1]:443"});
  CHECK(verdict(network, "https://a/", "10.1.255.1") == "10.1.255.1");
  CHECK(verdict(network, "https://a/", "10.2.0.1") == "private_destination");
  CHECK(verdict(network, "https://a/", "fd12::1") == "fd12::1");
  CHECK(verdict(network, "https://a/", "::1") == "::1");
  CHECK(verdict(network, "https://a:444/", "::1") == "private_destination");
  for (const char* bad : {"", "10.0.0.0/33", "10.0.0.0/x", "a b", "host/path", "host:0"}) {
    INFO(bad);
    CHECK_FALSE(Destinations::create(Destinations::Private::kRefuse, {bad}));
  }
}

TEST_CASE("one private address among several refuses the host") {
  const auto url = parse_url("https://rebinding.example.org/");
  const auto judged = Destinations().judge(*url, {*Address::parse("8.8.8.8"), *Address::parse("127.0.0.1")});
  REQUIRE_FALSE(judged);
  CHECK(judged.error().slug == "private_destination");
}
