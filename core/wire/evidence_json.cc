#include "core/wire/evidence_json.h"

namespace mlops::wire {
namespace {

using Texts = std::vector<std::string>;

template <class T, class One>
void put_list(Json& into, const char* key, const std::vector<T>& items, One to_one) {
  for (const auto& item : items) into[key].push_back(to_one(item));
}

template <class T, class One>
void take_list(const Json& json, const char* key, std::vector<T>& into, One from_one) {
  if (!json.contains(key)) return;
  for (const auto& item : json.at(key)) into.push_back(from_one(item));
}

Json signature_json(const model::SignatureFact& fact) {
  return {{"principal", fact.principal},
          {"roles", fact.roles},
          {"key_id", fact.key_id},
          {"at_us", fact.at_us},
          {"void_because", fact.void_because}};
}

model::SignatureFact signature_from(const Json& json) {
  return {json.at("principal"), json.at("roles").get<Texts>(), json.at("key_id"), json.at("at_us"),
          json.at("void_because")};
}

Json independence_json(const model::IndependenceFact& fact) {
  return {{"roles", {fact.role_a, fact.role_b}},
          {"shared_files", fact.shared_files},
          {"shared_subjects", fact.shared_subjects},
          {"subjects", {fact.subjects_a, fact.subjects_b}},
          {"unknown_because", fact.unknown_because}};
}

model::IndependenceFact independence_from(const Json& json) {
  return {json.at("roles").at(0),    json.at("roles").at(1),    json.at("shared_files"),   json.at("shared_subjects"),
          json.at("subjects").at(0), json.at("subjects").at(1), json.at("unknown_because")};
}

Json profile_json(const model::ProfileFact& fact) {
  Json counts = Json::object();
  for (const auto& [key, one] : fact.counts) counts[key] = {{"count", one.count}, {"rows", one.rows}};
  return {{"ref", fact.ref},
          {"digest", fact.digest},
          {"role", fact.role},
          {"registered_at_us", fact.registered_at_us},
          {"missing_because", fact.missing_because},
          {"counts", std::move(counts)},
          {"types", fact.types},
          {"columns", fact.columns}};
}

model::ProfileFact profile_from(const Json& json) {
  model::ProfileFact fact;
  fact.ref = json.at("ref");
  fact.digest = json.at("digest");
  fact.role = json.at("role");
  fact.registered_at_us = json.at("registered_at_us");
  fact.missing_because = json.at("missing_because");
  for (const auto& [key, one] : json.at("counts").items()) fact.counts[key] = {one.at("count"), one.at("rows")};
  fact.types = json.at("types").get<std::map<std::string, Texts>>();
  fact.columns = json.at("columns");
  return fact;
}

Json residual_json(const model::ResidualFact& fact) {
  return {{"ref", fact.ref}, {"role", fact.role}, {"source", fact.source}, {"findings", fact.findings}};
}

model::ResidualFact residual_from(const Json& json) {
  return {json.at("ref"), json.at("role"), json.at("source"), json.at("findings")};
}

}  // namespace

Json to_json(const model::MemberEvidence& evidence) {
  Json json = Json::object();
  if (!evidence.schemas.is_empty()) json["schemas"] = model::to_json(evidence.schemas);
  put_list(json, "signatures", evidence.signatures, signature_json);
  put_list(json, "independence", evidence.independence, independence_json);
  put_list(json, "profiles", evidence.profiles, profile_json);
  put_list(json, "residual", evidence.residual, residual_json);
  return json;
}

model::MemberEvidence evidence_from(const Json& json) {
  model::MemberEvidence evidence;
  if (json.contains("schemas")) {
    auto schemas = model::schemas_from_json(json.at("schemas"));
    if (!schemas) throw Json::other_error::create(501, "bad schemas", nullptr);
    evidence.schemas = std::move(*schemas);
  }
  take_list(json, "signatures", evidence.signatures, signature_from);
  take_list(json, "independence", evidence.independence, independence_from);
  take_list(json, "profiles", evidence.profiles, profile_from);
  take_list(json, "residual", evidence.residual, residual_from);
  return evidence;
}

Json to_json(const std::vector<model::ExternalFact>& answers) {
  Json json = Json::array();
  for (const auto& one : answers) {
    json.push_back({{"name", one.name},
                    {"question_digest", one.question_digest},
                    {"is_allowed", one.is_allowed},
                    {"reason", one.reason},
                    {"failed_because", one.failed_because}});
  }
  return json;
}

std::vector<model::ExternalFact> external_from(const Json& json) {
  std::vector<model::ExternalFact> answers;
  for (const auto& one : json) {
    answers.push_back(
        {one.at("name"), one.at("question_digest"), one.at("is_allowed"), one.at("reason"), one.at("failed_because")});
  }
  return answers;
}

}  // namespace mlops::wire
