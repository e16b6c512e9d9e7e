#include "policies/data/json_line_parts.h"

#include <algorithm>
#include <utility>

#include "policies/data/json_reader.h"

namespace mlops::data {
namespace {

std::uint64_t count_lines(std::string_view bytes) {
  return static_cast<std::uint64_t>(std::count(bytes.begin(), bytes.end(), '\n'));
}

// Lines that hold more than blanks.
std::uint64_t count_records(std::string_view bytes) {
  std::uint64_t records = 0;
  while (!bytes.empty()) {
    const auto end = std::min(bytes.find('\n'), bytes.size());
    records += bytes.substr(0, end).find_first_not_of(" \t\r") != std::string_view::npos ? 1 : 0;
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
  return records;
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

Result<std::optional<RecordPart>> JsonLineParts::next() {
  RecordPart part;
  part.bytes = std::exchange(rest_, {});
  MLOPS_TRY(fill(part.bytes));
  if (part.bytes.empty()) return std::optional<RecordPart>();
  if (const auto last = part.bytes.rfind('\n'); !ended_ && last != std::string::npos) {
    rest_.assign(part.bytes, last + 1);
    part.bytes.resize(last + 1);
  }
  part.first_line = line_;
  part.first_record = records_;
  line_ += count_lines(part.bytes);
  records_ += count_records(part.bytes);
  return std::optional<RecordPart>(std::move(part));
}

Result<std::unique_ptr<RecordReader>> JsonLineParts::open(const RecordPart& part) const {
  JsonRecordReader::Setup setup;
  setup.naming = std::make_unique<PointerNaming>();
  setup.first_line = part.first_line;
  return std::make_unique<JsonRecordReader>(std::make_unique<PartSource>(part.bytes), options_, std::move(setup));
}

}  // namespace mlops::data
