// The second pass: rewrites cell by cell, row by row, and scans everything it writes.
#include "policies/engine/mask_dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "core/base/text.h"
#include "policies/data/decode.h"
#include "policies/engine/cell_scan.h"
#include "policies/engine/classes.h"
#include "policies/engine/row_values.h"
#include "policies/mask/key.h"

namespace mlops::policy {
namespace {

constexpr std::string_view kEncoded = "[ENCODED]";
constexpr std::string_view kSuppress = "suppress";
constexpr std::string_view kUnreadableFinding = "unreadable";  // an encoded part that nobody could look into
constexpr std::string_view kRowValueFinding = "row_value";     // an identifier of the row in a column that is kept

enum class Handling { kKeep, kRewrite, kRewriteText, kDrop };

struct Work {
  const ColumnPlan* plan = nullptr;
  const mask::Transform* transform = nullptr;  // nullptr: kept
  Handling handling = Handling::kKeep;
  ClassRow class_row;
  std::string placeholder;  // for its values found in other cells
  std::string folded;       // the column's name as keys and ciphertexts are bound to it
  mask::ColumnKey key;      // empty: the transform needs none
  bool is_scanned = true;
  CellScanner residual{{}, {}};
  std::uint64_t row_values = 0;  // cells of a kept column with an identifier of their row
  mask::CellCounts counts;
  ColumnEvidence evidence;
};

// Values that may well be a word of somebody's address without being about anybody.
bool is_coded(const Work& work) {
  return work.plan->is_coded || work.plan->name_kind == NameKind::kStandardCode;
}

class RecordView : public mask::RowView {
 public:
  explicit RecordView(const data::RecordReader& reader) : reader_(reader) {}
  std::optional<std::string_view> cell(std::string_view column) const override {
    const auto wanted = fold_column(column);
    const auto& columns = reader_.columns();
    for (const auto& one : reader_.cells()) {
      if (fold_column(columns[one.column]) == wanted) return one.text;
    }
    return std::nullopt;
  }

 private:
  const data::RecordReader& reader_;
};

// What every narrative begins with; the address in it is XHTML's own.
std::string_view markup_head(std::string_view text) {
  constexpr std::string_view kHead = R"(<div xmlns="http://www.w3.org/1999/xhtml")";
  return text.starts_with(kHead) ? text.substr(0, kHead.size()) : std::string_view{};
}

Failure table_changed() {
  return fail(ErrorCode::kConflict, "table_changed", "the table's columns are not the ones that were planned",
              "plan it again");
}

// One key a dataset and column: equal values of two datasets do not get equal pseudonyms.
Status lend_key(Work& work, const mask::RunSecrets& secrets, const std::string& dataset) {
  work.folded = fold_column(work.plan->column);
  const std::string name(work.transform->key_name());
  if (name.empty()) return {};
  MLOPS_ASSIGN(work.key, mask::column_key(secrets.keys, name, {dataset, work.folded, work.transform->key_scope()}));
  return {};
}

std::vector<ActiveDetector> residual_detectors(const Policy::Body& body) {
  std::vector<ActiveDetector> list;
  for (const auto& active : body.detectors) {
    if (!active.detector->decides_by_value() || !active.detector->identifies()) continue;
    list.push_back({active.detector, std::max(active.min_score, body.residual_min_score)});
  }
  return list;
}

// "[NAME]" where the rule says so, "[PERSON_NAME]" where it writes something else.
std::string placeholder_of(const Rule& rule, std::string_view class_name) {
  const auto* with = rule.options.find("with");
  if (with && is_placeholder(with->scalar) && with->scalar.starts_with('[')) return with->scalar;
  std::string text = "[";
  for (const char c : class_name) text.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
  return text + "]";
}

Result<Work> make_work(const Policy::Body& body, const ColumnPlan& plan, const mask::RunSecrets& secrets,
                       const std::string& context) {
  Work work;
  work.plan = &plan;
  work.class_row = class_of(plan.class_name);
  work.evidence = {plan.column, plan.class_name, plan.transform, 0, 0, 0, {}};
  work.is_scanned = !body.residual_ignore_columns.count(fold_column(plan.named_as));
  if (plan.transform != "keep") {
    const auto* rule = body.rule_for_treated(plan.named_as, plan.class_name);
    if (!rule || !rule->apply || rule->where() != plan.rule) return table_changed();
    work.transform = rule->apply.get();
    work.placeholder = placeholder_of(*rule, plan.class_name);
    const bool text = rule->redacts_spans();
    work.handling = work.transform->drops_column() ? Handling::kDrop
                    : text                         ? Handling::kRewriteText
                                                   : Handling::kRewrite;
    MLOPS_TRY(lend_key(work, secrets, context));
    work.evidence.key_id = work.key.id;
    // A made-up name or a moved date is found like a true one; keyed and random codes say nothing about their value.
    work.is_scanned = work.is_scanned && !work.transform->looks_real() && !work.transform->is_pseudonym();
  }
  // The name of a rewritten column says nothing about what is in it now.
  const bool is_rewritten = work.handling == Handling::kRewrite;
  work.residual = scanner_for(residual_detectors(body), is_rewritten ? std::string{} : plan.column,
                              is_rewritten ? NameKind::kHeader : plan.name_kind);
  return work;
}

// Masks the records of one file, one after the other.
class Run {
 public:
  Run(const Policy::Body& body, const FilePlan& plan, data::RecordReader& reader, const mask::RunSecrets& secrets,
      const std::string& dataset)
      : body_(body), plan_(plan), reader_(reader), secrets_(secrets), dataset_(dataset), view_(reader) {}

  // A work for each column the reader knows by now; they must be the planned ones, in the planned order.
  Status take_new_columns() {
    const auto& names = reader_.columns();
    while (works_.size() < names.size()) {
      const std::size_t at = works_.size();
      if (at >= plan_.columns.size() || plan_.columns[at].column != names[at]) return table_changed();
      MLOPS_ASSIGN(auto work, make_work(body_, plan_.columns[at], secrets_, dataset_));
      has_open_columns_ |=
          work.handling == Handling::kRewriteText || (work.handling == Handling::kKeep && !is_coded(work));
      works_.push_back(std::move(work));
    }
    return {};
  }

  std::vector<bool> dropped() const {
    std::vector<bool> list;
    for (const auto& column : plan_.columns) list.push_back(column.transform == kSuppress);
    return list;
  }

  Status record(data::RecordWriter& writer) {
    MLOPS_TRY(take_new_columns());
    gather();
    const auto& cells = reader_.cells();
    changes_.resize(cells.size());
    for (std::size_t i = 0; i < cells.size(); ++i) {
      MLOPS_TRY(cell(cells[i], works_[cells[i].column], changes_[i]));
    }
    return writer.write(changes_);
  }

  bool has_all_columns() const { return works_.size() == plan_.columns.size(); }
  std::deque<Work>& works() { return works_; }

 private:
  void gather() {
    values_.clear();
    if (!has_open_columns_) return;
    for (const auto& one : reader_.cells()) {
      const auto& work = works_[one.column];
      if (work.handling != Handling::kKeep) values_.add(one.text, work.class_row, work.placeholder);
    }
  }

  Status cell(const data::Cell& in, Work& work, data::Change& out) {
    out.kind = data::Change::Kind::kKeep;
    ++work.evidence.cells;
    if (work.handling == Handling::kDrop) {
      ++work.evidence.changed;
      out.kind = data::Change::Kind::kDrop;
      return {};
    }
    if (work.transform && in.kind != data::CellKind::kNull) {
      out.kind = data::Change::Kind::kReplace;
      const mask::CellContext at{view_,          work.key,    dataset_, work.folded, reader_.records() - 1,
                                 secrets_.vault, &work.counts};
      const auto head = is_markup(in) ? markup_head(in.text) : std::string_view{};
      MLOPS_ASSIGN(out.text, work.transform->apply(in.text.substr(head.size()), at));
      if (work.handling == Handling::kRewriteText) rewrite_rest(work, out.text);
      if (work.handling == Handling::kRewriteText) out.text.insert(0, head);
    }
    scan_written(in, work, out);
    return {};
  }

  bool is_markup(const data::Cell& in) const { return reader_.column_kind(in.column) == data::ColumnKind::kMarkup; }

  // What span redaction cannot see: the row's own values, and data in encoded form, which goes as a whole.
  void rewrite_rest(Work& work, std::string& text) {
    if (!values_.empty()) text = values_.cut_from(text);
    if (!data::may_hold_layers(text)) return;
    const auto decoded = data::decode_layers(text);
    const bool hides =
        decoded.refused || std::any_of(decoded.layers.begin(), decoded.layers.end(), [&](const auto& layer) {
          return work.residual.finds_in(layer.text) || values_.stand_in(layer.text);
        });
    if (hides) text = kEncoded;
  }

  void scan_written(const data::Cell& in, Work& work, const data::Change& out) {
    const std::string_view written = out.kind == data::Change::Kind::kReplace ? std::string_view(out.text) : in.text;
    if (written != in.text) ++work.evidence.changed;
    if (!work.is_scanned) return;
    if (work.handling != Handling::kKeep && is_placeholder(written)) {
      work.residual.skip();
      return;
    }
    work.residual.scan(is_markup(in) ? written.substr(markup_head(written).size()) : written);
    if (work.handling == Handling::kKeep && !is_coded(work) && values_.stand_in(written)) ++work.row_values;
  }

  const Policy::Body& body_;
  const FilePlan& plan_;
  data::RecordReader& reader_;
  const mask::RunSecrets& secrets_;
  const std::string& dataset_;
  RecordView view_;
  std::deque<Work> works_;  // by the reader's column index
  RowValues values_;
  std::vector<data::Change> changes_;
  bool has_open_columns_ = false;
};

// By column and detector only: never a row, never a value.
Json residual_facts(const std::deque<Work>& works, std::uint64_t& total) {
  Json list = Json::array();
  const auto count = [&](const Work& work, std::string_view detector, std::uint64_t findings) {
    if (findings == 0) return;
    total += findings;
    list.push_back({{"column", work.plan->column}, {"detector", detector}, {"findings", findings}});
  };
  for (const auto& work : works) {
    const auto& detectors = work.residual.detectors();
    for (std::size_t i = 0; i < detectors.size(); ++i) count(work, detectors[i].detector->id(), work.residual.hits(i));
    count(work, kRowValueFinding, work.row_values);
    count(work, kUnreadableFinding, work.residual.unreadable());
  }
  return list;
}

Result<MaskEvidence> conclude(const Policy::Body& body, std::deque<Work>& works, std::uint64_t rows) {
  MaskEvidence evidence;
  evidence.rows = rows;
  const auto findings = residual_facts(works, evidence.residual_findings);
  for (auto& work : works) {
    evidence.residual_scanned_cells += work.residual.cells();
    work.evidence.placeholders = work.counts.placeholders;
    evidence.columns.push_back(std::move(work.evidence));
  }
  if (evidence.residual_findings <= static_cast<std::uint64_t>(body.residual_max_findings)) return evidence;
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

}  // namespace

Result<MaskEvidence> mask_file(const Policy& policy, const FilePlan& plan, data::RecordReader& reader, data::Sink& out,
                               const mask::RunSecrets& secrets, const std::string& context) {
  Run run(policy.body(), plan, reader, secrets, context);
  MLOPS_TRY(run.take_new_columns());
  MLOPS_ASSIGN(const auto writer, reader.writer(out, run.dropped()));
  while (true) {
    MLOPS_ASSIGN(const bool more, reader.next());
    if (!more) break;
    MLOPS_TRY(run.record(*writer));
  }
  MLOPS_TRY(writer->finish());
  if (!run.has_all_columns()) return table_changed();
  return conclude(policy.body(), run.works(), reader.records());
}

void merge_evidence(MaskEvidence& into, const MaskEvidence& from) {
  into.rows += from.rows;
  into.residual_scanned_cells += from.residual_scanned_cells;
  into.residual_findings += from.residual_findings;
  for (const auto& column : from.columns) {
    const auto known = std::find_if(into.columns.begin(), into.columns.end(), [&](const ColumnEvidence& one) {
      return one.column == column.column && one.class_name == column.class_name && one.transform == column.transform;
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
  return {{"rows", evidence.rows},
          {"columns", std::move(columns)},
          {"residual", {{"scanned_cells", evidence.residual_scanned_cells}, {"findings", evidence.residual_findings}}}};
}

}  // namespace mlops::policy
