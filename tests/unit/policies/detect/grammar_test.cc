// Names, places and addresses in running text: what the grammars take together, and what they leave.
#include "detect_helpers.h"
#include "policies/detect/dictionary.h"
#include "policies/detect/reading.h"
#include "policies/detect/word_roles.h"
#include "tests/unit/catch.h"

namespace mlops::detect {
namespace {

TEST_CASE("names: titles, introductions, lists, particles and small letters") {
  CHECK(found("person_name", "My name is Kenjirou") == Texts{"Kenjirou"});
  CHECK(found("person_name", "my name is janice beneventi") == Texts{"janice beneventi"});
  CHECK(found("person_name", "I want to add Colton Svenningsen as a beneficiary") == Texts{"Colton Svenningsen"});
  CHECK(found("person_name", "seen by Dr. Jacob van Gameren today") == Texts{"Jacob van Gameren"});
  CHECK(found("person_name", "Wilson O'Neil called") == Texts{"Wilson O'Neil"});
  CHECK(found("person_name", "They had three: Kaylee, Miguel and April.").size() == 3);
  CHECK(found("person_name", "a david lange concert") == Texts{"david lange"});
}

TEST_CASE("names: a title that goes with a name stays below redaction") {
  CHECK(found("person_name", "correct it to Mr. John Hansen", "", 0.2) == Texts{"Mr. ", "John Hansen"});
  CHECK(found("person_name", "correct it to Mr. John Hansen", "", 0.3) == Texts{"John Hansen"});
}

TEST_CASE("names: countries, streets, firms and headings are none") {
  for (const auto* text :
       {"I'm originally from Kenya", "moved to the United Arab Emirates", "CAN I SPEAK TO A REAL PERSON",
        "My IBAN is new", "at Wilson Hospital", "Cantrell Ltd. is growing", "I'm so jealous"}) {
    INFO(text);
    CHECK(found("person_name", text).empty());
  }
}

TEST_CASE("addresses: number before or behind, units, several lines, boxes and corners") {
  for (const auto* address :
       {"67 Wallis Street Cunha Street\n Suite 511\n RANDWICK\n Uganda 14660",
        "68 Hulsterdreef 100 Apt. 535, Odense, Sweden 36018",
        "78 Untere Donaulände 33\nIzsófalva\n, BZ\n Equatorial Guinea 42309", "PSC 7004, Box 8380\nAPO AP 11949",
        "Unit 3191 Box 3770\nDPO AP 27173", "the corner of Koepoortwal 115 and Hansen Street",
        "25 Schaarsteinweg 58 Apt. 584 Ebermannsdorf Belarus", "71 34 Avenue des Tuileries"}) {
    INFO(address);
    CHECK(found("street_address", "Please send it to " + std::string(address) + ".") == Texts{address});
  }
  CHECK(found("street_address", "lives at Grolmanstraße 25 now") == Texts{"Grolmanstraße 25"});
}

TEST_CASE("addresses: an address ends with its sentence, its line's field or an everyday word") {
  CHECK(found("street_address", "at 12 Main Street. Please call") == Texts{"12 Main Street"});
  CHECK(found("street_address", "to 12 Main Street last night") == Texts{"12 Main Street"});
  CHECK(found("street_address", "12 Main Street\nPhone: 617-555-0123") == Texts{"12 Main Street"});
  for (const auto* text :
       {"10 Milligrams Of Aspirin 3 times", "Grade 2 Sprain", "In 2014 March 5", "Type 2 Diabetes 10", "Blink 182"}) {
    INFO(text);
    CHECK(found("street_address", text).empty());
  }
}

TEST_CASE("places: context makes a town, countries and lone names stay below redaction") {
  CHECK(found("city_county", "She lives in Springfield, IL") == Texts{"Springfield"});
  CHECK(found("city_county", "moved here from Porsgrunn") == Texts{"Porsgrunn"});
  CHECK(found("city_county", "I'm originally from Sri Lanka").empty());
  CHECK(found("city_county", "I'm originally from Sri Lanka", "", 0.2) == Texts{"Sri Lanka"});
  CHECK(found("city_county", "She came from the People's Republic of China", "", 0.2) ==
        Texts{"the People's Republic of China"});
  CHECK(found("city_county", "Rand Corporation").empty());
  CHECK(found("city_county", "withdraw it from ATM", "", 0.2).empty());
}

TEST_CASE("a reading: words are tokens with what they are, and what belongs to an identifier is none") {
  const Reading reading("Ann O'Neil's mail ann@example.org, 40th floor, [NAME], they'll");
  const auto& tokens = reading.tokens();
  REQUIRE(tokens.size() == 7);  // Ann O'Neil mail org 40th floor they'll
  CHECK(reading.word(tokens[1]) == "O'Neil");
  CHECK(tokens[1].possessive);
  CHECK(tokens[0].blank_behind);
  CHECK(std::any_of(tokens.begin(), tokens.end(),
                    [](const Token& token) { return token.is_number() && token.letters == 2; }));
  CHECK(tokens.back().has(kNoName));
  CHECK((roles_of("grolmanstrasse") & role::kStreetEnding) != 0);
  CHECK((roles_of("suite") & role::kUnit) != 0);
  CHECK(roles_of("unheardof") == 0);
}

TEST_CASE("phones of national plans are a guess, in parentheses or with a keyword more; figures in rows are none") {
  CHECK(score("phone", "abc (85) 5986-8343 def") >= 0.5);
  CHECK(score("phone", "abc 9885 1152 def") < 0.5);
  CHECK(found("phone", "abc 9885 1152 def") == Texts{"9885 1152"});
  CHECK(found("phone", "4111 1111 1111 1111").empty());
  CHECK(found("phone", "92 34 70 office", "", 0.5) == Texts{"92 34 70"});
  CHECK(found("phone", "call me at 5550123") == Texts{"5550123"});
  for (const auto* text :
       {"call. SSN 482-37-7702", "called. MRN: 61722956, born", "calls from 10.77.77.77", "text 0123456789"}) {
    INFO(text);
    CHECK(found("phone", text, "", 0.5).empty());
  }
}

TEST_CASE("shapes that chance makes stay below 0.5 without a word for them") {
  CHECK(score("geo", "42.3688, -71.1517") < 0.5);
  CHECK(score("geo", "lat/long 42.3688, -71.1517") >= 0.5);
  CHECK(found("geo", "0.1234, 0.5678, 0.9123").empty());
  CHECK(score("credit_card", "567289406413") < 0.5);
  CHECK(score("iban", "ba295df0-ee06-4fde-ae2f-f1a56df6aed8") == 0);
  CHECK(score("url", "config.listen.io_threads") == 0);
  CHECK(score("url", "row.health == health") < 0.5);
  CHECK(score("ipv4", "127.0.0.1") < 0.5);
  CHECK(found("age", "in 463.13 ms\n+2834.090s").empty());
  CHECK(found("date", "seen today. Dose 1/2 tablet").empty());
  CHECK(found("date", "seen 3/5 again") == Texts{"3/5"});
}

TEST_CASE("ages up to 89 are found below redaction") {
  CHECK(found("age", "a 45-year-old man").empty());
  CHECK(found("age", "a 45-year-old man", "", 0.2) == Texts{"45"});
  CHECK(found("age", "a 91-year-old man") == Texts{"91"});
}

}  // namespace
}  // namespace mlops::detect
