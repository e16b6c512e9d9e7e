// The connection's state machine over a transport of strings: no sockets, no waiting.
#include "daemon/http/connection.h"

#include <condition_variable>
#include <cstring>
#include <deque>

#include "tests/unit/catch.h"

namespace mlops::http {
namespace {

// What the peer sent and got. Reads end with 0 when nothing is scripted.
struct Wire {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::string> blocking_reads;
  std::string sent;
  std::span<char> pending_read;
  std::shared_ptr<TransportEvents> reader;
  std::shared_ptr<TransportEvents> writer;
  std::size_t write_now_limit = SIZE_MAX;
  bool closing = false;
  bool gone = false;
  bool reading_stopped = false;
};

class FakeTransport final : public Transport {
 public:
  explicit FakeTransport(Wire& wire) : wire_(wire) {}
  ~FakeTransport() override {
    set([](Wire& w) { w.gone = true; });
  }

  void start(std::shared_ptr<TransportEvents> events) override { events->on_ready(true); }
  void async_read(std::span<char> into, std::shared_ptr<TransportEvents> events) override {
    set([&](Wire& w) {
      w.pending_read = into;
      w.reader = std::move(events);
    });
  }
  void async_write(std::string_view bytes, std::shared_ptr<TransportEvents> events) override {
    set([&](Wire& w) {
      w.sent += bytes;
      w.writer = std::move(events);
    });
  }
  std::size_t write_now(std::string_view bytes) override {
    const auto size_bytes = std::min(bytes.size(), wire_.write_now_limit);
    set([&](Wire& w) { w.sent += bytes.substr(0, size_bytes); });
    return size_bytes;
  }
  bool has_ended() override { return false; }
  void close_politely(std::span<char>, std::shared_ptr<TransportEvents>) override {
    set([](Wire& w) { w.closing = true; });
  }
  std::size_t read(std::span<std::uint8_t> into) override {
    const std::lock_guard lock(wire_.mutex);
    if (wire_.blocking_reads.empty()) return 0;
    auto& piece = wire_.blocking_reads.front();
    const auto count = std::min(piece.size(), into.size());
    std::memcpy(into.data(), piece.data(), count);
    piece.erase(0, count);
    if (piece.empty()) wire_.blocking_reads.pop_front();
    return count;
  }
  bool write(std::string_view bytes) override {
    set([&](Wire& w) { w.sent += bytes; });
    return true;
  }
  void stop_reading() override { wire_.reading_stopped = true; }
  void stop() override {}
  const std::string& peer_ip() const override { return ip_; }

 private:
  template <class Change>
  void set(const Change& change) {
    const std::lock_guard lock(wire_.mutex);
    change(wire_);
    wire_.changed.notify_all();
  }

  Wire& wire_;
  std::string ip_ = "192.0.2.7";
};

class Text final : public BodySource {
 public:
  explicit Text(std::string text) : text_(std::move(text)) {}
  std::uint64_t size_bytes() const override { return text_.size(); }
  Result<std::size_t> read(std::span<std::uint8_t> into) override {
    const auto size_bytes = std::min<std::size_t>(into.size(), text_.size() - at_);
    std::memcpy(into.data(), text_.data() + at_, size_bytes);
    at_ += size_bytes;
    return size_bytes;
  }

 private:
  std::string text_;
  std::size_t at_ = 0;
};

Response say(std::string text) {
  Response response;
  response.content_type = "text/plain";
  response.body = std::move(text);
  return response;
}

Response read_all(Request& request) {
  std::string body;
  std::array<std::uint8_t, 4096> piece;
  for (;;) {
    const auto size_bytes = request.stream->read(piece);
    if (!size_bytes) return problem(size_bytes.error(), request.origin.request_id);
    if (*size_bytes == 0) return say("got " + body);
    body.append(piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(*size_bytes));
  }
}

std::vector<Route> test_routes() {
  using enum model::Scope;
  using enum RunOn;
  const auto none = BodyMode::kNone;
  return {
      {Method::kGet, "/a", kPublic, none, 0, kInline, "", [](Request&) { return say("A"); }},
      {Method::kGet, "/ip", kPublic, none, 0, kInline, "", [](Request& r) { return say(r.origin.source_ip); }},
      {Method::kGet, "/read/{x}", kRead, none, 0, kInline, "", [](Request& r) { return say(r.params[0]); }},
      {Method::kGet, "/defect", kPublic, none, 0, kInline, "",
       [](Request&) -> Response { throw std::runtime_error("a secret"); }},
      {Method::kGet, "/split", kPublic, none, 0, kInline, "",
       [](Request&) {
         auto response = say("x");
         response.headers.emplace_back("X-Name", "a\r\nSet-Cookie: b");
         return response;
       }},
      {Method::kPost, "/echo", kPublic, BodyMode::kBuffered, 100'000, kInline, "",
       [](Request& r) { return say("body " + r.body); }},
      {Method::kPost, "/stream", kPublic, BodyMode::kStreamed, 50, kWorker, "", read_all},
      {Method::kPost, "/ignore", kPublic, BodyMode::kStreamed, 1'000'000, kWorker, "",
       [](Request&) { return say("ignored"); }},
      {Method::kGet, "/long", kPublic, none, 0, kWorker, "",
       [](Request&) {
         auto response = say("");
         response.source = std::make_unique<Text>(std::string(600'000, 'z'));
         return response;
       }},
  };
}

Result<model::Principal> authenticate(std::string_view authorization) {
  model::Principal principal;
  if (authorization == "Bearer reader") principal.scopes = {model::Scope::kRead};
  if (authorization == "Bearer bad") return fail(ErrorCode::kUnauthenticated, "bad_token", "no such token");
  return principal;
}

class Peer {
 public:
  Peer() : core({}, Router(test_routes()), authenticate, [this](const RequestRecord& record) { note(record); }) {
    core.workers = std::make_unique<ThreadPool>(1, 4);
    core.streams = std::make_unique<ThreadPool>(1, 4);
    REQUIRE(core.peers.try_enter("192.0.2.7"));
    std::make_shared<Connection>(core, std::make_unique<FakeTransport>(wire), 0)->start();
  }
  ~Peer() {
    core.workers.reset();
    core.streams.reset();
    wire.reader.reset();
    wire.writer.reset();
  }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto reader = std::exchange(wire.reader, nullptr);
      REQUIRE(reader != nullptr);
      const auto size_bytes = std::min(bytes.size(), wire.pending_read.size());
      std::memcpy(wire.pending_read.data(), bytes.data(), size_bytes);
      bytes.remove_prefix(size_bytes);
      reader->on_read(size_bytes);
    }
  }

  // Everything got so far, once `part` is among it; for what other threads write.
  std::string wait_for(std::string_view part) {
    std::unique_lock lock(wire.mutex);
    wire.changed.wait_for(lock, std::chrono::seconds(10),
                          [&] { return wire.sent.find(part) != std::string::npos && (wire.reader || wire.closing); });
    return std::exchange(wire.sent, {});
  }

  // The status lines and bodies got so far, headers left out: "200 A".
  std::string answers() {
    std::string all = std::exchange(wire.sent, {});
    std::string out;
    std::size_t at = 0;
    while ((at = all.find("HTTP/1.1 ", at)) != std::string::npos) {
      const auto head_end = all.find("\r\n\r\n", at);
      const auto next = all.find("HTTP/1.1 ", at + 1);
      if (!out.empty()) out += "; ";
      out += all.substr(at + 9, 3) + " ";
      const auto body = all.substr(head_end + 4, next == std::string::npos ? next : next - head_end - 4);
      const auto problem_json = Json::parse(body, nullptr, false);
      out += problem_json.is_object() ? problem_json.at("slug").get<std::string>() : body;
      at = head_end;
    }
    return out + (wire.closing ? " closed" : "");
  }

  std::string ask(std::string_view bytes) {
    send(bytes);
    return answers();
  }

  void note(const RequestRecord& record) {
    records +=
        std::string(record.method) + " " + std::string(record.route) + " " + std::to_string(record.status) + "\n";
  }

  Wire wire;
  std::string records;
  ServerCore core;
};

constexpr std::string_view kGetA = "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n";

TEST_CASE("requests in one segment are answered in order") {
  Peer peer;
  CHECK(peer.ask(std::string(kGetA) + "GET /ip HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n") ==
        "200 A; 200 192.0.2.7");
  CHECK(peer.ask(std::string(kGetA).substr(0, 10)).empty());
  CHECK(peer.ask(std::string(kGetA).substr(10)) == "200 A");
  CHECK(peer.records == "GET /a 200\nGET /ip 200\nGET /a 200\n");
}

TEST_CASE("HEAD gets the head of GET") {
  Peer peer;
  peer.send("HEAD /a HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(peer.wire.sent.find("Content-Length: 1\r\n") != std::string::npos);
  CHECK(peer.answers() == "200 ");
}

TEST_CASE("refusals that keep the connection, with the short body skipped") {
  Peer peer;
  CHECK(peer.ask("POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nab") == "404 route_not_found");
  CHECK(peer.ask("cd" + std::string(kGetA)) == "200 A");
  CHECK(peer.ask("DELETE /a HTTP/1.1\r\nHost: localhost\r\n\r\n") == "405 method_not_allowed");
  CHECK(peer.ask("GET /read/x HTTP/1.1\r\nHost: localhost\r\n\r\n") == "401 no_token");
  CHECK(peer.ask("GET /read/x HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer bad\r\n\r\n") == "401 bad_token");
  CHECK(peer.ask("GET /read/x HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer poor\r\n\r\n") ==
        "403 missing_scope");
  CHECK(peer.ask("GET /read/x HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer reader\r\n\r\n") == "200 x");
}

TEST_CASE("refusals that close") {
  const auto [request, answer] = GENERATE(table<std::string, std::string>({
      {"GET /a HTTP/1.1\n", "400 bad_head"},
      {"GET /a HTTP/1.1\r\nHost: evil.example\r\n\r\n", "421 host_not_allowed"},
      {"GET /a HTTP/1.1\r\nHost: localhost:x\r\n\r\n", "421 host_not_allowed"},
      {"GET /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n", "400 body_not_allowed"},
      {"BREW /a HTTP/1.1\r\nHost: localhost\r\n\r\n", "501 method_unknown"},
      {"GET /a?x=1&x=2 HTTP/1.1\r\nHost: localhost\r\n\r\n", "400 bad_query"},
      {"GET /a%00 HTTP/1.1\r\nHost: localhost\r\n\r\n", "400 bad_path"},
      {"POST /echo HTTP/1.1\r\nHost: localhost\r\n\r\n", "411 length_required"},
      {"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\n", "413 body_too_large"},
      {"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n",
       "415 unsupported_media_type"},
      {"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n",
       "415 unsupported_encoding"},
      {"POST /echo HTTP/1.1\r\nHost: localhost\r\nExpect: x\r\nContent-Length: 2\r\n\r\n", "417 unknown_expectation"},
      {"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "400 bad_body"},
  }));
  Peer peer;
  CHECK(peer.ask(request) == answer + " closed");
}

TEST_CASE("a hidden second request is never carried out") {
  Peer peer;
  CHECK(
      peer.ask(
          "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" +
          std::string(kGetA)) == "400 bad_framing closed");
  CHECK(peer.records ==
        " "
        " 400\n");
}

TEST_CASE("a buffered body arrives whole, in any framing") {
  Peer peer;
  const std::string head = "POST /echo HTTP/1.1\r\nHost: localhost\r\n";
  CHECK(peer.ask(head + "Content-Length: 4\r\n\r\nab").empty());
  CHECK(peer.ask("cd" + std::string(kGetA)) == "200 body abcd; 200 A");
  CHECK(peer.ask(head + "Content-Length: 0\r\n\r\n") == "200 body ");
  CHECK(peer.ask(head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n").empty());
  CHECK(peer.ask("1\r\nd\r\n0\r\n\r\n" + std::string(kGetA)) == "200 body abcd; 200 A");
  CHECK(peer.ask(head + "Content-Length: 90000\r\n\r\n" + std::string(90'000, 'x')) ==
        "200 body " + std::string(90'000, 'x'));
}

TEST_CASE("a chunked body is cut at the limit of its route, a chunk extension at the buffer") {
  const std::string head = "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
  Peer peer;
  CHECK(peer.ask(head + "186A1\r\n" + std::string(100'001, 'x')) == "413 body_too_large closed");
  Peer other;
  CHECK(other.ask(head + "5;" + std::string(65'534, 'e')) == "400 bad_body closed");
}

TEST_CASE("a peer that waits is invited to send its body") {
  Peer peer;
  const std::string head =
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
  CHECK(peer.ask(head) == "100 ");
  CHECK(peer.ask("ab") == "200 body ab");
  // Refused before: no invitation, and what it might still send cannot be told from a request.
  CHECK(peer.ask("POST /nowhere HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n") ==
        "404 route_not_found closed");
}

TEST_CASE("what the socket does not take at once follows later") {
  Peer peer;
  peer.wire.write_now_limit = 10;
  peer.send(kGetA);
  REQUIRE(peer.wire.writer != nullptr);
  std::exchange(peer.wire.writer, nullptr)->on_written(true);
  CHECK(peer.answers() == "200 A");
  CHECK(peer.wire.reader != nullptr);
}

TEST_CASE("a handler's exception and a split header become a plain 500") {
  Peer peer;
  peer.send("GET /defect HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(peer.wire.sent.find("secret") == std::string::npos);
  CHECK(peer.answers() == "500 internal");
  peer.send("GET /split HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(peer.wire.sent.find("Set-Cookie") == std::string::npos);
  CHECK(peer.answers() == "500 internal");
}

TEST_CASE("a streamed body is read by its handler, then the next request") {
  Peer peer;
  peer.wire.blocking_reads = {"lo, ", "world"};
  peer.send("POST /stream HTTP/1.1\r\nHost: localhost\r\nContent-Length: 12\r\n\r\nhel");
  CHECK(peer.wait_for("got ").ends_with("\r\n\r\ngot hello, world"));
  CHECK(peer.ask(kGetA) == "200 A");

  peer.wire.blocking_reads = {"c\r\n", "0\r\n\r\n"};
  peer.send("POST /stream HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab");
  CHECK(peer.wait_for("got ").ends_with("\r\n\r\ngot abc"));
  CHECK(peer.ask(kGetA) == "200 A");
}

TEST_CASE("chunks of a streamed body that come in pieces of any size are put together") {
  const std::string body = "5\r\nhello\r\n2;x=y\r\n, \r\n5\r\nworld\r\n0\r\n\r\n";
  for (std::size_t size = 1; size <= body.size(); ++size) {
    CAPTURE(size);
    Peer peer;
    for (std::size_t at = 0; at < body.size(); at += size) peer.wire.blocking_reads.push_back(body.substr(at, size));
    peer.send("POST /stream HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
    CHECK(peer.wait_for("got ").ends_with("\r\n\r\ngot hello, world"));
    CHECK(peer.ask(kGetA) == "200 A");
  }
}

TEST_CASE("a streamed body that ends early or grows too large is an error of the handler") {
  Peer peer;
  peer.wire.blocking_reads = {"lo"};
  peer.send("POST /stream HTTP/1.1\r\nHost: localhost\r\nContent-Length: 12\r\n\r\nhel");
  const auto early = peer.wait_for("peer_gone");
  CHECK(early.find("\"slug\":\"peer_gone\"") != std::string::npos);
  CHECK(early.find("Connection: close") != std::string::npos);

  Peer other;
  other.send("POST /stream HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n" +
             std::string(64, 'x') + "\r\n0\r\n\r\n");
  CHECK(other.wait_for("body_too_large").starts_with("HTTP/1.1 413 "));
}

TEST_CASE("a streamed body that nobody reads is skipped when short, else the connection ends") {
  Peer peer;
  peer.send("POST /ignore HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nab");
  CHECK(peer.wait_for("ignored").ends_with("ignored"));
  CHECK(peer.ask("cde" + std::string(kGetA)) == "200 A");
  peer.send("POST /ignore HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\nab");
  CHECK(peer.wait_for("ignored").find("Connection: close") != std::string::npos);
  CHECK(peer.wire.closing);
}

TEST_CASE("a long answer is sent in pieces and has the promised length") {
  Peer peer;
  peer.send("GET /long HTTP/1.1\r\nHost: localhost\r\n\r\n");
  std::unique_lock lock(peer.wire.mutex);
  REQUIRE(peer.wire.changed.wait_for(lock, std::chrono::seconds(10), [&] { return peer.wire.reader != nullptr; }));
  const auto body_at = peer.wire.sent.find("\r\n\r\n") + 4;
  CHECK(peer.wire.sent.find("Content-Length: 600000\r\n") != std::string::npos);
  CHECK(peer.wire.sent.size() - body_at == 600'000);
}

TEST_CASE("a head past its deadline is told so, an idle connection just ends") {
  const auto expired_ms = steady_ms() + 10'000'000;
  const auto tick = [&](Peer& peer) {
    peer.core.shards[0]->for_each([&](Connection& connection) { connection.tick(expired_ms); });
    CHECK(peer.wire.reading_stopped);
    std::exchange(peer.wire.reader, nullptr)->on_read(0);
  };
  Peer slow;
  slow.send("GET /a HT");
  tick(slow);
  CHECK(slow.answers() == "408 slow_head closed");

  Peer slow_body;
  slow_body.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nab");
  tick(slow_body);
  CHECK(slow_body.answers() == "408 slow_body closed");

  Peer idle;
  tick(idle);
  CHECK(idle.wire.sent.empty());
  CHECK(idle.wire.gone);
  CHECK(idle.core.peers.total() == 0);
}

TEST_CASE("a draining server refuses what comes new") {
  Peer peer;
  peer.core.draining = true;
  CHECK(peer.ask(kGetA) == "503 draining closed");
  CHECK(peer.core.running == 0);
}

TEST_CASE("work beyond the pool's queue is shed") {
  Peer peer;
  peer.core.streams = std::make_unique<ThreadPool>(1, 0);
  CHECK(peer.ask("POST /ignore HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n") == "503 overloaded");
  CHECK(peer.ask(kGetA) == "200 A");
}

TEST_CASE("host names are compared without port, brackets and case") {
  CHECK(host_name("LocalHost:8470") == "localhost");
  CHECK(host_name("[::1]:8470") == "::1");
  CHECK(host_name("[::1]") == "::1");
  CHECK(host_name("a:b").empty());
  CHECK(host_name("[::1").empty());
  CHECK(host_name("[::1]x").empty());
}

TEST_CASE("connections are counted in all and for each address") {
  PeerCounts peers(3, 2);
  CHECK(peers.try_enter("a"));
  CHECK(peers.try_enter("a"));
  CHECK_FALSE(peers.try_enter("a"));
  CHECK(peers.try_enter("b"));
  CHECK_FALSE(peers.try_enter("c"));
  peers.leave("a");
  CHECK(peers.try_enter("c"));
  CHECK(peers.total() == 3);
}

}  // namespace
}  // namespace mlops::http
