#include "core/net/url.h"

#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::net;

TEST_CASE("a URL falls into its parts") {
  const auto url = parse_url("HTTPS://Models.Example.org:8443/api/v1?x=1");
  REQUIRE(url);
  CHECK(url->scheme == "https");
  CHECK(url->is_tls());
  CHECK(url->host == "models.example.org");
  CHECK(url->port == 8443);
  CHECK(url->path == "/api/v1?x=1");
  CHECK(url->to_string() == "https://models.example.org:8443/api/v1?x=1");
}

TEST_CASE("ports default by scheme and are left out again") {
  CHECK(parse_url("http://a")->port == 80);
  CHECK(parse_url("https://a")->port == 443);
  CHECK(parse_url("http://a:80")->origin() == "http://a");
  CHECK(parse_url("https://a:80/")->to_string() == "https://a:80/");
  CHECK(parse_url("http://a?q")->path == "/?q");
  CHECK(parse_url("http://a")->path.empty());
}

TEST_CASE("IPv6 addresses stand in brackets") {
  const auto url = parse_url("http://[::1]:7070/x");
  REQUIRE(url);
  CHECK(url->host == "::1");
  CHECK(url->port == 7070);
  CHECK(url->to_string() == "http://[::1]:7070/x");
  CHECK(parse_url("http://[::FFFF:10.0.0.1]")->host == "::ffff:10.0.0.1");
}

TEST_CASE("what is no plain http(s) URL is refused without repeating it") {
  for (const char* text : {"",
                           "localhost:7070",
                           "ftp://a",
                           "file:///etc/passwd",
                           "http:/a",
                           "http://",
                           "http:///x",
                           "http://:80",
                           "http://a:",
                           "http://a:0",
                           "http://a:65536",
                           "http://a:-1",
                           "http://a:80x",
                           "http://a:+80",
                           "http://a b",
                           "http://a/b c",
                           "http://a/\r\nX: y",
                           "http://a/#f",
                           "http://a#f",
                           "http://u:secret@a",
                           "http://u@a",
                           "http://[::1",
                           "http://[]",
                           "http://[a]",
                           "http://[::1]x",
                           "http://::1",
                           "http://a/\xc3\xa9",
                           "http://\xc3\xa9",
                           "http://a\\b",
                           " http://a"}) {
    INFO(text);
    const auto url = parse_url(text);
    REQUIRE_FALSE(url);
    CHECK(url.error().code == ErrorCode::kInvalid);
    CHECK(url.error().slug == "bad_url");
    CHECK(url.error().message.find("secret") == std::string::npos);
  }
  CHECK_FALSE(parse_url("http://" + std::string(254, 'a')));
}

TEST_CASE("request paths are visible ASCII") {
  CHECK(is_request_path("/api/v1/versions/a%2Fb%40v1?x=1&y=%20"));
  for (const char* path : {"", "x", "/a b", "/a\r\nHost: b", "/a#b", "/\x7f", "/\xc3\xa9"})
    CHECK_FALSE(is_request_path(path));
}

TEST_CASE("a reference becomes one segment") {
  CHECK(percent_encode("hospital/readmission@v1") == "hospital%2Freadmission%40v1");
  CHECK(percent_encode("a-b.c_d~e") == "a-b.c_d~e");
  CHECK(percent_encode("#%? +\n\xc3\xa9") == "%23%25%3F%20%2B%0A%C3%A9");
}

TEST_CASE("only addresses of this machine are loopback") {
  for (const auto* text : {"http://localhost", "http://127.0.0.1:8451", "https://127.9.9.9/x", "http://[::1]:80"}) {
    CHECK(parse_url(text)->is_loopback());
  }
  for (const auto* text :
       {"http://127.example.org", "http://localhost.example.org", "http://10.0.0.1", "http://[::2]"}) {
    CHECK_FALSE(parse_url(text)->is_loopback());
  }
}
