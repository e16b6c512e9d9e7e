#include "policies/risk/read_version.h"

#include <fmt/format.h>

#include "core/base/text.h"

namespace mlops::risk {
namespace {

std::string folded(std::string_view name) {
  return to_lower_ascii(trim(name));
}

}  // namespace

Result<std::vector<std::size_t>> find_columns(std::span<const std::string> header, const RiskColumns& columns) {
  auto wanted = columns.quasi;
  wanted.insert(wanted.end(), columns.sensitive.begin(), columns.sensitive.end());
  if (!columns.subject.empty()) wanted.push_back(columns.subject);
  std::vector<std::size_t> places;
  std::vector<std::string> missing;
  for (const auto& name : wanted) {
    std::size_t at = 0;
    while (at < header.size() && folded(header[at]) != folded(name)) ++at;
    if (at == header.size()) missing.push_back("'" + printable(name) + "'");
    places.push_back(at);
  }
  if (missing.empty()) return places;
  return fail(ErrorCode::kInvalid, "column_missing", fmt::format("the table has no column {}", join(missing, ", ")),
              "column names are in its first row");
}

Status read_version(RiskTable& table, data::CsvReader& reader) {
  MLOPS_ASSIGN(const auto places, find_columns(reader.header(), table.columns()));
  table.add_version();
  std::vector<std::string_view> cells(places.size());
  data::CsvRow row;
  while (true) {
    MLOPS_ASSIGN(const bool more, reader.next(row));
    if (!more) return {};
    for (std::size_t i = 0; i < places.size(); ++i) cells[i] = row.text(places[i]);
    MLOPS_TRY(table.add(cells));
  }
}

}  // namespace mlops::risk
