#include "policies/data/text_records.h"

#include "policies/data/records.h"
#include "tests/unit/policies/data/data_helpers.h"

using namespace mlops;
using namespace mlops::data;

namespace {

OpenReader text(TextOptions options = {}) {
  return [=](Source& source) { return open_text_records(source, options); };
}

using Lines = std::vector<std::string>;
constexpr TextOptions kSmall{.whole_bytes = 24, .block_bytes = 16};

}  // namespace

TEST_CASE("text: a short file is one record") {
  CHECK(*read_records(text(), "Dear Ann,\n\nall well.\n") == Lines{"text=Dear Ann,\n\nall well.\n"});
  CHECK(read_records(text(), "")->empty());
  CHECK(*rewrite_records(text(), "\xEF\xBB\xBFx", [](auto, const Cell&) { return replace("y"); }) == "\xEF\xBB\xBFy");
  CHECK(*rewrite_records(text(), "\xEF\xBB\xBF") == "\xEF\xBB\xBF");
  CHECK(*rewrite_records(text(), "x", {}, {true}) == "");
}

TEST_CASE("text: a long one is cut where no word is") {
  CHECK(*read_records(text(kSmall), "one two three\n\nfour five six seven") ==
        Lines{"text=one two three\n\n", "text=four five six ", "text=seven"});
  CHECK(*read_records(text(kSmall), "one\ntwo three four\nfive six seven") ==
        Lines{"text=one\n", "text=two three four\n", "text=five six seven"});
  // The line end of two bytes stays whole where the block ends inside it.
  CHECK(*read_records(text(kSmall), "012 456789abcde\r\n0123456789\r\nxyz") ==
        Lines{"text=012 ", "text=456789abcde\r\n", "text=0123456789\r\nxyz"});
  CHECK(read_records(text(kSmall), "0123456789012345678901234567890").error().slug == "text_word_too_long");
}

TEST_CASE("text: comes back byte for byte however slowly it comes") {
  std::string long_text;
  for (int i = 0; i < 60; ++i) long_text += i % 7 == 0 ? "\r\n\r\n" : i % 5 == 0 ? "\n" : "wo\xC3\xB6rd ";
  for (std::size_t step = 1; step < 20; ++step) {
    CHECK(*rewrite_records(text(kSmall), long_text, {}, {}, step) == long_text);
  }
}

TEST_CASE("text: what is not text is told by line and column") {
  CHECK(read_records(text(), std::string("ab\nc\0d", 6)).error().message == "2:2: a NUL byte");
  CHECK(read_records(text(), "ab\n\xFFz").error().message == "2:1: not valid UTF-8");
  CHECK(read_records(text(kSmall), "0123456789 abc\n0123456789 abcde\xFF").error().message == "2:17: not valid UTF-8");
}

TEST_CASE("records: a log file is text") {
  const auto open = [](Source& source) { return open_records(source, {.path = "app.log"}); };
  CHECK(*read_records(open, "GET /, 200\nGET /x, 404\n") == Lines{"text=GET /, 200\nGET /x, 404\n"});
}
