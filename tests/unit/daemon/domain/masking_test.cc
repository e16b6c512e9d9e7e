// A dataset above an environment's clearance is masked on the way in, or does not get in.
#include <thread>

#include "daemon/domain/store_vault.h"
#include "tests/unit/daemon/domain/domain_fixture.h"

using namespace mlops;
using namespace mlops::domain;
using namespace mlops::test;

namespace {

const std::string kPolicy = R"(apiVersion: mlops/v1
kind: PrivacyPolicy
metadata: {name: deid, version: 1.0.0, extends: [pack/hipaa-safe-harbor]}
spec:
  select: {kinds: [dataset]}
  attestations: {no_actual_knowledge: {ref: A-1, by: officer, at: 2020-01-01}}
  classification:
    columns:
      mrn: {class: mrn}
      last_name: {class: person_name}
      note: {class: free_text}
      hba1c: {class: measurement}
    unknown_column: quarantine
  transforms:
    rules:
      - {match: {class: mrn}, apply: suppress}
)";

const std::string kCsv =
    "mrn,last_name,note,hba1c\n"
    "MRN-0004711,Quisenberry,Quisenberry's cough is better,6.1\n"
    "MRN-0004712,Featherstone,Call 555-867-5309 about Featherstone,7.2\n";

struct Fixture : DomainFixture {
  Fixture() {
    policy(kPolicy);
    environments(
        "  - {name: clinical, clearance: special_category}\n"
        "  - {name: research, clearance: pseudonymous, policies: [deid]}\n");
  }
  model::VersionView patients(const std::string& csv, const std::string& path = "patients.csv") {
    auto version = wanted(ArtifactKind::kDataset, "patients", csv, path);
    version.sensitivity = Sensitivity::kSpecialCategory;
    return add(version);
  }
  std::string bytes_of(const std::string& ref) {
    const auto files = registry.files(ref);
    REQUIRE(files);
    std::string all;
    for (const auto& file : *files) all += content.read(file.digest, 1u << 20).value();
    return all;
  }
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("who registered the raw data approves no promotion of what is masked from it") {
  Fixture f;
  f.environments("  - {name: research, clearance: pseudonymous, policies: [deid], protection: {approvals: 1}}\n");
  f.patients(kCsv);  // by dora
  const auto rita = f.person("rita", model::Role::kRelease);
  auto dora = f.dora();
  dora.principal.scopes.push_back(model::Scope::kReleaseApprove);
  const auto approve = [&](const meta::Actor& who, const std::string& plan_id) {
    return f.promotion.decide(who, {plan_id, ApprovalRequest::Decision::kApprove, "fine"}, Commit::kKeep);
  };
  // Before it is masked, and when the masked version is there already.
  for (int i = 0; i < 2; ++i) {
    f.clock.advance_us(1'000'000);
    const auto plan = f.promotion.plan(rita, {{"patients@v1"}, "research", "because"});
    REQUIRE(plan);
    CHECK(approve(dora, plan->id).error().slug == "author");
    REQUIRE(approve(f.omar(), plan->id));
    REQUIRE(f.promotion.promote_plan(rita, plan->id, Commit::kKeep));
  }
  const auto masked = f.promotion.deployments({.environment = "research"})->front().members.front().ref;
  const auto plan = f.promotion.plan(rita, {{masked}, "research", "because"});
  REQUIRE(plan);
  CHECK(approve(dora, plan->id).error().slug == "author");
}

TEST_CASE("a release that holds the masked data is not torn apart by the next masking") {
  Fixture f;
  f.patients(kCsv);
  const auto first = f.promote("patients@v1", "research");
  REQUIRE(first);
  const auto masked = first->deployment->members.front().ref;
  f.model_version("m", "1");
  REQUIRE(f.promotion.create_release(f.dora(), {"study", {{"data", "dataset:" + masked}, {"model", "m@v1"}}, {}},
                                     Commit::kKeep));
  REQUIRE(f.promote("release:study@r1", "research"));
  f.patients(kCsv + "MRN-0004713,Longbottom,well,5.0\n");
  const auto torn = f.promote("patients@v2", "research");
  REQUIRE_FALSE(torn);
  CHECK(torn.error().slug == "gates_denied");
  CHECK(torn.error().message.find("overlap") != std::string::npos);
}

TEST_CASE("a dataset is masked on its way into research, and the masked version is what runs there") {
  Fixture f;
  f.patients(kCsv);
  const auto view = f.promote("patients@v1", "research");
  if (!view) FAIL(view.error().message << " " << view.error().detail);
  REQUIRE(view->masking);
  CHECK(view->masking->source_ref == "patients@v1");
  CHECK(view->masking->policy == "deid");
  const auto output = view->masking->output_ref;
  CHECK(output != "patients@v1");
  CHECK(view->deployment->members.front().ref == output);

  const auto masked = f.bytes_of(output);
  for (const std::string secret : {"Quisenberry", "Featherstone", "4711", "4712", "867-5309"}) {
    INFO(secret);
    CHECK_FALSE(has(masked, secret));
    CHECK_FALSE(has(view->masking->evidence.dump(), secret));
  }
  CHECK(has(masked, "cough is better"));
  CHECK(has(masked, "7.2"));
  CHECK(f.bytes_of("patients@v1") == kCsv);

  const auto shown = f.registry.show(output, 0);
  REQUIRE(shown);
  CHECK(shown->masked_from == "patients@v1");
  CHECK(shown->version.sensitivity <= Sensitivity::kPseudonymous);
  CHECK(shown->environments == std::vector<std::string>{"research"});
  CHECK(f.registry.show("patients@v1", 0)->environments.empty());
  CHECK(f.integrity.audit_entries({.action = "dataset.mask"})->size() == 1);
  CHECK(f.integrity.fsck(FsckDepth::kReadData));
  f.verified();
}

TEST_CASE("what was masked once under a policy is not masked again") {
  Fixture f;
  f.patients(kCsv);
  const auto first = f.promote("patients@v1", "research");
  REQUIRE(first);
  const auto again = f.promote("patients@v1", "research");
  REQUIRE(again);
  CHECK(again->unchanged);
  CHECK_FALSE(again->masking);
  CHECK(f.count("masking_runs") == 1);
}

TEST_CASE("another policy revision that gives the same bytes reuses the masked version, on record") {
  Fixture f;
  f.patients(kCsv);
  const auto first = f.promote("patients@v1", "research");
  REQUIRE(first);
  auto revised = kPolicy;
  revised.replace(revised.find("1.0.0"), 5, "1.0.1");
  f.policy(revised);
  const auto second = f.promote("patients@v1", "research");
  if (!second) FAIL(second.error().message);
  REQUIRE(second->masking);
  CHECK(second->masking->output_ref == first->masking->output_ref);
  CHECK(f.count("masking_runs") == 2);
  f.verified();
}

TEST_CASE("a dry run of a masking promotion decides and writes nothing at all") {
  Fixture f;
  f.patients(kCsv);
  const auto before = f.verified();
  const auto blobs = f.content.totals().objects;
  const auto dry = f.promote("patients@v1", "research", Commit::kDryRun);
  REQUIRE(dry);
  CHECK_FALSE(dry->deployment);
  REQUIRE(dry->plan.masking);
  CHECK(dry->plan.verdict == model::Verdict::kPass);
  CHECK(f.verified().head == before.head);
  CHECK(f.content.totals().objects == blobs);
}

TEST_CASE("a refused masking leaves no version and no deployment") {
  struct Row {
    std::string csv;
    std::string path;
    std::string slug;
  };
  const Row rows[] = {
      {"mrn,last_name,note,hba1c,shoe\n1,Quisenberry,well,6.1,Quisenberry\n", "p.csv", "columns_unknown"},
      {std::string("PAR1\x15\0\x15\x1cQuisenberry\0PAR1", 22), "p.parquet", "not_maskable"},
      {"mrn,last_name,note,hba1c\n1,Quisenberry\n", "p.csv", ""},
  };
  for (const auto& row : rows) {
    INFO(row.csv);
    Fixture f;
    f.patients(row.csv, row.path);
    const auto refused = f.promote("patients@v1", "research");
    REQUIRE_FALSE(refused);
    if (!row.slug.empty()) CHECK(refused.error().slug == row.slug);
    CHECK_FALSE(has(refused.error().message + refused.error().detail + refused.error().hint, "Quisenberry"));
    CHECK(f.count("versions") == 1);
    CHECK(f.count("deployments") == 0);
    CHECK(f.count("masking_runs") == 0);
    CHECK(f.count("artifacts") == 1);
    CHECK(f.running("patients", "research") == "nothing_runs");
    f.verified();
  }
}

TEST_CASE("without a masking policy the clearance refuses; inside it nothing is masked") {
  Fixture f;
  f.environments("  - {name: open, clearance: none}\n");
  f.patients(kCsv);
  const auto refused = f.promote("patients@v1", "open");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().slug == "gates_denied");
  CHECK(has(refused.error().message, "clearance"));
  const auto clinical = f.promote("patients@v1", "clinical");
  REQUIRE(clinical);
  CHECK_FALSE(clinical->masking);
  CHECK(f.running("patients", "clinical") == "patients@v1");
}

TEST_CASE("a source damaged in the store is noticed before anything made from it is kept") {
  Fixture f;
  f.patients(kCsv);
  f.damage(crypto::sha256(std::string_view(kCsv)));
  const auto refused = f.promote("patients@v1", "research");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kCorrupt);
  CHECK(f.count("versions") == 1);
  CHECK(f.count("deployments") == 0);
}

TEST_CASE("threat 44: runs that tokenize at once give a value one token, and it is on disk before they are done") {
  Fixture f;
  StoreVault vault(*f.store);
  constexpr int kWorkers = 4;
  constexpr int kSubjects = 50;
  const auto entry_of = [](int subject, int worker) {
    mask::VaultEntry entry;
    entry.fingerprint[0] = static_cast<std::uint8_t>(subject);
    entry.token = fmt::format("tok-{}-{}", subject, worker);
    entry.key_id = "k.1";
    entry.sealed = {1, 2, 3};
    return entry;
  };
  std::vector<std::vector<std::string>> tokens(kWorkers);
  std::vector<std::thread> workers;
  for (int worker = 0; worker < kWorkers; ++worker) {
    workers.emplace_back([&, worker] {
      for (int subject = 0; subject < kSubjects; ++subject) {
        const auto entry = entry_of(subject, worker);
        const auto added = vault.add("d\nc", {&entry, 1});
        tokens[static_cast<std::size_t>(worker)].push_back(added ? added->front() : "");
        if (subject % 10 == worker && !vault.flush()) tokens[static_cast<std::size_t>(worker)].push_back("failed");
      }
    });
  }
  for (auto& worker : workers) worker.join();
  for (const auto& list : tokens) CHECK(list == tokens[0]);
  REQUIRE(vault.flush());
  CHECK(f.count("vault_tokens") == kSubjects);
  StoreVault again(*f.store);  // nothing in memory
  const auto known = again.find("d\nc", std::vector{entry_of(7, 0).fingerprint});
  REQUIRE(known);
  CHECK((*known)[0] == tokens[0][7]);
  CHECK(again.entry_of("d\nc", tokens[0][7]).value()->sealed.size() == 3);
  CHECK_FALSE(again.entry_of("d\nother", tokens[0][7]).value().has_value());
}

TEST_CASE("tokens of a masked version are in the vault, and the same value keeps its token") {
  Fixture f;
  auto policy = kPolicy;
  policy.replace(policy.find("apply: suppress}"), 16, "apply: {tokenize: {vault: v}}}");
  policy.replace(policy.find("transforms:"), 11, "transforms:\n    keys: {v: {purpose: tokens}}");
  f.policy(policy);
  f.patients(kCsv);
  const auto view = f.promote("patients@v1", "research");
  if (!view) FAIL(view.error().message << " " << view.error().detail);
  const auto masked = f.bytes_of(view->masking->output_ref);
  CHECK(has(masked, "tok-"));
  CHECK_FALSE(has(masked, "4711"));
  CHECK(f.count("vault_tokens") == 2);
  CHECK(f.integrity.audit_entries({.action = "key.use"})->size() == 1);
  CHECK(f.integrity.audit_entries({.action = "vault.grow"})->size() == 1);
  f.verified();
  CHECK(has(view->masking->evidence.dump(), "\"key\":\"v.1\""));
}
