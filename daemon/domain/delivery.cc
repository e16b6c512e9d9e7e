#include "daemon/domain/delivery.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <tuple>

#include "core/base/log.h"
#include "core/base/text.h"
#include "daemon/domain/gc_marks.h"
#include "daemon/domain/identity.h"
#include "daemon/domain/promotion.h"
#include "storage/meta/revisions.h"

namespace mlops::domain {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kLinesMax = 1000;  // of one environment
constexpr std::int64_t kFirstPauseUs = 1'000'000;
constexpr std::int64_t kLongestPauseUs = 300'000'000;
constexpr milliseconds kIdle{60'000};
// How often the store is asked whether it has changed: one load of a counter, which writers need not know of.
constexpr milliseconds kGlance{20};

std::int64_t pause_us(std::int64_t attempts) {
  const auto doublings = std::min<std::int64_t>(std::max<std::int64_t>(attempts - 1, 0), 10);
  return std::min(kFirstPauseUs << doublings, kLongestPauseUs);
}

Result<model::Environment> parsed(const std::string& body) {
  MLOPS_ASSIGN(const auto json, parse_json(body));
  return model::environment_from_json(json);
}

Failure place_taken(const std::string& environment, const std::string& place) {
  return fail(ErrorCode::kConflict, "name_taken",
              fmt::format("another release of {} is delivered to {}", environment, place),
              "names that differ only in '/' and '.', or in kind, share a directory");
}

}  // namespace

std::string Delivery::Line::place() const {
  return target.text() + "/" + visible_name(deployment.name);
}

std::string Delivery::Line::wish() const {
  return fmt::format("{} {} {} {}", deployment.id, target.text(), model::to_word(target.layout),
                     model::to_word(target.how));
}

Delivery::Delivery(meta::Store& store, cas::ContentStore& content, DeliveryOptions options)
    : store_(store), content_(content), options_(std::move(options)) {}

Delivery::~Delivery() {
  {
    std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_all();
  if (deliverer_.joinable()) deliverer_.join();
  if (verifier_.joinable()) verifier_.join();
}

void Delivery::start() {
  if (options_.roots.empty()) return;
  deliverer_ = std::thread([this] { deliver_loop(); });
  if (options_.verify_every_s > 0) verifier_ = std::thread([this] { verify_loop(); });
}

void Delivery::deliver_loop() {
  while (!is_stopping_) {
    const auto seen = store_.generation();
    const auto until = steady_clock::now() + reconcile();
    while (!is_stopping_ && store_.generation() == seen && steady_clock::now() < until) {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, kGlance, [this] { return is_stopping_.load(); });
    }
  }
}

milliseconds Delivery::reconcile() {
  auto next = kIdle;
  const auto wanted = lines({});
  if (!wanted) {
    log::warn("delivery_unreadable", {{"slug", std::string_view(wanted.error().slug)}});
    return milliseconds(pause_us(1) / 1000);
  }
  std::set<std::string> taken;
  for (const auto& line : *wanted) {
    if (is_stopping_) break;
    (void)settle(line, taken, next);
    taken.insert(line.place());
  }
  return next;
}

// What runs where, of environments with a target; those first that have run the longest, so that what is there keeps
// its place when another would take it.
Result<std::vector<Delivery::Line>> Delivery::lines(const std::string& environment) {
  using Lines = std::vector<Line>;
  return store_.read<Lines>([&](sql::Connection& connection) -> Result<Lines> {
    MLOPS_ASSIGN(const auto declared, meta::targeted_environments(connection));
    Lines out;
    for (const auto& one : declared) {
      if (!environment.empty() && one.name != environment) continue;
      MLOPS_ASSIGN(const auto parsed_environment, parsed(one.body));
      MLOPS_ASSIGN(auto rows, meta::list_deployments(
                                  connection, {.environment = one.name, .running_only = true, .limit = kLinesMax}));
      std::sort(rows.begin(), rows.end(),
                [](const auto& a, const auto& b) { return std::tie(a.kind, a.name) < std::tie(b.kind, b.name); });
      for (auto& row : rows) {
        if (!is_deliverable(row, parsed_environment.target.layout)) continue;
        MLOPS_ASSIGN(auto delivery, meta::find_delivery(connection, row.id));
        out.push_back({std::move(row), parsed_environment.target, std::move(delivery)});
      }
    }
    return out;
  });
}

// The same line as it is now: a round over many takes a while, and the newest wins.
Result<std::optional<Delivery::Line>> Delivery::again(const Line& line) {
  MLOPS_ASSIGN(auto now, lines(line.deployment.environment));
  for (auto& one : now) {
    const bool same = one.deployment.name == line.deployment.name && one.deployment.kind == line.deployment.kind;
    if (same) return std::optional<Line>(std::move(one));
  }
  return std::optional<Line>();
}

bool Delivery::is_settled(const Line& line) {
  if (line.row && line.row->state != "delivered") return false;
  std::lock_guard lock(mutex_);
  const auto found = settled_.find(line.place());
  return found != settled_.end() && found->second == line.wish();
}

Delivery::Outcome Delivery::settle(const Line& old, const std::set<std::string>& taken, milliseconds& next) {
  if (is_settled(old)) return Outcome::kSettled;
  const auto fresh = again(old);
  if (!fresh || !*fresh) return Outcome::kWaiting;
  const auto& line = **fresh;
  const bool waits = line.row && line.row->state == "failed" && line.row->place == line.place() &&
                     line.row->next_attempt_at_us.value_or(0) > store_.now_us();
  Status done;
  if (!waits) {
    done =
        taken.contains(line.place()) ? Status(place_taken(line.deployment.environment, line.place())) : deliver(line);
    if (!done) record_failure(line, done.error());
  }
  if (done && !waits) return Outcome::kSettled;
  const auto pause =
      waits ? *line.row->next_attempt_at_us - store_.now_us() : pause_us((line.row ? line.row->attempts : 0) + 1);
  next = std::min(next, milliseconds(std::max<std::int64_t>(pause, 0) / 1000 + 1));
  return Outcome::kWaiting;
}

Result<ReleaseDirectory> Delivery::directory_of(const Line& line) const {
  MLOPS_TRY(check_target(line.target));
  ReleaseDirectoryOptions options;
  options.root_dir = options_.roots.at(line.target.root);
  options.root_name = line.target.root;
  options.path = line.target.path;
  options.name = visible_name(line.deployment.name);
  options.how = line.target.how;
  options.keep = options_.keep;
  options.grace_us = options_.grace_s * 1'000'000;
  options.hook = options_.hook;
  return ReleaseDirectory::open(std::move(options));
}

Result<Placement> Delivery::placement_of(const Line& line) {
  DeliveredRelease release;
  release.deployment = line.deployment;
  const auto read = store_.read<bool>([&](sql::Connection& connection) -> Result<bool> {
    MLOPS_ASSIGN(const auto plan, meta::find_plan(connection, line.deployment.plan_id));
    MLOPS_ASSIGN(const auto versions, meta::release_members(connection, line.deployment.release_id));
    MLOPS_ASSIGN(const auto roles, meta::release_roles(connection, line.deployment.release_id));
    release.plan_digest = plan.digest;
    for (std::size_t i = 0; i < versions.size(); ++i) {
      release.members.push_back({versions[i], i < roles.size() ? roles[i] : std::string(), {}});
    }
    return true;
  });
  if (!read) return fail(read.error());
  for (auto& member : release.members) {
    MLOPS_ASSIGN(auto blobs, blobs_of(manifest_reader(store_), content_, member.version.digest));
    if (!blobs.is_readable) {
      return fail(ErrorCode::kCorrupt, "manifest_damaged",
                  fmt::format("the list of files of {} cannot be read", member.version.ref()),
                  "`mlopsctl fsck` names what is damaged");
    }
    member.files = std::move(blobs.files);
  }
  return place_release(release, line.target.layout);
}

Status Delivery::deliver(const Line& line) {
  MLOPS_ASSIGN(auto directory, directory_of(line));
  MLOPS_ASSIGN(const auto placement, placement_of(line));
  MLOPS_ASSIGN(const bool is_there, directory.shows(placement));
  const bool is_drifted = line.row && line.row->state == "drifted";
  const auto now_us = store_.now_us();
  auto row = line.row.value_or(meta::DeliveryRow());
  if (!is_there || is_drifted) {
    {
      std::lock_guard lock(mutex_);
      staging_ = line.deployment.id;
    }
    auto delivered =
        directory.deliver(placement, [this](const crypto::Digest& blob) { return content_.open_blob(blob); });
    {
      std::lock_guard lock(mutex_);
      staging_.clear();
    }
    MLOPS_TRY(delivered);
    row.verified_at_us = store_.now_us();
    log::info("delivered", {{"deployment", std::string_view(line.deployment.id)},
                            {"environment", std::string_view(line.deployment.environment)}});
  }
  {
    std::lock_guard lock(mutex_);
    settled_[line.place()] = line.wish();
  }
  const bool is_recorded = row.state == "delivered" && row.place == line.place() && is_there;
  if (is_recorded) return {};
  row.deployment_id = line.deployment.id;
  row.environment = line.deployment.environment;
  row.place = line.place();
  row.state = "delivered";
  row.attempts = 0;
  row.error.clear();
  row.message.clear();
  row.since_us = now_us;
  row.next_attempt_at_us.reset();
  if (!row.delivered_at_us) row.delivered_at_us = store_.now_us();
  return record(std::move(row));
}

void Delivery::record_failure(const Line& line, const Error& error) {
  auto row = line.row.value_or(meta::DeliveryRow());
  const auto now_us = store_.now_us();
  row.deployment_id = line.deployment.id;
  row.environment = line.deployment.environment;
  row.place = line.place();
  if (row.state != "failed") row.since_us = now_us;
  row.state = "failed";
  row.attempts += 1;
  row.error = error.slug;
  row.message = error.message;
  row.next_attempt_at_us = now_us + pause_us(row.attempts);
  log::warn("delivery_failed", {{"deployment", std::string_view(line.deployment.id)},
                                {"environment", std::string_view(line.deployment.environment)},
                                {"slug", std::string_view(error.slug)},
                                {"attempts", row.attempts}});
  (void)record(std::move(row));
}

Status Delivery::record(meta::DeliveryRow row) {
  const auto written = store_.write<bool>(daemon_actor(), meta::Commit::kKeep, [&](meta::WriteTx& tx) -> Result<bool> {
    MLOPS_TRY(meta::put_delivery(tx, row));
    return true;
  });
  if (!written) return fail(written.error());
  return {};
}

Status Delivery::check_target(const model::DeliveryTarget& target) const {
  const auto root = options_.roots.find(target.root);
  if (root == options_.roots.end()) {
    std::vector<std::string> names;
    for (const auto& [name, directory] : options_.roots) names.push_back(name);
    return fail(ErrorCode::kInvalid, "root_unknown",
                fmt::format("\"{}\" is not one of mlopsd's delivery.roots", printable(target.root)),
                names.empty() ? "set delivery.roots in mlopsd's configuration" : "there are: " + join(names, ", "));
  }
  const auto directory = Dir::open(root->second, target.root);
  if (directory && ::access(root->second.c_str(), W_OK | X_OK) == 0) return {};
  if (directory) {
    return fail(ErrorCode::kUnavailable, "root_not_writable",
                fmt::format("mlopsd may not write to the directory of root \"{}\"", target.root),
                "give its user the right, and list it in ReadWritePaths= of the service");
  }
  return fail(ErrorCode::kUnavailable, "root_missing",
              fmt::format("the directory of root \"{}\" is missing", target.root),
              "make it, or mount it, on mlopsd's host");
}

}  // namespace mlops::domain
