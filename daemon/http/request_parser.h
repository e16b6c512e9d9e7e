// Boost.Beast's HTTP/1.1 parser behind a small face: a checked head, and the decoding of a chunked body.
//
// Beyond Beast: exactly one Host, single-valued headers once, Transfer-Encoding only `chunked`, plain digits as
// Content-Length, origin-form targets only. Thread-safety: one thread. Ownership: values are copied out.
// Errors: kInvalid "bad_head", "bad_framing", "bad_body"; kExhausted "body_too_large".
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace mlops::http {

struct Head {
  std::string method;                          // as received
  std::string target;                          // as received; starts with '/'
  std::map<std::string, std::string> headers;  // names in lower case, values trimmed, lists joined by ", "
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool keep_alive = true;  // HTTP/1.0 is always answered with close
  bool expect_continue = false;

  bool has_body() const { return chunked || content_length.value_or(0) > 0; }
  // "" when absent.
  std::string_view header(std::string_view lower_name) const;
};

class RequestParser {
 public:
  RequestParser();
  ~RequestParser();

  // `raw` is exactly one head, as HeadScanner passed it. Starts a new request.
  Result<Head> parse_head(std::string_view raw);

  struct Decoded {
    std::size_t consumed = 0;  // of the raw bytes
    std::size_t produced = 0;  // into `into`
    bool done = false;         // the last chunk and the trailers are read
    // The next so many raw bytes are the chunk's and nothing else. They may be read to where they are wanted: given as
    // `raw` and `into` at once, they stay.
    std::uint64_t chunk_left = 0;
  };
  // Decodes what it can. Neither consumed nor produced: more raw bytes are needed behind these.
  // REQUIRES: parse_head gave a chunked head; `into` is not empty.
  Result<Decoded> decode_chunks(std::string_view raw, std::span<std::uint8_t> into);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mlops::http
