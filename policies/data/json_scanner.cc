#include "policies/data/json_scanner.h"

#include "policies/data/json_bytes.h"
#include "policies/data/utf8.h"

namespace mlops::data {
namespace {

constexpr std::size_t kKeyBytesMax = 4096;

bool has_high_byte(std::string_view text) {
  unsigned char all = 0;
  for (const char c : text) all = static_cast<unsigned char>(all | static_cast<unsigned char>(c));
  return all >= 0x80;
}

}  // namespace

bool JsonScanner::wrong(const char* at, const char* slug, const char* message, const char* hint) {
  problem_ = {static_cast<std::size_t>(at - begin_), slug, message, hint};
  return false;
}

bool JsonScanner::no_place(const char* at) {
  if (paths_.is_full()) {
    return wrong(at, "json_too_many_columns", "the file has too many different keys",
                 "keys that are data (names, numbers) cannot be masked: make them values");
  }
  return wrong_syntax(at, "an escape in a key is none");
}

bool JsonScanner::scan(std::string_view record, PathNode& place, JsonPart part) {
  begin_ = at_ = record.data();
  end_ = begin_ + record.size();
  part_ = part;
  depth_ = 0;
  cells_.clear();
  if (keeps_ == Keeps::kLast) unescaped_.clear();
  has_unescaped_ = false;
  paths_.new_keys.clear();
  if (has_high_byte(record)) {
    if (const auto bad = first_invalid_utf8(record); bad != std::string_view::npos) {
      return wrong(begin_ + bad, "json_utf8", "not valid UTF-8", "save the file as UTF-8 text");
    }
  }
  if (!scan_part(place)) return false;
  skip_blanks();
  return at_ == end_ || wrong_syntax(at_, "text follows the value");
}

bool JsonScanner::scan_part(PathNode& place) {
  if (part_ != JsonPart::kTail) return scan_value(place);
  ++at_;
  depth_ = 1;
  skip_blanks();
  if (is_at('}')) {
    ++at_;
    return true;
  }
  if (!is_at(',')) return wrong_syntax(at_, "a comma or a closing brace is missing");
  ++at_;
  skip_blanks();
  return scan_members(place);
}

bool JsonScanner::scan_value(PathNode& node) {
  if (at_ == end_) return wrong_syntax(at_, "a value is missing");
  switch (*at_) {
    case '"':
      return scan_string(node);
    case '{':
      return scan_object(node);
    case '[':
      return scan_array(node);
    case 't':
    case 'f':
    case 'n':
      return scan_word(node);
    default:
      return scan_number(node);
  }
}

bool JsonScanner::scan_object(PathNode& node) {
  if (depth_ == max_depth_) return wrong(at_, "json_too_deep", "objects and arrays are nested too deeply");
  PathNode* place = &node;
  if (node.role != PathRole::kPlain) {
    place = paths_.specialise(node, {at_, static_cast<std::size_t>(end_ - at_)});
    if (!place) return no_place(at_);
  }
  ++depth_;
  ++at_;
  skip_blanks();
  if (is_at('}')) {
    ++at_;
    --depth_;
    return true;
  }
  return scan_members(*place);
}

// From a key to the brace that closes the object.
bool JsonScanner::scan_members(PathNode& node) {
  while (true) {
    if (!is_at('"')) return wrong_syntax(at_, "a key is missing");
    const char* const key_begin = at_;
    std::string_view key;
    bool escaped = false;
    if (!take_string(key, escaped)) return false;
    if (key.size() > kKeyBytesMax) return wrong(key_begin, "json_key_too_long", "a key is longer than 4096 bytes");
    PathNode* const child = paths_.child(node, key);
    if (!child) return no_place(key_begin);
    skip_blanks();
    if (!is_at(':')) return wrong_syntax(at_, "a colon is missing");
    ++at_;
    skip_blanks();
    const bool opens_last = part_ == JsonPart::kHead && depth_ == 1 && at_ + 1 == end_ && is_at('[');
    if (opens_last) {
      ++at_;
      return true;
    }
    if (!scan_value(*child)) return false;
    skip_blanks();
    if (is_at('}')) break;
    if (!is_at(',')) return wrong_syntax(at_, "a comma or a closing brace is missing");
    ++at_;
    skip_blanks();
  }
  ++at_;
  --depth_;
  return true;
}

bool JsonScanner::scan_array(PathNode& node) {
  if (depth_ == max_depth_) return wrong(at_, "json_too_deep", "objects and arrays are nested too deeply");
  PathNode* const element = paths_.element(node);
  if (!element) return no_place(at_);
  ++depth_;
  ++at_;
  skip_blanks();
  if (!is_at(']')) {
    while (true) {
      if (!scan_value(*element)) return false;
      skip_blanks();
      if (is_at(']')) break;
      if (!is_at(',')) return wrong_syntax(at_, "a comma or a closing bracket is missing");
      ++at_;
      skip_blanks();
    }
  }
  ++at_;
  --depth_;
  return true;
}

// What stands between the quotes. REQUIRES: a quote is at hand.
bool JsonScanner::take_string(std::string_view& inner, bool& escaped) {
  const char* const begin = ++at_;
  while (true) {
    at_ = find_string_stop(at_, end_);
    if (at_ == end_) return wrong_syntax(begin - 1, "the string that begins here does not end");
    if (*at_ == '"') break;
    if (*at_ != '\\') return wrong(at_, "json_control", "a control byte inside a string");
    escaped = true;
    at_ += 2;
    if (at_ > end_) return wrong_syntax(begin - 1, "the string that begins here does not end");
  }
  inner = {begin, static_cast<std::size_t>(at_ - begin)};
  ++at_;
  return true;
}

bool JsonScanner::scan_string(PathNode& node) {
  const char* const begin = at_;
  std::string_view text;
  bool escaped = false;
  if (!take_string(text, escaped)) return false;
  if (escaped) {
    if (!has_unescaped_) unescaped_.emplace_back().reserve(static_cast<std::size_t>(end_ - begin_));
    has_unescaped_ = true;
    auto& unescaped = unescaped_.back();
    const std::size_t from = unescaped.size();
    if (!decode_json_string(text, unescaped)) return wrong_syntax(begin, "an escape in this string is none");
    text = std::string_view(unescaped).substr(from);
  }
  return add_cell(node, text, begin, CellKind::kText);
}

bool JsonScanner::scan_number(PathNode& node) {
  const char* const begin = at_;
  const char* const end = end_of_number(at_, end_);
  if (!end) return wrong_syntax(at_, "not a value");
  at_ = end;
  return add_cell(node, {begin, static_cast<std::size_t>(end - begin)}, begin, CellKind::kNumber);
}

bool JsonScanner::scan_word(PathNode& node) {
  const char* const begin = at_;
  const std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
  for (const std::string_view word : {"true", "false", "null"}) {
    if (!rest.starts_with(word)) continue;
    at_ += word.size();
    if (word == "null") return add_cell(node, {}, begin, CellKind::kNull);
    return add_cell(node, rest.substr(0, word.size()), begin, CellKind::kTruth);
  }
  return wrong_syntax(at_, "not a value");
}

bool JsonScanner::add_cell(PathNode& node, std::string_view text, const char* begin, CellKind kind) {
  const std::size_t column = paths_.column(node);
  if (column == PathNode::kNoColumn) return no_place(begin);
  cells_.push_back({column, text, {begin, static_cast<std::size_t>(at_ - begin)}, kind});
  return true;
}

}  // namespace mlops::data
