#include "core/base/error.h"

#include <set>

#include "core/base/result.h"
#include "tests/unit/catch.h"

using namespace mlops;

namespace {

Result<int> half(int value) {
  if (value % 2 != 0) return fail(ErrorCode::kInvalid, "odd", "an odd number", "give an even one");
  return value / 2;
}

Status check_quarter(int value) {
  MLOPS_TRY(half(value));
  MLOPS_ASSIGN(const int once, half(value));
  MLOPS_ASSIGN(const int twice, half(once));
  return twice > 0 ? Status{} : Status(fail(ErrorCode::kRefused, "zero", "nothing left"));
}

}  // namespace

TEST_CASE("every code has its own word and comes back from it") {
  std::set<std::string_view> words;
  for (int i = 0; i <= static_cast<int>(ErrorCode::kInternal); ++i) {
    const auto code = static_cast<ErrorCode>(i);
    CHECK(error_code_from_word(to_word(code)) == code);
    words.insert(to_word(code));
  }
  CHECK(words.size() == 12);
  CHECK(error_code_from_word("no such word") == ErrorCode::kInternal);
}

TEST_CASE("errors travel through TRY and ASSIGN unchanged") {
  CHECK(check_quarter(8));
  CHECK(check_quarter(7).error().hint == "give an even one");
  CHECK(check_quarter(6).error().slug == "odd");
  CHECK(check_quarter(0).error().code == ErrorCode::kRefused);
}
