// The second pass: rewrites cell by cell, row by row, and scans everything it writes.
#include <fmt/format.h>

#include <unordered_map>

#include "core/base/text.h"
#include "policies/data/csv.h"
#include "policies/engine/cell_scan.h"
#include "policies/engine/classes.h"
#include "policies/engine/mask_dataset.h"
#include "policies/engine/row_values.h"
#include "policies/mask/key.h"

namespace mlops::policy {
namespace {

constexpr std::string_view kRowValueFinding = "row_value";  // an identifier of the row in a column that is kept

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
  ColumnEvidence evidence;
};

class CsvRowView : public mask::RowView {
 public:
  explicit CsvRowView(const std::vector<std::string>& header) {
    for (std::size_t i = 0; i < header.size(); ++i) index_.emplace(fold_column(header[i]), i);
  }
  void show(const data::CsvRow& row) { row_ = &row; }
  std::optional<std::string_view> cell(std::string_view column) const override {
    const auto found = index_.find(fold_column(column));
    if (found == index_.end() || !row_) return std::nullopt;
    return row_->text(found->second);
  }

 private:
  std::unordered_map<std::string, std::size_t> index_;
  const data::CsvRow* row_ = nullptr;
};

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
    if (!active.detector->decides_by_value()) continue;
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
  work.evidence = {plan.column, plan.class_name, plan.transform, 0, 0};
  work.is_scanned = !body.residual_ignore_columns.count(fold_column(plan.column));
  if (plan.transform != "keep") {
    const auto* rule = body.rule_for_treated(plan.column, plan.class_name);
    if (!rule || !rule->apply || rule->where() != plan.rule) return table_changed();
    work.transform = rule->apply.get();
    work.placeholder = placeholder_of(*rule, plan.class_name);
    const bool text = rule->redacts_spans();
    work.handling = work.transform->drops_column() ? Handling::kDrop
                    : text                         ? Handling::kRewriteText
                                                   : Handling::kRewrite;
    MLOPS_TRY(lend_key(work, secrets, context));
  }
  // The name of a rewritten column says nothing about what is in it now.
  const std::string name = work.handling == Handling::kRewrite ? std::string{} : plan.column;
  work.residual = CellScanner(detectors_for(residual_detectors(body), name), name);
  return work;
}

class Run {
 public:
  struct Lent {
    std::string dataset;
    mask::TokenVault* vault;
  };

  Run(std::vector<Work> works, const std::vector<std::string>& header, Lent lent)
      : works_(std::move(works)), view_(header), lent_(std::move(lent)) {
    for (const auto& work : works_) {
      const bool open =
          work.handling == Handling::kRewriteText || (work.handling == Handling::kKeep && !work.plan->is_coded);
      has_open_columns_ |= open;
    }
  }

  std::vector<bool> dropped() const {
    std::vector<bool> list;
    for (const auto& work : works_) list.push_back(work.handling == Handling::kDrop);
    return list;
  }

  Status row(const data::CsvRow& row, data::CsvWriter& writer) {
    view_.show(row);
    gather(row);
    masked_.assign(works_.size(), std::nullopt);
    for (std::size_t i = 0; i < works_.size(); ++i) MLOPS_TRY(cell(row.text(i), works_[i], masked_[i]));
    ++record_;
    return writer.write_row(row, masked_);
  }

  std::vector<Work>& works() { return works_; }

 private:
  void gather(const data::CsvRow& row) {
    values_.clear();
    if (!has_open_columns_) return;
    for (std::size_t i = 0; i < works_.size(); ++i) {
      if (works_[i].handling != Handling::kKeep) values_.add(row.text(i), works_[i].class_row, works_[i].placeholder);
    }
  }

  Status cell(std::string_view text, Work& work, std::optional<std::string>& out) {
    ++work.evidence.cells;
    if (work.handling == Handling::kDrop) {
      ++work.evidence.changed;
      return {};
    }
    if (work.transform) {
      MLOPS_ASSIGN(out, work.transform->apply(text, {.row = view_,
                                                     .key = work.key,
                                                     .dataset = lent_.dataset,
                                                     .column = work.folded,
                                                     .record = record_,
                                                     .vault = lent_.vault}));
    }
    if (work.handling == Handling::kRewriteText && !values_.empty()) out = values_.cut_from(*out);
    const std::string_view written = out ? std::string_view(*out) : text;
    if (written != text) ++work.evidence.changed;
    if (!work.is_scanned) return {};
    if (work.handling != Handling::kKeep && is_placeholder(written)) {
      work.residual.skip();
      return {};
    }
    work.residual.scan(written);
    if (work.handling == Handling::kKeep && !work.plan->is_coded && values_.stand_in(written)) ++work.row_values;
    return {};
  }

  std::vector<Work> works_;
  CsvRowView view_;
  Lent lent_;
  std::uint64_t record_ = 0;
  RowValues values_;
  std::vector<std::optional<std::string>> masked_;
  bool has_open_columns_ = false;
};

Result<Run> start(const Policy::Body& body, const std::vector<ColumnPlan>& columns,
                  const std::vector<std::string>& header, const mask::RunSecrets& secrets, const std::string& context) {
  if (header.size() != columns.size()) return table_changed();
  std::vector<Work> works;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (header[i] != columns[i].column) return table_changed();
    MLOPS_ASSIGN(auto work, make_work(body, columns[i], secrets, context));
    works.push_back(std::move(work));
  }
  return Run(std::move(works), header, {context, secrets.vault});
}

// By column and detector only: never a row, never a value.
Json residual_facts(const std::vector<Work>& works, std::uint64_t& total) {
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
  }
  return list;
}

Result<MaskEvidence> conclude(const Policy::Body& body, std::vector<Work>& works, std::uint64_t rows) {
  MaskEvidence evidence;
  evidence.rows = rows;
  const auto findings = residual_facts(works, evidence.residual_findings);
  for (auto& work : works) {
    evidence.residual_scanned_cells += work.residual.cells();
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

Result<MaskEvidence> mask_table(const Policy& policy, const std::vector<ColumnPlan>& columns, data::Source& table,
                                data::Sink& out, const mask::RunSecrets& secrets, const std::string& context) {
  MLOPS_ASSIGN(auto reader, data::CsvReader::open(table));
  MLOPS_ASSIGN(auto run, start(policy.body(), columns, reader.header(), secrets, context));
  data::CsvWriter writer(out, reader.dialect(), run.dropped());
  MLOPS_TRY(writer.write_header(reader));
  data::CsvRow row;
  while (true) {
    MLOPS_ASSIGN(const bool more, reader.next(row));
    if (!more) break;
    MLOPS_TRY(run.row(row, writer));
  }
  MLOPS_TRY(writer.finish(reader.trailer()));
  return conclude(policy.body(), run.works(), reader.rows());
}

Json to_json(const MaskEvidence& evidence) {
  Json columns = Json::array();
  for (const auto& column : evidence.columns) {
    columns.push_back({{"column", column.column},
                       {"class", column.class_name},
                       {"transform", column.transform},
                       {"cells", column.cells},
                       {"changed", column.changed}});
  }
  return {{"rows", evidence.rows},
          {"columns", std::move(columns)},
          {"residual", {{"scanned_cells", evidence.residual_scanned_cells}, {"findings", evidence.residual_findings}}}};
}

}  // namespace mlops::policy
