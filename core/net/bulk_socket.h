// The connection of a BulkClient to its server: made, used, given up and made again, and broken off from any thread.
// Errors are those of http_client.h, told from how the connection ended. Thread-safety: one thread, but for abort().
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/net/channel.h"
#include "core/net/http_client.h"
#include "core/net/tls_channel.h"
#include "core/net/url.h"

struct addrinfo;

namespace mlops::net {

enum class SendEnd {
  kAllSent,
  kPeerSpoke,  // there may be an answer to receive; what is not sent is still in the parts
};

class BulkSocket {
 public:
  BulkSocket(const HttpClientOptions& options, Url server);
  ~BulkSocket();
  BulkSocket(const BulkSocket&) = delete;
  BulkSocket& operator=(const BulkSocket&) = delete;

  const Url& server() const { return server_; }
  bool is_open() const { return channel_ != nullptr; }
  // Errors: "server_unreachable", "tls_failed", "connection_lost" after abort(). REQUIRES: not open.
  Status connect();
  void close();

  // REQUIRES of these: open. As of Channel; 0 bytes: the server has closed in order.
  Result<std::size_t> receive(std::span<std::uint8_t> into);
  Result<SendEnd> send(std::span<ByteView> parts);
  bool has_input() { return channel_->has_input(); }

  // From any thread: what goes on fails soon with "connection_lost", and so does everything later.
  void abort();
  bool is_aborted() const { return is_aborted_.load(); }

 private:
  Status connect_tcp();
  Status set_up();
  bool open(const addrinfo& address);
  void close_descriptor();
  Failure failure_of(IoState state) const;

  const Url server_;
  const std::string ca_file_;
  const std::string connect_to_;
  const int connect_timeout_ms_;
  const int silence_ms_;
  std::optional<TlsContext> tls_;
  std::unique_ptr<Channel> channel_;
  std::mutex mutex_;  // fd_ is written by the owner under it, and read by abort()
  int fd_ = -1;
  std::atomic<bool> is_aborted_ = false;
};

}  // namespace mlops::net
