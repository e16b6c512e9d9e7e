// us_ssn, phone, credit_card, iban, network addresses, record numbers.
#include "policies/detect/checksum.h"
#include "tests/unit/catch.h"
#include "tests/unit/policies/detect/detect_helpers.h"

using namespace mlops::detect;

TEST_CASE("us_ssn: three groups by value, nine digits by context") {
  CHECK(found("us_ssn", "SSN 123-45-6789.") == Texts{"123-45-6789"});
  CHECK(found("us_ssn", "id 123 45 6789 x") == Texts{"123 45 6789"});
  CHECK(found("us_ssn",
              "123\xE2\x80\x93"
              "45\xE2\x80\x93"
              "6789") == Texts{"123\xE2\x80\x93"
                               "45\xE2\x80\x93"
                               "6789"});
  CHECK(score("us_ssn", "123-45-6789") == Approx(0.6));  // no more without context
  CHECK(score("us_ssn", "ssn: 123-45-6789") > 0.8);
  CHECK(score("us_ssn", "999-17-5017") == Approx(0.5));  // never issued: lower, not vetoed
  CHECK(score("us_ssn", "999-17-5017", "SSN") > 0.8);
  CHECK(score("us_ssn", "078-05-1120") < score("us_ssn", "078-05-1121"));
  CHECK(found("us_ssn", "123456789").empty());
  CHECK(found("us_ssn", "123456789", "SSN") == Texts{"123456789"});
  CHECK(found("us_ssn", "SSN 123456789") == Texts{"123456789"});
  CHECK(found("us_ssn", "last four of SSN 6789") == Texts{"6789"});
  CHECK(found("us_ssn", "XXX-XX-6789") == Texts{"XXX-XX-6789"});
}

TEST_CASE("us_ssn: not inside longer numbers, keys and mixed groups") {
  for (const auto* text :
       {"1123-45-6789", "123-45-67890", "123-45-6789-01", "123-45.6789", "9d188916-8390-282b-3ec2-73fce6e08649",
        "227761.06", "2024-01-02", "617-555-0123", "1234-56-7890"}) {
    INFO(text);
    CHECK(found("us_ssn", text).empty());
  }
}

TEST_CASE("phone: American, international, extensions, vanity") {
  CHECK(found("phone", "call (617) 555-0123 now") == Texts{"(617) 555-0123"});
  CHECK(found("phone", "617-555-0123") == Texts{"617-555-0123"});
  CHECK(found("phone", "617.555.0123 x45") == Texts{"617.555.0123 x45"});
  CHECK(found("phone", "+1 617 555 0123") == Texts{"+1 617 555 0123"});
  CHECK(found("phone", "1-617-555-0123 ext. 4587") == Texts{"1-617-555-0123 ext. 4587"});
  CHECK(found("phone", "+44 20 7946 0958") == Texts{"+44 20 7946 0958"});
  CHECK(found("phone", "020 7946 0958") == Texts{"020 7946 0958"});
  CHECK(found("phone", "(020 7946 0958)") == Texts{"(020 7946 0958"});
  CHECK(found("phone", "a range of 0000..0777 (0..511)").empty());
  CHECK(found("phone", "r*(.028874*r-.044475-.005916*e)").empty());
  CHECK(found("phone", "the tables (1970 - 2001) of the book").empty());
  for (const auto* text : {"Telefon: 0531/123-4567/-68", "Telefon 030 450-578101/-102", "Phone: 617--555--0123",
                           "Call 2012-1998 for results", "NOK: daughter Anna (07700 900123, lives nearby)",
                           "Frau Meier (0171 2345678, Tochter)", "Daughter (01 23 45 67 89 le soir)"}) {
    INFO(text);
    CHECK_FALSE(found("phone", text).empty());
  }
  CHECK(found("phone", "2012 1998", "phone") == Texts{"2012 1998"});
  CHECK(found("phone", "1-800-FLOWERS") == Texts{"1-800-FLOWERS"});
  CHECK(found("phone", "phone 6175550123") == Texts{"6175550123"});
  CHECK(found("phone", "6175550123", "home_phone") == Texts{"6175550123"});
  CHECK(found("phone", "001-234-567-8901x123") == Texts{"001-234-567-8901x123"});
  CHECK(found("phone", "751-954-9268-Fax") == Texts{"751-954-9268"});
  CHECK(score("phone", "617-555-0123") <= 0.6);
  CHECK(score("phone", "tel 617-555-0123") > 0.8);
}

TEST_CASE("fax: a telephone number behind its word, or a column of its own") {
  CHECK(found("fax", "Tel 617-555-0123, Fax: 617-555-0124") == Texts{"617-555-0124"});
  CHECK(found("fax", "FAX (617) 555-0124") == Texts{"(617) 555-0124"});
  CHECK(found("fax", "facsimile no. 617-555-0124") == Texts{"617-555-0124"});
  CHECK(score("fax", "Fax: 617-555-0124") > score("phone", "Fax: 617-555-0124"));
  CHECK(found("fax", "fax the report, then call 617-555-0123").empty());
  CHECK(found("fax", "617-555-0123").empty());
  CHECK(header("fax", "fax") > header("phone", "fax"));
  CHECK(header("fax", "tel/fax") < 0.5);
  CHECK(header("phone", "tel/fax") >= 0.5);
  CHECK(found("fax", "6175550124", "office_fax").size() + found("phone", "6175550124", "office_fax").size() > 0);
}

TEST_CASE("phone: not money, coordinates, versions, decimals, dates, identifiers") {
  for (const auto* text : {"$6175550123",
                           "42.36877442769006",
                           "-71.15168585038569",
                           "227761.06",
                           "16774.548999999995",
                           "1.2.3",
                           "10.2.3.4",
                           "2024-03-05",
                           "03/05/2024",
                           "120/80",
                           "1700000000",
                           "123-45-6789",
                           "C++20 20.10.6",
                           "C++14 20.8.2.2.7",
                           "3edac2e3-d223-6fae-d515-daf96ef6bc76",
                           "4111 1111 1111 1111",
                           "02155-4321",
                           "98.6",
                           "12",
                           "1-2 tablets"}) {
    INFO(text);
    CHECK(found("phone", text).empty());
  }
}

TEST_CASE("credit_card: checksum and issuer are evidence, not a verdict") {
  CHECK(luhn_holds("4111111111111111"));
  CHECK_FALSE(luhn_holds("4111111111111112"));
  CHECK(score("credit_card", "4111 1111 1111 1111") == Approx(0.6));
  CHECK(score("credit_card", "visa 4111-1111-1111-1111") > 0.9);
  CHECK(score("credit_card", "378282246310005") < 0.5);  // bare: one number in thirty passes both checks by chance
  CHECK(score("credit_card", "card 378282246310005") > 0.9);
  CHECK(score("credit_card", "378282246310005", "card_number") > 0.9);
  CHECK(score("credit_card", "3782 822463 10005") == Approx(0.6));
  CHECK(score("credit_card", "4111 1111 1111 1112") == 0);
  CHECK(score("credit_card", "4111 1111 1111 1112", "card_number") > 0.5);
  CHECK(score("credit_card", "42.36877442769006") == 0);
  CHECK(score("credit_card", "0000000000000000") == 0);
}

TEST_CASE("cells of a table of numbers are no identifiers, a list of identifiers is") {
  for (const auto* text :
       {"6683 863 7107096 918", "84 1 863 710 7096", "863 710 7096\t12", "1 2 3\n863 710 7096\n17 4",
        "804 37 3462 3707", "12 804 37 3462", "99 4111 1111 1111 1111", "0a1f: 4111 1111 1111 1111 ab73", "917 2252229",
        "5050750 1291390", "5 51841494577 9582", "8080 020 7946 0958"}) {
    INFO(text);
    for (const auto* id : {"phone", "us_ssn", "credit_card"}) CHECK(score(id, text) < 0.5);
  }
  CHECK(score("phone", "617 555 0123\n617 555 0199") == Approx(0.6));
  CHECK(score("phone", "617 555 0123\r\n617 555 0199\r\n") == Approx(0.6));
  CHECK(score("phone", "Room 12 617 555 0123") == Approx(0.6));
  CHECK(score("phone", "Boston MA 02155 617 555 0123") >= 0.5);
  CHECK(score("phone", "84 863-710-7096") == Approx(0.6));  // nothing but a telephone number has these dashes
  CHECK(score("phone", "6 tel 863 710 7096 4") >= 0.5);
  CHECK(score("us_ssn", "123 45 6789\n123 45 6790") == Approx(0.5));
  CHECK(score("us_ssn", "ssn 123 45 6789 12") > 0.8);
  CHECK(score("credit_card", "4111 1111 1111 1111\n5500 0000 0000 0004") == Approx(0.6));
  // What is a table still counts where free text is redacted.
  CHECK(score("phone", "84 863 710 7096") >= 0.3);
  CHECK(score("credit_card", "378282246310005") >= 0.3);
}

TEST_CASE("bare numbers: a word that means other things too must lead to the number") {
  CHECK(score("phone", "job 6175550123 done, call took 3 us") < 0.5);
  CHECK(score("phone", "call 6175550123") >= 0.5);
  CHECK(score("phone", "please call me at 6175550123") >= 0.5);
  CHECK(score("phone", "Call 6175550123 4409128 70131") < 0.5);
  CHECK(score("phone", "rpc.Call(6175550123)") < 0.5);
  CHECK(score("phone", "Tel 6175550123 4409128 70131") >= 0.5);
  CHECK(score("phone", "6175550123 (mobile)") >= 0.5);
  CHECK(score("phone", "6175550123 bytes of text") < 0.5);
}

TEST_CASE("iban: country, length and check digits") {
  CHECK(iban_check_holds("GR1601101050000010547023795"));
  CHECK(found("iban", "GR16 0110 1050 0000 1054 7023 795 ok") == Texts{"GR16 0110 1050 0000 1054 7023 795"});
  CHECK(found("iban", "de89370400440532013000") == Texts{"de89370400440532013000"});
  CHECK(found("iban", "DE89370400440532013001").empty());
  CHECK(found("iban", "IBAN DE89370400440532013001") == Texts{"DE89370400440532013001"});
  CHECK(found("iban", "XX89370400440532013000").empty());
  CHECK(score("iban", "be93 8214 436d 3a16") == Approx(0.6));
  CHECK(score("iban", "00da6585: be93 8214 436d 3a16 9c37 7436") < 0.5);  // a hex dump
}

TEST_CASE("network addresses") {
  CHECK(found("ipv4", "from 192.168.1.20:8080") == Texts{"192.168.1.20"});
  CHECK(found("ipv4", "version 1.2.3.4").empty());
  CHECK(found("ipv4", "1.2.3.4.5").empty());
  CHECK(found("ipv4", "256.1.1.1").empty());
  for (const auto* clause : {"// 20.11.5.3 Arithmetic", "[17.4.3.6]/2", "per 9.4.2.22", "see clause 8.4.26.1"})
    CHECK(score("ipv4", clause) < 0.5);
  for (const auto* address : {"via 8.8.8.8", "/10.0.0.1:443", "[192.168.1.1]", "seen at 10.1.2.3", "10.1.2.3 - - GET"})
    CHECK(score("ipv4", address) >= 0.5);
  CHECK(found("ipv6", "at 2001:db8::1 now") == Texts{"2001:db8::1"});
  CHECK(found("ipv6", "fe80::1ff:fe23:4567:890a%eth0") == Texts{"fe80::1ff:fe23:4567:890a%eth0"});
  CHECK(found("ipv6", "::ffff:192.0.2.1") == Texts{"::ffff:192.0.2.1"});
  CHECK(found("ipv6", "12:34:56").empty());
  CHECK(found("ipv6", "std::string").empty());
  CHECK(found("mac", "00:1A:2b:3C:4d:5E") == Texts{"00:1A:2b:3C:4d:5E"});
  CHECK(found("mac", "aa-bb-cc-dd-ee-ff") == Texts{"aa-bb-cc-dd-ee-ff"});
  CHECK(found("mac", "001a.2b3c.4d5e") == Texts{"001a.2b3c.4d5e"});
  CHECK(found("mac", "00:00:00:00:00:00").empty());
  CHECK(found("mac", "00:1A:2b:3C:4d:5E:77:88").empty());
  CHECK(found("url", "see https://a.example/x?q=1.") == Texts{"https://a.example/x?q=1"});
  CHECK(found("url", "www.example.org, ok") == Texts{"www.example.org"});
  CHECK(found("url", "visit example.com/me") == Texts{"example.com/me"});
  CHECK(score("url", "write http://host:port or") < 0.5);
  CHECK(score("url", "http://intranet/patients/17") > 0.9);
  CHECK(score("url", "http://localhost:8470") > 0.9);
  for (const auto* text : {"file.py", "the U.S. and", "jane@example.com", "e.g. this", "3.14", "end.Next"}) {
    INFO(text);
    CHECK(found("url", text).empty());
  }
}

TEST_CASE("record numbers need a column or a keyword that leads to them") {
  CHECK(found("mrn", "MRN: 00412345, seen") == Texts{"00412345"});
  CHECK(found("mrn", "medical record number is A-12345") == Texts{"A-12345"});
  CHECK(found("mrn", "MR# 4412345") == Texts{"4412345"});
  CHECK(found("mrn", "00412345").empty());
  CHECK(found("mrn", "00412345", "MRN") == Texts{"00412345"});
  CHECK(found("mrn", "MRN was missing; run 1234567").empty());
  CHECK(found("account", "Account no. 99887766") == Texts{"99887766"});
  CHECK(found("health_plan_id", "Member ID: XYZ123456") == Texts{"XYZ123456"});
  CHECK(found("drivers_license", "S99912345", "DRIVERS") == Texts{"S99912345"});
  CHECK(found("passport", "passport no X1234567X") == Texts{"X1234567X"});
}

TEST_CASE("email") {
  CHECK(found("email", "to jane.doe+x@mail.example.co.uk.") == Texts{"jane.doe+x@mail.example.co.uk"});
  CHECK(found("email",
              "jane\xEF\xBC\xA0"
              "example.com") == Texts{"jane\xEF\xBC\xA0"
                                      "example.com"});
  CHECK(found("email", "\"jane doe\"@example.com") == Texts{"\"jane doe\"@example.com"});
  CHECK(found("email", "jane at example dot com") == Texts{"jane at example dot com"});
  CHECK(found("email", "jane (at) example (dot) org") == Texts{"jane (at) example (dot) org"});
  CHECK(score("email", "root@localhost") < 0.5);
  CHECK(found("email", "at home at 5, a@ b, @handle").empty());
  CHECK(found("email", "seen at clinic").empty());
}

TEST_CASE("hidden characters do not hide an identifier, and the original bytes are what is found") {
  const std::string_view kHidden[] = {"\xE2\x80\x8B", "\xC2\xAD",         "\xE2\x80\xAE",
                                      "\xEF\xBB\xBF", "\xF3\xA0\x80\xA1", "\xCD\x8F"};
  for (const auto hidden : kHidden) {
    for (std::size_t at = 1; at < 11; ++at) {
      std::string cell = "123-45-6789";
      cell.insert(at, hidden);
      CHECK(found("us_ssn", cell) == Texts{cell});
    }
  }
  CHECK(found("us_ssn", "\xD9\xA1\xD9\xA2\xD9\xA3-\xD9\xA4\xD9\xA5-\xD9\xA6\xD9\xA7\xD9\xA8\xD9\xA9").size() == 1);
}

TEST_CASE("bytes of any kind, and long adversarial lines, are survived in linear time") {
  const auto repeated = [](std::string_view part) {
    std::string text;
    while (text.size() < 300'000) text += part;
    return text;
  };
  std::vector<std::string> hostile;
  for (const auto* part : {"1",           "-",
                           "@",           "(",
                           "\xFF",        ":",
                           ".",           "<",
                           "=",           "+",
                           "/",           "\\",
                           "#",           "A",
                           "a",           "01",
                           "1 ",          "4111 ",
                           "\n1 2",       "password=",
                           "-----BEGIN ", "-----BEGIN PRIVATE KEY-----",
                           "eyJ",         "/home/",
                           "P<<",         "=/A=",
                           "user:",       "(01)",
                           "ACGT",        " @",
                           "1.1.",        "data:image/",
                           ".jpg"})
    hostile.push_back(repeated(part));
  for (const auto& cell : hostile) {
    for (const auto* detector : built_in_detectors()) {
      std::vector<Span> spans;
      detector->find(cell, {"note"}, spans);
      for (const auto& span : spans) REQUIRE((span.begin < span.end && span.end <= cell.size()));
    }
  }
}
