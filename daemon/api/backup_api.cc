// Backups: a session that holds one consistent state still, and the bytes of its items.
#include <fmt/format.h>

#include "core/base/build_info.h"
#include "core/base/text.h"
#include "daemon/api/request.h"
#include "daemon/api/routes.h"
#include "daemon/domain/backup.h"

namespace mlops::api {
namespace {

constexpr std::int64_t kAnyNumber = std::int64_t{1} << 62;

Json item_json(const domain::BackupItem& item) {
  Json out = {{"name", item.name}, {"size_bytes", item.size_bytes}};
  if (item.created_at_us) out["created_at"] = format_rfc3339(*item.created_at_us);
  if (item.digest) out["digest"] = item.digest->to_string();
  return out;
}

Result<Response> start(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"continues"}));
  std::optional<domain::AuditHead> continues;
  if (const auto known = body.find("continues"); known != body.end()) {
    if (!known->is_object()) return fail(ErrorCode::kInvalid, "bad_field", "\"continues\" must be an object");
    MLOPS_TRY(only_known_fields(*known, {"entries", "head"}));
    continues.emplace();
    MLOPS_ASSIGN(continues->entries, optional_int(*known, "entries", 0, 1, kAnyNumber));
    MLOPS_ASSIGN(continues->hash, require_string(*known, "head"));
  }
  MLOPS_ASSIGN(const auto state, services.backups.start(actor_of(request), continues));
  Json items = Json::array();
  for (const auto& item : state.items) items.push_back(item_json(item));
  return Response::json(201, {{"id", state.id},
                              {"at", format_rfc3339(state.at_us)},
                              {"server", fmt::format("mlopsd {} ({})", kVersion, kCommit)},
                              {"audit", {{"entries", state.audit.entries}, {"head", state.audit.hash}}},
                              {"items", std::move(items)}});
}

class ItemBody : public http::BodySource {
 public:
  ItemBody(std::unique_ptr<domain::Backups::ItemReader> reader, std::uint64_t begin, std::uint64_t end)
      : reader_(std::move(reader)), offset_(begin), end_(end), size_bytes_(end - begin) {}
  std::uint64_t size_bytes() const override { return size_bytes_; }
  Result<std::size_t> read(std::span<std::uint8_t> into) override {
    const auto want = std::min<std::uint64_t>(into.size(), end_ - offset_);
    MLOPS_ASSIGN(const std::size_t count, reader_->read_at(offset_, into.first(want)));
    if (count == 0 && want != 0) return fail(ErrorCode::kCorrupt, "pack_damaged", "a pack is shorter than it was");
    offset_ += count;
    return count;
  }

 private:
  std::unique_ptr<domain::Backups::ItemReader> reader_;
  std::uint64_t offset_;
  const std::uint64_t end_;
  const std::uint64_t size_bytes_;
};

Result<std::uint64_t> place_param(const Request& request, const std::string& name, std::uint64_t fallback,
                                  std::uint64_t max) {
  const auto text = request.query_or(name, "");
  if (text.empty()) return fallback;
  const auto value = parse_int(text);
  if (value && *value >= 0 && static_cast<std::uint64_t>(*value) <= max) return static_cast<std::uint64_t>(*value);
  return fail(ErrorCode::kInvalid, "bad_parameter", fmt::format("\"{}\" must be from 0 to {}", name, max));
}

Result<Response> item(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {"offset", "end"}));
  MLOPS_ASSIGN(auto reader, services.backups.open_item(request.params[0], request.params[1]));
  const auto size = reader->size_bytes();
  MLOPS_ASSIGN(const auto end, place_param(request, "end", size, size));
  MLOPS_ASSIGN(const auto begin, place_param(request, "offset", 0, end));
  Response response;
  response.content_type = "application/octet-stream";
  response.headers = {{"Content-Disposition", "attachment"}};
  response.source = std::make_unique<ItemBody>(std::move(reader), begin, end);
  return response;
}

Result<Response> end(const Services& services, Request& request) {
  MLOPS_TRY(services.backups.end(request.params[0]));
  return Response::json(200, {{"id", request.params[0]}, {"ended", true}});
}

}  // namespace

void add_backup_routes(const Services& s, Routes& routes) {
  const auto bind = [&s](auto handler) {
    return answering([&s, handler](Request& request) { return handler(s, request); });
  };
  routes.insert(routes.end(),
                {{Method::kPost, "/api/v1/backups", Scope::kStoreAdmin, BodyMode::kBuffered, s.json_limit_bytes,
                  RunOn::kWorker, "Hold a consistent state still to copy it away.", bind(start)},
                 {Method::kGet, "/api/v1/backups/{id}/items/{name}", Scope::kStoreAdmin, BodyMode::kNone, 0,
                  RunOn::kWorker, "Bytes of a backup's item, from offset to end.", bind(item)},
                 {Method::kDelete, "/api/v1/backups/{id}", Scope::kStoreAdmin, BodyMode::kNone, 0, RunOn::kWorker,
                  "End a backup.", bind(end)}});
}

}  // namespace mlops::api
