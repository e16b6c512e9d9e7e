#include "policies/detect/word_roles.h"
#include "policies/detect/zip3.h"
#include "tests/unit/catch.h"
#include "tests/unit/policies/detect/detect_helpers.h"

using namespace mlops::detect;

TEST_CASE("us_zip: column, keyword or state") {
  CHECK(found("us_zip", "02155").empty());
  CHECK(found("us_zip", "02155", "ZIP") == Texts{"02155"});
  CHECK(found("us_zip", "2155", "zip_code") == Texts{"2155"});  // the integer column lost its zero
  CHECK(found("us_zip", "2155.0", "zip") == Texts{"2155.0"});
  CHECK(found("us_zip", "02155-1234", "postal_code") == Texts{"02155-1234"});
  CHECK(found("us_zip", "Medford, MA 02155") == Texts{"02155"});
  CHECK(found("us_zip", "zip 02155-1234") == Texts{"02155-1234"});
  CHECK(score("us_zip", "00001", "zip") < score("us_zip", "02155", "zip"));
  CHECK(found("us_zip", "021", "zip").empty());  // a generalised prefix
  CHECK(zip3_is_populated(21));
  CHECK_FALSE(zip3_is_populated(0));
  CHECK_FALSE(zip3_is_populated(1000));
  CHECK_FALSE(zip3_is_populated(-1));
}

TEST_CASE("geo and city by column, pairs in text") {
  CHECK(found("geo", "42.36877442769006", "LAT") == Texts{"42.36877442769006"});
  CHECK(found("geo", "at 42.3688, -71.1517.") == Texts{"42.3688, -71.1517"});
  CHECK(found("geo", "42.36877442769006").empty());
  CHECK(found("geo", "0.123, 200.5").empty());
  CHECK(found("city_county", "Somerville", "CITY") == Texts{"Somerville"});
  CHECK(found("city_county", "Somerville").empty());
}

TEST_CASE("street_address") {
  CHECK(found("street_address", "784 Stamm Lock Unit 46") == Texts{"784 Stamm Lock Unit 46"});
  CHECK(found("street_address", "lives at 12 N. Main St, Springfield, IL 62704 now") ==
        Texts{"12 N. Main St, Springfield, IL 62704"});
  CHECK(found("street_address", "221B Baker Street") == Texts{"221B Baker Street"});
  CHECK(found("street_address", "100 5th Ave Apt 4B") == Texts{"100 5th Ave Apt 4B"});
  CHECK(found("street_address", "P.O. Box 1234") == Texts{"P.O. Box 1234"});
  CHECK(found("street_address", "at 123 main street") == Texts{"123 main street"});
  CHECK(found("street_address", "anything 5", "ADDRESS") == Texts{"anything 5"});
  for (const auto* text : {"5 mg twice a day", "2 tablets by mouth", "Patient has 3 children", "3.5 Dr visits",
                           "1200 calories per day", "took 2 Aspirin"}) {
    INFO(text);
    CHECK(found("street_address", text).empty());
  }
}

TEST_CASE("person_name: by column") {
  CHECK(found("person_name", "Maynard46", "FIRST") == Texts{"Maynard46"});
  CHECK(found("person_name", " O'Neil ", "last_name") == Texts{"O'Neil"});
  CHECK(found("person_name", "3edac2e3-d223-6fae-d515-daf96ef6bc76", "PATIENT").empty());
  CHECK(found("person_name", "[NAME]", "FIRST").empty());
}

TEST_CASE("person_name: in text") {
  CHECK(found("person_name", "Mr. Xavi Qwertz came") == Texts{"Xavi Qwertz"});
  CHECK(found("person_name", "seen by Dr Okonkwo today") == Texts{"Okonkwo"});
  CHECK(found("person_name", "Pt: Zzyx Qwertz, stable") == Texts{"Zzyx Qwertz"});
  CHECK(found("person_name", "Spoke with Maria Gonzalez about it") == Texts{"Maria Gonzalez"});
  CHECK(found("person_name", "John Q. Smith") == Texts{"John Q. Smith"});
  CHECK(found("person_name", "Smith, John") == Texts{"Smith, John"});
  CHECK(found("person_name", "JOHN SMITH admitted") == Texts{"JOHN SMITH"});
  CHECK(found("person_name", "john smith admitted") == Texts{"john smith"});
  CHECK(found("person_name",
              "Jos\xC3\xA9 Garc\xC3\xAD"
              "a-L\xC3\xB3pez") == Texts{"Jos\xC3\xA9 Garc\xC3\xAD"
                                         "a-L\xC3\xB3pez"});
  CHECK(found("person_name", "Jose\xCC\x81 Garcia") == Texts{"Jose\xCC\x81 Garcia"});
  CHECK(found("person_name", "Maria de la Cruz") == Texts{"Maria de la Cruz"});
  CHECK(found("person_name", "Mosciski958 is Curt84 Schmidt332") == Texts{"Curt84 Schmidt332"});
}

TEST_CASE("person_name: the members of a program and the names of characters are none") {
  CHECK(found("person_name", "what sig.indexOf(\"j\") gives, and Lt.hasOwnProperty(n)").empty());
  CHECK(found("person_name", "0x3C6, // GREEK SMALL LETTER PHI").empty());
}

TEST_CASE("person_name: capitals within a name, and small letters at its beginning") {
  struct Row {
    std::string_view text;
    std::string_view name;
  };
  for (const auto& row :
       {Row{"seen by dr. gonzalez", "gonzalez"}, Row{"seen by Dr. FitzGerald", "FitzGerald"},
        Row{"Mrs. OBrien slept well", "OBrien"}, Row{"Patient: OConnor", "OConnor"},
        Row{"Mr. DelaCruz slept well", "DelaCruz"}, Row{"Dr. AbdelRahman", "AbdelRahman"},
        Row{"MaryAnn reports that she feels better", "MaryAnn"}, Row{"Patient: JohnSmith", "JohnSmith"},
        Row{"Mr. JOhnson", "JOhnson"}, Row{"Dr. d'Angelo", "d'Angelo"}, Row{"Mr. al-Rashid", "al-Rashid"},
        Row{"name: 'McGregor'", "McGregor"}, Row{"CLINIC LETTER JOHN SMITH 12/03/1955", "JOHN SMITH"}}) {
    INFO(row.text);
    bool is_found = false;
    for (const auto& name : found("person_name", row.text)) is_found |= name.find(row.name) != std::string::npos;
    CHECK(is_found);
  }
}

TEST_CASE("person_name: repeats of a found name are found") {
  CHECK(found("person_name", "Mr. Qwertz left. Later Qwertz's wife called; qwertz agreed.") ==
        Texts{"Qwertz", "Qwertz", "qwertz"});
}

TEST_CASE("person_name: eponyms, drugs, months and headings are none") {
  for (const auto* text : {"Parkinson disease", "Crohn's disease", "May 5 visit", "Will follow up", "Vitamin D",
                           "History of Present Illness", "Lisinopril 10 MG Oral Tablet", "Acute bronchitis (disorder)",
                           "Massachusetts General Hospital", "take with food", "Patient denies pain",
                           "NURSE PRACTITIONER", "PHYSICIAN ASSISTANT", "Normal sinus rhythm", "[NAME] was seen"}) {
    INFO(text);
    CHECK(found("person_name", text).empty());
  }
}

TEST_CASE("a word of Spanish prose is no street, and a German street no Spanish") {
  CHECK_FALSE((roles_of("por") & role::kStreetEnding) != 0);
  CHECK((roles_of("por") & role::kSpanish) != 0);
  CHECK((roles_of("grolmanstrasse") & role::kStreetEnding) != 0);
  CHECK_FALSE((roles_of("grolmanstrasse") & role::kSpanish) != 0);
}
