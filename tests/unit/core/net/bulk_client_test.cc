#include "core/net/bulk_client.h"

#include <algorithm>
#include <future>
#include <string>

#include "tests/unit/catch.h"
#include "tests/unit/core/net/bulk_support.h"
#include "tests/unit/core/net/scripted_server.h"

using namespace mlops;
using namespace mlops::net;
using namespace mlops::net::test;

namespace {

// The error of a script's one answer to one request for "/".
std::string slug_after(const std::string& answer, std::size_t limit_bytes = 1u << 20) {
  ScriptedServer server([&](ScriptedServer& self) {
    self.accept();
    self.read_request();
    self.answer(answer);
    self.hang_up();
  });
  const auto response = client_for(server.url(), 5'000, limit_bytes).request({"GET", "/", {}, {}, {}});
  if (response) return std::to_string(response->status);
  return response.error().slug;
}

std::string body_of(const std::string& answer, const std::string& method = "GET") {
  ScriptedServer server([&](ScriptedServer& self) {
    self.accept();
    self.read_request();
    self.answer(answer);
    self.hang_up();
  });
  const auto response = client_for(server.url()).request({method, "/", {}, {}, {}});
  REQUIRE(response);
  return response->body;
}

}  // namespace

TEST_CASE("a bulk request carries method, encoded path, token and body; the answer comes back whole") {
  ScriptedServer server([](ScriptedServer& self) {
    self.accept();
    self.read_request(7);
    self.answer("HTTP/1.1 409 Conflict\r\nX-Thing: a\r\nx-thing: b\r\nContent-Length: 2\r\n\r\n{}");
  });
  auto client = client_for(server.url() + "/prefix/");
  const auto response = client.request({"POST", "/a%2Fb%40v1?x=%20", "{\"a\":1}", {}, {{"X-Extra", "1"}}});
  server.join();
  REQUIRE(response);
  CHECK(response->status == 409);
  CHECK(response->body == "{}");
  CHECK(response->header("x-thing") == "a");
  CHECK(server.received.starts_with("POST /prefix/a%2Fb%40v1?x=%20 HTTP/1.1\r\n"));
  CHECK(server.received.find("\r\nHost: " + server.url().substr(7) + "\r\n") != std::string::npos);
  CHECK(server.received.find("\r\nAuthorization: Bearer mlo_test\r\n") != std::string::npos);
  CHECK(server.received.find("\r\nUser-Agent: mlops\r\n") != std::string::npos);
  CHECK(server.received.find("\r\nContent-Type: application/json\r\n") != std::string::npos);
  CHECK(server.received.find("\r\nContent-Length: 7\r\n") != std::string::npos);
  CHECK(server.received.find("\r\nX-Extra: 1\r\n") != std::string::npos);
  CHECK(server.received.ends_with("\r\n\r\n{\"a\":1}"));
}

TEST_CASE("answers with a length, in chunks and until the close are read alike") {
  CHECK(body_of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello") == "hello");
  CHECK(body_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n") == "hello");
  CHECK(body_of("HTTP/1.1 200 OK\r\n\r\nhello") == "hello");
  CHECK(body_of("HTTP/1.0 200 OK\r\n\r\nhello") == "hello");
  CHECK(body_of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD").empty());
  CHECK(body_of("HTTP/1.1 204 No Content\r\n\r\n").empty());
  CHECK(body_of("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n"
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") == "ok");
}

TEST_CASE("an answer that is cut, malformed or too long is an error of the way") {
  CHECK(slug_after("") == "connection_lost");
  CHECK(slug_after("HTTP/1.1 200 O") == "connection_lost");
  CHECK(slug_after("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf") == "connection_lost");
  CHECK(slug_after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n") == "connection_lost");
  CHECK(slug_after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello") == "connection_lost");
  CHECK(slug_after("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx") == "connection_lost");
  CHECK(slug_after("HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x') + "\r\n\r\n") == "connection_lost");
  CHECK(slug_after("SSH-2.0-OpenSSH_9.2\r\n") == "connection_lost");
  CHECK(slug_after("HTTP/1.1 101 Switching\r\n\r\n") == "connection_lost");

  const std::string long_body(2'000, 'z');
  CHECK(slug_after("HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + long_body, 1'000) == "response_too_large");
  CHECK(slug_after("HTTP/1.1 200 OK\r\n\r\n" + long_body, 1'000) == "response_too_large");
  CHECK(slug_after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + long_body + "\r\n0\r\n\r\n",
                   1'000) == "response_too_large");
  CHECK(slug_after("HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + long_body, 2'000) == "200");
}

TEST_CASE("bulk connections are kept, and a closed one is replaced") {
  ScriptedServer server([](ScriptedServer& self) {
    self.accept();
    self.read_request();
    self.answer_ok("1");
    self.read_request();
    self.answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n2\r\n0\r\n\r\n");
    self.read_request();
    self.answer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\n3");
    self.hang_up();
    self.accept();
    self.read_request();
    self.answer_ok("4");
  });
  auto client = client_for(server.url());
  for (const char* wanted : {"1", "2", "3", "4"}) {
    const auto response = client.request({"GET", "/livez", {}, {}, {}});
    REQUIRE(response);
    CHECK(response->body == wanted);
  }
}

TEST_CASE("a kept connection that ends before an answer is made anew, once, when the body can be given again") {
  ScriptedServer server([](ScriptedServer& self) {
    self.accept();
    self.read_request();
    self.answer_ok("1");
    self.read_request(4);
    self.reset();
    self.accept();
    self.read_request(4);
    self.answer_ok("2");
    self.read_request();
    self.read_until("\r\n0\r\n\r\n");  // no more than one piece
    self.hang_up();
    self.accept();
    self.read_until("\r\n0\r\n\r\n");
    self.answer_ok("3");
    self.read_request(2'000);  // two pieces
    self.hang_up();
  });
  auto client = client_for(server.url());
  REQUIRE(client.request({"GET", "/", {}, {}, {}}));
  auto response = client.request({"POST", "/", "body", {}, {}});
  REQUIRE(response);
  CHECK(response->body == "2");

  TextSource once{"", 4};
  response = client.upload({"POST", "/", {}, {}, {}}, kUnknownSize, once);
  REQUIRE(response);
  CHECK(response->body == "3");
  CHECK(*once.asked == 1);

  const std::string content(3'000, 'x');
  response = client.upload({"POST", "/", {}, {}, {}}, 3'000, TextSource{content});
  REQUIRE_FALSE(response);
  CHECK(response.error().slug == "connection_lost");
}

TEST_CASE("a new connection that ends before an answer is not tried again") {
  ScriptedServer server([](ScriptedServer& self) {
    self.accept();
    self.read_request();
    self.hang_up();
    self.accept();
    self.answer_ok("never");
  });
  const auto response = client_for(server.url()).request({"GET", "/", {}, {}, {}});
  REQUIRE_FALSE(response);
  CHECK(response.error().slug == "connection_lost");
}

TEST_CASE("a bulk download goes to the receiver piece by piece, an error document does not") {
  std::string content(300'000, 'y');
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 2'654'435'761u >> 24);
  ScriptedServer server([&](ScriptedServer& self) {
    self.accept();
    self.read_request();
    self.answer_ok(content);
    self.read_request();
    self.answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (std::size_t at = 0; at < content.size(); at += 1'000)
      self.answer("3e8\r\n" + content.substr(at, 1'000) + "\r\n");
    self.answer("0\r\n\r\n");
    self.read_request();
    self.answer("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone");
  });
  auto client = client_for(server.url(), 5'000, 1'000);  // the limit is for bodies in memory, not for streams
  std::string taken;
  std::size_t longest_bytes = 0;
  const BodyReceiver receiver = [&](ByteView bytes) -> Status {
    taken.append(bytes.begin(), bytes.end());
    longest_bytes = std::max(longest_bytes, bytes.size());
    return {};
  };
  const HttpRequest request{"GET", "/blob", {}, {}, {}};
  for (const char* framing : {"length", "chunks"}) {
    INFO(framing);
    taken.clear();
    const auto response = client.download(request, receiver, 7'000);
    REQUIRE(response);
    CHECK(response->body.empty());
    CHECK(taken == content);
    CHECK(longest_bytes <= 7'000);
  }
  const auto response = client.download(request, receiver);
  REQUIRE(response);
  CHECK(response->status == 404);
  CHECK(response->body == "none");
  CHECK(taken == content);
}

TEST_CASE("a receiver's error ends the bulk download and comes back; the connection is not used again") {
  ScriptedServer server([](ScriptedServer& self) {
    self.accept();
    self.read_request();
    self.answer_ok("bytes");
    self.accept();
    self.read_request();
    self.answer_ok("other");
  });
  auto client = client_for(server.url());
  const auto response = client.download({"GET", "/", {}, {}, {}}, [](ByteView) -> Status {
    return fail(ErrorCode::kExhausted, "disk_full", "no space");
  });
  REQUIRE_FALSE(response);
  CHECK(response.error().slug == "disk_full");
  CHECK(client.request({"GET", "/", {}, {}, {}})->body == "other");
}

TEST_CASE("a bulk client tells nobody listening from nobody answering") {
  std::string dead_url;
  {
    dead_url = ScriptedServer([](ScriptedServer&) {}).url();
  }
  const auto refused = client_for(dead_url).request({"GET", "/", {}, {}, {}});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().slug == "server_unreachable");
  CHECK(refused.error().hint == "is mlopsd running at " + dead_url + "?");

  ScriptedServer silent([](ScriptedServer& self) {
    self.accept();
    self.read_until("never");
    self.hang_up();
    self.accept();
    self.read_request();
    self.answer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    self.read_until("never");
    self.hang_up();
    self.accept();  // and takes nothing
  });
  auto client = client_for(silent.url(), 60);
  for (const char* when : {"before the head", "in the body"}) {
    INFO(when);
    const auto late = client.request({"GET", "/", {}, {}, {}});
    REQUIRE_FALSE(late);
    CHECK(late.error().slug == "server_timeout");
    CHECK(late.error().code == ErrorCode::kTimeout);
  }
  const auto stuck = client.upload({"POST", "/", {}, {}, {}}, kUnknownSize, EndlessSource{});
  REQUIRE_FALSE(stuck);
  CHECK(stuck.error().slug == "server_timeout");
}

TEST_CASE("abort ends what another thread waits for, and everything later") {
  for (const char* what : {"answer", "body", "upload"}) {
    INFO(what);
    const std::string_view kind = what;
    std::promise<void> reached;
    ScriptedServer server([&](ScriptedServer& self) {
      self.accept();
      if (kind == "upload") return;  // the socket fills up
      self.read_request();
      if (kind == "body") self.answer("HTTP/1.1 200 OK\r\n\r\nhalf");
      reached.set_value();
      self.read_until("never");
    });
    auto client = client_for(server.url());
    EndlessSource source;
    auto stopped = std::async(std::launch::async, [&, on_second = source.on_second] {
      (kind == "upload" ? *on_second : reached).get_future().wait();
      client.abort();
    });
    const HttpRequest request{"POST", "/", {}, {}, {}};
    const auto response = kind == "upload" ? client.upload(request, kUnknownSize, source) : client.request(request);
    stopped.wait();
    REQUIRE_FALSE(response);
    CHECK(response.error().slug == "connection_lost");
    CHECK(client.request(request).error().slug == "connection_lost");
  }
}

TEST_CASE("a bulk client sends nothing that could forge a header or the end of a message") {
  HttpClientOptions options;
  options.base_url = "http://127.0.0.1:1";
  options.bearer_token = "a\r\nX-Admin: 1";
  CHECK(BulkClient::create(options).error().slug == "bad_request");
  options.bearer_token.clear();
  options.user_agent = "a\nb";
  CHECK(BulkClient::create(options).error().slug == "bad_request");
  options.user_agent.clear();
  options.base_url = "http://127.0.0.1:1/?q";
  CHECK(BulkClient::create(options).error().slug == "bad_url");
  auto client = client_for("http://127.0.0.1:1");
  const auto slug_of = [&](const HttpRequest& request) { return client.request(request).error().slug; };
  CHECK(slug_of({"GET", "/a b", {}, {}, {}}) == "bad_request");
  CHECK(slug_of({"GET", "/a\r\nX: y", {}, {}, {}}) == "bad_request");
  CHECK(slug_of({"GET /x", "/", {}, {}, {}}) == "bad_request");
  CHECK(slug_of({"POST", "/", "{}", "a\nb", {}}) == "bad_request");
  CHECK(slug_of({"GET", "/", {}, {}, {{"X Y", "1"}}}) == "bad_request");
  CHECK(slug_of({"GET", "/", {}, {}, {{"X", "1\r\n"}}}) == "bad_request");
  for (const char* own : {"Content-Length", "transfer-encoding", "Host", "CONNECTION"}) {
    CHECK(slug_of({"GET", "/", {}, {}, {{own, "1"}}}) == "bad_request");
  }
}
