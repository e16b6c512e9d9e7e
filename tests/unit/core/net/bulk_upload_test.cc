#include <string>

#include "core/net/bulk_client.h"
#include "tests/unit/catch.h"
#include "tests/unit/core/net/bulk_support.h"
#include "tests/unit/core/net/scripted_server.h"

using namespace mlops;
using namespace mlops::net;
using namespace mlops::net::test;

TEST_CASE("an upload of known size is sent as its length says") {
  const std::string content(300'000, 'x');
  ScriptedServer server([&](ScriptedServer& self) {
    self.accept();
    self.read_request(content.size());
    self.answer_ok("ok");
    self.read_request();
    self.answer_ok("none");
  });
  auto client = client_for(server.url());
  auto response = client.upload({"POST", "/blobs", {}, {}, {}}, content.size(), TextSource{content, 70'000});
  REQUIRE(response);
  CHECK(response->body == "ok");
  response = client.upload({"PUT", "/none", {}, "text/plain", {}}, 0, TextSource{});
  server.join();
  REQUIRE(response);
  CHECK(response->body == "none");
  CHECK(server.received.find("\r\nContent-Length: 300000\r\n\r\n" + content + "PUT /none") != std::string::npos);
  CHECK(server.received.find("\r\nContent-Type: application/octet-stream\r\n") != std::string::npos);
  CHECK(server.received.find("\r\nContent-Type: text/plain\r\n") != std::string::npos);
  CHECK(server.received.ends_with("\r\nContent-Length: 0\r\n\r\n"));
}

TEST_CASE("an upload of unknown size is sent in chunks") {
  ScriptedServer server([](ScriptedServer& self) {
    self.accept();
    self.read_until("\r\n0\r\n\r\n");
    self.answer_ok("ok");
  });
  auto client = client_for(server.url());
  const auto response = client.upload({"POST", "/", {}, {}, {}}, kUnknownSize, TextSource{"hello, fine world", 10});
  server.join();
  REQUIRE(response);
  CHECK(response->body == "ok");
  CHECK(server.received.find("\r\nTransfer-Encoding: chunked\r\n") != std::string::npos);
  CHECK(server.received.find("\r\nContent-Length:") == std::string::npos);
  CHECK(server.received.ends_with("\r\n\r\na\r\nhello, fin\r\n7\r\ne world\r\n0\r\n\r\n"));
}

TEST_CASE("a source that ends early, goes on or fails stops the bulk upload with its reason") {
  ScriptedServer server([](ScriptedServer& self) {
    while (self.accept()) {
      self.read_until("never");
      self.hang_up();
    }
  });
  auto client = client_for(server.url());
  const HttpRequest request{"POST", "/", {}, {}, {}};
  CHECK(client.upload(request, 5'000, TextSource{"short"}).error().slug == "source_changed");
  CHECK(client.upload(request, 4, TextSource{"longer"}).error().slug == "source_changed");
  const BulkSource broken = []() -> Result<ByteView> { return fail(ErrorCode::kCorrupt, "bad_sector", "gone"); };
  CHECK(client.upload(request, 5'000, broken).error().slug == "bad_sector");
  CHECK(client.upload(request, kUnknownSize, broken).error().slug == "bad_sector");
}

TEST_CASE("a refusal ends an upload, whether the server then closes, resets or only stops reading") {
  const std::string refusal = "HTTP/1.1 413 Too Large\r\nContent-Length: 7\r\n\r\nrefused";
  enum class Then { kClose, kReset, kStopReading };
  for (const Then then : {Then::kClose, Then::kReset, Then::kStopReading}) {
    for (const std::uint64_t size_bytes : {std::uint64_t{1} << 40, kUnknownSize}) {
      INFO(static_cast<int>(then));
      ScriptedServer server([&](ScriptedServer& self) {
        self.accept();
        self.read_request();
        self.answer(refusal);
        if (then == Then::kClose) self.hang_up();
        if (then == Then::kReset) self.reset();
      });
      const auto response = client_for(server.url()).upload({"POST", "/", {}, {}, {}}, size_bytes, EndlessSource{});
      // A reset may overtake what was sent before it.
      if (then == Then::kReset && !response) {
        CHECK(response.error().slug == "connection_lost");
        continue;
      }
      REQUIRE(response);
      CHECK(response->status == 413);
      CHECK(response->body == "refused");
    }
  }
}

TEST_CASE("an interim answer does not end an upload") {
  const std::string content(6u << 20, 'x');
  ScriptedServer server([&](ScriptedServer& self) {
    self.accept();
    self.read_request();
    self.answer("HTTP/1.1 100 Continue\r\n\r\n");
    self.read_until("end");
    self.answer_ok("ok");
  });
  const std::string all = content + "end";
  auto client = client_for(server.url());
  const auto response = client.upload({"POST", "/", {}, {}, {}}, all.size(), TextSource{all, 1u << 20});
  server.join();
  REQUIRE(response);
  CHECK(response->body == "ok");
  CHECK(server.received.ends_with("\r\n\r\n" + all));
}

TEST_CASE("a server that hangs up during a bulk upload is an error, not the end of this process") {
  ScriptedServer server([](ScriptedServer& self) {
    self.accept();
    self.read_request();
    self.hang_up();
  });
  const auto response = client_for(server.url()).upload({"POST", "/", {}, {}, {}}, kUnknownSize, EndlessSource{});
  REQUIRE_FALSE(response);
  CHECK(response.error().slug == "connection_lost");
  CHECK(response.error().code == ErrorCode::kUnavailable);
}
