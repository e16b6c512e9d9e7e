#include "policies/engine/record_masker.h"

#include <algorithm>

#include "core/base/text.h"
#include "policies/data/decode.h"
#include "policies/data/format.h"

namespace mlops::policy {
namespace {

constexpr std::string_view kEncoded = "[ENCODED]";
// A file named after somebody is named after one of its first people.
constexpr std::uint64_t kRecordsAgainstFileName = 10'000;

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

struct RecordMasker::Place {
  const data::RecordReader& reader;
  RecordView view;
  std::uint64_t record = 0;  // of the file, from 0
};

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
    by_column_.push_back(work.get());
  }
  return {};
}

Status RecordMasker::prepare(const data::RecordReader& reader) {
  by_column_.clear();
  MLOPS_TRY(consent_.prepare(reader.format()));
  return take_new_columns(reader);
}

Status RecordMasker::run(data::RecordReader& reader, data::RecordWriter& writer, std::uint64_t first_record) {
  MLOPS_TRY(prepare(reader));
  Place place{reader, RecordView(reader), first_record};
  while (true) {
    MLOPS_ASSIGN(const bool more, reader.next());
    if (!more) return {};
    MLOPS_TRY(take_new_columns(reader));
    MLOPS_TRY(record(place, writer));
    ++place.record;
  }
}

Status RecordMasker::record(const Place& place, data::RecordWriter& writer) {
  MLOPS_TRY(gather(place.reader, place.record));  // the file is not named after who is left out, either
  if (consent_.is_missing(place.reader)) {
    ++without_consent_;
    if (consent_.excludes()) {
      writer.skip();
      return {};
    }
  }
  ++records_;
  const auto& cells = place.reader.cells();
  changes_.resize(cells.size());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    MLOPS_TRY(cell(place, cells[i], *by_column_[cells[i].column], changes_[i]));
  }
  return writer.write(changes_);
}

Status RecordMasker::gather(const data::RecordReader& reader, std::uint64_t record) {
  values_.clear();
  const bool looks_at_name = record < kRecordsAgainstFileName && !file_words_.empty();
  if (!has_open_columns_ && !looks_at_name) return {};
  for (const auto& one : reader.cells()) {
    const auto& work = *by_column_[one.column];
    if (work.handling != Handling::kKeep) values_.add(one.text, work.class_row, work.placeholder);
  }
  if (!looks_at_name || !values_.name_in(file_words_)) return {};
  return fail(ErrorCode::kRefused, "file_name_holds_data",
              "the file's name holds what its records hold about a person, and would be published with them",
              "rename the file or its folder after what is in it, not after whom");
}

Status RecordMasker::cell(const Place& place, const data::Cell& in, ColumnWork& work, data::Change& out) {
  out.kind = data::Change::Kind::kKeep;
  ++work.evidence.cells;
  if (work.handling == Handling::kDrop) {
    ++work.evidence.changed;
    out.kind = data::Change::Kind::kDrop;
    return {};
  }
  const bool is_markup = place.reader.column_kind(in.column) == data::ColumnKind::kMarkup;
  if (work.transform && in.kind != data::CellKind::kNull) {
    out.kind = data::Change::Kind::kReplace;
    const mask::CellContext at{place.view, work.key, dataset_, work.folded, place.record, secrets_.vault, &work.counts};
    const auto head = is_markup ? markup_head(in.text) : std::string_view{};
    const auto text = in.text.substr(head.size());
    if (work.handling == Handling::kRewriteText) {
      MLOPS_TRY(rewrite_text(work, text, at, out.text));
      out.text.insert(0, head);
    } else {
      MLOPS_TRY(work.transform->apply_into(text, at, out.text));
    }
  }
  scan_written(in, is_markup, work, out);
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
  const std::string_view written = out.kind == data::Change::Kind::kReplace ? std::string_view(out.text) : in.text;
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
    if (works_[i]) {
      works_[i]->add(*other.works_[i]);
    } else {
      works_[i] = std::move(other.works_[i]);
    }
  }
}

}  // namespace mlops::policy
