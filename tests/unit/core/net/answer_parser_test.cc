#include "core/net/answer_parser.h"

#include <string>
#include <vector>

#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::net;

namespace {

using Progress = AnswerParser::Progress;
using Expect = AnswerParser::Expect;

Progress take_head(AnswerParser& parser, std::string_view text) {
  return parser.take_head(as_bytes(text)).progress;
}

BodyFraming framing_of(std::string_view headers, Expect expect = Expect::kBody, std::string_view status = "200 OK") {
  AnswerParser parser(expect);
  REQUIRE(take_head(parser, "HTTP/1.1 " + std::string(status) + "\r\n" + std::string(headers) + "\r\n") ==
          Progress::kDone);
  return parser.framing();
}

// Presents `text` in steps of `step_bytes`, as a socket would; the content, or "broken".
std::string take_chunked(std::string_view text, std::size_t step_bytes) {
  AnswerParser parser(Expect::kBody);
  REQUIRE(take_head(parser, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n") == Progress::kDone);
  std::string content;
  std::vector<std::uint8_t> pending;
  while (!text.empty()) {
    const auto more = as_bytes(text.substr(0, step_bytes));
    pending.insert(pending.end(), more.begin(), more.end());
    text.remove_prefix(more.size());
    const auto step = parser.take_chunked(pending);
    if (step.progress == Progress::kBroken) return "broken";
    content.append(step.content.begin(), step.content.end());
    pending.erase(pending.begin(), pending.begin() + static_cast<std::ptrdiff_t>(step.used_bytes));
    if (step.progress == Progress::kDone) return text.empty() && pending.empty() ? content : "not at the end";
  }
  return "not done";
}

}  // namespace

TEST_CASE("a head comes together from any pieces and leaves what follows it") {
  const std::string text = "HTTP/1.1 206 Partial\r\nX-Thing: a\r\nx-thing: b\r\nContent-Length: 5\r\n\r\nhello";
  for (std::size_t first = 1; first < text.size(); ++first) {
    AnswerParser parser(Expect::kBody);
    auto step = parser.take_head(as_bytes(std::string_view(text).substr(0, first)));
    std::size_t used_bytes = step.used_bytes;
    if (step.progress == Progress::kNeedMore) {
      step = parser.take_head(as_bytes(std::string_view(text).substr(used_bytes)));
      used_bytes += step.used_bytes;
    }
    REQUIRE(step.progress == Progress::kDone);
    CHECK(text.substr(used_bytes) == "hello");
    CHECK(parser.head().status == 206);
    CHECK(parser.head().header("x-thing") == "a");
    CHECK(parser.framing() == BodyFraming::kSized);
    CHECK(parser.size_bytes() == 5);
    CHECK(parser.keeps_connection());
  }
}

TEST_CASE("how a body is framed follows from status, headers and the request") {
  CHECK(framing_of("Content-Length: 3\r\n") == BodyFraming::kSized);
  CHECK(framing_of("Content-Length: 0\r\n") == BodyFraming::kNone);
  CHECK(framing_of("Transfer-Encoding: chunked\r\n") == BodyFraming::kChunked);
  CHECK(framing_of("") == BodyFraming::kUntilClose);
  CHECK(framing_of("Content-Length: 3\r\n", Expect::kHeadOnly) == BodyFraming::kNone);
  CHECK(framing_of("", Expect::kBody, "204 No Content") == BodyFraming::kNone);
  CHECK(framing_of("Content-Length: 3\r\n", Expect::kBody, "304 Not Modified") == BodyFraming::kNone);
  CHECK(framing_of("", Expect::kBody, "100 Continue") == BodyFraming::kNone);
}

TEST_CASE("an answer that can be read in two ways is broken") {
  for (const char* headers : {
           "Content-Length: 3\r\nContent-Length: 4\r\n",
           "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
           "Content-Length: -1\r\n",
           "Content-Length: 99999999999999999999999\r\n",
           "Name with space: 1\r\n",
           "No colon\r\n",
           "X: a\nY: b\r\n",
       }) {
    INFO(headers);
    AnswerParser parser(Expect::kBody);
    CHECK(take_head(parser, "HTTP/1.1 200 OK\r\n" + std::string(headers) + "\r\n") == Progress::kBroken);
  }
  for (const char* start : {"HTTP/2.0 200 OK\r\n\r\n", "SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n"}) {
    INFO(start);
    AnswerParser parser(Expect::kBody);
    CHECK(take_head(parser, start) == Progress::kBroken);
  }
}

TEST_CASE("a head may be 64 KiB and no more") {
  const auto head_of = [](std::size_t size_bytes) {
    const std::string start = "HTTP/1.1 200 OK\r\nX: ";
    return start + std::string(size_bytes - start.size() - 4, 'x') + "\r\n\r\n";
  };
  AnswerParser fitting(Expect::kBody);
  CHECK(take_head(fitting, head_of(60'000)) == Progress::kDone);
  AnswerParser endless(Expect::kBody);
  CHECK(take_head(endless, head_of(80'000)) == Progress::kBroken);
  AnswerParser slow(Expect::kBody);
  std::string text = head_of(80'000);
  text.resize(kAnswerHeadLimitBytes + 1'000);
  CHECK(take_head(slow, text) == Progress::kBroken);
}

TEST_CASE("chunks of any size, in steps of any size, are one content") {
  const std::string text = "5\r\nhello\r\n1;name=value\r\n \r\nB\r\nfine world!\r\n0\r\nTrailer: 1\r\n\r\n";
  for (std::size_t step_bytes = 1; step_bytes <= text.size(); ++step_bytes) {
    INFO(step_bytes);
    CHECK(take_chunked(text, step_bytes) == "hello fine world!");
  }
  CHECK(take_chunked("0\r\n\r\n", 1).empty());
}

TEST_CASE("broken chunks are broken") {
  for (const char* text : {"x\r\nhello", "5\r\nhello5\r\nhello\r\n", "-1\r\nhello", "FFFFFFFFFFFFFFFFF\r\nhello",
                           "5 \x01\r\nhello\r\n", "0\r\nno trailer\r\n\r\n", "\r\n\r\nhello"}) {
    INFO(text);
    CHECK(take_chunked(text, 1'000) == "broken");
  }
}
