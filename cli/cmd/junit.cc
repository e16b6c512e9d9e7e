#include <fmt/format.h>

#include <algorithm>

#include "cli/cmd/report.h"
#include "core/base/text.h"

namespace mlops::cli {
namespace {

std::string escaped(std::string_view line) {
  std::string out;
  // XML 1.0 has no control characters, not even escaped: printable() shows them as \xNN.
  for (const char c : printable(line)) {
    constexpr std::pair<char, std::string_view> kEntities[] = {
        {'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}};
    const auto entity =
        std::find_if(std::begin(kEntities), std::end(kEntities), [&](const auto& row) { return row.first == c; });
    if (entity == std::end(kEntities)) {
      out += c;
    } else {
      out += entity->second;
    }
  }
  return out;
}

// Line ends survive in an attribute only as references.
std::string xml_text(std::string_view text) {
  std::vector<std::string> lines;
  for (const auto line : split(text, '\n')) lines.push_back(escaped(line));
  return join(lines, "&#10;");
}

std::string case_xml(const ReportCase& one) {
  auto xml = fmt::format(R"(    <testcase name="{}" classname="{}" file="{}")", xml_text(one.name), xml_text(one.file),
                         xml_text(one.file));
  if (one.line > 0) xml += fmt::format(R"( line="{}")", one.line);
  if (one.problems.empty()) return xml + "/>\n";
  xml += ">\n";
  xml += fmt::format(R"(      <failure message="{}">{}</failure>)", xml_text(one.problems.front()),
                     xml_text(join(one.problems, "\n")));
  return xml + "\n    </testcase>\n";
}

}  // namespace

std::string junit_report(std::string_view suite, const std::vector<ReportCase>& cases) {
  const auto failures =
      std::count_if(cases.begin(), cases.end(), [](const ReportCase& one) { return !one.problems.empty(); });
  const auto counts = fmt::format(R"(tests="{}" failures="{}" errors="0")", cases.size(), failures);
  auto xml = fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {}>\n  <testsuite name=\"{}\" {}>\n",
                         counts, xml_text(suite), counts);
  for (const auto& one : cases) xml += case_xml(one);
  return xml + "  </testsuite>\n</testsuites>\n";
}

}  // namespace mlops::cli
