#include "policies/engine/short_memo.h"

#include <random>
#include <string>

#include "policies/data/cell_shape.h"
#include "tests/unit/catch.h"

using namespace mlops::policy;

namespace {

std::string random_text(std::mt19937& random, std::string_view letters, std::size_t size) {
  std::string text;
  while (text.size() < size) text += letters[random() % letters.size()];
  return text;
}

// A bare number of digits with at most one point, told byte by byte.
bool is_plain(const std::string& text) {
  const bool is_number = mlops::data::number_shape(text) != mlops::data::NumberShape::kNone;
  return is_number && text.find_first_not_of("0123456789.") == std::string::npos;
}

}  // namespace

TEST_CASE("short texts: equal exactly when all bytes are") {
  std::mt19937 random(5);
  for (int i = 0; i < 200'000; ++i) {
    const auto size = random() % (ShortText::kLongest + 1);
    const auto a = random_text(random, std::string_view("a\0b", 3), size);
    auto b = random() % 2 ? a : random_text(random, std::string_view("a\0b", 3), random() % (ShortText::kLongest + 1));
    if (!b.empty() && random() % 2) b[random() % b.size()] = '\0';
    REQUIRE((ShortText::of(a) == ShortText::of(b)) == (a == b));
  }
}

TEST_CASE("short texts: plain numbers are those the cell's shape tells") {
  std::mt19937 random(6);
  for (int i = 0; i < 200'000; ++i) {
    auto text =
        random_text(random, random() % 4 ? "0123456789" : "019.-+eE /:\x80", random() % (ShortText::kLongest + 1));
    if (!text.empty() && random() % 2) text[random() % text.size()] = '.';
    INFO(text);
    REQUIRE(ShortText::of(text).is_plain_number() == is_plain(text));
    if (is_plain(text)) REQUIRE(ShortText::of(text).has_point() == (text.find('.') != std::string::npos));
  }
}

TEST_CASE("short texts: give back their bytes") {
  std::mt19937 random(7);
  for (int i = 0; i < 10'000; ++i) {
    const auto text = random_text(random, std::string_view("a\0\xFFz", 4), random() % (ShortText::kLongest + 1));
    REQUIRE(ShortText::of(text).text() == text);
  }
}

TEST_CASE("short memo: whoever makes room is told") {
  ShortMemo<int, 1> memo;
  int put = 0, forgotten = 0, held = 0;
  for (char c = 'a'; c <= 'z'; ++c) {
    for (int times = 0; times < 2; ++times) {  // nobody makes room for himself
      auto& value = memo.put(ShortText::of({&c, 1}), [&](const ShortText& text, int of) {
        CHECK(text.text() == std::string(1, static_cast<char>(of)));
        ++forgotten;
      });
      value = c;
    }
    ++put;
  }
  memo.visit_all([&](const ShortText& text, int value) {
    CHECK(text.text() == std::string(1, static_cast<char>(value)));
    ++held;
  });
  CHECK(held + forgotten == put);
  CHECK(held == 2);
}

TEST_CASE("short memo: an empty text is a text") {
  ShortMemo<int, 1> memo;
  memo.put(ShortText::of("a")) = 1;
  CHECK_FALSE(memo.find(ShortText::of("")));
  memo.put(ShortText::of("")) = 2;
  REQUIRE(memo.find(ShortText::of("")));
  CHECK(*memo.find(ShortText::of("")) == 2);
}

TEST_CASE("short memo: a value is found until another takes its place") {
  ShortMemo<int, 1> memo;
  CHECK_FALSE(memo.find(ShortText::of("a")));
  memo.put(ShortText::of("a")) = 7;
  REQUIRE(memo.find(ShortText::of("a")));
  CHECK(*memo.find(ShortText::of("a")) == 7);
  for (char c = 'b'; c <= 'z'; ++c) memo.put(ShortText::of({&c, 1})) = c;
  CHECK_FALSE(memo.find(ShortText::of("a")));
  CHECK(*memo.find(ShortText::of("z")) == 'z');
}
