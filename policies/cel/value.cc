#include "policies/cel/value.h"

#include <fmt/format.h>

#include <cmath>

#include "core/base/text.h"
#include "policies/cel/time.h"

namespace mlops::cel {
namespace {

constexpr Kind kKindOfIndex[] = {Kind::kNull,     Kind::kBool,   Kind::kInt,   Kind::kUint,
                                 Kind::kDouble,   Kind::kString, Kind::kBytes, Kind::kTimestamp,
                                 Kind::kDuration, Kind::kList,   Kind::kMap,   Kind::kType};

struct NameRow {
  Kind kind;
  std::string_view name;
};
constexpr NameRow kNames[] = {{Kind::kNull, "null_type"},
                              {Kind::kBool, "bool"},
                              {Kind::kInt, "int"},
                              {Kind::kUint, "uint"},
                              {Kind::kDouble, "double"},
                              {Kind::kString, "string"},
                              {Kind::kBytes, "bytes"},
                              {Kind::kTimestamp, "google.protobuf.Timestamp"},
                              {Kind::kDuration, "google.protobuf.Duration"},
                              {Kind::kList, "list"},
                              {Kind::kMap, "map"},
                              {Kind::kType, "type"}};

constexpr double kTwo63 = 9223372036854775808.0;
constexpr double kTwo64 = 18446744073709551616.0;

std::partial_ordering reversed(std::partial_ordering order) {
  return 0 <=> order;
}

std::partial_ordering compare_int(std::int64_t a, std::uint64_t b) {
  return a < 0 ? std::partial_ordering::less : static_cast<std::uint64_t>(a) <=> b;
}
// As the specification's cases have it: an integer beyond 2^53 is rounded to a double first.
std::partial_ordering compare_int(std::int64_t a, double b) {
  return static_cast<double>(a) <=> b;
}
std::partial_ordering compare_uint(std::uint64_t a, double b) {
  return static_cast<double>(a) <=> b;
}

bool is_number(Kind kind) {
  return kind == Kind::kInt || kind == Kind::kUint || kind == Kind::kDouble;
}

std::partial_ordering compare_numbers(const Value& a, const Value& b) {
  if (const auto* x = a.get<std::int64_t>()) {
    if (const auto* y = b.get<std::int64_t>()) return *x <=> *y;
    if (const auto* y = b.get<std::uint64_t>()) return compare_int(*x, *y);
    return compare_int(*x, *b.get<double>());
  }
  if (const auto* x = a.get<std::uint64_t>()) {
    if (const auto* y = b.get<std::int64_t>()) return reversed(compare_int(*y, *x));
    if (const auto* y = b.get<std::uint64_t>()) return *x <=> *y;
    return compare_uint(*x, *b.get<double>());
  }
  const auto x = *a.get<double>();
  if (const auto* y = b.get<std::int64_t>()) return reversed(compare_int(*y, x));
  if (const auto* y = b.get<std::uint64_t>()) return reversed(compare_uint(*y, x));
  return x <=> *b.get<double>();
}

bool equal_maps(const Map& a, const Map& b) {
  if (a.size() != b.size()) return false;
  for (const auto& [key, entry] : a) {
    const auto other = b.find(key);
    if (other == b.end() || !equal(entry.value, other->second.value)) return false;
  }
  return true;
}

std::string double_text(double value) {
  auto text = fmt::format("{}", value);
  if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
  return text;
}

std::string quote(std::string_view text) {
  return "\"" + printable(text) + "\"";
}

void append_text(const Value& value, std::size_t limit, std::string& out) {
  if (out.size() > limit) return;
  if (const auto* list = value.list()) {
    out += "[";
    for (std::size_t i = 0; i < list->size() && out.size() <= limit; ++i) {
      if (i > 0) out += ", ";
      append_text((*list)[i], limit, out);
    }
    out += "]";
  } else if (const auto* map = value.map()) {
    out += "{";
    bool first = true;
    for (const auto& [key, entry] : *map) {
      if (out.size() > limit) break;
      if (!first) out += ", ";
      first = false;
      append_text(entry.key, limit, out);
      out += ": ";
      append_text(entry.value, limit, out);
    }
    out += "}";
  } else if (const auto* text = value.get<std::string>()) {
    out += quote(*text);
  } else if (const auto* bytes = value.get<Bytes>()) {
    out += "b" + quote(bytes->text);
  } else if (const auto* number = value.get<double>()) {
    out += double_text(*number);
  } else if (const auto* integer = value.get<std::int64_t>()) {
    out += fmt::format("{}", *integer);
  } else if (const auto* natural = value.get<std::uint64_t>()) {
    out += fmt::format("{}u", *natural);
  } else if (const auto* truth = value.get<bool>()) {
    out += *truth ? "true" : "false";
  } else if (const auto* time = value.get<Timestamp>()) {
    out += "timestamp(\"" + format_timestamp(*time) + "\")";
  } else if (const auto* span = value.get<Duration>()) {
    out += "duration(\"" + format_duration(*span) + "\")";
  } else if (const auto* type = value.get<TypeName>()) {
    out += type->name;
  } else {
    out += "null";
  }
}

}  // namespace

struct Extent {
  std::uint64_t weight = 1;
  std::size_t depth = 1;
  void take(const Value& part) {
    if (__builtin_add_overflow(weight, part.weight(), &weight)) weight = std::numeric_limits<std::uint64_t>::max();
    depth = std::max(depth, part.depth() + 1);
  }
};
struct ListBox {
  List items;
  Extent extent;
};
struct MapBox {
  Map entries;
  Extent extent;
};

Value::Value(List value) {
  Extent extent;
  for (const auto& item : value) extent.take(item);
  storage_ = std::make_shared<const ListBox>(ListBox{std::move(value), extent});
}

Value::Value(Map value) {
  Extent extent;
  for (const auto& [key, entry] : value) {
    extent.take(entry.key);
    extent.take(entry.value);
  }
  storage_ = std::make_shared<const MapBox>(MapBox{std::move(value), extent});
}

const List* Value::list() const {
  const auto* held = get<std::shared_ptr<const ListBox>>();
  return held ? &(*held)->items : nullptr;
}

const Map* Value::map() const {
  const auto* held = get<std::shared_ptr<const MapBox>>();
  return held ? &(*held)->entries : nullptr;
}

std::uint64_t Value::weight() const {
  constexpr std::uint64_t kBytesAStep = 16;
  if (const auto* held = get<std::shared_ptr<const ListBox>>()) return (*held)->extent.weight;
  if (const auto* held = get<std::shared_ptr<const MapBox>>()) return (*held)->extent.weight;
  if (const auto* text = get<std::string>()) return 1 + text->size() / kBytesAStep;
  if (const auto* bytes = get<Bytes>()) return 1 + bytes->text.size() / kBytesAStep;
  return 1;
}

std::size_t Value::depth() const {
  if (const auto* held = get<std::shared_ptr<const ListBox>>()) return (*held)->extent.depth;
  if (const auto* held = get<std::shared_ptr<const MapBox>>()) return (*held)->extent.depth;
  return 0;
}

Kind Value::kind() const {
  return kKindOfIndex[storage_.index()];
}

bool equal(const Value& a, const Value& b) {
  if (is_number(a.kind()) && is_number(b.kind())) return compare_numbers(a, b) == 0;
  if (a.kind() != b.kind()) return false;
  if (a.kind() == Kind::kNull) return true;
  if (const auto* type = a.get<TypeName>()) return type->name == b.get<TypeName>()->name;
  if (const auto* map = a.map()) return equal_maps(*map, *b.map());
  if (const auto* list = a.list()) {
    const auto& other = *b.list();
    if (list->size() != other.size()) return false;
    for (std::size_t i = 0; i < list->size(); ++i) {
      if (!equal((*list)[i], other[i])) return false;
    }
    return true;
  }
  return compare(a, b) == std::partial_ordering::equivalent;
}

std::optional<std::partial_ordering> compare(const Value& a, const Value& b) {
  if (is_number(a.kind()) && is_number(b.kind())) return compare_numbers(a, b);
  if (a.kind() != b.kind()) return std::nullopt;
  if (const auto* text = a.get<std::string>()) return text->compare(*b.get<std::string>()) <=> 0;
  if (const auto* bytes = a.get<Bytes>()) return bytes->text.compare(b.get<Bytes>()->text) <=> 0;
  if (const auto* truth = a.get<bool>()) return *truth <=> *b.get<bool>();
  if (const auto* time = a.get<Timestamp>()) return *time <=> *b.get<Timestamp>();
  if (const auto* span = a.get<Duration>()) return *span <=> *b.get<Duration>();
  return std::nullopt;
}

std::optional<MapKey> map_key(const Value& value) {
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (const auto* truth = value.get<bool>()) return MapKey(*truth);
  if (const auto* integer = value.get<std::int64_t>()) return MapKey(*integer);
  if (const auto* text = value.get<std::string>()) return MapKey(*text);
  if (const auto* natural = value.get<std::uint64_t>())
    return *natural <= kMost ? MapKey(static_cast<std::int64_t>(*natural)) : MapKey(*natural);
  if (const auto* number = value.get<double>()) {
    if (*number != std::trunc(*number)) return std::nullopt;
    if (*number >= -kTwo63 && *number < kTwo63) return MapKey(static_cast<std::int64_t>(*number));
    if (*number >= kTwo63 && *number < kTwo64) return MapKey(static_cast<std::uint64_t>(*number));
  }
  return std::nullopt;
}

std::string_view type_name(Kind kind) {
  for (const auto& row : kNames) {
    if (row.kind == kind) return row.name;
  }
  return "dyn";
}

std::string type_name(const Value& value) {
  return std::string(type_name(value.kind()));
}

std::string to_text(const Value& value, std::size_t limit) {
  std::string text;
  append_text(value, limit, text);
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) --limit;
  return text.substr(0, limit) + "…";
}

Value from_json(const Json& json) {
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_unsigned()) {
    const auto natural = json.get<std::uint64_t>();
    if (natural > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return natural;
    return static_cast<std::int64_t>(natural);
  }
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number_float()) return json.get<double>();
  if (json.is_string()) return json.get<std::string>();
  if (json.is_array()) {
    List list;
    for (const auto& item : json) list.push_back(from_json(item));
    return list;
  }
  if (json.is_object()) {
    Map map;
    for (const auto& [key, value] : json.items()) map.emplace(key, MapEntry{key, from_json(value)});
    return map;
  }
  return {};
}

}  // namespace mlops::cel
