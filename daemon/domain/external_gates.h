// Servers of a team's own that are asked before a promotion. The configuration names them, a policy only picks one.
//
// POST of {"input": facts}: the facts of the decision as facts_json.h writes them, without the names of people and
// without free text. An answer is {"allow": true|false, "reason": …}, or that under "result" (OPA), or "result" alone
// as true or false. Whatever else comes, or does not come within the timeout, is no answer, and no answer denies.
// Redirects are not followed. Thread-safety: thread-safe; every question has a connection of its own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/model/facts.h"

namespace mlops::domain {

struct ExternalEndpoint {
  std::string name;
  std::string url;
  std::string token;    // sent as a bearer token; empty: none
  std::string ca_file;  // empty: the system's
};

inline constexpr std::size_t kExternalAnswerBytes = 64 << 10;

// What is sent: the facts without people's names, free text, and earlier answers.
Json external_question(const model::PromotionFacts& facts);
// Of what stays the same while a change is decided: the question without approvals and the time.
std::string external_question_digest(const model::PromotionFacts& facts);
// The answer's meaning. Errors: kInvalid "bad_answer".
struct ExternalAnswer {
  bool is_allowed = false;
  std::string reason;
};
Result<ExternalAnswer> read_external_answer(std::string_view body);

class ExternalGates {
 public:
  explicit ExternalGates(std::vector<ExternalEndpoint> endpoints) : endpoints_(std::move(endpoints)) {}

  // Never an error: what went wrong is in the fact.
  model::ExternalFact ask(const std::string& name, std::int64_t timeout_ms, const model::PromotionFacts& facts) const;

 private:
  const std::vector<ExternalEndpoint> endpoints_;
};

}  // namespace mlops::domain
