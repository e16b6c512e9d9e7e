// Who acts: principals, roles and the scopes that routes require.
//
// A role is a named set of scopes; a token carries scopes. Every route row names exactly one scope (daemon/api/routes).
// Thread-safety: values and pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/model/kind.h"

namespace mlops::model {

enum class Scope {
  kPublic,             // no token needed
  kSelf,               // any valid token
  kRead,               // "read"
  kMetricsRead,        // "metrics:read"
  kArtifactWrite,      // "artifact:write"
  kArtifactDelete,     // "artifact:delete"
  kReleasePlan,        // "release:plan"
  kReleasePromote,     // "release:promote"
  kReleaseApprove,     // "release:approve"
  kPolicyWrite,        // "policy:write"
  kEnvironmentWrite,   // "environment:write"
  kAuditRead,          // "audit:read"
  kTokenAdmin,         // "token:admin"
  kStoreAdmin,         // "store:admin": collections, retention rules
  kHoldWrite,          // "hold:write"
  kErasureWrite,       // "erasure:write": subject keys, erasure plans and their application
  kErasureApprove,     // "erasure:approve": a person's word on a plan, and on models it touches
  kKeyAdmin,           // "key:admin": making, rotating and destroying keys of masking
  kDataReveal,         // "data:reveal": what a masked version stands for
  kReleaseBreakGlass,  // "release:break-glass": promoting past procedure, under review
  kWebhookAdmin,       // "webhook:admin": who is told of changes, and where
};

std::string_view to_word(Scope scope);
std::optional<Scope> scope_from_word(std::string_view word);

enum class Role { kViewer, kCi, kRelease, kApprover, kAuditor, kAdmin, kOnCall };
std::string_view to_word(Role role);
std::optional<Role> role_from_word(std::string_view word);
const std::vector<std::string>& role_words();
const std::vector<Scope>& scopes_of(Role role);

// The authenticated caller of one request.
struct Principal {
  std::string id;  // immutable; a re-created name is another principal
  std::string name;
  bool is_human = true;
  std::vector<Role> roles;
  std::vector<Scope> scopes;
  std::string token_id;
  Sensitivity clearance = Sensitivity::kChild;  // the highest label whose bytes the token may read
  bool has(Scope scope) const;
};

// Where a change came from, for the audit log.
struct Origin {
  std::string source_ip;
  std::string request_id;
};

}  // namespace mlops::model
