#include "daemon/app/sd_notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

namespace mlops::app {

Status sd_notify(std::string_view socket_path, std::string_view state) {
  if (socket_path.empty()) return {};
  sockaddr_un address{};
  const bool is_abstract = socket_path.front() == '@';
  if ((!is_abstract && socket_path.front() != '/') || socket_path.size() >= sizeof(address.sun_path)) {
    return fail(ErrorCode::kInvalid, "bad_notify_socket", "NOTIFY_SOCKET is neither an absolute path nor '@name'");
  }
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_path.data(), socket_path.size());
  if (is_abstract) address.sun_path[0] = '\0';
  const auto address_bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_path.size());

  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ssize_t sent = -1;
  if (fd >= 0) {
    sent = ::sendto(fd, state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                    reinterpret_cast<const sockaddr*>(&address), address_bytes);
  }
  const int reason = errno;
  if (fd >= 0) ::close(fd);
  if (sent == static_cast<ssize_t>(state.size())) return {};
  return fail(ErrorCode::kUnavailable, "notify_failed",
              std::string("the service manager could not be told: ") + std::strerror(reason));
}

}  // namespace mlops::app
