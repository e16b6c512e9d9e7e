#include "daemon/app/sd_notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstring>

#include "tests/unit/catch.h"

namespace mlops::app {
namespace {

TEST_CASE("the state arrives as one datagram") {
  const std::string name = "@mlops-sd-notify-test-" + std::to_string(::getpid());
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  REQUIRE(fd >= 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name.data(), name.size());
  address.sun_path[0] = '\0';
  const auto size_bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&address), size_bytes) == 0);

  CHECK(sd_notify(name, kNotifyReady));
  std::array<char, 64> got{};
  const auto count = ::recv(fd, got.data(), got.size(), MSG_DONTWAIT);
  ::close(fd);
  REQUIRE(count > 0);
  CHECK(std::string(got.data(), static_cast<std::size_t>(count)) == "READY=1");
}

TEST_CASE("without a manager nothing happens, a bad or dead socket is an error") {
  CHECK(sd_notify("", kNotifyReady));
  CHECK(sd_notify("relative", kNotifyReady).error().slug == "bad_notify_socket");
  CHECK(sd_notify("/" + std::string(200, 'a'), kNotifyReady).error().slug == "bad_notify_socket");
  CHECK(sd_notify("@mlops-nobody-listens-here", kNotifyReady).error().slug == "notify_failed");
}

}  // namespace
}  // namespace mlops::app
