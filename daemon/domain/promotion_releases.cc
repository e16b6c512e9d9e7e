// Releases with a name of their own: what belongs together is written down once, and moves and goes back as one.
#include <fmt/format.h>

#include <set>

#include "core/base/text.h"
#include "core/model/names.h"
#include "core/model/reference.h"
#include "daemon/domain/promotion.h"
#include "storage/meta/versions.h"

namespace mlops::domain {
namespace {

constexpr std::size_t kMostMembers = 64;

Result<model::ReleaseView> view_of(sql::Connection& connection, const meta::ReleaseRow& row) {
  model::ReleaseView view{row.id, row.name, row.number, row.digest, row.created_at_us, {}, {}};
  MLOPS_ASSIGN(const auto members, meta::release_members(connection, row.id));
  MLOPS_ASSIGN(const auto roles, meta::release_roles(connection, row.id));
  for (std::size_t i = 0; i < members.size() && i < roles.size(); ++i) {
    view.members.push_back({members[i].typed_ref(), members[i].digest.to_string(), roles[i]});
  }
  MLOPS_ASSIGN(const auto policies, meta::release_policies(connection, row.id));
  for (const auto& id : policies) {
    MLOPS_ASSIGN(const auto revision, meta::get_revision_by_id(connection, meta::RevisionKind::kPolicy, id));
    view.policies.push_back({revision.id, revision.name, revision.digest});
  }
  return view;
}

Status check_wanted(const NewRelease& wanted) {
  MLOPS_TRY(model::check_artifact_name(wanted.name));
  if (wanted.members.empty() || wanted.members.size() > kMostMembers) {
    return fail(ErrorCode::kInvalid, "bad_release", fmt::format("a release has 1 to {} members", kMostMembers),
                "name them: --member model=NAME@v3");
  }
  for (const auto& [role, ref] : wanted.members) MLOPS_TRY(model::check_key(role, "role"));
  return {};
}

}  // namespace

Result<Promotion::MadeRelease> Promotion::create_release(const meta::Actor& actor, const NewRelease& wanted,
                                                         meta::Commit commit) {
  MLOPS_TRY(check_wanted(wanted));
  return store_.write<MadeRelease>(actor, commit, [&](meta::WriteTx& tx) -> Result<MadeRelease> {
    meta::NamedRelease release;
    release.name = wanted.name;
    std::set<std::string> artifacts;
    for (const auto& [role, ref] : wanted.members) {
      MLOPS_ASSIGN(const auto reference, model::parse_version_reference(ref));
      MLOPS_ASSIGN(auto version, meta::resolve(tx.sql(), reference));
      if (version.deleted_at_us != 0) {
        return fail(ErrorCode::kNotFound, "version_deleted",
                    fmt::format("{} was deleted: {}", version.ref(), version.deleted_reason));
      }
      if (!artifacts.insert(version.artifact_id).second) {
        return fail(ErrorCode::kInvalid, "duplicate_member",
                    fmt::format("the release would hold two versions of {}", version.name));
      }
      release.members.push_back(std::move(version));
      release.roles.push_back(role);
    }
    for (const auto& name : wanted.policies) {
      MLOPS_ASSIGN(const auto revision, meta::get_revision(tx.sql(), meta::RevisionKind::kPolicy, name));
      release.policy_revision_ids.push_back(revision.id);
    }
    tx.begin_entry("release.create", "release:" + wanted.name);
    MLOPS_ASSIGN(const auto made, meta::make_named_release(tx, release));
    MLOPS_ASSIGN(auto view, view_of(tx.sql(), made.row));
    return MadeRelease{std::move(view), made.is_new};
  });
}

Result<std::vector<model::ReleaseView>> Promotion::list_releases(const meta::ReleaseFilter& filter) {
  using Views = std::vector<model::ReleaseView>;
  return store_.read<Views>([&](sql::Connection& connection) -> Result<Views> {
    MLOPS_ASSIGN(const auto rows, meta::list_named_releases(connection, filter));
    Views views;
    for (const auto& row : rows) {
      MLOPS_ASSIGN(auto view, view_of(connection, row));
      views.push_back(std::move(view));
    }
    return views;
  });
}

Result<model::ReleaseView> Promotion::show_release(const std::string& name, std::int64_t number) {
  return store_.read<model::ReleaseView>([&](sql::Connection& connection) -> Result<model::ReleaseView> {
    MLOPS_ASSIGN(const auto row, meta::find_named_release(connection, name, number));
    return view_of(connection, row);
  });
}

// Policies that a named release brings along stand beside the environment's own; of several releases that come back
// each has its own.
Status Promotion::add_release_policies(sql::Connection& connection, const Wish& wish, Draft& draft) {
  const auto release_ids = wish.release_ids();
  for (std::size_t i = 0; i < release_ids.size(); ++i) {
    MLOPS_ASSIGN(const auto policies, meta::release_policies(connection, release_ids[i]));
    model::ReleasePart part;
    for (const auto& id : policies) {
      MLOPS_ASSIGN(auto revision, compliance_.policy_revision(connection, id));
      part.policies.push_back(revision.row.name);
      const bool is_known = std::any_of(draft.policies.begin(), draft.policies.end(),
                                        [&](const PolicyRevision& one) { return one.row.id == id; });
      if (is_known) continue;
      draft.plan.policies.push_back({revision.row.id, revision.row.name, revision.row.digest});
      draft.policies.push_back(std::move(revision));
    }
    if (wish.restores.empty()) continue;
    MLOPS_ASSIGN(const auto members, meta::release_members(connection, release_ids[i]));
    part.ref = wish.restores[i].ref;
    part.members = members.size();
    draft.facts.parts.push_back(std::move(part));
  }
  // One alone is judged like any other release.
  if (draft.facts.parts.size() < 2) draft.facts.parts.clear();
  return {};
}

// Where a plan says what moves: the name of the release and the roles of its members.
Status Promotion::add_release(sql::Connection& connection, const Wish& wish, Draft& draft) {
  auto& plan = draft.plan;
  // A dataset that will be masked moves under the name of its masked version.
  plan.release_kind = to_word(draft.facts.members.front().version.kind);
  plan.release_name = draft.facts.members.front().version.name;
  const auto release_ids = wish.release_ids();
  if (release_ids.empty()) return {};
  for (std::size_t i = 0; i < draft.members.size(); ++i) {
    const bool is_masked = draft.plan.masking || draft.members[i].id != wish.version_ids[i];
    if (!is_masked) continue;
    return fail(ErrorCode::kRefused, "release_needs_masking",
                fmt::format("a dataset of this release exceeds the clearance of {} and would be masked, which makes "
                            "another release",
                            plan.environment),
                "promote the dataset alone, then make a release with its masked version");
  }
  std::vector<std::string> roles;
  for (const auto& id : release_ids) {
    MLOPS_ASSIGN(const auto of_release, meta::release_roles(connection, id));
    roles.insert(roles.end(), of_release.begin(), of_release.end());
  }
  for (std::size_t i = 0; i < draft.facts.members.size() && i < roles.size(); ++i) {
    draft.facts.members[i].role = roles[i];
  }
  if (wish.release_id.empty()) return {};
  MLOPS_ASSIGN(const auto row, meta::get_release(connection, wish.release_id));
  plan.release_kind = row.kind;
  plan.release_name = row.name;
  plan.release_number = row.number;
  plan.release_id = row.id;
  return {};
}

}  // namespace mlops::domain
