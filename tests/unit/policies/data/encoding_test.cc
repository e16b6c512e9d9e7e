#include "policies/data/encoding.h"

#include <random>

#include "policies/data/records.h"
#include "tests/unit/policies/data/data_helpers.h"

using namespace mlops;
using namespace mlops::data;
using namespace std::literals;

namespace {

OpenReader any(std::string path, std::optional<Encoding> encoding = {}) {
  return [=](Source& source) { return open_records(source, {.path = path, .encoding = encoding}); };
}

using Lines = std::vector<std::string>;

std::string utf16(std::u16string_view text, bool big) {
  std::string bytes;
  for (const char16_t unit : text) {
    bytes.push_back(static_cast<char>(big ? unit >> 8 : unit & 0xFF));
    bytes.push_back(static_cast<char>(big ? unit & 0xFF : unit >> 8));
  }
  return bytes;
}

std::string problem(const OpenReader& open, std::string_view text) {
  const auto read = read_records(open, text);
  REQUIRE_FALSE(read);
  return read.error().slug + " " + read.error().message.substr(0, read.error().message.find(": "));
}

Decide mask_b(std::string text) {
  return [=](std::string_view column, const Cell&) { return column == "b" ? replace(text) : keep(); };
}

}  // namespace

TEST_CASE("encoding: UTF-16 with a byte order mark is read and written as it was") {
  for (const bool big : {false, true}) {
    const auto table = utf16(u"\uFEFFa,b\r\nJos\u00E9 \U0001F600,2\r\n", big);
    for (std::size_t step = 1; step < 6; ++step) {
      CHECK(*read_records(any("t.csv"), table, step) == Lines{"a=Jos\xC3\xA9 \xF0\x9F\x98\x80 b=2"});
      CHECK(*rewrite_records(any("t.csv"), table, {}, {}, step) == table);
    }
    CHECK(*rewrite_records(any("t.csv"), table, mask_b("\xF0\x9F\x98\x80")) ==
          utf16(u"\uFEFFa,b\r\nJos\u00E9 \U0001F600,\U0001F600\r\n", big));
    CHECK(problem(any("t.txt"), utf16(u"\uFEFFab\n\xD800z", big)) == "text_encoding 2:1");
    CHECK(problem(any("t.txt"), utf16(u"\uFEFFab", big) + "z") == "text_encoding 1:4");
  }
  CHECK(problem(any("t.csv"), utf16(u"a,b\n1,2\n", false)) == "text_encoding 1:1");
  CHECK(*read_records(any("t.csv", Encoding::kUtf16Le), utf16(u"a,b\n1,2\n", false)) == Lines{"a=1 b=2"});
  CHECK(*read_records(any("t"), utf16(u"\uFEFF{\"a\":1}\n{\"a\":2}\n", true)) == Lines{"/a=1", "/a=2"});
}

TEST_CASE("encoding: Western European text is detected when nothing speaks against it") {
  const std::string table = "name,b\nJos\xE9 Mu\xF1oz,1\nM\xFCller \x96 \x93\xC4rztin\x94,2\n";
  CHECK(*read_records(any("t.csv"), table) ==
        Lines{"name=Jos\xC3\xA9 Mu\xC3\xB1oz b=1",
              "name=M\xC3\xBCller \xE2\x80\x93 \xE2\x80\x9C\xC3\x84rztin\xE2\x80\x9D b=2"});
  CHECK(*rewrite_records(any("t.csv"), table) == table);
  CHECK(*rewrite_records(any("t.csv"), table, mask_b("\xC3\xA9")) ==
        "name,b\nJos\xE9 Mu\xF1oz,\xE9\nM\xFCller \x96 \x93\xC4rztin\x94,\xE9\n");
  const auto cannot = rewrite_records(any("t.csv"), table, mask_b("\xC4\x80"));
  CHECK(cannot.error().slug == "text_masked_encoding");
  CHECK(rewrite_records(any("t.csv"), table, mask_b("\xC3")).error().slug == "text_masked_encoding");
}

TEST_CASE("encoding: what nobody can tell is left to its owner") {
  CHECK(problem(any("t.csv"), "a,b\nJos\xC3\xA9,Jos\xE9\n") == "text_encoding 2:10");  // UTF-8 and Latin-1
  CHECK(problem(any("t.csv"), "a,b\n\xCA\xCF\xD4,1\n") == "text_encoding 2:1");        // KOI8 or so: no letter nearby
  CHECK(problem(any("t.csv"), "a,b\nJos\x81,1\n") == "text_encoding 2:4");
  CHECK(*read_records(any("t.csv", Encoding::kLatin1), "a\nJos\xC3\xA9\n") == Lines{"a=Jos\xC3\x83\xC2\xA9"});
  // UTF-8 that only comes after what was looked at.
  std::string late = "a\nJos\xE9\n";
  for (int i = 0; i < 80'000; ++i) late += "1234\n";
  CHECK(problem(any("t.csv"), late + "Jos\xC3\xA9\n") == "text_mixed 80003:4");
  // The other way round it is not UTF-8 any more.
  std::string utf8 = "a\n";
  for (int i = 0; i < 80'000; ++i) utf8 += "1234\n";
  CHECK(problem(any("t.csv"), utf8 + "Jos\xE9\n") == "csv_utf8 80002:4");
  CHECK(problem(any("t.csv"), "a,b\n1,\0\n"s) == "csv_nul 2:3");
  CHECK(problem(any("t.json"), "{\"a\":\"\0\"}"s) == "json_control 1:7");
}

TEST_CASE("encoding: every byte of a byte encoding comes back") {
  std::string all = "a\n";
  for (int c = 1; c < 256; ++c) all.push_back(c == '\r' || c == '"' || c == ',' ? 'x' : static_cast<char>(c));
  for (const auto encoding : {Encoding::kLatin1, Encoding::kCp1252}) {
    CHECK(*rewrite_records(any("t.csv", encoding), all) == all);
    CHECK(encoding_from_word(to_word(encoding)) == encoding);
  }
  CHECK(encoding_from_word("ISO-8859-1") == Encoding::kLatin1);
  CHECK_FALSE(encoding_from_word("ebcdic"));
}

TEST_CASE("encoding: random UTF-16 comes back") {
  std::mt19937 random(7);
  for (int i = 0; i < 300; ++i) {
    std::u16string text = u"\uFEFF";
    for (int n = static_cast<int>(random() % 40); n > 0; --n) {
      char16_t unit = static_cast<char16_t>(1 + random() % 0xFFFE);
      if (unit >= 0xD800 && unit < 0xE000) {
        text += u"\U0001F9D1\u200D";
        continue;
      }
      text.push_back(unit);
    }
    const auto bytes = utf16(text, i % 2 == 0);
    CHECK(*rewrite_records(any("t.txt"), bytes, {}, {}, 1 + random() % 9) == bytes);
  }
}
