// Signatures over a version by people's keys: those that count, each person once.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/text.h"
#include "policies/gate/evidence_gates.h"

namespace mlops::gate {
namespace {

bool has_role(const model::SignatureFact& signature, const std::vector<std::string>& roles) {
  return roles.empty() || std::any_of(signature.roles.begin(), signature.roles.end(), [&](const std::string& role) {
           return std::find(roles.begin(), roles.end(), role) != roles.end();
         });
}

}  // namespace

void judge_signatures(const GateHead& head, const policy::SignaturesGate& gate, const Members& members,
                      Results& results) {
  for (const auto* member : members) {
    std::set<std::string> signers;
    std::vector<std::string> voids;
    Json keys = Json::array();
    for (const auto& signature : member->evidence.signatures) {
      keys.push_back(
          {{"key", signature.key_id}, {"by", signature.principal}, {"void_because", signature.void_because}});
      if (!signature.void_because.empty()) {
        voids.push_back(
            fmt::format("that of {} does not count: {}", printable(signature.principal), signature.void_because));
      } else if (has_role(signature, gate.roles)) {
        signers.insert(signature.principal);
      }
    }
    const auto have = static_cast<std::int64_t>(signers.size());
    Json facts = {{"member", member->version.ref()},
                  {"have", have},
                  {"need", gate.count},
                  {"roles", gate.roles},
                  {"signed_by", std::vector<std::string>(signers.begin(), signers.end())},
                  {"signatures", std::move(keys)}};
    auto counted = fmt::format("{} of {} signatures are on {}", have, gate.count, shown(member->version));
    if (have >= gate.count) {
      results.push_back(pass(head, std::move(counted), std::move(facts)));
      continue;
    }
    if (!voids.empty()) counted += "; " + join(voids, "; ");
    const auto missing = gate.count - have;
    const auto who = gate.roles.empty() ? std::string("a person") : "a person with role " + join(gate.roles, " or ");
    results.push_back(refuse(head, member->evidence.signatures.empty() ? "evidence missing: " + counted : counted,
                             fmt::format("{} more signature{} by {}: mlopsctl sign {}", missing,
                                         missing == 1 ? "" : "s", who, member->version.typed_ref()),
                             std::move(facts)));
  }
}

}  // namespace mlops::gate
