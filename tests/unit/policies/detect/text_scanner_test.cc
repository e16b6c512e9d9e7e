#include "policies/detect/text_scanner.h"

#include <cctype>
#include <random>
#include <set>
#include <string>

#include "policies/detect/detector.h"
#include "tests/unit/catch.h"

namespace mlops::detect {
namespace {

using Found = std::set<std::string>;  // "email 12-30"

std::string place(std::string_view id, std::size_t begin, std::size_t end) {
  return std::string(id) + " " + std::to_string(begin) + "-" + std::to_string(end);
}

// From where redaction begins: days and years by themselves are read in documents only.
Found by_scanner(std::string_view text) {
  std::vector<TypedSpan> spans;
  TextScanner().scan(text, spans);
  Found found;
  for (const auto& [span, detector] : spans)
    if (span.score >= 0.3) found.insert(place(detector->id(), span.begin, span.end));
  return found;
}

Found by_detectors(std::string_view text) {
  Found found;
  for (const Detector* detector : built_in_detectors()) {
    std::vector<Span> spans;
    detector->find(text, {}, spans);
    for (const Span& span : spans)
      if (span.score >= 0.3) found.insert(place(detector->id(), span.begin, span.end));
  }
  return found;
}

constexpr std::string_view kPieces[] = {
    "SSN 219-09-9999",
    "call +1 (617) 555-0123 ext. 45 today",
    "card 4111 1111 1111 1111, exp",
    "wire to GR16 0110 1050 0000 1054 7023 795 now",
    "mail jane.roe+x@example.org or john at example dot com",
    "see https://example.org/a?b=c and www.example.com",
    "from 192.168.7.13 (fe80::1ff:fe23:4567:890a)",
    "aa:bb:cc:dd:ee:ff AA-BB-CC-DD-EE-FF 0011.2233.4455",
    "MRN: 00123456, member id is AB-1234567",
    "admitted 03/05/2024, born on 5th of March 1961; March 5",
    "at 42.360082, -71.058880",
    "12 Elm Street Apt. 7, Springfield, IL 62704",
    "Dr. Maria Gonzalez saw the 92-year-old",
    "zip 02139",
    "last four of the SSN 1234",
    "the patient feels well and there is nothing to say about it, so the text goes on and on for a while without "
    "numbers",
    "José Müller called ６１７-555-0199 on 5 août 2023",
    "v1.2.3.4 100% $12,000.00 3.14159",
    "\n\n",
    "0123456789abcdef0123456789abcdef01234567",
};

TEST_CASE("a scan finds what the detectors find one by one") {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::string text;
    for (int i = 0; i < 25; ++i) {
      text += kPieces[random() % std::size(kPieces)];
      text += random() % 3 == 0 ? "\n" : random() % 2 == 0 ? ". " : " ";
    }
    const auto scanned = by_scanner(text), one_by_one = by_detectors(text);
    INFO(text);
    REQUIRE(scanned == one_by_one);
  }
}

TEST_CASE("a long text is searched in parts, and positions are those of the whole") {
  std::string text(3 << 20, 'x');
  for (std::size_t i = 60; i < text.size(); i += 61) text[i] = i % 5 == 0 ? '\n' : ' ';
  const std::string mail = " jane.roe@example.org ";
  const std::size_t places[] = {1000, 1048570, 2097140, text.size() - 40};
  for (const auto at : places) text.replace(at, mail.size(), mail);
  const auto found = by_scanner(text);
  for (const auto at : places) CHECK(found.contains(place("email", at + 1, at + mail.size() - 1)));
  CHECK(by_scanner("").empty());
}

TEST_CASE("an institution is one finding, and hides no less than its parts") {
  std::vector<const Detector*> some = built_in_detectors(), all = some;
  for (const Detector* detector : optional_detectors()) {
    all.push_back(detector);
    if (detector->id() != "organization") some.push_back(detector);
  }
  const auto scanned = [](const std::vector<const Detector*>& detectors, const std::string& text) {
    std::vector<TypedSpan> spans;
    TextScanner(detectors).scan(text, spans);
    std::erase_if(spans, [](const TypedSpan& one) { return one.span.score < 0.3; });
    return spans;
  };
  const auto hidden = [](const std::vector<TypedSpan>& spans, const std::string& text) {
    std::string marks(text.size(), '.');
    for (const auto& one : spans)
      for (std::size_t at = one.span.begin; at < one.span.end; ++at) marks[at] = text[at];
    return marks;
  };
  const std::string texts[] = {
      "Servicio de Urolog\xc3\xad"
      "a. Hospital San Eloy. Avenida Antonio Miranda, 5. 48902 Baracaldo",
      "Dra. Elia Romero, Hospital Universitario La Paz Paseo de la Castellana, 261, 28046 Madrid",
      "Dr. Juan P\xc3\xa9rez. Hospital Ram\xc3\xb3n y Cajal. Madrid. Espa\xc3\xb1"
      "a"};
  for (const auto& text : texts) {
    INFO(text);
    const auto found = scanned(all, text);
    auto parts = scanned(some, text);
    std::string house;
    for (const auto& one : found) {
      if (one.detector->id() != "organization") continue;
      parts.push_back(one);
      house = place("", one.span.begin, one.span.end);
      for (const auto& other : found) {
        const auto id = other.detector->id();
        const bool apart = other.span.begin >= one.span.end || other.span.end <= one.span.begin;
        if (id == "person_name" || id == "city_county" || id == "street_address") CHECK(apart);
      }
    }
    CHECK_FALSE(house.empty());
    const auto with = hidden(found, text), without = hidden(parts, text);
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (std::isalnum(static_cast<unsigned char>(without[at])) != 0) CHECK(with[at] == without[at]);
    }
  }
}

TEST_CASE("resolving keeps the surest of overlapping findings, then the longest") {
  const auto* a = find_detector("us_ssn");
  const auto* b = find_detector("phone");
  const auto resolved =
      resolve({{{0, 10, 0.5}, a}, {{5, 12, 0.9}, b}, {{12, 14, 0.4}, a}, {{20, 22, 0.5}, a}, {{20, 25, 0.5}, b}});
  REQUIRE(resolved.size() == 3);
  CHECK(resolved[0].detector == b);
  CHECK(resolved[1].span.begin == 12);
  CHECK(resolved[2].span.end == 25);
}

}  // namespace
}  // namespace mlops::detect
