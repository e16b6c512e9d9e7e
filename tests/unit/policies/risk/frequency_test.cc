#include "policies/risk/frequency.h"

#include <cmath>

#include "tests/unit/policies/risk/tables.h"

using namespace mlops;
using namespace mlops::risk;

namespace {

Frequencies of(std::string_view rows, const std::vector<bool>& left_out = {}) {
  return frequencies(table_of({{}, {"token"}, {}}, "q,token\n" + std::string(rows)), "token", left_out);
}

}  // namespace

TEST_CASE("threat 19: pseudonyms of one frequency tell nothing by it, and all of an entropy") {
  const auto found = of("a,t1\nb,t2\na,t3\nc,t4\n");
  CHECK(found.records == 4);
  CHECK(found.distinct == 4);
  CHECK(found.entropy_bits == Approx(2));
  CHECK(found.min_entropy_bits == Approx(2));
  CHECK(found.told_by_count == 0);
}

TEST_CASE("threat 19: a common pseudonym is a good guess, and counts that occur once tell theirs") {
  const auto found = of("a,t1\na,t1\na,t1\na,t1\na,t2\na,t2\na,t3\na,t4\n");
  CHECK(found.distinct == 4);
  CHECK(found.commonest == 4);
  CHECK(found.min_entropy_bits == Approx(1));
  CHECK(found.entropy_bits == Approx(1.75));
  CHECK(found.told_by_count == 6);  // t1 and t2; t3 and t4 occur equally often
}

TEST_CASE("a count that one pseudonym alone has tells it, once too; records that are left out do not count") {
  const std::string rows = "a,t1\na,t1\na,t1\na,t1\na,t2\na,t2\na,t3\n";
  CHECK(of(rows).told_by_count == 7);
  const auto left = of(rows, {true, true, true});
  CHECK(left.records == 4);
  CHECK(left.commonest == 2);
  CHECK(left.told_by_count == 2);
}

TEST_CASE("empty cells are no pseudonyms, and one value for all has no entropy") {
  const auto found = of("a,\na,t1\nb,t1\n");
  CHECK(found.records == 2);
  CHECK(found.entropy_bits == 0);
  CHECK_FALSE(std::signbit(found.entropy_bits));
  CHECK(found.min_entropy_bits == 0);
  CHECK(found.told_by_count == 2);
  CHECK(of("a,\n").records == 0);
  CHECK(of("").distinct == 0);
}

TEST_CASE("a bound is met by what is equal to it, and by a column without pseudonyms") {
  const auto found = of("a,t1\na,t2\na,t3\n");
  CHECK(leaves(found, std::log2(3.0)));
  CHECK_FALSE(leaves(found, 1.6));
  CHECK(leaves(of("a,\n"), 8));
}
