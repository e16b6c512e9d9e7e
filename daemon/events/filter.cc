#include "daemon/events/filter.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"

namespace mlops::events {
namespace {

constexpr std::size_t kPatternsMax = 64;
constexpr std::size_t kPatternBytesMax = 64;
constexpr std::string_view kTypePrefix = "mlops.";
constexpr std::string_view kTypeSuffix = ".v1";

// The first word of the actions that every reader sees.
constexpr std::string_view kReadable[] = {"alias",  "dataset", "delivery", "environment", "freeze",  "plan",
                                          "policy", "release", "rollout",  "tenant",      "version", "wave"};

bool is_pattern(std::string_view text) {
  if (text == "*") return true;
  if (text.ends_with(".*")) text.remove_suffix(2);
  const auto is_word = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.'; };
  return !text.empty() && text.size() <= kPatternBytesMax && text.front() != '.' && text.back() != '.' &&
         std::all_of(text.begin(), text.end(), is_word);
}

bool matches_pattern(std::string_view pattern, std::string_view action) {
  if (pattern == "*") return true;
  if (!pattern.ends_with(".*")) return pattern == action;
  pattern.remove_suffix(1);
  return action.starts_with(pattern);
}

}  // namespace

Result<std::vector<std::string>> parse_patterns(const std::vector<std::string>& texts) {
  std::vector<std::string> patterns;
  for (const auto& text : texts) {
    for (std::string_view word : split(text, ',')) {
      word = trim(word);
      if (word.starts_with(kTypePrefix)) word.remove_prefix(kTypePrefix.size());
      if (word.ends_with(kTypeSuffix)) word.remove_suffix(kTypeSuffix.size());
      if (!is_pattern(word)) {
        return fail(ErrorCode::kInvalid, "bad_event_pattern",
                    fmt::format("\"{}\" is not a kind of event", printable(word.substr(0, kPatternBytesMax))),
                    "write *, release.* or release.promote");
      }
      patterns.emplace_back(word);
    }
  }
  if (patterns.size() > kPatternsMax) {
    return fail(ErrorCode::kInvalid, "bad_event_pattern", fmt::format("at most {} kinds of events", kPatternsMax));
  }
  return patterns;
}

bool wants_action(const Filter& filter, std::string_view action) {
  return filter.patterns.empty() || std::any_of(filter.patterns.begin(), filter.patterns.end(),
                                                [&](const auto& p) { return matches_pattern(p, action); });
}

bool matches(const Filter& filter, const meta::Event& event) {
  if (!filter.subject.empty() && filter.subject != event.subject) return false;
  if (!filter.environment.empty() && filter.environment != event.environment) return false;
  return wants_action(filter, event.action);
}

model::Scope scope_to_see(std::string_view action) {
  const auto family = action.substr(0, action.find('.'));
  const bool is_readable = std::find(std::begin(kReadable), std::end(kReadable), family) != std::end(kReadable);
  return is_readable ? model::Scope::kRead : model::Scope::kAuditRead;
}

}  // namespace mlops::events
