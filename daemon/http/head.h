// The strict gate before the HTTP parser: raw bytes of a request head, refused where parsers tend to differ.
//
//   head         = request-line CRLF *( header CRLF ) CRLF
//   header       = token ":" *( HTAB / 0x20–0x7e / 0x80–0xff )      no folding, no space before the colon
// Every line ends in CR LF, both only there; no other control byte anywhere. What passes is given to the real parser
// (request_parser.h), so two independent readers must agree on every request.
//
// Thread-safety: one thread. Errors: kInvalid "bad_head" (400), "uri_too_long" (414), "head_too_large" (431).
#pragma once

#include <cstddef>
#include <string_view>

#include "core/base/result.h"

namespace mlops::http {

struct HeadLimits {
  std::size_t request_line_bytes = 8u << 10;
  std::size_t header_bytes = 8u << 10;
  std::size_t head_bytes = 16u << 10;
  std::size_t header_count = 64;
};

// Incremental: each call goes on where the last one stopped, so a head that arrives byte by byte costs O(n).
class HeadScanner {
 public:
  explicit HeadScanner(const HeadLimits& limits) : limits_(limits) {}

  // `buffer` holds everything received since reset(). Returns the size of the complete head, or 0: more is needed.
  Result<std::size_t> scan(std::string_view buffer);
  void reset();

 private:
  Status check_sizes() const;
  Status check_line(std::string_view line) const;

  HeadLimits limits_;
  std::size_t at_ = 0;          // the next byte to look at
  std::size_t line_start_ = 0;  // where its line began
  std::size_t lines_ = 0;       // complete lines before it
};

}  // namespace mlops::http
