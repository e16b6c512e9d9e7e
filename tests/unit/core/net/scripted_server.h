// One listening socket on a free port, served by a script in its own thread; what was sent to it is kept. With an
// identity it speaks TLS. Thread-safety: a script's own methods belong to its thread, `received` to the test after
// join().
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <string_view>
#include <thread>

#include "tests/unit/core/net/tls_identity.h"

namespace mlops::net::test {

class ScriptedServer {
 public:
  using Script = std::function<void(ScriptedServer&)>;

  explicit ScriptedServer(Script script, const TlsIdentity* identity = nullptr) : identity_(identity) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener_, 8);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, script] { script(*this); });
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;
  ~ScriptedServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    hang_up();
    ::close(listener_);
  }

  std::string url() const { return (identity_ ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port_); }
  void join() {
    thread_.join();
    thread_ = std::thread([] {});
  }

  // For scripts. False: nobody came, or no handshake.
  bool accept() {
    connection_ = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    // Otherwise a short answer may wait for an acknowledgement, and a close with unread input drops it.
    const int on = 1;
    ::setsockopt(connection_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connection_ >= 0 && identity_) session_ = identity_->serve(connection_);
    return connection_ >= 0 && (!identity_ || session_);
  }
  void hang_up() {
    session_.reset();
    if (connection_ >= 0) ::close(connection_);
    connection_ = -1;
  }
  // What has not been read yet is lost, and what the client sends next answered with a reset.
  void reset() {
    const linger now{1, 0};
    ::setsockopt(connection_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    hang_up();
  }
  // The end of TLS as it should be, before hang_up().
  void say_goodbye() {
    if (session_) SSL_shutdown(session_.get());
  }

  // Reads a head and `body_bytes` behind it into `received`.
  void read_request(std::size_t body_bytes = 0) {
    std::string text;
    std::size_t wanted = std::string::npos;
    while (text.size() < wanted && read_some(text)) {
      const std::size_t end = text.find("\r\n\r\n");
      if (end != std::string::npos) wanted = end + 4 + body_bytes;
    }
    received += text;
  }
  // Reads until `received` ends so, or the client is gone.
  void read_until(std::string_view ending) {
    while (!received.ends_with(ending) && read_some(received)) {
    }
  }
  void answer(std::string_view text) {
    if (session_) {
      SSL_write(session_.get(), text.data(), static_cast<int>(text.size()));
      return;
    }
    while (!text.empty()) {
      const ssize_t sent = ::send(connection_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  void answer_ok(std::string_view body) {
    answer("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
  }

  std::string received;

 private:
  bool read_some(std::string& into) {
    char buffer[65'536];
    const ssize_t got =
        session_ ? SSL_read(session_.get(), buffer, sizeof buffer) : ::read(connection_, buffer, sizeof buffer);
    if (got > 0) into.append(buffer, static_cast<std::size_t>(got));
    return got > 0;
  }

  const TlsIdentity* identity_;
  TlsIdentity::Session session_;
  int listener_ = -1;
  int connection_ = -1;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace mlops::net::test
