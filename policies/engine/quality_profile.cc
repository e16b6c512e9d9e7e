#include "policies/engine/quality_profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <optional>
#include <unordered_set>

#include "core/base/clock.h"
#include "core/base/text.h"
#include "policies/data/file_place.h"
#include "policies/data/format.h"
#include "policies/data/records.h"
#include "policies/detect/detector.h"
#include "policies/engine/columns.h"

namespace mlops::policy {
namespace {

using data::Cell;
using data::CellKind;

// --- types of values ------------------------------------------------------------------------------------------------

std::optional<double> as_number(std::string_view text) {
  double value = 0;
  const auto* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

bool is_integer(std::string_view text) {
  const auto digits = text.starts_with('-') ? text.substr(1) : text;
  return !digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos;
}
bool is_number(std::string_view text) {
  return as_number(text).has_value();
}
bool is_boolean(std::string_view text) {
  constexpr std::string_view kWords[] = {"true", "false", "True", "False", "TRUE", "FALSE", "0", "1"};
  return std::find(std::begin(kWords), std::end(kWords), text) != std::end(kWords);
}
constexpr std::size_t kDateBytes = 10;  // "2026-11-29"
bool is_date(std::string_view text) {
  return text.size() == kDateBytes && parse_rfc3339(text).has_value();
}
bool is_timestamp(std::string_view text) {
  return text.size() > kDateBytes && parse_rfc3339(text).has_value();
}

struct TypeRow {
  std::string_view word;
  bool (*holds)(std::string_view);
};
constexpr TypeRow kTypes[] = {{"integer", is_integer},
                              {"number", is_number},
                              {"boolean", is_boolean},
                              {"date", is_date},
                              {"timestamp", is_timestamp}};

// Which types all values so far have; what a value rules out is not tried again.
struct TypeMask {
  unsigned bits = (1u << std::size(kTypes)) - 1;
  bool any = false;

  void add(std::string_view text) {
    any = true;
    for (std::size_t i = 0; bits != 0 && i < std::size(kTypes); ++i) {
      const auto bit = 1u << i;
      if ((bits & bit) != 0 && !kTypes[i].holds(text)) bits &= ~bit;
    }
  }
  // Of a column without a value every type holds.
  std::vector<std::string> words() const {
    std::vector<std::string> list;
    for (std::size_t i = 0; i < std::size(kTypes); ++i) {
      if ((bits & (1u << i)) != 0) list.emplace_back(kTypes[i].word);
    }
    list.emplace_back("string");
    return list;
  }
};

// --- keys that must not repeat --------------------------------------------------------------------------------------

// Open addressing over 64-bit hashes. Two keys of one hash count as the same, which can only refuse.
class KeySet {
 public:
  // False: it was there. Errors: kExhausted "too_many_keys".
  Result<bool> insert(std::string_view key) {
    auto hash = static_cast<std::uint64_t>(std::hash<std::string_view>()(key));
    if (hash == 0) hash = 1;
    if (2 * (count_ + 1) > slots_.size()) MLOPS_TRY(grow());
    if (!put(slots_, hash)) return false;
    ++count_;
    return true;
  }

 private:
  static bool put(std::vector<std::uint64_t>& slots, std::uint64_t hash) {
    auto at = hash & (slots.size() - 1);
    for (; slots[at] != 0; at = (at + 1) & (slots.size() - 1)) {
      if (slots[at] == hash) return false;
    }
    slots[at] = hash;
    return true;
  }
  Status grow() {
    if (count_ >= kMostKeys) {
      return fail(ErrorCode::kExhausted, "too_many_keys",
                  fmt::format("duplicateValues counts at most {} different keys", kMostKeys));
    }
    std::vector<std::uint64_t> wider(slots_.empty() ? 1024 : 2 * slots_.size(), 0);
    for (const auto hash : slots_) {
      if (hash != 0) put(wider, hash);
    }
    slots_ = std::move(wider);
    return {};
  }

  std::vector<std::uint64_t> slots_;
  std::size_t count_ = 0;
};

// --- one measure ----------------------------------------------------------------------------------------------------

struct Measure {
  QualityMeasure what;
  std::string key;
  std::unordered_set<std::string> valid;
  std::unordered_set<std::string> missing;
  std::unique_ptr<detect::Detector> pattern;

  KeySet keys;
  std::int64_t count = 0;
  std::int64_t rows = 0;
  bool is_known = false;  // a file has the columns

  // Of the file under way.
  bool is_active = false;
  std::vector<bool> has_column;
  std::int64_t found = 0;  // records

  // Of the record under way.
  bool is_filled = false;
  bool is_given = false;  // filled, and none of the words for a missing value
  bool is_invalid = false;
  std::vector<std::string> parts;

  bool is_valid(std::string_view text) const {
    if (!valid.empty() && !valid.contains(std::string(text))) return false;
    if (what.min || what.max) {
      const auto number = as_number(text);
      if (!number || (what.min && *number < *what.min) || (what.max && *number > *what.max)) return false;
    }
    if (!pattern) return true;
    std::vector<detect::Span> spans;
    pattern->find(text, {}, spans);
    return !spans.empty();
  }

  void begin_file(const std::string& table) {
    is_active = what.table.empty() || what.table == table;
    has_column.assign(what.columns.size(), false);
    found = 0;
  }
  void begin_record() {
    is_filled = is_given = is_invalid = false;
    parts.assign(what.columns.size(), {});
  }
  void add(std::size_t position, std::string_view text) {
    is_filled = true;
    switch (what.metric) {
      case QualityMetric::kMissingValues:
        is_given = is_given || !missing.contains(std::string(text));
        break;
      case QualityMetric::kInvalidValues:
        is_invalid = is_invalid || !is_valid(text);
        break;
      case QualityMetric::kDuplicateValues:
        parts[position] += fmt::format("{}:{}", text.size(), text);
        break;
      case QualityMetric::kNewest:
        if (const auto time = parse_rfc3339(text)) count = std::max(count, *time);
        break;
      case QualityMetric::kRowCount:
      case QualityMetric::kNullValues:
        break;
    }
  }
  Status end_record() {
    switch (what.metric) {
      case QualityMetric::kNullValues:
        found += is_filled;
        break;
      case QualityMetric::kMissingValues:
        found += is_given;
        break;
      case QualityMetric::kInvalidValues:
        found += is_invalid;
        break;
      case QualityMetric::kDuplicateValues: {
        if (!is_filled) break;
        MLOPS_ASSIGN(const bool is_new, keys.insert(join(parts, "|")));
        found += !is_new;
        break;
      }
      case QualityMetric::kRowCount:
      case QualityMetric::kNewest:
        break;
    }
    return {};
  }
  void end_file(std::int64_t records) {
    const bool has_all = std::all_of(has_column.begin(), has_column.end(), [](bool has) { return has; });
    if (!is_active || !has_all) return;
    const bool counts_the_rest =
        what.metric == QualityMetric::kNullValues || what.metric == QualityMetric::kMissingValues;
    is_known = true;
    rows += records;
    if (what.metric == QualityMetric::kRowCount) {
      count += records;
    } else if (what.metric != QualityMetric::kNewest) {
      count += counts_the_rest ? records - found : found;
    }
  }
};

Result<Measure> make_measure(const QualityMeasure& what) {
  Measure measure;
  measure.what = what;
  measure.key = measure_key(what);
  measure.valid.insert(what.valid_values.begin(), what.valid_values.end());
  measure.missing.insert(what.missing_values.begin(), what.missing_values.end());
  if (!what.pattern.empty()) {
    MLOPS_ASSIGN(measure.pattern, detect::make_pattern_detector("quality", {}, what.pattern));
  }
  return measure;
}

// "age" of "/age": what lies in the record itself is called by its name.
std::string column_name(const std::string& column) {
  const auto folded = fold_column(column);
  const bool is_member = folded.starts_with('/') && folded.find('/', 1) == std::string::npos;
  return is_member ? folded.substr(1) : folded;
}

bool is_measured(data::Format format) {
  return format != data::Format::kText && format != data::Format::kUnknown;
}

}  // namespace

// --- the dataset ----------------------------------------------------------------------------------------------------

struct QualityProfiler::Work {
  struct Use {  // a measure that looks at a column
    Measure* measure = nullptr;
    std::size_t position = 0;
  };
  struct Column {
    TypeMask* types = nullptr;
    std::vector<Use> uses;
  };

  std::vector<Measure> measures;
  std::map<std::string, TypeMask> types;  // of every column
  std::vector<std::string> typed;
  std::vector<Column> columns;  // of the file under way
  std::uint64_t records = 0;
  std::uint64_t files = 0;

  // A column that the file under way shows for the first time.
  Column meet(const std::string& column) {
    const auto name = column_name(column);
    Column met{&types[name], {}};  // places in a map stay
    for (auto& measure : measures) {
      const auto& wanted = measure.what.columns;
      for (std::size_t i = 0; measure.is_active && i < wanted.size(); ++i) {
        if (wanted[i] != name && wanted[i] != fold_column(column)) continue;
        measure.has_column[i] = true;
        met.uses.push_back({&measure, i});
      }
    }
    return met;
  }

  void add_cell(const Cell& cell) {
    const auto text = trim(cell.text);
    if (cell.kind == CellKind::kNull || text.empty()) return;
    auto& column = columns[cell.column];
    column.types->add(text);
    for (const auto& use : column.uses) use.measure->add(use.position, text);
  }

  Status read(data::RecordReader& reader) {
    columns.clear();
    while (true) {
      MLOPS_ASSIGN(const bool more, reader.next());
      while (columns.size() < reader.columns().size()) columns.push_back(meet(reader.columns()[columns.size()]));
      if (!more) return {};
      for (auto& measure : measures) measure.begin_record();
      for (const auto& cell : reader.cells()) add_cell(cell);
      for (auto& measure : measures) {
        if (measure.is_active) MLOPS_TRY(measure.end_record());
      }
    }
  }
};

QualityProfiler::QualityProfiler(std::unique_ptr<Work> work) : work_(std::move(work)) {}
QualityProfiler::~QualityProfiler() = default;
QualityProfiler::QualityProfiler(QualityProfiler&&) noexcept = default;
QualityProfiler& QualityProfiler::operator=(QualityProfiler&&) noexcept = default;

Result<QualityProfiler> QualityProfiler::create(const std::vector<QualityMeasure>& measures,
                                                const std::vector<std::string>& typed) {
  auto work = std::make_unique<Work>();
  work->typed = typed;
  for (const auto& what : measures) {
    MLOPS_ASSIGN(auto measure, make_measure(what));
    const bool is_known = std::any_of(work->measures.begin(), work->measures.end(),
                                      [&](const Measure& one) { return one.key == measure.key; });
    if (!is_known) work->measures.push_back(std::move(measure));
  }
  return QualityProfiler(std::move(work));
}

Result<bool> QualityProfiler::add(data::Source& source, const std::string& path) {
  const auto reader = data::open_records(source, {.path = path, .format = {}, .csv = {}});
  if (!reader && reader.error().slug == "format_unknown") return false;
  if (!reader) return fail(data::at_file(reader.error(), path));
  if (!is_measured((*reader)->format())) return false;
  ++work_->files;
  for (auto& measure : work_->measures) measure.begin_file(data::table_name(path));
  if (auto read = work_->read(**reader); !read) return fail(data::at_file(read.error(), path));
  const auto records = (*reader)->records();
  work_->records += records;
  for (auto& measure : work_->measures) measure.end_file(static_cast<std::int64_t>(records));
  return true;
}

QualityProfile QualityProfiler::finish() {
  QualityProfile profile;
  profile.records = work_->records;
  profile.files = work_->files;
  for (const auto& measure : work_->measures) {
    // A date that was never there is not known.
    const bool has_value = measure.what.metric != QualityMetric::kNewest || measure.count > 0;
    if (measure.is_known && has_value) profile.counts[measure.key] = {measure.count, measure.rows};
  }
  profile.columns = static_cast<std::int64_t>(work_->types.size());
  for (const auto& name : work_->typed) {
    const auto found = work_->types.find(name);
    if (found != work_->types.end()) profile.types[name] = found->second.words();
  }
  return profile;
}

Json to_json(const QualityProfile& profile) {
  Json counts = Json::object();
  for (const auto& [key, one] : profile.counts) counts[key] = {{"count", one.count}, {"rows", one.rows}};
  return {{"records", profile.records},
          {"files", profile.files},
          {"counts", std::move(counts)},
          {"types", profile.types},
          {"columns", profile.columns}};
}

Result<QualityProfile> profile_from_json(const Json& json) {
  try {
    QualityProfile profile;
    profile.records = json.at("records");
    profile.files = json.at("files");
    for (const auto& [key, one] : json.at("counts").items()) profile.counts[key] = {one.at("count"), one.at("rows")};
    profile.columns = json.at("columns");
    profile.types = json.at("types").get<std::map<std::string, std::vector<std::string>>>();
    return profile;
  } catch (const Json::exception&) {
    return fail(ErrorCode::kCorrupt, "bad_profile", "a stored profile cannot be read", "run `mlopsctl audit verify`");
  }
}

}  // namespace mlops::policy
