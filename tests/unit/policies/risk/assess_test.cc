#include "policies/risk/assess.h"

#include "policies/risk/suggest.h"
#include "tests/unit/policies/risk/tables.h"

using namespace mlops;
using namespace mlops::risk;

namespace {

RiskRequirement requirement(std::uint64_t k, std::vector<std::string> quasi = {"q"}) {
  RiskRequirement need;
  need.quasi = std::move(quasi);
  need.k = k;
  return need;
}

std::string rows(std::string_view row, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += std::string(row) + "\n";
  return text;
}

RiskReport judged(const RiskTable& table, const RiskRequirement& need, const Versions& versions = {}) {
  const auto report = assess(table, need, versions);
  REQUIRE(report);
  return *report;
}

bool has(const RiskReport& report, std::string_view rule) {
  for (const auto& one : report.shortfalls) {
    if (one.rule == rule) return true;
  }
  return false;
}

RiskReport after(const RiskRequirement& need, const std::string& before, const std::string& now) {
  RiskTable table(need.columns());
  add_csv(table, now);
  add_csv(table, before);
  return judged(table, need, {0, 1, {}});
}

}  // namespace

TEST_CASE("k is met or not") {
  const auto table = table_of({{"q"}, {}, {}}, "q\n" + rows("a", 3) + rows("b", 2));
  CHECK(judged(table, requirement(2)).is_met());
  const auto report = judged(table, requirement(3));
  CHECK(has(report, "k"));
  CHECK(report.suppress_records == 2);
  CHECK_FALSE(report.is_suppressed);
}

TEST_CASE("an empty table hides nobody") {
  CHECK(has(judged(table_of({{"q"}, {}, {}}, "q\n"), requirement(2)), "k"));
}

TEST_CASE("quotes, order of columns and case of headers do not matter, bytes of values do") {
  const auto table = table_of({{"Zip", "SEX"}, {}, {}}, "sex,name, zip \nf,x,036\n\"f\",y,\"036\"\nf,z,36\n");
  const auto report = judged(table, requirement(2, {"Zip", "SEX"}));
  CHECK(report.table.sizes.classes == 2);
  CHECK(report.table.sizes.unique == 1);
}

TEST_CASE("suppression leaves a table that satisfies k, l and t") {
  auto need = requirement(2);
  need.l = {{"s", DiversityRequirement::Kind::kDistinct, 2, 0}};
  need.t = {{"s", 0.3, Distance::kEqual}};
  need.on_fail = OnFail::kSuppressRecords;
  need.max_suppressed = 0.5;
  const std::string text =
      "q,s\n" + rows("a,x", 4) + rows("a,y", 4) + rows("b,x", 3) + rows("c,y", 1) + rows("d,x", 2) + rows("d,y", 3);
  const auto table = table_of(need.columns(), text);
  const auto report = judged(table, need);
  CHECK(report.is_met());
  CHECK(report.is_suppressed);
  CHECK(report.suppress_records == 4);  // b has one value, c one record
  const auto flags = suppression(table, need, {});
  REQUIRE(flags);
  const std::vector<bool> want{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0};
  CHECK(*flags == want);
}

TEST_CASE("t is looked at again without what was left out") {
  // Shares of x: a 0.5, b 0, c 0.9, all 0.68: only b is too far. Without b all have 0.86, and a is too far.
  auto need = requirement(1);
  need.t = {{"s", 0.3, Distance::kEqual}};
  need.on_fail = OnFail::kSuppressRecords;
  need.max_suppressed = 0.9;
  const auto table = table_of(
      need.columns(), "q,s\n" + rows("a,x", 5) + rows("a,y", 5) + rows("b,y", 30) + rows("c,x", 90) + rows("c,y", 10));
  const auto report = judged(table, need);
  CHECK(report.is_met());
  CHECK(report.suppress_records == 40);
}

TEST_CASE("too much suppression is refused") {
  auto need = requirement(5);
  need.on_fail = OnFail::kSuppressRecords;
  const auto table = table_of(need.columns(), "q\n" + rows("a", 5) + rows("b", 4));
  const auto report = judged(table, need);
  CHECK(has(report, "suppression"));
  CHECK(report.suppress_records == 4);
}

TEST_CASE("k counts subjects where there are some") {
  auto need = requirement(2);
  need.subject = "p";
  const auto table = table_of(need.columns(), "q,p\na,1\na,1\na,1\nb,2\nb,3\n");
  const auto report = judged(table, need);
  CHECK(has(report, "k"));
  CHECK(report.suppress_records == 3);
}

TEST_CASE("threat 21: a class that shrinks below k between versions") {
  const auto report = after(requirement(3), "q\n" + rows("a", 5) + rows("b", 4), "q\n" + rows("a", 5) + rows("b", 2));
  CHECK(has(report, "shrunk"));
  CHECK(has(report, "k"));
  REQUIRE(report.versions);
  CHECK(report.versions->shrunk_classes == 1);
}

TEST_CASE("threat 21: the difference of two versions isolates one person, though each has k") {
  const auto before = "q\n" + rows("a", 6) + rows("b", 4);
  const auto report = after(requirement(3), before, "q\n" + rows("a", 5) + rows("b", 4));
  CHECK_FALSE(has(report, "k"));
  CHECK(has(report, "isolated"));
  CHECK(report.versions->isolated == 1);
  CHECK(report.versions->removed.records == 1);
  CHECK(after(requirement(3), before, "q\n" + rows("a", 6) + rows("b", 4)).is_met());
  CHECK(after(requirement(3), before, "q\n" + rows("a", 9) + rows("b", 4)).is_met());  // three are added
  CHECK(after(requirement(3), before, "q\n" + rows("a", 6)).is_met());                 // b left as a whole
  CHECK(after(requirement(3), before, "q\n" + rows("a", 6) + rows("b", 4) + rows("c", 3)).is_met());
}

TEST_CASE("threat 21: a changed diagnosis shows in the difference, though every size stays") {
  auto need = requirement(3);
  need.l = {{"s", DiversityRequirement::Kind::kDistinct, 2, 0}};
  const auto report = after(need, "q,s\n" + rows("a,x", 3) + rows("a,y", 3), "q,s\n" + rows("a,x", 2) + rows("a,y", 4));
  CHECK(has(report, "isolated"));
  CHECK(report.versions->isolated == 2);  // one taken from, one put into
}

TEST_CASE("suppression cures what the difference isolates") {
  auto need = requirement(3);
  need.on_fail = OnFail::kSuppressRecords;
  need.max_suppressed = 0.6;
  const auto report = after(need, "q\n" + rows("a", 6) + rows("b", 4), "q\n" + rows("a", 5) + rows("b", 4));
  CHECK(report.is_met());
  CHECK(report.suppress_records == 5);
}

TEST_CASE("threat 21: who holds both versions sees a lean that neither has alone") {
  auto need = requirement(2);
  need.t = {{"s", 0.1, Distance::kEqual}};
  const auto before = "q,s\n" + rows("a,x", 10) + rows("b,y", 10);
  const auto now = "q,s\n" + rows("a,x", 5) + rows("a,y", 5) + rows("b,x", 5) + rows("b,y", 5);
  const auto report = after(need, before, now);
  CHECK(report.versions->whole_union.records == 30);
  CHECK_FALSE(has(report, "t"));
  CHECK(has(report, "union_t"));
  // What only the earlier version has is out already.
  CHECK(
      after(need, "q,s\n" + rows("a,x", 5) + rows("a,y", 5) + rows("c,x", 1), "q,s\n" + rows("a,x", 5) + rows("a,y", 5))
          .is_met());
}

TEST_CASE("generalised values are compared") {
  auto need = requirement(3, {"age", "zip", "diet"});
  const std::string text = "age,zip,diet\n31,03601,fish\n38,03602,fish\n39,03610,meat\n";
  const auto table = table_of(need.columns(), text);
  CHECK(judged(table, need).table.sizes.unique == 3);
  need.generalize["age"] = {Generalization::Kind::kBucket, 10};
  need.generalize["zip"] = {Generalization::Kind::kPrefix, 3};
  need.generalize["diet"] = {Generalization::Kind::kLevel, 1};
  CHECK(assess(table, need, {}).error().slug == "hierarchy_missing");
  need.hierarchies["diet"] = hierarchy_of("fish;food\nmeat;food\n");
  CHECK(judged(table, need).is_met());
  need.generalize["other"] = {};
  CHECK(assess(table, need, {}).error().slug == "quasi_missing");
}

TEST_CASE("contributions name the column that makes records stand out") {
  const auto need = requirement(2, {"sex", "id"});
  const auto table = table_of(need.columns(), "sex,id\nf,1\nf,2\nm,3\nm,4\n");
  const auto list = contributions(table, need, 0);
  REQUIRE(list);
  CHECK(list->front().column == "id");
  CHECK(list->front().unique_without == 0);
  CHECK(list->front().distinction == Approx(1.0));
  CHECK(list->back().unique_without == 4);
  CHECK(list->back().separation == Approx(4.0 / 6));  // 4 of 6 pairs differ in sex
}

TEST_CASE("a suggestion is enough, and one finer is not") {
  std::string text = "zip,sex\n";
  for (int i = 0; i < 40; ++i) text += "0" + std::to_string(3600 + i) + (i % 2 == 0 ? ",f\n" : ",m\n");
  auto need = requirement(5, {"zip", "sex"});
  need.max_suppressed = 0;
  const auto table = table_of(need.columns(), text);
  const auto found = suggest(table, need, 0);
  REQUIRE(found);
  REQUIRE(*found);
  CHECK(to_word((*found)->columns[0].second) == "prefix:4");  // ten zips, five of each sex
  CHECK(to_word((*found)->columns[1].second) == "none");
  CHECK((*found)->suppress_records == 0);
  CHECK((*found)->classes == 8);
}

TEST_CASE("no suggestion where even one class of all is too small") {
  auto need = requirement(5);
  need.max_suppressed = 0;
  const auto found = suggest(table_of(need.columns(), "q\na\nb\n"), need, 0);
  REQUIRE(found);
  CHECK_FALSE(*found);
}

TEST_CASE("no value gets into a report or an error") {
  auto need = requirement(3);
  need.l = {{"s", DiversityRequirement::Kind::kDistinct, 2, 0}};
  RiskTable table(need.columns());
  add_csv(table, "q,s\nCanary-Quasi,Canary-Sensitive\n");
  add_csv(table, "q,s\nCanary-Quasi,Canary-Other\n");
  const auto text = to_json(judged(table, need, {0, 1, 1})).dump();
  CHECK(text.find("Canary") == std::string::npos);
  need.hierarchies["q"] = hierarchy_of("a;b\n");
  need.generalize["q"] = {Generalization::Kind::kLevel, 1};
  CHECK(assess(table, need, {}).error().message.find("Canary") == std::string::npos);
}

TEST_CASE("memory is bounded") {
  RiskTable table({{"q"}, {}, {}}, 1u << 20);
  table.add_version();
  Status status;
  for (int i = 0; i < 200'000 && status; ++i) {
    const auto text = "value-" + std::to_string(i);
    const std::string_view cell = text;
    status = table.add({&cell, 1});
  }
  REQUIRE_FALSE(status);
  CHECK(status.error().slug == "risk_table_too_large");
}

TEST_CASE("words of generalisations") {
  CHECK(to_word(*generalization_from_word("bucket:10")) == "bucket:10");
  CHECK(to_word(*generalization_from_word("drop")) == "drop");
  for (const auto* word : {"bucket", "bucket:0", "prefix:x", "drop:1", "", "level:-1"})
    CHECK(generalization_from_word(word).error().slug == "bad_generalization");
}

TEST_CASE("columns that the header lacks are all named") {
  RiskTable table({{"zip", "sex"}, {"s"}, {}});
  const auto status = read_csv(table, "sex,other\nf,1\n");
  REQUIRE_FALSE(status);
  CHECK(status.error().message == "the table has no column 'zip', 's'");
}

TEST_CASE("a hierarchy says where it is wrong") {
  data::StringSource twice("a;x\nb;x\na;y\n");
  CHECK(read_hierarchy(twice).error().message == "line 3 of the hierarchy repeats a value of an earlier line");
  data::StringSource alone("a\nb\n");
  CHECK(read_hierarchy(alone).error().slug == "hierarchy_empty");
}
