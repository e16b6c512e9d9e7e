#include "core/base/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <new>
#include <optional>
#include <vector>

#include "core/base/json_text.h"
#include "core/base/text.h"

namespace mlops {
namespace {

// Hands the text to the parser byte by byte and keeps `position` at the first byte not yet handed out, because the
// SAX events of nlohmann::json carry no position of their own.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, const char** position) : at_(at), position_(position) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    *position_ = ++at_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator old = *this;
    ++*this;
    return old;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  const char** position_;
};

// "json:line:column: message" for the byte at `offset`; columns count code points.
Failure fail_at(std::string_view text, std::size_t offset, const char* slug, std::string_view message) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t newline = before.rfind('\n');
  const std::string_view in_line = newline == std::string_view::npos ? before : before.substr(newline + 1);
  const auto column = std::count_if(in_line.begin(), in_line.end(), [](char c) { return (c & 0xc0) != 0x80; });
  return fail(ErrorCode::kInvalid, slug,
              fmt::format("json:{}:{}: {}", line, std::max<std::ptrdiff_t>(column, 1), message));
}

// Builds the tree and refuses what the parser itself would let through. Every event returns false to stop the parser.
class TreeBuilder {
 public:
  TreeBuilder(const JsonLimits& limits, std::string_view text) : limits_(limits), text_(text), at_(text.data()) {}

  const char** position() { return &at_; }
  std::optional<Error>& error() { return error_; }
  Json take() { return std::move(root_); }

  bool null() { return add(nullptr); }
  bool boolean(bool value) { return add(value); }
  bool number_integer(std::int64_t value) { return add(value); }
  bool number_unsigned(std::uint64_t value) { return add(value); }
  bool number_float(double value, const std::string& digits) {
    // The parser turns an integer that fits no integer type into a rounded double.
    if (digits.find_first_of(".eE") == std::string::npos) return stop("json_number", "an integer outside 64 bits");
    if (!std::isfinite(value)) return stop("json_number", "a number too large for a double");
    return add(value);
  }
  bool string(std::string& value) { return check_text(value) && add(std::move(value)); }
  bool binary(Json::binary_t&) { return stop("json_syntax", "binary values do not exist in JSON"); }

  bool start_object(std::size_t) { return open(Json::object()); }
  bool start_array(std::size_t) { return open(Json::array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool key(std::string& name) {
    if (!check_text(name)) return false;
    const auto [slot, inserted] = open_.back()->get_ref<Json::object_t&>().try_emplace(std::move(name));
    if (!inserted) return stop("json_duplicate_key", "the same member name twice in one object");
    member_ = &slot->second;
    return true;
  }

  bool parse_error(std::size_t offset, const std::string&, const nlohmann::detail::exception& problem) {
    constexpr int kNumberOverflow = 406;
    if (problem.id == kNumberOverflow) return stop("json_number", "a number too large for a double");
    // The parser's own text quotes the input ("last read: …"), which may be personal data: keep what stands before it.
    std::string_view reason = problem.what();
    reason = reason.substr(0, reason.find("; last read"));
    const std::size_t start = reason.find("syntax error");
    reason = start == std::string_view::npos ? "syntax error" : reason.substr(start);
    error_ = fail_at(text_, offset, "json_syntax", reason).value();
    return false;
  }

 private:
  bool stop(const char* slug, std::string_view message) {
    error_ = fail_at(text_, static_cast<std::size_t>(at_ - text_.data()), slug, message).value();
    return false;
  }

  bool check_text(const std::string& value) {
    if (value.size() > limits_.string_bytes) {
      return stop("json_limit", fmt::format("a string longer than {} bytes", limits_.string_bytes));
    }
    if (value.find('\0') != std::string::npos) return stop("json_string", "the character U+0000 in a string");
    return true;
  }

  // Where the value goes: the root, the member just named, or the end of the open array.
  Json* place(Json&& value) {
    if (open_.empty()) return &(root_ = std::move(value));
    if (open_.back()->is_object()) return &(*member_ = std::move(value));
    return &open_.back()->emplace_back(std::move(value));
  }

  bool count_node() {
    if (++nodes_ <= limits_.nodes) return true;
    return stop("json_limit", fmt::format("more than {} values", limits_.nodes));
  }

  bool add(Json value) {
    if (!count_node()) return false;
    place(std::move(value));
    return true;
  }

  bool open(Json container) {
    if (!count_node()) return false;
    if (open_.size() >= limits_.depth) {
      return stop("json_limit", fmt::format("nested deeper than {} levels", limits_.depth));
    }
    // The pointer stays good while the container is open: nothing is added to its parent in the meantime.
    open_.push_back(place(std::move(container)));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  const JsonLimits& limits_;
  const std::string_view text_;
  const char* at_;
  Json root_;
  std::vector<Json*> open_;
  Json* member_ = nullptr;
  std::size_t nodes_ = 0;
  std::optional<Error> error_;
};

// UTF-8 bytes sort like code points; UTF-16 units differ only where a surrogate (U+10000 and above, lead byte 0xf0 and
// above) meets U+E000–U+FFFF (lead bytes 0xee and 0xef), which come after it.
bool utf16_less(const std::string& a, const std::string& b) {
  const auto [x, y] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (x == a.end() || y == b.end()) return x == a.end() && y != b.end();
  const auto rank = [](char c) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (byte < 0xee) return static_cast<int>(byte);
    return byte < 0xf0 ? byte + 0x100 : static_cast<int>(byte);
  };
  return rank(*x) < rank(*y);
}

void append_canonical(std::string& out, const Json& value);

void append_canonical_object(std::string& out, const Json& object) {
  std::vector<const Json::object_t::value_type*> members;
  members.reserve(object.size());
  for (const auto& member : object.get_ref<const Json::object_t&>()) members.push_back(&member);
  std::sort(members.begin(), members.end(), [](auto* a, auto* b) { return utf16_less(a->first, b->first); });
  out += '{';
  for (const auto* member : members) {
    if (member != members.front()) out += ',';
    append_json_string(out, member->first);
    out += ':';
    append_canonical(out, member->second);
  }
  out += '}';
}

void append_canonical(std::string& out, const Json& value) {
  switch (value.type()) {
    case Json::value_t::object:
      return append_canonical_object(out, value);
    case Json::value_t::array:
      out += '[';
      for (std::size_t i = 0; i < value.size(); ++i) {
        if (i > 0) out += ',';
        append_canonical(out, value[i]);
      }
      out += ']';
      return;
    case Json::value_t::string:
      return append_json_string(out, value.get_ref<const std::string&>());
    case Json::value_t::boolean:
      out += value.get<bool>() ? "true" : "false";
      return;
    case Json::value_t::number_integer:
      out += std::to_string(value.get<std::int64_t>());
      return;
    case Json::value_t::number_unsigned:
      out += std::to_string(value.get<std::uint64_t>());
      return;
    case Json::value_t::number_float:
      return append_json_number(out, value.get<double>());
    case Json::value_t::null:
    case Json::value_t::binary:
    case Json::value_t::discarded:
      out += "null";
  }
}

Failure wrong_type(const std::string& key, std::string_view wanted) {
  return fail(ErrorCode::kInvalid, "wrong_type", fmt::format("'{}' must be {}", printable(key), wanted));
}

// The member, or nullptr when it is absent. Errors: kInvalid "wrong_type" when `object` is none.
Result<const Json*> member_of(const Json& object, const std::string& key) {
  if (!object.is_object()) return fail(ErrorCode::kInvalid, "wrong_type", "a JSON object is expected here");
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

}  // namespace

Result<Json> parse_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.size_bytes) {
    return fail(ErrorCode::kInvalid, "json_limit", fmt::format("JSON text longer than {} bytes", limits.size_bytes));
  }
  try {
    TreeBuilder builder(limits, text);
    const CountingIterator begin(text.data(), builder.position());
    const CountingIterator end(text.data() + text.size(), builder.position());
    if (Json::sax_parse(begin, end, &builder)) return builder.take();
    if (builder.error()) return fail(std::move(*builder.error()));
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::kExhausted, "out_of_memory", "not enough memory to read the JSON text");
  } catch (const std::exception&) {
    // Falls through: the parser's message may quote the input.
  }
  return fail(ErrorCode::kInvalid, "json_syntax", "not a JSON text");
}

std::string canonical_dump(const Json& value) {
  std::string out;
  append_canonical(out, value);
  return out;
}

Result<std::string> require_string(const Json& object, const std::string& key) {
  MLOPS_ASSIGN(const Json* member, member_of(object, key));
  if (!member) return fail(ErrorCode::kInvalid, "missing_field", fmt::format("'{}' is missing", printable(key)));
  if (!member->is_string()) return wrong_type(key, "a string");
  return member->get<std::string>();
}

Result<std::string> optional_string(const Json& object, const std::string& key, std::string fallback) {
  MLOPS_ASSIGN(const Json* member, member_of(object, key));
  if (!member || member->is_null()) return fallback;
  if (!member->is_string()) return wrong_type(key, "a string");
  return member->get<std::string>();
}

Result<std::int64_t> optional_int(const Json& object, const std::string& key, std::int64_t fallback, std::int64_t min,
                                  std::int64_t max) {
  MLOPS_ASSIGN(const Json* member, member_of(object, key));
  if (!member || member->is_null()) return fallback;
  const auto wanted = [&] { return fmt::format("an integer from {} to {}", min, max); };
  if (!member->is_number_integer()) return wrong_type(key, wanted());
  const bool above_int64 = member->is_number_unsigned() && member->get<std::uint64_t>() > std::uint64_t{INT64_MAX};
  const auto value = member->get<std::int64_t>();
  if (above_int64 || value < min || value > max) {
    return fail(ErrorCode::kInvalid, "out_of_range", fmt::format("'{}' must be {}", printable(key), wanted()));
  }
  return value;
}

Result<bool> optional_bool(const Json& object, const std::string& key, bool fallback) {
  MLOPS_ASSIGN(const Json* member, member_of(object, key));
  if (!member || member->is_null()) return fallback;
  if (!member->is_boolean()) return wrong_type(key, "true or false");
  return member->get<bool>();
}

Status only_known_fields(const Json& object, std::initializer_list<std::string_view> known) {
  if (!object.is_object()) return fail(ErrorCode::kInvalid, "wrong_type", "a JSON object is expected here");
  for (const auto& [key, value] : object.items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::vector<std::string> words(known.begin(), known.end());
    const auto near = nearest_word(key, words);
    // Only what looks like a member's name is repeated: rows sent to the wrong place may have ids for names.
    const bool is_word = std::all_of(key.begin(), key.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
    return fail(ErrorCode::kInvalid, "unknown_field",
                is_word ? fmt::format("unknown member '{}'", key.substr(0, 64)) : "there is an unknown member",
                near ? fmt::format("did you mean '{}'?", *near) : fmt::format("known here: {}", join(words, ", ")));
  }
  return {};
}

}  // namespace mlops
