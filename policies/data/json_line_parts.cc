#include "policies/data/json_line_parts.h"

#include <algorithm>
#include <utility>

#include "policies/data/json_reader.h"
#include "policies/data/part_size.h"

namespace mlops::data {
namespace {

struct Count {
  std::uint64_t lines = 0;
  std::uint64_t records = 0;  // lines that hold more than blanks
};

Count count(std::string_view bytes) {
  Count count;
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    const auto line = bytes.substr(0, end);
    const bool holds = !line.empty() && (line[0] == '{' || line.find_first_not_of(" \t\r") != std::string_view::npos);
    count.records += holds ? 1 : 0;
    if (end == std::string_view::npos) break;
    ++count.lines;
    bytes.remove_prefix(end + 1);
  }
  return count;
}

}  // namespace

// Reads until the bytes hold a line end behind the least size, or the source ends.
Status JsonLineParts::fill(std::string& bytes) {
  std::size_t seen = 0;
  while (!ended_ && (bytes.size() < kPartBytes || bytes.find('\n', seen) == std::string::npos)) {
    // A line longer than a record may be is the part's reader's to refuse.
    if (bytes.size() > options_.max_record_bytes + kPartBytes) break;
    const std::size_t before = bytes.size();
    seen = before;
    bytes.resize(before + kPartBytes);
    auto count = source_.read({bytes.data() + before, kPartBytes});
    bytes.resize(before + (count ? *count : 0));
    if (!count) return fail(std::move(count.error()));
    ended_ = *count == 0;
  }
  return {};
}

Result<std::optional<RecordPart>> JsonLineParts::next(std::string memory) {
  RecordPart part;
  part.bytes = std::move(memory);
  part.bytes.assign(rest_);
  rest_.clear();
  MLOPS_TRY(fill(part.bytes));
  if (part.bytes.empty()) return std::optional<RecordPart>();
  if (const auto last = part.bytes.rfind('\n'); !ended_ && last != std::string::npos) {
    rest_.assign(part.bytes, last + 1);
    part.bytes.resize(last + 1);
  }
  part.first_line = line_;
  part.first_record = records_;
  const auto counted = count(part.bytes);
  line_ += counted.lines;
  records_ += counted.records;
  return std::optional<RecordPart>(std::move(part));
}

Result<std::unique_ptr<RecordReader>> JsonLineParts::open(const RecordPart& part) const {
  JsonRecordReader::Setup setup;
  setup.naming = std::make_unique<PointerNaming>();
  setup.first_line = part.first_line;
  return std::make_unique<JsonRecordReader>(std::string_view(part.bytes), options_, std::move(setup));
}

}  // namespace mlops::data
