// Private to policies/data: the reader and writer that JSON and FHIR share. Thread-safety: as record.h.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "policies/data/json_framer.h"
#include "policies/data/json_paths.h"
#include "policies/data/json_records.h"
#include "policies/data/json_rewriter.h"
#include "policies/data/json_scanner.h"

namespace mlops::data {

class JsonRecordReader : public RecordReader {
 public:
  struct Setup {
    Format format = Format::kJsonLines;
    JsonFraming framing = JsonFraming::kLines;
    Prune prune = Prune::kNullElements;
    std::unique_ptr<PathNaming> naming;
    std::uint64_t first_line = 1;
  };
  JsonRecordReader(Source& source, const JsonOptions& options, Setup setup);
  // Of a part of a file.
  JsonRecordReader(std::string_view bytes, const JsonOptions& options, Setup setup);

  Format format() const override { return format_; }
  const std::vector<std::string>& columns() const override { return paths_.columns(); }
  ColumnKind column_kind(std::size_t column) const override { return paths_.kind(column); }
  const std::vector<Cell>& cells() const override { return scanner_.cells(); }
  const std::vector<std::string>& new_keys() const override { return paths_.new_keys; }
  std::uint64_t line() const override { return framer_.line(); }
  std::uint64_t records() const override { return records_; }
  bool keeps_records() const override { return source_ == nullptr; }
  KeptRecord kept() const override { return {{}, framer_.gap(), framer_.record(), {}}; }
  Result<bool> next() override;
  Result<std::unique_ptr<RecordWriter>> writer(Sink& sink, std::vector<bool> dropped) override;
  // Of JSON Lines.
  std::unique_ptr<RecordParts> parts() override;

 private:
  friend class JsonRecordWriter;
  PathNode* place();

  Source* source_;  // nullptr: it reads a part
  std::size_t part_bytes_ = 0;
  JsonOptions options_;
  Format format_;
  Prune prune_;
  JsonPaths paths_;
  JsonScanner scanner_;
  JsonFramer framer_;
  bool may_be_empty_;
  std::uint64_t records_ = 0;
};

}  // namespace mlops::data
