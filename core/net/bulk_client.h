// One connection for large bodies, beside the http_client: pieces go to the socket straight from the caller's buffers
// and come from it straight into one that is handed on, a large piece a system call. (cpp-httplib moves 4 KiB a call.)
// HTTP/1.1 over TCP or TLS; redirects are never followed, nothing is decompressed.
//
// A connection is kept alive between exchanges. A kept one that the server has closed is made anew, once and silently,
// when nothing of the answer has arrived and no more than the first piece of the body was asked for.
//
// Errors are those of the way, the same slugs as http_client.h; an answer of another status than 2xx is a response with
// its body. Headers that frame a message (Host, Connection, Content-Length, Transfer-Encoding) are the client's own:
// "bad_request". Limits: a response head of 64 KiB. Thread-safety: a client belongs to one thread at a time; abort()
// may be called from any.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/net/http_client.h"

namespace mlops::net {

// A body given piece by piece, each valid until the next is asked for; empty: the end. Sent with chunked transfer
// coding when its size is not known before; of a known one no more is asked for when its bytes are there.
using BulkSource = std::function<Result<ByteView>()>;
inline constexpr std::uint64_t kUnknownSize = ~std::uint64_t{0};

class BulkClient {
 public:
  // Connects nothing yet. Options and errors as for HttpClient.
  static Result<BulkClient> create(HttpClientOptions options);
  ~BulkClient();
  BulkClient(BulkClient&&) noexcept;
  BulkClient& operator=(BulkClient&&) noexcept;

  // Body of the request in memory, of the answer in memory (up to the limit).
  Result<HttpResponse> request(const HttpRequest& request);
  // `request.body` is ignored. An answer that comes before the body's end (a refusal) ends the sending and is returned.
  Result<HttpResponse> upload(const HttpRequest& request, std::uint64_t size_bytes, const BulkSource& source);
  // The body of a 2xx answer goes to `receiver` as it arrives, in pieces of up to `piece_bytes`, others into the
  // response. `request.body` is sent when there is one.
  Result<HttpResponse> download(const HttpRequest& request, const BodyReceiver& receiver,
                                std::size_t piece_bytes = 1u << 20);
  // Breaks off what is going on in another thread, for good: that and all later calls return "connection_lost".
  // Resolving a host name is not interrupted.
  void abort();

 private:
  class Impl;
  explicit BulkClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mlops::net
