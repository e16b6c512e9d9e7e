// promotion_sim --sequences N [--seed S] [--steps K]: random sequences of plan, approve, withdraw, revoke, promote,
// roll back, change of policy, movement of the clock and crash, on the real services and on a small model
// (promotion_model.h).
//
// After every step: what runs, what ran at random moments, and that history has neither gap nor overlap, as the model
// says; at the end of a sequence the audit log is verified. A crash takes a copy of the database as it lies on the
// disk, without closing it, and goes on with the copy. A difference prints seed and step, and exits 1.
#include <fmt/format.h>
#include <stdlib.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <random>

#include "core/base/env.h"
#include "core/base/log.h"
#include "daemon/domain/identity.h"
#include "daemon/domain/promotion.h"
#include "daemon/domain/registry.h"
#include "tests/sim/promotion_model.h"

namespace mlops::sim {
namespace {

using meta::Commit;
using Decision = domain::ApprovalRequest::Decision;

constexpr std::int64_t kHourUs = 3'600'000'000;
constexpr const char* kPlaceNames[kPlaces] = {"dev", "prod"};
constexpr const char* kApproverNames[kApprovers] = {"omar", "vera", "nora"};

struct SimClock final : Clock {
  TimestampUs now_us() const override { return now; }
  TimestampUs now = 1'700'000'000'000'000;
};

[[noreturn]] void die(const std::string& what) {
  std::fprintf(stderr, "promotion_sim: %s\n", what.c_str());
  std::exit(1);
}

template <class T>
T must(Result<T> result, const char* what) {
  if (!result) die(std::string(what) + ": " + result.error().slug + " " + result.error().message);
  return std::move(*result);
}

crypto::SecretBytes key_of(std::uint8_t byte) {
  return crypto::SecretBytes(std::vector<std::uint8_t>(32, byte));
}

// The services over one database; what a crash leaves is opened by another one.
struct World {
  World(const std::string& folder, SimClock& clock) {
    meta::StoreOptions options;
    options.database_file = folder + "/meta.db";
    options.readers = 1;
    store = must(meta::Store::open(options, clock), "open");
    cas::ContentStoreOptions content_options;
    content_options.packs.root = folder + "/blobs";
    content_options.packs.low_water_percent = 0;
    content = must(cas::ContentStore::open(content_options, posix_env(), clock), "content");
    keys = must(domain::KeyRing::open(*store, key_of(1)), "keys");
    compliance = std::make_unique<domain::Compliance>(*store, *content, *keys);
    promotion = std::make_unique<domain::Promotion>(*store, *content, *compliance);
    registry = std::make_unique<domain::Registry>(*store, *content);
    identity = must(domain::Identity::open(*store, {key_of(2)}), "identity");
  }

  std::unique_ptr<meta::Store> store;
  std::unique_ptr<cas::ContentStore> content;
  std::unique_ptr<domain::KeyRing> keys;
  std::unique_ptr<domain::Compliance> compliance;
  std::unique_ptr<domain::Promotion> promotion;
  std::unique_ptr<domain::Registry> registry;
  std::unique_ptr<domain::Identity> identity;
};

std::string policy_text(double floor) {
  return fmt::format(
      "apiVersion: mlops/v1\nkind: PrivacyPolicy\nmetadata: {{name: floor, version: 1.0.0}}\nspec:\n"
      "  select: {{kinds: [model]}}\n  gates:\n    - {{id: good-enough, metric: {{name: auc, min: {}}}}}\n",
      floor);
}

constexpr const char* kEnvironments =
    "apiVersion: mlops/v1\nkind: Environments\nenvironments:\n  - {name: dev, clearance: none}\n"
    "  - {name: prod, clearance: none, after: [dev], policies: [floor], protection: {approvals: 2, plan_valid_hours: "
    "48}}\n";

class Sequence {
 public:
  Sequence(const std::string& root, std::uint64_t seed) : root_(root), random_(seed), seed_(seed) {}

  // A database in which everything is declared and registered, copied for each sequence.
  void prepare(const std::string& folder) {
    std::filesystem::create_directories(folder);
    World world(folder, clock_);
    const auto dora = person(world, "dora", model::Role::kRelease);
    must(world.compliance->apply_policy(dora, policy_text(0.5), "floor.yaml", Commit::kKeep), "policy");
    must(world.compliance->apply_environments(dora, kEnvironments, "env.yaml", Commit::kKeep), "environments");
    for (int i = 0; i < kVersions; ++i) {
      domain::NewVersion version;
      version.kind = model::ArtifactKind::kModel;
      version.name = "m";
      const auto stored = must(world.content->put("weights " + std::to_string(i)), "put");
      version.files = {{"f", stored.digest, stored.size_bytes}};
      version.sensitivity = model::Sensitivity::kNone;
      version.metrics["auc"] = kAuc[i];
      must(world.registry->register_version(dora, version, Commit::kKeep), "register");
    }
    for (const auto* name : kApproverNames) person(world, name, model::Role::kApprover);
  }

  void run(const std::string& prepared, int steps) {
    folder_ = root_ + "/run";
    std::filesystem::remove_all(folder_);
    std::filesystem::copy(prepared, folder_, std::filesystem::copy_options::recursive);
    world_ = std::make_unique<World>(folder_, clock_);
    dora_ = person(*world_, "dora", model::Role::kRelease);
    for (int i = 0; i < kApprovers; ++i) approvers_[i] = person(*world_, kApproverNames[i], model::Role::kApprover);
    for (step_ = 0; step_ < steps; ++step_) {
      clock_.now += 1'000'000 + pick(5) * 60'000'000;
      act();
      check();
    }
    must(
        world_->store->read<audit::VerifyReport>([](sql::Connection& connection) { return audit::verify(connection); }),
        "audit");
    world_.reset();
  }

 private:
  using Step = void (Sequence::*)();

  int pick(int count) { return static_cast<int>(random_() % static_cast<std::uint64_t>(count)); }

  [[noreturn]] void differ(const std::string& what) { die(fmt::format("seed {} step {}: {}", seed_, step_, what)); }

  static meta::Actor person(World& world, const std::string& name, model::Role role) {
    const auto issued = must(
        world.identity->create_token(domain::daemon_actor(),
                                     {.principal = name, .role = role, .expires_in_s = 300 * 24 * 3600}, Commit::kKeep),
        "token");
    return {must(world.identity->authenticate("Bearer " + issued.secret), "authenticate"), {"127.0.0.1", "sim"}};
  }

  void act() {
    static constexpr Step kSteps[] = {
        &Sequence::plan,       &Sequence::plan,          &Sequence::approve, &Sequence::approve,   &Sequence::approve,
        &Sequence::withdraw,   &Sequence::reject,        &Sequence::revoke,  &Sequence::promote,   &Sequence::promote,
        &Sequence::execute,    &Sequence::execute,       &Sequence::execute, &Sequence::roll_back, &Sequence::roll_back,
        &Sequence::move_clock, &Sequence::change_policy, &Sequence::crash};
    (this->*kSteps[pick(static_cast<int>(std::size(kSteps)))])();
  }

  static Answer answer_of(const Result<model::PromotionView>& result) {
    if (result) return result->unchanged ? Answer::kUnchanged : Answer::kDone;
    const auto& slug = result.error().slug;
    static const std::map<std::string, Answer> kAnswers{
        {"gates_denied", Answer::kDenied},       {"approvals_pending", Answer::kPending},
        {"stale_plan", Answer::kStale},          {"plan_expired", Answer::kExpired},
        {"plan_closed", Answer::kClosed},        {"nothing_runs", Answer::kNothing},
        {"no_earlier_release", Answer::kNothing}};
    const auto found = kAnswers.find(slug);
    if (found == kAnswers.end()) die("an answer the model does not know: " + slug + " " + result.error().message);
    return found->second;
  }

  void expect(Answer wanted, Answer given, const char* what) {
    if (wanted != given) {
      differ(fmt::format("{}: the model says {}, the service {}", what, static_cast<int>(wanted),
                         static_cast<int>(given)));
    }
  }

  void note_move(Place place, int version, const Result<model::PromotionView>& done, bool by_rollback) {
    model_.moved(place, version, done->deployment->started_at_us, done->deployment->id, by_rollback);
  }

  void plan() {
    const auto place = static_cast<Place>(pick(kPlaces));
    const int version = pick(kVersions);
    const auto made = must(world_->promotion->plan(dora_, {{ref(version)}, kPlaceNames[place], "sim"}), "plan");
    plans_.push_back({made.id, version, place, model_.running_id[place], model_.floor, {}, made.expires_at_us, true});
  }

  PlanModel* some_plan() {
    return plans_.empty() ? nullptr
                          : &plans_[plans_.size() - 1 -
                                    static_cast<std::size_t>(pick(std::min<int>(4, static_cast<int>(plans_.size()))))];
  }

  bool takes_words(const PlanModel& plan) const {
    return plan.is_open && plan.expires_at_us > clock_.now && plan.running == model_.running_id[plan.place] &&
           (plan.place == kDev || plan.floor == model_.floor);
  }

  void say(Decision decision) {
    auto* plan = some_plan();
    if (!plan) return;
    const int who = pick(kApprovers);
    if (!model_.may_approve[who]) return;  // the token does not get past the listener
    const auto said = world_->promotion->decide(approvers_[who], {plan->id, decision, "sim"}, Commit::kKeep);
    bool wanted = takes_words(*plan);
    if (decision == Decision::kWithdraw) wanted = wanted && plan->approvers.contains(who);
    if (said.has_value() != wanted) differ(fmt::format("a word on a plan: {}", said ? "taken" : said.error().slug));
    if (!said) return;
    if (decision == Decision::kApprove) plan->approvers.insert(who);
    if (decision == Decision::kWithdraw) plan->approvers.erase(who);
    if (decision == Decision::kReject) plan->is_open = false;
  }
  void approve() { say(Decision::kApprove); }
  void withdraw() { say(Decision::kWithdraw); }
  void reject() {
    if (pick(3) == 0) say(Decision::kReject);
  }

  // Takes an approver's right away, or gives it back with a new token.
  void revoke() {
    const int who = pick(kApprovers);
    if (model_.may_approve[who]) {
      for (const auto& row : world_->identity->tokens()) {
        if (row.principal.name == kApproverNames[who] && !row.revoked_at_us) {
          must(world_->identity->revoke_token(domain::daemon_actor(), row.id), "revoke");
        }
      }
    } else {
      approvers_[who] = person(*world_, kApproverNames[who], model::Role::kApprover);
    }
    model_.may_approve[who] = !model_.may_approve[who];
  }

  void promote() {
    const auto place = static_cast<Place>(pick(kPlaces));
    const int version = pick(kVersions);
    const auto wanted = model_.promote(place, version);
    const auto done = world_->promotion->promote(dora_, {{ref(version)}, kPlaceNames[place], "sim"}, Commit::kKeep);
    expect(wanted, answer_of(done), "promote");
    if (wanted == Answer::kDone) note_move(place, version, done, false);
  }

  void execute() {
    auto* plan = some_plan();
    if (!plan) return;
    const auto wanted = model_.promote_plan(*plan, clock_.now);
    const auto done = world_->promotion->promote_plan(dora_, plan->id, Commit::kKeep);
    // A stale or expired plan is closed by the attempt; a second one only says so.
    const bool closed = wanted == Answer::kClosed && answer_of(done) == Answer::kStale;
    if (!closed) expect(wanted, answer_of(done), "promote --plan");
    if (wanted == Answer::kDone) note_move(plan->place, plan->version, done, false);
    if (wanted == Answer::kDone || wanted == Answer::kStale || wanted == Answer::kExpired) plan->is_open = false;
  }

  void roll_back() {
    const auto place = static_cast<Place>(pick(kPlaces));
    const auto target = model_.rollback_target(place);
    const auto wanted = !target                                    ? Answer::kNothing
                        : !model_.is_allowed(place, *target, true) ? Answer::kDenied
                                                                   : Answer::kDone;
    const auto done = world_->promotion->rollback(dora_, {"m", kPlaceNames[place], 0, "sim"}, Commit::kKeep);
    expect(wanted, answer_of(done), "rollback");
    if (wanted == Answer::kDone) note_move(place, *target, done, true);
  }

  void move_clock() { clock_.now += (1 + pick(60)) * kHourUs; }

  void change_policy() {
    static constexpr double kFloors[] = {0.5, 0.7, 0.9};
    model_.floor = kFloors[pick(3)];
    must(world_->compliance->apply_policy(dora_, policy_text(model_.floor), "floor.yaml", Commit::kKeep), "policy");
  }

  // What is on the disk now, as a kill would leave it, becomes the database.
  void crash() {
    const auto copy = root_ + (folder_.ends_with("/run") ? "/again" : "/run");
    std::filesystem::remove_all(copy);
    std::filesystem::copy(folder_, copy, std::filesystem::copy_options::recursive);
    std::filesystem::remove(copy + "/meta.db-shm");
    world_.reset();
    folder_ = copy;
    world_ = std::make_unique<World>(folder_, clock_);
  }

  std::string ref(int version) const { return fmt::format("m@v{}", version + 1); }

  void check() {
    for (int p = 0; p < kPlaces; ++p) {
      const auto place = static_cast<Place>(p);
      const auto history =
          must(world_->promotion->deployments({.environment = kPlaceNames[p], .limit = 1000}), "history");
      const auto& wanted = model_.history[p];
      if (history.size() != wanted.size()) differ("history has another length");
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        const auto& row = history[history.size() - 1 - i];
        const bool same = row.members.front().ref == ref(wanted[i].version) && row.started_at_us == wanted[i].from_us &&
                          row.ended_at_us.value_or(0) == wanted[i].to_us;
        if (!same) differ(fmt::format("interval {} of {} differs", i, kPlaceNames[p]));
        if (i > 0 && wanted[i - 1].to_us != row.started_at_us) differ("a gap or an overlap in history");
      }
      if (wanted.empty()) continue;
      const auto from = wanted.front().from_us - kHourUs;
      // Half of the time exactly where one interval ends and the next begins.
      const auto& some = wanted[static_cast<std::size_t>(pick(static_cast<int>(wanted.size())))];
      const auto moment =
          pick(2) == 0
              ? some.from_us
              : from + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(clock_.now - from + 1));
      const auto rows =
          must(world_->promotion->deployments(
                   {.environment = kPlaceNames[p], .running_only = true, .as_of_us = moment, .limit = 10}),
               "as-of");
      const int was = model_.at(place, moment);
      const bool same = was < 0 ? rows.empty() : rows.size() == 1 && rows.front().members.front().ref == ref(was);
      if (!same) differ("as-of differs");
    }
  }

  const std::string root_;
  std::mt19937_64 random_;
  const std::uint64_t seed_;
  int step_ = 0;
  SimClock clock_;
  PromotionModel model_;
  std::vector<PlanModel> plans_;
  std::string folder_;
  std::unique_ptr<World> world_;
  meta::Actor dora_;
  meta::Actor approvers_[kApprovers];
};

struct Words {
  std::uint64_t sequences = 100;
  std::uint64_t seed = 1;
  int steps = 25;
};

Words read_words(int argc, char** argv) {
  Words words;
  for (int i = 1; i + 1 < argc; i += 2) {
    const auto value = std::strtoull(argv[i + 1], nullptr, 10);
    if (std::strcmp(argv[i], "--sequences") == 0) words.sequences = value;
    if (std::strcmp(argv[i], "--seed") == 0) words.seed = value;
    if (std::strcmp(argv[i], "--steps") == 0) words.steps = static_cast<int>(value);
  }
  return words;
}

int run(int argc, char** argv) {
  const auto words = read_words(argc, argv);
  log::set_level(log::Level::kError);
  auto root = (std::filesystem::temp_directory_path() / "promotion_sim_XXXXXX").string();
  if (!::mkdtemp(root.data())) die("no temporary folder");
  Sequence(root, 0).prepare(root + "/prepared");
  for (std::uint64_t i = 0; i < words.sequences; ++i) {
    Sequence(root, words.seed + i).run(root + "/prepared", words.steps);
  }
  std::filesystem::remove_all(root);
  std::printf("%llu sequences of %d steps, seeds %llu to %llu: as the model says\n",
              static_cast<unsigned long long>(words.sequences), words.steps,
              static_cast<unsigned long long>(words.seed),
              static_cast<unsigned long long>(words.seed + words.sequences - 1));
  return 0;
}

}  // namespace
}  // namespace mlops::sim

int main(int argc, char** argv) {
  return mlops::sim::run(argc, argv);
}
