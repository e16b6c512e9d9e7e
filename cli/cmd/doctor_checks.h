// What `doctor` looks at, one finding a check, and the pure parts of judging it.
// Thread-safety: pure functions and values. Units in names.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cli/cmd/lines.h"
#include "core/base/clock.h"
#include "core/base/json.h"

namespace mlops::cli {

enum class Health { kGood, kWarning, kBad };

struct Finding {
  std::string check;  // "clock"
  Health health = Health::kGood;
  std::string detail;  // what was seen
  std::string remedy;  // a command to type, or ""
};

// An HTTP date ("Mon, 23 Nov 2026 21:20:05 GMT", RFC 9110 section 5.6.7, the preferred form only); nullopt otherwise.
std::optional<TimestampUs> parse_http_date(std::string_view text);

Finding judge_clock(std::string_view date_header, TimestampUs now_us);
Finding judge_version(std::string_view ours, const Json& server);
Finding judge_identity(const Json& whoami, TimestampUs now_us);
Finding judge_disk(const std::string& directory, std::uint64_t free_bytes);

Lines finding_lines(const std::vector<Finding>& findings, const Style& style);
Json to_json(const Finding& finding);

}  // namespace mlops::cli
