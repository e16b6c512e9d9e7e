// Erasing a person: what is found, what each version becomes, what the store still holds, and going on after a failure.
#include "daemon/domain/erasure.h"

#include <algorithm>

#include "tests/unit/daemon/domain/gc_fixture.h"

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
    columns: {mrn: {class: mrn}, a1c: {class: measurement}}
    unknown_column: quarantine
  transforms:
    keys: {research: {purpose: pseudonymisation}}
    rules:
      - {match: {class: mrn}, apply: {pseudonymize: {key: research}}}
  output: {sensitivity: pseudonymous}
)";

struct Fixture : DomainFixture {
  Fixture() {
    policy(std::string(kPolicy));
    environments("  - {name: ward, clearance: child}\n  - {name: lab, clearance: pseudonymous, policies: [deid]}\n");
  }
  meta::Actor anna() { return person("anna", model::Role::kAdmin); }
  meta::Actor vera() { return person("vera", model::Role::kApprover); }

  model::VersionView table(const std::string& name, const std::string& text) {
    auto version = wanted(ArtifactKind::kDataset, name, text, "t.csv");
    version.sensitivity = Sensitivity::kPersonal;
    return add(version);
  }
  void key(const std::string& name, const std::string& column = "mrn") {
    const auto set = erasure.set_key(anna(), {name, column, "", ""}, Commit::kKeep);
    if (!set) FAIL(set.error().message);
  }
  Result<ErasureView> try_plan(const std::vector<std::string>& ids) {
    clock.advance_us(1'000'000);
    return erasure.plan(anna(), {ids, "", "request 17", ErasureWish::Mode::kRewrite});
  }
  ErasureView planned(const std::string& id) {
    auto view = try_plan({id});
    if (!view) FAIL(view.error().message);
    return *view;
  }
  void approve(const ErasureView& view) {
    for (const auto& who : {vera(), omar()}) {
      const auto said = erasure.say(who, view.row.id, Erasure::Word::kApprove, "checked", Commit::kKeep);
      if (!said) FAIL(said.error().message);
    }
  }
  Result<ErasureView> apply(const ErasureView& view, Commit commit = Commit::kKeep) {
    clock.advance_us(1'000'000);
    return erasure.apply(anna(), view.row.id, commit);
  }
  ErasureView erased(const std::string& id) {
    const auto view = planned(id);
    approve(view);
    auto done = apply(view);
    if (!done) FAIL(done.error().message);
    return *done;
  }
  // Whether any chunk in any pack holds the text; every object there must be in use.
  bool stored(const std::string& text) {
    for (const auto& pack : content.packs().packs()) {
      for (const auto& [entry, state] : content.packs().entries_of(pack.slot)) {
        if (entry.key.kind != cas::ObjectKind::kChunk) continue;
        std::vector<std::uint8_t> raw;
        REQUIRE(content.read_chunk(entry.key.digest, raw));
        const std::string_view bytes(reinterpret_cast<const char*>(raw.data()), raw.size());
        if (bytes.find(text) != std::string_view::npos) return true;
      }
    }
    return false;
  }
  std::string bytes_of(const std::string& ref) {
    const auto files = registry.files(ref);
    if (!files) FAIL(files.error().message);
    return content.read(files->front().digest, 1 << 20).value();
  }
};

std::map<std::string, std::string> actions_of(const ErasureView& view) {
  std::map<std::string, std::string> actions;
  for (const auto& step : view.plan.steps) actions[step.ref] = to_word(step.action);
  return actions;
}

std::map<std::string, std::string> states_of(const ErasureView& view) {
  std::map<std::string, std::string> states;
  for (const auto& item : view.items) states[item.ref] = item.row.state;
  return states;
}

const std::string kTable = "mrn,a1c\np-4711,5.1\np-4712,6.2\np-4711,5.3\n";

}  // namespace

TEST_CASE("source, masked copy and model: rewritten, masked again, blocked; the person is in no chunk") {
  Fixture f;
  f.table("patients", kTable);
  f.key("patients");
  REQUIRE(f.promote("patients@v1", "ward"));
  REQUIRE(f.promote("patients@v1", "lab"));
  const auto masked_before = f.bytes_of("patients-deid@v1");
  auto model = f.wanted(ArtifactKind::kModel, "m", "weights");
  model.inputs = {{"patients-deid@v1", "train"}};
  f.add(model);
  CHECK(f.stored("p-4711"));
  const auto view = f.planned(" p-4711\n");
  CHECK(actions_of(view) == std::map<std::string, std::string>{{"dataset:patients@v1", "rewrite"},
                                                               {"dataset:patients-deid@v1", "remask"},
                                                               {"model:m@v1", "decide"}});
  CHECK(view.plan.steps.front().rows == 2);
  CHECK(view.plan.steps.front().of_rows == 3);
  f.approve(view);
  const auto done = f.apply(view);
  REQUIRE(done);
  CHECK(states_of(*done) == std::map<std::string, std::string>{{"dataset:patients@v1", "done"},
                                                               {"dataset:patients-deid@v1", "done"},
                                                               {"model:m@v1", "undecided"}});
  CHECK_FALSE(f.stored("p-4711"));
  CHECK(f.stored("p-4712"));
  CHECK(cas::list_trash(f.content)->empty());
  CHECK(f.bytes_of("patients@v2") == "mrn,a1c\np-4712,6.2\n");
  const auto row = masked_before.find('\n', masked_before.find('\n') + 1) + 1;
  CHECK(f.bytes_of("patients-deid@v2") == masked_before.substr(0, masked_before.find('\n') + 1) +
                                              masked_before.substr(row, masked_before.find('\n', row) + 1 - row));
  CHECK(f.running("patients", "ward") == "patients@v2");
  CHECK(f.running("patients-deid", "lab") == "patients-deid@v2");
  CHECK(f.registry.show("patients-deid@v2", 0)->masked_from == "patients@v2");
  CHECK(f.registry.show("patients@v1", 0)->version.deleted_reason == "erasure " + view.row.id);
  const auto receipt = f.erasure.receipt(view.row.id);
  REQUIRE(receipt);
  CHECK(receipt->is_sound);
  CHECK(receipt->receipt.at("not_erased").empty());
  CHECK(f.integrity.fsck(FsckDepth::kReadData));
  f.verified();
}

TEST_CASE("nobody, nowhere, and words that would tell too much") {
  Fixture f;
  CHECK(f.try_plan({"p-4711"}).error().slug == "no_subject_key");
  f.table("patients", kTable);
  f.key("patients");
  CHECK(f.try_plan({"p-4713"}).error().slug == "subject_not_found");
  CHECK(f.try_plan({"P-4711"}).error().slug == "subject_not_found");
  CHECK(f.try_plan({}).error().slug == "bad_subject");
  CHECK(f.try_plan({" "}).error().slug == "bad_subject");
  CHECK(f.try_plan({"\xff\xfe\xfd"}).error().slug == "bad_subject");
  const auto told = f.erasure.plan(f.anna(), {{"p-4711"}, "", "for p-4711", ErasureWish::Mode::kRewrite});
  CHECK(told.error().slug == "subject_in_reason");
  CHECK(told.error().message.find("4711") == std::string::npos);
  CHECK(f.count("erasures") == 0);
}

TEST_CASE("what could not be searched is told, also when nobody is found") {
  Fixture f;
  f.table("patients", kTable);
  f.key("patients");
  f.table("patients", "mrn,a1c\n\"p-4711,1\n");
  const auto nobody = f.try_plan({"p-4713"});
  REQUIRE_FALSE(nobody);
  CHECK(nobody.error().slug == "subject_not_found");
  CHECK(nobody.error().message.find("not searched: 1 file of 1 version (csv_") != std::string::npos);
  const auto view = f.planned("p-4711");
  REQUIRE(view.plan.notes.size() == 1);
  CHECK(view.plan.notes.front().find("csv_") != std::string::npos);
  CHECK(actions_of(view) == std::map<std::string, std::string>{{"dataset:patients@v1", "rewrite"}});
}

TEST_CASE("the quorum: two people, neither who asked nor who applies, of exactly this plan") {
  Fixture f;
  f.table("patients", kTable);
  f.key("patients");
  const auto view = f.planned("p-4711");
  const auto& id = view.row.id;
  const auto approve = [&](const meta::Actor& who) {
    const auto said = f.erasure.say(who, id, Erasure::Word::kApprove, "checked", Commit::kKeep);
    return said ? std::string() : said.error().slug;
  };
  CHECK(approve(f.anna()) == "own_plan");
  CHECK(approve(f.person("bot", model::Role::kApprover, false)) == "not_a_person");
  CHECK(approve(f.vera()).empty());
  CHECK(approve(f.vera()).empty());
  CHECK(f.apply(view).error().slug == "approvals_pending");
  const auto second = f.person("boss", model::Role::kAdmin);
  CHECK(approve(second).empty());
  CHECK(f.erasure.apply(second, id, Commit::kKeep).error().slug == "approvals_pending");  // its own does not count
  REQUIRE(f.apply(view, Commit::kDryRun));
  CHECK(f.erasure.get(id)->row.state == "open");
  CHECK(f.bytes_of("patients@v1") == kTable);
  f.clock.advance_us(15ll * 86400 * 1'000'000);
  CHECK(f.apply(view).error().slug == "erasure_expired");
  CHECK(f.erasure.get(id)->state == "expired");
  CHECK(approve(f.omar()) == "erasure_expired");
  f.verified();
}

TEST_CASE("a rejected plan stays rejected, and a changed state makes a plan stale") {
  Fixture f;
  f.table("patients", kTable);
  f.key("patients");
  const auto first = f.planned("p-4711");
  REQUIRE(f.erasure.say(f.vera(), first.row.id, Erasure::Word::kReject, "no proof", Commit::kKeep));
  CHECK(f.apply(first).error().slug == "erasure_closed");
  const auto second = f.planned("p-4711");
  f.approve(second);
  REQUIRE(f.retention.hold(f.anna(), {"patients@v1", "2026-17", "court"}, Commit::kKeep));
  CHECK(f.apply(second).error().slug == "stale_plan");
  CHECK(f.erasure.get(second.row.id)->row.state == "stale");
  CHECK(f.erasure.say(f.vera(), second.row.id, Erasure::Word::kApprove, "x", Commit::kKeep).error().slug ==
        "stale_plan");
  f.verified();
}

TEST_CASE("a hold keeps the source; its masked copy is masked again all the same") {
  Fixture f;
  f.table("patients", kTable);
  f.key("patients");
  REQUIRE(f.promote("patients@v1", "lab"));
  REQUIRE(f.retention.hold(f.anna(), {"patients@v1", "2026-17", "court"}, Commit::kKeep));
  const auto done = f.erased("p-4711");
  CHECK(states_of(done) ==
        std::map<std::string, std::string>{{"dataset:patients@v1", "kept"}, {"dataset:patients-deid@v1", "done"}});
  CHECK(f.bytes_of("patients@v1") == kTable);
  CHECK(f.running("patients-deid", "lab") == "patients-deid@v2");
  const auto masked = f.bytes_of("patients-deid@v2");
  CHECK(std::count(masked.begin(), masked.end(), '\n') == 2);
  const auto refused = f.promote("patients@v1", "ward");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("erasure") != std::string::npos);
  f.verified();
}

TEST_CASE("an application that failed goes on where it was") {
  Fixture f;
  f.table("patients", kTable);
  f.key("patients");
  const auto other = f.model_version("other", noise(200'000, 1));
  const auto view = f.planned("p-4711");
  f.approve(view);
  const auto chunks = f.content.chunks_of(f.registry.files("other@v1")->front().digest, 0, 200'000, 100);
  REQUIRE(chunks);
  f.damage(chunks->front().digest);
  CHECK_FALSE(f.integrity.fsck(FsckDepth::kReadData));  // finds it, so that the collection refuses
  const auto stopped = f.apply(view);
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().slug == "store_damaged");
  const auto between = f.erasure.get(view.row.id);
  CHECK(between->state == "interrupted");
  CHECK(between->items.front().row.state == "done");
  CHECK(f.registry.show("patients@v1", 0)->version.deleted_at_us != 0);
  f.content.put(noise(200'000, 1)).value();  // heals
  const auto done = f.apply(view);
  REQUIRE(done);
  CHECK(done->row.state == "done");
  CHECK_FALSE(f.stored("p-4711"));
  CHECK(f.registry.show("patients@v2", 0));
  CHECK_FALSE(f.registry.show("patients@v3", 0));
  const auto head = f.verified().head;
  REQUIRE(f.apply(view));  // once more changes nothing
  CHECK(f.verified().head == head);
}

TEST_CASE("every layer: deleted ones, bytes under another name, pseudonyms registered from outside") {
  Fixture f;
  f.table("patients", kTable);
  f.key("patients");
  REQUIRE(f.promote("patients@v1", "lab"));
  const auto masked = f.bytes_of("patients-deid@v1");
  auto outside = f.wanted(ArtifactKind::kDataset, "train", "note\nx\n", "readme.csv");
  const auto stored = f.content.put("pid,y" + masked.substr(masked.find('\n')));
  outside.files.push_back({"t.csv", stored->digest, stored->size_bytes});
  outside.sensitivity = Sensitivity::kPseudonymous;
  f.add(outside);
  REQUIRE(f.erasure.set_key(f.anna(), {"train", "PID", "", "patients-deid"}, Commit::kKeep));
  f.table("twin", kTable);
  f.table("patients", kTable + "p-9,1\n");
  REQUIRE(f.registry.remove(f.dora(), "patients@v2", "wrong", Commit::kKeep));
  const auto view = f.planned("p-4711");
  CHECK(actions_of(view) == std::map<std::string, std::string>{{"dataset:patients@v1", "rewrite"},
                                                               {"dataset:patients@v2", "shred"},
                                                               {"dataset:patients-deid@v1", "remask"},
                                                               {"dataset:train@v1", "rewrite"},
                                                               {"dataset:twin@v1", "rewrite"}});
  f.approve(view);
  REQUIRE(f.apply(view));
  CHECK_FALSE(f.stored("p-4711"));
  const auto again = f.wanted(ArtifactKind::kDataset, "back", kTable, "t.csv");
  const auto refused = f.registry.register_version(f.dora(), again, Commit::kKeep);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().slug == "bytes_erased");
  f.verified();
}

TEST_CASE("decisions: a replacement stands on its own, an assessment has a document, words settle what hangs on it") {
  Fixture f;
  f.table("patients", kTable);
  f.key("patients");
  auto model = f.wanted(ArtifactKind::kModel, "m", "one");
  model.inputs = {{"patients@v1", "train"}};
  f.add(model);
  f.erased("p-4711");
  const auto decide = [&](const std::string& ref, ErasureDecision::Kind kind, const std::string& detail) {
    const auto said = f.erasure.decide(f.vera(), {ref, kind, detail}, Commit::kKeep);
    return said ? std::string() : said.error().slug;
  };
  using Kind = ErasureDecision::Kind;
  CHECK(f.promote("m@v1", "ward").error().slug == "gates_denied");
  auto tuned = f.wanted(ArtifactKind::kModel, "m", "two");
  tuned.inputs = {{"m@v1", "base"}};
  f.add(tuned);
  CHECK(f.promote("m@v2", "ward").error().slug == "gates_denied");
  auto fresh = f.wanted(ArtifactKind::kModel, "m", "three");
  fresh.inputs = {{"patients@v2", "train"}};
  f.add(fresh);
  CHECK(decide("m@v3", Kind::kAccepted, "why not") == "nothing_to_decide");
  CHECK(decide("m@v1", Kind::kAccepted, " ") == "reason_needed");
  CHECK(decide("m@v1", Kind::kAssessed, "report.pdf") == "bad_decision");
  CHECK(decide("m@v1", Kind::kRetrained, "m@v1") == "bad_decision");
  CHECK(decide("m@v1", Kind::kRetrained, "patients@v2") == "bad_decision");
  CHECK(decide("m@v1", Kind::kRetrained, "m@v2") == "retrained_on_erased");
  CHECK(decide("m@v1", Kind::kRetrained, "m@v3").empty());
  CHECK(f.promote("m@v1", "ward").error().slug == "gates_denied");
  CHECK(f.promote("m@v2", "ward").error().slug == "gates_denied");
  CHECK(decide("m@v2", Kind::kAssessed, crypto::sha256("report").to_string()).empty());
  CHECK(f.promote("m@v2", "ward"));
  CHECK(f.promote("m@v3", "ward"));
  f.verified();
}
