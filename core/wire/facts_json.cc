#include "core/wire/facts_json.h"

#include "core/wire/evidence_json.h"

namespace mlops::wire {
namespace {

template <class Enum>
Enum known(std::optional<Enum> value) {
  // Converted with every other shape error by facts_from_json.
  return value ? *value : throw Json::other_error::create(501, "unknown word", nullptr);
}

model::Sensitivity label_from(const Json& json) {
  return known(model::sensitivity_from_word(json.get<std::string>()));
}

Json version_json(const model::Version& version) {
  Json git = nullptr;
  if (version.git) {
    git = {{"commit", version.git->commit},
           {"branch", version.git->branch},
           {"remote", version.git->remote},
           {"dirty", version.git->dirty}};
  }
  return {{"id", version.id},
          {"artifact_id", version.artifact_id},
          {"kind", to_word(version.kind)},
          {"name", version.name},
          {"number", version.number},
          {"digest", version.digest.to_string()},
          {"size_bytes", version.size_bytes},
          {"file_count", version.file_count},
          {"own_sensitivity", to_word(version.own_sensitivity)},
          {"sensitivity", to_word(version.sensitivity)},
          {"sensitivity_assumed", version.sensitivity_assumed},
          {"params", version.params},
          {"metrics", version.metrics},
          {"description", version.description},
          {"git", std::move(git)},
          {"created_at_us", version.created_at_us},
          {"created_by", version.created_by},
          {"deprecated_reason", version.deprecated_reason},
          {"deleted_at_us", version.deleted_at_us},
          {"deleted_reason", version.deleted_reason}};
}

model::Version version_from(const Json& json) {
  model::Version version;
  version.id = json.at("id");
  version.artifact_id = json.at("artifact_id");
  version.kind = known(model::artifact_kind_from_word(json.at("kind").get<std::string>()));
  version.name = json.at("name");
  version.number = json.at("number");
  const auto digest = crypto::Digest::parse(json.at("digest").get<std::string>());
  if (!digest) throw Json::other_error::create(501, "bad digest", nullptr);
  version.digest = *digest;
  version.size_bytes = json.at("size_bytes");
  version.file_count = json.at("file_count");
  version.own_sensitivity = label_from(json.at("own_sensitivity"));
  version.sensitivity = label_from(json.at("sensitivity"));
  version.sensitivity_assumed = json.at("sensitivity_assumed");
  version.params = json.at("params").get<std::map<std::string, std::string>>();
  version.metrics = json.at("metrics").get<std::map<std::string, double>>();
  version.description = json.at("description");
  if (const auto& git = json.at("git"); !git.is_null()) {
    version.git = model::GitSource{git.at("commit"), git.at("branch"), git.at("remote"), git.at("dirty")};
  }
  version.created_at_us = json.at("created_at_us");
  version.created_by = json.at("created_by");
  version.deprecated_reason = json.at("deprecated_reason");
  version.deleted_at_us = json.at("deleted_at_us");
  version.deleted_reason = json.at("deleted_reason");
  return version;
}

Json member_json(const model::MemberFacts& member) {
  Json inputs = Json::array();
  for (const auto& input : member.inputs) {
    inputs.push_back(
        {{"version_id", input.version_id}, {"ref", input.ref}, {"digest", input.digest}, {"role", input.role}});
  }
  Json taint = Json::array();
  for (const auto& step : member.taint_path) {
    taint.push_back({{"ref", step.ref}, {"sensitivity", to_word(step.sensitivity)}, {"role", step.role}});
  }
  Json erasures = Json::array();
  for (const auto& one : member.open_erasures) {
    erasures.push_back(
        {{"erasure_id", one.erasure_id}, {"ref", one.ref}, {"state", one.state}, {"detail", one.detail}});
  }
  Json json = {
      {"version", version_json(member.version)}, {"open_erasures", std::move(erasures)},  {"inputs", std::move(inputs)},
      {"taint_path", std::move(taint)},          {"missing_blobs", member.missing_blobs}, {"ran_in", member.ran_in}};
  if (!member.role.empty()) json["role"] = member.role;
  // As every later fact: left out when there is none, so that earlier decisions keep their digests.
  for (const auto& one : member.soaked) {
    json["soaked"].push_back(
        {{"environment", one.environment}, {"since_us", one.since_us}, {"until_us", one.until_us}});
  }
  for (const auto& one : member.tenants) json["tenants"].push_back({{"ref", one.ref}, {"tenant", one.tenant}});
  if (!member.labels.empty()) json["labels"] = member.labels;
  if (!member.keys.empty()) json["keys"] = member.keys;
  if (const auto& fact = member.provenance) {
    json["provenance"] = {{"repositories", fact->repositories},
                          {"state", fact->state},
                          {"branches", fact->branches},
                          {"seen_at_us", fact->seen_at_us}};
  }
  if (!member.evidence.is_empty()) json["evidence"] = to_json(member.evidence);
  return json;
}

Json approval_json(const model::ApprovalFact& approval) {
  Json json = {{"principal", approval.principal}, {"roles", approval.roles}, {"is_human", approval.is_human}};
  if (!approval.meaning.empty()) json["meaning"] = approval.meaning;
  if (!approval.key_id.empty()) json["key_id"] = approval.key_id;
  if (approval.at_us != 0) json["at_us"] = approval.at_us;
  return json;
}

model::ApprovalFact approval_from(const Json& json) {
  return {json.at("principal"),
          json.at("roles").get<std::vector<std::string>>(),
          json.at("is_human"),
          json.value("meaning", std::string()),
          json.value("key_id", std::string()),
          json.value("at_us", TimestampUs{0})};
}

// What a change is controlled by. Each is left out at its default, so that facts keep the digest they had before it was
// among them.
void put_control(const model::PromotionFacts& facts, Json& json) {
  if (facts.decided_at_us != 0) json["decided_at_us"] = facts.decided_at_us;
  if (!facts.environment_source.empty()) json["environment_source"] = facts.environment_source;
  if (facts.calendar) json["calendar"] = model::to_json(*facts.calendar);
  if (facts.is_break_glass) json["is_break_glass"] = true;
  if (facts.accepts_rejected) json["accepts_rejected"] = true;
  if (!facts.overrides.empty()) json["overrides"] = facts.overrides;
  for (const auto& review : facts.open_reviews) {
    json["open_reviews"].push_back(
        {{"deployment_id", review.deployment_id}, {"by", review.by}, {"due_at_us", review.due_at_us}});
  }
  if (facts.rejected) {
    json["rejected"] = {{"release", facts.rejected->release},
                        {"by", facts.rejected->by},
                        {"reason", facts.rejected->reason},
                        {"at_us", facts.rejected->at_us}};
  }
  if (!facts.external.empty()) json["external"] = to_json(facts.external);
  for (const auto& part : facts.parts) {
    json["parts"].push_back({{"ref", part.ref}, {"members", part.members}, {"policies", part.policies}});
  }
  for (const auto& overlap : facts.overlaps) {
    json["overlaps"].push_back(
        {{"deployment_id", overlap.deployment_id}, {"release", overlap.release}, {"missing", overlap.missing}});
  }
}

Json list_of(const Json& json, const char* key) {
  return json.contains(key) ? json.at(key) : Json::array();
}

void take_control(const Json& json, model::PromotionFacts& facts) {
  facts.decided_at_us = json.value("decided_at_us", TimestampUs{0});
  facts.environment_source = json.value("environment_source", std::string());
  if (json.contains("calendar")) facts.calendar = model::calendar_from_json(json.at("calendar"));
  facts.is_break_glass = json.value("is_break_glass", false);
  facts.accepts_rejected = json.value("accepts_rejected", false);
  facts.external = external_from(list_of(json, "external"));
  facts.overrides = list_of(json, "overrides").get<std::vector<std::string>>();
  for (const auto& review : list_of(json, "open_reviews")) {
    facts.open_reviews.push_back({review.at("deployment_id"), review.at("by"), review.at("due_at_us")});
  }
  if (json.contains("rejected")) {
    const auto& rejected = json.at("rejected");
    facts.rejected = {rejected.at("release"), rejected.at("by"), rejected.at("reason"), rejected.at("at_us")};
  }
  for (const auto& part : list_of(json, "parts")) {
    facts.parts.push_back({part.at("ref"), part.at("members"), part.at("policies").get<std::vector<std::string>>()});
  }
  for (const auto& overlap : list_of(json, "overlaps")) {
    facts.overlaps.push_back(
        {overlap.at("deployment_id"), overlap.at("release"), overlap.at("missing").get<std::vector<std::string>>()});
  }
}

model::MemberFacts member_from(const Json& json) {
  model::MemberFacts member;
  member.version = version_from(json.at("version"));
  for (const auto& input : json.at("inputs")) {
    member.inputs.push_back({input.at("version_id"), input.at("ref"), input.at("digest"), input.at("role")});
  }
  for (const auto& step : json.at("taint_path")) {
    member.taint_path.push_back({step.at("ref"), label_from(step.at("sensitivity")), step.at("role")});
  }
  for (const auto& one : json.at("open_erasures")) {
    member.open_erasures.push_back({one.at("erasure_id"), one.at("ref"), one.at("state"), one.at("detail")});
  }
  member.missing_blobs = json.at("missing_blobs").get<std::vector<std::string>>();
  member.ran_in = json.at("ran_in").get<std::vector<std::string>>();
  member.role = json.value("role", std::string());
  for (const auto& one : json.value("soaked", Json::array())) {
    member.soaked.push_back({one.at("environment"), one.at("since_us"), one.at("until_us")});
  }
  for (const auto& one : json.value("tenants", Json::array())) {
    member.tenants.push_back({one.at("ref"), one.at("tenant")});
  }
  member.labels = json.value("labels", std::map<std::string, std::string>());
  member.keys = json.value("keys", std::vector<std::string>());
  if (const auto fact = json.find("provenance"); fact != json.end()) {
    member.provenance =
        model::ProvenanceFact{fact->at("repositories").get<std::vector<std::string>>(), fact->at("state"),
                              fact->at("branches").get<std::vector<std::string>>(), fact->at("seen_at_us")};
  }
  if (json.contains("evidence")) member.evidence = evidence_from(json.at("evidence"));
  return member;
}

}  // namespace

Json to_json(const model::PromotionFacts& facts) {
  Json members = Json::array();
  for (const auto& member : facts.members) members.push_back(member_json(member));
  Json approvals = Json::array();
  for (const auto& approval : facts.approvals) approvals.push_back(approval_json(approval));
  Json json = {{"environment_digest", facts.environment_digest},
               {"environment", model::to_json(facts.environment)},
               {"requested_by", facts.requested_by},
               {"reason", facts.reason},
               {"is_rollback", facts.is_rollback},
               {"members", std::move(members)},
               {"current_metrics", facts.current_metrics},
               {"current_ref", facts.current_ref},
               {"approvals", std::move(approvals)}};
  put_control(facts, json);
  return json;
}

Result<model::PromotionFacts> facts_from_json(const Json& json) {
  const auto bad = [] {
    return fail(ErrorCode::kCorrupt, "bad_facts", "the stored facts of a decision cannot be read",
                "run `mlopsctl audit verify`");
  };
  try {
    model::PromotionFacts facts;
    facts.environment_digest = json.at("environment_digest");
    auto environment = model::environment_from_json(json.at("environment"));
    if (!environment) return bad();
    facts.environment = std::move(*environment);
    facts.requested_by = json.at("requested_by");
    facts.reason = json.at("reason");
    facts.is_rollback = json.at("is_rollback");
    for (const auto& member : json.at("members")) facts.members.push_back(member_from(member));
    facts.current_metrics = json.at("current_metrics").get<std::map<std::string, double>>();
    facts.current_ref = json.at("current_ref");
    for (const auto& approval : json.at("approvals")) facts.approvals.push_back(approval_from(approval));
    take_control(json, facts);
    return facts;
  } catch (const Json::exception&) {
    return bad();
  }
}

Json decision_record(const model::PromotionFacts& facts, const Decision& decision) {
  Json policies = Json::array();
  for (const auto& policy : decision.policies) policies.push_back({{"name", policy.name}, {"digest", policy.digest}});
  Json members = Json::array();
  for (const auto& member : facts.members) {
    members.push_back({{"ref", member.version.typed_ref()}, {"digest", member.version.digest.to_string()}});
  }
  Json gates = Json::array();
  Json would_pass_if = Json::array();
  for (const auto& gate : decision.gates) {
    gates.push_back(model::to_json(gate));
    if (gate.verdict != model::Verdict::kPass) would_pass_if.push_back(gate.would_pass_if);
  }
  const std::string_view word = decision.verdict == model::Verdict::kPass      ? "allow"
                                : decision.verdict == model::Verdict::kPending ? "wait"
                                                                               : "deny";
  Json record = {{"decision", word},
                 {"policies", std::move(policies)},
                 {"facts_digest", crypto::sha256(canonical_dump(to_json(facts))).to_string()},
                 {"target", facts.environment.name},
                 {"members", std::move(members)},
                 {"gates", std::move(gates)},
                 {"would_pass_if", std::move(would_pass_if)}};
  for (const auto& shadow : decision.shadows) record["shadow"].push_back(model::to_json(shadow));
  return record;
}

}  // namespace mlops::wire
