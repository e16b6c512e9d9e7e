#include "core/net/channel.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

namespace mlops::net {
namespace {

constexpr std::size_t kPartsAtOnce = 4;

bool would_wait(int error) {
  return error == EAGAIN || error == EWOULDBLOCK;
}

void drop_sent(std::span<ByteView> parts, std::size_t sent_bytes) {
  for (ByteView& part : parts) {
    const std::size_t step = std::min(part.size(), sent_bytes);
    part = part.subspan(step);
    sent_bytes -= step;
  }
}

class TcpChannel final : public Channel {
 public:
  TcpChannel(int fd, int silence_ms) : fd_(fd), silence_ms_(silence_ms) {}

  Received receive(std::span<std::uint8_t> into) override {
    const ssize_t got = receive_some(fd_, into, 0);
    if (got > 0) return {IoState::kDone, static_cast<std::size_t>(got)};
    if (got == 0) return {IoState::kClosed, 0};
    return {would_wait(errno) ? IoState::kSilent : IoState::kBroken, 0};
  }

  // Sending never blocks in the call itself: a peer that refuses early and reads no further would not be heard.
  IoState send(std::span<ByteView> parts) override {
    for (;;) {
      while (!parts.empty() && parts.front().empty()) parts = parts.subspan(1);
      if (parts.empty()) return IoState::kDone;
      const ssize_t sent = send_some(fd_, parts);
      if (sent >= 0) {
        drop_sent(parts, static_cast<std::size_t>(sent));
        continue;
      }
      if (!would_wait(errno)) return IoState::kPeerSpoke;
      const short events = wait_for(fd_, POLLIN | POLLOUT, silence_ms_);
      if (events == 0) return IoState::kSilent;
      if (events != POLLOUT) return IoState::kPeerSpoke;
    }
  }

  bool has_input() override {
    std::array<std::uint8_t, 1> first;
    return receive_some(fd_, first, MSG_PEEK | MSG_DONTWAIT) >= 0 || !would_wait(errno);
  }

 private:
  int fd_;
  int silence_ms_;
};

}  // namespace

std::unique_ptr<Channel> make_tcp_channel(int fd, int silence_ms) {
  return std::make_unique<TcpChannel>(fd, silence_ms);
}

short wait_for(int fd, short events, int timeout_ms) {
  using std::chrono::milliseconds;
  using std::chrono::steady_clock;
  const auto deadline = steady_clock::now() + milliseconds(timeout_ms);
  int left_ms = timeout_ms;
  for (;;) {
    pollfd waiting{fd, events, 0};
    const int ready = ::poll(&waiting, 1, left_ms);
    if (ready >= 0 || errno != EINTR) return ready > 0 ? waiting.revents : short{0};
    left_ms = static_cast<int>(
        std::max<std::int64_t>(0, std::chrono::ceil<milliseconds>(deadline - steady_clock::now()).count()));
  }
}

ssize_t receive_some(int fd, std::span<std::uint8_t> into, int flags) {
  for (;;) {
    const ssize_t got = ::recv(fd, into.data(), into.size(), flags);
    if (got >= 0 || errno != EINTR) return got;
  }
}

ssize_t send_some(int fd, std::span<const ByteView> parts) {
  std::array<iovec, kPartsAtOnce> pieces;
  msghdr message{};
  message.msg_iov = pieces.data();
  for (const ByteView part : parts.first(std::min(parts.size(), kPartsAtOnce))) {
    pieces[message.msg_iovlen++] = {const_cast<std::uint8_t*>(part.data()), part.size()};
  }
  for (;;) {
    const ssize_t sent = ::sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0 || errno != EINTR) return sent;
  }
}

}  // namespace mlops::net
