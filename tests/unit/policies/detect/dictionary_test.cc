#include "policies/detect/dictionary.h"

#include <string_view>
#include <vector>

#include "policies/detect/name_words.h"
#include "tests/unit/catch.h"

using namespace mlops::detect;

namespace {

PlaceMatch place(const std::vector<std::string_view>& words) {
  return longest_place(words);
}

}  // namespace

TEST_CASE("dictionary: names of many countries") {
  for (const auto* name :
       {"mary",  "john",   "jose",   "teresa", "francois", "jurgen", "giulia",    "lotte",    "katarzyna", "mohammed",
        "priya", "haruto", "nguyen", "patel",  "garcia",   "muller", "szymanski", "korhonen", "janssens",  "obrien"}) {
    INFO(name);
    CHECK((name_word(name) & (kFirstName | kSurname)) != 0);
    CHECK(look_up(name).name_odds() >= 5);
    CHECK_FALSE(look_up(name).has(kNoName));
  }
  CHECK((name_word("mary") & kFirstName) != 0);
  CHECK((name_word("smith") & kSurname) != 0);
}

TEST_CASE("dictionary: names that are everyday words are graded") {
  for (const auto* word : {"will", "may", "rose", "brown", "mark", "grant", "young", "long", "dolores", "rubio"}) {
    INFO(word);
    CHECK(look_up(word).has(kFirstName | kSurname));
    CHECK(look_up(word).has(kOrdinaryWord));
  }
  CHECK(look_up("will").name_odds() < 0);
  CHECK(look_up("may").name_odds() <= 0);
  CHECK(look_up("rose").name_odds() > look_up("long").name_odds());
  CHECK(look_up("brown").name_odds() > look_up("may").name_odds());
  for (const auto* word : {"reading", "nice", "table", "present", "the", "pain", "nurse", "hemorragia", "fractura"}) {
    INFO(word);
    CHECK_FALSE(look_up(word).has(kFirstName | kSurname));
    CHECK(look_up(word).has(kOrdinaryWord));
  }
  CHECK(look_up("of").frequency_grade() > look_up("reading").frequency_grade());
}

TEST_CASE("dictionary: what is unknown has no bits and no odds") {
  for (const auto* word : {"", "qwertzx", "zzyx", "q"}) {
    INFO(word);
    CHECK_FALSE(look_up(word).known());
    CHECK(look_up(word).name_odds() == 0);
    CHECK(name_word(word) == 0);
  }
  for (const auto* letter : {"a", "b", "e", "o", "x", "y"}) CHECK_FALSE(look_up(letter).has(kFirstName | kSurname));
}

TEST_CASE("dictionary: terms") {
  CHECK(look_up("parkinson").has(kEponym));
  CHECK(look_up("crohn").has(kEponym));
  CHECK(look_up("metformin").has(kDrug));
  CHECK(look_up("ibuprofeno").has(kDrug));
  CHECK(look_up("september").has(kMonth));
  CHECK(look_up("lunes").has(kMonth));
  CHECK(look_up("dra").has(kTitle));
  CHECK(look_up("phd").has(kSuffix));
  CHECK(look_up("paciente").has(kLabel));
  CHECK(look_up("espanola").has(kNationality));
  CHECK(look_up("de").has(kParticle));
}

TEST_CASE("dictionary: places of several words, the longest first") {
  CHECK(look_up("boston").has(kCity));
  CHECK(look_up("boston").city_grade() >= 6);
  CHECK(look_up("zaragoza").has(kCity));
  CHECK(look_up("texas").has(kRegion));
  CHECK(look_up("cook county").has(kRegion));
  CHECK(look_up("spain").has(kCountry));
  CHECK(look_up("espana").has(kCountry));
  CHECK(look_up("reading").has(kCity));  // graded: a city, and far more often a word
  CHECK(place({"new", "york"}).words == 2);
  CHECK(place({"new", "york", "times"}).words == 2);
  CHECK(place({"new", "drug"}).words == 0);
  CHECK(place({"santiago", "de", "compostela"}).words == 3);
  CHECK(place({"santiago"}).words == 1);
  CHECK(place({"san", "jose"}).word.has(kCity));
  CHECK(place({}).words == 0);
  CHECK(place({"qwertzx", "york"}).words == 0);
}
