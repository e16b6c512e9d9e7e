#include "core/net/tls_channel.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <vector>

#include "core/net/exchange.h"

namespace mlops::net {
namespace {

// Records hold 16 KiB at most; this many bytes of them travel in one system call.
constexpr std::size_t kRecordBufferBytes = 256u << 10;

struct Deleter {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* session) const { SSL_free(session); }
  void operator()(BIO_METHOD* method) const { BIO_meth_free(method); }
};
using ContextPtr = std::unique_ptr<SSL_CTX, Deleter>;
using SessionPtr = std::unique_ptr<SSL, Deleter>;

// OpenSSL's own socket BIO would raise SIGPIPE and send each record by itself. This one gathers records and can both
// wait for input (SO_RCVTIMEO bounds it) and not wait.
struct Wire {
  int fd = -1;
  int receive_flags = 0;  // MSG_DONTWAIT: do not wait
  bool is_broken = false;
  std::vector<char> waiting;  // records not sent yet, from `sent_bytes` on
  std::size_t sent_bytes = 0;

  std::size_t waiting_bytes() const { return waiting.size() - sent_bytes; }

  // Sends what the socket takes now.
  void flush_some() {
    while (waiting_bytes() > 0 && !is_broken) {
      const ByteView rest = as_bytes({waiting.data() + sent_bytes, waiting_bytes()});
      const ssize_t sent = send_some(fd, {&rest, 1});
      if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
      is_broken = sent < 0;
      sent_bytes += static_cast<std::size_t>(std::max<ssize_t>(sent, 0));
    }
    waiting.clear();
    sent_bytes = 0;
  }

  bool append(const char* bytes, std::size_t size) {
    if (waiting.size() + size > kRecordBufferBytes) flush_some();
    waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(sent_bytes));
    sent_bytes = 0;
    // A record is always taken when nothing waits, however long it is.
    if (is_broken || (!waiting.empty() && waiting.size() + size > kRecordBufferBytes)) return false;
    waiting.insert(waiting.end(), bytes, bytes + size);
    return true;
  }
};

Wire& wire_of(BIO* bio) {
  return *static_cast<Wire*>(BIO_get_data(bio));
}

int bio_write(BIO* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  Wire& wire = wire_of(bio);
  if (wire.append(bytes, static_cast<std::size_t>(size))) return size;
  if (!wire.is_broken) BIO_set_retry_write(bio);
  return -1;
}

int bio_read(BIO* bio, char* into, int size) {
  BIO_clear_retry_flags(bio);
  Wire& wire = wire_of(bio);
  const ssize_t got = receive_some(wire.fd, {reinterpret_cast<std::uint8_t*>(into), static_cast<std::size_t>(size)},
                                   wire.receive_flags);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) BIO_set_retry_read(bio);
  return static_cast<int>(got);
}

long bio_control(BIO* bio, int command, long, void*) {
  if (command != BIO_CTRL_FLUSH) return 0;
  BIO_clear_retry_flags(bio);
  Wire& wire = wire_of(bio);
  wire.flush_some();
  if (wire.is_broken) return -1;
  if (wire.waiting_bytes() == 0) return 1;
  BIO_set_retry_write(bio);
  return -1;
}

int bio_create(BIO* bio) {
  BIO_set_init(bio, 1);
  return 1;
}

BIO_METHOD* wire_method() {
  static const std::unique_ptr<BIO_METHOD, Deleter> method = [] {
    std::unique_ptr<BIO_METHOD, Deleter> made(
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "gathering socket"));
    if (!made) return made;
    BIO_meth_set_create(made.get(), bio_create);
    BIO_meth_set_write(made.get(), bio_write);
    BIO_meth_set_read(made.get(), bio_read);
    BIO_meth_set_ctrl(made.get(), bio_control);
    return made;
  }();
  return method.get();
}

class TlsChannel final : public Channel {
 public:
  TlsChannel(SessionPtr session, int fd, int silence_ms) : session_(std::move(session)), silence_ms_(silence_ms) {
    wire_.fd = fd;
  }

  // The handshake. False: it failed.
  bool start() {
    BIO* const bio = wire_method() ? BIO_new(wire_method()) : nullptr;
    if (!bio) return false;
    BIO_set_data(bio, &wire_);
    SSL_set_bio(session_.get(), bio, bio);
    for (;;) {
      ERR_clear_error();
      const int result = SSL_connect(session_.get());
      if (result == 1) return true;
      if (SSL_get_error(session_.get(), result) != SSL_ERROR_WANT_WRITE) return false;
      if (wait_for(wire_.fd, POLLOUT, silence_ms_) == 0) return false;
    }
  }

  bool is_untrusted() const { return SSL_get_verify_result(session_.get()) != X509_V_OK; }

  Received receive(std::span<std::uint8_t> into) override {
    wire_.receive_flags = 0;
    int got = read(into);
    if (got <= 0) return {why_none(got), 0};
    // What has arrived with the first record comes along.
    std::size_t taken_bytes = 0;
    wire_.receive_flags = MSG_DONTWAIT;
    while (got > 0) {
      taken_bytes += static_cast<std::size_t>(got);
      const bool more = taken_bytes < into.size() && SSL_has_pending(session_.get()) == 1;
      got = more ? read(into.subspan(taken_bytes)) : 0;
    }
    return {IoState::kDone, taken_bytes};
  }

  IoState send(std::span<ByteView> parts) override {
    for (ByteView& part : parts) {
      while (!part.empty()) {
        ERR_clear_error();
        const int wanted = static_cast<int>(std::min<std::size_t>(part.size(), INT_MAX));
        const int sent = SSL_write(session_.get(), part.data(), wanted);
        if (sent > 0) {
          part = part.subspan(static_cast<std::size_t>(sent));
          continue;
        }
        if (SSL_get_error(session_.get(), sent) != SSL_ERROR_WANT_WRITE) return IoState::kPeerSpoke;
        if (const IoState state = wait_to_send(); state != IoState::kDone) return state;
      }
    }
    for (;;) {
      wire_.flush_some();
      if (wire_.is_broken) return IoState::kPeerSpoke;
      if (wire_.waiting_bytes() == 0) return IoState::kDone;
      if (const IoState state = wait_to_send(); state != IoState::kDone) return state;
    }
  }

  // Bytes on the wire need not be an answer: tickets for resumption come at any time.
  bool has_input() override {
    wire_.receive_flags = MSG_DONTWAIT;
    char first = 0;
    ERR_clear_error();
    const int got = SSL_peek(session_.get(), &first, 1);
    if (got > 0) return true;
    const int error = SSL_get_error(session_.get(), got);
    return error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE;
  }

 private:
  int read(std::span<std::uint8_t> into) {
    ERR_clear_error();
    return SSL_read(session_.get(), into.data(), static_cast<int>(std::min<std::size_t>(into.size(), INT_MAX)));
  }

  IoState why_none(int result) const {
    switch (SSL_get_error(session_.get(), result)) {
      case SSL_ERROR_WANT_READ:
        return IoState::kSilent;
      case SSL_ERROR_ZERO_RETURN:
        return IoState::kClosed;
      default:
        return IoState::kBroken;
    }
  }

  IoState wait_to_send() {
    const short events = wait_for(wire_.fd, POLLIN | POLLOUT, silence_ms_);
    if (events == 0) return IoState::kSilent;
    return events != POLLOUT && has_input() ? IoState::kPeerSpoke : IoState::kDone;
  }

  Wire wire_;  // outlives the session, which refers to it
  SessionPtr session_;
  int silence_ms_;
};

// An address is looked for among the addresses of a certificate, a name among its names.
bool expect_name(SSL* session, const std::string& host) {
  SSL_set_hostflags(session, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host.c_str()) == 1) return true;
  return SSL_set1_host(session, host.c_str()) == 1 && SSL_set_tlsext_host_name(session, host.c_str()) == 1;
}

}  // namespace

struct TlsContext::Handle {
  ContextPtr context;
};

TlsContext::TlsContext(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
TlsContext::~TlsContext() = default;
TlsContext::TlsContext(TlsContext&&) noexcept = default;
TlsContext& TlsContext::operator=(TlsContext&&) noexcept = default;

Result<TlsContext> TlsContext::load(const std::string& ca_file) {
  ERR_clear_error();
  ContextPtr context(SSL_CTX_new(TLS_client_method()));
  const bool has_trust =
      context && (ca_file.empty() ? SSL_CTX_set_default_verify_paths(context.get())
                                  : SSL_CTX_load_verify_locations(context.get(), ca_file.c_str(), nullptr)) == 1;
  if (!has_trust || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1) return unusable_ca_file();
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context.get(), 1);
  SSL_CTX_set_default_read_buffer_len(context.get(), kRecordBufferBytes);
  return TlsContext(std::make_unique<Handle>(Handle{std::move(context)}));
}

Result<std::unique_ptr<Channel>> TlsContext::connect(int fd, const Url& server, int silence_ms) const {
  SessionPtr session(SSL_new(handle_->context.get()));
  if (!session || !expect_name(session.get(), server.host)) return no_tls(server.origin());
  auto channel = std::make_unique<TlsChannel>(std::move(session), fd, silence_ms);
  if (!channel->start()) {
    return channel->is_untrusted() ? untrusted_certificate(server.origin()) : no_tls(server.origin());
  }
  return std::unique_ptr<Channel>(std::move(channel));
}

}  // namespace mlops::net
