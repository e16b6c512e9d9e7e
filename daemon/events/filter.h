// Which events somebody wants, and which ones a reader may see. Thread-safety: values and pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/model/principal.h"
#include "storage/meta/events.h"

namespace mlops::events {

struct Filter {
  std::vector<std::string> patterns;  // "*", "release.*", "release.promote"; empty: all
  std::string subject;                // empty: all
  std::string environment;            // empty: all
};

// Patterns of actions or of CloudEvents types ("mlops.release.promote.v1" is "release.promote").
// Errors: kInvalid "bad_event_pattern".
Result<std::vector<std::string>> parse_patterns(const std::vector<std::string>& texts);

// By its action alone: the cheap question, before complete().
bool wants_action(const Filter& filter, std::string_view action);
// REQUIRES: the event is complete.
bool matches(const Filter& filter, const meta::Event& event);

// What the scope of reading shows: versions, plans, what runs, environments and policies. All else (tokens, keys,
// erasures, …) needs the scope of the audit log.
model::Scope scope_to_see(std::string_view action);

}  // namespace mlops::events
