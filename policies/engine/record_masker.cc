#include "policies/engine/record_masker.h"

#include <algorithm>

#include "core/base/text.h"
#include "policies/data/decode.h"
#include "policies/data/format.h"
#include "policies/engine/record_place.h"

namespace mlops::policy {
namespace {

constexpr std::string_view kEncoded = "[ENCODED]";
// A file named after somebody is named after one of its first people.
constexpr std::uint64_t kRecordsAgainstFileName = 10'000;

// What every narrative begins with; the address in it is XHTML's own.
std::string_view markup_head(std::string_view text) {
  constexpr std::string_view kHead = R"(<div xmlns="http://www.w3.org/1999/xhtml")";
  return text.starts_with(kHead) ? text.substr(0, kHead.size()) : std::string_view{};
}

// "ward/jane_roe-2024.csv" → "ward jane roe 2024 csv", and behind it as it was: a number may be written with signs.
std::string words_of(std::string_view path) {
  std::string words(path);
  for (char& c : words) {
    if (c == '_' || c == '-' || c == '.' || c == '+' || c == '/') c = ' ';
  }
  std::string as_written(path);
  std::replace(as_written.begin(), as_written.end(), '_', ' ');
  return words + " | " + as_written;
}

// Of JSON the plain text is the record itself: what a mask leaves of it must be found in its values. The others stand
// between the bytes of the cell, and masking those must have masked these.
bool must_commute(const data::Layer& layer, std::string_view cell) {
  return layer.kind != data::LayerKind::kJson || cell.find('\\') != std::string_view::npos;
}

}  // namespace

RecordMasker::RecordMasker(const Policy::Body& body, const FilePlan& plan, const mask::RunSecrets& secrets,
                           const std::string& dataset)
    : body_(body),
      plan_(plan),
      secrets_(secrets),
      dataset_(dataset),
      file_words_(words_of(plan.published)),
      works_(plan.columns.size()),
      consent_(body.terms.purpose.consent ? &*body.terms.purpose.consent : nullptr, plan) {
  for (std::size_t i = 0; i < plan.columns.size(); ++i) planned_.emplace(plan.columns[i].column, i);
}

// The reader's columns must be planned ones; a part of a file need not have all of them.
Status RecordMasker::take_new_columns(const data::RecordReader& reader) {
  const auto& names = reader.columns();
  while (by_column_.size() < names.size()) {
    const auto known = planned_.find(names[by_column_.size()]);
    // A table's columns are dropped by their place.
    const bool moved = data::is_table(reader.format()) && known != planned_.end() && known->second != by_column_.size();
    if (known == planned_.end() || moved) return table_changed();
    auto& work = works_[known->second];
    if (!work) {
      MLOPS_ASSIGN(auto made, make_work(body_, plan_.columns[known->second], secrets_, dataset_));
      work = std::make_unique<ColumnWork>(std::move(made));
      has_open_columns_ |= work->handling == Handling::kRewriteText || work->is_open();
    }
    work->planned_by = planned_by_.empty() ? nullptr : planned_by_[by_column_.size()];
    work->batch.begin();  // it may hold cells of another reader
    const bool is_markup = reader.column_kind(by_column_.size()) == data::ColumnKind::kMarkup;
    const bool is_gathered = work->handling != Handling::kKeep && work->class_row.spread != Spread::kNone;
    by_column_.push_back(
        {work.get(), is_markup, !is_markup && work->is_batched(), is_gathered, RowValues::kind_of(work->class_row)});
  }
  return {};
}

Status RecordMasker::prepare(const data::RecordReader& reader) {
  by_column_.clear();
  lists_ = {};
  MLOPS_TRY(consent_.prepare(reader.format()));
  return take_new_columns(reader);
}

Status RecordMasker::run(data::RecordReader& reader, data::RecordWriter& writer, std::uint64_t first_record) {
  MLOPS_TRY(prepare(reader));
  if (reader.keeps_records()) return run_blocks(reader, writer, first_record);
  for (auto at = first_record;; ++at) {
    MLOPS_ASSIGN(const bool more, reader.next());
    if (!more) return {};
    MLOPS_TRY(take_new_columns(reader));
    MLOPS_ASSIGN(const auto outcome, record({reader, reader.cells(), at}));
    if (outcome == Outcome::kLeftOut) {
      writer.skip();
    } else {
      MLOPS_TRY(writer.write(changes_));
    }
  }
}

Result<RecordMasker::Outcome> RecordMasker::record(const Place& place) {
  MLOPS_TRY(gather(place));  // the file is not named after who is left out, either
  if (consent_.is_missing(place.reader.columns(), place.cells)) {
    ++without_consent_;
    if (consent_.excludes()) return Outcome::kLeftOut;
  }
  ++records_;
  changes_.resize(place.cells.size());
  for (std::size_t i = 0; i < place.cells.size(); ++i) MLOPS_TRY(cell(place, i, changes_[i]));
  return Outcome::kWritten;
}

Status RecordMasker::gather(const Place& place) {
  values_.clear();
  const bool looks_at_name = place.record < kRecordsAgainstFileName && !file_words_.empty();
  if (!has_open_columns_ && !looks_at_name) return {};
  if (place.is_even) {
    values_.add_record(place.cells, lists_.gathered);
  } else {
    for (const auto& one : place.cells) {
      const auto& column = by_column_[one.column];
      if (column.is_gathered) values_.add(one.text, column.value_kind, column.work->placeholder);
    }
  }
  if (!looks_at_name || !values_.name_in(file_words_)) return {};
  return fail(ErrorCode::kRefused, "file_name_holds_data",
              "the file's name holds what its records hold about a person, and would be published with them",
              "rename the file or its folder after what is in it, not after whom");
}

Status RecordMasker::cell(const Place& place, std::size_t index, data::Change& out) {
  const auto& in = place.cells[index];
  const auto& column = by_column_[in.column];
  auto& work = *column.work;
  out.kind = data::Change::Kind::kKeep;
  out.lent.reset();
  out.is_plain = false;
  ++work.evidence.cells;
  if (work.handling == Handling::kDrop) {
    ++work.evidence.changed;
    out.kind = data::Change::Kind::kDrop;
    return {};
  }
  if (!place.batched.empty() && place.batched[index] != kNotBatched) {
    out.kind = data::Change::Kind::kReplace;
    out.lent = work.batch.masked(place.batched[index]);
  } else if (work.transform && in.kind != data::CellKind::kNull) {
    out.kind = data::Change::Kind::kReplace;
    const mask::CellContext at{place.view, work.key, dataset_, work.folded, place.record, secrets_.vault, &work.counts};
    const auto head = column.is_markup ? markup_head(in.text) : std::string_view{};
    const auto text = in.text.substr(head.size());
    if (work.handling == Handling::kRewriteText) {
      MLOPS_TRY(rewrite_text(work, text, at, out.text));
      out.text.insert(0, head);
    } else {
      MLOPS_TRY(work.transform->apply_into(text, at, out.text));
    }
  }
  scan_written(in, column.is_markup, work, out);
  return {};
}

// What the rule and the row make of a text.
Result<std::string> RecordMasker::treat(const ColumnWork& work, std::string_view text,
                                        const mask::CellContext& at) const {
  MLOPS_ASSIGN(auto treated, work.transform->apply(text, at));
  if (!values_.empty()) treated = values_.cut_from(treated);
  return treated;
}

// Data in encoded form that holds anything goes as a whole, and the cell with it.
Status RecordMasker::rewrite_text(ColumnWork& work, std::string_view in, const mask::CellContext& at,
                                  std::string& out) {
  MLOPS_ASSIGN(out, treat(work, in, at));
  if (!data::may_hold_layers(in) && !data::may_hold_layers(out)) return {};
  MLOPS_ASSIGN(const bool hidden, hides(work, in, out, at));
  if (hidden) out = kEncoded;
  return {};
}

// Is there something below an encoding that the rule would change? A layer of what is written that it changes; or a
// layer of the cell that it changes, while masking the cell did not come to the same.
Result<bool> RecordMasker::hides(const ColumnWork& work, std::string_view in, std::string_view masked,
                                 const mask::CellContext& at) const {
  const auto left = data::decode_layers(masked);
  if (left.refused) return true;
  for (const auto& layer : left.layers) {
    MLOPS_ASSIGN(const auto treated, treat(work, layer.text, at));
    if (treated != layer.text || work.residual.finds_in(layer.text)) return true;
  }
  for (const auto& layer : data::decode_layers(in).layers) {
    if (!must_commute(layer, in)) continue;
    MLOPS_ASSIGN(const auto treated, treat(work, layer.text, at));
    if (treated == layer.text) continue;
    const bool same = std::any_of(left.layers.begin(), left.layers.end(),
                                  [&](const data::Layer& one) { return one.text == treated; });
    if (!same) return true;
  }
  return false;
}

void RecordMasker::scan_written(const data::Cell& in, bool is_markup, ColumnWork& work, const data::Change& out) {
  const std::string_view written = out.kind == data::Change::Kind::kReplace ? out.value() : in.text;
  if (written != in.text) ++work.evidence.changed;
  if (!work.is_scanned) return;
  if (work.handling != Handling::kKeep && is_placeholder(written)) {
    work.residual.skip();
    return;
  }
  work.residual.scan(is_markup ? written.substr(markup_head(written).size()) : written);
  work.look_for_row(values_, written);
}

void RecordMasker::add(RecordMasker&& other) {
  records_ += other.records_;
  without_consent_ += other.without_consent_;
  for (std::size_t i = 0; i < works_.size(); ++i) {
    if (!other.works_[i]) continue;
    other.works_[i]->settle();
    if (works_[i]) {
      works_[i]->add(*other.works_[i]);
    } else {
      works_[i] = std::move(other.works_[i]);
    }
  }
}

}  // namespace mlops::policy
