#include "cli/cmd/doctor_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "cli/cmd/fields.h"
#include "cli/layout.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

constexpr std::int64_t kMicros = 1'000'000;
constexpr std::int64_t kSkewWarnS = 5;  // --as-of and token expiry begin to surprise
constexpr std::int64_t kSkewBadS = 300;
constexpr std::int64_t kExpiresSoonS = 7 * 24 * 3600;
constexpr std::uint64_t kLowDiskBytes = 1u << 30;

constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct HealthRow {
  Health health;
  std::string_view mark;
  std::string_view word;
  Tone tone;
};
constexpr HealthRow kHealth[] = {
    {Health::kGood, "✔", "ok", Tone::kGood},
    {Health::kWarning, "!", "warning", Tone::kWarn},
    {Health::kBad, "✘", "bad", Tone::kBad},
};

const HealthRow& row_of(Health health) {
  for (const auto& row : kHealth) {
    if (row.health == health) return row;
  }
  return kHealth[2];
}

std::string_view major_minor(std::string_view version) {
  const auto first = version.find('.');
  const auto second = first == std::string_view::npos ? first : version.find('.', first + 1);
  return version.substr(0, second);
}

}  // namespace

std::optional<TimestampUs> parse_http_date(std::string_view text) {
  // "Mon, 23 Nov 2026 21:20:05 GMT"
  if (text.size() != 29 || text.substr(3, 2) != ", " || !text.ends_with(" GMT")) return std::nullopt;
  const auto month = std::find(kMonths.begin(), kMonths.end(), text.substr(8, 3));
  if (month == kMonths.end()) return std::nullopt;
  const auto parsed = parse_rfc3339(fmt::format("{}-{:02}-{}T{}Z", text.substr(12, 4), month - kMonths.begin() + 1,
                                                text.substr(5, 2), text.substr(17, 8)));
  return parsed ? std::optional(*parsed) : std::nullopt;
}

Finding judge_clock(std::string_view date_header, TimestampUs now_us) {
  const auto server_us = parse_http_date(date_header);
  if (!server_us) return {"clock", Health::kWarning, "the server does not tell its time", ""};
  // The header has whole seconds, so a second of difference is none.
  const auto skew_s = (now_us - *server_us) / kMicros;
  const auto size_s = std::abs(skew_s);
  const auto detail =
      size_s <= 1 ? std::string("agrees with the server")
                  : fmt::format("this machine is {} s {} the server", size_s, skew_s > 0 ? "ahead of" : "behind");
  if (size_s < kSkewWarnS) return {"clock", Health::kGood, detail, ""};
  return {"clock", size_s < kSkewBadS ? Health::kWarning : Health::kBad, detail,
          "set both clocks by NTP (timedatectl set-ntp true)"};
}

Finding judge_version(std::string_view ours, const Json& server) {
  const auto theirs = text_of(server, "version");
  const auto detail = fmt::format("mlopsctl {}, {} {}", ours,
                                  text_of(server, "name").empty() ? "server" : text_of(server, "name"), theirs);
  if (text_of(server, "api") != "v1") {
    return {"versions", Health::kBad, detail + ", which does not speak the API v1", "is this address mlopsd's?"};
  }
  if (major_minor(ours) == major_minor(theirs)) return {"versions", Health::kGood, detail, ""};
  return {"versions", Health::kWarning, detail + ": they differ", "install the same version on both sides"};
}

Finding judge_identity(const Json& whoami, TimestampUs now_us) {
  const auto& token = member(whoami, "token");
  const auto expires = text_of(token, "expires_at");
  const auto detail = fmt::format("{}, {}", text_of(whoami, "principal"), join(strings_of(whoami, "roles"), ", "));
  const auto expires_us = parse_rfc3339(expires);
  if (expires.empty() || !expires_us) return {"identity", Health::kGood, detail, ""};
  const auto left_s = (*expires_us - now_us) / kMicros;
  if (left_s > kExpiresSoonS) return {"identity", Health::kGood, detail, ""};
  return {"identity", Health::kWarning, fmt::format("{}; the token expires {}", detail, expires),
          "have a new one made: mlopsctl token create"};
}

Finding judge_disk(const std::string& directory, std::uint64_t free_bytes) {
  const auto detail = fmt::format("{} free in {}", human_size(free_bytes), directory);
  if (free_bytes >= kLowDiskBytes) return {"disk", Health::kGood, detail, ""};
  return {"disk", Health::kWarning, detail, "pull needs room for the whole version"};
}

Lines finding_lines(const std::vector<Finding>& findings, const Style& style) {
  std::size_t width = 0;
  for (const auto& finding : findings) width = std::max(width, display_width(finding.check));
  Lines lines;
  for (const auto& finding : findings) {
    const auto& row = row_of(finding.health);
    lines.push_back(style.paint(row.tone, fmt::format("{} {}", row.mark, pad(row.word, 7))) + "  " +
                    style.paint(Tone::kBold, pad(finding.check, width)) + "  " + finding.detail);
    if (!finding.remedy.empty()) lines.push_back(std::string(width + 13, ' ') + "→ " + finding.remedy);
  }
  return lines;
}

Json to_json(const Finding& finding) {
  return {{"check", finding.check},
          {"health", row_of(finding.health).word},
          {"detail", finding.detail},
          {"remedy", finding.remedy}};
}

}  // namespace mlops::cli
