#include "storage/meta/version_rows.h"

#include <fmt/format.h>

#include "core/base/json.h"

namespace mlops::meta {
namespace {

Failure bad_row(const sql::Cursor& cursor, std::string_view column) {
  return fail(ErrorCode::kCorrupt, "bad_row",
              fmt::format("the version row {} has an unreadable {}", cursor.text(0), column),
              "run `mlopsctl audit verify`");
}

Status read_json_columns(const sql::Cursor& cursor, model::Version& version) {
  try {
    version.params = Json::parse(cursor.text_view(11)).get<std::map<std::string, std::string>>();
    version.metrics = Json::parse(cursor.text_view(12)).get<std::map<std::string, double>>();
    if (!cursor.is_null(14)) {
      const auto git = Json::parse(cursor.text_view(14));
      version.git = model::GitSource{git.at("commit"), git.at("branch"), git.at("remote"), git.at("dirty")};
    }
    return {};
  } catch (const Json::exception&) {
    return bad_row(cursor, "JSON column");
  }
}

}  // namespace

Result<model::Version> read_version(const sql::Cursor& cursor) {
  model::Version version;
  version.id = cursor.text(0);
  version.artifact_id = cursor.text(1);
  const auto kind = model::artifact_kind_from_word(cursor.text_view(2));
  if (!kind) return bad_row(cursor, "kind");
  version.kind = *kind;
  version.name = cursor.text(3);
  version.number = cursor.integer(4);
  auto digest = crypto::Digest::parse_hex(cursor.text_view(5));
  if (!digest) return bad_row(cursor, "digest");
  version.digest = *digest;
  version.size_bytes = static_cast<std::uint64_t>(cursor.integer(6));
  version.file_count = static_cast<std::uint64_t>(cursor.integer(7));
  const auto own = model::sensitivity_from_word(cursor.text_view(8));
  const auto effective = model::sensitivity_from_word(cursor.text_view(9));
  if (!own || !effective) return bad_row(cursor, "sensitivity");
  version.own_sensitivity = *own;
  version.sensitivity = *effective;
  version.sensitivity_assumed = cursor.integer(10) != 0;
  MLOPS_TRY(read_json_columns(cursor, version));
  version.description = cursor.text(13);
  version.created_at_us = cursor.integer(15);
  version.created_by = cursor.text(16);
  version.deprecated_reason = cursor.text(17);
  version.deleted_at_us = cursor.integer(18);
  version.deleted_reason = cursor.text(19);
  return version;
}

}  // namespace mlops::meta
