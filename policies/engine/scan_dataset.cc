#include "policies/engine/scan_dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <optional>

#include "core/base/text.h"
#include "policies/data/column_stats.h"
#include "policies/data/fhir_elements.h"
#include "policies/data/format.h"
#include "policies/engine/cell_scan.h"
#include "policies/engine/classes.h"
#include "policies/engine/plain_class.h"

namespace mlops::policy {
namespace {

constexpr double kMostSure = 0.99;

struct Column {
  std::string name;
  CellScanner cells;
  data::ColumnStats stats;
};

std::vector<ActiveDetector> all_detectors() {
  std::vector<ActiveDetector> list;
  for (const auto* detector : detect::built_in_detectors()) list.push_back({detector, kDefaultMinScore});
  return list;
}

struct Candidate {
  std::size_t detector = 0;
  double weight = 0;
};

// The detector the cells and the name speak for most. Without an agreeing name the values must carry it alone; with a
// sure name a blank or odd column is still what it is called.
std::optional<Candidate> strongest(const CellScanner& cells) {
  std::optional<Candidate> best;
  for (std::size_t i = 0; i < cells.detectors().size(); ++i) {
    const auto& one = cells.detectors()[i];
    if (!one.detector->identifies()) continue;
    const double share =
        cells.filled() == 0 ? 0 : static_cast<double>(cells.hits(i)) / static_cast<double>(cells.filled());
    const bool by_value = share >= kDense && (one.detector->decides_by_value() || decides_when_dense(*one.detector) ||
                                              one.name_score >= kNameAgrees);
    if (!by_value && one.name_score < kNameIsSure) continue;
    const double weight = share + one.name_score;
    if (!best || weight > best->weight) best = Candidate{i, weight};
  }
  return best;
}

void say_evidence(const Column& column, ColumnProfile& profile) {
  const auto& detectors = column.cells.detectors();
  for (std::size_t i = 0; i < detectors.size(); ++i) {
    const auto& one = detectors[i];
    const bool is_guess =
        !one.detector->decides_by_value() && one.name_score < kNameAgrees &&
        static_cast<double>(column.cells.hits(i)) < static_cast<double>(column.cells.filled()) * kDense;
    if (column.cells.hits(i) == 0 || is_guess) continue;
    profile.evidence.push_back({std::string(detectors[i].detector->id()), column.cells.hits(i)});
  }
  std::sort(profile.evidence.begin(), profile.evidence.end(), [](const DetectorCount& a, const DetectorCount& b) {
    return a.cells != b.cells ? a.cells > b.cells : a.detector < b.detector;
  });
}

void classify(const Column& column, data::Format format, ColumnProfile& profile) {
  if (const auto standard = data::is_fhir(format) ? data::fhir_class(column.name) : std::nullopt) {
    profile.class_name = *standard;
    profile.confidence = kMostSure;
    profile.because = kByStandard;
    return;
  }
  if (const auto best = strongest(column.cells)) {
    const auto& one = column.cells.detectors()[best->detector];
    const auto hits = column.cells.hits(best->detector);
    const double share =
        column.cells.filled() == 0 ? 0 : static_cast<double>(hits) / static_cast<double>(column.cells.filled());
    profile.class_name = detect::class_of_detector(one.detector->id());
    // Independent evidence: one minus the chance that both the name and the values mislead.
    profile.confidence = std::min(kMostSure, 1 - (1 - share * 0.9) * (1 - one.name_score));
    profile.because =
        one.name_score >= kNameAgrees
            ? fmt::format("column name, detector {} in {} of {} cells", one.detector->id(), hits, column.cells.filled())
            : fmt::format("detector {} in {} of {} cells", one.detector->id(), hits, column.cells.filled());
    return;
  }
  const auto plain = plain_class(column.name, column.stats, !profile.evidence.empty());
  profile.class_name = plain.class_name;
  profile.confidence = plain.confidence;
  profile.because = plain.because;
}

ColumnProfile profile_of(const Column& column, data::Format format) {
  ColumnProfile profile;
  profile.column = column.name;
  profile.stats = column.stats;
  say_evidence(column, profile);
  classify(column, format, profile);
  return profile;
}

}  // namespace

Result<FileProfile> scan_file(const std::string& table, data::RecordReader& reader) {
  const auto detectors = all_detectors();
  std::deque<Column> columns;
  const NameCheck names_of_nobody(detectors, [](std::string_view) { return false; });
  const auto take_new_columns = [&]() -> Status {
    const auto& names = reader.columns();
    if (columns.size() == names.size() && reader.new_keys().empty()) return {};
    MLOPS_TRY(names_of_nobody.check(reader, columns.size()));
    while (columns.size() < names.size()) {
      const auto& name = names[columns.size()];
      columns.push_back({name, CellScanner(detectors_for(detectors, name), name), {}});
    }
    return {};
  };
  MLOPS_TRY(take_new_columns());
  while (true) {
    MLOPS_ASSIGN(const bool more, reader.next());
    if (!more) break;
    MLOPS_TRY(take_new_columns());
    for (const auto& cell : reader.cells()) {
      columns[cell.column].cells.scan(cell.text);
      columns[cell.column].stats.add(cell.text);
    }
  }
  FileProfile profile{table, reader.records(), {}};
  for (const auto& column : columns) profile.columns.push_back(profile_of(column, reader.format()));
  return profile;
}

Json to_json(const FileProfile& file) {
  Json columns = Json::array();
  for (const auto& column : file.columns) {
    Json evidence = Json::array();
    for (const auto& one : column.evidence) evidence.push_back({{"detector", one.detector}, {"cells", one.cells}});
    columns.push_back({{"column", printable(column.column)},
                       {"class", column.class_name},
                       {"confidence", column.confidence},
                       {"because", column.because},
                       {"cells", column.stats.cells()},
                       {"filled", column.stats.filled()},
                       {"distinct", column.stats.distinct()},
                       {"distinct_exact", column.stats.is_distinct_exact()},
                       {"evidence", std::move(evidence)}});
  }
  return {{"table", file.table}, {"records", file.records}, {"columns", std::move(columns)}};
}

}  // namespace mlops::policy
