// Subject keys, erasures, decisions about models. The person's id arrives in one body and goes no further.
#include "core/wire/erasure_json.h"
#include "daemon/api/request.h"
#include "daemon/api/routes.h"

namespace mlops::api {
namespace {

Json to_json(const meta::SubjectKeyRow& key) {
  return {{"name", key.name},
          {"kind", to_word(key.kind)},
          {"column", key.column},
          {"namespace", key.name_space},
          {"set_at", format_rfc3339(key.valid_from_us)},
          {"set_by", key.set_by}};
}

Json to_json(const domain::ErasureView::Item& item) {
  const auto detail = parse_json(item.row.detail);
  return {{"ref", item.ref},
          {"action", to_word(item.row.action)},
          {"state", item.row.state},
          {"replacement", text_or_null(item.replacement_ref)},
          {"settled_by", text_or_null(item.row.settled_by)},
          {"settled_at", time_or_null(item.row.settled_at_us)},
          {"detail", detail ? *detail : Json::object()}};
}

Json to_json(const domain::ErasureView& view) {
  Json approvals = Json::array();
  for (const auto& one : view.approvals) {
    approvals.push_back(
        {{"by", one.by}, {"decision", one.decision}, {"reason", one.reason}, {"at", format_rfc3339(one.at_us)}});
  }
  Json items = Json::array();
  for (const auto& item : view.items) items.push_back(to_json(item));
  Json json = {{"id", view.row.id},
               {"state", view.state},
               {"digest", view.row.digest},
               {"reason", view.row.reason},
               {"requested_by", view.row.requested_by},
               {"requested_at", format_rfc3339(view.row.created_at_us)},
               {"expires_at", format_rfc3339(view.row.expires_at_us)},
               {"approvals", std::move(approvals)},
               {"approvals_counted", view.approvals_counted},
               {"approvals_needed", view.row.approvals_needed},
               {"applied_by", text_or_null(view.row.applied_by)},
               {"started_at", time_or_null(view.row.started_at_us)},
               {"finished_at", time_or_null(view.row.finished_at_us)},
               {"items", std::move(items)}};
  json.update(wire::to_json(view.plan));
  return json;
}

Result<Response> list_keys(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {}));
  MLOPS_ASSIGN(const auto keys, services.erasure.keys());
  Json items = Json::array();
  for (const auto& key : keys) items.push_back(to_json(key));
  return Response::json(200, whole(std::move(items)));
}

Result<Response> set_key(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"name", "column", "namespace", "pseudonyms_of", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  domain::SubjectKeyWish wish;
  MLOPS_ASSIGN(wish.name, require_string(body, "name"));
  MLOPS_ASSIGN(wish.column, require_string(body, "column"));
  MLOPS_ASSIGN(wish.name_space, optional_string(body, "namespace"));
  MLOPS_ASSIGN(wish.pseudonyms_of, optional_string(body, "pseudonyms_of"));
  MLOPS_ASSIGN(const auto key, services.erasure.set_key(actor_of(request), wish, commit));
  return answer(200, to_json(key), commit);
}

Result<Response> remove_key(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"name", "column", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  MLOPS_ASSIGN(const auto name, require_string(body, "name"));
  MLOPS_ASSIGN(const auto column, require_string(body, "column"));
  MLOPS_ASSIGN(const auto key, services.erasure.remove_key(actor_of(request), name, column, commit));
  return answer(200, to_json(key), commit);
}

Result<Response> build_index(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"ref"}));
  MLOPS_ASSIGN(const auto ref, require_string(body, "ref"));
  MLOPS_ASSIGN(const auto indexed, services.erasure.build_index(ref));
  return Response::json(200, {{"ref", indexed.ref}, {"columns", indexed.columns}, {"subjects", indexed.subjects}});
}

Result<Response> plan(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"subject", "namespace", "reason", "shred"}));
  domain::ErasureWish wish;
  MLOPS_ASSIGN(wish.ids, string_list(body, "subject"));
  MLOPS_ASSIGN(wish.name_space, optional_string(body, "namespace"));
  MLOPS_ASSIGN(wish.reason, require_string(body, "reason"));
  MLOPS_ASSIGN(const bool shred, optional_bool(body, "shred", false));
  wish.mode = shred ? domain::ErasureWish::Mode::kShred : domain::ErasureWish::Mode::kRewrite;
  MLOPS_ASSIGN(const auto view, services.erasure.plan(actor_of(request), wish));
  return answer(201, to_json(view));
}

Result<Response> list(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {"limit", "after"}));
  MLOPS_ASSIGN(const auto limit, limit_of(request));
  meta::ErasureFilter filter;
  filter.after_id = request.query_or("after", "");
  filter.limit = limit + 1;
  MLOPS_ASSIGN(const auto views, services.erasure.list(filter));
  Json items = Json::array();
  for (const auto& view : views) items.push_back(to_json(view));
  return Response::json(200, page(std::move(items), limit, [](const Json& last) { return last.at("id"); }));
}

Result<Response> show(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {}));
  MLOPS_ASSIGN(const auto view, services.erasure.get(request.params[0]));
  return Response::json(200, to_json(view));
}

Result<Response> say(const Services& services, Request& request, domain::Erasure::Word word) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"reason", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  MLOPS_ASSIGN(const auto reason, require_string(body, "reason"));
  MLOPS_ASSIGN(const auto view, services.erasure.say(actor_of(request), request.params[0], word, reason, commit));
  return answer(200, to_json(view), commit);
}

Result<Response> approve(const Services& services, Request& request) {
  return say(services, request, domain::Erasure::Word::kApprove);
}

Result<Response> reject(const Services& services, Request& request) {
  return say(services, request, domain::Erasure::Word::kReject);
}

Result<Response> apply(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  MLOPS_ASSIGN(const auto view, services.erasure.apply(actor_of(request), request.params[0], commit));
  return answer(200, to_json(view), commit);
}

Result<Response> receipt(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {}));
  MLOPS_ASSIGN(const auto found, services.erasure.receipt(request.params[0]));
  return Response::json(
      200, {{"receipt", found.receipt}, {"digest", found.digest}, {"seal", found.seal}, {"sound", found.is_sound}});
}

Result<Response> decide(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"ref", "kind", "detail", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  domain::ErasureDecision decision;
  MLOPS_ASSIGN(decision.ref, require_string(body, "ref"));
  MLOPS_ASSIGN(decision.detail, require_string(body, "detail"));
  MLOPS_ASSIGN(const auto kind, require_string(body, "kind"));
  using Kind = domain::ErasureDecision::Kind;
  for (const auto one : {Kind::kRetrained, Kind::kAssessed, Kind::kAccepted}) {
    if (to_word(one) != kind) continue;
    decision.kind = one;
    MLOPS_ASSIGN(const auto settled, services.erasure.decide(actor_of(request), decision, commit));
    Json items = Json::array();
    for (const auto& item : settled) {
      auto json = to_json(item);
      json["erasure"] = item.row.erasure_id;
      items.push_back(std::move(json));
    }
    return answer(200, whole(std::move(items)), commit);
  }
  return fail(ErrorCode::kInvalid, "bad_decision", "`kind` is retrained, assessed or accepted");
}

}  // namespace

void add_erasure_routes(const Services& s, Routes& routes) {
  const auto limit = s.json_limit_bytes;
  const auto bind = [&s](auto handler) {
    return answering([&s, handler](Request& request) { return handler(s, request); });
  };
  const auto row = [&](Method method, std::string_view path, Scope scope, std::string_view summary, auto handler) {
    const bool has_body = method != Method::kGet;
    return http::Route{
        method,         path,    scope,        has_body ? BodyMode::kBuffered : BodyMode::kNone, has_body ? limit : 0,
        RunOn::kWorker, summary, bind(handler)};
  };
  constexpr auto kRead = Scope::kRead;
  constexpr auto kWrite = Scope::kErasureWrite;
  constexpr auto kApprove = Scope::kErasureApprove;
  routes.insert(
      routes.end(),
      {row(Method::kGet, "/api/v1/subject-keys", kRead, "Which columns hold people's ids.", list_keys),
       row(Method::kPut, "/api/v1/subject-keys", kWrite, "Say which column of an artifact holds people's ids.",
           set_key),
       row(Method::kDelete, "/api/v1/subject-keys", kWrite, "Take that back.", remove_key),
       row(Method::kPost, "/api/v1/subject-index", kWrite, "Build a version's index of people anew.", build_index),
       row(Method::kPost, "/api/v1/erasures", kWrite, "Find a person and plan what each version needs.", plan),
       row(Method::kGet, "/api/v1/erasures", kRead, "Erasures, newest first.", list),
       row(Method::kGet, "/api/v1/erasures/{id}", kRead, "One erasure: plan, approvals, what became of each version.",
           show),
       row(Method::kPost, "/api/v1/erasures/{id}/approve", kApprove, "Approve an erasure's plan.", approve),
       row(Method::kPost, "/api/v1/erasures/{id}/reject", kApprove, "Reject an erasure's plan.", reject),
       row(Method::kPost, "/api/v1/erasures/{id}/apply", kWrite, "Erase, or go on with it.", apply),
       row(Method::kGet, "/api/v1/erasures/{id}/receipt", kRead, "The receipt of an erasure that is done.", receipt),
       row(Method::kPost, "/api/v1/erasure-decisions", kApprove, "Decide about what was made from erased records.",
           decide)});
}

}  // namespace mlops::api
