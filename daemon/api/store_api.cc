// Files in and out by chunks (docs/format/push.md): what is missing, a push, a file's recipe, pieces of files.
#include <fmt/format.h>

#include <cstring>
#include <vector>

#include "core/base/text.h"
#include "daemon/api/request.h"
#include "daemon/api/routes.h"
#include "daemon/domain/viewer.h"
#include "storage/cas/ingest.h"
#include "storage/cas/little_endian.h"
#include "storage/cas/sender.h"

namespace mlops::api {
namespace {

using http::BodyMode;
using http::Method;
using http::Request;
using http::Response;
using http::RunOn;
using model::Scope;

constexpr std::size_t kQuestionsMax = 100'000;
constexpr std::size_t kWantsMax = 65'536;
constexpr std::size_t kRecipeChunks = 65'536;

Response binary(std::string body) {
  Response response;
  response.content_type = "application/octet-stream";
  response.body = std::move(body);
  return response;
}

Result<std::vector<std::uint8_t>> read_all(Request& request, std::size_t limit_bytes) {
  std::vector<std::uint8_t> body;
  std::vector<std::uint8_t> piece(64u << 10);
  while (true) {
    MLOPS_ASSIGN(const std::size_t got, request.stream->read(piece));
    if (got == 0) return body;
    body.insert(body.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(got));
    if (body.size() > limit_bytes) {
      return fail(ErrorCode::kExhausted, "too_many_entries", "too many entries in one question", "ask in batches");
    }
  }
}

Failure bad_length(std::size_t entry_bytes) {
  return fail(ErrorCode::kInvalid, "bad_body", fmt::format("the body must be entries of {} bytes", entry_bytes));
}

bool is_here(const Services& services, const cas::Question& question, cas::OwnerTag viewer) {
  switch (question.type) {
    case cas::RecordType::kKnownChunk:
      return services.content.has_object({cas::ObjectKind::kChunk, question.digest}, viewer);
    case cas::RecordType::kKnownNode:
      return services.content.has_object({cas::ObjectKind::kNode, question.digest}, viewer);
    default:
      break;
  }
  if (!services.content.has(question.digest, question.size_bytes, viewer)) return false;
  services.content.lease(question.digest);
  return true;
}

Result<Response> missing(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {}));
  MLOPS_ASSIGN(const auto body, read_all(request, kQuestionsMax * cas::kQuestionBytes));
  if (body.size() % cas::kQuestionBytes != 0) return bad_length(cas::kQuestionBytes);
  const auto viewer = domain::viewer_of(request.principal);
  std::string answer;
  answer.reserve(body.size() / cas::kQuestionBytes);
  for (std::size_t at = 0; at < body.size(); at += cas::kQuestionBytes) {
    MLOPS_ASSIGN(const auto question, cas::parse_question(ByteView(body).subspan(at, cas::kQuestionBytes)));
    answer += is_here(services, question, viewer) ? '\1' : '\0';
  }
  return binary(std::move(answer));
}

Result<Response> push(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {}));
  const cas::StreamRead read = [&](std::span<std::uint8_t> into) { return request.stream->read(into); };
  MLOPS_ASSIGN(const auto received,
               cas::receive_files(services.content, domain::viewer_of(request.principal), read));
  Json files = Json::array();
  for (const auto& file : received.files) {
    files.push_back({{"digest", file.digest.to_string()}, {"size_bytes", file.size_bytes}});
  }
  return Response::json(201, {{"files", std::move(files)},
                              {"file_count", received.file_count},
                              {"new_chunks", received.new_chunks},
                              {"new_bytes", received.new_bytes}});
}

// size u64 | count u32 | zero u32 | (digest[32], size u32){count}, beginning with the chunk that holds byte `offset`
Result<Response> recipe(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {"offset"}));
  MLOPS_ASSIGN(const auto digest, crypto::Digest::parse(request.params[0]));
  const auto offset = parse_int(request.query_or("offset", "0"));
  if (!offset || *offset < 0) return fail(ErrorCode::kInvalid, "bad_parameter", "offset must be a number of bytes");
  const auto size = services.content.size_of(digest);
  if (!size) {
    MLOPS_TRY(services.content.open_blob(digest));  // says whether it is absent or damaged
    return fail(ErrorCode::kNotFound, "blob_not_found", "the store has no such blob");
  }
  MLOPS_ASSIGN(const auto chunks,
               services.content.chunks_of(digest, static_cast<std::uint64_t>(*offset), *size + 1, kRecipeChunks));
  constexpr std::size_t kHead = 16;
  constexpr std::size_t kEntry = 36;
  std::string body(kHead + chunks.size() * kEntry, '\0');
  auto* at = reinterpret_cast<std::uint8_t*>(body.data());
  cas::store_le(at, *size);
  cas::store_le(at + 8, static_cast<std::uint32_t>(chunks.size()));
  at += kHead;
  for (const auto& chunk : chunks) {
    std::memcpy(at, chunk.digest.bytes().data(), 32);
    cas::store_le(at + 32, static_cast<std::uint32_t>(chunk.size_bytes));
    at += kEntry;
  }
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
  MLOPS_ASSIGN(const auto body, read_all(request, kWantsMax * cas::kWantBytes));
  if (body.size() % cas::kWantBytes != 0 || body.empty()) return bad_length(cas::kWantBytes);
  std::vector<cas::Want> wants;
  for (std::size_t at = 0; at < body.size(); at += cas::kWantBytes) {
    MLOPS_ASSIGN(const auto want, cas::parse_want(ByteView(body).subspan(at, cas::kWantBytes)));
    wants.push_back(want);
  }
  MLOPS_ASSIGN(auto sender, cas::Sender::prepare(services.content, wants));
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
  routes.insert(
      routes.end(),
      {{Method::kPost, "/api/v1/store/missing", Scope::kArtifactWrite, BodyMode::kStreamed, kQuestionsMax * cas::kQuestionBytes, RunOn::kWorker, "Which of these chunks, nodes and files does the store lack?", bind(missing)},
       {Method::kPost, "/api/v1/store/push", Scope::kArtifactWrite, BodyMode::kStreamed, s.upload_limit_bytes, RunOn::kWorker, "Receive files as chunks; durable when answered.", bind(push)},
       {Method::kGet, "/api/v1/store/recipe/{digest}", Scope::kRead, BodyMode::kNone, 0, RunOn::kWorker, "The chunks that make up a file.", bind(recipe)},
       {Method::kPost, "/api/v1/store/fetch", Scope::kRead, BodyMode::kStreamed, kWantsMax * cas::kWantBytes, RunOn::kWorker, "Pieces of files as chunks.", bind(fetch)}});
}

}  // namespace mlops::api
