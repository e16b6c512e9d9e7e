// One HTTP exchange with the server, as the API client needs it: the seam between own logic (tested with a scripted
// twin) and core/net. Thread-safety: one thread at a time; the two body functions are called on the caller's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace mlops::cli {

inline constexpr std::uint64_t kUnknownStreamBytes = ~std::uint64_t{0};

struct HttpCall {
  std::string method = "GET";
  std::string path;  // with the query, percent-encoded
  std::string body;
  std::string content_type;  // "" without a body
  // Instead of body: pieces of `stream_bytes` bytes in all; an empty piece ends it: early breaks the request off,
  // unless the size is kUnknownStreamBytes.
  std::function<Result<ByteView>()> stream;
  std::uint64_t stream_bytes = 0;
  // Takes the body of a 2xx answer as it arrives (other answers are gathered); an error breaks the transfer off.
  std::function<Status(ByteView)> sink;
};

struct HttpReply {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;                            // empty when a sink took it
};

class Transport {
 public:
  virtual ~Transport() = default;
  // Errors: kUnavailable "unreachable" (no connection, or it broke), kTimeout "no_answer", kInvalid "bad_ca_file",
  // kUnavailable "tls_failed"; what `stream` or `sink` failed with.
  virtual Result<HttpReply> exchange(const HttpCall& call) = 0;
  // To the same server, with a connection of its own.
  virtual Result<std::unique_ptr<Transport>> another() const = 0;
};

}  // namespace mlops::cli
