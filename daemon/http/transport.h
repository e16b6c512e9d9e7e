// Bytes to and from one peer, and the listener that hands out new peers. The two implementations (plain TCP and TLS)
// live in listener.cc, the only place that knows Boost.Asio.
//
// Ownership of the moment: a connection belongs to one thread at a time. Its I/O thread owns it while a read or write
// is pending; a worker owns it while a handler runs and may then use the blocking calls or start the next read. Only
// peer_ip(), stop_reading() and stop() may be called from any thread at any time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "daemon/http/server.h"

namespace mlops::http {

// Told on the connection's I/O thread when what it started has ended.
class TransportEvents {
 public:
  virtual ~TransportEvents() = default;
  virtual void on_ready(bool ok) = 0;                // start() ended: TLS is up, or there is none
  virtual void on_read(std::size_t size_bytes) = 0;  // 0: the peer ended or the connection broke
  virtual void on_written(bool ok) = 0;
};

class Transport {
 public:
  virtual ~Transport() = default;

  // Each keeps `events` alive until its event; at most one read and one write are pending at a time.
  virtual void start(std::shared_ptr<TransportEvents> events) = 0;
  virtual void async_read(std::span<char> into, std::shared_ptr<TransportEvents> events) = 0;
  virtual void async_write(std::string_view bytes, std::shared_ptr<TransportEvents> events) = 0;
  // Writes what the socket takes at once, without blocking; fewer (also 0) than asked is no error.
  virtual std::size_t write_now(std::string_view bytes) = 0;
  // Ends politely: flushes, tells the peer, reads and drops what it still sends (so that the answer is not lost to a
  // reset), closes. Bounded by stop(). `scratch` belongs to what `keep_alive` keeps alive.
  virtual void close_politely(std::span<char> scratch, std::shared_ptr<TransportEvents> keep_alive) = 0;

  // Blocking; REQUIRES: nothing pending. A deadline is enforced by stop_reading() or stop() from outside.
  virtual std::size_t read(std::span<std::uint8_t> into) = 0;  // 0: ended or broken
  virtual bool write(std::string_view bytes) = 0;              // all or false

  // Whether the peer has ended its side, or the connection broke; what it sent before may still be there. Does not
  // wait.
  virtual bool has_ended() = 0;

  // Any thread: pending and later reads end at once (writes still work); or everything does.
  virtual void stop_reading() = 0;
  virtual void stop() = 0;
  virtual const std::string& peer_ip() const = 0;
};

class Listener {
 public:
  struct Events {
    // On the new peer's I/O thread, whose index is `shard`. Dropping the transport closes it.
    std::function<void(std::unique_ptr<Transport>, std::size_t shard)> on_peer;
    // Every kTickMs on each I/O thread.
    std::function<void(std::size_t shard)> on_tick;
  };
  static constexpr int kTickMs = 200;

  Listener(const ServerOptions& options, Events events);
  ~Listener();

  // Errors: kUnavailable "cannot_listen", kInvalid "bad_tls".
  Status start();
  int port() const;
  void stop_accepting();
  // Ends the I/O threads; nothing is called back afterwards. Transports stay valid until destruction of the Listener.
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mlops::http
