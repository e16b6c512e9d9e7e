#include "storage/meta/releases.h"

#include <fmt/format.h>

#include "core/base/text.h"
#include "core/crypto/digest.h"
#include "storage/meta/interval.h"
#include "storage/meta/version_rows.h"
#include "storage/sql/rows.h"

namespace mlops::meta {
namespace {

constexpr std::string_view kFindRelease =
    "SELECT id, number FROM releases WHERE name = $1 AND kind = $2 AND digest = $3";
constexpr std::string_view kNextRelease =
    "SELECT COALESCE(MAX(number), 0) + 1 FROM releases WHERE name = $1 AND kind = $2";
constexpr std::string_view kInsertRelease =
    "INSERT INTO releases (id, kind, name, number, digest, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
constexpr std::string_view kInsertMember =
    "INSERT INTO release_members (id, release_id, position, version_id) VALUES ($1, $2, $3, $4)";
constexpr std::string_view kInsertPart = "INSERT INTO release_parts (id, role) VALUES ($1, $2)";
constexpr std::string_view kInsertReleasePolicy =
    "INSERT INTO release_policies (id, release_id, policy_revision_id) VALUES ($1, $2, $3)";
constexpr std::string_view kRoles =
    "SELECT COALESCE(p.role, '') FROM release_members m LEFT JOIN release_parts p ON p.id = m.id WHERE m.release_id = "
    "$1 "
    "ORDER BY m.position";
constexpr std::string_view kReleasePolicies =
    "SELECT policy_revision_id FROM release_policies WHERE release_id = $1 ORDER BY id";
constexpr std::string_view kGetRelease =
    "SELECT id, kind, name, number, digest, created_at FROM releases WHERE id = $1";
constexpr std::string_view kNamed =
    "SELECT id, kind, name, number, digest, created_at FROM releases WHERE kind = 'release' AND name = $1 AND number = "
    "$2";
constexpr std::string_view kMembers =
    "SELECT " MLOPS_VERSION_COLUMNS
    " FROM release_members m JOIN versions v ON v.id = m.version_id JOIN artifacts a ON a.id = v.artifact_id "
    "WHERE m.release_id = $1 ORDER BY m.position";
// Members by typed reference and digest: the same content under another name is another release.
Json members_json(const std::vector<model::Version>& members) {
  Json list = Json::array();
  for (const auto& member : members) {
    list.push_back({{"version", member.typed_ref()}, {"digest", member.digest.to_string()}});
  }
  return list;
}

std::string digest_of(const NamedRelease& wanted) {
  auto members = members_json(wanted.members);
  for (std::size_t i = 0; i < members.size(); ++i) members[i]["role"] = wanted.roles[i];
  return crypto::sha256(canonical_dump({{"members", std::move(members)}, {"policies", wanted.policy_revision_ids}}))
      .to_string();
}

ReleaseRow read_release(const sql::Cursor& cursor) {
  return {cursor.text(0), cursor.text(1), cursor.text(2), cursor.integer(3), cursor.text(4), cursor.integer(5)};
}

Result<std::vector<std::string>> read_words(sql::Cursor cursor) {
  std::vector<std::string> words;
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return words;
    words.push_back(cursor.text(0));
  }
}

// By name, kind and digest; made with its members when it does not exist. `member_ids` become those of the new rows.
Result<MadeRelease> upsert(WriteTx& tx, ReleaseRow release, const std::vector<model::Version>& members,
                           std::vector<std::string>& member_ids) {
  const std::string_view name = release.name;
  const std::string_view kind = release.kind;
  {
    MLOPS_ASSIGN(auto cursor, tx.sql().query(kFindRelease, {name, kind, std::string_view(release.digest)}));
    MLOPS_ASSIGN(const bool found, cursor.next());
    if (found) {
      release.id = cursor.text(0);
      release.number = cursor.integer(1);
      return MadeRelease{std::move(release), false};
    }
  }
  {
    MLOPS_ASSIGN(auto cursor, tx.sql().query(kNextRelease, {name, kind}));
    MLOPS_TRY(cursor.next());
    release.number = cursor.integer(0);
  }
  release.id = tx.new_id();
  release.created_at_us = tx.now_us();
  MLOPS_TRY(tx.touch("releases", release.id));
  MLOPS_TRY(tx.sql().execute(kInsertRelease, {std::string_view(release.id), kind, name, release.number,
                                              std::string_view(release.digest), release.created_at_us}));
  for (std::size_t i = 0; i < members.size(); ++i) {
    member_ids.push_back(tx.new_id());
    MLOPS_TRY(tx.touch("release_members", member_ids.back()));
    MLOPS_TRY(tx.sql().execute(kInsertMember, {std::string_view(member_ids.back()), std::string_view(release.id),
                                               static_cast<std::int64_t>(i), std::string_view(members[i].id)}));
  }
  return MadeRelease{std::move(release), true};
}

}  // namespace

Result<ReleaseRow> upsert_release(WriteTx& tx, const std::vector<model::Version>& members) {
  const auto& first = members.front();
  const auto digest = crypto::sha256(canonical_dump(members_json(members))).to_string();
  std::vector<std::string> member_ids;
  MLOPS_ASSIGN(auto made,
               upsert(tx, {{}, std::string(to_word(first.kind)), first.name, 0, digest}, members, member_ids));
  return std::move(made.row);
}

Result<MadeRelease> make_named_release(WriteTx& tx, const NamedRelease& wanted) {
  std::vector<std::string> member_ids;
  MLOPS_ASSIGN(auto made, upsert(tx, {{}, std::string(kNamedRelease), wanted.name, 0, digest_of(wanted)},
                                 wanted.members, member_ids));
  if (!made.is_new) return made;
  for (std::size_t i = 0; i < member_ids.size(); ++i) {
    MLOPS_TRY(tx.touch("release_parts", member_ids[i]));
    MLOPS_TRY(tx.sql().execute(kInsertPart, {std::string_view(member_ids[i]), std::string_view(wanted.roles[i])}));
  }
  for (const auto& revision : wanted.policy_revision_ids) {
    const auto id = tx.new_id();
    MLOPS_TRY(tx.touch("release_policies", id));
    MLOPS_TRY(tx.sql().execute(kInsertReleasePolicy,
                               {std::string_view(id), std::string_view(made.row.id), std::string_view(revision)}));
  }
  return made;
}

Result<ReleaseRow> find_named_release(sql::Connection& connection, const std::string& name, std::int64_t number) {
  MLOPS_ASSIGN(auto cursor, connection.query(kNamed, {std::string_view(name), number}));
  MLOPS_ASSIGN(const bool found, cursor.next());
  if (found) return read_release(cursor);
  return fail(ErrorCode::kNotFound, "release_not_found",
              fmt::format("there is no release:{}@r{}", printable(name), number), "`mlopsctl release list` shows them");
}

Result<ReleaseRow> get_release(sql::Connection& connection, const std::string& id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kGetRelease, {std::string_view(id)}));
  MLOPS_ASSIGN(const bool found, cursor.next());
  if (found) return read_release(cursor);
  return fail(ErrorCode::kCorrupt, "release_missing", "a stored plan names a release that is not there",
              "run `mlopsctl audit verify`");
}

Result<std::vector<ReleaseRow>> list_named_releases(sql::Connection& connection, const ReleaseFilter& filter) {
  std::string query = "SELECT id, kind, name, number, digest, created_at FROM releases WHERE kind = 'release'";
  std::vector<sql::Value> values;
  const auto add = [&](std::string_view clause, std::string_view value) {
    if (value.empty()) return;
    values.emplace_back(value);
    query += fmt::format(fmt::runtime(clause), values.size());
  };
  add(" AND name = ${}", filter.name);
  add(" AND id < ${}", filter.after_id);
  values.emplace_back(static_cast<std::int64_t>(filter.limit));
  query += fmt::format(" ORDER BY id DESC LIMIT ${}", values.size());
  MLOPS_ASSIGN(auto cursor, connection.query_text(query, values));
  return sql::read_all(std::move(cursor), read_release);
}

Result<std::vector<std::string>> release_roles(sql::Connection& connection, const std::string& release_id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kRoles, {std::string_view(release_id)}));
  return read_words(std::move(cursor));
}

Result<std::vector<std::string>> release_policies(sql::Connection& connection, const std::string& release_id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kReleasePolicies, {std::string_view(release_id)}));
  return read_words(std::move(cursor));
}

Result<std::string> find_release_id(sql::Connection& connection, const std::vector<model::Version>& members) {
  const auto& first = members.front();
  const auto digest = crypto::sha256(canonical_dump(members_json(members))).to_string();
  MLOPS_ASSIGN(auto cursor, connection.query(kFindRelease, {std::string_view(first.name), to_word(first.kind),
                                                            std::string_view(digest)}));
  MLOPS_ASSIGN(const bool found, cursor.next());
  return found ? cursor.text(0) : std::string();
}

Result<std::vector<model::Version>> release_members(sql::Connection& connection, const std::string& release_id) {
  MLOPS_ASSIGN(auto cursor, connection.query(kMembers, {std::string_view(release_id)}));
  std::vector<model::Version> members;
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return members;
    MLOPS_ASSIGN(auto version, read_version(cursor));
    members.push_back(std::move(version));
  }
}

}  // namespace mlops::meta
