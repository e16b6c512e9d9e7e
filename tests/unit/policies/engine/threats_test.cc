// What an attacker or an accident does to whole files, and what a masking run makes of it. The numbers are those of
// docs/threats.md, which also names the tests of each room.
#include <string>

#include "tests/unit/catch.h"
#include "tests/unit/policies/engine/mask_run.h"
#include "tests/unit/policies/mask/fixed_keys.h"

using namespace mlops;
using namespace mlops::policy;
using namespace std::string_literals;

namespace {

const mask::FixedKeys kKeys;

Policy policy_of(const std::string& columns, const std::string& more = {}) {
  auto policy = load_policy(R"(apiVersion: mlops/v1
kind: PrivacyPolicy
metadata: {name: p, version: 1.0.0}
spec:
  classification: {columns: {)" +
                                columns + "}" + more + R"(}
  transforms:
    rules:
      - {match: {class: person_name}, apply: {redact: {with: "[NAME]"}}}
      - {match: {class: mrn}, apply: {redact: {with: "[ID]"}}}
      - {match: {class: us_ssn}, apply: {redact: {with: "[SSN]"}}}
      - {match: {class: birth_date}, apply: {date_truncate: {to: year, cap_age: 89, reference: 2026-01-01}}}
      - {match: {class: free_text}, apply: {redact: {spans: detected}}}
)",
                            "p.yaml");
  if (!policy) FAIL(policy.error().message);
  return *policy;
}

const std::string kPerson = "first: {class: person_name}, last: {class: person_name}, note: {class: free_text}";

struct Masked {
  std::string text;
  std::string slug;
  std::string said;  // all that a refusal says
};

Masked run(const Policy& policy, const std::string& text, const std::string& path = "t.csv") {
  Masked masked;
  const auto note = [&](const Error& error) {
    masked.slug = error.slug;
    masked.said = error.message + error.hint + error.detail;
  };
  const auto plan = plan_text(policy, text, path);
  if (!plan) {
    note(plan.error());
    return masked;
  }
  const auto evidence = mask_text(policy, *plan, text, masked.text, {kKeys}, "d", path);
  if (!evidence) note(evidence.error());
  return masked;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string utf16(const std::string& ascii) {
  std::string bytes = "\xFF\xFE";
  for (const char c : ascii) bytes.append({c, '\0'});
  return bytes;
}

std::string note_of(const std::string& note) {
  const auto masked = run(policy_of(kPerson), "first,last,note\nCarolee,Sanford,\"" + note + "\"\n");
  INFO(masked.slug);
  return masked.text;
}

}  // namespace

TEST_CASE("threat 1: invisible characters in a row's own name and number do not bring them through a note") {
  for (const std::string hidden : {"\u200B", "\u00AD", "\u202E", "\u2060", "\uFEFF", "\U000E0041"}) {
    const auto masked = note_of("Mrs San" + hidden + "ford, SSN 932-21" + hidden + "-4477, sleeps");
    CHECK_FALSE(has(masked, "ford"));
    CHECK_FALSE(has(masked, "4477"));
    CHECK_FALSE(has(masked, hidden));
    CHECK(has(masked, "sleeps"));
  }
  // A name and a number that no detector knows: only the row tells that they are hers.
  const auto policy = policy_of("last: {class: person_name}, id: {class: mrn}, note: {class: free_text}");
  for (const std::string hidden : {"\u200B", "\u00AD", "\u202E", "\u2060", "\uFEFF", "\U000E0041"}) {
    const auto masked =
        run(policy, "last,id,note\nQwertzenheim,70-AB-9912,qwertz" + hidden + "enheim 70-ab" + hidden + "-9912 sat\n");
    CHECK(masked.text == "last,id,note\n[NAME],[ID],[NAME] [ID] sat\n");
  }
}

TEST_CASE("threat 2: a row's own name in look-alikes and full width goes from its note") {
  const auto masked = run(policy_of(kPerson),
                          "first,last,note\nCarolee,Qwertzenheim,the \uFF31\uFF37\uFF25\uFF32\uFF34"
                          "\uFF3A\uFF25\uFF2E\uFF28\uFF25\uFF29\uFF2D and Qwertzenhe\u0456m sat\n");
  CHECK(masked.text == "first,last,note\n[NAME],[NAME],the [NAME] and [NAME] sat\n");
}

TEST_CASE("threat 3: a row's own name goes from its note composed, decomposed, without accents and in capitals") {
  const auto masked = run(policy_of(kPerson),
                          "first,last,note\nJos\u00E9,Qwert\u00FCz,\"the jose\u0301 qwertu\u0308z, JOS\u00C9 sat\"\n");
  CHECK(masked.text == "first,last,note\n[NAME],[NAME],\"the [NAME], [NAME] sat\"\n");
}

TEST_CASE("threat 4: a table in UTF-16 or Latin-1 is masked as one in UTF-8 is; what is neither is refused") {
  const auto policy = policy_of(kPerson);
  const std::string plain = "first,last,note\nCarolee,Sanford,SSN 932-21-4477 fine\n";
  const auto expected = run(policy, plain).text;
  CHECK(has(expected, "[NAME],[NAME],"));
  CHECK(run(policy, utf16(plain)).text == utf16(expected));
  const auto latin = run(policy, "first,last,note\nJos\xE9,Mu\xF1oz,Jos\xE9 Mu\xF1oz fine\n");
  CHECK(latin.text == "first,last,note\n[NAME],[NAME],[NAME] fine\n");
  const auto mixed = run(policy, "first,last,note\nJos\xE9,Sanford,Jos\xC3\xA9 fine\n");
  CHECK(mixed.slug == "text_encoding");
  CHECK(mixed.text.empty());
}

TEST_CASE("threat 5: a byte order mark before a quoted first name shifts no rule to another column") {
  const auto masked = run(policy_of(kPerson), "\xEF\xBB\xBF\"first\",last,note\nCarolee,Sanford,fine\n");
  CHECK(masked.text == "\xEF\xBB\xBF\"first\",last,note\n[NAME],[NAME],fine\n");
}

TEST_CASE("threat 6: other delimiters, line ends and quotes change neither what is masked nor the rest") {
  const auto policy = policy_of(kPerson);
  for (const std::string delimiter : {";", "\t", "|"}) {
    for (const std::string end : {"\n", "\r\n", "\r"}) {
      const auto row = [&](const std::string& first, const std::string& last, const std::string& note) {
        return first + delimiter + last + delimiter + note;
      };
      const std::string note = "\"two" + end + "lines, \"\"quoted\"\"\"";
      const std::string head = row("first", "last", "note") + end;
      const auto masked = run(policy, head + row("Carolee", "\"Sanford\"", note));
      INFO(masked.slug);
      CHECK(masked.text == head + row("[NAME]", "\"[NAME]\"", note));
    }
  }
  CHECK(run(policy, "first,last,note\nCarolee,Sanford\n").slug == "csv_ragged");
  CHECK(run(policy, "first,last,note\nCarolee,San\0ford,x\n"s).slug == "csv_nul");
}

TEST_CASE("threat 7: a renamed column leaves its rule without one, and that refuses; an order is none") {
  const auto policy = policy_of(kPerson);
  CHECK(run(policy, "first,surname,note\nCarolee,Sanford,fine\n").slug == "columns_unmatched");
  CHECK(run(policy, "note,LAST, First \nfine,Sanford,Carolee\n").text == "note,LAST, First \nfine,[NAME],[NAME]\n");
  CHECK(run(policy, "first,last,note,last\nCarolee,Sanford,fine,Sanford\n").slug == "csv_header_duplicate");
}

TEST_CASE("threat 10: escapes, depth and duplicate keys of JSON bring no value past its rule") {
  const auto policy = policy_of("/a/*/ssn: {class: us_ssn}");
  const auto masked = run(policy,
                          R"({"a":[{"ssn":"\u0039\u0033\u0032-21-4477","ssn":"932-21-4478"},{"ssn":932214479}]})"
                          "\n",
                          "t.jsonl");
  CHECK(masked.text == R"({"a":[{"ssn":"[SSN]","ssn":"[SSN]"},{"ssn":"[SSN]"}]})"
                       "\n");
  const auto deep = run(policy, std::string(100'000, '[') + std::string(100'000, ']') + "\n", "t.jsonl");
  CHECK(deep.slug.starts_with("json_"));
  CHECK(deep.text.empty());
}

TEST_CASE("threat 11: entities, CDATA, quoted-printable, percent, gzip and JSON inside a cell hide nothing") {
  for (const std::string cell :
       {"<note><![CDATA[SSN 932-21-4477]]></note>", "SSN &#57;32-21-4477", "SSN 932=2D21-4477", "ssn%3D932-21-4477",
        "{\"\"ssn\"\":\"\"\\u003932-21-4477\"\"}", "U1NOIDkzMi0yMS00NDc3IGZvciBoZXI=",
        "H4sIAAAAAAACAwtILMlMzStR8MrPyFMIzs0sydBRCA72UzA0MtY1MdU1M7ewBAA1BusGIwAAAA=="}) {
    INFO(cell);
    const auto masked = note_of(cell);
    CHECK_FALSE(masked.empty());
    CHECK_FALSE(has(masked, "4477"));
    CHECK_FALSE(has(masked, "U1NO"));
    CHECK_FALSE(has(masked, "H4sI"));
  }
}

TEST_CASE("threat 12: a name over two columns and a number over two lines are found together and apart") {
  const auto masked = note_of("Sanford, Carolee; CAROLEE\nSANFORD; SSN 932-21-\n4477 or 932-\r\n21-\r\n4478 ok");
  for (const auto* value : {"Sanford", "Carolee", "CAROLEE", "SANFORD", "932", "4477", "4478"})
    CHECK_FALSE(has(masked, value));
  CHECK(has(masked, " ok"));
  const auto number = run(policy_of("mrn: {class: mrn}, note: {class: free_text}"),
                          "mrn,note\n70000123,\"see 70-000-\r\n123 again\"\n");
  CHECK(number.text == "mrn,note\n[ID],\"see [ID] again\"\n");
  // Parts of a number in columns of their own: nobody declared them, or their header says what they are.
  const auto split = run(policy_of(kPerson), "first,last,note,p1,p2,p3\nCarolee,Sanford,fine,932,21,4477\n");
  CHECK(split.slug == "columns_unknown");
  const auto parts = run(policy_of("id: {class: feature}", ", unknown_column: scan"),
                         "id,ssn_1,ssn_2,ssn_3\n1,932,21,4477\n2,931,22,4478\n");
  INFO(parts.slug);
  CHECK_FALSE(has(parts.text, "4477"));
  CHECK_FALSE(has(parts.text, "932"));
}

TEST_CASE("threat 13: numbers are texts: zeros, signs, exponents and separators stay, and are recognised with them") {
  const auto policy = policy_of("mrn: {class: mrn}, x: {class: measurement}, note: {class: free_text}");
  const auto masked = run(policy, "mrn,x,note\n00123456,1.23457E+08,\"see 00123456, +007 and 1,000.50\"\n");
  CHECK(masked.text == "mrn,x,note\n[ID],1.23457E+08,\"see [ID], +007 and 1,000.50\"\n");
}

TEST_CASE("threat 17: a row's own name goes in any case, plural, possessive and misspelt") {
  for (const std::string form : {"SANFORD", "sanford", "Sanford's", "Sanfords", "SANFORDS", "Sanfrod", "Sandford",
                                 "Sanfor", "Sanfurd", "Caroleee"}) {
    INFO(form);
    const auto masked = note_of("the " + form + " in bed 4 asked");
    CHECK_FALSE(has(masked, form.substr(0, 4)));
    CHECK(has(masked, "in bed 4 asked"));
  }
  CHECK(has(note_of("the sandford bridge"), "sandford bridge"));  // no name: small letters, and another word
}

TEST_CASE("threat 23: an age above 89 is cut out of a note however it is told, and a birth year that tells it goes") {
  const auto policy = policy_of("dob: {class: birth_date}, note: {class: free_text}");
  const auto masked = run(policy, "dob,note\n1931-04-17,\"a centenarian, aged 101, 93-year-old, in her nineties\"\n");
  INFO(masked.slug);
  CHECK(has(masked.text, "\n90+,"));
  for (const auto* value : {"1931", "centenarian", "101", "93", "nineties"}) CHECK_FALSE(has(masked.text, value));
}

TEST_CASE("threat 31: no refusal, whatever went wrong, repeats what stood in the file") {
  const auto policy = policy_of(kPerson);
  const std::string rows = "Carolee,Sanford,SSN 932-21-4477\n";
  for (const auto& [text, path] : std::vector<std::pair<std::string, std::string>>{
           {rows, "t.csv"},
           {"first,last,note\nCarolee,Sanford,\"932-21-4477", "t.csv"},
           {"first,last,note\nCarolee,Sanford,932-21-4477,more\n", "t.csv"},
           {"first,last,note\nCarolee,San\xFF\xC3\xA9"
            "ford,932-21-4477\n",
            "t.csv"},
           {"first,last,note,Sanford\n" + rows, "t.csv"},
           {"{\"first\":\"Carolee\", Sanford 932-21-4477", "t.jsonl"},
           {"{\"first\":\"Carolee\", \"last\":\"Sanford\\q932-21-4477\"}", "t.json"},
           {"{\"Sanford\":\"932-21-4477\"}\n", "t.jsonl"},
           {"{\"932-21-4477\":\"Sanford\"}\n", "t.jsonl"},
           {std::string("Carolee Sanford 932-21-4477\0", 28), "t.txt"}}) {
    const auto masked = run(policy, text, path);
    INFO(path << " " << masked.slug);
    CHECK_FALSE(masked.slug.empty());
    for (const auto* value : {"Carolee", "4477"}) CHECK_FALSE(has(masked.said, value));
  }
}

TEST_CASE("threat 32: a policy's own pattern runs in linear time, or is not taken") {
  const auto policy = policy_of("a: {class: code}", ", detectors: [{use: study_no, params: {value: '(x+x+)+y'}}]");
  const auto masked = run(policy, "a\n" + std::string(300'000, 'x') + "\n");
  CHECK(masked.slug.empty());
  const auto back = load_policy(R"(apiVersion: mlops/v1
kind: PrivacyPolicy
metadata: {name: p, version: 1.0.0}
spec: {classification: {detectors: [{use: study_no, params: {value: '(a+)\1+'}}]}}
)",
                                "p.yaml");
  CHECK_FALSE(back);
}

TEST_CASE("threat 37: what goes wrong in the last row leaves a refusal, whatever was written before") {
  const auto policy = policy_of(kPerson);
  std::string text = "first,last,note\n";
  for (int i = 0; i < 500; ++i) text += "Carolee,Sanford,fine\n";
  CHECK(run(policy, text).slug.empty());
  CHECK(run(policy, text + "Carolee,\"Sanford\n").slug == "csv_quote");
  CHECK(run(policy, text + "Carolee\n").slug == "csv_ragged");
}
