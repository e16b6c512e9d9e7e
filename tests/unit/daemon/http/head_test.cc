#include "daemon/http/head.h"

#include "tests/unit/catch.h"

namespace mlops::http {
namespace {

std::string slug_of(std::string_view text) {
  HeadScanner scanner{HeadLimits{}};
  const auto size = scanner.scan(text);
  if (!size) return size.error().slug;
  return *size == 0 ? "more" : *size == text.size() ? "complete" : "rest";
}

std::string with_header(std::string_view header) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(header) + "\r\n\r\n";
}

TEST_CASE("a head is complete at its empty line, however it is cut") {
  const std::string head = with_header("Accept: */*\r\nX-Name: caf\xC3\xA9\tx");
  CHECK(slug_of(head) == "complete");
  CHECK(slug_of(head + "body") == "rest");
  HeadScanner scanner{HeadLimits{}};
  for (std::size_t size_bytes = 0; size_bytes < head.size(); ++size_bytes) {
    const auto size = scanner.scan(std::string_view(head).substr(0, size_bytes));
    REQUIRE(size);
    REQUIRE(*size == 0);
  }
  CHECK(*scanner.scan(head) == head.size());
  scanner.reset();
  CHECK(*scanner.scan(head) == head.size());
}

TEST_CASE("what parsers read differently is refused") {
  CHECK(slug_of("GET / HTTP/1.1\nHost: a\n\n") == "bad_head");
  CHECK(slug_of("GET / HTTP/1.1\r\nHost: a\n") == "bad_head");
  CHECK(slug_of("GET / HTTP/1.1\rHost: a") == "bad_head");
  CHECK(slug_of("\r\nGET / HTTP/1.1\r\n") == "bad_head");
  CHECK(slug_of(std::string_view("\x16\x03\x01\x02\x00", 5)) == "bad_head");
  CHECK(slug_of(with_header(" folded: x")) == "bad_head");
  CHECK(slug_of(with_header("X: a\r\n\tfolded")) == "bad_head");
  CHECK(slug_of(with_header("X : a")) == "bad_head");
  CHECK(slug_of(with_header("no colon")) == "bad_head");
  CHECK(slug_of(with_header(": no name")) == "bad_head");
  CHECK(slug_of(with_header(std::string_view("X: a\0b", 6))) == "bad_head");
  CHECK(slug_of(with_header("X: a\x1b[2J")) == "bad_head");
  CHECK(slug_of(with_header("X: a\x7f")) == "bad_head");
  CHECK(slug_of(with_header("X(y): a")) == "bad_head");
}

TEST_CASE("sizes are limited before the end of the head is seen") {
  CHECK(slug_of("GET /" + std::string(9000, 'a')) == "uri_too_long");
  CHECK(slug_of("GET / HTTP/1.1\r\nX: " + std::string(9000, 'a')) == "head_too_large");
  std::string many = "GET / HTTP/1.1\r\n";
  for (int i = 0; i < 64; ++i) many += "X" + std::to_string(i) + ": a\r\n";
  CHECK(slug_of(many + "\r\n") == "complete");
  CHECK(slug_of(many + "One: more\r\n\r\n") == "head_too_large");
  std::string large = "GET / HTTP/1.1\r\n";
  for (int i = 0; i < 5; ++i) large += "X: " + std::string(4000, 'a') + "\r\n";
  CHECK(slug_of(large) == "head_too_large");
}

}  // namespace
}  // namespace mlops::http
