// The way back from a masked version: by key versions, on record, and not for what was destroyed or erased.
#include "daemon/domain/reveal.h"

#include "tests/unit/daemon/domain/domain_fixture.h"

using namespace mlops;
using namespace mlops::domain;
using namespace mlops::test;

namespace {

constexpr std::string_view kPolicy = R"(apiVersion: mlops/v1
kind: PrivacyPolicy
metadata: {name: deid, version: 1.0.0}
spec:
  select: {kinds: [dataset]}
  classification:
    columns: {mrn: {class: mrn}, account: {class: account}, ward: {class: city}, a1c: {class: measurement}}
    unknown_column: quarantine
  transforms:
    keys: {research: {purpose: pseudonymisation}}
    rules:
      - {match: {class: mrn}, apply: {tokenize: {vault: research}}}
      - {match: {class: account}, apply: {encrypt: {key: research}}}
      - {match: {class: city}, apply: {tokenize: {vault: research}}}
  output: {sensitivity: pseudonymous}
)";

const std::string kTable = "mrn,account,ward,a1c\np-4711,acc-1,North,5.1\np-4712,acc-2,North,6.2\n";

struct Fixture : DomainFixture {
  Fixture() {
    policy(std::string(kPolicy));
    environments("  - {name: lab, clearance: pseudonymous, policies: [deid]}\n");
    masked(kTable);
  }
  meta::Actor anna() { return person("anna", model::Role::kAdmin); }
  void masked(const std::string& text) {
    auto version = wanted(ArtifactKind::kDataset, "patients", text, "t.csv");
    version.sensitivity = Sensitivity::kPersonal;
    const auto ref = add(version).version.ref();
    const auto view = promote(ref, "lab");
    if (!view) FAIL(view.error().message << " " << view.error().detail);
  }
  Result<Revealed> reveal(const std::string& ref, std::vector<std::string> columns) {
    return reveals.reveal(anna(), {ref, "", std::move(columns), "recall"});
  }
  std::vector<std::string> audit_of(const std::string& action) {
    const auto entries = store->read<std::vector<Json>>(
        [&](sql::Connection& connection) { return audit::list_entries(connection, {.action = action}); });
    REQUIRE(entries);
    std::vector<std::string> list;
    for (const auto& entry : *entries) {
      list.push_back(entry.at("target").get<std::string>() + ": " + entry.at("reason").get<std::string>());
    }
    return list;
  }
};

std::string slug_of(const Result<Revealed>& revealed) {
  return revealed ? "revealed" : revealed.error().slug;
}

}  // namespace

TEST_CASE("columns of a masked version come back, and who asked why is on record") {
  Fixture f;
  const auto revealed = f.reveal("patients-deid@v1", {"mrn", "account", "ward"});
  if (!revealed) FAIL(revealed.error().message);
  CHECK(revealed->bytes == kTable);
  CHECK(revealed->evidence.revealed == 6);
  CHECK(revealed->evidence.key_ids == std::vector<std::string>{"research.1"});
  CHECK(f.audit_of("data.reveal") ==
        std::vector<std::string>{"patients-deid@v1: 6 cells of mrn, account, ward in t.csv: recall"});
  CHECK(f.audit_of("key.use").back() == "research.1: reveal of patients-deid@v1");
  f.verified();
}

TEST_CASE("a reveal needs a reason, a masked version, a reversible column and a clearance for the source") {
  Fixture f;
  CHECK(slug_of(f.reveals.reveal(f.anna(), {"patients-deid@v1", "", {"mrn"}, " "})) == "reason_needed");
  CHECK(slug_of(f.reveal("patients@v1", {"mrn"})) == "not_masked");
  CHECK(slug_of(f.reveal("patients-deid@v1", {"a1c"})) == "column_not_reversible");
  CHECK(slug_of(f.reveals.reveal(f.anna(), {"patients-deid@v1", "other.csv", {"mrn"}, "x"})) == "file_not_found");
  auto low = f.anna();
  low.principal.clearance = Sensitivity::kPseudonymous;
  CHECK(slug_of(f.reveals.reveal(low, {"patients-deid@v1", "", {"mrn"}, "x"})) == "clearance_exceeded");
  CHECK(slug_of(f.reveal("nobody@v1", {"mrn"})) == "artifact_not_found");
  CHECK(slug_of(f.reveal("Jane Roe, born 1951", {"mrn"})) == "bad_name");
  auto nobody = f.anna();
  nobody.principal.scopes = {model::Scope::kRead};
  CHECK(slug_of(f.reveals.reveal(nobody, {"patients-deid@v1", "", {"mrn"}, "x"})) == "missing_scope");
  // Every refusal is on record, with what was asked of it and nothing that could be a value.
  CHECK(f.audit_of("data.reveal_refused") ==
        std::vector<std::string>{"patients-deid@v1: reason_needed", "patients@v1: not_masked: recall",
                                 "patients-deid@v1: column_not_reversible: recall",
                                 "patients-deid@v1: file_not_found: x", "patients-deid@v1: clearance_exceeded: x",
                                 "nobody@v1: artifact_not_found: recall", "(no reference): bad_name: recall",
                                 "patients-deid@v1: missing_scope: x"});
  f.verified();
}

TEST_CASE("the record of a reveal names the key versions that opened something, and no others") {
  Fixture f;
  REQUIRE(f.keys->rotate(f.anna(), {"research", "yearly", ""}, Commit::kKeep));
  REQUIRE(f.keys->rotate(f.anna(), {"research", "yearly", ""}, Commit::kKeep));
  f.masked("mrn,account,ward,a1c\np-4713,acc-3,South,7.1\n");
  const auto second = f.reveal("patients-deid@v2", {"mrn", "account"});
  REQUIRE(second);
  CHECK(second->evidence.key_ids == std::vector<std::string>{"research.3"});
  CHECK(f.audit_of("key.use").back() == "research.3: reveal of patients-deid@v2");
  const auto first = f.reveal("patients-deid@v1", {"mrn"});
  REQUIRE(first);
  CHECK(first->evidence.key_ids == std::vector<std::string>{"research.1"});
  CHECK(first->destroyed.empty());
}

TEST_CASE("tokens that were resealed outlive the version that wrote them, and values keep their tokens") {
  Fixture f;
  REQUIRE(f.keys->rotate(f.anna(), {"research", "yearly", ""}, Commit::kKeep));
  using Tokens = KeyRing::Wish::Tokens;
  const auto dry = f.keys->destroy(f.anna(), {"research.1", "over", "", Tokens::kReseal}, Commit::kDryRun);
  REQUIRE(dry);
  CHECK(dry->resealed == 3);
  CHECK(f.reveal("patients-deid@v1", {"mrn"})->evidence.key_ids == std::vector<std::string>{"research.1"});
  const auto destroyed = f.keys->destroy(f.anna(), {"research.1", "over", "", Tokens::kReseal}, Commit::kKeep);
  REQUIRE(destroyed);
  CHECK(destroyed->resealed == 3);
  CHECK(destroyed->tokens == 0);
  CHECK(f.audit_of("vault.reseal") == std::vector<std::string>{"token vault: 3 tokens of research.1 under research.2"});
  const auto tokens = f.reveal("patients-deid@v1", {"mrn", "ward"});
  if (!tokens) FAIL(tokens.error().message);
  CHECK(tokens->evidence.revealed == 4);
  CHECK(tokens->evidence.key_ids == std::vector<std::string>{"research.2"});
  CHECK(tokens->bytes.find("p-4711") != std::string::npos);
  // What is sealed in the dataset itself goes with its key, and the answer says so.
  const auto both = f.reveal("patients-deid@v1", {"mrn", "account"});
  REQUIRE(both);
  CHECK(both->evidence.left == 2);
  CHECK(both->destroyed == std::vector<std::string>{"research.1"});
  CHECK(slug_of(f.reveal("patients-deid@v1", {"account"})) == "key_destroyed");
  f.masked("mrn,account,ward,a1c\np-4711,acc-8,North,6.2\n");
  CHECK(f.count("vault_tokens") == 3);
  f.verified();
}

TEST_CASE("tokens that wait under a key that is destroyed are forgotten, and later ones kept") {
  Fixture f;
  REQUIRE(f.keys->rotate(f.anna(), {"research", "yearly", ""}, Commit::kKeep));
  auto& vault = f.compliance.vault();
  const mask::VaultEntry lost{{1}, "tok-lost", "research.1", {1, 2, 3}};
  const mask::VaultEntry kept{{2}, "tok-kept", "research.2", {1, 2, 3}};
  REQUIRE(vault.add("patients\nmrn", {&lost, 1}));
  REQUIRE(vault.add("patients\nmrn", {&kept, 1}));
  REQUIRE(f.keys->destroy(f.anna(), {"research.1", "over", ""}, Commit::kKeep));
  REQUIRE(vault.flush());
  CHECK(f.count("vault_tokens") == 4);
  CHECK_FALSE(vault.entry_of("patients\nmrn", "tok-lost")->has_value());
  CHECK(vault.entry_of("patients\nmrn", "tok-kept")->has_value());
}

TEST_CASE("rotating can take every token along, over several versions and scopes") {
  Fixture f;
  using Tokens = KeyRing::Wish::Tokens;
  REQUIRE(f.keys->rotate(f.anna(), {"research", "yearly", ""}, Commit::kKeep));
  f.masked("mrn,account,ward,a1c\np-4713,acc-3,South,7.1\n");
  const auto rotated = f.keys->rotate(f.anna(), {"research", "yearly", "", Tokens::kReseal}, Commit::kKeep);
  REQUIRE(rotated);
  CHECK(rotated->row.id == "research.3");
  CHECK(rotated->resealed == 5);
  for (const auto* id : {"research.1", "research.2"}) {
    const auto gone = f.keys->destroy(f.anna(), {id, "over", ""}, Commit::kKeep);
    REQUIRE(gone);
    CHECK(gone->tokens == 0);
  }
  CHECK(f.reveal("patients-deid@v1", {"mrn", "ward"})->evidence.left == 0);
  CHECK(f.reveal("patients-deid@v2", {"mrn", "ward"})->evidence.left == 0);
  f.verified();
}

TEST_CASE("after a rotation both versions are revealed; once the first is destroyed, what it wrote is not") {
  Fixture f;
  REQUIRE(f.keys->rotate(f.anna(), {"research", "yearly", ""}, Commit::kKeep));
  f.masked("mrn,account,ward,a1c\np-4712,acc-2,North,6.2\np-4713,acc-3,South,7.1\n");
  const auto runs = f.audit_of("key.use");
  CHECK(runs.back().starts_with("research.2: "));
  CHECK(f.reveal("patients-deid@v1", {"mrn", "account", "ward"})->bytes == kTable);
  const auto second = f.reveal("patients-deid@v2", {"mrn", "account"});
  REQUIRE(second);
  CHECK(second->evidence.left == 0);
  CHECK(second->evidence.key_ids == std::vector<std::string>{"research.1", "research.2"});

  REQUIRE(f.keys->destroy(f.anna(), {"research.1", "over", ""}, Commit::kKeep));
  const auto refused = f.reveal("patients-deid@v1", {"account"});
  CHECK(slug_of(refused) == "key_destroyed");
  CHECK(refused.error().message.find("research.1") != std::string::npos);
  const auto partly = f.reveal("patients-deid@v2", {"mrn", "account"});
  REQUIRE(partly);
  CHECK(partly->evidence.revealed == 3);  // the token of p-4712 is of the first version
  CHECK(partly->evidence.left == 1);
  f.verified();
}

TEST_CASE("masking again what remains brings no erased token back, and new masking of the value gives another") {
  Fixture f;
  const auto token_of = [&](const std::string& ref) {
    const auto files = f.registry.files(ref);
    REQUIRE(files);
    const auto text = f.content.read(files->front().digest, 1 << 20).value();
    const auto row = text.find('\n') + 1;
    return text.substr(row, text.find(',', row) - row);
  };
  const auto erased = token_of("patients-deid@v1");
  REQUIRE(f.erasure.set_key(f.anna(), {"patients", "mrn", "", ""}, Commit::kKeep));
  f.clock.advance_us(1'000'000);
  const auto plan = f.erasure.plan(f.anna(), {{"p-4711"}, "", "request 17", ErasureWish::Mode::kRewrite});
  REQUIRE(plan);
  for (const auto& who : {f.omar(), f.person("vera", model::Role::kApprover)}) {
    REQUIRE(f.erasure.say(who, plan->row.id, Erasure::Word::kApprove, "checked", Commit::kKeep));
  }
  REQUIRE(f.erasure.apply(f.anna(), plan->row.id, Commit::kKeep));
  const auto after = f.reveal("patients-deid@v2", {"mrn", "ward"});
  if (!after) FAIL(after.error().message);
  CHECK(after->bytes.find("p-4712") != std::string::npos);
  CHECK(after->evidence.left == 0);
  CHECK(f.count("vault_tokens") == 2);
  CHECK(f.audit_of("key.use").back().starts_with("research.1: reveal"));
  f.masked("mrn,account,ward,a1c\np-4711,acc-9,North,5.5\n");
  const auto fresh = token_of("patients-deid@v3");
  CHECK(fresh.starts_with("tok-"));
  CHECK(fresh != erased);
  f.verified();
}

TEST_CASE("an erasure takes the person's values out of the vault; what others share stays") {
  Fixture f;
  const auto before = f.reveal("patients-deid@v1", {"mrn"});
  REQUIRE(before);
  REQUIRE(f.count("vault_tokens") == 3);
  // A hold keeps the masked copy, and its tokens; what they stand for goes all the same.
  REQUIRE(f.retention.hold(f.anna(), {"patients-deid@v1", "case-1", "audit"}, Commit::kKeep));
  REQUIRE(f.erasure.set_key(f.anna(), {"patients", "mrn", "", ""}, Commit::kKeep));
  f.clock.advance_us(1'000'000);
  const auto plan = f.erasure.plan(f.anna(), {{"p-4711"}, "", "request 17", ErasureWish::Mode::kRewrite});
  REQUIRE(plan);
  CHECK(plan->plan.vault_tokens == 1);
  for (const auto& who : {f.omar(), f.person("vera", model::Role::kApprover)}) {
    REQUIRE(f.erasure.say(who, plan->row.id, Erasure::Word::kApprove, "checked", Commit::kKeep));
  }
  const auto applied = f.erasure.apply(f.anna(), plan->row.id, Commit::kKeep);
  if (!applied) FAIL(applied.error().message);
  CHECK(f.count("vault_tokens") == 2);
  CHECK(f.count("vault_erased") == 1);
  CHECK(f.erasure.receipt(plan->row.id)->receipt.at("vault_tokens") == 1);
  CHECK(f.audit_of("vault.erase").size() == 1);
  const auto after = f.reveal("patients-deid@v1", {"mrn", "ward"});
  if (!after) FAIL(after.error().message);
  CHECK(after->evidence.revealed == 3);
  CHECK(after->evidence.left == 1);
  CHECK(after->erased == 1);
  CHECK(after->erasures == std::vector<std::string>{plan->row.id});
  CHECK(after->bytes.find("p-4712") != std::string::npos);
  CHECK(after->bytes.find("p-4711") == std::string::npos);
  f.verified();
}
