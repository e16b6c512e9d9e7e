#include "core/base/text.h"

#include "tests/unit/catch.h"

using namespace mlops;

TEST_CASE("split keeps empty parts, join is its inverse") {
  CHECK(split("a,,b,", ',') == std::vector<std::string_view>{"a", "", "b", ""});
  CHECK(split("", ',') == std::vector<std::string_view>{""});
  CHECK(join({"a", "", "b"}, ", ") == "a, , b");
  CHECK(join({}, ",").empty());
}

TEST_CASE("trim and lower case") {
  CHECK(trim(" \t a b\r\n") == "a b");
  CHECK(trim(" \n ").empty());
  CHECK(to_lower_ascii("ÄbC-Z9") == "Äbc-z9");
}

TEST_CASE("UTF-8 is judged strictly") {
  for (const char* text : {"", "abc", "é", "€", "😀", "\xf4\x8f\xbf\xbf"}) CHECK(is_valid_utf8(text));
  for (const char* text : {"\x80", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf0\x80\x80\xaf",
                           "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xff", "a\xc3(", "\xe2\x82"}) {
    INFO(printable(text));
    CHECK_FALSE(is_valid_utf8(text));
  }
}

TEST_CASE("printable leaves nothing that acts on a terminal") {
  CHECK(printable("naïve 😀 \\x") == "naïve 😀 \\x");
  CHECK(printable("\x1b[31m") == "\\x1b[31m");
  CHECK(printable("a\nb\tc\x7f") == "a\\x0ab\\x09c\\x7f");
  CHECK(printable(std::string_view("\0", 1)) == "\\x00");
  CHECK(printable("\xc2\x9b"
                  "31m") == "\\xc2\\x9b31m");  // the one-byte CSI
  CHECK(printable("\xe2\x80\xae"
                  "gpj") == "\\xe2\\x80\\xaegpj");  // right-to-left override
  CHECK(printable("\xff\xc3(") == "\\xff\\xc3(");
}

TEST_CASE("the nearest word is a likely typo or nothing") {
  const std::vector<std::string> words{"promote", "rollback", "status", "plan", "pull", "list"};
  CHECK(nearest_word("promot", words) == "promote");
  CHECK(nearest_word("pormote", words) == "promote");
  CHECK(nearest_word("PROMOTE", words) == "promote");
  CHECK(nearest_word("satus", words) == "status");
  CHECK(nearest_word("rolback", words) == "rollback");
  CHECK(nearest_word("lits", words) == "list");  // a swap is one step
  CHECK_FALSE(nearest_word("deploy", words));
  CHECK_FALSE(nearest_word("pxxn", words));  // two steps are too many for four letters
  CHECK_FALSE(nearest_word("", words));
  CHECK_FALSE(nearest_word(std::string(10'000, 'a'), words));
}

TEST_CASE("sizes for people") {
  CHECK(human_size(0) == "0 B");
  CHECK(human_size(1023) == "1023 B");
  CHECK(human_size(1024) == "1.0 KiB");
  CHECK(human_size(1536) == "1.5 KiB");
  CHECK(human_size((1u << 20) - 1) == "1.0 MiB");
  CHECK(human_size(3u << 29) == "1.5 GiB");
  CHECK(human_size(UINT64_MAX) == "16.0 EiB");
}

TEST_CASE("durations need a whole number and a unit") {
  CHECK(parse_duration_s("90s").value() == 90);
  CHECK(parse_duration_s("15m").value() == 900);
  CHECK(parse_duration_s("24h").value() == 86'400);
  CHECK(parse_duration_s("90d").value() == 7'776'000);
  for (const char* text : {"", "s", "90", "-1s", "1.5h", "1h30m", "1w", " 1s", "1 s", "99999999999999999d"}) {
    INFO(text);
    const auto seconds = parse_duration_s(text);
    REQUIRE_FALSE(seconds);
    CHECK(seconds.error().slug == "bad_duration");
  }
}

TEST_CASE("integers are the whole text") {
  CHECK(parse_int("-42") == -42);
  CHECK(parse_int("9223372036854775807") == INT64_MAX);
  for (const char* text : {"", "-", "+1", " 1", "1 ", "1.0", "0x10", "9223372036854775808"})
    CHECK_FALSE(parse_int(text));
}
