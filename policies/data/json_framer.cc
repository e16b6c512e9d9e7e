#include "policies/data/json_framer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "policies/data/json_bytes.h"

namespace mlops::data {
namespace {

constexpr std::size_t kBufferBytes = 64u << 10;
constexpr std::string_view kBom = "\xEF\xBB\xBF";

struct Entries {
  enum class Found { kYes, kNo, kUnsure };  // kUnsure: more of the text is needed
  Found found = Found::kNo;
  std::size_t end = 0;  // past the bracket
};

// The array `entry` of the bundle that begins at text[0].
Entries find_entries(std::string_view text) {
  constexpr Entries unsure{Entries::Found::kUnsure};
  bool is_bundle = false;
  std::size_t at = 1;
  const auto skip = [&] {
    while (at < text.size() && is_json_blank(text[at])) ++at;
    return at < text.size();
  };
  while (true) {
    if (!skip()) return unsure;
    if (text[at] != '"') return {};
    const auto key_length = end_of_value(text.substr(at));
    if (key_length == std::string_view::npos) return unsure;
    const auto key = text.substr(at, key_length);
    at += key_length;
    if (!skip()) return unsure;
    if (text[at] != ':') return {};
    ++at;
    if (!skip()) return unsure;
    if (key == "\"entry\"") {
      if (!is_bundle || text[at] != '[') return {};
      return {Entries::Found::kYes, at + 1};
    }
    const auto length = end_of_value(text.substr(at));
    if (length == std::string_view::npos || at + length == text.size()) return unsure;
    if (key == "\"resourceType\"") {
      is_bundle = text.substr(at, length) == "\"Bundle\"";
      if (!is_bundle) return {};
    }
    at += length;
    if (!skip()) return unsure;
    if (text[at] != ',') return {};
    ++at;
  }
}

}  // namespace

JsonFramer::JsonFramer(Source& source, JsonFraming framing, std::size_t max_record_bytes, std::uint64_t first_line)
    : source_(&source),
      framing_(framing),
      max_record_bytes_(max_record_bytes),
      buffer_(std::min(kBufferBytes, max_record_bytes + 2)),
      data_(buffer_.data()),
      line_(first_line) {}

JsonFramer::JsonFramer(std::string_view bytes, JsonFraming framing, std::size_t max_record_bytes,
                       std::uint64_t first_line)
    : source_(nullptr),
      framing_(framing),
      max_record_bytes_(max_record_bytes),
      data_(bytes.data()),
      filled_(bytes.size()),
      source_ended_(true),
      line_(first_line) {}

std::uint64_t JsonFramer::lines_in(std::string_view text) {
  return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

Failure JsonFramer::error_at(std::size_t offset, std::string slug, const std::string& message, std::string hint) const {
  const auto before = view(0, std::min(offset, held()));
  const auto last_end = before.rfind('\n');
  const auto column = last_end == std::string_view::npos ? column_ + before.size() : before.size() - last_end;
  return fail(ErrorCode::kInvalid, std::move(slug), fmt::format("{}:{}: {}", line_ + lines_in(before), column, message),
              std::move(hint));
}

Failure JsonFramer::record_error(const JsonScanner::Problem& problem) const {
  return error_at(record_begin_ + problem.offset, problem.slug, problem.message, problem.hint);
}

// The record was used: what follows it begins the next chunk.
void JsonFramer::leave_chunk() {
  const auto used = view(0, record_end_);
  if (!used.empty()) last_byte_ = used.back();
  // A line has no line end inside.
  const auto counted = framing_ == JsonFraming::kLines ? gap() : used;
  const auto lines = lines_in(counted);
  column_ = lines == 0 ? column_ + used.size() : used.size() - counted.rfind('\n');
  line_ += lines;
  chunk_ += record_end_;
  record_begin_ = record_end_ = 0;
}

Failure JsonFramer::too_long() const {
  return error_at(0, "json_record_too_long", fmt::format("a record is longer than {} bytes", max_record_bytes_),
                  "store many records as JSON Lines or as elements of one array");
}

Result<bool> JsonFramer::refill() {
  if (source_ended_) return false;
  if (chunk_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + chunk_, held());
    filled_ -= chunk_;
    chunk_ = 0;
  }
  if (filled_ == buffer_.size()) {
    const std::size_t limit = max_record_bytes_ + 2;
    if (filled_ >= limit) {
      return too_long();
    }
    buffer_.resize(std::min(limit, buffer_.size() * 2));
    data_ = buffer_.data();
  }
  MLOPS_ASSIGN(const std::size_t count, source_->read({buffer_.data() + filled_, buffer_.size() - filled_}));
  filled_ += count;
  source_ended_ = count == 0;
  return !source_ended_;
}

Result<bool> JsonFramer::refill_to(std::size_t at) {
  while (at >= held()) {
    MLOPS_ASSIGN(const bool more, refill());
    if (!more) return false;
  }
  return true;
}

Result<std::size_t> JsonFramer::skip_blanks(std::size_t at) {
  while (true) {
    MLOPS_ASSIGN(const bool more, have(at));
    if (!more || !is_json_blank(byte(at))) return at;
    ++at;
  }
}

Result<bool> JsonFramer::next() {
  leave_chunk();
  part_ = JsonPart::kValue;
  is_entry_ = false;
  std::size_t begin = 0;
  if (!is_begun_) {
    is_begun_ = true;
    MLOPS_TRY(have(kBom.size() - 1));
    if (view(0, held()).starts_with(kBom)) begin = kBom.size();
  }
  MLOPS_ASSIGN(const std::size_t at, skip_blanks(begin));
  MLOPS_ASSIGN(const bool more, have(at));
  if (!more) {
    if (state_ == State::kFirst || state_ == State::kElements) {
      return error_at(at, "json_syntax", "the array is never closed");
    }
    return end_at(at);
  }
  if (framing_ == JsonFraming::kLines) return next_line(at);
  switch (state_) {
    case State::kStart:
      return next_value(at);
    case State::kValues:
      MLOPS_TRY(check_apart(at));
      return next_value(at);
    case State::kFirst:
    case State::kElements:
      return next_element(at);
    case State::kEnd:
      break;
  }
  return error_at(at, "json_syntax", "text follows the array");
}

// Two values that touch must be told apart by their brackets, whatever is written in the place of one.
Status JsonFramer::check_apart(std::size_t at) const {
  const bool brackets = (last_byte_ == '}' || last_byte_ == ']') && (byte(at) == '{' || byte(at) == '[');
  if (at > 0 || brackets) return {};
  return error_at(at, "json_syntax", "text follows the value");
}

Result<bool> JsonFramer::end_at(std::size_t at) {
  record_begin_ = record_end_ = at;
  return false;
}

Result<bool> JsonFramer::next_line(std::size_t at) {
  std::size_t end = at;
  while (true) {
    const auto found = view(0, held()).find('\n', end);
    end = found == std::string_view::npos ? held() : found;
    if (found != std::string_view::npos) break;
    MLOPS_ASSIGN(const bool more, refill());
    if (!more) break;
  }
  if (!source_ && end >= max_record_bytes_ + 2) return too_long();  // what a buffer would have refused
  while (end > at && is_json_blank(byte(end - 1))) --end;
  record_begin_ = at;
  record_end_ = end;
  return true;
}

Result<bool> JsonFramer::next_value(std::size_t at) {
  if (byte(at) == '[' && state_ == State::kStart) {
    state_ = State::kFirst;
    MLOPS_ASSIGN(const std::size_t element, skip_blanks(at + 1));
    MLOPS_ASSIGN(const bool more, have(element));
    if (!more) return error_at(at, "json_syntax", "the array is never closed");
    return next_element(element);
  }
  state_ = State::kValues;
  if (framing_ == JsonFraming::kBundle && byte(at) == '{') return open_bundle(at);
  return take_value(at, 0);
}

Result<bool> JsonFramer::open_bundle(std::size_t at) {
  auto entries = find_entries(view(at, held()));
  while (entries.found == Entries::Found::kUnsure) {
    const std::size_t before = held();
    MLOPS_TRY(have(std::min(2 * before, max_record_bytes_ + 1)));
    if (held() == before) break;
    entries = find_entries(view(at, held()));
  }
  if (entries.found != Entries::Found::kYes) return take_value(at, 0);
  part_ = JsonPart::kHead;
  in_bundle_ = true;
  state_ = State::kFirst;
  record_begin_ = at;
  record_end_ = at + entries.end;
  return true;
}

// REQUIRES: a byte that is no blank at `at`, after an element, or after the bracket that opens the array.
Result<bool> JsonFramer::next_element(std::size_t at) {
  if (byte(at) == ']') return close_array(at);
  if (state_ == State::kElements) {
    if (byte(at) != ',') return error_at(at, "json_syntax", "a comma or a closing bracket is missing");
    MLOPS_ASSIGN(at, skip_blanks(at + 1));
    MLOPS_ASSIGN(const bool more, have(at));
    if (!more) return error_at(at, "json_syntax", "the array is never closed");
  }
  state_ = State::kElements;
  is_entry_ = in_bundle_;
  return take_value(at, 0);
}

Result<bool> JsonFramer::close_array(std::size_t at) {
  if (in_bundle_) {
    in_bundle_ = false;
    state_ = State::kValues;
    part_ = JsonPart::kTail;
    return take_value(at, 2);
  }
  state_ = State::kEnd;
  MLOPS_ASSIGN(const std::size_t end, skip_blanks(at + 1));
  MLOPS_ASSIGN(const bool more, have(end));
  if (more) return error_at(end, "json_syntax", "text follows the array");
  return end_at(end);
}

// The record from `at`, that deep inside already.
Result<bool> JsonFramer::take_value(std::size_t at, std::size_t depth) {
  record_begin_ = at;
  const char c = byte(at);
  const bool nested = depth > 0 || c == '{' || c == '[' || c == '"';
  if (!nested) {
    MLOPS_ASSIGN(record_end_, end_of_scalar(at));
    if (record_end_ == at) return error_at(at, "json_syntax", "not a value");
    return true;
  }
  MLOPS_ASSIGN(record_end_, end_of_nested(at, depth));
  if (record_end_ - at > max_record_bytes_) {
    return error_at(at, "json_record_too_long", fmt::format("a record is longer than {} bytes", max_record_bytes_));
  }
  return true;
}

Result<std::size_t> JsonFramer::end_of_scalar(std::size_t at) {
  while (true) {
    MLOPS_ASSIGN(const bool more, have(at));
    if (!more) return at;
    const char c = byte(at);
    if (is_json_blank(c) || c == ',' || c == ']' || c == '}' || c == '{' || c == '[' || c == '"') return at;
    ++at;
  }
}

Result<std::size_t> JsonFramer::end_of_nested(std::size_t at, std::size_t depth) {
  const std::size_t begin = at;
  bool in_string = false;
  while (true) {
    MLOPS_ASSIGN(const bool more, have(at));
    if (!more) return error_at(begin, "json_syntax", "the value that begins here does not end");
    const char* p = data_ + chunk_ + at;
    const char* const end = data_ + filled_;
    if (in_string) {
      p = find_string_stop(p, end);
      at = static_cast<std::size_t>(p - data_) - chunk_;
      if (p == end) continue;
      at += *p == '\\' ? 2 : 1;
      in_string = *p != '"';
    } else {
      p = find_bracket_or_quote(p, end);
      at = static_cast<std::size_t>(p - data_) - chunk_;
      if (p == end) continue;
      ++at;
      if (*p == '"') in_string = true;
      if (*p == '{' || *p == '[') ++depth;
      if (*p == '}' || *p == ']') --depth;
    }
    if (depth == 0 && !in_string) return at;
  }
}

}  // namespace mlops::data
