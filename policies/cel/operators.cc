// Arithmetic, comparison, membership and size.
#include <cmath>
#include <limits>

#include "core/base/text.h"
#include "policies/cel/functions.h"
#include "policies/cel/time.h"

namespace mlops::cel {
namespace {

using Args = std::span<const Value>;

Failure overflow() {
  return fail(ErrorCode::kInvalid, "cel_overflow", "integer overflow");
}
Failure by_zero() {
  return fail(ErrorCode::kInvalid, "cel_division_by_zero", "division by zero");
}

template <class T>
struct Pair {
  const T* a;
  const T* b;
  explicit operator bool() const { return a && b; }
};
template <class T>
Pair<T> both(Args args) {
  return {args[0].get<T>(), args[1].get<T>()};
}

struct Sum {
  template <class T>
  bool operator()(T a, T b, T* out) const {
    return __builtin_add_overflow(a, b, out);
  }
};
struct Rest {
  template <class T>
  bool operator()(T a, T b, T* out) const {
    return __builtin_sub_overflow(a, b, out);
  }
};
struct Product {
  template <class T>
  bool operator()(T a, T b, T* out) const {
    return __builtin_mul_overflow(a, b, out);
  }
};

template <class Operation, class T>
Result<Value> checked(const Pair<T>& n) {
  T out{};
  if (Operation()(*n.a, *n.b, &out)) return overflow();
  return Value(out);
}

Result<Value> add_times(Args args) {
  if (const auto* time = args[0].get<Timestamp>()) {
    const auto* span = args[1].get<Duration>();
    if (!span) return no_overload();
    MLOPS_ASSIGN(const auto sum, add(*time, *span));
    return Value(sum);
  }
  const auto* span = args[0].get<Duration>();
  if (!span) return no_overload();
  if (const auto* time = args[1].get<Timestamp>()) {
    MLOPS_ASSIGN(const auto sum, add(*time, *span));
    return Value(sum);
  }
  const auto* other = args[1].get<Duration>();
  if (!other) return no_overload();
  std::int64_t nanos = 0;
  if (__builtin_add_overflow(span->nanos, other->nanos, &nanos))
    return fail(ErrorCode::kInvalid, "cel_range", "out of range: a duration is at most 292 years");
  return Value(Duration{nanos});
}

Result<Value> add_values(Args args) {
  if (const auto n = both<std::int64_t>(args)) return checked<Sum>(n);
  if (const auto n = both<std::uint64_t>(args)) return checked<Sum>(n);
  if (const auto n = both<double>(args)) return Value(*n.a + *n.b);
  if (const auto n = both<std::string>(args)) return Value(*n.a + *n.b);
  if (const auto n = both<Bytes>(args)) return Value(Bytes{n.a->text + n.b->text});
  if (args[0].list() && args[1].list()) {
    List list = *args[0].list();
    list.insert(list.end(), args[1].list()->begin(), args[1].list()->end());
    return Value(std::move(list));
  }
  return add_times(args);
}

Result<Value> subtract_values(Args args) {
  if (const auto n = both<std::int64_t>(args)) return checked<Rest>(n);
  if (const auto n = both<std::uint64_t>(args)) return checked<Rest>(n);
  if (const auto n = both<double>(args)) return Value(*n.a - *n.b);
  if (const auto n = both<Duration>(args)) {
    std::int64_t nanos = 0;
    if (__builtin_sub_overflow(n.a->nanos, n.b->nanos, &nanos))
      return fail(ErrorCode::kInvalid, "cel_range", "out of range: a duration is at most 292 years");
    return Value(Duration{nanos});
  }
  const auto* time = args[0].get<Timestamp>();
  if (!time) return no_overload();
  if (const auto* other = args[1].get<Timestamp>()) {
    MLOPS_ASSIGN(const auto span, difference(*time, *other));
    return Value(span);
  }
  const auto* span = args[1].get<Duration>();
  if (!span) return no_overload();
  MLOPS_ASSIGN(const auto earlier, subtract(*time, *span));
  return Value(earlier);
}

Result<Value> multiply(Args args) {
  if (const auto n = both<std::int64_t>(args)) return checked<Product>(n);
  if (const auto n = both<std::uint64_t>(args)) return checked<Product>(n);
  if (const auto n = both<double>(args)) return Value(*n.a * *n.b);
  return no_overload();
}

constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();

Result<Value> divide(Args args) {
  if (const auto n = both<std::int64_t>(args)) {
    if (*n.b == 0) return by_zero();
    if (*n.a == kLeast && *n.b == -1) return overflow();
    return Value(*n.a / *n.b);
  }
  if (const auto n = both<std::uint64_t>(args)) {
    if (*n.b == 0) return by_zero();
    return Value(*n.a / *n.b);
  }
  if (const auto n = both<double>(args)) return Value(*n.a / *n.b);
  return no_overload();
}

Result<Value> remainder_of(Args args) {
  if (const auto n = both<std::int64_t>(args)) {
    if (*n.b == 0) return by_zero();
    if (*n.a == kLeast && *n.b == -1) return overflow();
    return Value(*n.a % *n.b);
  }
  if (const auto n = both<std::uint64_t>(args)) {
    if (*n.b == 0) return by_zero();
    return Value(*n.a % *n.b);
  }
  return no_overload();
}

Result<Value> negate(Args args) {
  if (const auto* number = args[0].get<std::int64_t>()) {
    if (*number == kLeast) return overflow();
    return Value(-*number);
  }
  if (const auto* number = args[0].get<double>()) return Value(-*number);
  return no_overload();
}

Result<Value> invert(Args args) {
  const auto* truth = args[0].get<bool>();
  if (!truth) return no_overload();
  return Value(!*truth);
}

Result<Value> equals(Args args) {
  return Value(equal(args[0], args[1]));
}
Result<Value> differs(Args args) {
  return Value(!equal(args[0], args[1]));
}

template <bool (*Holds)(std::partial_ordering)>
Result<Value> ordered(Args args) {
  const auto order = compare(args[0], args[1]);
  if (!order) return no_overload();
  return Value(Holds(*order));
}

Result<Value> is_in(Args args) {
  if (const auto* list = args[1].list()) {
    for (const auto& item : *list) {
      if (equal(args[0], item)) return Value(true);
    }
    return Value(false);
  }
  const auto* map = args[1].map();
  if (!map) return no_overload();
  const auto key = map_key(args[0]);
  return Value(key && map->contains(*key));
}

Result<Value> element(Args args) {
  const auto key = map_key(args[1]);
  if (const auto* map = args[0].map()) {
    const auto found = key ? map->find(*key) : map->end();
    if (found == map->end())
      return fail(ErrorCode::kInvalid, "cel_no_such_key", "no such key: " + to_text(args[1], 80));
    return found->second.value;
  }
  const auto* list = args[0].list();
  const auto* index = key ? std::get_if<std::int64_t>(&*key) : nullptr;
  if (!list || (args[1].kind() == Kind::kBool || args[1].kind() == Kind::kString)) return no_overload();
  if (!index || *index < 0 || static_cast<std::uint64_t>(*index) >= list->size())
    return fail(ErrorCode::kInvalid, "cel_out_of_bounds", "index out of bounds: " + to_text(args[1], 80));
  return (*list)[static_cast<std::size_t>(*index)];
}

Result<Value> size_of(Args args) {
  std::size_t size = 0;
  if (const auto* text = args[0].get<std::string>()) {
    for (const char byte : *text) size += (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
  } else if (const auto* bytes = args[0].get<Bytes>()) {
    size = bytes->text.size();
  } else if (const auto* list = args[0].list()) {
    size = list->size();
  } else if (const auto* map = args[0].map()) {
    size = map->size();
  } else {
    return no_overload();
  }
  return Value(static_cast<std::int64_t>(size));
}

// Evaluated by evaluate.cc, which may leave an argument out; the rows are for the checker.
Result<Value> never(Args) {
  return no_overload();
}

const std::vector<std::string_view> kComparable{
    "bool, bool -> bool",           "int, int -> bool",           "uint, uint -> bool",
    "double, double -> bool",       "string, string -> bool",     "bytes, bytes -> bool",
    "timestamp, timestamp -> bool", "duration, duration -> bool", "int, uint -> bool",
    "int, double -> bool",          "uint, int -> bool",          "uint, double -> bool",
    "double, int -> bool",          "double, uint -> bool"};

constexpr auto kFunction = Builtin::Style::kFunction;
constexpr auto kBoth = Builtin::Style::kBoth;

}  // namespace

std::vector<Builtin> operator_rows() {
  return {{"_+_",
           kFunction,
           add_values,
           {"int, int -> int", "uint, uint -> uint", "double, double -> double", "string, string -> string",
            "bytes, bytes -> bytes", "list(A), list(A) -> list(A)", "timestamp, duration -> timestamp",
            "duration, timestamp -> timestamp", "duration, duration -> duration"},
           {}},
          {"_-_",
           kFunction,
           subtract_values,
           {"int, int -> int", "uint, uint -> uint", "double, double -> double", "timestamp, timestamp -> duration",
            "timestamp, duration -> timestamp", "duration, duration -> duration"},
           {}},
          {"_*_", kFunction, multiply, {"int, int -> int", "uint, uint -> uint", "double, double -> double"}, {}},
          {"_/_", kFunction, divide, {"int, int -> int", "uint, uint -> uint", "double, double -> double"}, {}},
          {"_%_", kFunction, remainder_of, {"int, int -> int", "uint, uint -> uint"}, {}},
          {"-_", kFunction, negate, {"int -> int", "double -> double"}, {}},
          {"!_", kFunction, invert, {"bool -> bool"}, {}},
          {"_==_", kFunction, equals, {"A, A -> bool"}, {}},
          {"_!=_", kFunction, differs, {"A, A -> bool"}, {}},
          {"_<_", kFunction, ordered<std::is_lt>, kComparable, {}},
          {"_<=_", kFunction, ordered<std::is_lteq>, kComparable, {}},
          {"_>_", kFunction, ordered<std::is_gt>, kComparable, {}},
          {"_>=_", kFunction, ordered<std::is_gteq>, kComparable, {}},
          {"_in_", kFunction, is_in, {"A, list(A) -> bool", "A, map(A, B) -> bool"}, {}},
          {"_[_]", kFunction, element, {"list(A), int -> A", "map(A, B), A -> B"}, {}},
          {"_&&_", kFunction, never, {"bool, bool -> bool"}, {}},
          {"_||_", kFunction, never, {"bool, bool -> bool"}, {}},
          {"_?_:_", kFunction, never, {"bool, A, A -> A"}, {}},
          {"size", kBoth, size_of, {"string -> int", "bytes -> int", "list(A) -> int", "map(A, B) -> int"}, {}}};
}

}  // namespace mlops::cel
