// Conversions between types, texts, and the parts of times.
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "core/base/text.h"
#include "policies/cel/functions.h"
#include "policies/cel/time.h"

namespace mlops::cel {
namespace {

using Args = std::span<const Value>;

Failure range() {
  return fail(ErrorCode::kInvalid, "cel_range", "range error: the number does not fit");
}
Failure bad(std::string_view type) {
  return fail(ErrorCode::kInvalid, "cel_bad_conversion", fmt::format("type conversion error: this is no {}", type));
}

template <class T>
bool read_whole(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

constexpr double kTwo63 = 9223372036854775808.0;
constexpr double kTwo64 = 18446744073709551616.0;

Result<Value> to_int(Args args) {
  if (args[0].get<std::int64_t>()) return args[0];
  if (const auto* natural = args[0].get<std::uint64_t>()) {
    if (*natural > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return range();
    return Value(static_cast<std::int64_t>(*natural));
  }
  if (const auto* number = args[0].get<double>()) {
    if (!(*number > -kTwo63 && *number < kTwo63)) return range();
    return Value(static_cast<std::int64_t>(*number));
  }
  if (const auto* time = args[0].get<Timestamp>()) return Value(time->seconds);
  const auto* text = args[0].get<std::string>();
  if (!text) return no_overload();
  std::int64_t value = 0;
  if (!read_whole(*text, value)) return bad("int");
  return Value(value);
}

Result<Value> to_uint(Args args) {
  if (args[0].get<std::uint64_t>()) return args[0];
  if (const auto* integer = args[0].get<std::int64_t>()) {
    if (*integer < 0) return range();
    return Value(static_cast<std::uint64_t>(*integer));
  }
  if (const auto* number = args[0].get<double>()) {
    if (!(*number >= 0 && *number < kTwo64)) return range();
    return Value(static_cast<std::uint64_t>(*number));
  }
  const auto* text = args[0].get<std::string>();
  if (!text) return no_overload();
  std::uint64_t value = 0;
  if (!read_whole(*text, value)) return bad("uint");
  return Value(value);
}

Result<Value> to_double(Args args) {
  if (args[0].get<double>()) return args[0];
  if (const auto* integer = args[0].get<std::int64_t>()) return Value(static_cast<double>(*integer));
  if (const auto* natural = args[0].get<std::uint64_t>()) return Value(static_cast<double>(*natural));
  const auto* text = args[0].get<std::string>();
  if (!text) return no_overload();
  double value = 0;
  if (!read_whole(*text, value)) return bad("double");
  return Value(value);
}

Result<Value> to_string(Args args) {
  if (args[0].get<std::string>()) return args[0];
  if (const auto* truth = args[0].get<bool>()) return Value(*truth ? "true" : "false");
  if (const auto* integer = args[0].get<std::int64_t>()) return Value(fmt::format("{}", *integer));
  if (const auto* natural = args[0].get<std::uint64_t>()) return Value(fmt::format("{}", *natural));
  if (const auto* number = args[0].get<double>()) return Value(fmt::format("{}", *number));
  if (const auto* time = args[0].get<Timestamp>()) return Value(format_timestamp(*time));
  if (const auto* span = args[0].get<Duration>()) return Value(format_duration(*span));
  const auto* bytes = args[0].get<Bytes>();
  if (!bytes) return no_overload();
  if (!is_valid_utf8(bytes->text))
    return fail(ErrorCode::kInvalid, "cel_bad_conversion", "invalid UTF-8: these bytes are no string");
  return Value(bytes->text);
}

Result<Value> to_bytes(Args args) {
  if (args[0].get<Bytes>()) return args[0];
  const auto* text = args[0].get<std::string>();
  if (!text) return no_overload();
  return Value(Bytes{*text});
}

struct Truth {
  std::string_view word;
  bool value;
};
constexpr Truth kTruths[] = {{"1", true},  {"t", true},  {"true", true},   {"TRUE", true},   {"True", true},
                             {"0", false}, {"f", false}, {"false", false}, {"FALSE", false}, {"False", false}};

Result<Value> to_bool(Args args) {
  if (args[0].get<bool>()) return args[0];
  const auto* text = args[0].get<std::string>();
  if (!text) return no_overload();
  for (const auto& row : kTruths) {
    if (row.word == *text) return Value(row.value);
  }
  return bad("bool");
}

Result<Value> to_timestamp(Args args) {
  if (args[0].get<Timestamp>()) return args[0];
  if (const auto* seconds = args[0].get<std::int64_t>()) {
    MLOPS_ASSIGN(const auto time, make_timestamp(*seconds, 0));
    return Value(time);
  }
  const auto* text = args[0].get<std::string>();
  if (!text) return no_overload();
  MLOPS_ASSIGN(const auto time, parse_timestamp(*text));
  return Value(time);
}

Result<Value> to_duration(Args args) {
  if (args[0].get<Duration>()) return args[0];
  const auto* text = args[0].get<std::string>();
  if (!text) return no_overload();
  MLOPS_ASSIGN(const auto span, parse_duration(*text));
  return Value(span);
}

Result<Value> to_dyn(Args args) {
  return args[0];
}
Result<Value> type_value(Args args) {
  return Value(TypeName{type_name(args[0])});
}

template <class Test>
Result<Value> text_test(Args args, const Test& test) {
  const auto* text = args[0].get<std::string>();
  const auto* part = args[1].get<std::string>();
  if (!text || !part) return no_overload();
  return Value(test(*text, *part));
}

Result<Value> contains(Args args) {
  return text_test(args, [](const std::string& a, const std::string& b) { return a.find(b) != std::string::npos; });
}
Result<Value> starts_with(Args args) {
  return text_test(args, [](const std::string& a, const std::string& b) { return a.starts_with(b); });
}
Result<Value> ends_with(Args args) {
  return text_test(args, [](const std::string& a, const std::string& b) { return a.ends_with(b); });
}
Result<Value> matches(Args args) {
  const auto* text = args[0].get<std::string>();
  const auto* pattern = args[1].get<std::string>();
  if (!text || !pattern) return no_overload();
  MLOPS_ASSIGN(const bool found, matches_pattern(*text, *pattern));
  return Value(found);
}

template <auto Part>
Result<Value> calendar_part(Args args) {
  const auto* time = args[0].get<Timestamp>();
  const auto* zone = args.size() > 1 ? args[1].get<std::string>() : nullptr;
  if (!time || (args.size() > 1 && !zone)) return no_overload();
  MLOPS_ASSIGN(const auto parts, calendar(*time, zone ? std::string_view(*zone) : std::string_view()));
  return Value(static_cast<std::int64_t>(Part(parts)));
}

// Of a timestamp the part of its clock, of a duration the whole of it in that unit.
template <auto Part, std::int64_t UnitNanos>
Result<Value> clock_part(Args args) {
  const auto* span = args[0].get<Duration>();
  if (!span || args.size() > 1) return calendar_part<Part>(args);
  return Value(span->nanos / UnitNanos);
}

Result<Value> milliseconds(Args args) {
  if (const auto* span = args[0].get<Duration>()) return Value(span->nanos / 1'000'000 % 1000);
  const auto* time = args[0].get<Timestamp>();
  if (!time) return no_overload();
  return Value(static_cast<std::int64_t>(time->nanos / 1'000'000));
}

constexpr auto kFunction = Builtin::Style::kFunction;
constexpr auto kMethod = Builtin::Style::kMethod;
constexpr auto kBoth = Builtin::Style::kBoth;

const std::vector<std::string_view> kOfTime{"timestamp -> int", "timestamp, string -> int"};
const std::vector<std::string_view> kOfBoth{"timestamp -> int", "timestamp, string -> int", "duration -> int"};

}  // namespace

std::vector<Builtin> conversion_rows() {
  return {
      {"int",
       kFunction,
       to_int,
       {"int -> int", "uint -> int", "double -> int", "string -> int", "timestamp -> int"},
       {}},
      {"uint", kFunction, to_uint, {"uint -> uint", "int -> uint", "double -> uint", "string -> uint"}, {}},
      {"double", kFunction, to_double, {"double -> double", "int -> double", "uint -> double", "string -> double"}, {}},
      {"string",
       kFunction,
       to_string,
       {"string -> string", "bool -> string", "int -> string", "uint -> string", "double -> string", "bytes -> string",
        "timestamp -> string", "duration -> string"},
       {}},
      {"bytes", kFunction, to_bytes, {"bytes -> bytes", "string -> bytes"}, {}},
      {"bool", kFunction, to_bool, {"bool -> bool", "string -> bool"}, {}},
      {"timestamp", kFunction, to_timestamp, {"timestamp -> timestamp", "string -> timestamp", "int -> timestamp"}, {}},
      {"duration", kFunction, to_duration, {"duration -> duration", "string -> duration"}, {}},
      {"dyn", kFunction, to_dyn, {"A -> dyn"}, {}},
      {"type", kFunction, type_value, {"A -> type(A)"}, {}}};
}

std::vector<Builtin> text_rows() {
  return {{"contains", kMethod, contains, {"string, string -> bool"}, {}},
          {"startsWith", kMethod, starts_with, {"string, string -> bool"}, {}},
          {"endsWith", kMethod, ends_with, {"string, string -> bool"}, {}},
          {"matches", kBoth, matches, {"string, string -> bool"}, {}}};
}

std::vector<Builtin> time_rows() {
  constexpr std::int64_t kSecond = 1'000'000'000;
  constexpr auto kYear = [](const Calendar& at) { return at.year; };
  constexpr auto kMonth = [](const Calendar& at) { return at.month; };
  constexpr auto kDate = [](const Calendar& at) { return at.day; };
  constexpr auto kDayOfMonth = [](const Calendar& at) { return at.day - 1; };
  constexpr auto kDayOfYear = [](const Calendar& at) { return at.day_of_year; };
  constexpr auto kDayOfWeek = [](const Calendar& at) { return at.day_of_week; };
  constexpr auto kHours = [](const Calendar& at) { return at.hours; };
  constexpr auto kMinutes = [](const Calendar& at) { return at.minutes; };
  constexpr auto kSeconds = [](const Calendar& at) { return at.seconds; };
  return {{"getFullYear", kMethod, calendar_part<kYear>, kOfTime, {}},
          {"getMonth", kMethod, calendar_part<kMonth>, kOfTime, {}},
          {"getDate", kMethod, calendar_part<kDate>, kOfTime, {}},
          {"getDayOfMonth", kMethod, calendar_part<kDayOfMonth>, kOfTime, {}},
          {"getDayOfYear", kMethod, calendar_part<kDayOfYear>, kOfTime, {}},
          {"getDayOfWeek", kMethod, calendar_part<kDayOfWeek>, kOfTime, {}},
          {"getHours", kMethod, clock_part<kHours, 3600 * kSecond>, kOfBoth, {}},
          {"getMinutes", kMethod, clock_part<kMinutes, 60 * kSecond>, kOfBoth, {}},
          {"getSeconds", kMethod, clock_part<kSeconds, kSecond>, kOfBoth, {}},
          {"getMilliseconds", kMethod, milliseconds, kOfBoth, {}}};
}

}  // namespace mlops::cel
