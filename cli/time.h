// Times as people write and read them: --as-of on the way in, "3 min ago" on the way out. UTC throughout.
// Thread-safety: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace mlops::cli {

class Session;

// What --as-of takes: RFC 3339, a date (its first moment, UTC), "YYYY-MM-DD HH:MM[:SS]", "now", "today" (its first
// moment, UTC), "yesterday" (24 hours ago), "2h ago", "3 days ago", "90s ago".
// Errors: kInvalid "bad_time" with examples; kInvalid "future_time" for a time after `now_us`.
Result<TimestampUs> parse_as_of(std::string_view text, TimestampUs now_us);

// "just now", "3 min ago", "2 h ago", "5 d ago", "in 3 d"; beyond 60 days the date.
std::string relative_time(TimestampUs time_us, TimestampUs now_us);
// "2026-11-23T20:15:01Z".
std::string iso_seconds(TimestampUs time_us);

// A time of the API for a table cell: relative on a TTY, RFC 3339 UTC elsewhere; "" for "", the text itself when it is
// not a time.
std::string show_time(const Session& session, std::string_view rfc3339);

}  // namespace mlops::cli
