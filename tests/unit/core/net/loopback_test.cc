#include "core/net/loopback.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>

#include "tests/unit/catch.h"

using namespace mlops;

namespace {

std::string congestion_control(int socket) {
  std::array<char, 16> name{};
  socklen_t size = name.size();
  if (::getsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, name.data(), &size) != 0) return "?";
  return name.data();
}

}  // namespace

TEST_CASE("a connection within the machine is not paced, and one that is not connected stays as it is") {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::listen(listener, 1) == 0);
  REQUIRE(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto before = congestion_control(socket);
  net::stop_pacing_on_loopback(socket);
  CHECK(congestion_control(socket) == before);
  REQUIRE(::connect(socket, reinterpret_cast<sockaddr*>(&address), size) == 0);
  net::stop_pacing_on_loopback(socket);
  CHECK(congestion_control(socket) == "reno");
  ::close(socket);
  ::close(listener);
}
