#include "core/model/principal.h"

#include <algorithm>
#include <array>

namespace mlops::model {
namespace {

constexpr std::array<std::string_view, 21> kScopeWords{"public",
                                                       "self",
                                                       "read",
                                                       "metrics:read",
                                                       "artifact:write",
                                                       "artifact:delete",
                                                       "release:plan",
                                                       "release:promote",
                                                       "release:approve",
                                                       "policy:write",
                                                       "environment:write",
                                                       "audit:read",
                                                       "token:admin",
                                                       "store:admin",
                                                       "hold:write",
                                                       "erasure:write",
                                                       "erasure:approve",
                                                       "key:admin",
                                                       "data:reveal",
                                                       "release:break-glass",
                                                       "webhook:admin"};

struct RoleRow {
  std::string_view word;
  std::vector<Scope> scopes;
};

const std::array<RoleRow, 7>& role_rows() {
  using enum Scope;
  static const std::array<RoleRow, 7> rows{{
      {"viewer", {kSelf, kRead, kMetricsRead}},
      {"ci", {kSelf, kRead, kArtifactWrite, kReleasePlan}},
      {"release", {kSelf, kRead, kMetricsRead, kArtifactWrite, kReleasePlan, kReleasePromote}},
      {"approver", {kSelf, kRead, kReleaseApprove, kErasureApprove}},
      {"auditor", {kSelf, kRead, kAuditRead}},
      {"admin",
       {kSelf, kRead, kMetricsRead, kArtifactWrite, kArtifactDelete, kReleasePlan, kReleasePromote, kReleaseApprove,
        kPolicyWrite, kEnvironmentWrite, kAuditRead, kTokenAdmin, kStoreAdmin, kHoldWrite, kErasureWrite,
        kErasureApprove, kKeyAdmin, kDataReveal, kWebhookAdmin}},
      {"oncall", {kSelf, kRead, kMetricsRead, kReleasePlan, kReleasePromote, kReleaseBreakGlass}},
  }};
  return rows;
}

}  // namespace

std::string_view to_word(Scope scope) {
  return kScopeWords[static_cast<std::size_t>(scope)];
}

std::optional<Scope> scope_from_word(std::string_view word) {
  const auto it = std::find(kScopeWords.begin(), kScopeWords.end(), word);
  if (it == kScopeWords.end()) return std::nullopt;
  return static_cast<Scope>(it - kScopeWords.begin());
}

std::string_view to_word(Role role) {
  return role_rows()[static_cast<std::size_t>(role)].word;
}

std::optional<Role> role_from_word(std::string_view word) {
  const auto& rows = role_rows();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].word == word) return static_cast<Role>(i);
  }
  return std::nullopt;
}

const std::vector<std::string>& role_words() {
  static const std::vector<std::string> words = [] {
    std::vector<std::string> out;
    for (const auto& row : role_rows()) out.emplace_back(row.word);
    return out;
  }();
  return words;
}

const std::vector<Scope>& scopes_of(Role role) {
  return role_rows()[static_cast<std::size_t>(role)].scopes;
}

bool Principal::has(Scope scope) const {
  if (scope == Scope::kPublic || scope == Scope::kSelf) return true;
  return std::find(scopes.begin(), scopes.end(), scope) != scopes.end();
}

}  // namespace mlops::model
