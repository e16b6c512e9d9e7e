#include "core/net/bulk_socket.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "core/net/exchange.h"
#include "core/net/loopback.h"

namespace mlops::net {
namespace {

int clamp_ms(std::int64_t timeout_ms) {
  return static_cast<int>(std::clamp<std::int64_t>(timeout_ms, 1, INT_MAX));
}

struct AddressesDeleter {
  void operator()(addrinfo* addresses) const { ::freeaddrinfo(addresses); }
};
using Addresses = std::unique_ptr<addrinfo, AddressesDeleter>;

Addresses resolve(const Url& server, const std::string& connect_to) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | (connect_to.empty() ? 0 : AI_NUMERICHOST);
  addrinfo* found = nullptr;
  const auto& host = connect_to.empty() ? server.host : connect_to;
  const int error = ::getaddrinfo(host.c_str(), std::to_string(server.port).c_str(), &hints, &found);
  return Addresses(error == 0 ? found : nullptr);
}

}  // namespace

BulkSocket::BulkSocket(const HttpClientOptions& options, Url server)
    : server_(std::move(server)),
      ca_file_(options.ca_file),
      connect_to_(options.connect_to),
      connect_timeout_ms_(clamp_ms(options.connect_timeout_ms)),
      silence_ms_(clamp_ms(options.read_timeout_ms)) {}

BulkSocket::~BulkSocket() {
  close();
}

Status BulkSocket::connect() {
  MLOPS_TRY(connect_tcp());
  auto made = set_up();
  if (made) return {};
  close();
  return is_aborted() ? connection_ended(server_.origin()) : fail(std::move(made.error()));
}

Status BulkSocket::connect_tcp() {
  const Addresses addresses = resolve(server_, connect_to_);
  for (const addrinfo* address = addresses.get(); address && !is_aborted(); address = address->ai_next) {
    if (open(*address)) return {};
    close_descriptor();
  }
  return is_aborted() ? connection_ended(server_.origin()) : server_unreachable(server_.origin());
}

// A descriptor is known to abort() before anything waits for it.
bool BulkSocket::open(const addrinfo& address) {
  {
    const std::lock_guard lock(mutex_);
    fd_ = ::socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address.ai_protocol);
    if (fd_ < 0 || is_aborted()) return false;
  }
  if (::connect(fd_, address.ai_addr, address.ai_addrlen) != 0) {
    if (errno != EINPROGRESS && errno != EINTR) return false;
    if (wait_for(fd_, POLLOUT, connect_timeout_ms_) == 0) return false;
  }
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0 && !is_aborted();
}

Status BulkSocket::set_up() {
  const int on = 1;
  const timeval silence{silence_ms_ / 1000, silence_ms_ % 1000 * 1000};
  const int flags = ::fcntl(fd_, F_GETFL);
  if (flags < 0 || ::fcntl(fd_, F_SETFL, flags & ~O_NONBLOCK) != 0 ||
      ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
      ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof silence) != 0) {
    return server_unreachable(server_.origin());
  }
  stop_pacing_on_loopback(fd_);
  if (!server_.is_tls()) {
    channel_ = make_tcp_channel(fd_, silence_ms_);
    return {};
  }
  if (!tls_) {
    MLOPS_ASSIGN(tls_, TlsContext::load(ca_file_));
  }
  MLOPS_ASSIGN(channel_, tls_->connect(fd_, server_, silence_ms_));
  return {};
}

void BulkSocket::close() {
  channel_.reset();
  close_descriptor();
}

void BulkSocket::close_descriptor() {
  const std::lock_guard lock(mutex_);
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Result<std::size_t> BulkSocket::receive(std::span<std::uint8_t> into) {
  const Received received = channel_->receive(into);
  if (received.state == IoState::kDone) return received.size_bytes;
  if (received.state == IoState::kClosed && !is_aborted()) return std::size_t{0};
  return failure_of(received.state);
}

Result<SendEnd> BulkSocket::send(std::span<ByteView> parts) {
  const IoState state = channel_->send(parts);
  if (state == IoState::kDone) return SendEnd::kAllSent;
  if (state == IoState::kPeerSpoke && !is_aborted()) return SendEnd::kPeerSpoke;
  return failure_of(state);
}

void BulkSocket::abort() {
  const std::lock_guard lock(mutex_);
  is_aborted_.store(true);
  if (fd_ >= 0) ::shutdown(fd_, SHUT_RDWR);
}

Failure BulkSocket::failure_of(IoState state) const {
  if (is_aborted()) return connection_ended(server_.origin());
  return state == IoState::kSilent ? server_timeout(server_.origin(), silence_ms_) : connection_lost(server_.origin());
}

}  // namespace mlops::net
