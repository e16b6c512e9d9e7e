// Bytes to and from a connected peer, over TCP or over TLS (tls_channel.h).
//
// Waiting is bounded by the longest allowed silence. A channel does not own its descriptor; shutdown(2) on it, from any
// thread, ends whatever a channel waits for. Thread-safety: a channel belongs to one thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <span>

#include "core/base/bytes.h"

namespace mlops::net {

enum class IoState {
  kDone,
  kClosed,     // the peer has ended its side in order
  kBroken,     // reset, cut, or not what TLS allows
  kSilent,     // nothing moved for as long as is allowed
  kPeerSpoke,  // sending stopped: something may be received, or the peer does not listen any more
};

struct Received {
  IoState state = IoState::kDone;
  std::size_t size_bytes = 0;  // above 0 if and only if kDone
};

class Channel {
 public:
  virtual ~Channel() = default;

  // Waits for the first byte and takes what has come with it. REQUIRES: `into` is not empty.
  virtual Received receive(std::span<std::uint8_t> into) = 0;
  // Sends the parts in order and leaves in them what is not sent. After kPeerSpoke it may be called again with the
  // rest.
  virtual IoState send(std::span<ByteView> parts) = 0;
  // Whether receive() would return at once, be it with the end. Does not wait.
  virtual bool has_input() = 0;
};

// REQUIRES: `fd` is a connected, blocking socket with SO_RCVTIMEO as long as `silence_ms`.
std::unique_ptr<Channel> make_tcp_channel(int fd, int silence_ms);

// The events of poll(2) that came, 0 when none did in time.
short wait_for(int fd, short events, int timeout_ms);
// recv(2) and send(2), begun again after a signal; never SIGPIPE.
ssize_t receive_some(int fd, std::span<std::uint8_t> into, int flags);
ssize_t send_some(int fd, std::span<const ByteView> parts);

}  // namespace mlops::net
