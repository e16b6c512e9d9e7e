// Environments and policies as declared.
#include <algorithm>
#include <optional>
#include <set>

#include "core/base/text.h"
#include "core/model/names.h"
#include "core/model/selector.h"
#include "core/wire/views_json.h"
#include "daemon/api/request.h"
#include "daemon/api/routes.h"
#include "storage/meta/sources.h"

namespace mlops::api {
namespace {

Json environment_json(const domain::EnvironmentRevision& revision) {
  auto json = model::to_json(revision.environment);
  json["revision"] = revision.row.revision;
  json["digest"] = revision.row.digest;
  json["applied_at"] = format_rfc3339(revision.row.valid_from_us);
  json["applied_by"] = revision.row.applied_by;
  return json;
}

Json policy_json(const domain::PolicyRevision& revision) {
  return {{"name", revision.row.name},
          {"version", revision.policy.version()},
          {"revision", revision.row.revision},
          {"digest", revision.row.digest},
          {"pack", false},
          {"masks", revision.policy.masks()},
          {"gates", revision.policy.gate_ids()},
          {"applied_at", format_rfc3339(revision.row.valid_from_us)},
          {"applied_by", revision.row.applied_by}};
}

// The commit that a revision came from; null when it was applied by hand.
Result<Json> source_of(const Services& services, const std::string& revision_id) {
  return services.store.read<Json>([&](sql::Connection& connection) -> Result<Json> {
    MLOPS_ASSIGN(const auto source, meta::source_of_revision(connection, revision_id));
    if (!source) return Json(nullptr);
    return Json{{"name", source->source},
                {"repository", source->repository},
                {"commit", source->commit},
                {"path", source->path}};
  });
}

Json pack_json(const policy::PackInfo& pack) {
  return {{"name", pack.name},
          {"version", nullptr},
          {"revision", nullptr},
          {"digest", crypto::sha256(pack.yaml).to_string()},
          {"pack", true},
          {"masks", true},
          {"gates", Json::array()},
          {"applied_at", nullptr},
          {"applied_by", "built-in"}};
}

Json change_json(const meta::Applied& applied) {
  return {{"name", applied.row.name},
          {"change", to_word(applied.change)},
          {"revision", applied.row.revision},
          {"digest", applied.row.digest}};
}

// What an environment's revision changes, field by field; null where a field was or is not there.
Result<Json> changed_fields(const meta::Applied& applied) {
  Json fields = Json::array();
  if (applied.change != meta::Change::kUpdated) return fields;
  MLOPS_ASSIGN(const Json before, parse_json(applied.previous_body));
  MLOPS_ASSIGN(const Json after, parse_json(applied.row.body));
  const auto of = [](const Json& json, const std::string& key) {
    return json.contains(key) ? json.at(key) : Json(nullptr);
  };
  std::set<std::string> keys;
  for (const auto& [key, value] : before.items()) keys.insert(key);
  for (const auto& [key, value] : after.items()) keys.insert(key);
  for (const auto& key : keys) {
    if (of(before, key) != of(after, key))
      fields.push_back({{"field", key}, {"a", of(before, key)}, {"b", of(after, key)}});
  }
  return fields;
}

struct Declared {
  std::string yaml;
  std::string origin;
  meta::Commit commit = meta::Commit::kKeep;
  std::optional<std::string> override_reason;  // to change by hand what a Git source owns
};

Result<Declared> read_declared(const Json& body, const std::string& default_origin) {
  Declared declared;
  MLOPS_ASSIGN(declared.yaml, require_string(body, "yaml"));
  MLOPS_ASSIGN(declared.origin, optional_string(body, "origin", default_origin));
  MLOPS_ASSIGN(declared.commit, commit_of(body));
  MLOPS_ASSIGN(const bool overrides, optional_bool(body, "override", false));
  MLOPS_ASSIGN(const auto reason, optional_string(body, "reason"));
  if (overrides && trim(reason).empty()) {
    return fail(ErrorCode::kInvalid, "reason_needed", "an override needs a reason", "give --reason");
  }
  MLOPS_TRY(model::check_free_text(reason, "reason"));
  if (overrides) declared.override_reason = reason;
  // The origin only names the text in messages; it is kept as a file's base name and never opened.
  const auto slash = declared.origin.find_last_of('/');
  if (slash != std::string::npos) declared.origin.erase(0, slash + 1);
  if (declared.origin.empty() || declared.origin.size() > 120) declared.origin = default_origin;
  return declared;
}

// Those a selector chooses, in promotion order.
Result<std::vector<domain::EnvironmentRevision>> matching(const std::vector<domain::EnvironmentRevision>& all,
                                                          const std::string& selector) {
  std::vector<model::Environment> environments;
  for (const auto& revision : all) environments.push_back(revision.environment);
  MLOPS_ASSIGN(const auto chosen, model::select_environments(environments, selector));
  std::vector<domain::EnvironmentRevision> out;
  for (const auto& environment : chosen) {
    out.push_back(*std::find_if(all.begin(), all.end(), [&](const auto& r) { return r.row.name == environment.name; }));
  }
  return out;
}

Result<Response> list_environments(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {"as_of", "match"}));
  MLOPS_ASSIGN(const auto time, as_of(request));
  MLOPS_ASSIGN(auto revisions, services.compliance.environments(time));
  if (const auto selector = request.query_or("match", ""); !selector.empty()) {
    MLOPS_ASSIGN(revisions, matching(revisions, std::string(selector)));
  }
  Json items = Json::array();
  for (const auto& revision : revisions) items.push_back(environment_json(revision));
  return Response::json(200, whole(std::move(items)));
}

Result<Response> show_environment(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {"as_of"}));
  MLOPS_ASSIGN(const auto time, as_of(request));
  const auto& name = request.params[0];
  MLOPS_ASSIGN(const auto revision, services.store.read<domain::EnvironmentRevision>([&](sql::Connection& connection) {
    return services.compliance.environment(connection, name, time);
  }));
  MLOPS_ASSIGN(const auto running, services.promotion.deployments(
                                       {.environment = name, .running_only = true, .as_of_us = time, .limit = 1000}));
  auto json = environment_json(revision);
  MLOPS_ASSIGN(json["source"], source_of(services, revision.row.id));
  json["running"] = Json::array();
  for (const auto& deployment : running) json["running"].push_back(wire::to_json(deployment));
  return Response::json(200, json);
}

Result<Response> apply_environments(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"yaml", "origin", "override", "reason", "dry_run"}));
  MLOPS_ASSIGN(const auto declared, read_declared(body, "environments.yaml"));
  MLOPS_ASSIGN(const auto changes,
               services.compliance.apply_environments(actor_of(request), declared.yaml, declared.origin,
                                                      declared.commit, declared.override_reason));
  Json items = Json::array();
  for (const auto& change : changes) {
    auto item = change_json(change);
    MLOPS_ASSIGN(item["fields"], changed_fields(change));
    items.push_back(std::move(item));
  }
  return answer(200, {{"items", std::move(items)}}, declared.commit);
}

Result<Response> list_policies(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {"as_of"}));
  MLOPS_ASSIGN(const auto time, as_of(request));
  MLOPS_ASSIGN(const auto revisions, services.compliance.policies(time));
  Json items = Json::array();
  for (const auto& revision : revisions) items.push_back(policy_json(revision));
  for (const auto& pack : policy::packs()) items.push_back(pack_json(pack));
  return Response::json(200, whole(std::move(items)));
}

Result<Response> show_policy(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {"as_of"}));
  MLOPS_ASSIGN(const auto time, as_of(request));
  for (const auto& pack : policy::packs()) {
    if (pack.name != request.params[0]) continue;
    auto json = pack_json(pack);
    json["yaml"] = pack.yaml;
    return Response::json(200, json);
  }
  MLOPS_ASSIGN(const auto revision, services.store.read<domain::PolicyRevision>([&](sql::Connection& connection) {
    return services.compliance.policy(connection, request.params[0], time);
  }));
  auto json = policy_json(revision);
  json["yaml"] = revision.row.body;
  MLOPS_ASSIGN(json["source"], source_of(services, revision.row.id));
  return Response::json(200, json);
}

Result<Response> apply_policy(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"yaml", "origin", "override", "reason", "dry_run", "candidate"}));
  MLOPS_ASSIGN(const auto declared, read_declared(body, "policy.yaml"));
  MLOPS_ASSIGN(const auto candidate, optional_bool(body, "candidate", false));
  using Use = domain::Compliance::PolicyUse;
  MLOPS_ASSIGN(const auto applied,
               services.compliance.apply_policy(actor_of(request), declared.yaml, declared.origin, declared.commit,
                                                candidate ? Use::kCandidate : Use::kInForce, declared.override_reason));
  return answer(200, change_json(applied), declared.commit);
}

}  // namespace

void add_compliance_routes(const Services& s, Routes& routes) {
  const auto limit = s.json_limit_bytes;
  const auto bind = [&s](auto handler) {
    return answering([&s, handler](Request& request) { return handler(s, request); });
  };
  routes.insert(routes.end(), {{Method::kGet, "/api/v1/environments", Scope::kRead, BodyMode::kNone, 0, RunOn::kWorker,
                                "Declared environments.", bind(list_environments)},
                               {Method::kGet, "/api/v1/environments/{name}", Scope::kRead, BodyMode::kNone, 0,
                                RunOn::kWorker, "One environment and what it runs.", bind(show_environment)},
                               {Method::kPost, "/api/v1/environments", Scope::kEnvironmentWrite, BodyMode::kBuffered,
                                limit, RunOn::kWorker, "Declare environments from YAML.", bind(apply_environments)},
                               {Method::kGet, "/api/v1/policies", Scope::kRead, BodyMode::kNone, 0, RunOn::kWorker,
                                "Applied policies and built-in packs.", bind(list_policies)},
                               {Method::kGet, "/api/v1/policies/{name}", Scope::kRead, BodyMode::kNone, 0,
                                RunOn::kWorker, "One policy with its YAML.", bind(show_policy)},
                               {Method::kPost, "/api/v1/policies", Scope::kPolicyWrite, BodyMode::kBuffered, limit,
                                RunOn::kWorker, "Apply a policy from YAML.", bind(apply_policy)}});
}

}  // namespace mlops::api
