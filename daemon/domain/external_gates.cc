#include "daemon/domain/external_gates.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "core/crypto/digest.h"
#include "core/net/http_client.h"
#include "core/net/url.h"
#include "core/wire/facts_json.h"

namespace mlops::domain {
namespace {

constexpr std::size_t kLongestReason = 500;

// Roles stay, names go.
model::PromotionFacts without_people(model::PromotionFacts facts) {
  facts.external.clear();
  facts.requested_by.clear();
  facts.reason.clear();
  facts.environment.description.clear();
  facts.environment.owners.clear();
  for (auto& approval : facts.approvals) {
    approval.principal.clear();
    approval.meaning.clear();
  }
  for (auto& review : facts.open_reviews) review.by.clear();
  if (facts.rejected) {
    facts.rejected->by.clear();
    facts.rejected->reason.clear();
  }
  for (auto& member : facts.members) {
    member.version.created_by.clear();
    member.version.description.clear();
    member.version.deprecated_reason.clear();
    member.version.deleted_reason.clear();
    for (auto& signature : member.evidence.signatures) signature.principal.clear();
  }
  return facts;
}

Result<ExternalAnswer> ask_endpoint(const ExternalEndpoint& endpoint, std::int64_t timeout_ms, std::string question) {
  MLOPS_ASSIGN(const auto url, net::parse_url(endpoint.url));
  net::HttpClientOptions options;
  options.base_url = url.origin();
  options.bearer_token = endpoint.token;
  options.ca_file = endpoint.ca_file;
  options.user_agent = "mlopsd";
  options.connect_timeout_ms = timeout_ms;
  options.read_timeout_ms = timeout_ms;
  options.whole_timeout_ms = timeout_ms;
  options.response_limit_bytes = kExternalAnswerBytes;
  MLOPS_ASSIGN(auto client, net::HttpClient::create(std::move(options)));
  net::HttpRequest request;
  request.method = "POST";
  request.path = url.path.empty() ? "/" : url.path;
  request.body = std::move(question);
  request.content_type = "application/json";
  MLOPS_ASSIGN(const auto response, client.request(request));
  if (!response.is_success()) {
    return fail(ErrorCode::kUnavailable, "bad_answer", fmt::format("it answered with status {}", response.status));
  }
  return read_external_answer(response.body);
}

}  // namespace

Json external_question(const model::PromotionFacts& facts) {
  return {{"input", wire::to_json(without_people(facts))}};
}

std::string external_question_digest(const model::PromotionFacts& facts) {
  auto lasting = without_people(facts);
  lasting.approvals.clear();
  lasting.decided_at_us = 0;
  lasting.open_reviews.clear();
  lasting.rejected.reset();
  lasting.overlaps.clear();
  return crypto::sha256(canonical_dump(wire::to_json(lasting))).to_string();
}

Result<ExternalAnswer> read_external_answer(std::string_view body) {
  const auto bad = [](std::string_view what) { return fail(ErrorCode::kInvalid, "bad_answer", std::string(what)); };
  const auto parsed = parse_json(body, {.size_bytes = kExternalAnswerBytes, .depth = 32, .nodes = 10'000});
  if (!parsed) return bad("its answer is no JSON");
  if (!parsed->is_object()) return bad("its answer is no object");
  const bool is_wrapped = parsed->contains("result") && !parsed->contains("allow");
  const auto& answer = is_wrapped ? parsed->at("result") : *parsed;
  if (is_wrapped && answer.is_boolean()) return ExternalAnswer{answer.get<bool>(), {}};
  if (!answer.is_object() || !answer.contains("allow") || !answer.at("allow").is_boolean()) {
    return bad("its answer has no \"allow\" that is true or false");
  }
  ExternalAnswer out{answer.at("allow").get<bool>(), {}};
  if (answer.contains("reason") && answer.at("reason").is_string()) {
    out.reason = printable(answer.at("reason").get<std::string>().substr(0, kLongestReason));
  }
  return out;
}

model::ExternalFact ExternalGates::ask(const std::string& name, std::int64_t timeout_ms,
                                       const model::PromotionFacts& facts) const {
  model::ExternalFact fact;
  fact.name = name;
  fact.question_digest = external_question_digest(facts);
  const auto found =
      std::find_if(endpoints_.begin(), endpoints_.end(), [&](const ExternalEndpoint& one) { return one.name == name; });
  if (found == endpoints_.end()) {
    fact.failed_because = "mlopsd's configuration names no such endpoint (gates.external)";
    return fact;
  }
  auto answer = ask_endpoint(*found, timeout_ms, canonical_dump(external_question(facts)));
  if (!answer) {
    fact.failed_because = std::move(answer.error().message);
    return fact;
  }
  fact.is_allowed = answer->is_allowed;
  fact.reason = std::move(answer->reason);
  return fact;
}

}  // namespace mlops::domain
