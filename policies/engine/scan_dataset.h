// Profiling data nobody has declared yet: what each column probably is, how sure that is and on which counts, and a
// draft policy to start from. Counts and positions only, never a value. Thread-safety: values and free functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "policies/data/column_stats.h"
#include "policies/data/record.h"
#include "policies/detect/detector.h"

namespace mlops::policy {

// The reason of a class that the format's own standard gives; a policy need not repeat it.
inline constexpr std::string_view kByStandard = "FHIR R4";

struct DetectorCount {
  std::string detector;
  std::uint64_t cells = 0;  // it found something in, at 0.5 or above
};

struct ColumnProfile {
  std::string column;
  std::string class_name;  // a word of classes()
  double confidence = 0;   // 0–1
  std::string because;     // "detector us_ssn in 27 of 27 cells", "column name", "few values" …
  data::ColumnStats stats;
  std::vector<DetectorCount> evidence;  // most cells first
};

struct FileProfile {
  std::string table;  // the file's name without folder and ending
  std::uint64_t records = 0;
  std::vector<ColumnProfile> columns;
};

// Reads all records. Errors: kRefused "header_missing"; those of the reader.
Result<FileProfile> scan_file(const std::string& table, data::RecordReader& reader);

// Lets the files of one dataset explain each other: keys that join tables are of one class, a blank or doubtful column
// is what its namesakes are, and the names in a table of organizations are not people's.
void reconcile(std::vector<FileProfile>& files);

// A policy that declares every column as it was found, extends `pack` ("hipaa-safe-harbor") and keeps keys joinable.
// The text lints clean. REQUIRES: at least one file.
std::string draft_policy(const std::string& name, const std::string& pack, const std::vector<FileProfile>& files);

Json to_json(const FileProfile& file);

}  // namespace mlops::policy
