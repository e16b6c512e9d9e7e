#include <algorithm>
#include <map>

#include "cli/cmd/report.h"
#include "core/base/build_info.h"

namespace mlops::cli {
namespace {

constexpr std::string_view kSchema =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

// A relative reference: everything but unreserved characters and '/' is percent-encoded (RFC 3986).
std::string uri_of(std::string_view path) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
  std::string uri;
  for (const char c : path) {
    if (kPlain.find(c) != std::string_view::npos) {
      uri += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    uri += '%';
    uri += kHex[byte >> 4];
    uri += kHex[byte & 15];
  }
  return uri;
}

Json location_of(const ReportFinding& finding) {
  Json place = {{"artifactLocation", {{"uri", uri_of(finding.file)}}}};
  if (finding.line > 0) place["region"]["startLine"] = finding.line;
  if (finding.line > 0 && finding.column > 0) place["region"]["startColumn"] = finding.column;
  return {{"physicalLocation", std::move(place)}};
}

}  // namespace

Json sarif_report(const std::vector<ReportFinding>& findings) {
  std::map<std::string, std::size_t> rules;
  for (const auto& finding : findings) rules.emplace(finding.rule, 0);
  Json rule_list = Json::array();
  for (auto& [id, index] : rules) {
    index = rule_list.size();
    auto words = id;
    std::replace(words.begin(), words.end(), '_', ' ');
    rule_list.push_back({{"id", id}, {"shortDescription", {{"text", words}}}});
  }
  Json results = Json::array();
  for (const auto& finding : findings) {
    results.push_back({{"ruleId", finding.rule},
                       {"ruleIndex", rules[finding.rule]},
                       {"level", finding.is_error ? "error" : "warning"},
                       {"message", {{"text", finding.message}}},
                       {"locations", Json::array({location_of(finding)})}});
  }
  Json driver = {{"name", "mlopsctl"}, {"version", kVersion}, {"rules", std::move(rule_list)}};
  Json run = {
      {"tool", {{"driver", std::move(driver)}}}, {"columnKind", "unicodeCodePoints"}, {"results", std::move(results)}};
  return {{"$schema", kSchema}, {"version", "2.1.0"}, {"runs", Json::array({std::move(run)})}};
}

}  // namespace mlops::cli
