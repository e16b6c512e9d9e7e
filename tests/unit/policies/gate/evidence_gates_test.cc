#include <algorithm>

#include "policies/engine/quality.h"
#include "policies/gate/gate.h"
#include "tests/unit/catch.h"

using namespace mlops;
using namespace mlops::gate;
using model::ArtifactKind;
using model::GateResult;
using model::MemberFacts;
using model::PromotionFacts;
using model::Verdict;

namespace {

MemberFacts member(const std::string& name, ArtifactKind kind = ArtifactKind::kModel) {
  MemberFacts facts;
  facts.version.kind = kind;
  facts.version.name = name;
  facts.version.number = 1;
  return facts;
}

PromotionFacts facts_of(std::vector<MemberFacts> members) {
  PromotionFacts facts;
  facts.environment.name = "prod";
  facts.environment.clearance = model::Sensitivity::kChild;
  facts.requested_by = "rita";
  facts.decided_at_us = 1'800'000'000'000'000;
  facts.members = std::move(members);
  return facts;
}

policy::Policy policy_with(const std::string& gate) {
  auto loaded = policy::load_policy(
      "apiVersion: mlops/v1\nkind: PrivacyPolicy\nmetadata: {name: gates, version: 1.0.0}\nspec:\n  gates:\n    - {id: "
      "it, " +
          gate + "}\n",
      "gates.yaml");
  if (!loaded) FAIL(loaded.error().message << " " << loaded.error().detail);
  return *loaded;
}

std::vector<GateResult> judged(const std::string& gate, const PromotionFacts& facts) {
  std::vector<GateResult> found;
  for (auto& result : evaluate({policy_with(gate)}, facts)) {
    if (result.id == "it") found.push_back(std::move(result));
  }
  return found;
}

GateResult only(const std::string& gate, const PromotionFacts& facts) {
  const auto found = judged(gate, facts);
  REQUIRE(found.size() == 1);
  if (found[0].verdict == Verdict::kPass) CHECK(found[0].would_pass_if.empty());
  if (found[0].verdict != Verdict::kPass) CHECK_FALSE(found[0].would_pass_if.empty());
  return found[0];
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

model::Schema schema(const std::string& json) {
  return *model::parse_schema(*parse_json(json), model::SchemaSide::kInput);
}

}  // namespace

// --- subgroups ------------------------------------------------------------------------------------------------------

TEST_CASE("a group below its floor, a gap too wide and a group nobody measured each fail with their own remedy") {
  const std::string gate =
      "metric: {name: auc, min: 0.8, subgroups: {by: sex, min: 0.78, max_gap: 0.05, require: [F, M]}}";
  auto facts = facts_of({member("m")});
  auto& metrics = facts.members[0].version.metrics;
  metrics = {{"auc", 0.85}, {"auc{sex=F}", 0.84}, {"auc{sex=M}", 0.86}};
  auto results = judged(gate, facts);
  REQUIRE(results.size() == 2);  // the metric itself, and its groups
  CHECK(overall(results) == Verdict::kPass);

  metrics["auc{sex=F}"] = 0.75;
  const auto low = judged(gate, facts)[1];
  CHECK(low.verdict == Verdict::kFail);
  CHECK(has(low.reason, "auc of sex=F is 0.75, below 0.78"));
  CHECK(has(low.would_pass_if, "auc of sex=F is at least 0.78"));
  CHECK(has(low.would_pass_if, "within 0.05"));

  metrics.erase("auc{sex=F}");
  const auto missing = judged(gate, facts)[1];
  CHECK(has(missing.reason, "evidence missing"));
  CHECK(has(missing.would_pass_if, "--metric 'auc{sex=F}=…'"));
}

TEST_CASE("a gap between groups is measured at its bound, and not by other metrics or other groupings") {
  const std::string gate = "metric: {name: auc, subgroups: {by: sex, max_gap: 0.05}}";
  auto facts = facts_of({member("m")});
  facts.members[0].version.metrics = {
      {"auc{sex=F}", 0.80}, {"auc{sex=M}", 0.85}, {"auc{age=old}", 0.1}, {"f1{sex=F}", 0.1}};
  CHECK(only(gate, facts).verdict == Verdict::kPass);
  facts.members[0].version.metrics["auc{sex=M}"] = 0.8501;
  CHECK(only(gate, facts).verdict == Verdict::kFail);
  facts.members[0].version.metrics.erase("auc{sex=M}");
  CHECK(has(only(gate, facts).reason, "one group"));
}

TEST_CASE("no group may be worse off than with what runs now, and none may vanish") {
  const std::string gate = "metric: {name: auc, subgroups: {by: sex, not_below_current_by: 0.01}}";
  auto facts = facts_of({member("m")});
  facts.members[0].version.metrics = {{"auc{sex=F}", 0.80}, {"auc{sex=M}", 0.9}};
  CHECK(has(only(gate, facts).reason, "nothing runs in prod yet"));
  facts.current_ref = "m@v0";
  facts.current_metrics = {{"auc{sex=F}", 0.81}, {"auc{sex=M}", 0.8}};
  CHECK(only(gate, facts).verdict == Verdict::kPass);
  facts.current_metrics["auc{sex=F}"] = 0.82;
  CHECK(has(only(gate, facts).would_pass_if, "auc of sex=F is at least 0.81"));
  facts.current_metrics = {{"auc{sex=X}", 0.5}};
  CHECK(has(only(gate, facts).reason, "has no metric 'auc{sex=X}'"));
  facts.is_rollback = true;
  CHECK(only(gate, facts).verdict == Verdict::kPass);
}

// --- independence ---------------------------------------------------------------------------------------------------

TEST_CASE("train and test data share nobody and no file, and what nobody compared fails") {
  const std::string gate = "independence: {roles: [train, test], max_overlap: 0}";
  auto facts = facts_of({member("m")});
  auto& m = facts.members[0];
  CHECK(has(only(gate, facts).reason, "no input with role train"));
  m.inputs = {{"1", "a@v1", "sha256:1", "train"}, {"2", "b@v1", "sha256:2", "test"}};
  CHECK(has(only(gate, facts).reason, "nobody compared"));
  m.evidence.independence = {{"test", "train", 0, 0, 40, 100, ""}};
  CHECK(only(gate, facts).verdict == Verdict::kPass);
  m.evidence.independence[0].shared_subjects = 3;
  const auto shared = only(gate, facts);
  CHECK(has(shared.reason, "3 people are in the train data"));
  CHECK(shared.facts.at("subjects").at("train") == 100);
  CHECK(only("independence: {roles: [train, test], max_overlap: 3}", facts).verdict == Verdict::kPass);
  m.evidence.independence[0].shared_files = 1;
  CHECK(has(only("independence: {roles: [train, test], max_overlap: 3}", facts).reason, "1 file in common"));
  m.evidence.independence[0] = {"test", "train", 0, 0, 0, 0, "a@v1 has no declared column of people's ids"};
  CHECK(has(only(gate, facts).reason, "evidence missing: a@v1 has no declared column"));
}

// --- quality --------------------------------------------------------------------------------------------------------

namespace {

std::string key_of(policy::QualityMetric metric, std::vector<std::string> columns) {
  policy::QualityMeasure measure;
  measure.metric = metric;
  measure.columns = std::move(columns);
  return policy::measure_key(measure);
}

PromotionFacts measured() {
  auto facts = facts_of({member("m")});
  facts.members[0].inputs = {{"1", "a@v1", "sha256:1", "train"}};
  model::ProfileFact profile;
  profile.ref = "a@v1";
  profile.role = "train";
  profile.registered_at_us = facts.decided_at_us - 86'400'000'000;
  profile.counts[key_of(policy::QualityMetric::kRowCount, {})] = {1000, 1000};
  profile.counts[key_of(policy::QualityMetric::kNullValues, {"age"})] = {10, 1000};
  profile.types = {{"age", {"integer", "number", "string"}}};
  profile.columns = 1;
  facts.members[0].evidence.profiles = {profile};
  return facts;
}

std::string quality(const std::string& check) {
  return "quality: {of: train, checks: [" + check + "]}";
}

}  // namespace

TEST_CASE("a quality check is judged at its bound, in rows and in percent") {
  const auto facts = measured();
  CHECK(only(quality("{metric: rowCount, mustBeGreaterOrEqualTo: 1000}"), facts).verdict == Verdict::kPass);
  CHECK(only(quality("{metric: rowCount, mustBeGreaterThan: 1000}"), facts).verdict == Verdict::kFail);
  CHECK(only(quality("{metric: nullValues, column: AGE, unit: percent, mustBeLessOrEqualTo: 1}"), facts).verdict ==
        Verdict::kPass);
  const auto low = only(quality("{metric: nullValues, column: age, unit: percent, mustBeLessThan: 1}"), facts);
  CHECK(has(low.reason, "nullValues of age is 1 percent, must be less than 1 percent"));
  CHECK(has(low.would_pass_if, "nullValues of age must be less than 1 percent"));
  CHECK(only(quality("{metric: nullValues, column: age, mustBeBetween: [10, 20]}"), facts).verdict == Verdict::kPass);
  CHECK(only(quality("{metric: nullValues, column: age, mustNotBeBetween: [10, 20]}"), facts).verdict ==
        Verdict::kFail);
}

TEST_CASE("a column nobody has, a dataset nobody measured and a role without input are missing evidence") {
  auto facts = measured();
  CHECK(has(only(quality("{metric: nullValues, column: sex, mustBe: 0}"), facts).reason, "no such column"));
  facts.members[0].evidence.profiles[0].missing_because = "it was not measured";
  CHECK(has(only(quality("{metric: rowCount, mustBe: 1000}"), facts).would_pass_if, "mlopsctl profile m@v1 --to ENV"));
  facts.members[0].evidence.profiles.clear();
  CHECK(has(only(quality("{metric: rowCount, mustBe: 1000}"), facts).reason, "no input with role train"));
}

TEST_CASE("freshness counts from registration or from the newest date, and a schema names columns and types") {
  auto facts = measured();
  CHECK(only(quality("{freshness: {max_age: P2D}}"), facts).verdict == Verdict::kPass);
  CHECK(only(quality("{freshness: {max_age: PT12H}}"), facts).verdict == Verdict::kFail);
  CHECK(has(only(quality("{freshness: {column: seen, max_age: P2D}}"), facts).reason, "evidence missing"));
  CHECK(only(quality("{schema: {columns: {age: number}}}"), facts).verdict == Verdict::kPass);
  CHECK(has(only(quality("{schema: {columns: {age: date}}}"), facts).reason, "not every value of age is date"));
  CHECK(has(only(quality("{schema: {columns: {sex: string}}}"), facts).reason, "no column sex"));
  facts.members[0].evidence.profiles[0].columns = 3;
  CHECK(only(quality("{schema: {columns: {age: number}}}"), facts).verdict == Verdict::kPass);
  CHECK(has(only(quality("{schema: {columns: {age: number}, extra: refuse}}"), facts).reason, "2 columns beyond"));
}

// --- residual -------------------------------------------------------------------------------------------------------

TEST_CASE("a dataset that nobody scanned fails, and a scan counts at its bound") {
  auto facts = facts_of({member("d", ArtifactKind::kDataset)});
  CHECK(has(only("residual: {max_findings: 0}", facts).reason, "evidence missing"));
  facts.members[0].evidence.residual = {{"d@v1", "", "", 0}};
  CHECK(has(only("residual: {max_findings: 0}", facts).reason, "nobody scanned d@v1"));
  facts.members[0].evidence.residual = {{"d@v1", "", "masking", 1}};
  CHECK(only("residual: {max_findings: 1}", facts).verdict == Verdict::kPass);
  CHECK(has(only("residual: {max_findings: 0}", facts).reason, "has 1 finding, more than 0"));
}

TEST_CASE("a residual gate over inputs speaks about what was trained on") {
  auto facts = facts_of({member("m")});
  CHECK(has(only("residual: {max_findings: 0, of: [train]}", facts).reason, "no input with role train"));
  facts.members[0].evidence.residual = {{"a@v1", "train", "registration", 0}};
  CHECK(only("residual: {max_findings: 0, of: [train]}", facts).verdict == Verdict::kPass);
}

// --- signatures -----------------------------------------------------------------------------------------------------

TEST_CASE("signatures count by people whose key lives and whose role fits, each once") {
  const std::string gate = "signatures: {count: 2, roles: [release, ci], of: [model]}";
  auto facts = facts_of({member("m"), member("d", ArtifactKind::kDataset)});
  auto& signatures = facts.members[0].evidence.signatures;
  CHECK(has(only(gate, facts).reason, "evidence missing: 0 of 2"));
  signatures = {{"rita", {"release"}, "ed25519:1", 1, ""}, {"rita", {"release"}, "ed25519:2", 2, ""}};
  CHECK(has(only(gate, facts).reason, "1 of 2 signatures"));
  signatures.push_back({"omar", {"approver"}, "ed25519:3", 3, ""});
  CHECK(only(gate, facts).verdict == Verdict::kFail);
  signatures.push_back({"bot", {"ci"}, "ed25519:4", 4, "its key was revoked"});
  const auto revoked = only(gate, facts);
  CHECK(has(revoked.reason, "that of bot does not count: its key was revoked"));
  CHECK(has(revoked.would_pass_if, "1 more signature by a person with role release or ci: mlopsctl sign model:m@v1"));
  signatures.back().void_because.clear();
  CHECK(only(gate, facts).verdict == Verdict::kPass);
}

// --- external -------------------------------------------------------------------------------------------------------

TEST_CASE("a server that was not asked, or gave no answer that counts, denies") {
  const std::string gate = "external: {name: opa, timeout: PT5S, input: facts}";
  auto facts = facts_of({member("m")});
  CHECK(has(only(gate, facts).reason, "opa was not asked"));
  facts.external = {{"opa", "sha256:1", false, "", "it answered with status 500"}};
  CHECK(has(only(gate, facts).reason, "gave no answer that counts: it answered with status 500"));
  facts.external = {{"opa", "sha256:1", false, "freeze", ""}};
  CHECK(has(only(gate, facts).reason, "opa denies it: freeze"));
  facts.external = {{"opa", "sha256:1", true, "fine", ""}};
  CHECK(only(gate, facts).verdict == Verdict::kPass);
}

// --- compat ---------------------------------------------------------------------------------------------------------

namespace {

GateResult compat(const std::vector<GateResult>& results) {
  const auto found = std::find_if(results.begin(), results.end(), [](const auto& one) { return one.kind == "compat"; });
  REQUIRE(found != results.end());
  return *found;
}

}  // namespace

TEST_CASE("members that declare nothing leave no trace, and those that do must fit") {
  auto facts = facts_of({member("m"), member("d", ArtifactKind::kDataset)});
  const auto silent = evaluate({}, facts);
  CHECK(std::none_of(silent.begin(), silent.end(), [](const auto& one) { return one.kind == "compat"; }));

  facts.members[0].evidence.schemas.input =
      schema(R"([{"name":"age","type":"number"},{"name":"zip","type":"string"}])");
  CHECK(has(compat(evaluate({}, facts)).reason, "declares no schema"));
  CHECK(compat(evaluate({}, facts)).verdict == Verdict::kPass);
  CHECK(
      has(only("compat: required, kinds: [model]", facts).reason, "evidence missing: dataset d@v1 declares no schema"));

  facts.members[1].evidence.schemas.output =
      schema(R"([{"name":"age","type":"integer"},{"name":"zip","type":"string"}])");
  CHECK(compat(evaluate({}, facts)).verdict == Verdict::kPass);
  CHECK(only("compat: required, kinds: [model]", facts).verdict == Verdict::kPass);

  facts.members[1].evidence.schemas.output = schema(R"([{"name":"age","type":"string"}])");
  const auto bad = compat(evaluate({}, facts));
  CHECK(bad.verdict == Verdict::kFail);
  CHECK(has(bad.reason, "age is string, and number is needed"));
  CHECK(has(bad.reason, "zip (string) is not there"));
  CHECK(has(bad.would_pass_if, "that fits m@v1"));
}

TEST_CASE("preprocessing stands between dataset and model, and thresholds name what the model gives") {
  auto facts = facts_of({member("m"), member("d", ArtifactKind::kDataset), member("p"), member("t")});
  facts.members[0].role = "model";
  facts.members[1].role = "dataset";
  facts.members[2].role = "preprocessing";
  facts.members[3].role = "thresholds";
  const auto in = schema(R"([{"name":"raw","type":"string"}])");
  const auto features = schema(R"([{"name":"x","type":"number"}])");
  const auto risk = schema(R"([{"name":"risk","type":"number"}])");
  facts.members[0].evidence.schemas = {features, risk};
  facts.members[1].evidence.schemas.input = in;  // the only schema of a dataset is what is in it
  facts.members[2].evidence.schemas = {in, features};
  facts.members[3].evidence.schemas.input = risk;
  CHECK(overall(evaluate({}, facts)) == Verdict::kPass);
  facts.members[3].evidence.schemas.input = schema(R"([{"name":"score","type":"number"}])");
  CHECK(overall(evaluate({}, facts)) == Verdict::kFail);
}
