// Bytes in and out: what is missing, streaming uploads, streaming downloads with one range.
#include <fmt/format.h>

#include <vector>

#include "core/base/text.h"
#include "daemon/api/request.h"
#include "daemon/api/routes.h"
#include "daemon/domain/file_transfer.h"
#include "daemon/domain/viewer.h"

namespace mlops::api {
namespace {

constexpr std::size_t kAskLimit = 10'000;

Result<Response> missing(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"blobs"}));
  if (!body.contains("blobs") || !body.at("blobs").is_array()) {
    return fail(ErrorCode::kInvalid, "missing_field", "\"blobs\" must be a list");
  }
  const auto& blobs = body.at("blobs");
  if (blobs.size() > kAskLimit) {
    return fail(ErrorCode::kExhausted, "too_many_entries", fmt::format("more than {} blobs in one question", kAskLimit),
                "ask in batches");
  }
  const auto viewer = domain::viewer_of(request.principal);
  Json out = Json::array();
  for (const auto& blob : blobs) {
    if (!blob.is_object()) return fail(ErrorCode::kInvalid, "bad_field", "\"blobs\" must be a list of objects");
    MLOPS_TRY(only_known_fields(blob, {"digest", "size_bytes"}));
    MLOPS_ASSIGN(const auto text, require_string(blob, "digest"));
    MLOPS_ASSIGN(const auto digest, crypto::Digest::parse(text));
    MLOPS_ASSIGN(const auto size, optional_int(blob, "size_bytes", -1, 0, std::int64_t{1} << 62));
    if (size < 0) return fail(ErrorCode::kInvalid, "missing_field", "a blob needs its size_bytes");
    if (services.content.has(digest, static_cast<std::uint64_t>(size), viewer)) {
      services.content.lease(digest);
    } else {
      out.push_back(text);
    }
  }
  return Response::json(200, {{"missing", std::move(out)}});
}

Result<Response> upload(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {"digest"}));
  std::optional<crypto::Digest> expected;
  if (const auto text = request.query_or("digest", ""); !text.empty()) {
    MLOPS_ASSIGN(expected, crypto::Digest::parse(text));
  }
  const cas::StreamRead read = [&](std::span<std::uint8_t> into) { return request.stream->read(into); };
  MLOPS_ASSIGN(const auto received,
               domain::FileTransfer(services.content).receive_plain(read, request.principal, expected));
  return Response::json(201, {{"digest", received.file.digest.to_string()},
                              {"size_bytes", received.file.size_bytes},
                              {"new_bytes", received.new_bytes}});
}

class BlobBody : public http::BodySource {
 public:
  BlobBody(std::unique_ptr<blob::BlobReader> reader, std::uint64_t begin, std::uint64_t end)
      : reader_(std::move(reader)), offset_(begin), end_(end), size_bytes_(end - begin) {}
  std::uint64_t size_bytes() const override { return size_bytes_; }
  Result<std::size_t> read(std::span<std::uint8_t> into) override {
    const auto want = std::min<std::uint64_t>(into.size(), end_ - offset_);
    MLOPS_ASSIGN(const std::size_t count, reader_->read_at(offset_, into.first(want)));
    if (count == 0 && want != 0) return fail(ErrorCode::kCorrupt, "blob_damaged", "a blob is shorter than it was");
    offset_ += count;
    return count;
  }

 private:
  std::unique_ptr<blob::BlobReader> reader_;
  std::uint64_t offset_;
  const std::uint64_t end_;
  const std::uint64_t size_bytes_;
};

struct Range {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;  // one past the last byte
};

// "bytes=a-b", "bytes=a-", "bytes=-n": one range only (RFC 9110 section 14.1.2). nullopt: not satisfiable.
std::optional<Range> parse_range(std::string_view text, std::uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  if (!text.starts_with(kUnit) || size == 0) return std::nullopt;
  text.remove_prefix(kUnit.size());
  const auto dash = text.find('-');
  if (dash == std::string_view::npos || text.find(',') != std::string_view::npos) return std::nullopt;
  const auto first = parse_int(text.substr(0, dash));
  const auto last = parse_int(text.substr(dash + 1));
  if (dash == 0) {
    if (!last || *last <= 0) return std::nullopt;
    return Range{size - std::min<std::uint64_t>(static_cast<std::uint64_t>(*last), size), size};
  }
  if (!first || *first < 0 || static_cast<std::uint64_t>(*first) >= size) return std::nullopt;
  if (dash + 1 == text.size()) return Range{static_cast<std::uint64_t>(*first), size};
  if (!last || *last < *first) return std::nullopt;
  return Range{static_cast<std::uint64_t>(*first),
               std::min<std::uint64_t>(static_cast<std::uint64_t>(*last) + 1, size)};
}

Result<Response> download(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {}));
  MLOPS_ASSIGN(const auto digest, crypto::Digest::parse(request.params[0]));
  MLOPS_TRY(services.clearance.check(request.principal, {digest}));
  MLOPS_ASSIGN(auto reader, services.content.open_blob(digest));
  const auto size = reader->size_bytes();
  Response response;
  response.content_type = "application/octet-stream";
  response.headers = {{"Content-Disposition", "attachment"},
                      {"Accept-Ranges", "bytes"},
                      {"ETag", fmt::format("\"{}\"", digest.to_string())}};
  Range range{0, size};
  if (const auto it = request.headers.find("range"); it != request.headers.end()) {
    const auto asked = parse_range(it->second, size);
    if (!asked) {
      auto refused = http::problem(
          {ErrorCode::kInvalid, "bad_range", "the range cannot be served", "ask for one range inside the blob", {}},
          request.origin.request_id);
      refused.status = 416;
      refused.headers.emplace_back("Content-Range", fmt::format("bytes */{}", size));
      return refused;
    }
    range = *asked;
    response.status = 206;
    response.headers.emplace_back("Content-Range", fmt::format("bytes {}-{}/{}", range.begin, range.end - 1, size));
  }
  response.source = std::make_unique<BlobBody>(std::move(reader), range.begin, range.end);
  return response;
}

}  // namespace

void add_blob_routes(const Services& s, Routes& routes) {
  const auto bind = [&s](auto handler) {
    return answering([&s, handler](Request& request) { return handler(s, request); });
  };
  routes.insert(routes.end(),
                {{Method::kPost, "/api/v1/blobs/missing", Scope::kArtifactWrite, BodyMode::kBuffered,
                  s.json_limit_bytes, RunOn::kWorker, "Which of these blobs does the store lack?", bind(missing)},
                 {Method::kPost, "/api/v1/blobs", Scope::kArtifactWrite, BodyMode::kStreamed, s.upload_limit_bytes,
                  RunOn::kWorker, "Upload one blob; durable when answered.", bind(upload)},
                 {Method::kGet, "/api/v1/blobs/{digest}", Scope::kRead, BodyMode::kNone, 0, RunOn::kWorker,
                  "The bytes of a blob, whole or one range.", bind(download)}});
}

}  // namespace mlops::api
