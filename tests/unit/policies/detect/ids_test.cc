// The rows of the id table: vectors, context, what they are not, and the pass that finds them.
#include "policies/detect/column_evidence.h"
#include "policies/detect/id_checks.h"
#include "policies/detect/id_index.h"
#include "policies/detect/id_scanner.h"
#include "policies/detect/score.h"
#include "tests/unit/catch.h"
#include "tests/unit/policies/detect/detect_helpers.h"

using namespace mlops::detect;

namespace {

std::string text_of(std::string_view id) {
  for (const auto* row : id_rows()) {
    if (row->id == id) return std::string(row->vector);
  }
  return {};
}

}  // namespace

TEST_CASE("every row: its vector holds, is found with a keyword and in its column, and a header says so") {
  REQUIRE(id_rows().size() <= kMostIdRows);
  for (const auto* row : id_rows()) {
    INFO(row->id);
    const std::string vector(row->vector);
    CHECK(id_holds(*row, vector) == (row->led.most == 0));
    const std::string word(row->words.substr(0, row->words.find('|')));
    CHECK(found(row->id, word + ": " + vector + ", seen", "", 0.5) == Texts{vector});
    const std::string header(row->headers.substr(0, row->headers.find('|')));
    CHECK(find_detector(row->id)->column_name_score(header) >= 0.5);
    CHECK(score(row->id, vector, header) >= 0.8);
    CHECK(class_of_detector(row->id) == row->class_name);
    CHECK(find_detector(row->id)->identifies());
  }
  CHECK(class_of_detector("uk_nhs") == "national_id");
  CHECK(class_of_detector("aba_routing") == "bank_account");
  CHECK(class_of_detector("email") == "email");
}

TEST_CASE("a check digit that one string in eleven passes is no verdict") {
  CHECK(score("uk_nhs", "9434765870") < 0.3);
  CHECK(score("uk_nhs", "943 476 5870") <= 0.6);
  CHECK(score("uk_nhs", "NHS number 943 476 5870") > 0.9);
  CHECK(score("uk_nhs", "NHS number 943 476 5871") > 0.5);  // mistyped, still somebody's
  CHECK(score("uk_nhs", "943 476 5871") == 0);
  CHECK(score("es_dni", "54362315K") == Approx(0.6));
  CHECK(score("fi_hetu", "131052-308T") > 0.9);  // one string in a thousand
  CHECK(score("tr_tckn", "17291716060") <= kMostOfBareDigits);
  CHECK(score("us_itin", "999-70-5017") < 0.5);  // Synthea's numbers are us_ssn's
  CHECK(score("us_ssn", "999-70-5017") >= 0.5);
  CHECK(found("us_ein", "call 12-3456789", "", 0.5).empty());
  CHECK(id_score({Structure::kBareDigits, CheckOutcome::kHolds, 0.089, IdContext::kColumn}) >
        id_score({Structure::kBareDigits, CheckOutcome::kHolds, 0.089, IdContext::kNear}));
}

TEST_CASE("written as people write them") {
  const std::pair<const char*, const char*> kRows[] = {
      {"uk_nino", "AB 12 34 56 C"},        {"es_dni", "54.362.315-K"},
      {"es_nie", "X-2482300-W"},           {"it_codice_fiscale", "RCC MNL 83S18 D969H"},
      {"fr_nir", "2 95 10 99 126 111 93"}, {"se_personnummer", "19880320-0016"},
      {"in_aadhaar", "2341 2341 2346"},    {"be_rrn", "85.07.30-033.28"},
      {"ch_ahv", "756.9217.0769.85"},      {"at_svnr", "1237 010180"},
      {"br_cpf", "390.533.447-05"},        {"cz_rc", "710319/2745"},
      {"us_mbi", "1EG4-TE5-MK73"},         {"ca_sin", "123-456-782"},
      {"dk_cpr", "211062-5629"},
  };
  for (const auto& [id, text] : kRows) {
    INFO(id);
    CHECK(found(id, text) == Texts{text});
    CHECK(found(id, std::string("(") + text + ").") == Texts{text});
  }
  CHECK(found("fi_hetu", "010190X321R, 131052A308T").size() == 1);
}

TEST_CASE("keywords in the languages of the countries, folded") {
  CHECK(score("fr_nir",
              "n\xC2\xB0 de s\xC3\xA9"
              "curit\xC3\xA9 sociale 295109912611193") > 0.9);
  CHECK(score("bg_egn", "\xD0\x95\xD0\x93\xD0\x9D: 7523169263") > 0.9);
  CHECK(score("pl_pesel", "nr PESEL 44051401359") > 0.9);
  CHECK(score("nl_bsn", "burgerservicenummer is 111222333") > 0.9);
  CHECK(score("nl_bsn", "robson 111222333") < 0.3);                                                   // a whole word
  CHECK(score("uk_nhs", "NHS trust; the office of the manager may be reached at 9434765870") < 0.3);  // too far
}

TEST_CASE("not inside other numbers, words and tables") {
  for (const auto* text : {"x9434765870", "94347658701", "0.9434765870", "9434765870.5", "1-943-476-5870",
                           "12:943 476 5870", "9434765870%", "943 476 5870 12", "7 943 476 5870", "BS5002477X",
                           "1BS5002477", "54362315k", "9d188916-8390-282b-3ec2-73fce6e08649"}) {
    for (const auto* row : id_rows()) {
      INFO(text << ' ' << row->id);
      CHECK(score(row->id, text) < 0.5);
    }
  }
}

TEST_CASE("codes that many codes look like, and hashes in a column, stay below what counts") {
  for (const auto* text : {"TC358743", "PR105322", "AB123456C", "BS5002477", "8F3A\n1234567E\n0C11D2A4"}) {
    for (const auto* row : id_rows()) {
      INFO(text << ' ' << row->id);
      CHECK(score(row->id, text) < 0.5);
    }
  }
  CHECK(score("uk_nino", "AB 12 34 56 C") > 0.5);
  CHECK(score("uk_nino", "NINO AB123456C") > 0.9);
  CHECK(score("us_dea", "DEA BS5002477") > 0.9);
  CHECK(score("es_dni", "54362315K\n54362316E") > 0.5);  // a list of them
}

TEST_CASE("postcodes outside the US, and plus codes") {
  for (const auto* text : {"SW1A 1AA", "M1 1AE", "CR2 6XH", "DN55 1PT", "W1A 0AX", "EC1A 1BB", "M5V 3L9", "K1A 0B1"}) {
    INFO(text);
    CHECK(score("postcode_intl", std::string("lives at ") + text + ", since") >= 0.5);
  }
  CHECK(score("postcode_intl", "postcode 1017 CT") >= 0.5);
  CHECK(score("postcode_intl", "1017 CT", "postcode") > 0.8);
  for (const auto* text :
       {"room B12 4CD", "QZ1 1AA", "sw1a 1aa", "D5V 3L9", "1500 ML", "2024 AD", "SW1A 1AAX", "H1 2", "A1 4CI"}) {
    INFO(text);
    CHECK(score("postcode_intl", text) < 0.5);
  }
  CHECK(score("geo_plus_code", "meet at 8FVC9G8F+6X.") > 0.5);
  for (const auto* text : {"8FVC9G8F+6A", "ZFVC9G8F+6X", "12345678+12", "8fvc9g8f+6x"}) {
    INFO(text);
    CHECK(score("geo_plus_code", text) < 0.5);
  }
}

TEST_CASE("one pass names the row of each span; a column's name reaches its own row only") {
  std::vector<IdSpan> spans;
  find_ids("PESEL 44051401359 and NHS 9434765870", "", spans);
  std::vector<std::string> sure;
  for (const auto& span : spans) {
    if (span.score > 0.8) sure.emplace_back(id_rows()[span.row]->id);
  }
  CHECK(sure == Texts{"pl_pesel", "uk_nhs"});
  CHECK(score("pl_pesel", "44051401359", "pesel") > 0.9);
  CHECK(score("ee_ik", "44051401359", "pesel") <= kMostOfBareDigits);
  // The memory of the last cell tells columns and cells apart.
  CHECK(score("pl_pesel", "44051401359") <= kMostOfBareDigits);
  CHECK(score("pl_pesel", "44051401359", "pesel") > 0.9);
}

TEST_CASE("a column's pass rate: nine per cent is chance, ninety-seven is the identifier") {
  CHECK(column_probability(200, 18, 0.089) < 0.001);
  CHECK(column_probability(200, 194, 0.089) > 0.95);
  CHECK(column_probability(200, 200, 0.089) > 0.95);
  CHECK(column_probability(200, 120, 0.089) > 0.9);
  CHECK(column_probability(200, 40, 0.089) < 0.01);
  CHECK(column_probability(1, 1, 0.089) < 0.2);
  CHECK(column_probability(5, 5, 0.01) > 0.9);
  CHECK(column_probability(200, 200, 0.89) < 0.6);  // a check most strings pass
  CHECK(column_probability(0, 0, 0.1) == 0);
  CHECK(column_probability(1'000'000, 999'000, 0.1) > 0.95);
  CHECK(column_probability(1'000'000, 100'000, 0.1) < 0.001);
}

TEST_CASE("numbers without a shape need a keyword that governs them, or a column") {
  CHECK(found("device_serial", "pacemaker S/N: PM-4471023, implanted") == Texts{"PM-4471023"});
  CHECK(found("device_serial", "Serial number is 00123 A") == Texts{"00123"});
  CHECK(found("device_serial", "serial sections of 300 were cut").empty());
  CHECK(found("device_serial", "serial\n12345").empty());
  CHECK(found("device_serial", "model 300-A, serial unknown; run 12345").empty());
  CHECK(found("certificate", "GMC no. 7123456") == Texts{"7123456"});
  CHECK(found("bank_account", "Kontonummer: 0532013000") == Texts{"0532013000"});
  CHECK(found("national_id", "c\u00E9dula 1712345678") == Texts{"1712345678"});
  CHECK(found("national_id", "X1234567", "National ID") == Texts{"X1234567"});
  CHECK(found("national_id", "[ID]", "National ID").empty());
  CHECK(found("plate", "license plate ABC 1234 seen") == Texts{"ABC 1234"});
  CHECK(found("plate", "Kennzeichen: B-MW 1234").empty() == false);
  CHECK(found("plate", "in bed AB 1234").empty());
  CHECK(found("device_id", "9d188916-8390-282b-3ec2-73fce6e08649").empty());
  CHECK(found("device_id", "9d188916-8390-282b-3ec2-73fce6e08649", "IDFA").size() == 1);
  CHECK(found("device_id", "9d188916-8390-282b-3ec2-73fce6e08649", "Id").empty());
  CHECK(found("device_id", "advertising id 9d188916-8390-282b-3ec2-73fce6e08649").size() == 1);
}

TEST_CASE("checks without an oracle") {
  CHECK(id_holds(*id_rows()[1], "AB123456C"));
  for (const auto* nino : {"BG123456C", "DA123456C", "AO123456C", "AB123456E"})
    CHECK_FALSE(id_holds(*id_rows()[1], nino));
  CHECK(us_dea_holds("BS5002477"));
  CHECK_FALSE(us_dea_holds("BS5002478"));
  CHECK(us_npi_holds("1234567893"));
  CHECK_FALSE(us_npi_holds("3234567893"));
  CHECK(us_mbi_holds("1EG4TE5MK73"));
  CHECK_FALSE(us_mbi_holds("1SG4TE5MK73"));
  CHECK(vin_holds("1M8GDM9AXKP042788"));
  CHECK(vin_holds("11111111111111111"));
  CHECK_FALSE(vin_holds("1M8GDM9AXKP042789"));
  CHECK_FALSE(vin_holds("1M8GDM9AXKP04278O"));
  CHECK(in_vid_holds("2341234123412341"));
  CHECK(text_of("vin") == "1M8GDM9AXKP042788");
}
