#include "policies/detect/weekdays.h"

#include <string>
#include <vector>

#include "policies/detect/detector.h"
#include "policies/detect/text_scanner.h"
#include "tests/unit/catch.h"

namespace mlops::detect {
namespace {

// The days found as dates from `least` on.
std::vector<std::string> days(const std::string& text, double least = 0.5) {
  std::vector<TypedSpan> spans;
  TextScanner({find_detector("date")}).scan(text, spans);
  std::vector<std::string> found;
  for (const auto& [span, detector] : spans) {
    if (span.score >= least) found.push_back(text.substr(span.begin, span.end - span.begin));
  }
  return found;
}
using Days = std::vector<std::string>;

}  // namespace

TEST_CASE("weekday: the day of an event") {
  const struct {
    const char* text;
    const char* day;
  } kRows[] = {
      {"She fell on Tuesday.", "Tuesday"},
      {"come back next friday please", "friday"},
      {"due by Monday", "Monday"},
      {"seen by Roe\nMonday 9:30", "Monday"},
      {"he fell on\nSaturday and", "Saturday"},
      {"symptoms since last Sunday", "Sunday"},
      {"this Wednesday she will be seen", "Wednesday"},
      {"until Thursday", "Thursday"},
      {"the results are expected on the following Monday", "Monday"},
      {"we will meet saturday at the clinic", "saturday"},
      {"admitted Thursday with pain", "Thursday"},
      {"Friday morning she felt dizzy", "Friday"},
      {"Tuesday 9:30 with the nurse", "Tuesday"},
      {"surgery: Wednesday 5 pm", "Wednesday"},
      {"On Monday Dr. Roe saw her", "Monday"},
      {"On Friday Maria called", "Friday"},
      {"ON TUESDAY MORNING HE FELL", "TUESDAY"},
      {"Friday's appointment was moved", "Friday"},
      {"ingresa el lunes por dolor", "lunes"},
      {"hasta el viernes", "viernes"},
      {"el pr\xc3\xb3ximo mi\xc3\xa9rcoles", "mi\xc3\xa9rcoles"},
      {"el martes pasado", "martes"},
      {"Aufnahme am Montag", "Montag"},
      {"seit letzten Freitag Schmerzen", "Freitag"},
      {"bis n\xc3\xa4"
       "chsten Donnerstag",
       "Donnerstag"},
      {"revu lundi prochain", "lundi"},
      {"depuis jeudi", "jeudi"},
  };
  for (const auto& row : kRows) {
    INFO(row.text);
    CHECK(days(row.text) == Days{row.day});
  }
}

TEST_CASE("weekday: days in a row") {
  CHECK(days("open Monday to Friday") == Days{"Monday", "Friday"});
  CHECK(days("Mon - Fri 9 to 5") == Days{"Mon", "Fri"});
  CHECK(days("Mon-Fri 9 to 5") == Days{"Mon-Fri"});
  CHECK(days("dialysis Monday, Wednesday and Friday") == Days{"Monday", "Wednesday", "Friday"});
}

TEST_CASE("weekday: a name, a brand or what recurs is no date") {
  for (const auto* text : {"Tuesday Weld was there",
                           "a film with Tuesday Weld",
                           "Joe Friday",
                           "Black Friday",
                           "at Ruby Tuesday",
                           "the Sunday Times wrote",
                           "on Sunday Times pages",
                           "every Monday",
                           "each Friday morning",
                           "every other Tuesday",
                           "every\nSunday",
                           "Freitag GmbH",
                           "Herr Freitag",
                           "Domingo",
                           "Pl\xc3\xa1"
                           "cido Domingo",
                           "the sun was out",
                           "she sat down",
                           "Sunday",
                           "Friday is a name",
                           "the wed couple",
                           "Mon cher",
                           "Mondays off"}) {
    INFO(text);
    CHECK(days(text).empty());
  }
  CHECK(days("Sunday", 0.1) == Days{"Sunday"});  // known, below redaction
  CHECK(days("Sunday", 0.3).empty());
}

}  // namespace mlops::detect
