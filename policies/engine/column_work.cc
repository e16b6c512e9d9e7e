#include "policies/engine/column_work.h"

#include <algorithm>

#include "core/base/text.h"
#include "policies/data/decode.h"
#include "policies/engine/row_values.h"

namespace mlops::policy {
namespace {

// A coded value names people when at least so many of its rows are theirs: chance does not reach that.
constexpr std::uint64_t kMostShare = 8;
constexpr std::uint64_t kMostShareOf = 10;
// Looking for equal cells is worth it when one of so many is; told after so many were added.
constexpr std::uint64_t kLeastEqual = 8;
constexpr std::uint64_t kCellsTried = 1024;

bool stands_encoded(const RowValues& values, std::string_view cell) {
  if (!data::may_hold_layers(cell)) return false;
  const auto layers = data::decode_layers(cell).layers;
  return std::any_of(layers.begin(), layers.end(),
                     [&](const data::Layer& layer) { return values.stand_in(layer.text); });
}

// One key a dataset and column: equal values of two datasets do not get equal pseudonyms.
Status lend_key(ColumnWork& work, const mask::RunSecrets& secrets, const std::string& dataset) {
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

}  // namespace

Failure table_changed() {
  return fail(ErrorCode::kConflict, "table_changed", "the table's columns are not the ones that were planned",
              "plan it again");
}

Result<ColumnWork> make_work(const Policy::Body& body, const ColumnPlan& plan, const mask::RunSecrets& secrets,
                             const std::string& context) {
  ColumnWork work;
  work.plan = &plan;
  work.class_row = class_of(plan.class_name);
  work.evidence = {plan.column, plan.class_name, plan.transform, 0, 0, 0, {}};
  work.is_scanned = !body.residual_ignore_columns.count(fold_column(plan.named_as));
  const auto* rule = body.rule_for_treated(plan.named_as, plan.class_name);
  if (rule && rule->max_findings) {
    work.max_findings = static_cast<std::uint64_t>(*rule->max_findings);
    work.is_scanned = true;  // who sets a limit wants it counted
  }
  if (plan.transform != "keep") {
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

bool ColumnWork::is_open() const {
  return handling == Handling::kKeep && plan->name_kind != NameKind::kStandardCode;
}

std::uint32_t CellBatch::add_shared(std::string_view cell) {
  const auto place = static_cast<std::uint32_t>(cells_.size());
  if (added_ >= kCellsTried && equal_ < added_ / kLeastEqual) shares_ = false;
  if (shares_ && cell.size() <= ShortText::kLongest) {
    ++added_;
    const auto text = ShortText::of(cell);
    const auto* known = known_.find(text);
    if (known && known->batch == number_) {
      ++equal_;
      return known->place;
    }
    known_.put(text) = {number_, place};
  }
  cells_.push_back(cell);
  return place;
}

Status ColumnWork::mask_batch() {
  if (batch.cells().empty()) return {};
  return transform->append_batch(batch.cells(), key, batch.texts());
}

void ColumnWork::look_for_row(const RowValues& values, std::string_view cell) {
  if (!is_open() || values.empty()) return;  // of a row without a name nothing is learnt
  const bool names = values.stand_in(cell) || stands_encoded(values, cell);
  if (names) count_naming(cell);
  if (may_be_coded()) count_code(cell);
}

void ColumnWork::look_for_row(const RowValues& values, std::string_view cell, std::uint8_t look) {
  const bool names = ((look & (kWords | kShortNumber)) != 0 && values.stand_in(cell)) ||
                     ((look & kLayers) != 0 && stands_encoded(values, cell));
  if (names) count_naming(cell);
}

void ColumnWork::count_naming(std::string_view cell) {
  ++row_values;
  if (may_be_coded()) ++coded_value(cell).naming;
}

ColumnWork::CodedValue& ColumnWork::coded_value(std::string_view cell) {
  if (cell.size() > ShortText::kLongest) return coded[std::string(cell)];
  const auto text = ShortText::of(cell);
  if (const auto* known = coded_lately.find(text)) return **known;
  auto& value = coded[std::string(cell)];
  coded_lately.put(text) = &value;  // the map's values never move
  return value;
}

void ColumnWork::settle() {
  auto& scanner = planned_by ? *planned_by : residual;
  scanner.take_rows([this](const std::string& value, std::uint64_t rows) { coded[value].rows += rows; });
  has_lost_rows |= scanner.has_many_values();
  planned_by = nullptr;
}

std::uint64_t ColumnWork::naming_cells() const {
  if (!plan->is_coded || has_lost_rows) return row_values;
  std::uint64_t cells = 0;
  for (const auto& [text, value] : coded) {
    if (value.naming * kMostShareOf >= value.rows * kMostShare) cells += value.naming;
  }
  return cells;
}

void ColumnWork::add(const ColumnWork& other) {
  residual.add(other.residual);
  row_values += other.row_values;
  has_lost_rows |= other.has_lost_rows;
  for (const auto& [text, value] : other.coded) {
    auto& mine = coded[text];
    mine.rows += value.rows;
    mine.naming += value.naming;
  }
  counts.placeholders += other.counts.placeholders;
  evidence.cells += other.evidence.cells;
  evidence.changed += other.evidence.changed;
}

}  // namespace mlops::policy
