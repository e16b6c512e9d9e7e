// What must hold of every reader and writer behind RecordReader, whatever the file.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "policies/data/record.h"
#include "tests/fuzz/fuzz.h"

namespace mlops::fuzz {

using Open = std::function<Result<std::unique_ptr<data::RecordReader>>(data::Source&)>;
using Decide = std::function<data::Change(std::size_t index, const data::Cell& cell)>;

class StepSource : public data::Source {
 public:
  StepSource(std::string_view text, std::size_t step) : inner_(text), step_(step) {}
  Result<std::size_t> read(std::span<char> into) override {
    return inner_.read(into.first(std::min(step_, into.size())));
  }

 private:
  data::StringSource inner_;
  std::size_t step_;
};

struct Pass {
  std::string written;
  std::size_t records = 0;
  std::size_t cells = 0;
};

inline Result<Pass> pass(const Open& open, std::string_view text, std::size_t step, const Decide& decide = {}) {
  StepSource source(text, step);
  MLOPS_ASSIGN(const auto reader, open(source));
  data::StringSink sink;
  MLOPS_ASSIGN(const auto writer, reader->writer(sink, {}));
  Pass done;
  std::vector<data::Change> changes;
  while (true) {
    MLOPS_ASSIGN(const bool more, reader->next());
    if (!more) break;
    changes.clear();
    for (const auto& cell : reader->cells()) {
      must(cell.column < reader->columns().size(), "a cell's column is one of the reader's");
      changes.push_back(decide ? decide(done.cells, cell) : data::Change{});
      ++done.cells;
    }
    MLOPS_TRY(writer->write(changes));
  }
  MLOPS_TRY(writer->finish());
  done.records = reader->records();
  done.written = std::move(sink.text);
  return done;
}

inline void check_error(const Error& error) {
  must(error.code == ErrorCode::kInvalid, "an error says that the input is wrong");
  must(!error.slug.empty() && !error.message.empty(), "an error has a slug and a message");
}

// What is kept comes back, however the bytes come; and every error is one of the input. True: it could be read.
inline bool check_kept(const Open& open, std::string_view text) {
  const auto whole = pass(open, text, 1u << 20);
  const auto slow = pass(open, text, 1 + text.size() % 7);
  must(whole.has_value() == slow.has_value(), "how the bytes come makes no difference");
  if (!whole) {
    check_error(whole.error());
    must(whole.error().message == slow.error().message, "an error is told at the same place");
    return false;
  }
  must(whole->written == text && slow->written == text, "what is kept comes back byte for byte");
  return true;
}

// And what is left after masking and dropping can be read again. (Where masking a cell changes what other cells are
// called, as a resource's type does, no more can be said.)
inline bool check_readable(const Open& open, std::string_view text) {
  if (!check_kept(open, text)) return false;
  for (const auto kind : {data::Change::Kind::kReplace, data::Change::Kind::kDrop}) {
    const auto change = [&](std::size_t index, const data::Cell&) {
      return data::Change{index % 3 == 0 ? kind : data::Change::Kind::kKeep, "Q"};
    };
    const auto changed = pass(open, text, 1u << 20, change);
    must(changed.has_value(), "cells can be replaced and dropped");
    const auto left = pass(open, changed->written, 1u << 20);
    must(left.has_value(), "what is left can be read");
  }
  return true;
}

// And every cell that was replaced reads as its new value, every other one as before.
inline void check_records(const Open& open, std::string_view text) {
  if (!check_readable(open, text)) return;
  std::vector<std::string> kept;
  const auto mask = [&](std::size_t index, const data::Cell& cell) {
    if (index % 2 == 1) return data::Change{data::Change::Kind::kReplace, "Q"};
    kept.emplace_back(cell.text);
    return data::Change{};
  };
  const auto masked = pass(open, text, 1u << 20, mask);
  must(masked.has_value(), "cells can be replaced");
  std::vector<std::string> again;
  const auto look = [&](std::size_t index, const data::Cell& cell) {
    if (index % 2 == 0) again.emplace_back(cell.text);
    const bool is_masked = cell.text == "Q" || cell.kind == data::CellKind::kNull;
    must(index % 2 == 0 || is_masked, "a replaced cell reads as it was replaced");
    return data::Change{};
  };
  const auto reread = pass(open, masked->written, 1u << 20, look);
  must(reread.has_value(), "what was masked can be read");
  must(again == kept && kept.size() == (reread->cells + 1) / 2, "kept cells stay as they were");
}

}  // namespace mlops::fuzz
