// The public conformance cases of CEL (repository google/cel-spec, tests/simple/testdata), read from the folder that
// MLOPS_CEL_CONFORMANCE names or from a checkout beside this one; skipped, saying so, when neither is there. Every case
// is run, or is outside of the subset for a reason that its text shows; what a case gives never decides whether it
// counts.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>

#include "core/base/text.h"
#include "policies/cel/program.h"
#include "policies/cel/time.h"
#include "tests/unit/catch.h"
#include "tests/unit/policies/cel/text_proto.h"

using namespace mlops;
using namespace mlops::cel;
namespace fs = std::filesystem;

namespace {

// Whole files about what the language here does not have.
const std::map<std::string, std::string> kOutsideFiles{
    {"bindings_ext", "extension: bindings"}, {"block_ext", "extension: blocks"},
    {"encoders_ext", "extension: encoders"}, {"math_ext", "extension: math"},
    {"network_ext", "extension: network"},   {"string_ext", "extension: strings"},
    {"macros2", "two-variable macros"},      {"optionals", "optional types"},
    {"proto2_ext", "messages and enums"}};

struct Outside {
  std::string reason;
};

template <class T>
T number(const std::string& text) {
  if constexpr (std::is_same_v<T, std::uint64_t>) return std::strtoull(text.c_str(), nullptr, 0);
  return std::strtoll(text.c_str(), nullptr, 0);
}

std::optional<Value> value_from(const proto::Message& message, Outside& outside);

std::optional<Value> list_from(const proto::Message& message, Outside& outside) {
  List list;
  for (const auto* field : message.all("values")) {
    const auto item = value_from(field->message.front(), outside);
    if (!item) return std::nullopt;
    list.push_back(*item);
  }
  return Value(std::move(list));
}

std::optional<Value> map_from(const proto::Message& message, Outside& outside) {
  Map map;
  for (const auto* field : message.all("entries")) {
    const auto key = value_from(*field->message.front().at("key"), outside);
    const auto value = value_from(*field->message.front().at("value"), outside);
    if (!key || !value) return std::nullopt;
    map.emplace(*map_key(*key), MapEntry{*key, *value});
  }
  return Value(std::move(map));
}

std::optional<Value> object_from(const proto::Message& message, Outside& outside) {
  const auto& field = message.fields.front();
  const auto& inner = field.message.front();
  const auto seconds = number<std::int64_t>(inner.text("seconds"));
  const auto nanos = number<std::int64_t>(inner.text("nanos"));
  if (field.name == "type.googleapis.com/google.protobuf.Duration")
    return Value(Duration{seconds * 1'000'000'000 + nanos});
  if (field.name == "type.googleapis.com/google.protobuf.Timestamp")
    return Value(Timestamp{seconds, static_cast<std::int32_t>(nanos)});
  outside.reason = "messages and enums";
  return std::nullopt;
}

std::optional<Value> value_from(const proto::Message& message, Outside& outside) {
  if (message.fields.empty()) return Value();
  const auto& field = message.fields.front();
  const auto& text = field.scalar;
  if (field.name == "null_value") return Value();
  if (field.name == "bool_value") return Value(text == "true");
  if (field.name == "int64_value") return Value(number<std::int64_t>(text));
  if (field.name == "uint64_value") return Value(number<std::uint64_t>(text));
  if (field.name == "double_value") return Value(std::strtod(text.c_str(), nullptr));
  if (field.name == "string_value") return Value(text);
  if (field.name == "bytes_value") return Value(Bytes{text});
  if (field.name == "type_value") return Value(TypeName{text});
  if (field.name == "list_value") return list_from(field.message.front(), outside);
  if (field.name == "map_value") return map_from(field.message.front(), outside);
  if (field.name == "object_value") return object_from(field.message.front(), outside);
  outside.reason = "messages and enums";
  return std::nullopt;
}

std::optional<Type> type_from(const proto::Message& message, Outside& outside) {
  if (message.fields.empty()) return Type{};
  const auto& field = message.fields.front();
  static const std::map<std::string, Kind> kWords{{"BOOL", Kind::kBool},
                                                  {"INT64", Kind::kInt},
                                                  {"UINT64", Kind::kUint},
                                                  {"DOUBLE", Kind::kDouble},
                                                  {"STRING", Kind::kString},
                                                  {"BYTES", Kind::kBytes},
                                                  {"TIMESTAMP", Kind::kTimestamp},
                                                  {"DURATION", Kind::kDuration},
                                                  {"google.protobuf.Timestamp", Kind::kTimestamp},
                                                  {"google.protobuf.Duration", Kind::kDuration}};
  if (field.name == "null") return Type{Kind::kNull, {}, 0};
  if (field.name == "dyn") return Type{};
  if (field.name == "type") {
    const auto of = field.is_message ? type_from(field.message.front(), outside) : Type{};
    return of ? std::optional(type_of(*of)) : std::nullopt;
  }
  if (field.name == "list_type") {
    const auto* of = field.message.front().at("elem_type");
    const auto element = of ? type_from(*of, outside) : Type{};
    return element ? std::optional(list_of(*element)) : std::nullopt;
  }
  if (field.name == "map_type") {
    const auto key = type_from(*field.message.front().at("key_type"), outside);
    const auto value = type_from(*field.message.front().at("value_type"), outside);
    return key && value ? std::optional(map_of(*key, *value)) : std::nullopt;
  }
  const auto known = kWords.find(field.scalar);
  const bool is_plain = field.name == "primitive" || field.name == "well_known" || field.name == "message_type";
  if (is_plain && known != kWords.end()) return Type{known->second, {}, 0};
  outside.reason = field.name == "wrapper"         ? "wrapper types"
                   : field.name == "abstract_type" ? "optional types"
                   : field.name == "type_param"    ? "type parameters of variables"
                                                   : "messages and enums";
  return std::nullopt;
}

// A time zone by its name stands quoted as the only argument of a getter.
bool names_time_zone(const std::string& expr) {
  const auto open = expr.rfind("('");
  return expr.find(".get") != std::string::npos && open != std::string::npos &&
         expr.find('/', open) != std::string::npos;
}

bool same(const Value& want, const Value& have) {
  if (want.kind() != have.kind()) return false;
  if (const auto* number = want.get<double>()) {
    const auto other = *have.get<double>();
    return (std::isnan(*number) && std::isnan(other)) ||
           (*number == other && std::signbit(*number) == std::signbit(other));
  }
  if (const auto* list = want.list()) {
    return std::equal(list->begin(), list->end(), have.list()->begin(), have.list()->end(), same);
  }
  return equal(want, have);
}

struct Tally {
  int passed = 0;
  std::map<std::string, int> outside;
  std::vector<std::string> failed;
};

class Case {
 public:
  Case(const proto::Message& test, Tally& tally, std::string where)
      : test_(test), tally_(tally), where_(std::move(where)) {}

  void run() {
    Declarations declarations;
    Bindings bindings;
    if (!prepare(declarations, bindings)) return leave_out(outside_.reason);
    CompileOptions options;
    if (test_.text("disable_check") == "true") options.check = CompileOptions::Check::kUntyped;
    options.has_macros = test_.text("disable_macros") != "true";
    const auto program = compile(test_.text("expr"), declarations, options);
    if (!program && program.error().slug == "cel_message") return leave_out("messages and enums");
    const auto* typed = test_.at("typed_result");
    const bool wants_error = test_.find("eval_error") || test_.find("any_eval_errors");
    if (!program) return fail("does not compile: " + program.error().message);
    if (typed && !check_type(*program, *typed)) return;
    if (test_.text("check_only") == "true") return pass();
    const auto value = program->evaluate(bindings);
    if (wants_error) return value ? fail("gives " + to_text(*value) + ", not an error") : pass();
    if (!value) return fail("gives an error: " + value.error().message);
    check_value(*value, typed ? typed->at("result") : test_.at("value"));
  }

 private:
  bool prepare(Declarations& declarations, Bindings& bindings) {
    declarations.container = test_.text("container");
    if (declarations.container.starts_with("cel.expr") || declarations.container.starts_with("google")) {
      outside_.reason = "messages and enums";
    } else if (names_time_zone(test_.text("expr"))) {
      outside_.reason = "time zones by name";
    } else if (test_.text("expr").find("optional.") != std::string::npos) {
      outside_.reason = "optional types";
    } else if (test_.find("unknown") || test_.find("any_unknowns")) {
      outside_.reason = "unknown values";
    }
    if (!outside_.reason.empty()) return false;
    for (const auto* field : test_.all("type_env")) {
      const auto& decl = field->message.front();
      const auto* ident = decl.at("ident");
      if (!ident) {
        outside_.reason = "functions that a case declares and nobody implements";
        return false;
      }
      const auto type = type_from(*ident->at("type"), outside_);
      if (!type) return false;
      declarations.variables[decl.text("name")] = *type;
    }
    for (const auto* field : test_.all("bindings")) {
      const auto& binding = field->message.front();
      const auto value = value_from(*binding.at("value")->at("value"), outside_);
      if (!value) return false;
      bindings.variables[binding.text("key")] = *value;
    }
    return true;
  }

  bool check_type(const Program& program, const proto::Message& typed) {
    const auto* deduced = typed.at("deduced_type");
    if (!deduced) return true;
    const auto want = type_from(*deduced, outside_);
    if (!want) {
      leave_out(outside_.reason);
      return false;
    }
    if (to_text(*want) == to_text(program.type())) return true;
    fail("has the type " + to_text(program.type()) + ", not " + to_text(*want));
    return false;
  }

  void check_value(const Value& value, const proto::Message* result) {
    auto want = std::optional<Value>(true);
    if (result) want = value_from(*result, outside_);
    if (!want) return leave_out(outside_.reason);
    if (same(*want, value)) return pass();
    fail("gives " + to_text(value) + ", not " + to_text(*want));
  }

  void pass() { ++tally_.passed; }
  void leave_out(const std::string& reason) { ++tally_.outside[reason]; }
  void fail(const std::string& what) { tally_.failed.push_back(where_ + ": " + test_.text("expr") + " " + what); }

  const proto::Message& test_;
  Tally& tally_;
  std::string where_;
  Outside outside_;
};

std::string conformance_folder() {
  if (const auto* named = std::getenv("MLOPS_CEL_CONFORMANCE")) return named;
  const auto beside = std::string(MLOPS_SOURCE_DIR) + "/../cel-spec/tests/simple/testdata";
  return fs::exists(beside) ? beside : "";
}

}  // namespace

TEST_CASE("the public conformance cases of CEL that fall inside the subset") {
  const auto folder = conformance_folder();
  if (folder.empty()) {
    std::cout << "skipped: no conformance cases; set MLOPS_CEL_CONFORMANCE to cel-spec/tests/simple/testdata\n";
    return;
  }
  Tally tally;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".textproto") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  REQUIRE_FALSE(files.empty());
  for (const auto& path : files) {
    std::ifstream file(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    proto::Reader reader(text);
    const auto whole = reader.message();
    CHECK_FALSE(reader.is_broken);
    const auto outside = kOutsideFiles.find(path.stem().string());
    for (const auto* section : whole.all("section")) {
      const auto tests = section->message.front().all("test");
      if (outside != kOutsideFiles.end()) {
        tally.outside[outside->second] += static_cast<int>(tests.size());
        continue;
      }
      for (const auto* test : tests) {
        const auto& message = test->message.front();
        const auto where =
            path.stem().string() + "/" + section->message.front().text("name") + "/" + message.text("name");
        Case(message, tally, where).run();
      }
    }
  }
  std::cout << "CEL conformance: " << tally.passed << " passed, " << tally.failed.size() << " failed\n";
  for (const auto& [reason, count] : tally.outside) std::cout << "  outside: " << count << "  " << reason << "\n";
  for (const auto& failure : tally.failed) std::cout << "  failed: " << failure << "\n";
  CHECK(tally.failed.empty());
  CHECK(tally.passed > 500);
}
