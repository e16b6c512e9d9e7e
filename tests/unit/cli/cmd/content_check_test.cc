// What makes a file the right one, and what does not.
#include "cli/cmd/content_check.h"

#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::cli;

namespace {

const std::string kWords = "one two three ";

std::vector<cas::RecipeEntry> chunks() {
  return {{crypto::sha256("one "), 4}, {crypto::sha256("two "), 4}, {crypto::sha256("three "), 6}};
}

bool is_right(std::unique_ptr<ContentCheck> check, const std::vector<std::string>& pieces) {
  for (const auto& piece : pieces) check->take(as_bytes(piece));
  return check->finish();
}

}  // namespace

TEST_CASE("a whole file is the one whose digest is expected, in whatever pieces it comes") {
  const auto check = [] { return check_whole(crypto::sha256(kWords)); };
  CHECK(is_right(check(), {kWords}));
  CHECK(is_right(check(), {"one t", "wo three", " "}));
  CHECK_FALSE(is_right(check(), {"one two threE "}));
  CHECK_FALSE(is_right(check(), {}));
  CHECK(check()->expected() == crypto::sha256(kWords).to_string());
}

TEST_CASE("chunks are right when each is, in their order, all of them and nothing more") {
  const auto expected = chunks();
  const auto check = [&] { return check_chunks(crypto::sha256(kWords), expected); };
  CHECK(is_right(check(), {kWords}));
  CHECK(is_right(check(), {"one ", "two three "}));
  CHECK_FALSE(is_right(check(), {"one ", "twO ", "three "}));
  CHECK_FALSE(is_right(check(), {"two ", "one ", "three "}));
  CHECK_FALSE(is_right(check(), {"one ", "two "}));
  CHECK_FALSE(is_right(check(), {kWords, "more"}));
  CHECK_FALSE(is_right(check(), {"one ", "two ", "thre"}));
  CHECK_FALSE(is_right(check(), {}));
  CHECK(check()->expected() == crypto::sha256(kWords).to_string());
}
