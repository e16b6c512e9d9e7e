#include "policies/evaluate/benchmark.h"
#include "policies/evaluate/classes.h"
#include "tests/unit/catch.h"

namespace mlops::evaluate {
namespace {

detect::TypedSpan hit(const char* id, std::size_t begin, std::size_t end, double score = 0.9) {
  return {{begin, end, score}, detect::find_detector(id)};
}

Document labelled(std::string text, std::vector<GoldSpan> gold) {
  return {"t", "g", std::move(text), std::move(gold)};
}

TEST_CASE("offsets of a corpus are code points, and must say what the value says") {
  const auto good = parse_research_json(
      R"([{"full_text": "Zoë Müller", "template_id": 7,
           "spans": [{"entity_type": "PERSON", "entity_value": "Müller", "start_position": 4, "end_position": 10}]}])",
      "c.json");
  REQUIRE(good);
  CHECK((*good)[0].group == "7");
  CHECK((*good)[0].text.substr((*good)[0].gold[0].begin) == "Müller");
  const auto shifted = parse_research_json(
      R"([{"full_text": "Zoë Müller",
           "spans": [{"entity_type": "PERSON", "entity_value": "Müller", "start_position": 5, "end_position": 10}]}])",
      "c.json");
  REQUIRE(!shifted);
  CHECK(shifted.error().slug == "bad_corpus");
  CHECK(shifted.error().message.find("ller") == std::string::npos);
  CHECK(!parse_research_json(R"([{"full_text": "ab", "spans": [{"entity_type": "X", "start_position": 0,
                                  "end_position": 3}]}])",
                             "c.json"));
}

TEST_CASE("JSON Lines and brat give the same documents") {
  const auto lines = parse_json_lines(
      "{\"text\": \"Dr. Ana\", \"spans\": [{\"start\": 4, \"end\": 7, \"type\": \"person_name\"}]}\n\n", "c.jsonl");
  REQUIRE(lines);
  const auto brat = parse_brat("n", "Dr. Ana", "T1\tNOMBRE_SUJETO_ASISTENCIA 4 7\tAna\n#1\tNote T1\tx\n");
  REQUIRE(brat);
  CHECK((*lines)[0].gold[0].begin == brat->gold[0].begin);
  CHECK(class_of_label((*lines)[0].gold[0].type) == class_of_label(brat->gold[0].type));
  const auto pieces = parse_brat("n", "ab cd", "T1\tCALLE 0 2;3 5\tab cd\n");
  REQUIRE(pieces);
  CHECK(pieces->gold.size() == 2);
  CHECK(!parse_brat("n", "ab", "T1\tCALLE 0 9\tab\n"));
}

TEST_CASE("labels and findings are united, matched by class, and leaks are characters") {
  //                                  0123456789012345678901234567
  const auto document = labelled("12 Elm Street Apt. 7, call Bo", {{0, 13, "ADDRESS"}, {14, 20, "ADDRESS"}});
  SECTION("a whole finding against pieces") {
    const auto score = score_document(document, {hit("street_address", 0, 20)});
    CHECK(score.by_class.at("location").gold == 1);
    CHECK(score.by_class.at("location").strict == 1);
    CHECK(!score.leaks);
  }
  SECTION("half of it: IoU 0.65, and five visible characters of 16") {
    const auto score = score_document(document, {hit("street_address", 0, 13)});
    const auto& tally = score.by_class.at("location");
    CHECK(tally.iou50 == 1);
    CHECK(tally.iou90 == 0);
    CHECK(tally.leaked == 5);
    CHECK(tally.characters == 16);
    CHECK(score.leaks);
  }
  SECTION("the wrong class hides but does not hit") {
    const auto score = score_document(document, {hit("person_name", 0, 20)});
    CHECK(score.by_class.at("location").iou50 == 0);
    CHECK(score.by_class.at("location").covered == 1);
    CHECK(score.by_class.at("person_name").found == 1);
    CHECK(score.misses.size() == 2);
  }
  SECTION("of overlapping classes the surer one counts") {
    const auto score = score_document(document, {hit("street_address", 0, 20, 0.6), hit("us_ssn", 0, 2, 0.5)});
    CHECK(score.by_class.at("location").iou90 == 1);
    CHECK(!score.by_class.contains("us_ssn"));
  }
}

TEST_CASE("classes the corpus never labels count apart, and a run repeats") {
  std::vector<Document> corpus;
  for (int i = 0; i < 40; ++i) {
    const std::string name = "d" + std::to_string(i);
    corpus.push_back({name, name, "mail bo@example.org, see www.example.org", {{5, 19, "EMAIL_ADDRESS"}}});
  }
  const auto report = run_benchmark(
      corpus, Split::kAll, detect::TextScanner({detect::find_detector("email"), detect::find_detector("url")}), 0.3);
  CHECK(report.overall.gold == 40);
  CHECK(report.overall.strict == 40);
  CHECK(report.overall.found == 40);
  CHECK(report.unlabelled_findings == 40);
  CHECK(report.documents_without_leak == 40);
  CHECK(report.f2.low == 1);
  const auto development = documents_of(corpus, Split::kDevelopment).size();
  CHECK(development > 8);
  CHECK(development < 32);
  CHECK(development + documents_of(corpus, Split::kHeldOut).size() == 40);
}

}  // namespace
}  // namespace mlops::evaluate
