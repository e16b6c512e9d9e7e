// Events: who is told of changes (webhooks), and watching them as they come (server-sent events).
#include <limits>

#include "core/base/text.h"
#include "daemon/api/request.h"
#include "daemon/api/routes.h"
#include "daemon/events/watch.h"

namespace mlops::api {
namespace {

using events::Webhooks;

constexpr std::int64_t kOverlapS = 24 * 3600;

Json to_json(const meta::WebhookRow& row) {
  const auto filter = events::filter_of(row);
  return {{"id", row.id},
          {"name", row.name},
          {"url", row.url},
          {"mode", row.mode},
          {"events", filter.patterns},
          {"subject", row.subject},
          {"environment", row.environment},
          {"state", row.state},
          {"old_secret_until", time_or_null(row.old_secret_until_us)},
          {"created_at", format_rfc3339(row.created_at_us)},
          {"created_by", row.created_by},
          {"changed_at", format_rfc3339(row.changed_at_us)},
          {"changed_by", row.changed_by}};
}

Json to_json(const meta::HeldEvent& held) {
  return {{"seq", held.seq},
          {"subject", held.subject},
          {"attempts", held.attempts},
          {"next_attempt_at", time_or_null(held.next_attempt_at_us)},
          {"last_status", held.last_status},
          {"last_error", held.last_error},
          {"changed_at", time_or_null(held.changed_at_us)}};
}

Json to_json(const events::WebhookView& view) {
  auto json = to_json(view.row);
  json["cursor"] = view.progress.cursor;
  json["lag"] = view.lag;
  json["delivered"] = view.progress.delivered;
  json["failed_attempts"] = view.progress.failed;
  json["resting_until"] = time_or_null(view.progress.resting_until_us);
  json["last_status"] = view.progress.last_status;
  json["last_error"] = view.progress.last_error;
  json["last_attempt_at"] = time_or_null(view.progress.last_attempt_at_us);
  json["last_delivered_at"] = time_or_null(view.progress.last_delivered_at_us);
  json["held"] = view.held.held;
  json["held_lanes"] = view.held.lanes;
  json["dead"] = view.held.dead;
  return json;
}

Json to_json(const events::Issued& issued) {
  auto json = to_json(issued.row);
  json["secret"] = issued.secret;
  return json;
}

Result<Response> list_webhooks(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {}));
  MLOPS_ASSIGN(const auto views, services.webhooks.list());
  Json items = Json::array();
  for (const auto& view : views) items.push_back(to_json(view));
  return Response::json(200, whole(std::move(items)));
}

Result<Response> show_webhook(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {}));
  MLOPS_ASSIGN(const auto view, services.webhooks.get(request.params[0]));
  auto json = to_json(view);
  json["lanes"] = Json::array();
  for (const auto& held : view.lanes) json["lanes"].push_back(to_json(held));
  return Response::json(200, json);
}

Result<Response> add_webhook(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body,
               body_with(request, {"name", "url", "mode", "events", "subject", "environment", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  events::NewWebhook wanted;
  MLOPS_ASSIGN(wanted.name, require_string(body, "name"));
  MLOPS_ASSIGN(wanted.url, require_string(body, "url"));
  MLOPS_ASSIGN(const auto mode, optional_string(body, "mode", "structured"));
  const auto known_mode = events::mode_from_word(mode);
  if (!known_mode) return fail(ErrorCode::kInvalid, "bad_field", "\"mode\" must be structured or binary");
  wanted.mode = *known_mode;
  MLOPS_ASSIGN(const auto patterns, string_list(body, "events"));
  MLOPS_ASSIGN(wanted.filter.patterns, events::parse_patterns(patterns));
  MLOPS_ASSIGN(wanted.filter.subject, optional_string(body, "subject"));
  MLOPS_ASSIGN(wanted.filter.environment, optional_string(body, "environment"));
  MLOPS_ASSIGN(const auto issued, services.webhooks.add(actor_of(request), wanted, commit));
  return answer(201, to_json(issued), commit);
}

Result<Response> change(const Services& services, Request& request, Webhooks::Change change) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"reason", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  MLOPS_ASSIGN(const auto reason, optional_string(body, "reason"));
  MLOPS_ASSIGN(const auto row, services.webhooks.change(actor_of(request), request.params[0], change, reason, commit));
  return answer(200, to_json(row), commit);
}

Result<Response> pause(const Services& services, Request& request) {
  return change(services, request, Webhooks::Change::kPause);
}

Result<Response> resume(const Services& services, Request& request) {
  return change(services, request, Webhooks::Change::kResume);
}

Result<Response> remove(const Services& services, Request& request) {
  auto commit = meta::Commit::kKeep;
  if (!request.body.empty()) {
    MLOPS_ASSIGN(const auto body, body_with(request, {"dry_run"}));
    MLOPS_ASSIGN(commit, commit_of(body));
  }
  MLOPS_ASSIGN(const auto row, services.webhooks.remove(actor_of(request), request.params[0], commit));
  return answer(200, to_json(row), commit);
}

Result<Response> rotate(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"overlap_s", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  MLOPS_ASSIGN(const auto overlap_s, optional_int(body, "overlap_s", kOverlapS, 0, 30 * kOverlapS));
  MLOPS_ASSIGN(const auto issued,
               services.webhooks.rotate_secret(actor_of(request), request.params[0], overlap_s, commit));
  return answer(200, to_json(issued), commit);
}

Result<Response> test(const Services& services, Request& request) {
  MLOPS_TRY(body_with(request, {}));
  MLOPS_ASSIGN(const auto attempt, services.webhooks.test(request.params[0]));
  return Response::json(200, {{"delivered", attempt.outcome == events::Outcome::kDelivered},
                              {"status", attempt.status},
                              {"error", attempt.error}});
}

Result<Response> dead_letters(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {"limit", "after"}));
  MLOPS_ASSIGN(const auto limit, limit_of(request));
  const auto after = parse_int(request.query_or("after", "0"));
  if (!after || *after < 0) return fail(ErrorCode::kInvalid, "bad_parameter", "`after` must be an event's number");
  MLOPS_ASSIGN(const auto letters, services.webhooks.dead_letters(request.params[0], *after, limit + 1));
  Json items = Json::array();
  for (const auto& letter : letters) {
    auto item = to_json(letter.held);
    item["type"] = events::type_of(letter.event);
    item["target"] = letter.event.target;
    item["at"] = letter.event.at;
    items.push_back(std::move(item));
  }
  return Response::json(200, page(std::move(items), limit,
                                  [](const Json& last) { return std::to_string(last.at("seq").get<std::int64_t>()); }));
}

// A number, or a moment: what was before it is not meant. Absent: null.
Result<std::optional<std::int64_t>> since(const Services& services, const std::string& text) {
  using Since = std::optional<std::int64_t>;
  if (text.empty()) return Since();
  if (const auto seq = parse_int(text)) return Since(std::max<std::int64_t>(*seq - 1, 0));
  MLOPS_ASSIGN(const auto at_us, parse_rfc3339(text));
  MLOPS_ASSIGN(const auto before, services.store.read<std::int64_t>([&](sql::Connection& connection) {
    return meta::seq_before(connection, at_us);
  }));
  return Since(before);
}

Result<Response> redeliver(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"event", "since", "all", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  events::Redelivery what;
  MLOPS_ASSIGN(const auto seq, optional_int(body, "event", 0, 0, std::numeric_limits<std::int64_t>::max()));
  MLOPS_ASSIGN(const auto from, optional_string(body, "since"));
  MLOPS_ASSIGN(const bool all, optional_bool(body, "all", false));
  if (body.contains("event")) what.seq = seq;
  MLOPS_ASSIGN(what.after, since(services, from));
  if (int{what.seq.has_value()} + int{what.after.has_value()} + int{all} != 1) {
    return fail(ErrorCode::kInvalid, "bad_field", "one of `event`, `since` and `all` says what goes out again");
  }
  MLOPS_ASSIGN(const auto count, services.webhooks.redeliver(actor_of(request), request.params[0], what, commit));
  return answer(200, {{"count", count}}, commit);
}

class WatchSource final : public http::EventSource {
 public:
  explicit WatchSource(events::Watch watch) : watch_(std::move(watch)) {}
  bool is_due() override { return watch_.is_due(); }
  Result<std::string> next() override { return watch_.next(); }

 private:
  events::Watch watch_;
};

// Last-Event-ID, `after` (both: what was seen already) or `since`; without them what comes from now on.
Result<std::int64_t> watch_after(const Services& services, const Request& request) {
  const auto header = request.headers.find("last-event-id");
  const std::string seen =
      header != request.headers.end() ? header->second : std::string(request.query_or("after", ""));
  if (!seen.empty()) {
    const auto seq = parse_int(seen);
    if (!seq || *seq < 0) return fail(ErrorCode::kInvalid, "bad_parameter", "an event is named by its number");
    return *seq;
  }
  MLOPS_ASSIGN(const auto from, since(services, std::string(request.query_or("since", ""))));
  if (from) return *from;
  return services.store.read<std::int64_t>(meta::last_seq);
}

Result<Response> watch(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {"type", "subject", "environment", "after", "since", "heartbeat"}));
  events::WatchOptions options;
  const std::string types(request.query_or("type", ""));
  if (!types.empty()) {
    MLOPS_ASSIGN(options.filter.patterns, events::parse_patterns({types}));
  }
  options.filter.subject = request.query_or("subject", "");
  options.filter.environment = request.query_or("environment", "");
  const auto heartbeat_s = parse_int(request.query_or("heartbeat", "10"));
  if (!heartbeat_s || *heartbeat_s < 1 || *heartbeat_s > 60) {
    return fail(ErrorCode::kInvalid, "bad_parameter", "`heartbeat` must be a number of seconds from 1 to 60");
  }
  options.heartbeat = std::chrono::seconds(*heartbeat_s);
  MLOPS_ASSIGN(options.after_seq, watch_after(services, request));
  options.principal = request.principal;
  options.source = services.event_source;
  options.is_still_allowed = [&identity = services.identity, token = request.principal.token_id] {
    return identity.is_live(token);
  };
  MLOPS_ASSIGN(auto seat, services.watch_seats.take());
  Response response;
  response.content_type = "text/event-stream";
  response.headers = {{"X-Accel-Buffering", "no"}};
  response.events = std::make_unique<WatchSource>(events::Watch(services.store, std::move(options), std::move(seat)));
  return response;
}

}  // namespace

void add_event_routes(const Services& s, Routes& routes) {
  const auto limit = s.json_limit_bytes;
  const auto bind = [&s](auto handler) {
    return answering([&s, handler](Request& request) { return handler(s, request); });
  };
  const auto admin = Scope::kWebhookAdmin;
  routes.insert(routes.end(), {{Method::kGet, "/api/v1/events", Scope::kRead, BodyMode::kNone, 0, RunOn::kWorker,
                                "Events as they come (text/event-stream).", bind(watch)},
                               {Method::kGet, "/api/v1/webhooks", admin, BodyMode::kNone, 0, RunOn::kWorker,
                                "Receivers of events, and how far each has got.", bind(list_webhooks)},
                               {Method::kPost, "/api/v1/webhooks", admin, BodyMode::kBuffered, limit, RunOn::kWorker,
                                "Add a receiver; its secret is shown this once.", bind(add_webhook)},
                               {Method::kGet, "/api/v1/webhooks/{name}", admin, BodyMode::kNone, 0, RunOn::kWorker,
                                "One receiver, with what it has not taken.", bind(show_webhook)},
                               {Method::kDelete, "/api/v1/webhooks/{name}", admin, BodyMode::kBuffered, limit,
                                RunOn::kWorker, "Remove a receiver.", bind(remove)},
                               {Method::kPost, "/api/v1/webhooks/{name}/pause", admin, BodyMode::kBuffered, limit,
                                RunOn::kWorker, "Send nothing for now; nothing is lost.", bind(pause)},
                               {Method::kPost, "/api/v1/webhooks/{name}/resume", admin, BodyMode::kBuffered, limit,
                                RunOn::kWorker, "Go on, at once.", bind(resume)},
                               {Method::kPost, "/api/v1/webhooks/{name}/rotate", admin, BodyMode::kBuffered, limit,
                                RunOn::kWorker, "A new secret; the old one signs too for a while.", bind(rotate)},
                               {Method::kPost, "/api/v1/webhooks/{name}/test", admin, BodyMode::kBuffered, limit,
                                RunOn::kWorker, "Send one test event now.", bind(test)},
                               {Method::kGet, "/api/v1/webhooks/{name}/dead", admin, BodyMode::kNone, 0, RunOn::kWorker,
                                "Events that were given up.", bind(dead_letters)},
                               {Method::kPost, "/api/v1/webhooks/{name}/redeliver", admin, BodyMode::kBuffered, limit,
                                RunOn::kWorker, "Send events again.", bind(redeliver)}});
}

}  // namespace mlops::api
