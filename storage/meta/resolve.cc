// References → versions: the one place where a name in any of its forms becomes a row.
#include <fmt/format.h>

#include "storage/meta/interval.h"
#include "storage/meta/version_rows.h"
#include "storage/meta/versions.h"

namespace mlops::meta {
namespace {

using model::Reference;

constexpr std::string_view kByNumber = "SELECT " MLOPS_VERSION_COLUMNS
                                       " FROM versions v JOIN artifacts a ON a.id = v.artifact_id "
                                       "WHERE a.name = $1 AND v.number = $2 AND v.created_at <= $3 ORDER BY a.kind";
constexpr std::string_view kByDigestPrefix =
    "SELECT " MLOPS_VERSION_COLUMNS
    " FROM versions v JOIN artifacts a ON a.id = v.artifact_id "
    "WHERE a.name = $1 AND v.digest >= $2 AND v.digest < $3 AND v.created_at <= $4 "
    "ORDER BY a.kind, v.deleted_at IS NOT NULL, v.number";
constexpr std::string_view kByAlias =
    "SELECT " MLOPS_VERSION_COLUMNS
    " FROM aliases x JOIN versions v ON v.id = x.version_id JOIN artifacts a ON a.id = v.artifact_id "
    "WHERE a.name = $1 AND x.alias = $2 AND x.valid_from <= $3 AND (x.valid_to IS NULL OR x.valid_to > $3) "
    "ORDER BY a.kind";
// What an environment runs: the release's first member, which is the release's namesake.
constexpr std::string_view kByEnvironment =
    "SELECT " MLOPS_VERSION_COLUMNS
    " FROM deployments d JOIN release_members m ON m.release_id = d.release_id AND m.position = 0 "
    "JOIN versions v ON v.id = m.version_id JOIN artifacts a ON a.id = v.artifact_id "
    "WHERE d.environment = $1 AND d.name = $2 AND d.kind <> 'release' AND d.valid_from <= $3 "
    "AND (d.valid_to IS NULL OR d.valid_to > $3) ORDER BY a.kind";
// Or a member of a release that has another name.
constexpr std::string_view kByMember =
    "SELECT " MLOPS_VERSION_COLUMNS
    " FROM deployments d JOIN release_members m ON m.release_id = d.release_id "
    "JOIN versions v ON v.id = m.version_id JOIN artifacts a ON a.id = v.artifact_id "
    "WHERE d.environment = $1 AND a.name = $2 AND d.valid_from <= $3 AND (d.valid_to IS NULL OR d.valid_to > $3) "
    "ORDER BY a.kind";

Result<std::vector<model::Version>> read_candidates(sql::Cursor cursor, const Reference& reference) {
  std::vector<model::Version> versions;
  while (true) {
    MLOPS_ASSIGN(const bool more, cursor.next());
    if (!more) return versions;
    MLOPS_ASSIGN(auto version, read_version(cursor));
    if (!reference.kind || version.kind == *reference.kind) versions.push_back(std::move(version));
  }
}

Result<std::vector<model::Version>> candidates(sql::Connection& connection, const Reference& reference,
                                               TimestampUs as_of_us) {
  const std::string_view name = reference.name;
  const std::string_view text = reference.text;
  const auto at = moment(as_of_us);
  switch (reference.selector) {
    case Reference::Selector::kNumber: {
      MLOPS_ASSIGN(auto cursor, connection.query(kByNumber, {name, reference.number, at}));
      return read_candidates(std::move(cursor), reference);
    }
    case Reference::Selector::kDigest: {
      const auto end = reference.text + "g";  // after every hex digit
      MLOPS_ASSIGN(auto cursor, connection.query(kByDigestPrefix, {name, text, std::string_view(end), at}));
      return read_candidates(std::move(cursor), reference);
    }
    case Reference::Selector::kAlias: {
      MLOPS_ASSIGN(auto cursor, connection.query(kByAlias, {name, text, at}));
      return read_candidates(std::move(cursor), reference);
    }
    case Reference::Selector::kEnvironment: {
      MLOPS_ASSIGN(auto cursor, connection.query(kByEnvironment, {text, name, at}));
      MLOPS_ASSIGN(auto namesakes, read_candidates(std::move(cursor), reference));
      if (!namesakes.empty()) return namesakes;
      MLOPS_ASSIGN(auto members, connection.query(kByMember, {text, name, at}));
      return read_candidates(std::move(members), reference);
    }
    case Reference::Selector::kBare:
      break;
  }
  return fail(ErrorCode::kInvalid, "version_needed",
              fmt::format("\"{}\" names an artifact, not one version of it", reference.name), "add @v1, for instance");
}

// The same content may stand as a tombstone and, registered again, as a live version: the live one is meant.
void drop_shadowed_tombstones(std::vector<model::Version>& versions) {
  std::erase_if(versions, [&](const model::Version& version) {
    if (version.deleted_at_us == 0) return false;
    for (const auto& other : versions) {
      if (other.id != version.id && other.artifact_id == version.artifact_id && other.digest == version.digest &&
          (other.deleted_at_us == 0 || other.number > version.number)) {
        return true;
      }
    }
    return false;
  });
}

Failure not_found(const Reference& reference) {
  if (reference.selector == Reference::Selector::kEnvironment) {
    return fail(ErrorCode::kNotFound, "nothing_runs", fmt::format("{} runs no \"{}\"", reference.text, reference.name),
                "`mlopsctl status` shows what runs where");
  }
  return fail(ErrorCode::kNotFound, "version_not_found", fmt::format("there is no {}", reference.to_string()),
              fmt::format("`mlopsctl list {}` shows its versions", reference.name));
}

}  // namespace

Result<model::Version> resolve(sql::Connection& connection, const Reference& reference, TimestampUs as_of_us) {
  MLOPS_ASSIGN(auto versions, candidates(connection, reference, as_of_us));
  drop_shadowed_tombstones(versions);
  if (versions.size() == 1) return std::move(versions.front());
  if (versions.empty()) {
    MLOPS_TRY(find_artifacts(connection, reference.kind, reference.name));
    return not_found(reference);
  }
  Json words = Json::array();
  std::string listed;
  for (const auto& version : versions) {
    words.push_back(version.typed_ref());
    listed += fmt::format("{}{} (sha256:{})", listed.empty() ? "" : ", ", version.typed_ref(),
                          version.digest.hex().substr(0, 12));
  }
  return fail(ErrorCode::kConflict, "ambiguous_reference",
              fmt::format("{} could be: {}", reference.to_string(), listed), "name one of them",
              canonical_dump({{"candidates", std::move(words)}}));
}

}  // namespace mlops::meta
