// Declared environments: the YAML of `mlopsctl env apply` and its value type.
//
// The promotion order is a graph: `after` names the environments of which one must have run the release before.
// Templates and tenants (environment_expand.h) are expanded when the YAML is read: what is stored is whole.
// Errors of parse: kInvalid with origin:line:column. Thread-safety: values and pure functions.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/base/time_zone.h"
#include "core/model/change_calendar.h"
#include "core/model/delivery_target.h"
#include "core/model/kind.h"

namespace mlops::model {

inline constexpr std::int64_t kPlanValidHours = 14 * 24;
inline constexpr std::int64_t kReviewWithinHours = 24;
// The label of an environment, and of a version, that says whose it is.
inline constexpr std::string_view kTenantLabel = "tenant";
// Each promotion and rollback becomes a commit of this repository, from which a GitOps tool deploys.
struct GitOps {
  std::string repository;             // as mlopsd's configuration names it
  std::string path;                   // folder in it; empty: its top
  std::string renderer = "manifest";  // manifest, or kserve: an InferenceService besides
};
// A renderer that needs the environment to say where a model's bytes are.
inline constexpr std::string_view kKserveRenderer = "kserve";
inline constexpr const char* kStorageUriLabel = "storage_uri_template";

struct Environment {
  std::string name;
  std::string description;
  std::vector<std::string> after;
  Sensitivity clearance = Sensitivity::kNone;
  std::string region;
  std::vector<std::string> policies;
  std::int64_t approvals_needed = 0;
  std::vector<std::string> approver_roles;  // empty: any principal with release:approve
  bool reason_required = false;
  bool signed_approvals = false;         // only those signed with an approver's key count
  std::int64_t plan_valid_hours = 0;     // 0: kPlanValidHours
  std::int64_t review_within_hours = 0;  // of a break-glass promotion; 0: kReviewWithinHours
  std::vector<std::string> owners;
  std::map<std::string, std::string> labels;  // free: tenant, architecture, …
  std::optional<GitOps> gitops;
  std::int64_t soak_s = 0;            // how long a release runs in one of `after` first
  std::vector<ChangeWindow> windows;  // empty: always open
  std::vector<Freeze> freezes;
  DeliveryTarget target;      // unset: nothing is delivered
  std::string template_name;  // the template it was declared with; empty: none
  std::string tenants_of;     // the declaration of which it is one tenant's environment; empty: declared alone

  // Whose environment it is; empty: nobody's.
  std::string tenant() const;
};

// kind: Environments. Also checks what one file can show: names, duplicates, an `after` that names itself or a cycle
// inside the file, time zones.
Result<std::vector<Environment>> parse_environments(std::string_view yaml, const std::string& origin,
                                                    const TimeZones& zones = TimeZones::system());
Json to_json(const Environment& environment);
Result<Environment> environment_from_json(const Json& json);

}  // namespace mlops::model
