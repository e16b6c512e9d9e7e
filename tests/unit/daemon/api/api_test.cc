// The route table as data, and the handlers that move bytes, called without a socket.
#include <set>

#include "core/base/text.h"
#include "daemon/api/request.h"
#include "daemon/api/routes.h"
#include "tests/unit/daemon/domain/domain_fixture.h"

using namespace mlops;
using namespace mlops::api;
using namespace mlops::test;
using http::Method;

namespace {

class Chunks : public http::BodyReader {
 public:
  explicit Chunks(std::vector<std::string> chunks) : chunks_(std::move(chunks)) {}
  Result<std::size_t> read(std::span<std::uint8_t> into) override {
    if (next_ == chunks_.size()) return std::size_t{0};
    const auto& chunk = chunks_[next_++];
    std::copy(chunk.begin(), chunk.end(), into.begin());
    return chunk.size();
  }

 private:
  std::vector<std::string> chunks_;
  std::size_t next_ = 0;
};

struct Fixture : DomainFixture {
  Fixture()
      : services{*identity,
                 registry,
                 compliance,
                 clearance,
                 reveals,
                 promotion,
                 signatures,
                 signing_keys,
                 rollouts,
                 decisions,
                 sources,
                 provenance,
                 gitops,
                 lineage,
                 integrity,
                 gc,
                 retention,
                 erasure,
                 *backups,
                 webhooks,
                 watch_seats,
                 delivery,
                 content,
                 *store,
                 [this] { return ready; },
                 [] { return std::string("metric 1\n"); }},
        routes(make_routes(services)) {}

  http::Response call(Method method, std::string_view pattern, http::Request request) {
    for (const auto& route : routes) {
      if (route.method != method || route.pattern != pattern) continue;
      request.method = method;
      return route.handler(request);
    }
    FAIL("no route " << pattern);
    return {};
  }
  http::Response download(const std::string& digest, const std::string& range = {}) {
    http::Request request;
    request.params = {digest};
    if (!range.empty()) request.headers["range"] = range;
    return call(Method::kGet, "/api/v1/blobs/{digest}", std::move(request));
  }
  http::Response upload(const std::vector<std::string>& chunks, const std::string& digest = {}) {
    Chunks reader(chunks);
    http::Request request;
    request.stream = &reader;
    if (!digest.empty()) request.query["digest"] = digest;
    return call(Method::kPost, "/api/v1/blobs", std::move(request));
  }

  bool ready = true;
  events::CourierOptions courier;
  events::Webhooks webhooks{*store, *keys, courier};
  events::WatchSeats watch_seats{1};
  domain::Delivery delivery{*store, content, {}};
  std::unique_ptr<domain::Backups> backups = domain::Backups::open(*store, content).value();
  std::unique_ptr<domain::GitRemotes> remotes =
      domain::GitRemotes::open(*store, {.folder = dir / "git", .person_key = key_of(4)}).value();
  domain::PolicySources sources{*store, *remotes, decisions};
  domain::Provenance provenance{*store, *remotes};
  domain::Gitops gitops{*store, *remotes, compliance};
  Services services;
  Routes routes;
};

std::string body_of(http::Response& response) {
  if (!response.source) return response.body;
  std::string all;
  std::uint8_t buffer[3];
  while (true) {
    const auto count = response.source->read(buffer);
    REQUIRE(count);
    if (*count == 0) break;
    all.append(reinterpret_cast<const char*>(buffer), *count);
  }
  CHECK(all.size() == response.source->size_bytes());
  return all;
}

std::string header(const http::Response& response, const std::string& name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return {};
}

std::string slug_of(const http::Response& response) {
  return parse_json(response.body).value().value("slug", "");
}

}  // namespace

TEST_CASE("the description lists every route with its scope, and the two agree") {
  Fixture f;
  const auto response = f.call(Method::kGet, "/openapi.json", {});
  CHECK(response.status == 200);
  const auto described = parse_json(response.body, {.size_bytes = 16u << 20, .nodes = 1'000'000});
  REQUIRE(described);
  std::size_t operations = 0;
  for (const auto& [path, item] : described->at("paths").items()) operations += item.size();
  CHECK(operations == f.routes.size());
  std::set<std::string> ids;
  for (const auto& route : f.routes) {
    INFO(route.pattern);
    const auto& operation =
        described->at("paths").at(std::string(route.pattern)).at(to_lower_ascii(to_word(route.method)));
    CHECK(operation.at("x-scope") == to_word(route.scope.get()));
    CHECK_FALSE(operation.at("summary").get<std::string>().empty());
    CHECK(ids.insert(operation.at("operationId")).second);
    CHECK(operation.contains("requestBody") == (route.body_mode != http::BodyMode::kNone));
    CHECK(operation.contains("security") == (route.scope.get() == model::Scope::kPublic));
    std::size_t braces = 0;
    for (const char c : route.pattern) braces += c == '{';
    CHECK((braces == 0 ? !operation.contains("parameters") : operation.at("parameters").size() == braces));
  }
}

TEST_CASE(
    "only health, version and the description are public, and whoever changes something needs more than reading") {
  Fixture f;
  std::set<std::string> open;
  for (const auto& route : f.routes) {
    INFO(route.pattern);
    if (route.scope.get() == model::Scope::kPublic) {
      open.insert(std::string(route.pattern));
      CHECK(route.method == Method::kGet);
    }
    if (route.body_mode != http::BodyMode::kNone) CHECK(route.body_limit_bytes > 0);
    CHECK(route.handler);
  }
  CHECK(open == std::set<std::string>{"/livez", "/openapi.json", "/readyz", "/version"});
}

TEST_CASE("a blob comes whole or by one range") {
  Fixture f;
  const auto digest = f.content.put("0123456789")->digest.to_string();
  auto whole = f.download(digest);
  CHECK(whole.status == 200);
  CHECK(header(whole, "Accept-Ranges") == "bytes");
  CHECK(header(whole, "ETag") == "\"" + digest + "\"");
  CHECK(header(whole, "Content-Range").empty());
  CHECK(body_of(whole) == "0123456789");
  struct Row {
    std::string range;
    std::string bytes;
    std::string content_range;
  };
  const Row rows[] = {
      {"bytes=0-0", "0", "bytes 0-0/10"},          {"bytes=2-4", "234", "bytes 2-4/10"},
      {"bytes=7-", "789", "bytes 7-9/10"},         {"bytes=-3", "789", "bytes 7-9/10"},
      {"bytes=-99", "0123456789", "bytes 0-9/10"}, {"bytes=8-99", "89", "bytes 8-9/10"},
      {"bytes=9-9", "9", "bytes 9-9/10"},          {"bytes=0-9223372036854775807", "0123456789", "bytes 0-9/10"},
  };
  for (const auto& row : rows) {
    INFO(row.range);
    auto part = f.download(digest, row.range);
    CHECK(part.status == 206);
    CHECK(header(part, "Content-Range") == row.content_range);
    CHECK(body_of(part) == row.bytes);
  }
}

TEST_CASE("a range that cannot be served is 416 with the size") {
  Fixture f;
  const auto digest = f.content.put("0123456789")->digest.to_string();
  for (const std::string range : {"bytes=10-", "bytes=10-12", "bytes=5-4", "bytes=-0", "bytes=", "bytes=-", "bytes=a-b",
                                  "bytes=--1", "bytes=1-2,4-5", "bytes=99999999999999999999-", "lines=1-2", "0-1"}) {
    INFO(range);
    const auto refused = f.download(digest, range);
    CHECK(refused.status == 416);
    CHECK(header(refused, "Content-Range") == "bytes */10");
    CHECK(slug_of(refused) == "bad_range");
  }
  const auto empty = f.content.put("")->digest.to_string();
  CHECK(f.download(empty, "bytes=0-").status == 416);
  auto whole = f.download(empty);
  CHECK(whole.status == 200);
  CHECK(body_of(whole).empty());
}

TEST_CASE("a digest is the only way to a blob") {
  Fixture f;
  for (const std::string bad : {"", "../../meta.db", "sha256:..", "sha256:ABC", "x"}) {
    INFO(bad);
    CHECK(f.download(bad).status == 400);
  }
  CHECK(f.download("sha256:" + std::string(64, '0')).status == 404);
}

TEST_CASE("an upload is streamed, checked and told") {
  Fixture f;
  const auto digest = crypto::sha256(std::string_view("hello world")).to_string();
  const auto stored = f.upload({"hello ", "world"}, digest);
  CHECK(stored.status == 201);
  CHECK(parse_json(stored.body)->at("digest") == digest);
  CHECK(parse_json(stored.body)->at("size_bytes") == 11);
  const auto mismatch = f.upload({"other"}, digest);
  CHECK(mismatch.status >= 400);
  CHECK(slug_of(mismatch) == "digest_mismatch");
  CHECK(f.content.totals().objects == 1);
  CHECK(slug_of(f.upload({"x"}, "sha256:1")) == "bad_digest");
}

TEST_CASE("what is missing is asked for by digest and size") {
  Fixture f;
  const auto digest = f.content.put("hello")->digest.to_string();
  http::Request reader;
  reader.principal.scopes = {model::Scope::kRead};
  const auto ask = [&](const Json& body) {
    auto request = reader;
    request.body = body.dump();
    return f.call(Method::kPost, "/api/v1/blobs/missing", std::move(request));
  };
  const auto answered = ask(
      {{"blobs",
        {{{"digest", digest}, {"size_bytes", 5}}, {{"digest", "sha256:" + std::string(64, '0')}, {"size_bytes", 5}}}}});
  CHECK(answered.status == 200);
  CHECK(parse_json(answered.body)->at("missing").size() == 1);
  CHECK(parse_json(ask({{"blobs", {{{"digest", digest}, {"size_bytes", 4}}}}}).body)->at("missing").size() == 1);
  CHECK(ask({{"blobs", {{{"digest", digest}}}}}).status == 400);
  CHECK(ask({{"blobs", {{{"digest", digest}, {"size_bytes", -1}}}}}).status == 400);
  CHECK(ask({{"blobs", {1}}}).status == 400);
  CHECK(ask({{"blops", Json::array()}}).status == 400);
  CHECK(ask(Json::object()).status == 400);
}

TEST_CASE("readiness follows the daemon") {
  Fixture f;
  CHECK(f.call(Method::kGet, "/readyz", {}).status == 200);
  f.ready = false;
  CHECK(f.call(Method::kGet, "/readyz", {}).status == 503);
  CHECK(f.call(Method::kGet, "/livez", {}).status == 200);
}

TEST_CASE("query parameters are read strictly") {
  http::Request request;
  CHECK(limit_of(request).value() == 100);
  for (const std::string bad : {"0", "1001", "-1", "x", "1.5", "99999999999999999999"}) {
    INFO(bad);
    request.query["limit"] = bad;
    CHECK(limit_of(request).error().slug == "bad_limit");
  }
  request.query["limit"] = "1000";
  CHECK(limit_of(request).value() == 1000);
  CHECK(only_known_params(request, {"limit"}));
  CHECK(only_known_params(request, {"after"}).error().slug == "unknown_parameter");
  CHECK(as_of(request).value() == 0);
  request.query["as_of"] = "1970-01-01T00:00:00Z";
  CHECK(as_of(request).value() == 1);  // 0 would mean now
  request.query["as_of"] = "1960-01-01";
  CHECK(as_of(request).value() == 1);
  request.query["as_of"] = "yesterday";
  CHECK_FALSE(as_of(request));
}

TEST_CASE("bodies have only known members of the right type") {
  http::Request request;
  request.body = R"({"dry_run": true, "labels": {"a": "b"}, "remove": ["c"]})";
  const auto body = body_with(request, {"dry_run", "labels", "remove"});
  REQUIRE(body);
  CHECK(commit_of(*body).value() == Commit::kDryRun);
  CHECK(string_map(*body, "labels")->at("a") == "b");
  CHECK(string_list(*body, "remove")->front() == "c");
  CHECK(string_map(*body, "absent")->empty());
  CHECK_FALSE(string_map(*body, "remove"));
  CHECK_FALSE(string_list(*body, "labels"));
  CHECK(body_with(request, {"dry_run"}).error().slug == "unknown_field");
  CHECK_FALSE(commit_of(Json{{"dry_run", "true"}}));
  CHECK(commit_of(Json::object()).value() == Commit::kKeep);
  for (const std::string bad : {"", "[]", "1", "{", "{\"a\":1,\"a\":2}"}) {
    INFO(bad);
    request.body = bad;
    CHECK_FALSE(body_with(request, {"a"}));
  }
}

TEST_CASE("a page says whether there is more, and a dry answer that it is one") {
  const auto cursor = [](const Json& last) { return last.get<std::string>(); };
  CHECK(page({"a", "b", "c"}, 2, cursor) == Json({{"items", {"a", "b"}}, {"next", "b"}}));
  CHECK(page({"a", "b"}, 2, cursor).at("next").is_null());
  CHECK(page(Json::array(), 2, cursor).at("items").empty());
  const auto dry = answer(201, Json::object(), Commit::kDryRun);
  CHECK(dry.status == 200);
  CHECK(parse_json(dry.body)->at("dry_run") == true);
  CHECK(answer(201, Json::object()).status == 201);
}
