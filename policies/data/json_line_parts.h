// Private to policies/data: JSON Lines cut into parts at line ends, where no value can go on. Thread-safety: as
// record.h.
#pragma once

#include <string>

#include "policies/data/json_records.h"
#include "policies/data/record.h"

namespace mlops::data {

class JsonLineParts : public RecordParts {
 public:
  JsonLineParts(Source& source, const JsonOptions& options) : source_(source), options_(options) {}

  using RecordParts::next;
  Result<std::optional<RecordPart>> next(std::string memory) override;
  Result<std::unique_ptr<RecordReader>> open(const RecordPart& part) const override;

 private:
  Status fill(std::string& bytes);

  Source& source_;
  JsonOptions options_;
  std::string rest_;  // read already: the beginning of a line
  std::uint64_t line_ = 1;
  std::uint64_t records_ = 0;
  bool ended_ = false;
};

}  // namespace mlops::data
