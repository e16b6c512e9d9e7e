// The grammar of names. Everything a client may name is checked here before it reaches a query, a path or a log.
//
//   artifact    = segment *( "/" segment )              at most 8 segments, 200 bytes
//   segment     = ( a-z / 0-9 ) *62( a-z / 0-9 / "." / "_" / "-" ), ending in a letter or digit, without ".."
//   alias       = a-z *62( a-z / 0-9 / "." / "_" / "-" ), not "v" followed by digits
//   environment = segment *( "/" segment )              at most 4 segments, 100 bytes
//   principal   = 1–64 of a-z 0-9 . _ @ -               (people and services)
//   key         = 1–64 of A-Z a-z 0-9 . _ / -           (labels, params)
//   metric      = key [ "{" key "=" group "}" ]         at most 200 bytes; "auc{sex=F}": the metric of a group
//   group       = 1–64 of the letters of a key, "+" "<" ">"
// Errors: kInvalid "bad_name" saying which rule and where. Thread-safety: pure functions.
#pragma once

#include <string_view>

#include "core/base/result.h"

namespace mlops::model {

Status check_artifact_name(std::string_view name);
Status check_alias(std::string_view alias);
Status check_environment_name(std::string_view name);
Status check_principal_name(std::string_view name);
Status check_key(std::string_view key, std::string_view what);
Status check_metric_name(std::string_view name);
// A path inside an artifact: relative, '/'-separated, valid UTF-8, no empty, "." or ".." segment, no control byte,
// no backslash; at most 1,024 bytes.
Status check_file_path(std::string_view path);
// Free text (reasons, descriptions): valid UTF-8, no control bytes but newline and tab, at most 4,096 bytes.
Status check_free_text(std::string_view text, std::string_view what);

}  // namespace mlops::model
