// The listener (the only Boost.Beast room): accepting, TLS, heads, deadlines, limits, authentication by the route's
// scope, hand-over to a bounded worker pool, streaming bodies with back-pressure, graceful drain.
//
// Thread-safety: start and drain from one thread. Handlers are called from several threads at once.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/http/route.h"

namespace mlops::http {

// Limits and deadlines; defaults as proposed for a public listener. Over → status in the comment.
struct ServerOptions {
  std::string address = "127.0.0.1";
  int port = 8470;                   // 0: any free one
  std::string tls_certificate_file;  // PEM; with the key, TLS is on (1.2+)
  std::string tls_key_file;
  std::vector<std::string> allowed_hosts;  // Host names answered besides the address itself and localhost; else 421
  std::size_t io_threads = 1;
  std::size_t worker_threads = 64;  // handlers
  std::size_t stream_threads = 64;  // streamed bodies, either way; so that slow peers never hold a worker
  std::size_t queue_limit = 256;    // 503 + Retry-After
  std::size_t request_line_limit_bytes = 8u << 10;  // 414
  std::size_t head_limit_bytes = 16u << 10;         // 431
  std::size_t header_limit_bytes = 8u << 10;        // 431, one header
  std::size_t header_count_limit = 64;              // 431
  std::size_t query_param_limit = 100;              // 400
  std::chrono::milliseconds head_deadline{5000};    // 408, absolute
  std::chrono::milliseconds body_idle_deadline{30000};
  std::size_t upload_min_rate_bytes_per_s = 16u << 10;  // over the window; 408
  std::chrono::milliseconds upload_rate_window{30000};  // only time spent waiting for the peer counts
  std::chrono::milliseconds write_deadline{30000};      // for each 256 KiB of an answer; then cut
  std::chrono::milliseconds keep_alive{60000};
  std::size_t connection_limit = 2048;
  std::size_t connections_per_ip_limit = 1024;
};

// Turns "Authorization" into a principal. Errors: kUnauthenticated. Runs on the I/O thread before any body is read:
// microseconds, no waiting.
using Authenticate = std::function<Result<model::Principal>(std::string_view authorization)>;

// What is told of every finished request, for logs and metrics; never a path parameter or a body.
struct RequestRecord {
  std::string_view method;  // "GET"; "" when the head could not be read
  std::string_view route;   // the row's pattern, or "" when none matched
  int status;
  double duration_s;
  std::string_view request_id;
  std::string_view principal_id;
  std::string_view peer_ip;
};
using Observe = std::function<void(const RequestRecord&)>;

class Server {
 public:
  Server(ServerOptions options, Router router, Authenticate authenticate, Observe observe);
  ~Server();

  // Binds, listens, serves in its own threads. Errors: kUnavailable "cannot_listen", kInvalid "bad_tls".
  Status start();
  int port() const;  // the bound one
  // Stops accepting, answers 503 to new requests on open connections, waits for running ones, then closes.
  void drain(std::chrono::milliseconds deadline);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mlops::http
