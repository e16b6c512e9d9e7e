#include <random>

#include "core/base/json.h"
#include "core/base/text.h"
#include "policies/data/json_records.h"
#include "tests/unit/policies/data/data_helpers.h"

using namespace mlops;
using namespace mlops::data;

namespace {

std::string pick(std::mt19937& random, std::initializer_list<const char*> list) {
  return list.begin()[random() % list.size()];
}

std::string blanks(std::mt19937& random) {
  return random() % 3 == 0 ? pick(random, {" ", "  ", "\t", "\r"}) : "";
}

std::string random_string(std::mt19937& random) {
  std::string text = "\"";
  for (std::size_t n = random() % 5; n > 0; --n) {
    text += pick(random,
                 {"a", "Z", "\\n", "\\\"", "\\\\", "\\u0041", "\\ud83d\\ude00", "\\ud83d", "\xC3\xA9", "{", "]", ","});
  }
  return text + '"';
}

std::string random_value(std::mt19937& random, int depth) {
  const auto kind = random() % (depth > 3 ? 4 : 7);
  if (kind == 0) return pick(random, {"0", "-1.5e+3", "1234", "0.1"});
  if (kind == 1) return pick(random, {"true", "false", "null"});
  if (kind < 4) return random_string(random);
  const bool is_object = kind > 4;
  std::string text = is_object ? "{" : "[";
  text += blanks(random);
  for (std::size_t n = random() % 4; n > 0; --n) {
    if (is_object)
      text +=
          pick(random, {"\"a\"", "\"b.c\"", "\"\\u0061\"", "\"*\"", "\"\""}) + blanks(random) + ":" + blanks(random);
    text += random_value(random, depth + 1) + blanks(random);
    if (n > 1) text += "," + blanks(random);
  }
  return text + (is_object ? "}" : "]");
}

std::string random_file(std::mt19937& random, Format format) {
  std::string text = random() % 4 == 0 ? "\xEF\xBB\xBF" : "";
  const std::size_t count = random() % 4;
  if (format == Format::kJsonLines) {
    for (std::size_t i = 0; i < count; ++i) {
      text += blanks(random) + random_value(random, 0) + blanks(random) + pick(random, {"\n", "\r\n", "\n\n"});
    }
    return text;
  }
  text += "[" + blanks(random);
  for (std::size_t i = 0; i < count; ++i) {
    text += random_value(random, 0) + blanks(random) + (i + 1 < count ? pick(random, {",", ",\n"}) : "");
  }
  return text + "]" + pick(random, {"", "\n"});
}

// nlohmann's parser as the oracle of validity; it refuses half surrogates, which are no values of its own.
bool is_valid(std::string text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  for (auto at = text.find("\\ud83d"); at != std::string::npos; at = text.find("\\ud83d", at + 6)) {
    if (text.substr(at + 6, 6) != "\\ude00") text.replace(at, 6, "??????");
  }
  return Json::accept(text);
}

// What the oracle cannot hold, a number beyond a double, says nothing about the grammar.
bool is_beyond_oracle(const std::string& text) {
  try {
    return Json::parse(text).is_discarded();  // never: it throws
  } catch (const Json::exception& error) {
    constexpr int kNumberOverflow = 406;
    return error.id == kNumberOverflow;
  }
}

}  // namespace

TEST_CASE("json: random files come back byte for byte, otherwise only where they were changed, and always valid") {
  std::mt19937 random(11);
  for (int i = 0; i < 20'000; ++i) {
    const auto format = random() % 2 == 0 ? Format::kJsonLines : Format::kJson;
    const OpenReader open = [=](Source& source) {
      return open_json_records(source, {.max_record_bytes = 8192}, format);
    };
    const auto text = random_file(random, format);
    const std::size_t step = random() % 2 == 0 ? 1 + random() % 7 : 4096;
    INFO(text);
    REQUIRE(*rewrite_records(open, text, {}, {}, step) == text);
    std::size_t seen = 0;
    const std::size_t chosen = random() % 6;
    std::string before;
    CellKind kind = CellKind::kNull;
    const auto mark = [&](std::string_view, const Cell& cell) {
      if (seen++ != chosen) return keep();
      before = std::string(cell.raw);
      kind = cell.kind;
      return replace("Q");
    };
    const auto changed = *rewrite_records(open, text, mark, {}, step);
    const bool is_same = seen <= chosen || kind == CellKind::kNull;
    REQUIRE((is_same ? changed == text : is_replaced_once(text, before, "\"Q\"", changed)));
    const auto cut = [&](std::string_view, const Cell&) { return random() % 2 == 0 ? drop() : keep(); };
    const auto dropped = *rewrite_records(open, text, cut, {}, step);
    INFO(dropped);
    if (format == Format::kJson) REQUIRE(is_valid(dropped));
    REQUIRE(read_records(open, dropped)->size() == read_records(open, text)->size());
  }
}

TEST_CASE("json: what another parser refuses is refused, and the other way round") {
  std::mt19937 random(5);
  std::size_t refused = 0;
  for (int i = 0; i < 30'000; ++i) {
    auto text = random_value(random, 0);
    for (std::size_t n = random() % 3; n > 0 && !text.empty(); --n) {
      const std::size_t at = random() % text.size();
      if (random() % 2 == 0) {
        text.erase(at, 1);
      } else {
        text.insert(at, pick(random, {",", "}", "]", "\"", "0", "e", "-", "\\", "\x01", "\xC3", ":", "["}));
      }
    }
    if (text.find("\\u") != std::string::npos) continue;  // half surrogates: the other parser's own rule
    if (trim(text).empty() || is_beyond_oracle(text)) continue;
    INFO(text);
    const auto read = read_records([](Source& source) { return open_json_records(source); }, text);
    refused += read ? 0 : 1;
    REQUIRE(read.has_value() == Json::accept(text));
  }
  CHECK(refused > 1000);
}
