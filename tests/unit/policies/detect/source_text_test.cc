#include "policies/detect/source_text.h"

#include <string>

#include "policies/detect/detector.h"
#include "policies/detect/source_weights.h"
#include "policies/detect/text_scanner.h"
#include "tests/unit/catch.h"

namespace mlops::detect {
namespace {

// The best score of a detector's findings on exactly this part of the text; 0: not found.
double score_of(std::string_view id, const std::string& text, std::string_view part) {
  std::vector<TypedSpan> spans;
  TextScanner().scan(text, spans);
  double best = 0;
  for (const auto& [span, detector] : spans) {
    if (detector->id() == id && text.substr(span.begin, span.end - span.begin) == part)
      best = std::max(best, span.score);
  }
  return best;
}

const std::string kProgram = R"(#include <vector>
#include "core/base/clock.h"

// Reads a catalogue; written on 2021-03-14, see https://example.org/design/catalogue.html for the format.
class Catalogue {
 public:
  explicit Catalogue(std::size_t size) : entries_(size) {}
  int count_of(const Key& key) const {
    for (const auto& entry : entries_) {
      if (entry.key == key) return entry.count;
    }
    return 0;
  }

 private:
  std::vector<Entry> entries_;
};
)";
const std::string kScript = R"(import os
from datetime import datetime

def read_all(paths):
    """Reads what was released on 2021-03-14 and later."""
    for path in paths:
        if not os.path.exists(path):
            continue
        yield open(path).read()

class Reader:
    def __init__(self, path):
        self.path = path
        self.since = datetime.fromisoformat("2020-05-06")
    def close(self):
        return self.path.close()
)";

}  // namespace

TEST_CASE("source: weak findings lose their weight, and are still redacted") {
  CHECK(score_of("date", kProgram, "2021-03-14") == kInSource);
  CHECK(score_of("url", kProgram, "https://example.org/design/catalogue.html") == kInSource);
  CHECK(score_of("date", kScript, "2021-03-14") == kInSource);
  CHECK(score_of("date", kScript, "2020-05-06") == kInSource);
  CHECK(SourceText(kProgram).kind_at(kProgram.size() / 2) == TextKind::kSource);
  CHECK(SourceText(kScript).kind_at(0) == TextKind::kSource);
}

TEST_CASE("source: parameters and constants are no persons, sections no addresses") {
  const auto with = [](const std::string& line) { return kProgram + line + "\n"; };
  CHECK(score_of("person_name", with("void verify(Register Reg);"), "Register Reg") == kInSource);
  CHECK(score_of("person_name", with("  kZhe = 0x436,  // CYRILLIC SMALL LETTER ZHE"), "CYRILLIC SMALL LETTER ZHE") <=
        kInSource);
  CHECK(score_of("ipv4", with("// As in 22.2.1.5 and later."), "22.2.1.5") == kInSource);
}

TEST_CASE("source: what programs are made of is nobody's, though it reads like it") {
  struct Row {
    std::string_view detector;
    std::string line;
    std::string_view part;
  };
  const Row rows[] = {
      {"person_name", "  Register Reg;", "Register Reg"},
      {"person_name", "// the address of PR.Reg is kept", "Reg"},
      {"person_name", "// handling Montenegro IBANs: a Montenegro IBAN has 22 signs", "Montenegro IBAN"},
      {"person_name", "// name: Encodable", "Encodable"},
      {"person_name", "// by-name interface to Perl's built-in functions", "Perl"},
      {"person_name", "  SMLoc Loc;  // modified later", "SMLoc Loc"},
      {"person_name", "  client: Init.body,", "Init"},
      {"person_name", "  return sig.params;", "params"},
      {"person_name", "  for (const auto kind : {SOCK CHR BLK REG DIR LNK}) {", "CHR BLK REG DIR LNK"},
      {"phone", "// as 004 085 616", "004 085 616"},
      {"phone", "// see CVE-2026-9358 (text)", "2026-9358"},
      {"street_address", "// 16 surrogate pair", "16 surrogate pair"},
      {"device_serial", "// the serial of X509", "X509"},
      {"health_plan_id", "  say(\"the policy: \\u30A8\\u30F3\");", "u30A8"},
      {"date", "// since version 1.3.17", "1.3.17"},
  };
  for (const auto& row : rows) {
    INFO(row.line);
    CHECK(score_of(row.detector, kProgram + row.line + "\n", row.part) < 0.5);
  }
}

TEST_CASE("source: a name at the very beginning of a program is looked at as well") {
  for (const auto* head : {".", ":", "::", " . ", ""}) {
    INFO(head);
    CHECK(score_of("person_name", std::string(head) + "Maria Gonzalez\n" + kProgram, "Maria Gonzalez") > 0);
  }
}

TEST_CASE("source: a version is none's birthday in the prose of programs either") {
  const std::string text = kProgram +
                           "\nThis was changed in 1.3.17 because somebody asked for it and nobody was against it, so\n"
                           "that whoever was with them as her file says can be told, on 12.3.54 and in the spring.\n";
  CHECK(SourceText(text).kind_at(text.size() - 10) == TextKind::kPlain);
  CHECK(score_of("date", text, "1.3.17") <= kInSource);
  CHECK(score_of("date", text, "12.3.54") >= 0.5);
}

TEST_CASE("source: people, their telephones and addresses count in programs too") {
  const auto counts = [](std::string_view id, const std::string& line, std::string_view part) {
    INFO(line);
    CHECK(score_of(id, kProgram + line + "\n", part) >= 0.5);
  };
  counts("person_name", "// written by somebody (Maria Gonzalez)", "Maria Gonzalez");
  counts("person_name", "// NOTE(Maria Gonzalez): look again", "Maria Gonzalez");
  counts("person_name", "// Author: MARIA GONZALEZ", "MARIA GONZALEZ");
  counts("person_name", "// written by Hye-Shik Chang", "Hye-Shik Chang");
  counts("person_name", "  rows.push_back({\"Hye-Shik Chang\", 7});", "Hye-Shik Chang");
  counts("person_name", "// thanks to Patricia DeVries and Doug MacEachern", "Patricia DeVries");
  counts("phone", "  rows.push_back({\"020 7946 0958\", 7});", "020 7946 0958");
  counts("phone", "// fax 020 7946 0958", "020 7946 0958");
  counts("phone", "// call Jane Roe at 617-555-0123", "617-555-0123");
  counts("phone", "  row = \"70000001,Jane Roe,617-555-0123,7\";", "617-555-0123");
  counts("person_name", "// Author: Kim Min-jun", "Kim Min-jun");
  counts("person_name", "// Author: Angus McDONALD", "Angus McDONALD");
  counts("person_name", "// patient: Maria DSouza", "Maria DSouza");
  counts("person_name", "// Dr.Gonzalez asked", "Gonzalez");
  counts("person_name", "// Patient: GONZALEZ", "GONZALEZ");
  counts("person_name", "// dr. gonzalez", "gonzalez");
  counts("street_address", "  rows.push_back({\"12 Elm Road\", 7});", "12 Elm Road");
  counts("person_name", "  const char* name = \"MARIA GONZALEZ\";", "MARIA GONZALEZ");
  counts("ipv4", "// its ip address is 22.2.1.5", "22.2.1.5");
  counts("ipv4", "  connect(\"81.2.69.14\");", "81.2.69.14");
  counts("ipv4", "  client_ip = 81.2.69.142;", "81.2.69.142");
  counts("phone", "// phone: 6175550123", "6175550123");
  counts("phone", "  p.homePhone = \"617-555-0123\";", "617-555-0123");
  counts("street_address", "// home address is 12 Elm Road", "12 Elm Road");
  CHECK(score_of("ipv4", "The request came from 22.2.1.5 again.", "22.2.1.5") >= 0.5);
}

TEST_CASE("source: tables of numbers and their names are no prose, notes with such a number are") {
  std::string table = kScript + "\nNAMES = {\n";
  for (int i = 0; i < 200; ++i) {
    table += "    0x04" + std::to_string(10 + i % 90) + ": 'x',  # CYRILLIC SMALL LETTER ZHE\n";
  }
  CHECK(SourceText(table).kind_at(table.size() - 10) == TextKind::kSource);
  CHECK(score_of("person_name", table, "CYRILLIC SMALL LETTER ZHE") <= kInSource);
  const auto note = kProgram +
                    "\nread_tag(0x4A21);\nImplant 0x4A21 of the patient was read out on 03/05/2024 by the nurse of the "
                    "ward,\nwho asked about the device 0x4A21 once more before he went home again.\n";
  CHECK(SourceText(note).kind_at(note.size() - 10) == TextKind::kPlain);
}

TEST_CASE("source: what identifies by itself, and what is told about somebody, counts as anywhere") {
  const auto with = [](const std::string& line) { return kProgram + line + "\n"; };
  CHECK(score_of("email", with("// Maintainer: jane.roe@example.org"), "jane.roe@example.org") >= 0.5);
  CHECK(score_of("us_ssn", with("const char* ssn = \"219-09-9999\";"), "219-09-9999") >= 0.5);
  CHECK(score_of("credit_card", with("// card 4111 1111 1111 1111"), "4111 1111 1111 1111") >= 0.5);
  CHECK(score_of("phone", with("// call (617) 555-0123"), "(617) 555-0123") >= 0.5);
  CHECK(score_of("person_name", with("// Author: Maria Gonzalez"), "Maria Gonzalez") >= 0.5);
  CHECK(score_of("date", with("  patient.set_dob(\"1954-03-05\");"), "1954-03-05") >= 0.5);
  CHECK(score_of("date", with("  row.admitted_on = \"2024-03-05\";"), "2024-03-05") >= 0.5);
  CHECK(score_of("url", with("// https://example.org/users/jroe"), "https://example.org/users/jroe") >= 0.5);
  CHECK(score_of("url", with("// https://example.org/r?mrn=4711"), "https://example.org/r?mrn=4711") >= 0.5);
  CHECK(score_of("url", with("// https://example.org/~jroe/"), "https://example.org/~jroe/") >= 0.5);
}

TEST_CASE("source: a clinical note with lines like code is a note") {
  const std::string note = R"(Patient seen in clinic for follow up of hypertension and diabetes.
BP: 120/80;
HR: 72;
Glucose(fasting) = 110;
Na = 138; K = 4.2;
if pain: acetaminophen;
for nausea: ondansetron;
while awake: hourly checks;
return to clinic;
continue;
Wound check on 03/05/2024; {left ankle}
Gonzalez was told that results are at https://example.org/portal/results today.
)";
  CHECK(SourceText(note).kind_at(0) == TextKind::kPlain);
  CHECK(score_of("date", note, "03/05/2024") >= 0.5);
  CHECK(score_of("url", note, "https://example.org/portal/results") >= 0.5);
}

TEST_CASE("source: a sheet of measurements that end like statements is none") {
  std::string sheet = "Seen 2024-03-05.\n";
  for (int i = 10; i < 40; ++i) sheet += "Glucose(mg/dL) = 1" + std::to_string(i) + ";\nBP: 120/80;\n";
  CHECK(SourceText(sheet).kind_at(0) == TextKind::kPlain);
  CHECK(score_of("date", sheet, "2024-03-05") >= 0.5);
}

TEST_CASE("source: prose beside code stays prose") {
  const std::string text =
      "Mrs. Roe came back to the clinic and was sent home again, and on the\n"
      "whole she felt well. The wound was last looked at 2024-03-05 by the\n"
      "nurse of the ward, who saw nothing that would need a change of plan.\n\n" +
      kProgram;
  CHECK(SourceText(text).kind_at(0) == TextKind::kPlain);
  CHECK(SourceText(text).kind_at(text.size() / 2) == TextKind::kSource);
  CHECK(score_of("date", text, "2024-03-05") >= 0.5);
  CHECK(score_of("date", text, "2021-03-14") == kInSource);
}

TEST_CASE("source: data in the clothes of programs is data") {
  std::string json = "{\n", sql, markup = "<patients>\n", table = "id,date,note\n", settings;
  for (int i = 10; i < 40; ++i) {
    const auto n = std::to_string(i);
    json += "  \"visit_" + n + "\": \"2024-03-" + n.substr(1) + "5\",\n";
    sql += "INSERT INTO visits(id, day) VALUES (" + n + ", '2024-03-05');\n";
    markup += "<visit id=\"" + n + "\"><day>2024-03-05</day></visit>\n";
    table += n + ",2024-03-05,well\n";
    settings += "visit_" + n + " = 2024-03-05\n";
  }
  for (const auto& text : {json, sql, markup, table, settings}) {
    INFO(text.substr(0, 80));
    CHECK(SourceText(text).kind_at(text.size() / 2) == TextKind::kPlain);
  }
  CHECK(score_of("date", sql, "2024-03-05") >= 0.5);
  CHECK(score_of("date", table, "2024-03-05") >= 0.5);
}

TEST_CASE("logs: a time stamp is nobody's date; what a user did is") {
  std::string log;
  for (int i = 10; i < 40; ++i)
    log += "2024-03-05 10:11:" + std::to_string(i) + " INFO storage.cas: chunk written in 12 ms\n";
  const std::string stamp = "2024-03-05 10:11:15", login = "2024-03-06 08:00:00";
  log += login + " WARN web: user jroe failed to log in\n";
  CHECK(SourceText(log).kind_at(0) == TextKind::kLog);
  CHECK(score_of("date", log, stamp) == kInSource);
  CHECK(score_of("date", log, login) >= 0.5);

  std::string nursing;
  for (int i = 10; i < 40; ++i) nursing += "03/05/2024 10:" + std::to_string(i) + " error of dose noted, doctor told\n";
  CHECK(SourceText(nursing).kind_at(0) == TextKind::kPlain);
}

TEST_CASE("source: any bytes are read, in any pieces") {
  const std::string texts[] = {"", "\n\n\n", "/*", "}", "\"\"\"\n\xff\xfe\n", std::string(1, '\0'), "} \n{\n;\n"};
  for (const auto& text : texts) {
    CHECK(SourceText(text).kind_at(0) == TextKind::kPlain);
  }
  CHECK(SourceText(kProgram.substr(0, 40)).kind_at(5) == TextKind::kPlain);  // too little to tell
}

}  // namespace mlops::detect
