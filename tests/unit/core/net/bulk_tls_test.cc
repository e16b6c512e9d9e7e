#include <string>
#include <vector>

#include "core/net/bulk_client.h"
#include "tests/unit/catch.h"
#include "tests/unit/core/net/scripted_server.h"
#include "tests/unit/storage/sql/temp_dir.h"

using namespace mlops;
using namespace mlops::net;
using mlops::net::test::ScriptedServer;
using mlops::net::test::TlsIdentity;

namespace {

// A server's identity, trusted by the clients that are made here unless they name another file.
struct Trust {
  explicit Trust(const std::string& subject_names = "IP:127.0.0.1") : identity(subject_names) {
    identity.write_certificate(ca_file());
  }
  std::string ca_file() const { return dir / "ca.pem"; }
  BulkClient client_for(const std::string& url, std::int64_t read_timeout_ms = 5'000) const {
    HttpClientOptions options;
    options.base_url = url;
    options.ca_file = ca_file();
    options.read_timeout_ms = read_timeout_ms;
    return std::move(*BulkClient::create(std::move(options)));
  }

  mlops::test::TempDir dir;
  TlsIdentity identity;
};

const HttpRequest kGet{"GET", "/", {}, {}, {}};

Error error_at(const ScriptedServer& server, const std::string& ca_file) {
  HttpClientOptions options;
  options.base_url = server.url();
  options.ca_file = ca_file;
  const auto response = BulkClient::create(std::move(options))->request(kGet);
  REQUIRE_FALSE(response);
  return response.error();
}

}  // namespace

TEST_CASE("over TLS a trusted server is talked to as over TCP, on one connection") {
  const Trust trust;
  std::string content(3u << 20, 0);
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 2'654'435'761u >> 24);
  ScriptedServer server(
      [&](ScriptedServer& self) {
        self.accept();
        self.read_request();
        self.answer_ok(content);
        self.received.clear();
        self.read_request(content.size());
        self.answer_ok("sized");
        self.read_until("0\r\n\r\n");
        self.answer("HTTP/1.1 200 OK\r\n\r\nuntil the end");
        self.say_goodbye();
        self.hang_up();
      },
      &trust.identity);
  auto client = trust.client_for(server.url());
  std::string taken;
  auto response = client.download(kGet, [&](ByteView bytes) -> Status {
    taken.append(bytes.begin(), bytes.end());
    return {};
  });
  REQUIRE(response);
  CHECK(taken == content);

  std::vector<std::string_view> pieces{std::string_view(content).substr(0, 1'000'000),
                                       std::string_view(content).substr(1'000'000)};
  auto next = pieces.begin();
  const BulkSource source = [&]() -> Result<ByteView> { return next == pieces.end() ? ByteView{} : as_bytes(*next++); };
  response = client.upload({"POST", "/", {}, {}, {}}, content.size(), source);
  REQUIRE(response);
  CHECK(response->body == "sized");

  pieces = {"hello", "world"};
  next = pieces.begin();
  response = client.upload({"POST", "/", {}, {}, {}}, kUnknownSize, source);
  server.join();
  REQUIRE(response);
  CHECK(response->body == "until the end");
  CHECK(server.received.find("\r\n\r\n" + content + "POST / HTTP/1.1\r\n") != std::string::npos);
  CHECK(server.received.ends_with("\r\n\r\n5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n"));
}

TEST_CASE("a certificate must be trusted and name the server") {
  const auto refuse_all = [](ScriptedServer& self) {
    self.accept();
    self.hang_up();
  };
  const Trust trust;
  {
    const ScriptedServer server(refuse_all, &trust.identity);
    const Error error = error_at(server, "");
    CHECK(error.slug == "tls_failed");
    CHECK(error.message.find("is not trusted") != std::string::npos);
  }
  {
    const Trust other("IP:127.0.0.2,DNS:localhost");
    const ScriptedServer server(refuse_all, &other.identity);
    const Error error = error_at(server, other.ca_file());
    CHECK(error.slug == "tls_failed");
    CHECK(error.message.find("is not trusted") != std::string::npos);
  }
  {
    const Trust named("DNS:localhost");
    ScriptedServer server(
        [](ScriptedServer& self) {
          self.accept();
          self.read_request();
          self.answer_ok("ok");
        },
        &named.identity);
    std::string url = server.url();
    url.replace(url.find("127.0.0.1"), 9, "localhost");
    CHECK(named.client_for(url).request(kGet)->body == "ok");
  }
  const ScriptedServer server(refuse_all, &trust.identity);
  CHECK(error_at(server, trust.dir / "missing.pem").message == "the file of trusted certificates cannot be used");
}

TEST_CASE("a plain server behind an https URL is a TLS error for bulk clients too") {
  const Trust trust;
  ScriptedServer server([](ScriptedServer& self) {
    for (int i = 0; i < 2; ++i) {
      self.accept();
      if (i == 0) self.answer("HTTP/1.1 400 Bad Request\r\n\r\n");
      self.read_until("never");
      self.hang_up();
    }
  });
  std::string url = server.url();
  url.insert(4, "s");
  auto client = trust.client_for(url, 60);
  CHECK(client.request(kGet).error().slug == "tls_failed");
  CHECK(client.request(kGet).error().slug == "tls_failed");  // silence
}

TEST_CASE("a body until the close that TLS did not end was cut") {
  const Trust trust;
  ScriptedServer server(
      [](ScriptedServer& self) {
        self.accept();
        self.read_request();
        self.answer("HTTP/1.1 200 OK\r\n\r\nhalf");
        self.hang_up();
      },
      &trust.identity);
  CHECK(trust.client_for(server.url()).request(kGet).error().slug == "connection_lost");
}

TEST_CASE("a refusal ends an upload over TLS") {
  const Trust trust;
  for (const bool stops_reading : {true, false}) {
    INFO(stops_reading);
    ScriptedServer server(
        [&](ScriptedServer& self) {
          self.accept();
          self.read_request();
          self.answer("HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno");
          if (!stops_reading) self.hang_up();
        },
        &trust.identity);
    const std::vector<std::uint8_t> piece(1u << 20);
    const auto response =
        trust.client_for(server.url()).upload({"POST", "/", {}, {}, {}}, kUnknownSize, [&]() -> Result<ByteView> {
          return ByteView(piece);
        });
    REQUIRE(response);
    CHECK(response->status == 401);
    CHECK(response->body == "no");
  }
}

TEST_CASE("silence over TLS is a timeout") {
  const Trust trust;
  ScriptedServer server(
      [](ScriptedServer& self) {
        self.accept();
        self.read_until("never");
        self.hang_up();
        self.accept();  // and takes nothing
      },
      &trust.identity);
  auto client = trust.client_for(server.url(), 60);
  CHECK(client.request(kGet).error().slug == "server_timeout");
  const std::vector<std::uint8_t> piece(1u << 20);
  const BulkSource endless = [&]() -> Result<ByteView> { return ByteView(piece); };
  CHECK(client.upload({"POST", "/", {}, {}, {}}, kUnknownSize, endless).error().slug == "server_timeout");
}
