// Versions, artifacts, labels, aliases.
#include <fmt/format.h>

#include "core/model/names.h"
#include "core/wire/views_json.h"
#include "daemon/api/request.h"
#include "daemon/api/routes.h"

namespace mlops::api {
namespace {

Failure bad_field(std::string_view what) {
  return fail(ErrorCode::kInvalid, "bad_field", std::string(what), "docs/format/wire.md shows the shape");
}

Result<std::vector<model::FileEntry>> read_files(const Json& body) {
  if (!body.contains("files") || !body.at("files").is_array()) return bad_field("\"files\" must be a list");
  std::vector<model::FileEntry> files;
  for (const auto& item : body.at("files")) {
    if (!item.is_object()) return bad_field("\"files\" must be a list of objects");
    MLOPS_TRY(only_known_fields(item, {"path", "digest", "size_bytes"}));
    model::FileEntry file;
    MLOPS_ASSIGN(file.path, require_string(item, "path"));
    MLOPS_ASSIGN(const auto digest, require_string(item, "digest"));
    MLOPS_ASSIGN(file.digest, crypto::Digest::parse(digest));
    MLOPS_ASSIGN(const auto size, optional_int(item, "size_bytes", -1, 0, std::int64_t{1} << 62));
    if (size < 0) return bad_field("a file needs its \"size_bytes\"");
    file.size_bytes = static_cast<std::uint64_t>(size);
    files.push_back(std::move(file));
  }
  return files;
}

Result<std::uint64_t> required_count(const Json& object, const std::string& key) {
  MLOPS_ASSIGN(const auto value, optional_int(object, key, -1, 0, std::int64_t{1} << 62));
  if (value < 0) return bad_field("\"tree\" needs digest, size_bytes, file_count and content_size_bytes");
  return static_cast<std::uint64_t>(value);
}

Result<std::optional<domain::NewVersion::Tree>> read_tree(const Json& body) {
  if (!body.contains("tree")) return std::optional<domain::NewVersion::Tree>();
  const auto& object = body.at("tree");
  if (!object.is_object() || body.contains("files")) return bad_field("\"tree\" is an object, instead of \"files\"");
  MLOPS_TRY(only_known_fields(object, {"digest", "size_bytes", "file_count", "content_size_bytes"}));
  domain::NewVersion::Tree tree;
  MLOPS_ASSIGN(const auto digest, require_string(object, "digest"));
  MLOPS_ASSIGN(tree.digest, crypto::Digest::parse(digest));
  MLOPS_ASSIGN(tree.size_bytes, required_count(object, "size_bytes"));
  MLOPS_ASSIGN(tree.file_count, required_count(object, "file_count"));
  MLOPS_ASSIGN(tree.content_size_bytes, required_count(object, "content_size_bytes"));
  return std::optional(tree);
}

Result<std::vector<domain::NewVersion::Input>> read_inputs(const Json& body) {
  std::vector<domain::NewVersion::Input> inputs;
  if (!body.contains("inputs")) return inputs;
  if (!body.at("inputs").is_array()) return bad_field("\"inputs\" must be a list");
  for (const auto& item : body.at("inputs")) {
    if (!item.is_object()) return bad_field("\"inputs\" must be a list of objects");
    MLOPS_TRY(only_known_fields(item, {"ref", "role"}));
    domain::NewVersion::Input input;
    MLOPS_ASSIGN(input.ref, require_string(item, "ref"));
    MLOPS_ASSIGN(input.role, require_string(item, "role"));
    inputs.push_back(std::move(input));
  }
  return inputs;
}

Result<std::map<std::string, double>> read_metrics(const Json& body) {
  std::map<std::string, double> metrics;
  if (!body.contains("metrics")) return metrics;
  if (!body.at("metrics").is_object()) return bad_field("\"metrics\" must be an object of numbers");
  for (const auto& [name, value] : body.at("metrics").items()) {
    if (!value.is_number()) return bad_field("\"metrics\" must be an object of numbers");
    metrics[name] = value.get<double>();
  }
  return metrics;
}

Result<std::optional<model::GitSource>> read_git(const Json& body) {
  if (!body.contains("git") || body.at("git").is_null()) return std::optional<model::GitSource>();
  const auto& git = body.at("git");
  if (!git.is_object()) return bad_field("\"git\" must be an object");
  MLOPS_TRY(only_known_fields(git, {"commit", "branch", "remote", "dirty"}));
  model::GitSource source;
  MLOPS_ASSIGN(source.commit, require_string(git, "commit"));
  const bool is_hex = source.commit.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (source.commit.size() != 40 || !is_hex) return bad_field("\"git.commit\" must be 40 lower-case hex digits");
  MLOPS_ASSIGN(source.branch, optional_string(git, "branch"));
  MLOPS_ASSIGN(source.remote, optional_string(git, "remote"));
  MLOPS_TRY(model::check_free_text(source.branch, "git.branch"));
  MLOPS_TRY(model::check_free_text(source.remote, "git.remote"));
  MLOPS_ASSIGN(source.dirty, optional_bool(git, "dirty", false));
  return std::optional(std::move(source));
}

Result<domain::NewVersion> read_register(const Json& body) {
  domain::NewVersion wanted;
  MLOPS_ASSIGN(const auto kind_word, require_string(body, "kind"));
  const auto kind = model::artifact_kind_from_word(kind_word);
  if (!kind) return bad_field("\"kind\" must be model or dataset");
  wanted.kind = *kind;
  MLOPS_ASSIGN(wanted.name, require_string(body, "name"));
  MLOPS_ASSIGN(wanted.tree, read_tree(body));
  if (!wanted.tree) {
    MLOPS_ASSIGN(wanted.files, read_files(body));
  }
  MLOPS_ASSIGN(wanted.inputs, read_inputs(body));
  MLOPS_ASSIGN(wanted.params, string_map(body, "params"));
  MLOPS_ASSIGN(wanted.metrics, read_metrics(body));
  MLOPS_ASSIGN(wanted.labels, string_map(body, "labels"));
  MLOPS_ASSIGN(wanted.description, optional_string(body, "description"));
  MLOPS_ASSIGN(const auto label, optional_string(body, "sensitivity"));
  if (!label.empty()) {
    wanted.sensitivity = model::sensitivity_from_word(label);
    if (!wanted.sensitivity) {
      return bad_field("\"sensitivity\" must be none, pseudonymous, personal, special_category or child");
    }
  }
  MLOPS_ASSIGN(wanted.git, read_git(body));
  if (body.contains("schemas")) {
    MLOPS_ASSIGN(wanted.schemas, model::schemas_from_json(body.at("schemas")));
  }
  return wanted;
}

Result<Response> register_version(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body,
               body_with(request, {"kind", "name", "files", "tree", "inputs", "params", "metrics", "labels",
                                   "description", "sensitivity", "git", "schemas", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  MLOPS_ASSIGN(const auto wanted, read_register(body));
  MLOPS_ASSIGN(const auto registered, services.registry.register_version(actor_of(request), wanted, commit));
  Json out = {{"created", registered.created}, {"version", wire::to_json(registered.view)}};
  if (!registered.note.empty()) out["note"] = registered.note;
  return answer(registered.created ? 201 : 200, std::move(out), commit);
}

Result<meta::VersionFilter> read_filter(const Request& request, std::size_t limit) {
  MLOPS_TRY(only_known_params(request, {"kind", "name", "label", "limit", "after", "deleted", "as_of"}));
  meta::VersionFilter filter;
  filter.limit = limit + 1;
  filter.name = request.query_or("name", "");
  filter.after_id = request.query_or("after", "");
  filter.include_deleted = request.query_or("deleted", "0") == "1";
  MLOPS_ASSIGN(filter.as_of_us, as_of(request));
  if (const auto kind = request.query_or("kind", ""); !kind.empty()) {
    filter.kind = model::artifact_kind_from_word(kind);
    if (!filter.kind) return bad_field("`kind` must be model or dataset");
  }
  if (const auto label = request.query_or("label", ""); !label.empty()) {
    const auto equals = label.find('=');
    if (equals == std::string_view::npos) return bad_field("`label` must be key=value");
    filter.label_name = label.substr(0, equals);
    filter.label_value = label.substr(equals + 1);
  }
  return filter;
}

Result<Response> list_versions(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto limit, limit_of(request));
  MLOPS_ASSIGN(const auto filter, read_filter(request, limit));
  MLOPS_ASSIGN(const auto views, services.registry.list(filter));
  Json items = Json::array();
  for (const auto& view : views) items.push_back(wire::to_json(view));
  return Response::json(200, page(std::move(items), limit, [](const Json& last) { return last.at("id"); }));
}

Result<Response> view_version(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {}));
  MLOPS_ASSIGN(const auto version, services.clearance.view(request.principal, request.params[0]));
  MLOPS_ASSIGN(const auto view, services.registry.show(version.typed_ref(), 0));
  return Response::json(200, wire::to_json(view));
}

Result<Response> show_version(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {"as_of"}));
  MLOPS_ASSIGN(const auto time, as_of(request));
  const auto generation = services.store.generation();
  const auto key = fmt::format("{} {}", time, request.params[0]);
  Response response;
  if (auto page = services.version_pages->find(key, generation)) {
    response.body = std::move(*page);
    return response;
  }
  MLOPS_ASSIGN(const auto view, services.registry.show(request.params[0], time));
  response = Response::json(200, wire::to_json(view));
  services.version_pages->keep(key, generation, response.body);
  return response;
}

Result<Response> show_manifest(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {}));
  Response response;
  MLOPS_ASSIGN(response.body, services.registry.manifest(request.params[0]));
  response.content_type = model::kManifestMediaType;
  return response;
}

Result<Response> list_files(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {}));
  MLOPS_ASSIGN(const auto files, services.registry.files(request.params[0]));
  Json items = Json::array();
  for (const auto& file : files) items.push_back(wire::to_json(file));
  return Response::json(200, whole(std::move(items)));
}

Result<Response> label_version(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"set", "remove", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  MLOPS_ASSIGN(const auto set, string_map(body, "set"));
  MLOPS_ASSIGN(const auto remove, string_list(body, "remove"));
  MLOPS_ASSIGN(const auto view, services.registry.label(actor_of(request), request.params[0], set, remove, commit));
  return answer(200, wire::to_json(view), commit);
}

Result<Response> deprecate_version(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"reason", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  MLOPS_ASSIGN(const auto reason, optional_string(body, "reason"));
  MLOPS_ASSIGN(const auto view, services.registry.deprecate(actor_of(request), request.params[0], reason, commit));
  return answer(200, wire::to_json(view), commit);
}

Result<Response> delete_version(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"reason", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  MLOPS_ASSIGN(const auto reason, require_string(body, "reason"));
  MLOPS_ASSIGN(const auto view, services.registry.remove(actor_of(request), request.params[0], reason, commit));
  return answer(200, wire::to_json(view), commit);
}

Result<Response> list_artifacts(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {"kind", "prefix", "limit", "after"}));
  MLOPS_ASSIGN(const auto limit, limit_of(request));
  meta::ArtifactFilter filter;
  filter.limit = limit + 1;
  filter.prefix = request.query_or("prefix", "");
  filter.after = request.query_or("after", "");
  if (const auto kind = request.query_or("kind", ""); !kind.empty()) {
    filter.kind = model::artifact_kind_from_word(kind);
    if (!filter.kind) return bad_field("`kind` must be model or dataset");
  }
  MLOPS_ASSIGN(const auto views, services.registry.list_artifacts(filter));
  Json items = Json::array();
  for (const auto& view : views) items.push_back(wire::to_json(view));
  return Response::json(200, page(std::move(items), limit, [](const Json& last) {
                          return fmt::format("{}:{}", last.at("name").get<std::string>(),
                                             last.at("kind").get<std::string>());
                        }));
}

Result<Response> diff_versions(const Services& services, Request& request) {
  MLOPS_TRY(only_known_params(request, {"a", "b"}));
  MLOPS_ASSIGN(const auto diff,
               services.registry.diff(std::string(request.query_or("a", "")), std::string(request.query_or("b", ""))));
  return Response::json(200, wire::to_json(diff));
}

Json alias_json(const domain::Registry::AliasChange& change) {
  return {{"alias", change.alias}, {"ref", text_or_null(change.ref)}, {"previous", text_or_null(change.previous)}};
}

Result<Response> set_alias(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"ref", "alias", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  MLOPS_ASSIGN(const auto ref, require_string(body, "ref"));
  MLOPS_ASSIGN(const auto alias, require_string(body, "alias"));
  MLOPS_ASSIGN(const auto change, services.registry.set_alias(actor_of(request), ref, alias, commit));
  return answer(200, alias_json(change), commit);
}

Result<Response> remove_alias(const Services& services, Request& request) {
  MLOPS_ASSIGN(const auto body, body_with(request, {"name", "alias", "dry_run"}));
  MLOPS_ASSIGN(const auto commit, commit_of(body));
  MLOPS_ASSIGN(const auto name, require_string(body, "name"));
  MLOPS_ASSIGN(const auto alias, require_string(body, "alias"));
  MLOPS_ASSIGN(const auto change, services.registry.remove_alias(actor_of(request), name, alias, commit));
  return answer(200, alias_json(change), commit);
}

}  // namespace

void add_registry_routes(const Services& s, Routes& routes) {
  const auto limit = s.json_limit_bytes;
  const auto bind = [&s](auto handler) {
    return answering([&s, handler](Request& request) { return handler(s, request); });
  };
  routes.insert(routes.end(),
                {{Method::kPost, "/api/v1/versions", Scope::kArtifactWrite, BodyMode::kBuffered, limit, RunOn::kWorker,
                  "Register a version of uploaded files.", bind(register_version)},
                 {Method::kGet, "/api/v1/versions", Scope::kRead, BodyMode::kNone, 0, RunOn::kWorker,
                  "Versions, newest first.", bind(list_versions)},
                 {Method::kGet, "/api/v1/versions/{ref}", Scope::kRead, BodyMode::kNone, 0, RunOn::kInline,
                  "One version with files and inputs.", bind(show_version)},
                 {Method::kDelete, "/api/v1/versions/{ref}", Scope::kArtifactDelete, BodyMode::kBuffered, limit,
                  RunOn::kWorker, "Delete a version; a tombstone stays.", bind(delete_version)},
                 {Method::kGet, "/api/v1/versions/{ref}/manifest", Scope::kRead, BodyMode::kNone, 0, RunOn::kWorker,
                  "The manifest's bytes.", bind(show_manifest)},
                 {Method::kGet, "/api/v1/versions/{ref}/files", Scope::kRead, BodyMode::kNone, 0, RunOn::kWorker,
                  "Every file of a version.", bind(list_files)},
                 {Method::kGet, "/api/v1/versions/{ref}/view", Scope::kRead, BodyMode::kNone, 0, RunOn::kWorker,
                  "The version as the token's clearance may see it: itself, or a masked one.", bind(view_version)},
                 {Method::kPost, "/api/v1/versions/{ref}/labels", Scope::kArtifactWrite, BodyMode::kBuffered, limit,
                  RunOn::kWorker, "Set and remove labels.", bind(label_version)},
                 {Method::kPost, "/api/v1/versions/{ref}/deprecate", Scope::kArtifactWrite, BodyMode::kBuffered, limit,
                  RunOn::kWorker, "Deprecate a version, or undo it.", bind(deprecate_version)},
                 {Method::kGet, "/api/v1/artifacts", Scope::kRead, BodyMode::kNone, 0, RunOn::kWorker,
                  "Artifacts by name.", bind(list_artifacts)},
                 {Method::kGet, "/api/v1/diff", Scope::kRead, BodyMode::kNone, 0, RunOn::kWorker,
                  "What differs between two versions.", bind(diff_versions)},
                 {Method::kPut, "/api/v1/aliases", Scope::kArtifactWrite, BodyMode::kBuffered, limit, RunOn::kWorker,
                  "Point an alias at a version.", bind(set_alias)},
                 {Method::kDelete, "/api/v1/aliases", Scope::kArtifactWrite, BodyMode::kBuffered, limit, RunOn::kWorker,
                  "Remove an alias.", bind(remove_alias)}});
}

}  // namespace mlops::api
