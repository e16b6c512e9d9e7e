#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <future>
#include <optional>
#include <thread>

#include "core/base/log.h"
#include "core/net/loopback.h"
#include "daemon/http/transport.h"

namespace mlops::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr int kBacklog = 4096;
constexpr std::size_t kLingerLimitBytes = 64u << 20;
constexpr auto kAcceptBackOff = std::chrono::milliseconds(100);

std::string ip_text(const tcp::socket& socket) {
  error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  if (error) return {};
  auto address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  }
  return address.to_string();
}

// What plain and TLS share; Stream is tcp::socket or asio::ssl::stream<tcp::socket>.
template <class Stream>
class StreamTransport : public Transport {
 public:
  template <class... Args>
  explicit StreamTransport(std::string peer_ip, Args&&... args)
      : stream_(std::forward<Args>(args)...), peer_ip_(std::move(peer_ip)), fd_(socket().native_handle()) {}

  void async_read(std::span<char> into, std::shared_ptr<TransportEvents> events) override {
    stream_.async_read_some(asio::buffer(into.data(), into.size()),
                            [events = std::move(events)](const error_code& error, std::size_t size_bytes) {
                              events->on_read(error ? 0 : size_bytes);
                            });
  }

  void async_write(std::string_view bytes, std::shared_ptr<TransportEvents> events) override {
    asio::async_write(
        stream_, asio::buffer(bytes.data(), bytes.size()),
        [events = std::move(events)](const error_code& error, std::size_t) { events->on_written(!error); });
  }

  std::size_t read(std::span<std::uint8_t> into) override {
    error_code error;
    const std::size_t size_bytes = stream_.read_some(asio::buffer(into.data(), into.size()), error);
    return error ? 0 : size_bytes;
  }

  bool write(std::string_view bytes) override {
    error_code error;
    asio::write(stream_, asio::buffer(bytes.data(), bytes.size()), error);
    return !error;
  }

  bool has_ended() override {
    pollfd state{fd_, POLLRDHUP, 0};
    return ::poll(&state, 1, 0) > 0;
  }

  // shutdown(2) wakes whoever waits on the descriptor, in whatever thread, and needs no other state.
  void stop_reading() override { ::shutdown(fd_, SHUT_RD); }
  void stop() override { ::shutdown(fd_, SHUT_RDWR); }
  const std::string& peer_ip() const override { return peer_ip_; }

 protected:
  tcp::socket& socket() {
    if constexpr (requires { stream_.next_layer(); }) {
      return stream_.next_layer();
    } else {
      return stream_;
    }
  }

  Stream stream_;

 private:
  std::string peer_ip_;
  int fd_;
};

class PlainTransport final : public StreamTransport<tcp::socket> {
 public:
  PlainTransport(std::string peer_ip, tcp::socket socket) : StreamTransport(std::move(peer_ip), std::move(socket)) {}

  void start(std::shared_ptr<TransportEvents> events) override { events->on_ready(true); }

  std::size_t write_now(std::string_view bytes) override {
    const auto sent = ::send(stream_.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent > 0 ? static_cast<std::size_t>(sent) : 0;
  }

  void close_politely(std::span<char> scratch, std::shared_ptr<TransportEvents> keep_alive) override {
    error_code ignored;
    stream_.shutdown(tcp::socket::shutdown_send, ignored);
    drop_rest(scratch, std::move(keep_alive), 0);
  }

 private:
  void drop_rest(std::span<char> scratch, std::shared_ptr<TransportEvents> keep_alive, std::size_t dropped_bytes) {
    stream_.async_read_some(asio::buffer(scratch.data(), scratch.size()),
                            [this, scratch, keep_alive = std::move(keep_alive), dropped_bytes](
                                const error_code& error, std::size_t size_bytes) mutable {
                              if (error || dropped_bytes > kLingerLimitBytes) return;
                              drop_rest(scratch, std::move(keep_alive), dropped_bytes + size_bytes);
                            });
  }
};

class TlsTransport final : public StreamTransport<asio::ssl::stream<tcp::socket>> {
 public:
  TlsTransport(std::string peer_ip, tcp::socket socket, asio::ssl::context& context)
      : StreamTransport(std::move(peer_ip), std::move(socket), context) {}

  void start(std::shared_ptr<TransportEvents> events) override {
    stream_.async_handshake(asio::ssl::stream_base::server,
                            [events = std::move(events)](const error_code& error) { events->on_ready(!error); });
  }

  std::size_t write_now(std::string_view) override { return 0; }  // the engine writes through async_write only

  void close_politely(std::span<char>, std::shared_ptr<TransportEvents> keep_alive) override {
    stream_.async_shutdown([keep_alive = std::move(keep_alive)](const error_code&) {});
  }
};

Failure cannot_listen(const ServerOptions& options, const std::string& why) {
  return fail(ErrorCode::kUnavailable, "cannot_listen",
              "cannot listen on " + options.address + " port " + std::to_string(options.port) + ": " + why,
              "choose another listen.address or listen.port, or end the process that holds it");
}

Failure bad_tls(const std::string& file, const std::string& why) {
  return fail(ErrorCode::kInvalid, "bad_tls", "cannot use '" + file + "' for TLS: " + why,
              "listen.tls.certificate and listen.tls.key name PEM files that belong together");
}

// Out of descriptors or buffers: accepting again at once would spin until some other connection ends.
bool is_shortage(const error_code& error) {
  const int code = error.value();
  return code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM;
}

}  // namespace

class Listener::Impl {
 public:
  Impl(const ServerOptions& options, Events events) : options_(options), events_(std::move(events)) {}

  Status start() {
    MLOPS_TRY(load_tls());
    const std::size_t shards = std::max<std::size_t>(options_.io_threads, 1);
    for (std::size_t i = 0; i < shards; ++i) shards_.push_back(std::make_unique<Shard>());
    MLOPS_TRY(bind());
    accept();
    for (std::size_t i = 0; i < shards; ++i) {
      tick(i);
      shards_[i]->thread = std::thread([this, i] { run(shards_[i]->context); });
    }
    return {};
  }

  int port() const { return port_; }

  void stop_accepting() {
    if (shards_.empty() || !shards_[0]->thread.joinable()) return;
    std::promise<void> closed;
    asio::post(shards_[0]->context, [this, &closed] {
      accepting_ = false;
      error_code ignored;
      acceptor_->close(ignored);
      back_off_->cancel();
      closed.set_value();
    });
    closed.get_future().wait();
  }

  void stop() {
    for (auto& shard : shards_) shard->context.stop();
    for (auto& shard : shards_) {
      if (shard->thread.joinable()) shard->thread.join();
    }
  }

 private:
  struct Shard {
    asio::io_context context{1};
    asio::steady_timer timer{context};
    std::thread thread;
  };

  // An exception (memory ran out) costs the connection it came from, not the thread that serves all others.
  static void run(asio::io_context& context) {
    for (;;) {
      try {
        context.run();
        return;
      } catch (const std::exception&) {
        log::error("io_thread_exception");
      }
    }
  }

  Status load_tls() {
    if (options_.tls_certificate_file.empty() && options_.tls_key_file.empty()) return {};
    error_code error;
    tls_.emplace(asio::ssl::context::tls_server);
    tls_->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                          asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1 |
                          SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION,
                      error);
    tls_->use_certificate_chain_file(options_.tls_certificate_file, error);
    if (error) return bad_tls(options_.tls_certificate_file, error.message());
    tls_->use_private_key_file(options_.tls_key_file, asio::ssl::context::pem, error);
    if (error) return bad_tls(options_.tls_key_file, error.message());
    if (SSL_CTX_check_private_key(tls_->native_handle()) != 1) {
      return bad_tls(options_.tls_key_file, "it is not the key of the certificate");
    }
    return {};
  }

  Status bind() {
    error_code error;
    const auto address = asio::ip::make_address(options_.address, error);
    if (error) return cannot_listen(options_, "not an IP address");
    const tcp::endpoint endpoint(address, static_cast<std::uint16_t>(options_.port));
    acceptor_.emplace(shards_[0]->context);
    back_off_.emplace(shards_[0]->context);
    acceptor_->open(endpoint.protocol(), error);
    if (!error) acceptor_->set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_->bind(endpoint, error);
    if (!error) acceptor_->listen(kBacklog, error);
    if (error) return cannot_listen(options_, error.message());
    port_ = acceptor_->local_endpoint(error).port();
    return {};
  }

  void accept() {
    const std::size_t shard = next_shard_++ % shards_.size();
    acceptor_->async_accept(shards_[shard]->context, [this, shard](const error_code& error, tcp::socket socket) {
      if (!accepting_) return;
      if (error) {
        on_accept_error(error);
        return;
      }
      hand_over(std::move(socket), shard);
      accept();
    });
  }

  // The acceptor outlives every error: a peer that went away, a full descriptor table.
  void on_accept_error(const error_code& error) {
    if (!is_shortage(error)) {
      accept();
      return;
    }
    log::warn("accept_backs_off", {{"errno", static_cast<std::int64_t>(error.value())}});
    back_off_->expires_after(kAcceptBackOff);
    back_off_->async_wait([this](const error_code& cancelled) {
      if (!cancelled && accepting_) accept();
    });
  }

  void hand_over(tcp::socket socket, std::size_t shard) {
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    net::stop_pacing_on_loopback(socket.native_handle());
    auto ip = ip_text(socket);
    if (ip.empty()) return;  // gone already
    std::unique_ptr<Transport> transport;
    if (tls_) {
      transport = std::make_unique<TlsTransport>(std::move(ip), std::move(socket), *tls_);
    } else {
      transport = std::make_unique<PlainTransport>(std::move(ip), std::move(socket));
    }
    if (shard == 0) {
      events_.on_peer(std::move(transport), shard);
      return;
    }
    asio::post(shards_[shard]->context, [this, shard, transport = std::move(transport)]() mutable {
      events_.on_peer(std::move(transport), shard);
    });
  }

  void tick(std::size_t shard) {
    auto& timer = shards_[shard]->timer;
    timer.expires_after(std::chrono::milliseconds(kTickMs));
    timer.async_wait([this, shard](const error_code& cancelled) {
      if (cancelled) return;
      events_.on_tick(shard);
      tick(shard);
    });
  }

  ServerOptions options_;
  Events events_;
  std::optional<asio::ssl::context> tls_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::optional<tcp::acceptor> acceptor_;
  std::optional<asio::steady_timer> back_off_;
  std::size_t next_shard_ = 0;
  bool accepting_ = true;  // shard 0's thread only
  int port_ = 0;
};

Listener::Listener(const ServerOptions& options, Events events)
    : impl_(std::make_unique<Impl>(options, std::move(events))) {}
Listener::~Listener() {
  stop();
}
Status Listener::start() {
  return impl_->start();
}
int Listener::port() const {
  return impl_->port();
}
void Listener::stop_accepting() {
  impl_->stop_accepting();
}
void Listener::stop() {
  impl_->stop();
}

}  // namespace mlops::http
