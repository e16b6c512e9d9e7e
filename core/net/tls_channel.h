// TLS 1.2 and above over a connected socket, the peer's chain and name verified: large records a system call, and
// writing that hears what the peer says meanwhile. Thread-safety: a context and its channels belong to one thread.
#pragma once

#include <memory>
#include <string>

#include "core/base/result.h"
#include "core/net/channel.h"
#include "core/net/url.h"

namespace mlops::net {

class TlsContext {
 public:
  // `ca_file` as in HttpClientOptions. Errors: kUnavailable "tls_failed".
  static Result<TlsContext> load(const std::string& ca_file);
  ~TlsContext();
  TlsContext(TlsContext&&) noexcept;
  TlsContext& operator=(TlsContext&&) noexcept;

  // The handshake; the channel may outlive the context. `fd` as for make_tcp_channel. Errors: kUnavailable
  // "tls_failed".
  Result<std::unique_ptr<Channel>> connect(int fd, const Url& server, int silence_ms) const;

 private:
  struct Handle;
  explicit TlsContext(std::unique_ptr<Handle> handle);

  std::unique_ptr<Handle> handle_;
};

}  // namespace mlops::net
