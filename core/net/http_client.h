// The only cpp-httplib room: requests to one server, with small bodies in memory and large ones streamed.
//
// Redirects are never followed (a bearer token must not travel to another host), nothing is decompressed, connections
// are kept alive. Errors are those of the way, never of the answer (a 404 is a response):
//   kInvalid      bad_url, bad_request (path, header or token that cannot be sent), source_changed (upload size)
//   kUnavailable  server_unreachable, connection_lost, tls_failed
//   kTimeout      server_timeout
//   kExhausted    response_too_large
// and what an upload source or a receiver returned. Thread-safety: a client belongs to one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace mlops::net {

struct HttpClientOptions {
  std::string base_url;      // a path in it is put before every request's path
  std::string bearer_token;  // empty: none is sent
  std::string ca_file;       // PEM, trusted instead of the system's; empty: the system's
  std::string user_agent = "mlops";
  std::string connect_to;  // a numeric address to connect to in the place of the URL's host, which TLS still checks
  std::int64_t connect_timeout_ms = 5'000;
  std::int64_t read_timeout_ms = 60'000;         // the longest silence, not the whole request
  std::int64_t whole_timeout_ms = 0;             // of HttpClient: the whole request, however it drips; 0: no end
  std::size_t response_limit_bytes = 64u << 20;  // of a body kept in memory
};

using HttpHeaders = std::map<std::string, std::string>;

struct HttpRequest {
  std::string method = "GET";
  std::string path;  // percent-encoded, beginning with '/', with its query
  std::string body;
  std::string content_type;  // empty: "application/json" when there is a body
  HttpHeaders headers;       // further ones
};

struct HttpResponse {
  int status = 0;
  HttpHeaders headers;  // names in lower case; of a repeated one the first
  std::string body;     // empty when it went to a receiver

  bool is_success() const { return status >= 200 && status < 300; }
  // The value, or "" when absent. REQUIRES: `name` in lower case.
  std::string_view header(const std::string& name) const;
};

// A body of known length, read piece by piece in the calling thread.
struct UploadSource {
  std::uint64_t size_bytes = 0;
  // Fills (a part of) the buffer and returns how much; 0 means the end, which must not come early.
  std::function<Result<std::size_t>(std::span<std::uint8_t>)> read;
};

// Takes the next piece of a 2xx body; an error stops the download and is returned from it.
using BodyReceiver = std::function<Status(ByteView)>;

class HttpClient {
 public:
  // Connects nothing yet. Errors: kInvalid "bad_url", "bad_request".
  static Result<HttpClient> create(HttpClientOptions options);
  ~HttpClient();
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;

  Result<HttpResponse> request(const HttpRequest& request);
  Result<HttpResponse> request(const std::string& method, const std::string& path, const std::string& body = {},
                               const std::string& content_type = {});
  // `request.body` is ignored in favour of `source`.
  Result<HttpResponse> upload(const HttpRequest& request, const UploadSource& source);
  // The body of another answer than 2xx is in the response (an error document), not given to `receiver`.
  Result<HttpResponse> download(const HttpRequest& request, const BodyReceiver& receiver);

 private:
  struct Connection;
  explicit HttpClient(std::unique_ptr<Connection> connection);

  std::unique_ptr<Connection> connection_;
};

}  // namespace mlops::net
