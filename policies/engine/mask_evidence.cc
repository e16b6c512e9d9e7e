// What comes out of a masking run as evidence: counts by column and detector, never a row or a value.
#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.h"
#include "policies/engine/column_work.h"

namespace mlops::policy {
namespace {

constexpr std::string_view kUnreadableFinding = "unreadable";  // an encoded part that nobody could look into
constexpr std::string_view kRowValueFinding = "row_value";     // an identifier of the row in a column that is kept

// By column and detector only: never a row, never a value.
Json residual_facts(const std::vector<std::unique_ptr<ColumnWork>>& works, std::uint64_t& total) {
  Json list = Json::array();
  const auto count = [&](const ColumnWork& work, std::string_view detector, std::uint64_t findings) {
    if (findings == 0) return;
    total += findings;
    list.push_back({{"column", work.plan->column}, {"detector", detector}, {"findings", findings}});
  };
  for (const auto& one : works) {
    const auto& work = *one;
    const auto& detectors = work.residual.detectors();
    for (std::size_t i = 0; i < detectors.size(); ++i) count(work, detectors[i].detector->id(), work.residual.hits(i));
    count(work, kRowValueFinding, work.naming_cells());
    count(work, kUnreadableFinding, work.residual.unreadable());
  }
  return list;
}

std::uint64_t findings_of(const ColumnWork& work) {
  std::uint64_t total = work.naming_cells() + work.residual.unreadable();
  for (std::size_t i = 0; i < work.residual.detectors().size(); ++i) total += work.residual.hits(i);
  return total;
}

}  // namespace

Result<MaskEvidence> conclude(const Policy::Body& body, const std::vector<std::unique_ptr<ColumnWork>>& works,
                              std::uint64_t rows) {
  if (std::find(works.begin(), works.end(), nullptr) != works.end()) return table_changed();
  MaskEvidence evidence;
  evidence.rows = rows;
  const auto findings = residual_facts(works, evidence.residual_findings);
  for (const auto& work : works) {
    evidence.residual_scanned_cells += work->residual.cells();
    evidence.columns.push_back(work->evidence);
    evidence.columns.back().placeholders = work->counts.placeholders;
  }
  const bool within_rules = std::all_of(works.begin(), works.end(), [](const std::unique_ptr<ColumnWork>& work) {
    return !work->max_findings || findings_of(*work) <= *work->max_findings;
  });
  const bool is_clean = evidence.residual_findings <= static_cast<std::uint64_t>(body.residual_max_findings);
  if (is_clean && within_rules) return evidence;
  std::vector<std::string> where;
  for (const auto& one : findings) {
    where.push_back(fmt::format("{} × {} in {}", one["findings"].get<std::uint64_t>(),
                                one["detector"].get<std::string>(), printable(one["column"].get<std::string>())));
  }
  return fail(ErrorCode::kRefused, "residual_findings",
              fmt::format("after masking {} finding{} of personal data remain: {}", evidence.residual_findings,
                          evidence.residual_findings == 1 ? "" : "s", join(where, ", ")),
              "declare these columns with the class of what they hold, or give them a stronger rule",
              canonical_dump({{"findings", findings}, {"max_findings", body.residual_max_findings}}));
}

void merge_evidence(MaskEvidence& into, const MaskEvidence& from) {
  into.rows += from.rows;
  into.rows_without_consent += from.rows_without_consent;
  into.rows_suppressed += from.rows_suppressed;
  into.residual_scanned_cells += from.residual_scanned_cells;
  into.residual_findings += from.residual_findings;
  for (const auto& column : from.columns) {
    const auto known = std::find_if(into.columns.begin(), into.columns.end(), [&](const ColumnEvidence& one) {
      return one.column == column.column && one.class_name == column.class_name && one.transform == column.transform &&
             one.key_id == column.key_id;
    });
    if (known == into.columns.end()) {
      into.columns.push_back(column);
      continue;
    }
    known->cells += column.cells;
    known->changed += column.changed;
    known->placeholders += column.placeholders;
  }
}

Json to_json(const MaskEvidence& evidence) {
  Json columns = Json::array();
  for (const auto& column : evidence.columns) {
    Json row = {{"column", column.column},
                {"class", column.class_name},
                {"transform", column.transform},
                {"cells", column.cells},
                {"changed", column.changed}};
    if (column.placeholders > 0) row["placeholders"] = column.placeholders;
    if (!column.key_id.empty()) row["key"] = column.key_id;
    columns.push_back(std::move(row));
  }
  Json json = {
      {"rows", evidence.rows},
      {"columns", std::move(columns)},
      {"residual", {{"scanned_cells", evidence.residual_scanned_cells}, {"findings", evidence.residual_findings}}}};
  if (evidence.rows_without_consent > 0) json["rows_without_consent"] = evidence.rows_without_consent;
  if (evidence.rows_suppressed > 0) json["rows_suppressed"] = evidence.rows_suppressed;
  if (!evidence.risk.is_null()) json["risk"] = evidence.risk;
  return json;
}

}  // namespace mlops::policy
