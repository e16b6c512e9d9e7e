// One HTTP/1.1 answer as it comes off the wire: its head, and how its body is framed; chunked bodies out of their
// frames.
//
// The caller keeps the bytes: what a call did not use is presented again, followed by more. After kBroken the parser is
// of no use. Thread-safety: none. Limits: a head of 64 KiB.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "core/base/bytes.h"
#include "core/net/http_client.h"

namespace mlops::net {

inline constexpr std::size_t kAnswerHeadLimitBytes = 64u << 10;

enum class BodyFraming { kNone, kSized, kChunked, kUntilClose };

class AnswerParser {
 public:
  enum class Progress { kNeedMore, kDone, kBroken };
  // Whether the answer has the body that its head tells of: the one to HEAD has not.
  enum class Expect { kBody, kHeadOnly };

  struct Step {
    Progress progress = Progress::kNeedMore;
    std::size_t used_bytes = 0;
    ByteView content;  // of a body: the used bytes without their frames, moved together in place
  };

  explicit AnswerParser(Expect expect);
  ~AnswerParser();

  Step take_head(ByteView bytes);
  // These REQUIRE that take_head() was kDone.
  HttpResponse head() const;  // without a body
  BodyFraming framing() const;
  std::uint64_t size_bytes() const;  // REQUIRES: kSized
  bool keeps_connection() const;
  // REQUIRES: kChunked.
  Step take_chunked(std::span<std::uint8_t> bytes);

 private:
  struct Beast;  // the only place of its types is answer_parser.cc
  std::unique_ptr<Beast> beast_;
};

}  // namespace mlops::net
