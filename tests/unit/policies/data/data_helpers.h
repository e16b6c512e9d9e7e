// What the tests of the readers share: slow sources, and records read, rewritten and compared.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "policies/data/record.h"
#include "tests/unit/catch.h"

namespace mlops::data {

// Gives `step` bytes a read, so that every boundary falls between any two bytes once.
class SlowSource : public Source {
 public:
  SlowSource(std::string_view text, std::size_t step) : inner_(text), step_(step) {}
  Result<std::size_t> read(std::span<char> into) override {
    return inner_.read(into.first(std::min(step_, into.size())));
  }

 private:
  StringSource inner_;
  std::size_t step_;
};

using OpenReader = std::function<Result<std::unique_ptr<RecordReader>>(Source&)>;
// What becomes of a cell of a column.
using Decide = std::function<Change(std::string_view column, const Cell& cell)>;

// "column=text" of every cell, a record a line.
inline Result<std::vector<std::string>> read_records(const OpenReader& open, std::string_view text,
                                                     std::size_t step = 1 << 16) {
  SlowSource source(text, step);
  MLOPS_ASSIGN(const auto reader, open(source));
  std::vector<std::string> records;
  while (true) {
    MLOPS_ASSIGN(const bool more, reader->next());
    if (!more) return records;
    records.emplace_back();
    for (const auto& cell : reader->cells()) {
      if (!records.back().empty()) records.back() += ' ';
      records.back() += reader->columns()[cell.column] + "=" + std::string(cell.text);
    }
  }
}

inline Result<std::string> rewrite_records(const OpenReader& open, std::string_view text, const Decide& decide = {},
                                           std::vector<bool> dropped = {}, std::size_t step = 1 << 16) {
  SlowSource source(text, step);
  MLOPS_ASSIGN(const auto reader, open(source));
  StringSink sink;
  MLOPS_ASSIGN(const auto writer, reader->writer(sink, std::move(dropped)));
  std::vector<Change> changes;
  while (true) {
    MLOPS_ASSIGN(const bool more, reader->next());
    if (!more) break;
    changes.clear();
    for (const auto& cell : reader->cells()) {
      changes.push_back(decide ? decide(reader->columns()[cell.column], cell) : Change{});
    }
    MLOPS_TRY(writer->write(changes));
  }
  MLOPS_TRY(writer->finish());
  return sink.text;
}

// `changed` is `text` with `now` in the place of one occurrence of `before`, and nothing else.
inline bool is_replaced_once(std::string_view text, std::string_view before, std::string_view now,
                             std::string_view changed) {
  for (auto at = text.find(before); at != std::string_view::npos; at = text.find(before, at + 1)) {
    const auto tail = text.substr(at + before.size());
    if (changed.size() == at + now.size() + tail.size() && changed.starts_with(text.substr(0, at)) &&
        changed.substr(at).starts_with(now) && changed.ends_with(tail)) {
      return true;
    }
  }
  return false;
}

inline Change keep() {
  return {};
}
inline Change replace(std::string text) {
  return {Change::Kind::kReplace, std::move(text)};
}
inline Change drop() {
  return {Change::Kind::kDrop, {}};
}

}  // namespace mlops::data
