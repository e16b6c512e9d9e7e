#include "core/net/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <thread>

#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::net;

namespace {

// One listening socket on a free port, served by a script in its own thread; what each connection sent is kept.
class ScriptedServer {
 public:
  using Script = std::function<void(ScriptedServer&)>;

  explicit ScriptedServer(Script script) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener_, 8);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, script] { script(*this); });
  }
  ~ScriptedServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    hang_up();
    ::close(listener_);
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  void join() {
    thread_.join();
    thread_ = std::thread([] {});
  }

  // For scripts:
  void accept() { connection_ = ::accept(listener_, nullptr, nullptr); }
  void hang_up() {
    if (connection_ >= 0) ::close(connection_);
    connection_ = -1;
  }
  // Reads a head and `body_bytes` behind it into `received`.
  void read_request(std::size_t body_bytes = 0) {
    std::string text;
    std::size_t wanted = std::string::npos;
    char buffer[65'536];
    while (text.size() < wanted) {
      const ssize_t got = ::read(connection_, buffer, sizeof buffer);
      if (got <= 0) break;
      text.append(buffer, static_cast<std::size_t>(got));
      const std::size_t end = text.find("\r\n\r\n");
      if (end != std::string::npos) wanted = end + 4 + body_bytes;
    }
    received += text;
  }
  void answer(std::string_view text) {
    static_cast<void>(!::send(connection_, text.data(), text.size(), MSG_NOSIGNAL));
  }
  // Whether the client goes in that time.
  bool is_left_within(int timeout_ms) {
    pollfd wanted{connection_, POLLRDHUP, 0};
    return ::poll(&wanted, 1, timeout_ms) > 0;
  }
  void answer_ok(std::string_view body) {
    answer("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
  }

  std::string received;  // REQUIRES for the test: join() first

 private:
  int listener_ = -1;
  int connection_ = -1;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

HttpClient client_for(const std::string& url, std::int64_t read_timeout_ms = 5'000,
                      std::size_t limit_bytes = 1u << 20) {
  HttpClientOptions options;
  options.base_url = url;
  options.bearer_token = "mlo_test";
  options.read_timeout_ms = read_timeout_ms;
  options.response_limit_bytes = limit_bytes;
  auto client = HttpClient::create(std::move(options));
  REQUIRE(client);
  return std::move(*client);
}

// Bears silence for long, and no answer that takes longer than a moment.
HttpClient hasty_client(const std::string& url) {
  HttpClientOptions options;
  options.base_url = url;
  options.read_timeout_ms = 5'000;
  options.whole_timeout_ms = 80;
  auto client = HttpClient::create(std::move(options));
  REQUIRE(client);
  return std::move(*client);
}

UploadSource source_of(std::string_view text, std::uint64_t announced) {
  auto rest = std::make_shared<std::string_view>(text);
  return {announced, [rest](std::span<std::uint8_t> into) -> Result<std::size_t> {
            const std::size_t size = std::min<std::size_t>({rest->size(), into.size(), 1'000});
            std::copy_n(rest->data(), size, into.data());
            rest->remove_prefix(size);
            return size;
          }};
}

}  // namespace

TEST_CASE("a request carries method, encoded path, token and body; the answer comes back whole") {
  ScriptedServer server([](ScriptedServer& self) {
    self.accept();
    self.read_request(7);
    self.answer("HTTP/1.1 409 Conflict\r\nX-Thing: a\r\nx-thing: b\r\nContent-Length: 2\r\n\r\n{}");
  });
  auto client = client_for(server.url() + "/prefix/");
  const auto response = client.request("POST", "/api/v1/versions/a%2Fb%40v1?x=%20", "{\"a\":1}");
  server.join();
  REQUIRE(response);
  CHECK(response->status == 409);
  CHECK_FALSE(response->is_success());
  CHECK(response->body == "{}");
  CHECK(response->header("x-thing") == "a");
  CHECK(response->header("gone").empty());
  CHECK(server.received.starts_with("POST /prefix/api/v1/versions/a%2Fb%40v1?x=%20 HTTP/1.1\r\n"));
  CHECK(server.received.find("\r\nAuthorization: Bearer mlo_test\r\n") != std::string::npos);
  CHECK(server.received.find("\r\nContent-Type: application/json\r\n") != std::string::npos);
  CHECK(server.received.ends_with("\r\n\r\n{\"a\":1}"));
}

TEST_CASE("connections are kept, and a closed one is replaced") {
  ScriptedServer server([](ScriptedServer& self) {
    self.accept();
    self.read_request();
    self.answer_ok("1");
    self.read_request();
    self.answer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\n2");
    self.hang_up();
    self.accept();
    self.read_request();
    self.answer_ok("3");
  });
  auto client = client_for(server.url());
  for (const char* wanted : {"1", "2", "3"}) {
    const auto response = client.request("GET", "/livez");
    REQUIRE(response);
    CHECK(response->body == wanted);
  }
}

TEST_CASE("redirects are answers, not followed") {
  ScriptedServer server([](ScriptedServer& self) {
    self.accept();
    self.read_request();
    self.answer("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/steal\r\nContent-Length: 0\r\n\r\n");
  });
  const auto response = client_for(server.url()).request("GET", "/");
  REQUIRE(response);
  CHECK(response->status == 302);
}

TEST_CASE("an upload streams exactly its announced length") {
  const std::string content(300'000, 'x');
  ScriptedServer server([&](ScriptedServer& self) {
    self.accept();
    self.read_request(content.size());
    self.answer_ok("ok");
  });
  auto client = client_for(server.url());
  const auto response =
      client.upload({"POST", "/blobs", {}, {}, {{"X-Extra", "1"}}}, source_of(content, content.size()));
  server.join();
  REQUIRE(response);
  CHECK(response->body == "ok");
  CHECK(server.received.find("\r\nContent-Length: 300000\r\n") != std::string::npos);
  CHECK(server.received.find("\r\nContent-Type: application/octet-stream\r\n") != std::string::npos);
  CHECK(server.received.find("\r\nX-Extra: 1\r\n") != std::string::npos);
  CHECK(server.received.ends_with("\r\n\r\n" + content));
}

TEST_CASE("an empty upload is a body of length 0") {
  ScriptedServer server([](ScriptedServer& self) {
    self.accept();
    self.read_request();
    self.answer_ok("ok");
  });
  REQUIRE(client_for(server.url()).upload({"POST", "/blobs", {}, {}, {}}, source_of("", 0)));
  server.join();
  CHECK(server.received.find("\r\nContent-Length: 0\r\n") != std::string::npos);
}

TEST_CASE("a source that ends early, or fails, stops the upload with its reason") {
  ScriptedServer server([](ScriptedServer& self) {
    for (int i = 0; i < 2; ++i) {
      self.accept();
      self.read_request(5'000);
      self.hang_up();
    }
  });
  auto client = client_for(server.url());
  CHECK(client.upload({"POST", "/", {}, {}, {}}, source_of("short", 5'000)).error().slug == "source_changed");
  const UploadSource broken{
      5'000, [](auto) -> Result<std::size_t> { return fail(ErrorCode::kCorrupt, "bad_sector", "gone"); }};
  CHECK(client.upload({"POST", "/", {}, {}, {}}, broken).error().slug == "bad_sector");
}

TEST_CASE("a server that hangs up during an upload is an error, not the end of this process") {
  ScriptedServer server([](ScriptedServer& self) {
    self.accept();
    self.hang_up();
  });
  const std::string content(32u << 20, 'x');
  const auto response = client_for(server.url()).upload({"POST", "/", {}, {}, {}}, source_of(content, content.size()));
  REQUIRE_FALSE(response);
  CHECK(response.error().slug == "connection_lost");
  CHECK(response.error().code == ErrorCode::kUnavailable);
  sigset_t pending;
  sigpending(&pending);
  CHECK(sigismember(&pending, SIGPIPE) == 0);
}

TEST_CASE("a download goes to the receiver, an error document does not") {
  const std::string content(100'000, 'y');
  ScriptedServer server([&](ScriptedServer& self) {
    self.accept();
    self.read_request();
    self.answer_ok(content);
    self.read_request();
    self.answer("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone");
  });
  auto client = client_for(server.url(), 5'000, 1'000);  // the limit is for bodies in memory, not for streams
  std::string taken;
  const BodyReceiver receiver = [&](ByteView bytes) -> Status {
    taken.append(bytes.begin(), bytes.end());
    return {};
  };
  auto response = client.download({"GET", "/blob", {}, {}, {}}, receiver);
  REQUIRE(response);
  CHECK(response->body.empty());
  CHECK(taken == content);
  response = client.download({"GET", "/blob", {}, {}, {}}, receiver);
  REQUIRE(response);
  CHECK(response->status == 404);
  CHECK(response->body == "none");
  CHECK(taken == content);
}

TEST_CASE("a receiver's error ends the download and comes back") {
  ScriptedServer server([](ScriptedServer& self) {
    self.accept();
    self.read_request();
    self.answer_ok("bytes");
  });
  const auto response = client_for(server.url()).download({"GET", "/", {}, {}, {}}, [](ByteView) -> Status {
    return fail(ErrorCode::kExhausted, "disk_full", "no space");
  });
  REQUIRE_FALSE(response);
  CHECK(response.error().slug == "disk_full");
}

TEST_CASE("an answer beyond the limit is refused") {
  ScriptedServer server([](ScriptedServer& self) {
    self.accept();
    self.read_request();
    self.answer_ok(std::string(2'000, 'z'));
  });
  const auto response = client_for(server.url(), 5'000, 1'000).request("GET", "/");
  REQUIRE_FALSE(response);
  CHECK(response.error().slug == "response_too_large");
}

TEST_CASE("nobody listening, nobody answering, and an answer cut short are told apart") {
  std::string dead_url;
  {
    dead_url = ScriptedServer([](ScriptedServer&) {}).url();
  }
  const auto refused = client_for(dead_url).request("GET", "/");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().slug == "server_unreachable");
  CHECK(refused.error().hint == "is mlopsd running at " + dead_url + "?");

  ScriptedServer silent([](ScriptedServer& self) {
    self.accept();
    self.read_request();
    self.read_request();  // until the client gives up
  });
  const auto late = client_for(silent.url(), 60).request("GET", "/");
  REQUIRE_FALSE(late);
  CHECK(late.error().slug == "server_timeout");
  CHECK(late.error().code == ErrorCode::kTimeout);

  ScriptedServer cutting([](ScriptedServer& self) {
    self.accept();
    self.read_request();
    self.answer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    self.hang_up();
  });
  const auto cut = client_for(cutting.url()).request("GET", "/");
  REQUIRE_FALSE(cut);
  CHECK(cut.error().slug == "connection_lost");
}

TEST_CASE("a server that drips its answer is left at the end of the whole time, and the client can be used again") {
  struct Way {
    std::string head;
    std::string drip;
  };
  // Each piece comes in time; without an end of its own none of these would ever be over.
  const Way way = GENERATE(values<Way>({{"HTTP/1.1 200 OK\r\n", "X-More: to come\r\n"},
                                        {"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"allow\": true}", " "},
                                        {"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", "x"},
                                        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"}}));
  INFO(way.head);
  ScriptedServer server([way](ScriptedServer& self) {
    self.accept();
    self.read_request();
    self.answer(way.head);
    while (!self.is_left_within(5)) self.answer(way.drip);
    self.hang_up();
    self.accept();
    self.read_request();
    self.answer_ok("ok");
  });
  auto client = hasty_client(server.url());
  const auto endless = client.request("GET", "/");
  REQUIRE_FALSE(endless);
  CHECK(endless.error().slug == "server_timeout");
  const auto quick = client.request("GET", "/");
  if (!quick) FAIL(quick.error().message);
  CHECK(quick->body == "ok");
}

TEST_CASE("a server that never comes to the end of the TLS handshake is left, too") {
  ScriptedServer server([](ScriptedServer& self) {
    self.accept();
    // A record's head that promises more than ever comes.
    self.answer(std::string("\x16\x03\x03\x40\x00", 5));
    while (!self.is_left_within(5)) self.answer("x");
  });
  auto client = hasty_client("https" + server.url().substr(4));
  const auto endless = client.request("GET", "/");
  REQUIRE_FALSE(endless);
  CHECK(endless.error().slug == "server_timeout");
}

TEST_CASE("a plain server behind an https URL is a TLS error") {
  ScriptedServer server([](ScriptedServer& self) {
    self.accept();
    self.answer("HTTP/1.1 400 Bad Request\r\n\r\n");
    self.hang_up();
  });
  std::string url = server.url();
  url.insert(4, "s");
  const auto response = client_for(url).request("GET", "/");
  REQUIRE_FALSE(response);
  CHECK(response.error().slug == "tls_failed");
}

TEST_CASE("nothing that could forge a header is sent") {
  HttpClientOptions options;
  options.base_url = "http://127.0.0.1:1";
  options.bearer_token = "a\r\nX-Admin: 1";
  CHECK(HttpClient::create(options).error().slug == "bad_request");
  options.bearer_token.clear();
  options.base_url = "http://127.0.0.1:1/?q";
  CHECK(HttpClient::create(options).error().slug == "bad_url");
  auto client = client_for("http://127.0.0.1:1");
  CHECK(client.request("GET", "/a b").error().slug == "bad_request");
  CHECK(client.request("GET", "/a\r\nX: y").error().slug == "bad_request");
  CHECK(client.request("GET /x", "/").error().slug == "bad_request");
  CHECK(client.request("POST", "/", "{}", "a\nb").error().slug == "bad_request");
  CHECK(client.request({"GET", "/", {}, {}, {{"X Y", "1"}}}).error().slug == "bad_request");
  CHECK(client.request({"GET", "/", {}, {}, {{"X", "1\r\n"}}}).error().slug == "bad_request");
}
