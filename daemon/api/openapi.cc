// OpenAPI 3.1 out of the route table, so that it cannot say something else than the server does.
#include <fmt/format.h>

#include "core/base/build_info.h"
#include "core/base/text.h"
#include "daemon/api/routes.h"

namespace mlops::api {
namespace {

Json parameters_of(std::string_view pattern) {
  Json parameters = Json::array();
  for (const auto segment : split(pattern, '/')) {
    if (!segment.starts_with('{')) continue;
    parameters.push_back({{"name", segment.substr(1, segment.size() - 2)},
                          {"in", "path"},
                          {"required", true},
                          {"schema", {{"type", "string"}}}});
  }
  return parameters;
}

Json responses_of(const http::Route& route) {
  const auto problem = [](std::string_view description) {
    return Json{{"description", description},
                {"content", {{"application/problem+json", {{"schema", {{"$ref", "#/components/schemas/Problem"}}}}}}}};
  };
  Json responses = {{"200", {{"description", "Done."}}}, {"400", problem("The input is wrong.")}};
  if (route.scope.get() != model::Scope::kPublic) {
    responses["401"] = problem("No valid token.");
    responses["403"] = problem("The token lacks the scope, or the answer is no.");
  }
  if (route.pattern.find('{') != std::string_view::npos) responses["404"] = problem("There is no such thing.");
  return responses;
}

Json operation_of(const http::Route& route) {
  auto id = to_lower_ascii(to_word(route.method)) + std::string(route.pattern);
  for (auto& c : id) {
    if (c == '/' || c == '{' || c == '}' || c == '-' || c == '.') c = '_';
  }
  Json operation = {{"summary", route.summary},
                    {"operationId", id},
                    {"x-scope", to_word(route.scope.get())},
                    {"responses", responses_of(route)}};
  if (auto parameters = parameters_of(route.pattern); !parameters.empty())
    operation["parameters"] = std::move(parameters);
  if (route.body_mode == http::BodyMode::kBuffered) {
    operation["requestBody"] = {{"content", {{"application/json", {{"schema", {{"type", "object"}}}}}}}};
  }
  if (route.body_mode == http::BodyMode::kStreamed) {
    operation["requestBody"] = {{"content", {{"application/octet-stream", Json::object()}}}};
  }
  if (route.scope.get() == model::Scope::kPublic) operation["security"] = Json::array();
  return operation;
}

Json problem_schema() {
  const Json text = {{"type", "string"}};
  return {{"type", "object"},
          {"properties",
           {{"type", text},
            {"title", text},
            {"status", {{"type", "integer"}}},
            {"detail", text},
            {"code", text},
            {"slug", text},
            {"hint", text},
            {"request_id", text},
            {"facts", {{"type", "object"}}}}}};
}

}  // namespace

Json openapi(const Routes& routes) {
  Json paths = Json::object();
  for (const auto& route : routes) {
    paths[std::string(route.pattern)][to_lower_ascii(to_word(route.method))] = operation_of(route);
  }
  return {{"openapi", "3.1.0"},
          {"info", {{"title", "mlopsd"}, {"version", kVersion}}},
          {"paths", std::move(paths)},
          {"security", {{{"token", Json::array()}}}},
          {"components",
           {{"securitySchemes", {{"token", {{"type", "http"}, {"scheme", "bearer"}}}}},
            {"schemas", {{"Problem", problem_schema()}}}}}};
}

}  // namespace mlops::api
