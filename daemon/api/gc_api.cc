// Garbage collection: what would go, doing it, why something stays, undoing it.
#include "core/base/text.h"
#include "daemon/api/request.h"
#include "daemon/api/routes.h"

namespace mlops::api {
namespace {

constexpr std::int64_t kLongestS = 200ll * 366 * 86400;

Json to_json(const domain::GcAmount& amount) {
  return {{"objects", amount.objects}, {"bytes", amount.bytes}};
}

Json protections_json(const std::vector<domain::Protection>& protections) {
  Json list = Json::array();
  for (const auto& one : protections) {
    list.push_back({{"kind", to_word(one.kind)}, {"what", one.what}, {"until", time_or_null(one.until_us)}});
  }
  return list;
}

Json deleted_json(const meta::StoredVersion& version) {
  return {{"ref", version.typed_ref()},
          {"deleted_at", time_or_null(version.deleted_at_us)},
          {"deleted_reason", version.deleted_reason}};
}

Json to_json(const domain::GcGroup& group) {
  Json json = {{"dead", to_json(group.dead)}, {"young", to_json(group.young)}};
  switch (group.why) {
    case domain::GcGroup::Why::kDeleted:
      json["why"] = "deleted";
      json.update(deleted_json(group.version));
      break;
    case domain::GcGroup::Why::kMoreDeleted:
      json["why"] = "more_deleted";
      json["versions"] = group.versions;
      break;
    case domain::GcGroup::Why::kUnregistered:
      json["why"] = "unregistered";
      break;
  }
  return json;
}

Json to_json(const domain::GcKept& kept) {
  if (kept.more > 0) return {{"versions", kept.more}, {"amount", to_json(kept.amount)}};
  Json json = deleted_json(kept.deleted.version);
  json["protections"] = protections_json(kept.deleted.protections);
  json["amount"] = to_json(kept.amount);
  json["whole"] = kept.is_whole;
  return json;
}

Json to_json(const domain::GcPlan& plan) {
  Json groups = Json::array();
  for (const auto& group : plan.groups) groups.push_back(to_json(group));
  Json kept = Json::array();
  for (const auto& one : plan.kept) kept.push_back(to_json(one));
  return {{"at", format_rfc3339(plan.at_us)}, {"min_age_s", plan.min_age_s},    {"live", to_json(plan.live)},
          {"dead", to_json(plan.dead)},       {"sparse", to_json(plan.sparse)}, {"young", to_json(plan.young)},
          {"groups", std::move(groups)},      {"kept", std::move(kept)},        {"damaged", plan.damaged}};
}

Json to_json(const cas::TrashRun& trash) {
  return {{"name", trash.name},
          {"moved_at", format_rfc3339(trash.moved_at_us)},
          {"packs", trash.packs},
          {"bytes", trash.bytes}};
}

Json to_json(const domain::GcRunView& view) {
  constexpr JsonLimits kReceiptLimits{.size_bytes = 64u << 20, .nodes = 10'000'000};
  const auto receipt = parse_json(view.row.receipt, kReceiptLimits);
  Json trash = nullptr;
  if (view.trash) {
    trash = to_json(*view.trash);
    trash["swept_after"] = format_rfc3339(view.swept_after_us);
  }
  return {{"id", text_or_null(view.row.id)},
          {"state", view.state},
          {"reason", view.row.reason},
          {"by", view.row.started_by},
          {"started_at", time_or_null(view.row.started_at_us)},
          {"finished_at", time_or_null(view.row.finished_at_us)},
          {"restored_at", time_or_null(view.row.restored_at_us)},
          {"swept_at", time_or_null(view.row.swept_at_us)},
          {"trash", std::move(trash)},
          {"receipt", receipt ? *receipt : Json(nullptr)}};
}

Json to_json(const domain::WhyView& view) {
  Json path = Json::array();
  for (const auto& step : view.path) {
    path.push_back({{"kind", step.kind}, {"name", text_or_null(step.name)}, {"digest", text_or_null(step.digest)}});
  }
  Json deleted = nullptr;
  if (view.deleted) {
    deleted = deleted_json(view.deleted->version);
    deleted["protections"] = protections_json(view.deleted->protections);
  }
  return {{"target", view.target},
          {"kinds", view.kinds},
          {"stored", view.is_stored},
          {"verdict", to_word(view.verdict)},
          {"path", std::move(path)},
          {"deleted", std::move(deleted)},
          {"trash_run", text_or_null(view.trash_run)},
          {"until", time_or_null(view.until_us)}};
}

// Whole seconds from 0 on; absent when the member is.
Result<std::optional<std::int64_t>> seconds_in(const Json& body, const std::string& key) {
  if (!body.contains(key)) return std::optional<std::int64_t>();
  MLOPS_ASSIGN(const auto seconds, optional_int(body, key, 0, 0, kLongestS));
  return std::optional(seconds);
}

Result<Response> plan(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {"min_age_s"}));
  std::optional<std::int64_t> min_age_s;
  if (const auto text = request.query_or("min_age_s", ""); !text.empty()) {
    min_age_s = parse_int(text);
    if (!min_age_s || *min_age_s < 0 || *min_age_s > kLongestS) {
      return fail(ErrorCode::kInvalid, "bad_parameter", "`min_age_s` must be a number of seconds");
    }
  }
  MLOPS_ASSIGN(const auto found, services.gc.plan(min_age_s));
  return Response::json(200, to_json(found));
}

Result<Response> run(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body,
               body_with(request, {"reason", "min_age_s", "grace_s", "despite_damage", "all", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  domain::GcWish wish;
  MLOPS_ASSIGN(wish.min_age_s, seconds_in(body, "min_age_s"));
  MLOPS_ASSIGN(wish.grace_s, seconds_in(body, "grace_s"));
  MLOPS_ASSIGN(wish.reason, require_string(body, "reason"));
  MLOPS_ASSIGN(const bool despite, optional_bool(body, "despite_damage", false));
  MLOPS_ASSIGN(const bool all, optional_bool(body, "all", false));
  wish.thoroughness = all ? cas::Thoroughness::kAll : cas::Thoroughness::kWorthwhile;
  wish.damage = despite ? domain::Damage::kDespite : domain::Damage::kRefuse;
  if (commit == meta::Commit::kDryRun) {
    MLOPS_ASSIGN(const auto found, services.gc.plan(wish.min_age_s));
    return answer(200, to_json(found), commit);
  }
  MLOPS_ASSIGN(const auto outcome, services.gc.run(actor_of(request), wish));
  Json json = to_json(outcome.run);
  json["swept"] = Json::array();
  for (const auto& swept : outcome.swept) json["swept"].push_back(to_json(swept));
  return Response::json(200, json);
}

Result<Response> list_runs(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {"limit", "after"}));
  MLOPS_ASSIGN(const auto limit, limit_of(request));
  meta::GcRunFilter filter;
  filter.after_id = request.query_or("after", "");
  filter.limit = limit + 1;
  MLOPS_ASSIGN(const auto views, services.gc.runs(filter));
  Json items = Json::array();
  for (const auto& view : views) items.push_back(to_json(view));
  return Response::json(200, page(std::move(items), limit, [](const Json& last) { return last.at("id"); }));
}

Result<Response> why(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {"target"}));
  const std::string target(request.query_or("target", ""));
  if (target.empty()) return fail(ErrorCode::kInvalid, "bad_parameter", "`target` must be a digest or a reference");
  MLOPS_ASSIGN(const auto view, services.gc.why(target));
  return Response::json(200, to_json(view));
}

Result<Response> restore(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"run", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  MLOPS_ASSIGN(const auto run_id, require_string(body, "run"));
  MLOPS_ASSIGN(const auto view, services.gc.restore(actor_of(request), run_id, commit));
  return answer(200, to_json(view), commit);
}

}  // namespace

void add_gc_routes(const Services& s, Routes& routes) {
  const auto limit = s.json_limit_bytes;
  const auto bind = [&s](auto handler) {
    return answering([&s, handler](Request& request) { return handler(s, request); });
  };
  routes.insert(routes.end(), {{Method::kGet, "/api/v1/gc/plan", Scope::kRead, BodyMode::kNone, 0, RunOn::kWorker,
                                "What a collection would remove, and why.", bind(plan)},
                               {Method::kPost, "/api/v1/gc/runs", Scope::kStoreAdmin, BodyMode::kBuffered, limit,
                                RunOn::kWorker, "Collect: what nothing keeps goes to the trash.", bind(run)},
                               {Method::kGet, "/api/v1/gc/runs", Scope::kRead, BodyMode::kNone, 0, RunOn::kWorker,
                                "Collections and what of them is in the trash, newest first.", bind(list_runs)},
                               {Method::kGet, "/api/v1/gc/why", Scope::kRead, BodyMode::kNone, 0, RunOn::kWorker,
                                "The path that keeps an object, or that nothing does.", bind(why)},
                               {Method::kPost, "/api/v1/gc/restore", Scope::kStoreAdmin, BodyMode::kBuffered, limit,
                                RunOn::kWorker, "Undo a collection whose bytes are in the trash.", bind(restore)}});
}

}  // namespace mlops::api
