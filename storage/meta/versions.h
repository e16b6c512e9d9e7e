// Artifacts, versions, their manifests, labels and aliases: rows, resolution of references, lists.
//
// `as_of_us` (0: now) asks for the state at that moment; a version registered later does not exist then.
// Errors: kNotFound "artifact_not_found", "version_not_found", "alias_not_found", "nothing_runs"; kConflict
// "ambiguous_reference" with the candidates in message and detail. Thread-safety: as its connection.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/model/reference.h"
#include "core/model/version.h"
#include "storage/meta/store.h"

namespace mlops::meta {

struct ArtifactRow {
  std::string id;
  model::ArtifactKind kind = model::ArtifactKind::kModel;
  std::string name;
  std::int64_t last_number = 0;
};

Result<std::optional<ArtifactRow>> find_artifact(sql::Connection& connection, model::ArtifactKind kind,
                                                 const std::string& name);
// All artifacts a bare name may mean. Errors: kNotFound with the nearest name as hint.
Result<std::vector<ArtifactRow>> find_artifacts(sql::Connection& connection, std::optional<model::ArtifactKind> kind,
                                                const std::string& name);
// The one artifact of that name, or kConflict with the candidates.
Result<ArtifactRow> the_artifact(sql::Connection& connection, std::optional<model::ArtifactKind> kind,
                                 const std::string& name);
struct ArtifactFilter {
  std::optional<model::ArtifactKind> kind;
  std::string prefix;
  std::string after;  // cursor: "name:kind"
  std::size_t limit = 100;
};
Result<std::vector<ArtifactRow>> list_artifacts(sql::Connection& connection, const ArtifactFilter& filter);
Result<std::int64_t> count_versions(sql::Connection& connection, const std::string& artifact_id);

// REQUIRES: the reference names a version (parse_version_reference). Deleted versions resolve (as tombstones).
Result<model::Version> resolve(sql::Connection& connection, const model::Reference& reference,
                               TimestampUs as_of_us = 0);
Result<model::Version> get_version(sql::Connection& connection, const std::string& id);
Result<std::optional<model::Version>> find_by_content(sql::Connection& connection, const std::string& artifact_id,
                                                      const crypto::Digest& digest);
struct VersionFilter {
  std::optional<model::ArtifactKind> kind;
  std::string name;
  std::string label_name;
  std::string label_value;
  bool include_deleted = false;
  TimestampUs as_of_us = 0;
  std::string after_id;  // cursor: versions older than this one
  std::size_t limit = 100;
};
// Newest first.
Result<std::vector<model::Version>> list_versions(sql::Connection& connection, const VersionFilter& filter);

Result<std::map<std::string, std::string>> labels_of(sql::Connection& connection, const std::string& version_id,
                                                     TimestampUs as_of_us = 0);
Result<std::vector<std::string>> aliases_of(sql::Connection& connection, const std::string& version_id,
                                            TimestampUs as_of_us = 0);
Result<std::map<std::string, std::string>> aliases_of_artifact(sql::Connection& connection,
                                                               const std::string& artifact_id);  // alias → version id
Result<std::optional<std::string>> alias_target(sql::Connection& connection, const std::string& artifact_id,
                                                const std::string& alias, TimestampUs as_of_us = 0);
Result<std::string> manifest_body(sql::Connection& connection, const crypto::Digest& digest);
// The highest sensitivity that any version gave these bytes, whatever its name; nullopt: never seen.
Result<std::optional<model::Sensitivity>> content_label(sql::Connection& connection, const crypto::Digest& file);
// Every stored manifest, for fsck.
Result<std::vector<std::pair<std::string, std::string>>> all_manifests(sql::Connection& connection);

Result<ArtifactRow> upsert_artifact(WriteTx& tx, model::ArtifactKind kind, const std::string& name);
// Takes the next number of its artifact. REQUIRES: version.artifact_id exists.
Status insert_version(WriteTx& tx, model::Version& version, const std::string& manifest_body);
// Derived data, not audited: raises the label of a file's bytes, never lowers it.
Status raise_content_label(WriteTx& tx, const crypto::Digest& file, model::Sensitivity label);
Status set_label(WriteTx& tx, const std::string& version_id, const std::string& name,
                 const std::optional<std::string>& value);  // nullopt removes
Status set_alias(WriteTx& tx, const std::string& artifact_id, const std::string& alias,
                 const std::optional<std::string>& version_id);
Status set_deprecated(WriteTx& tx, const std::string& version_id, const std::string& reason);
Status set_deleted(WriteTx& tx, const std::string& version_id, const std::string& reason);

}  // namespace mlops::meta
