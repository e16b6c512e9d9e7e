#include "policies/risk/measures.h"

#include <cmath>

#include "tests/unit/policies/risk/tables.h"

using namespace mlops;
using namespace mlops::risk;

namespace {

// Classes: a,1 ×3 · a,2 ×1 · b,1 ×2.
constexpr std::string_view kSix = "q1,q2,s\na,1,flu\na,1,flu\na,1,cold\na,2,flu\nb,1,cold\nb,1,gout\n";

Partition whole(const RiskTable& table) {
  return partition(table, 0, identity_map(table));
}

SensitiveSummary summary_of(const RiskTable& table, Distance distance, std::uint64_t l = 2,
                            const Hierarchy* hierarchy = nullptr) {
  const auto sensitive = Sensitive::create(table, 0, distance, hierarchy);
  REQUIRE(sensitive);
  const auto part = whole(table);
  return summarize(sensitive->measure(part, l), part);
}

// The distance of ordered values as the definition has it: every value, every running sum.
double slow_ordered(const std::vector<double>& p, const std::vector<double>& q) {
  double sum = 0;
  double run = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    run += p[i] - q[i];
    sum += std::abs(run);
  }
  return sum / static_cast<double>(p.size() - 1);
}

}  // namespace

TEST_CASE("class sizes of six records") {
  const auto table = table_of({{"q1", "q2"}, {"s"}, {}}, kSix);
  const auto sizes = class_sizes(whole(table), 3);
  CHECK(sizes.units == 6);
  CHECK(sizes.classes == 3);
  CHECK(sizes.smallest == 1);
  CHECK(sizes.largest == 3);
  CHECK(sizes.unique == 1);
  CHECK(sizes.below_k == 3);
  CHECK(sizes.classes_below_k == 2);
  CHECK(sizes.histogram == std::array<std::uint64_t, 6>{1, 5, 0, 0, 0, 0});
}

TEST_CASE("three attackers") {
  auto table = table_of({{"q1", "q2"}, {}, {}}, kSix);
  const auto part = whole(table);
  const auto prosecutor = prosecutor_risk(part, 3);
  CHECK(prosecutor.highest == Approx(1.0));
  CHECK(prosecutor.average == Approx(3.0 / 6));  // classes by records
  CHECK(prosecutor.lowest == Approx(1.0 / 3));
  CHECK(prosecutor.at_risk == Approx(3.0 / 6));
  // A population with 10 of (a,1), 4 of (a,2) and, though the sample has two, one of (b,1).
  std::string population = "q1,q2\n";
  for (int i = 0; i < 10; ++i) population += "a,1\n";
  for (int i = 0; i < 4; ++i) population += "a,2\n";
  population += "b,1\n";
  add_csv(table, population);
  const auto journalist = journalist_risk(part, partition(table, 1, identity_map(table)), 3);
  CHECK(journalist.highest == Approx(0.5));  // never below the sample's own class
  CHECK(journalist.average == Approx((3.0 / 10 + 1.0 / 4 + 2.0 / 2) / 6));
  CHECK(journalist.at_risk == Approx(2.0 / 6));
}

TEST_CASE("a subject with several records counts once") {
  constexpr std::string_view kVisits = "zip,patient\n036,p1\n036,p1\n036,p1\n036,p2\n100,p3\n100,p3\n";
  const auto table = table_of({{"zip"}, {}, "patient"}, kVisits);
  const auto part = whole(table);
  const auto sizes = class_sizes(part, 2);
  CHECK(part.records == 6);
  CHECK(sizes.units == 3);
  CHECK(sizes.smallest == 1);  // two records, one patient
  CHECK(sizes.unique == 1);
}

TEST_CASE("diversity by hand") {
  const auto table = table_of({{"q1"}, {"s"}, {}}, "q1,s\na,x\na,x\na,y\na,z\nb,x\nb,y\n");
  const auto summary = summary_of(table, Distance::kEqual, 2);
  CHECK(summary.diversity.distinct == 2);
  CHECK(summary.diversity.entropy == Approx(2.0));  // class b: two values, half each
  // l = 2: a has 2 < c(1 + 1), so c above 1; b has 1 < c·1, so c above 1.
  CHECK(summary.diversity.recursive_c == Approx(1.0));
  // l = 3: b has no tail, so no c is enough.
  CHECK(std::isinf(summary_of(table, Distance::kEqual, 3).diversity.recursive_c));
}

TEST_CASE("entropy of an uneven class") {
  const auto table = table_of({{"q"}, {"s"}, {}}, "q,s\na,x\na,x\na,x\na,y\n");
  const double bits = -(0.75 * std::log(0.75) + 0.25 * std::log(0.25));
  CHECK(summary_of(table, Distance::kEqual).diversity.entropy == Approx(std::exp(bits)));
}

TEST_CASE("closeness with equal distance") {
  const auto table = table_of({{"q"}, {"s"}, {}}, "q,s\na,x\na,x\nb,y\nb,z\n");
  // Whole: x 1/2, y 1/4, z 1/4. a: x 1 → 1/2. b: y 1/2, z 1/2 → 1/2.
  CHECK(summary_of(table, Distance::kEqual).distance == Approx(0.5));
}

TEST_CASE("closeness with ordered distance: the salaries of Li, Li and Venkatasubramanian") {
  // Their table 3: {3k,4k,5k} against 3k…11k is 0.375, {6k,8k,11k} is 0.167; the third class is {7k,9k,10k}.
  const auto table = table_of({{"q"}, {"s"}, {}}, "q,s\na,3\na,4\na,5\nb,6\nb,11\nb,8\nc,7\nc,9\nc,10\n");
  const auto sensitive = Sensitive::create(table, 0, Distance::kAuto, nullptr);
  REQUIRE(sensitive);
  CHECK(sensitive->distance() == Distance::kOrdered);
  const auto measures = sensitive->measure(whole(table), 2);
  CHECK(measures[0].distance == Approx(0.375));
  CHECK(measures[1].distance == Approx(1.0 / 6));
}

TEST_CASE("ordered distance agrees with the definition on random tables") {
  std::uint64_t state = 7;
  const auto draw = [&](std::uint64_t below) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % below;
  };
  for (int round = 0; round < 50; ++round) {
    std::string text = "q,s\n";
    std::vector<std::vector<double>> counts(3, std::vector<double>(12));
    for (int i = 0; i < 60; ++i) {
      const auto q = draw(3);
      const auto s = draw(12);
      counts[q][s] += 1;
      text += std::string(1, static_cast<char>('a' + q)) + "," + std::to_string(s * s) + "\n";
    }
    std::vector<double> all;  // only the values that occur have a rank
    std::vector<std::vector<double>> classes(3);
    for (std::size_t s = 0; s < 12; ++s) {
      const double sum = counts[0][s] + counts[1][s] + counts[2][s];
      if (sum == 0) continue;
      all.push_back(sum / 60);
      for (std::size_t q = 0; q < 3; ++q) classes[q].push_back(counts[q][s]);
    }
    double worst = 0;
    for (auto& p : classes) {
      double total = 0;
      for (const auto count : p) total += count;
      if (total == 0) continue;
      for (auto& count : p) count /= total;
      worst = std::max(worst, slow_ordered(p, all));
    }
    CHECK(summary_of(table_of({{"q"}, {"s"}, {}}, text), Distance::kOrdered).distance == Approx(worst));
  }
}

TEST_CASE("closeness with a hierarchy") {
  const auto hierarchy = hierarchy_of("flu,respiratory,*\ncold,respiratory,*\ngout,joints,*\nulcer,stomach,*\n");
  const auto table = table_of({{"q"}, {"s"}, {}}, "q,s\na,flu\na,cold\nb,gout\nb,ulcer\n");
  // a lacks gout and ulcer (1/4 each) and has flu and cold (1/4 each) too much: all of it moves over the root.
  CHECK(summary_of(table, Distance::kHierarchical, 2, &hierarchy).distance == Approx(0.5));
  const auto near = table_of({{"q"}, {"s"}, {}}, "q,s\na,flu\na,flu\nb,cold\nb,cold\n");
  // Half moves from flu to cold, which meet at half the height.
  CHECK(summary_of(near, Distance::kHierarchical, 2, &hierarchy).distance == Approx(0.25));
}

TEST_CASE("distances that cannot be") {
  const auto table = table_of({{"q"}, {"s"}, {}}, "q,s\na,flu\na,cold\n");
  CHECK(Sensitive::create(table, 0, Distance::kOrdered, nullptr).error().slug == "distance_needs_numbers");
  CHECK(Sensitive::create(table, 0, Distance::kHierarchical, nullptr).error().slug == "distance_needs_hierarchy");
  const auto other = hierarchy_of("cold,*\n");
  const auto incomplete = Sensitive::create(table, 0, Distance::kHierarchical, &other);
  REQUIRE_FALSE(incomplete);
  CHECK(incomplete.error().slug == "hierarchy_incomplete");
  CHECK(incomplete.error().message.find("flu") == std::string::npos);
}
