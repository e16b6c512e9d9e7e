#include "cli/api_client.h"

#include <cstdlib>
#include <deque>
#include <filesystem>

#include "cli/problem.h"
#include "cli/progress.h"
#include "cli/transfer.h"
#include "core/base/bytes.h"
#include "tests/unit/catch.h"

namespace mlops::cli {
namespace {

// Answers from a list; remembers what it was asked.
class ScriptedTransport final : public Transport {
 public:
  Result<std::unique_ptr<Transport>> another() const override { return fail(ErrorCode::kInternal, "not_scripted", ""); }
  struct Seen {
    HttpCall call;
    std::string streamed;
  };
  explicit ScriptedTransport(std::vector<Seen>& seen) : seen_(seen) {}

  Result<HttpReply> exchange(const HttpCall& call) override {
    Seen seen{call, ""};
    while (call.stream && seen.streamed.size() < call.stream_bytes) {
      MLOPS_ASSIGN(const auto piece, call.stream());
      if (piece.empty()) break;
      seen.streamed.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    }
    seen_.push_back(seen);
    auto reply = replies.front();
    replies.pop_front();
    if (call.sink && reply && reply->status == 200) {
      for (std::size_t start = 0; start < reply->body.size(); start += 4096) {
        MLOPS_TRY(call.sink(as_bytes(std::string_view(reply->body).substr(start, 4096))));
      }
      reply->body.clear();
    }
    return reply;
  }

  std::deque<Result<HttpReply>> replies;

 private:
  std::vector<Seen>& seen_;
};

struct Fixture {
  Fixture() {
    auto pattern = (std::filesystem::temp_directory_path() / "mlops-cli-XXXXXX").string();
    directory = ::mkdtemp(pattern.data());
    auto owned = std::make_unique<ScriptedTransport>(seen);
    transport = owned.get();
    client = std::make_unique<HttpApiClient>(std::move(owned), "http://h:1");
  }
  ~Fixture() { std::filesystem::remove_all(directory); }
  void answer(int status, std::string body, std::map<std::string, std::string> headers = {}) {
    transport->replies.push_back(HttpReply{status, std::move(headers), std::move(body)});
  }
  std::size_t files_left() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(directory), {}));
  }
  std::string file(const std::string& name) const { return directory + "/" + name; }

  std::string directory;
  std::vector<ScriptedTransport::Seen> seen;
  ScriptedTransport* transport = nullptr;
  std::unique_ptr<HttpApiClient> client;
};

// Longer than the ring of buffers, and no multiple of one.
std::string long_content() {
  std::string content(PieceLane::kBuffers * PieceLane::kBufferBytes * 2 + 12345, 'x');
  for (std::size_t i = 0; i < content.size(); i += 251) content[i] = static_cast<char>(i / 251);
  return content;
}

TEST_CASE("JSON goes out and comes back") {
  Fixture fixture;
  fixture.answer(200, R"({"a":1})", {{"x-request-id", "r1"}});
  const auto answer = fixture.client->post("/api/v1/plans", {{"ref", "x"}});
  REQUIRE(answer);
  CHECK(answer->at("a") == 1);
  CHECK(fixture.client->last_request_id() == "r1");
  CHECK(fixture.seen[0].call.method == "POST");
  CHECK(fixture.seen[0].call.body == R"({"ref":"x"})");
  CHECK(fixture.seen[0].call.content_type == "application/json");
}

TEST_CASE("a problem keeps the server's own words") {
  Fixture fixture;
  fixture.answer(
      403,
      R"({"status":403,"detail":"no","code":"refused","slug":"gates_denied","hint":"mask it","facts":{"b":2,"a":1}})");
  const auto error = fixture.client->get("/x").error();
  CHECK(error.code == ErrorCode::kRefused);
  CHECK(error.slug == "gates_denied");
  CHECK(error.message == "no");
  CHECK(error.hint == "mask it");
  CHECK(error.detail == R"({"a":1,"b":2})");
  CHECK(problem_of(error, "r9").at("request_id") == "r9");
  CHECK(problem_of(error, "").at("facts").at("a") == 1);
}

TEST_CASE("answers of something else than mlopsd are errors too") {
  Fixture fixture;
  fixture.answer(401, "");
  fixture.answer(502, "<html>\x1b[2J");
  fixture.answer(302, "", {{"location", "https://elsewhere"}});
  fixture.answer(200, "<html>");
  const auto unauthenticated = fixture.client->get("/x").error();
  CHECK(unauthenticated.code == ErrorCode::kUnauthenticated);
  CHECK(unauthenticated.hint.find("mlopsctl login") != std::string::npos);
  const auto gateway = fixture.client->get("/x").error();
  CHECK(gateway.code == ErrorCode::kUnavailable);
  CHECK(gateway.message.find('\x1b') == std::string::npos);
  CHECK(fixture.client->get("/x").error().message.find("https://elsewhere") != std::string::npos);
  CHECK(fixture.client->get("/x").error().slug == "bad_answer");
}

TEST_CASE("a body in pieces is sent as it is, with its size when that is known") {
  Fixture fixture;
  const auto content = long_content();
  for (const bool is_known : {true, false}) {
    fixture.answer(201, R"({"size_bytes":1})");
    std::size_t given = 0;
    const auto next = [&]() -> Result<ByteView> {
      const auto piece = std::string_view(content).substr(given, 1000);
      given += piece.size();
      return as_bytes(piece);
    };
    const auto answer =
        fixture.client->post_stream("/api/v1/blobs", next, is_known ? content.size() : ApiClient::kUnknownSize);
    REQUIRE(answer);
    CHECK(answer->at("size_bytes") == 1);
    CHECK(fixture.seen.back().streamed == content);
    CHECK(fixture.seen.back().call.path == "/api/v1/blobs");
    CHECK(fixture.seen.back().call.stream_bytes == (is_known ? content.size() : kUnknownStreamBytes));
  }
}

TEST_CASE("an empty file has the digest of nothing") {
  Fixture fixture;
  REQUIRE(write_file_atomic(fixture.file("empty"), ""));
  const auto hashed = hash_file(posix_env(), fixture.file("empty"));
  REQUIRE(hashed);
  CHECK(hashed->digest == crypto::sha256(""));
}

TEST_CASE("references become one path segment") {
  CHECK(url_encode("model:hospital/x@v1#p r") == "model%3Ahospital%2Fx%40v1%23p%20r");
  CHECK(url_encode("\xc3\xa9") == "%C3%A9");
  CHECK(url_encode("aZ0-._~") == "aZ0-._~");
}

TEST_CASE("progress is a bar on a terminal and rare lines elsewhere") {
  FakeClock clock(0);
  std::string told;
  const auto sink = [&](std::string_view text) { told += text; };
  {
    Progress lines(ProgressStyle::kLines, "up", 4000, clock, 80, sink);
    clock.advance_us(9'000'000);
    lines.update(1000);
    CHECK(told.empty());
    clock.advance_us(1'000'000);
    lines.update(2000);
    CHECK(told == "up   50%  2.0 KiB of 3.9 KiB  200 B/s  10 s left\n");
  }
  told.clear();
  {
    Progress bar(ProgressStyle::kBar, "up", 4000, clock, 80, sink);
    bar.update(1);
    CHECK(told.empty());
    clock.advance_us(1'000'000);
    bar.next_file(1000)(500);
    CHECK(told.find("\rup  [###.....................]   12%") == 0);
    clock.advance_us(1'000'000);
    bar.next_file(3000)(1000);
    CHECK(told.find(" 50%") != std::string::npos);
    CHECK(told.find('\n') == std::string::npos);
  }
  CHECK(told.ends_with("\r\x1b[K"));
  told.clear();
  {
    Progress silent(ProgressStyle::kSilent, "up", 1, clock, 80, sink);
    clock.advance_us(60'000'000);
    silent.update(1);
  }
  CHECK(told.empty());
}

}  // namespace
}  // namespace mlops::cli
