// What a scan at registration says and does: labels, a raised sensitivity, never a lowered one; inherited, and taken
// away by masking.
#include "daemon/domain/label_scan.h"

#include "core/base/text.h"
#include "tests/unit/daemon/domain/domain_fixture.h"

using namespace mlops;
using namespace mlops::domain;
using namespace mlops::test;

namespace {

using Mode = LabelScanOptions::Mode;

std::string people(int count) {
  std::string text = "id,email,phone,amount\n";
  for (int i = 0; i < count; ++i) {
    text += fmt::format("{},quentin.roe{}@example.org,(415) 555-{:04},{}.5\n", i, i, 1000 + i, i);
  }
  return text;
}

std::string measures(int count) {
  std::string text = "x,y,group\n";
  for (int i = 0; i < count; ++i) text += fmt::format("{}.25,{}.75,{}\n", i % 7, i % 5, i % 2 ? "a" : "b");
  return text;
}

struct Fixture : DomainFixture {
  explicit Fixture(Mode mode = Mode::kRaise) : scanning(*store, content, {.mode = mode}) {}

  model::VersionView enter(const std::string& name, const std::string& bytes, std::optional<Sensitivity> declared,
                           const std::string& path = "t.csv", std::vector<NewVersion::Input> inputs = {},
                           std::map<std::string, std::string> labels = {}) {
    auto version = wanted(ArtifactKind::kDataset, name, bytes, path);
    version.sensitivity = declared;
    version.inputs = std::move(inputs);
    version.labels = std::move(labels);
    clock.advance_us(1'000'000);
    auto registered = scanning.register_version(dora(), version, Commit::kKeep);
    if (!registered) FAIL(registered.error().message);
    return registered->view;
  }

  Registry scanning;
};

std::string label_of(const model::VersionView& view, std::string_view name) {
  const auto found = view.labels.find(std::string(name));
  return found == view.labels.end() ? "" : found->second;
}

}  // namespace

TEST_CASE("people's data in a dataset that is declared to have none raises its label and says what was found") {
  Fixture f;
  const auto view = f.enter("contacts", people(30), Sensitivity::kNone);
  CHECK(view.version.sensitivity == Sensitivity::kPersonal);
  CHECK(label_of(view, kContainsPii) == "email phone");
  CHECK(label_of(view, kContainsPhi).empty());
  CHECK(f.enter("contacts", people(31), std::nullopt).version.sensitivity == Sensitivity::kPersonal);
  f.verified();
}

TEST_CASE("a declared label above what the scan finds stands, and harmless data stays as declared") {
  Fixture f;
  CHECK(f.enter("a", people(30), Sensitivity::kChild).version.sensitivity == Sensitivity::kChild);
  const auto view = f.enter("b", measures(200), Sensitivity::kNone);
  CHECK(view.version.sensitivity == Sensitivity::kNone);
  CHECK(view.labels.empty());
  CHECK(f.enter("c", measures(201), Sensitivity::kPersonal).version.sensitivity == Sensitivity::kPersonal);
}

TEST_CASE("pseudonyms look like keys of people: alone they say nothing, beside a name they are listed") {
  Fixture f;
  std::string masked = "mrn,last_name,a1c\n";
  std::string clear = "mrn,email,a1c\n";
  for (int i = 0; i < 50; ++i) {
    masked += fmt::format("k1-feda307e6a1f93f29237f2bd55fa66a5a440f6{:02},[NAME],5.{}\n", i, i % 10);
    clear += fmt::format("MRN-00047{:02},ann{}@example.org,5.{}\n", i, i, i % 10);
  }
  const auto view = f.enter("train", masked, Sensitivity::kPseudonymous);
  CHECK(view.version.sensitivity == Sensitivity::kPseudonymous);
  CHECK(view.labels.empty());
  CHECK(label_of(f.enter("raw", clear, Sensitivity::kPersonal), kContainsPhi) == "email mrn");
}

TEST_CASE("FHIR with people in it is health data of people") {
  Fixture f;
  std::string bundle;
  for (int i = 0; i < 10; ++i) {
    bundle +=
        fmt::format(R"({{"resourceType":"Patient","id":"p{}","name":[{{"family":"Featherstone","given":["Ann"]}}],)"
                    R"("telecom":[{{"system":"email","value":"ann{}@example.org"}}]}})"
                    "\n",
                    i, i);
  }
  const auto view = f.enter("fhir", bundle, Sensitivity::kPersonal, "patients.ndjson");
  CHECK_FALSE(label_of(view, kContainsPhi).empty());
  CHECK(view.version.sensitivity == Sensitivity::kSpecialCategory);
}

TEST_CASE("the mode says what a scan may do") {
  Fixture off(Mode::kOff);
  const auto unseen = off.enter("contacts", people(30), Sensitivity::kNone);
  CHECK(unseen.version.sensitivity == Sensitivity::kNone);
  CHECK(unseen.labels.empty());
  Fixture label(Mode::kLabel);
  const auto labelled = label.enter("contacts", people(30), Sensitivity::kNone);
  CHECK(labelled.version.sensitivity == Sensitivity::kNone);
  CHECK(label_of(labelled, kContainsPii) == "email phone");
  CHECK(scan_mode_from_word("raise") == Mode::kRaise);
  CHECK_FALSE(scan_mode_from_word("Raise"));
}

TEST_CASE("labels go down the lineage, and who registers a version has the last word on labels") {
  Fixture f;
  f.enter("contacts", people(30), Sensitivity::kNone);
  const auto derived = f.enter("features", measures(50), std::nullopt, "t.csv", {{"contacts@v1", "source"}});
  CHECK(label_of(derived, kContainsPii) == "email phone");
  CHECK(derived.version.sensitivity == Sensitivity::kPersonal);
  const auto said = f.enter("said", people(9), Sensitivity::kPersonal, "t.csv", {}, {{"contains-pii", "test data"}});
  CHECK(label_of(said, kContainsPii) == "test data");
}

TEST_CASE("masking takes away the labels of the classes it treated") {
  const Labels source = {{"contains-pii", "email person_name phone"}, {"contains-phi", "email person_name phone"}};
  const Json evidence = {{"columns",
                          {{{"column", "email"}, {"class", "email"}, {"transform", "suppress"}},
                           {{"column", "name"}, {"class", "person_name"}, {"transform", "pseudonymize"}},
                           {{"column", "phone"}, {"class", "phone"}, {"transform", "keep"}}}}};
  CHECK(labels_after_masking(source, evidence) == Labels{{"contains-pii", "phone"}, {"contains-phi", "phone"}});
  CHECK(labels_after_masking({{"team", "x"}}, evidence).empty());

  Fixture f;
  f.policy(R"(apiVersion: mlops/v1
kind: PrivacyPolicy
metadata: {name: deid, version: 1.0.0}
spec:
  select: {kinds: [dataset]}
  classification:
    columns: {id: {class: count}, email: {class: email}, phone: {class: phone}, amount: {class: cost}}
    unknown_column: quarantine
  transforms:
    rules:
      - {match: {class: email}, apply: suppress}
      - {match: {class: phone}, apply: suppress}
  output: {sensitivity: pseudonymous}
)");
  f.environments("  - {name: lab, clearance: pseudonymous, policies: [deid]}\n");
  f.enter("contacts", people(30), Sensitivity::kNone);
  const auto view = f.promote("contacts@v1", "lab");
  if (!view) FAIL(view.error().message << " " << view.error().detail);
  const auto masked = f.registry.show(view->masking->output_ref, 0);
  REQUIRE(masked);
  CHECK(masked->labels.empty());
}

TEST_CASE("a scan looks at a sample only, also of a file that it cuts in the middle of a record") {
  Fixture f;
  const auto early = f.content.put(people(5000));
  REQUIRE(early);
  const auto scan = scan_labels(f.content, {{"t.csv", early->digest, early->size_bytes}},
                                {.mode = Mode::kLabel, .records_max = 1'000'000, .bytes_max = 10'001});
  REQUIRE(scan);
  CHECK(scan->classes == std::set<std::string>{"email", "phone"});
  auto late_text = measures(0) + [] {
    std::string rows;
    for (int i = 0; i < 50; ++i) rows += "1,2,a\n";
    for (int i = 0; i < 50; ++i) rows += fmt::format("1,2,ann{}@example.org\n", i);
    return rows;
  }();
  const auto late = f.content.put(late_text);
  REQUIRE(late);
  const std::vector<model::FileEntry> files = {{"t.csv", late->digest, late->size_bytes}};
  CHECK(scan_labels(f.content, files, {.mode = Mode::kLabel, .records_max = 50})->classes.empty());
  CHECK(scan_labels(f.content, {{"x.bin", late->digest, late->size_bytes}}, {.mode = Mode::kLabel}));
}
