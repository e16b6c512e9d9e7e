#include "cli/cmd/query.h"

#include <filesystem>
#include <iostream>
#include <iterator>

#include "cli/cmd/fields.h"
#include "cli/cmd/run.h"
#include "core/base/env.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

constexpr std::size_t kPage = 1000;
constexpr std::size_t kTextLimitBytes = 1u << 20;

// Calls take(item) for each item of each page until it gives false. `first_page`: items asked for in the first request;
// 0 leaves it to the server, for short lists have one page only and take no limit.
template <class Take>
Status each_item(ApiClient& api, const Query& query, std::size_t first_page, Take take) {
  std::string after;
  do {
    Query next = query;
    const auto page = after.empty() ? first_page : kPage;
    next.add("limit", page == 0 ? std::string() : std::to_string(page)).add("after", after);
    MLOPS_ASSIGN(const Json answer, api.get(next.text()));
    for (const auto& item : array_of(answer, "items")) {
      if (!take(item)) return {};
    }
    const auto cursor = text_of(answer, "next");
    // A server that repeats a cursor would keep us here for ever.
    if (!cursor.empty() && cursor == after) break;
    after = cursor;
  } while (!after.empty());
  return {};
}

}  // namespace

Query& Query::add(std::string_view key, std::string_view value) {
  if (value.empty()) return *this;
  text_ += text_.find('?') == std::string::npos ? '?' : '&';
  text_.append(key).append("=").append(url_encode(value));
  return *this;
}

Query& Query::add_times(const Session& session) {
  return add("as_of", session.as_of()).add("known_at", session.known_at());
}

std::string item_path(std::string_view noun, std::string_view ref, std::string_view suffix) {
  return "/api/v1/" + std::string(noun) + "/" + url_encode(ref) + std::string(suffix);
}

Result<Json> fetch_list(ApiClient& api, const Query& query, std::size_t limit) {
  Json items = Json::array();
  const auto page = limit == kNoLimit ? 0 : std::min(limit, kPage);
  MLOPS_TRY(each_item(api, query, page, [&](const Json& item) {
    items.push_back(item);
    return limit == kNoLimit || items.size() < limit;
  }));
  return items;
}

Result<Json> fetch_tail(ApiClient& api, const Query& query, std::size_t limit) {
  if (limit == kNoLimit) return fetch_list(api, query, kNoLimit);
  std::vector<Json> ring(limit);
  std::size_t seen = 0;
  MLOPS_TRY(each_item(api, query, kPage, [&](const Json& item) {
    ring[seen++ % limit] = item;
    return true;
  }));
  Json items = Json::array();
  for (std::size_t i = seen > limit ? seen - limit : 0; i < seen; ++i) items.push_back(std::move(ring[i % limit]));
  return items;
}

Result<std::size_t> limit_option(const Session& session, std::size_t fallback) {
  const auto text = session.option("--limit");
  if (!text) return fallback;
  constexpr std::int64_t kMax = 1'000'000;
  const auto number = parse_int(*text);
  if (!number || *number < 0 || *number > kMax) {
    return usage_error("--limit takes a whole number from 0 (all) to 1000000", "for example --limit 20");
  }
  return static_cast<std::size_t>(*number);
}

Result<NamedText> read_named_text(const std::string& path) {
  if (path != "-") {
    MLOPS_ASSIGN(auto text, read_file(path, kTextLimitBytes));
    return NamedText{std::move(text), std::filesystem::path(path).filename().string()};
  }
  std::string text;
  char piece[1 << 14];
  while (std::cin.read(piece, sizeof piece), std::cin.gcount() > 0) {
    text.append(piece, static_cast<std::size_t>(std::cin.gcount()));
    if (text.size() > kTextLimitBytes) {
      return fail(ErrorCode::kInvalid, "file_too_large", "standard input is longer than 1 MiB");
    }
  }
  return NamedText{std::move(text), "stdin"};
}

Json with_dry_run(const Session& session, Json body) {
  if (session.dry_run()) body["dry_run"] = true;
  return body;
}

Json with_override(const Session& session, Json body) {
  if (!session.flag("--override")) return body;
  body["override"] = true;
  body["reason"] = session.option("--reason").value_or("");
  return body;
}

Json facts_of(const Error& error) {
  if (error.detail.empty()) return Json::object();
  auto facts = parse_json(error.detail);
  return facts && facts->is_object() ? std::move(*facts) : Json::object();
}

}  // namespace mlops::cli
