// Paths and queries of the native API, and lists followed page by page.
// Thread-safety: values; fetch_* as the ApiClient.
#pragma once

#include <string>
#include <string_view>

#include "cli/session.h"

namespace mlops::cli {

class Query {
 public:
  explicit Query(std::string path) : text_(std::move(path)) {}
  // An empty value is left out.
  Query& add(std::string_view key, std::string_view value);
  // --as-of and --known-at.
  Query& add_times(const Session& session);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// "/api/v1/<noun>/<encoded ref><suffix>".
std::string item_path(std::string_view noun, std::string_view ref, std::string_view suffix = {});

inline constexpr std::size_t kNoLimit = 0;

// The items of a list over all its pages, at most `limit` (kNoLimit: all). An array.
Result<Json> fetch_list(ApiClient& api, const Query& query, std::size_t limit);
// As fetch_list, but the last `limit` items of the whole list, in its order.
Result<Json> fetch_tail(ApiClient& api, const Query& query, std::size_t limit);

// --limit N: `fallback` when absent, 0 means all. Errors: kInvalid "usage".
Result<std::size_t> limit_option(const Session& session, std::size_t fallback);
// A file's text, "-" for standard input; and the name under which messages and rules cite it (its last part, so that
// no path of this machine is recorded). Errors: kNotFound "file_not_found", kInvalid "file_too_large".
struct NamedText {
  std::string text;
  std::string origin;
};
Result<NamedText> read_named_text(const std::string& path);
// `body` with "dry_run": true when the session asks for it.
Json with_dry_run(const Session& session, Json body);
// `body` with "override" and "reason" when the session asks to change by hand what a Git source owns.
Json with_override(const Session& session, Json body);
inline const Option kOverrideOption{.name = "--override",
                                    .help = "change it although a Git source owns it; needs --reason"};
inline const Option kOverrideReasonOption{.name = "--reason", .value_name = "TEXT", .help = "why it is overridden"};
// The facts a server's error carries; an empty object when there are none.
Json facts_of(const Error& error);

}  // namespace mlops::cli
