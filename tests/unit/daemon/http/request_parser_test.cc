#include "daemon/http/request_parser.h"

#include <array>

#include "tests/unit/catch.h"

namespace mlops::http {
namespace {

Result<Head> parse(std::string_view request_line, std::string_view headers) {
  RequestParser parser;
  return parser.parse_head(std::string(request_line) + "\r\n" + std::string(headers) + "\r\n");
}

std::string slug_of(std::string_view headers) {
  const auto head = parse("POST /x HTTP/1.1", headers);
  return head ? "ok" : head.error().slug;
}

TEST_CASE("a head gives its values") {
  const auto head =
      parse("POST /a?b=c HTTP/1.1", "HOST: Example:80\r\nContent-Length: 12\r\nAccept: a\r\naccept: b\r\n");
  REQUIRE(head);
  CHECK(head->method == "POST");
  CHECK(head->target == "/a?b=c");
  CHECK(head->header("host") == "Example:80");
  CHECK(head->header("accept") == "a, b");
  CHECK(head->header("absent").empty());
  CHECK(head->content_length == 12u);
  CHECK(head->has_body());
  CHECK(head->keep_alive);
}

TEST_CASE("persistence follows version and Connection") {
  CHECK_FALSE(parse("GET / HTTP/1.0", "Host: a\r\nConnection: keep-alive\r\n")->keep_alive);
  CHECK_FALSE(parse("GET / HTTP/1.1", "Host: a\r\nConnection: close\r\n")->keep_alive);
}

TEST_CASE("framing that could be read in two ways is refused") {
  CHECK(slug_of("Host: a\r\nContent-Length: 5\r\n") == "ok");
  CHECK(slug_of("Host: a\r\nTransfer-Encoding: Chunked\r\n") == "ok");
  const auto* const bad = GENERATE(
      "Content-Length: 5\r\nContent-Length: 6\r\n", "Content-Length: 5\r\nContent-Length: 5\r\n",
      "Content-Length: 5, 5\r\n", "Content-Length: -1\r\n", "Content-Length: +5\r\n", "Content-Length: 5abc\r\n",
      "Content-Length: 0x5\r\n", "Content-Length: \r\n", "Content-Length: 12345678901234567890123\r\n",
      "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
      "Transfer-Encoding: xchunked\r\n", "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: identity\r\n",
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n");
  CAPTURE(bad);
  const auto slug = slug_of("Host: a\r\n" + std::string(bad));
  CHECK((slug == "bad_framing" || slug == "bad_head"));
}

TEST_CASE("Host is there exactly once, targets are paths, versions are known") {
  CHECK(slug_of("") == "bad_head");
  CHECK(slug_of("Host: \r\n") == "bad_head");
  CHECK(slug_of("Host: a\r\nHost: a\r\n") == "bad_head");
  CHECK(slug_of("Host: a\r\nRange: bytes=0-1\r\nRange: bytes=2-3\r\n") == "bad_head");
  CHECK(slug_of("Host: a\r\nExpect: miracles\r\n") == "unknown_expectation");
  CHECK(parse("GET http://a/ HTTP/1.1", "Host: a\r\n").error().slug == "bad_target");
  CHECK(parse("GET /a#b HTTP/1.1", "Host: a\r\n").error().slug == "bad_target");
  CHECK(parse("GET /\xC3\xA9 HTTP/1.1", "Host: a\r\n").error().slug == "bad_target");
  CHECK(parse("PRI * HTTP/2.0", "Host: a\r\n").error().slug == "bad_head");
  CHECK(parse("GET  / HTTP/1.1", "Host: a\r\n").error().slug == "bad_head");
  CHECK(parse("POST / HTTP/1.0", "Host: a\r\nTransfer-Encoding: chunked\r\n").error().slug == "bad_framing");
}

// Decodes `raw` given in pieces of `step` bytes into a buffer of `room` bytes; "!" and the slug for an error.
std::string decode(const std::string& raw, std::size_t step, std::size_t room) {
  RequestParser parser;
  REQUIRE(parser.parse_head("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"));
  std::string out;
  std::string pending;
  std::vector<std::uint8_t> into(room);
  std::size_t at = 0;
  for (;;) {
    auto decoded = parser.decode_chunks(pending, into);
    if (!decoded) return "!" + decoded.error().slug;
    out.append(into.begin(), into.begin() + static_cast<std::ptrdiff_t>(decoded->produced));
    pending.erase(0, decoded->consumed);
    if (decoded->done) return out + "|" + pending + raw.substr(at);
    if (decoded->consumed + decoded->produced > 0) continue;
    if (at == raw.size()) return "incomplete";
    pending += raw.substr(at, step);
    at += std::min(step, raw.size() - at);
  }
}

TEST_CASE("chunks are decoded in any cut") {
  const std::string raw = "5\r\nhello\r\nA;name=value\r\n, my world\r\n0\r\nTrailer: x\r\n\r\nGET";
  const auto step = GENERATE(1u, 2u, 3u, 7u, 100u);
  const auto room = GENERATE(1u, 4u, 64u);
  CAPTURE(step, room);
  CHECK(decode(raw, step, room) == "hello, my world|GET");
  CHECK(decode("0\r\n\r\n", step, room) == "|");
}

TEST_CASE("malformed chunks are refused") {
  const auto* const bad = GENERATE("-2\r\nab\r\n0\r\n\r\n", "zz\r\n", "10000000000000000\r\na", "5\nhello\r\n0\r\n\r\n",
                                   "5\r\nhelloXX0\r\n\r\n", " 5\r\nhello\r\n", "5 x\r\nhello\r\n", "\r\n");
  const auto step = GENERATE(1u, 100u);
  CAPTURE(bad, step);
  CHECK(decode(bad, step, 64) == "!bad_body");
}

TEST_CASE("a body that stops early is not a body") {
  CHECK(decode("5\r\nhel", 100, 64) == "incomplete");
  CHECK(decode("5\r\nhello\r\n0\r\n", 100, 64) == "incomplete");
}

}  // namespace
}  // namespace mlops::http
