// Values of the expression language. Immutable; lists and maps are shared, so copies are cheap.
//
// Numbers of different types are equal when they are the same number; lists and maps when their parts are; values of
// other different types never. Thread-safety: values.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "policies/cel/type.h"

namespace mlops::cel {

struct Timestamp {
  std::int64_t seconds = 0;  // since the Unix epoch, 0001-01-01 to 9999-12-31
  std::int32_t nanos = 0;    // 0 to 999,999,999
  friend auto operator<=>(const Timestamp&, const Timestamp&) = default;
};
struct Duration {
  std::int64_t nanos = 0;
  friend auto operator<=>(const Duration&, const Duration&) = default;
};
struct Bytes {
  std::string text;
};
struct TypeName {
  std::string name;
};

class Value;
struct ListBox;
struct MapBox;
using List = std::vector<Value>;

// A key of a map: bool, integer or text; 1, 1u and 1.0 are the same key.
using MapKey = std::variant<bool, std::int64_t, std::uint64_t, std::string>;
struct Map;

class Value {
 public:
  using Storage = std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Bytes, Timestamp,
                               Duration, std::shared_ptr<const ListBox>, std::shared_ptr<const MapBox>, TypeName>;
  Value() = default;  // null
  Value(bool value) : storage_(value) {}
  Value(std::int64_t value) : storage_(value) {}
  Value(std::uint64_t value) : storage_(value) {}
  Value(double value) : storage_(value) {}
  Value(std::string value) : storage_(std::move(value)) {}
  Value(const char* value) : storage_(std::string(value)) {}
  Value(Bytes value) : storage_(std::move(value)) {}
  Value(Timestamp value) : storage_(value) {}
  Value(Duration value) : storage_(value) {}
  Value(TypeName value) : storage_(std::move(value)) {}
  Value(List value);
  Value(Map value);

  Kind kind() const;
  template <class T>
  const T* get() const {
    return std::get_if<T>(&storage_);
  }
  const List* list() const;
  const Map* map() const;
  // What reading the value whole takes: 1 and one more for each value inside, however shared, and for 16 bytes of text.
  // Saturates.
  std::uint64_t weight() const;
  // Lists and maps inside each other; 0 of any other value.
  std::size_t depth() const;

 private:
  Storage storage_;
};

struct MapEntry {
  Value key;
  Value value;
};
// In the order of keys, so that what goes over a map gives the same answer every time.
struct Map : std::map<MapKey, MapEntry> {
  using std::map<MapKey, MapEntry>::map;
};

bool equal(const Value& a, const Value& b);
// less, equivalent, greater; unordered with a NaN; nullopt: not comparable.
std::optional<std::partial_ordering> compare(const Value& a, const Value& b);
// nullopt: no value of this type is a key (a double that is no integer is none either, but is looked up).
std::optional<MapKey> map_key(const Value& value);

// What type(value) says: "int", "list", "google.protobuf.Timestamp".
std::string type_name(const Value& value);
// A name for each kind as type() gives it.
std::string_view type_name(Kind kind);

// As in an expression: 0.79, "text", [1, 2], {"a": 1u}, timestamp("…"); cut after `limit` bytes.
std::string to_text(const Value& value, std::size_t limit = 200);

// Objects become maps, integers int (uint when too large), the rest doubles. REQUIRES: what parse_json gave.
Value from_json(const Json& json);

}  // namespace mlops::cel
