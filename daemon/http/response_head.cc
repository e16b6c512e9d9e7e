#include "daemon/http/response_head.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "core/base/text.h"
#include "daemon/http/error_map.h"

namespace mlops::http {
namespace {

// Every answer has these unless its handler says otherwise.
struct DefaultHeader {
  std::string_view lower_name;
  std::string_view line;
};
constexpr DefaultHeader kDefaults[] = {
    {"x-content-type-options", "X-Content-Type-Options: nosniff\r\n"},
    {"cache-control", "Cache-Control: no-store\r\n"},
};
constexpr std::string_view kContentPolicy = "Content-Security-Policy: default-src 'none'; sandbox\r\n";

bool is_line(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

bool is_name(std::string_view text) {
  return !text.empty() && is_line(text) && text.find_first_of(" :") == text.npos;
}

bool same_name(std::string_view name, std::string_view lower_name) {
  return name.size() == lower_name.size() && to_lower_ascii(name) == lower_name;
}

bool has_header(const Response& response, std::string_view lower_name) {
  return std::any_of(response.headers.begin(), response.headers.end(),
                     [&](const auto& header) { return same_name(header.first, lower_name); });
}

// "Date: Mon, 23 Nov 2026 21:30:00 GMT\r\n", made once a second.
const std::string& date_line() {
  static thread_local std::time_t made_at = 0;
  static thread_local std::string line;
  const std::time_t now = std::time(nullptr);
  if (now != made_at) {
    constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::tm utc{};
    gmtime_r(&now, &utc);
    line = fmt::format("Date: {}, {:02} {} {} {:02}:{:02}:{:02} GMT\r\n", kDays[utc.tm_wday], utc.tm_mday,
                       kMonths[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
    made_at = now;
  }
  return line;
}

}  // namespace

bool is_well_formed(const Response& response) {
  return is_line(response.content_type) &&
         std::all_of(response.headers.begin(), response.headers.end(),
                     [](const auto& header) { return is_name(header.first) && is_line(header.second); });
}

bool may_have_body(int status) {
  return status >= 200 && status != 204 && status != 304;
}

void append_head(std::string& out, const Response& response, std::uint64_t content_length, std::string_view request_id,
                 AfterAnswer after) {
  auto to = std::back_inserter(out);
  fmt::format_to(to, "HTTP/1.1 {} {}\r\n", response.status, reason_phrase(response.status));
  if (may_have_body(response.status)) {
    if (content_length == kUnknownLength) {
      out += "Transfer-Encoding: chunked\r\n";
    } else {
      fmt::format_to(to, "Content-Length: {}\r\n", content_length);
    }
    if (!response.content_type.empty()) fmt::format_to(to, "Content-Type: {}\r\n", response.content_type);
  }
  fmt::format_to(to, "X-Request-Id: {}\r\n", request_id);
  out += date_line();
  for (const auto& row : kDefaults) {
    if (!has_header(response, row.lower_name)) out += row.line;
  }
  const bool is_html = response.content_type.starts_with("text/html");
  if (!is_html && !has_header(response, "content-security-policy")) out += kContentPolicy;
  for (const auto& [name, value] : response.headers) fmt::format_to(to, "{}: {}\r\n", name, value);
  out += after == AfterAnswer::kClose ? "Connection: close\r\n\r\n" : "\r\n";
}

}  // namespace mlops::http
