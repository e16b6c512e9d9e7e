// Files in and out by chunks (docs/format/push.md): what is missing, a push, a file's recipe, pieces of files.
#include <vector>

#include "core/base/text.h"
#include "daemon/api/request.h"
#include "daemon/api/routes.h"
#include "daemon/domain/file_transfer.h"

namespace mlops::api {
namespace {

using domain::FileTransfer;

constexpr std::size_t kQuestionsBytes = FileTransfer::kQuestionsMax * cas::kQuestionBytes;
constexpr std::size_t kWantsBytes = FileTransfer::kWantsMax * cas::kWantBytes;

Response binary(std::string body) {
  Response response;
  response.content_type = "application/octet-stream";
  response.body = std::move(body);
  return response;
}

// The route's limit holds.
Result<std::vector<std::uint8_t>> read_all(Request& request) {
  std::vector<std::uint8_t> body;
  std::vector<std::uint8_t> piece(64u << 10);
  while (true) {
    MLOPS_ASSIGN(const std::size_t got, request.stream->read(piece));
    if (got == 0) return body;
    body.insert(body.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(got));
  }
}

Result<Response> missing(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {}));
  MLOPS_ASSIGN(const auto body, read_all(request));
  MLOPS_ASSIGN(auto answer, FileTransfer(services.content).missing(body, request.principal));
  return binary(std::move(answer));
}

Result<Response> push(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {}));
  const cas::StreamRead read = [&](std::span<std::uint8_t> into) { return request.stream->read(into); };
  MLOPS_ASSIGN(const auto received, FileTransfer(services.content).receive(read, request.principal));
  Json files = Json::array();
  for (const auto& file : received.files) {
    files.push_back({{"digest", file.digest.to_string()}, {"size_bytes", file.size_bytes}});
  }
  return Response::json(201, {{"files", std::move(files)},
                              {"file_count", received.file_count},
                              {"new_chunks", received.new_chunks},
                              {"new_bytes", received.new_bytes}});
}

Result<Response> recipe(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {"offset"}));
  MLOPS_ASSIGN(const auto digest, crypto::Digest::parse(request.params[0]));
  const auto offset = parse_int(request.query_or("offset", "0"));
  if (!offset || *offset < 0) return fail(ErrorCode::kInvalid, "bad_parameter", "offset must be a number of bytes");
  MLOPS_TRY(services.clearance.check(request.principal, {digest}));
  MLOPS_ASSIGN(auto body, FileTransfer(services.content).recipe(digest, static_cast<std::uint64_t>(*offset)));
  return binary(std::move(body));
}

class SenderBody : public http::BodySource {
 public:
  explicit SenderBody(cas::Sender sender) : sender_(std::move(sender)) {}
  std::uint64_t size_bytes() const override { return sender_.size_bytes(); }
  Result<std::size_t> read(std::span<std::uint8_t> into) override { return sender_.read(into); }

 private:
  cas::Sender sender_;
};

Result<Response> fetch(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {}));
  MLOPS_ASSIGN(const auto body, read_all(request));
  MLOPS_ASSIGN(const auto wants, FileTransfer::read_wants(body));
  std::vector<crypto::Digest> files;
  for (const auto& want : wants) files.push_back(want.digest);
  MLOPS_TRY(services.clearance.check(request.principal, files));
  MLOPS_ASSIGN(auto sender, FileTransfer(services.content).send(wants));
  Response response;
  response.content_type = "application/octet-stream";
  response.source = std::make_unique<SenderBody>(std::move(sender));
  return response;
}

}  // namespace

void add_store_routes(const Services& s, Routes& routes) {
  const auto bind = [&s](auto handler) {
    return answering([&s, handler](Request& request) { return handler(s, request); });
  };
  routes.insert(routes.end(),
                {{Method::kPost, "/api/v1/store/missing", Scope::kArtifactWrite, BodyMode::kStreamed, kQuestionsBytes,
                  RunOn::kWorker, "Which of these chunks, nodes and files does the store lack?", bind(missing)},
                 {Method::kPost, "/api/v1/store/push", Scope::kArtifactWrite, BodyMode::kStreamed, s.upload_limit_bytes,
                  RunOn::kWorker, "Receive files as chunks; durable when answered.", bind(push)},
                 {Method::kGet, "/api/v1/store/recipe/{digest}", Scope::kRead, BodyMode::kNone, 0, RunOn::kWorker,
                  "The chunks that make up a file.", bind(recipe)},
                 {Method::kPost, "/api/v1/store/fetch", Scope::kRead, BodyMode::kStreamed, kWantsBytes, RunOn::kWorker,
                  "Pieces of files as chunks.", bind(fetch)}});
}

}  // namespace mlops::api
