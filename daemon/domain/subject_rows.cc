#include "daemon/domain/subject_rows.h"

#include <algorithm>
#include <optional>

#include "core/base/text.h"
#include "policies/data/format.h"
#include "policies/data/records.h"

namespace mlops::domain {
namespace {

bool can_leave_out(data::Format format) {
  return format == data::Format::kCsv || format == data::Format::kTsv || format == data::Format::kJsonLines ||
         format == data::Format::kFhirLines;
}

bool has_line_records(data::Format format) {
  return format == data::Format::kJsonLines || format == data::Format::kFhirLines;
}

// The writer puts what lies between two records before the second one: without the first record a line end is left at
// the head of the file. Takes that away. REQUIRES: told before anything is written.
class HeadSink : public data::Sink {
 public:
  explicit HeadSink(data::Sink& out) : out_(out) {}
  void skip_line_end() { skips_ = true; }
  Status write(std::string_view bytes) override {
    if (skips_ && !bytes.empty()) {
      const auto end = bytes.find_first_not_of(" \t\r");
      const bool is_end = end != std::string_view::npos && bytes[end] == '\n';
      bytes.remove_prefix(is_end ? end + 1 : 0);
      skips_ = false;
    }
    return bytes.empty() ? Status{} : out_.write(bytes);
  }

 private:
  data::Sink& out_;
  bool skips_ = false;
};

// Which wanted column each of the reader's columns is; grows with it.
class Positions {
 public:
  static constexpr std::size_t kNone = ~std::size_t{0};
  explicit Positions(const std::vector<std::string>& wanted) : wanted_(wanted), seen_(wanted.size()) {}

  std::size_t of(const std::vector<std::string>& columns, std::size_t column) {
    while (known_.size() < columns.size()) known_.push_back(match(columns[known_.size()]));
    return known_[column];
  }
  void see_all(const std::vector<std::string>& columns) {
    if (!columns.empty()) (void)of(columns, columns.size() - 1);
  }
  const std::vector<bool>& seen() const { return seen_; }

 private:
  std::size_t match(const std::string& name) {
    const auto folded = fold_subject_column(name);
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      if (folded != wanted_[i] && folded != "/" + wanted_[i]) continue;
      seen_[i] = true;
      return i;
    }
    return kNone;
  }

  const std::vector<std::string>& wanted_;
  std::vector<std::size_t> known_;
  std::vector<bool> seen_;
};

}  // namespace

std::string fold_subject_column(std::string_view name) {
  return to_lower_ascii(trim(name));
}

Result<RecordCounts> walk_records(data::Source& source, const std::string& path,
                                  const std::vector<std::string>& columns, const JudgeRecord& judge, data::Sink* out) {
  MLOPS_ASSIGN(auto reader, data::open_records(source, {.path = path, .format = {}, .csv = {}}));
  if (reader->format() == data::Format::kText || reader->format() == data::Format::kUnknown) {
    return fail(ErrorCode::kInvalid, "format_unknown", "the file has no columns that could hold ids");
  }
  if (out && !can_leave_out(reader->format())) {
    return fail(ErrorCode::kRefused, "records_inseparable", "single records of this format cannot be left out");
  }
  std::unique_ptr<data::RecordWriter> writer;
  std::optional<HeadSink> lines;
  if (out) {
    if (has_line_records(reader->format())) lines.emplace(*out);
    MLOPS_ASSIGN(writer, reader->writer(lines ? *lines : *out, {}));
  }
  Positions positions(columns);
  positions.see_all(reader->columns());
  std::vector<SubjectCell> ids;
  RecordCounts counts;
  while (true) {
    MLOPS_ASSIGN(const bool more, reader->next());
    if (!more) break;
    ids.clear();
    for (const auto& cell : reader->cells()) {
      const auto at = positions.of(reader->columns(), cell.column);
      if (at == Positions::kNone || trim(cell.text).empty()) continue;
      ids.push_back({at, cell.text});
    }
    if (judge(ids) == Fate::kDrop) {
      ++counts.dropped;
      if (lines && counts.dropped == reader->records()) lines->skip_line_end();
    } else if (writer) {
      MLOPS_TRY(writer->write({}));
    }
  }
  counts.records = reader->records();
  counts.has_column = positions.seen();
  counts.is_separable = can_leave_out(reader->format());
  if (writer) MLOPS_TRY(writer->finish());
  return counts;
}

}  // namespace mlops::domain
